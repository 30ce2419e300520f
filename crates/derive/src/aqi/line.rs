//! The straight line between two breakpoints, in whole numbers until it is rounded.

use crate::Decimal;

/// A piece of a table: concentrations and the indices at its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The concentrations at both ends.
    pub(super) c: [Decimal; 2],
    /// The indices at both ends.
    pub(super) i: [u32; 2],
}

impl Line {
    /// The index at a concentration, as numerator and positive denominator.
    fn at(&self, c: Decimal) -> (i128, i128) {
        let [from, to] = self.c.map(|c| i128::from(c.billionths()));
        let [low, high] = self.i.map(i128::from);
        let denominator = to - from;
        let rise = (high - low) * (i128::from(c.billionths()) - from);
        (rise + low * denominator, denominator)
    }

    /// The index, rounded up to a whole number.
    pub(super) fn rounded_up(&self, c: Decimal) -> u32 {
        let (numerator, denominator) = self.at(c);
        whole(-(-numerator).div_euclid(denominator))
    }

    /// The index, rounded to the nearest whole number, a half up.
    pub(super) fn nearest(&self, c: Decimal) -> u32 {
        let (numerator, denominator) = self.at(c);
        whole((2 * numerator + denominator).div_euclid(2 * denominator))
    }
}

/// An index is never below zero; one that no number can hold is the largest.
fn whole(index: i128) -> u32 {
    u32::try_from(index.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_exact_at_the_ends_and_at_a_half() {
        let line = Line { c: [Decimal::ZERO, Decimal::new(35, 0)], i: [0, 50] };
        // 50/35 * 35 in binary fractions can land above 50.
        assert_eq!(line.rounded_up(Decimal::new(35, 0)), 50);
        assert_eq!(line.rounded_up(Decimal::ZERO), 0);
        assert_eq!(line.rounded_up(Decimal::from_billionths(1)), 1);
        assert_eq!(line.nearest(Decimal::new(35, 2)), 1, "0.35 gives exactly 0.5");
        assert_eq!(line.nearest(Decimal::from_billionths(349_999_999)), 0);
        assert_eq!(line.nearest(Decimal::new(-5, 0)), 0, "noise below zero is clean air");
    }
}
