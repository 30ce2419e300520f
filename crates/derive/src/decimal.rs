//! Decimals with nine places: concentrations and means without binary fractions.

use std::str::FromStr;

/// A decimal number with nine places, from about -9.2 to 9.2 thousand million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

/// How many billionths one is.
const ONE: i64 = 1_000_000_000;
const PLACES: u32 = 9;

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `digits` with this many of them after the point, at most nine: `new(55, 3)` is 0.055.
    pub const fn new(digits: i64, places: u32) -> Self {
        Self(digits * 10_i64.pow(PLACES - places))
    }

    /// The decimal nearest to a number; `None` if it is not finite or too large.
    pub fn from_f64(number: f64) -> Option<Self> {
        let billionths = (number * ONE as f64).round();
        (billionths.abs() < i64::MAX as f64).then_some(Self(billionths as i64))
    }

    /// The nearest binary number, for display.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// In billionths.
    pub const fn billionths(self) -> i64 {
        self.0
    }

    /// From billionths.
    pub const fn from_billionths(billionths: i64) -> Self {
        Self(billionths)
    }

    /// With what stands after this many places cut off.
    #[must_use]
    pub const fn truncated(self, places: u32) -> Self {
        let unit = 10_i64.pow(PLACES - places);
        Self(self.0 / unit * unit)
    }

    /// Rounded to this many places, a half to the even digit (GB/T 8170-2008, 3.2).
    #[must_use]
    pub fn rounded(self, places: u32) -> Self {
        let unit = 10_i64.pow(PLACES - places);
        let rounded = divide_half_even(i128::from(self.0), i128::from(unit)) as i64;
        Self(rounded.saturating_mul(unit))
    }

    /// Times a fraction, rounded to nine places; `None` if it is too large then.
    pub fn times(self, numerator: i64, denominator: i64) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(numerator);
        i64::try_from(divide_half_even(product, i128::from(denominator))).ok().map(Self)
    }

    /// The mean, rounded to nine places; `None` of nothing.
    pub fn mean(numbers: impl IntoIterator<Item = Self>) -> Option<Self> {
        let (sum, count) = numbers
            .into_iter()
            .fold((0_i128, 0_i128), |(sum, count), n| (sum + i128::from(n.0), count + 1));
        Self::mean_of(sum, count)
    }

    /// The mean of numbers with this sum in billionths.
    pub(crate) fn mean_of(sum: i128, count: i128) -> Option<Self> {
        if count == 0 {
            return None;
        }
        i64::try_from(divide_half_even(sum, count)).ok().map(Self)
    }
}

/// Division with a half to the even number; the divisor is positive.
fn divide_half_even(number: i128, divisor: i128) -> i128 {
    let (floor, rest) = (number.div_euclid(divisor), number.rem_euclid(divisor));
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => floor.rem_euclid(2) == 1,
    };
    floor + i128::from(up)
}

impl FromStr for Decimal {
    type Err = std::num::ParseIntError;

    /// Reads `-12.345`; more than nine places are cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let places: String = places.chars().chain(std::iter::repeat('0')).take(9).collect();
        format!("{whole}{places}").parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn numbers_become_the_decimals_that_were_meant() {
        for text in ["0.078", "35.9", "8.4", "0.1", "125.5", "4999.999999", "-0.3"] {
            let number: f64 = text.parse().expect("a number");
            assert_eq!(Decimal::from_f64(number), Some(decimal(text)), "{text}");
        }
        for bad in [f64::NAN, f64::INFINITY, 1e10] {
            assert_eq!(Decimal::from_f64(bad), None);
        }
        assert_eq!(Decimal::new(55, 3), decimal("0.055"));
    }

    #[test]
    fn a_half_goes_to_the_even_digit() {
        for (number, places, expected) in [
            ("34.5", 0, "34"),
            ("35.5", 0, "36"),
            ("35.500000001", 0, "36"),
            ("4.05", 1, "4"),
            ("4.15", 1, "4.2"),
            ("-0.5", 0, "0"),
        ] {
            assert_eq!(decimal(number).rounded(places), decimal(expected), "{number}");
        }
        assert_eq!(decimal("9.09").truncated(1), decimal("9"));
        assert_eq!(decimal("0.07853333").truncated(3), decimal("0.078"));
    }

    #[test]
    fn means_do_not_drift() {
        assert_eq!(Decimal::mean(std::iter::repeat_n(decimal("0.1"), 30)), Some(decimal("0.1")));
        assert_eq!(Decimal::mean([decimal("1"), decimal("2")]), Some(decimal("1.5")));
        assert_eq!(Decimal::mean([]), None);
    }
}
