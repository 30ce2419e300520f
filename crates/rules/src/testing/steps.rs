//! The step notation of input series: `10 80x3 _ 20+5x4 true`.

use city_model::Value;

/// The longest series that a line may describe.
const LONGEST: usize = 1_000_000;

/// The values of a notation; `None` where there is no reading. The error is the word that is
/// wrong.
pub(super) fn expand(notation: &str) -> Result<Vec<Option<Value>>, String> {
    let mut values = Vec::new();
    for word in notation.split_whitespace() {
        let bad = || word.to_owned();
        let (what, times) = match word.rsplit_once('x') {
            Some((what, times)) => (what, times.parse::<usize>().map_err(|_| bad())?),
            None => (word, 1),
        };
        if times == 0 || values.len() + times > LONGEST {
            return Err(bad());
        }
        match what {
            "_" => values.extend(std::iter::repeat_n(None, times)),
            "true" | "false" => {
                values.extend(std::iter::repeat_n(Some(Value::Bool(what == "true")), times));
            }
            _ => {
                let (first, step) = progression(what).ok_or_else(bad)?;
                values.extend((0..times).map(|n| Some(Value::Number(first + step * n as f64))));
            }
        }
    }
    Ok(values)
}

/// `10`, `10+5` or `10-5`: a first value and the step to the next.
fn progression(text: &str) -> Option<(f64, f64)> {
    let sign = text.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-'));
    let (first, step) = match sign {
        Some((at, _)) => (text[..at].parse().ok()?, text[at..].parse().ok()?),
        None => (text.parse().ok()?, 0.0),
    };
    let finite = f64::is_finite(first) && f64::is_finite(step);
    finite.then_some((first, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_expand() {
        let numbers = |text| {
            let values = expand(text).expect("valid");
            values.into_iter().map(|value| value.and_then(|v| v.as_f64())).collect::<Vec<_>>()
        };
        assert_eq!(
            numbers("10 80x2 _ _x2"),
            [Some(10.0), Some(80.0), Some(80.0), None, None, None]
        );
        assert_eq!(
            numbers("10+5x3 -1-2x2"),
            [Some(10.0), Some(15.0), Some(20.0), Some(-1.0), Some(-3.0)]
        );
        assert_eq!(expand("true"), Ok(vec![Some(Value::Bool(true))]));
        for bad in ["x", "10x", "10x0", "ten", "1+x3", "inf"] {
            assert!(expand(bad).is_err(), "{bad}");
        }
    }
}
