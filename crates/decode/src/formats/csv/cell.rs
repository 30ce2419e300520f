//! What a cell says where a comma parts the decimals: `21,5`, `1.234` and `1.234,5`.
//!
//! A point parts groups of three digits there. A cell like `12.5` cannot be told: a number with a
//! decimal point after all, or one that was cut. Whoever guesses is wrong by a thousand times.

use std::borrow::Cow;

use crate::error::quote;
use crate::wire::{self, Raw};

/// What a cell says; `Ok(None)`: that there is no value. An error says why it is no number.
pub(super) fn with_comma(cell: &str) -> Result<Option<Raw<'_>>, String> {
    if !cell.contains('.') {
        return Ok(match wire::spelled_number(&cell.replacen(',', ".", 1)) {
            Some(number) => number.is_finite().then_some(Raw::Number(number)),
            None => wire::spelled(Cow::Borrowed(cell)),
        });
    }
    if let Some(number) = grouped(cell) {
        return Ok(Some(Raw::Number(number)));
    }
    // Dates, versions and addresses have points too, but more of them, or no comma.
    let digits = cell.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,".contains(&byte));
    if wire::spelled_number(cell).is_some() || digits && cell.matches(',').count() == 1 {
        return Err(format!(
            "`{}` is no number with a decimal comma, before which points part groups of three",
            quote(cell)
        ));
    }
    Ok(wire::spelled(Cow::Borrowed(cell)))
}

/// A coordinate: it has no thousands, so that a point can only be its decimal point.
pub(super) fn coordinate_with_comma(cell: &str) -> Option<f64> {
    wire::spelled_number(&cell.replacen(',', ".", 1)).filter(|number| number.is_finite())
}

/// The number that groups of three digits spell, with or without decimals behind a comma.
fn grouped(cell: &str) -> Option<f64> {
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let whole = unsigned.split_once(',').map_or(unsigned, |(whole, _)| whole);
    let mut groups = whole.split('.');
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && are_digits(first));
    if first.is_none() || !groups.all(|group| group.len() == 3 && are_digits(group)) {
        return None;
    }
    // A point behind the comma is left over here, and is no number's.
    let (whole, decimals) = cell.split_once(',').unwrap_or((cell, ""));
    if decimals.contains('.') {
        return None;
    }
    wire::spelled_number(&format!("{}.{decimals}", whole.replace('.', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_part_thousands() {
        for (cell, expected) in [
            ("1.234", 1_234.0),
            ("1.234,5", 1_234.5),
            ("-1.234.567,25", -1_234_567.25),
            ("+12.345", 12_345.0),
            ("0.500", 500.0),
            ("21,5", 21.5),
            (",5", 0.5),
            ("-7", -7.0),
            ("1,5e3", 1_500.0),
            ("1.234,", 1_234.0),
        ] {
            assert_eq!(with_comma(cell), Ok(Some(Raw::Number(expected))), "{cell}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_refused_and_texts_stay_texts() {
        for cell in ["12.5", "1.23", "1.2345", "1234.567", "1,234.5", "1.23,4", "12.345.6,7", ".5"]
        {
            let why = with_comma(cell).expect_err(cell);
            assert!(why.contains(cell), "{why}");
        }
        for cell in ["23.11.2026", "192.168.1.10", "v1.2", "open.", "1, 2", "a,b", "1,2,3"] {
            assert_eq!(with_comma(cell), Ok(Some(Raw::Text(cell.into()))), "{cell}");
        }
        for cell in ["nan", "inf"] {
            assert_eq!(with_comma(cell), Ok(None), "{cell}");
        }
        assert_eq!(with_comma("true"), Ok(Some(Raw::Bool(true))));
        assert_eq!(coordinate_with_comma("45.528"), Some(45.528));
        assert_eq!(coordinate_with_comma("45,528"), Some(45.528));
        assert_eq!(coordinate_with_comma("1.234,5"), None);
    }
}
