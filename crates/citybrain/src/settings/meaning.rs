//! Whether what the settings say of quality, positions and derived series makes sense: metrics and
//! kinds must be known, limits in order.

use std::collections::BTreeSet;

use city_model::{Catalogue, Span};
use city_pipeline::DERIVED_SOURCE;
use city_quality::CheckConfig;
use city_registry::DeviceEntry;

use super::{Problem, Settings};

const LIMITS: &str =
    "limits are numbers in the metric's unit; what fails lies beyond what is suspect";

/// Notes everything that makes no sense.
pub(crate) fn check_meaning(
    settings: &Settings,
    catalogue: &Catalogue,
    devices: &[DeviceEntry],
    problems: &mut Vec<Problem>,
) {
    let kinds = Kinds::of(settings, devices);
    check_quality(settings, catalogue, &kinds, problems);
    check_location(settings, &kinds, problems);
    check_derived(settings, &kinds, problems);
    check_retention(settings, catalogue, problems);
    check_inhibit(settings, problems);
}

fn check_inhibit(settings: &Settings, problems: &mut Vec<Problem>) {
    if let Some(problem) = settings.flood.problem() {
        let hint = "see the [flood] of `citybrain config example`";
        problems.push(Problem::new("flood", problem, hint));
    }
    for (index, rule) in settings.inhibit.iter().enumerate() {
        if let Some(problem) = rule.problem() {
            let hint = "see the [[inhibit]] of `citybrain config example`";
            problems.push(Problem::new(format!("inhibit[{index}]"), problem, hint));
        }
    }
}

fn check_retention(settings: &Settings, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let day = Span::from_hours(24);
    for (id, keep) in &settings.store.metric_retention {
        let key = format!("store.metric_retention.{id}");
        if catalogue.by_id(id).is_none() {
            let hint = format!("the metrics are {}", metric_ids(catalogue));
            problems.push(Problem::new(&key, "there is no such metric", hint));
        }
        if *keep < day {
            let message = format!("readings cannot be kept for {keep}");
            problems.push(Problem::new(&key, message, "keep them for a day or longer: \"1d\""));
        }
        if settings.store.retention.is_some_and(|all| all <= *keep) {
            let hint = "a metric can be kept for less than the others, not for longer";
            problems.push(Problem::new(&key, "it is not shorter than store.retention", hint));
        }
    }
    if settings.store.retention.is_some_and(|keep| keep < day) {
        let hint = "keep them for a day or longer: \"1d\"";
        problems.push(Problem::new("store.retention", "readings are kept in whole days", hint));
    }
}

fn metric_ids(catalogue: &Catalogue) -> String {
    catalogue.iter().map(|metric| &*metric.id).collect::<Vec<_>>().join(", ")
}

/// The kinds that there are, as far as configuration can tell.
struct Kinds<'a> {
    known: BTreeSet<&'a str>,
    /// Whether topics name kinds: then there may be any.
    open: bool,
}

impl<'a> Kinds<'a> {
    fn of(settings: &'a Settings, devices: &'a [DeviceEntry]) -> Self {
        let named = settings.city.kinds.iter().map(|kind| kind.id.as_str());
        let used = devices.iter().map(|device| device.kind.as_str());
        let registered = settings.sources.iter().map(|source| source.kind.as_str());
        let known: BTreeSet<&str> = named.chain(used).chain(registered).collect();
        let open = settings.sources.iter().any(|source| source.topic.contains("{kind}"));
        // A city that names no kind may have devices registered by the API.
        let silent = settings.city.kinds.is_empty() && devices.is_empty();
        Self { known, open: open || silent }
    }

    fn check(&self, key: &str, kind: &str, problems: &mut Vec<Problem>) {
        if !self.open && !self.known.contains(kind) {
            let known: Vec<&str> = self.known.iter().copied().collect();
            problems.push(Problem::new(
                key,
                format!("there is no kind of device `{kind}`"),
                format!("name it in city.kinds; the kinds are {}", known.join(", ")),
            ));
        }
    }
}

fn check_quality(
    settings: &Settings,
    catalogue: &Catalogue,
    kinds: &Kinds<'_>,
    problems: &mut Vec<Problem>,
) {
    for (id, checks) in &settings.quality {
        let key = format!("quality.{id}");
        let Some(metric) = catalogue.by_id(id) else {
            let hint = format!("the metrics are {}", metric_ids(catalogue));
            problems.push(Problem::new(key, "there is no such metric", hint));
            continue;
        };
        let of = |config: CheckConfig| config.with_metric(metric).problems();
        let all = of(checks.of_all());
        problems.extend(all.iter().map(|problem| Problem::new(&key, problem, LIMITS)));
        for kind in checks.kinds.keys() {
            let key = format!("{key}.kinds.{kind}");
            kinds.check(&key, kind, problems);
            // What the metric itself says wrong is reported once.
            let own = of(checks.of(kind)).into_iter().filter(|problem| !all.contains(problem));
            problems.extend(own.map(|problem| Problem::new(&key, problem, LIMITS)));
        }
    }
}

