//! Cells of CSV files that spreadsheets open: texts that people or devices chose must not become
//! formulas there.

use std::borrow::Cow;

/// What a spreadsheet may take for the beginning of a formula, also in full width, and the white
/// space that some of them skip before it (OWASP, "CSV Injection").
const FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A text as a cell of CSV: with an apostrophe in front if a spreadsheet would take it for a
/// formula. Numbers are none and stay as they are. Quoting is still the CSV writer's work.
///
/// ```
/// use city_model::{csv_cell, from_csv_cell};
///
/// assert_eq!(csv_cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
/// assert_eq!(csv_cell("-12.5"), "-12.5");
/// assert_eq!(from_csv_cell("'=1+1"), "=1+1");
/// ```
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) && !is_number(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text that [`csv_cell`] wrote.
pub fn from_csv_cell(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) && !is_number(text) => text,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA)
}

/// Whether it is a number in decimal: a sign, digits, a point, an exponent.
fn is_number(text: &str) -> bool {
    let digits = |c: char| c.is_ascii_digit() || ".eE+-".contains(c);
    text.chars().all(digits) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_and_read_back() {
        for (text, cell) in [
            ("", ""),
            ("Market Square", "Market Square"),
            ("集市", "集市"),
            ("=1+1", "'=1+1"),
            ("+49 30 1", "'+49 30 1"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("＝1", "'＝1"),
            ("-", "'-"),
            ("-inf", "'-inf"),
            ("-1.5", "-1.5"),
            ("+3", "+3"),
            ("-1e-7", "-1e-7"),
            ("'quoted'", "'quoted'"),
            ("'=1", "''=1"),
            ("''=1", "'''=1"),
            ("'-1.5", "''-1.5"),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
            assert_eq!(from_csv_cell(cell), text, "{cell:?}");
        }
    }
}
