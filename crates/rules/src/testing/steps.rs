//! The step notation of input series: `10 80x3 _ 20+5x4 true`.
//!
//! | step | readings |
//! |---|---|
//! | `10`, `true` | one |
//! | `_` | none: a gap of one step |
//! | `80x3` | three times 80 |
//! | `20+5x4` | 20, 25, 30, 35 |
//! | `50~2x100` | a hundred values between 48 and 52, the same in every run |
//! | `(20~1x9 80~1x9 20~1x6)x14` | the group, fourteen times; groups may stand in groups |

use city_model::Value;

/// The longest series that a line may describe.
const LONGEST: usize = 1_000_000;
/// How deep groups may stand in groups.
const DEEPEST: usize = 4;

/// The values of a notation; `None` where there is no reading. The error is the word that is
/// wrong.
pub(super) fn expand(notation: &str) -> Result<Vec<Option<Value>>, String> {
    let mut values = Vec::new();
    expand_into(notation, DEEPEST, &mut values)?;
    Ok(values)
}

fn expand_into(notation: &str, deep: usize, values: &mut Vec<Option<Value>>) -> Result<(), String> {
    let mut rest = notation.trim_start();
    while !rest.is_empty() {
        let end = word_end(rest).ok_or_else(|| rest.to_owned())?;
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        let bad = || word.to_owned();
        let (what, times) = match word.rsplit_once('x') {
            Some((what, times)) if !times.ends_with(')') => {
                (what, times.parse::<usize>().map_err(|_| bad())?)
            }
            _ => (word, 1),
        };
        if times == 0 || values.len().saturating_add(times) > LONGEST {
            return Err(bad());
        }
        let group = what.strip_prefix('(').and_then(|group| group.strip_suffix(')'));
        if let Some(group) = group {
            let deeper = deep.checked_sub(1).ok_or_else(bad)?;
            for _ in 0..times {
                let before = values.len();
                expand_into(group, deeper, values)?;
                if values.len() == before {
                    return Err(bad()); // a group of nothing, perhaps very often
                }
            }
        } else {
            values.reserve(times);
            for n in 0..times {
                let value = match what {
                    "_" => None,
                    "true" | "false" => Some(Value::Bool(what == "true")),
                    _ => Some(Value::Number(number(what, n, values.len()).ok_or_else(bad)?)),
                };
                values.push(value);
            }
        }
    }
    Ok(())
}

/// Where the first word ends: at a space outside brackets. `None` if a bracket stays open.
fn word_end(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open = open.checked_sub(1)?,
            _ if c.is_whitespace() && open == 0 => return Some(at),
            _ => {}
        }
    }
    (open == 0).then_some(text.len())
}

/// The number of a step at its `n`-th repetition, as the reading `index` of the series.
fn number(what: &str, n: usize, index: usize) -> Option<f64> {
    let (line, spread) = match what.split_once('~') {
        Some((line, spread)) => (line, spread.parse::<f64>().ok()?),
        None => (what, 0.0),
    };
    let (first, step) = progression(line)?;
    let value = first + step * n as f64 + spread * unrest(index);
    value.is_finite().then_some(value)
}

/// A number from -1 up to 1 that has nothing to do with those beside it, the same in every run
/// (SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
fn unrest(index: usize) -> f64 {
    let mut bits = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
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

    fn numbers(text: &str) -> Vec<Option<f64>> {
        let values = expand(text).expect("valid");
        values.into_iter().map(|value| value.and_then(|v| v.as_f64())).collect()
    }

    #[test]
    fn notations_expand() {
        assert_eq!(
            numbers("10 80x2 _ _x2"),
            [Some(10.0), Some(80.0), Some(80.0), None, None, None]
        );
        assert_eq!(
            numbers("10+5x3 -1-2x2"),
            [Some(10.0), Some(15.0), Some(20.0), Some(-1.0), Some(-3.0)]
        );
        assert_eq!(expand("true"), Ok(vec![Some(Value::Bool(true))]));
        for bad in
            ["x", "10x", "10x0", "ten", "1+x3", "inf", "10~x3", "(1 2", "1)x2", "()y", "(1 2)x0"]
        {
            assert!(expand(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn groups_repeat() {
        let expected: Vec<_> = [1.0, 2.0, 2.0, 1.0, 2.0, 2.0, 3.0].map(Some).into();
        assert_eq!(numbers("(1 2x2)x2 3"), expected);
        assert_eq!(numbers("((1)x2 2)x2"), [1.0, 1.0, 2.0, 1.0, 1.0, 2.0].map(Some));
        assert!(expand("(((((1)))))").is_err(), "too deep");
        assert!(expand("((1x999999)x999)x999").is_err(), "too long");
    }

    #[test]
    fn noise_stays_within_its_bounds_and_differs_from_reading_to_reading() {
        let values: Vec<f64> = numbers("50~2x1000").into_iter().flatten().collect();
        assert!(values.iter().all(|value| (48.0..52.0).contains(value)));
        assert!(values.windows(2).all(|pair| pair[0] != pair[1]));
        let mean = values.iter().sum::<f64>() / 1000.0;
        assert!((mean - 50.0).abs() < 0.2, "{mean}");
    }
}