fn check_location(settings: &Settings, kinds: &Kinds<'_>, problems: &mut Vec<Problem>) {
    for kind in settings.location.kinds.keys() {
        kinds.check(&format!("location.kinds.{kind}"), kind, problems);
    }
    for (kind, problem) in settings.location.problems() {
        let key = kind.map_or("location".to_owned(), |kind| format!("location.kinds.{kind}"));
        problems.push(Problem::new(key, problem, "speeds are in m/s, distances in m"));
    }
}

fn check_derived(settings: &Settings, kinds: &Kinds<'_>, problems: &mut Vec<Problem>) {
    for (index, aqi) in settings.derived.aqi.iter().enumerate() {
        let key = format!("derived.aqi[{index}].kinds");
        if aqi.kinds.is_empty() {
            let hint = "name the kinds of the stations, such as kinds = [\"air_station\"]";
            problems.push(Problem::new(&key, "nothing is derived for no kind", hint));
        }
        for kind in &aqi.kinds {
            kinds.check(&key, kind, problems);
        }
        let before = &settings.derived.aqi[..index];
        if before.iter().any(|other| other.standard.id == aqi.standard.id) {
            problems.push(Problem::new(
                format!("derived.aqi[{index}].standard"),
                format!("`{}` stands above already", aqi.standard.id),
                "name all kinds in one place",
            ));
        }
    }
    if settings.derived.aqi.is_empty() {
        return;
    }
    for (index, source) in settings.sources.iter().enumerate() {
        if source.id == DERIVED_SOURCE {
            problems.push(Problem::new(
                format!("source[{index}].id"),
                format!("`{DERIVED_SOURCE}` is what derived series are counted under"),
                "give the source another id",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let head = r#"
            [city]
            name = "Test"
            time_zone = "UTC"
            kinds = [{ id = "air_station", name = "Air" }, { id = "bus", name = "Bus" }]
        "#;
        let settings: Settings = toml::from_str(&format!("{head}{text}")).expect("the right shape");
        let mut problems = Vec::new();
        check_meaning(&settings, &Catalogue::embedded(), &[], &mut problems);
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.key, problem.message))
            .collect()
    }

    #[test]
    fn inhibition_of_everything_and_floods_of_nothing_are_problems() {
        let found = problems(
            r#"
            [flood]
            more_than = 3
            [[inhibit]]
            source = { rule = "power-out" }
            target = { severity_at_most = "high", labels = { needs = "mains" } }
            equal = ["zone"]
            [[inhibit]]
            source = { rule = ["a", "b"] }
            target = {}
        "#,
        );
        assert_eq!(
            found,
            [
                "flood: `below` must be at least 1 and at most `more_than`",
                "inhibit[1]: `target` matches every alert; say which are meant",
            ]
        );
    }

    #[test]
    fn what_makes_sense_is_no_problem() {
        let found = problems(
            r#"
            [quality.pm25]
            spike = { suspect = 50 }
            [quality.pm25.kinds.air_station]
            spike = false
            [location.kinds.bus]
            max_speed_m_s = 30
            [[derived.aqi]]
            standard = "hj633_2026"
            kinds = ["air_station"]
            "#,
        );
        assert_eq!(found, [] as [String; 0]);
    }

    #[test]
    fn every_problem_has_its_place() {
        let found = problems(
            r#"
            [quality.pm52]
            spike = { suspect = 50 }
            [quality.pm25]
            spike = { suspect = 50, fail = 20 }
            [quality.pm25.kinds.air_sation]
            rate_of_change = { fail_per_s = -1 }
            [location]
            slack_m = -1
            [location.kinds.tram]
            max_speed_m_s = 0
            [[derived.aqi]]
            standard = "hj633_2026"
            kinds = []
            [[derived.aqi]]
            standard = "hj633_2026"
            kinds = ["office"]
            [[source]]
            id = "derived"
            topic = "a/{device}"
            format = "json"
            "#,
        );
        assert_eq!(
            found,
            [
                "quality.pm25: `spike`: what fails must lie beyond what is suspect",
                "quality.pm25.kinds.air_sation: there is no kind of device `air_sation`",
                "quality.pm25.kinds.air_sation: `rate_of_change.fail_per_s` must be greater than 0",
                "quality.pm52: there is no such metric",
                "location.kinds.tram: there is no kind of device `tram`",
                "location: `slack_m` must be 0 or greater",
                "location.kinds.tram: `max_speed_m_s` must be greater than 0",
                "derived.aqi[0].kinds: nothing is derived for no kind",
                "derived.aqi[1].kinds: there is no kind of device `office`",
                "derived.aqi[1].standard: `hj633_2026` stands above already",
                "source[0].id: `derived` is what derived series are counted under",
            ]
        );
    }
}
