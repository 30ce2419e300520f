//! What the configuration says of kinds of devices, checked before anything is started.

use city_model::Catalogue;
use city_registry::Kind;

use crate::settings::Problem;

/// Reports what is wrong with kinds; `catalogue` are the metrics that there are.
pub(crate) fn check(kinds: &[Kind], catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    for (index, kind) in kinds.iter().enumerate() {
        let key = |field: &str| format!("city.kinds[{index}].{field} (`{}`)", kind.id);
        let found = kind.problems().into_iter();
        problems
            .extend(found.map(|found| Problem::new(key(&found.field), found.message, found.hint)));
        if kinds[..index].iter().any(|earlier| earlier.id == kind.id) {
            problems.push(Problem::new(
                key("id"),
                "this id is used twice",
                "remove one of the two",
            ));
        }
        for metric in kind.metrics.iter().filter(|metric| catalogue.by_id(metric).is_none()) {
            problems.push(Problem::new(
                key("metrics"),
                format!("there is no metric `{metric}`"),
                "describe it in the file of city.metrics, or correct the name",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_must_make_sense() {
        let kinds: Vec<Kind> = serde_json::from_str(
            r#"[{"id":"air","name":"Air","metrics":["pm25","nonsense"],"interval":"0s"},
                {"id":"air","name":"Again"}]"#,
        )
        .expect("kinds");
        let mut problems = Vec::new();
        check(&kinds, &Catalogue::embedded(), &mut problems);
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        let expected = [
            "city.kinds[0].interval (`air`)",
            "city.kinds[0].metrics (`air`)",
            "city.kinds[1].id (`air`)",
        ];
        assert_eq!(keys, expected);
    }
}
