//! What the Chinese standards have in common: one scale for all pollutants, sub-indices rounded
//! up.

use super::line::Line;
use super::{Category, Concentrations, Period, Unit};
use crate::{Decimal, Pollutant};

/// The sub-indices (IAQI) at the limits of every table.
const SCALE: [u32; 8] = [0, 50, 100, 150, 200, 300, 400, 500];

/// HJ 633-2026 and HJ 633-2012, table of the levels (级别) of the index.
pub(super) const CATEGORIES: &[Category] = &[
    Category { id: "excellent", names: ["Excellent", "优"], above: 0 },
    Category { id: "good", names: ["Good", "良"], above: 50 },
    Category { id: "lightly_polluted", names: ["Lightly polluted", "轻度污染"], above: 100 },
    Category {
        id: "moderately_polluted", names: ["Moderately polluted", "中度污染"], above: 150
    },
    Category { id: "heavily_polluted", names: ["Heavily polluted", "重度污染"], above: 200 },
    Category { id: "severely_polluted", names: ["Severely polluted", "严重污染"], above: 300 },
];

/// A column of the table of limits: µg/m³, for CO mg/m³.
pub(super) struct Column {
    pub(super) pollutant: Pollutant,
    pub(super) period: Period,
    /// Limits at [`SCALE`], as far as the standard has them.
    pub(super) limits: &'static [i64],
    /// The sub-index above the last limit; `None` if another mean must be taken.
    pub(super) above: Option<u32>,
}

/// A column whose scale goes to its end; what lies above has the highest index.
pub(super) const fn full(pollutant: Pollutant, period: Period, limits: &'static [i64]) -> Column {
    Column { pollutant, period, limits, above: Some(500) }
}

pub(super) fn unit(pollutant: Pollutant) -> Unit {
    match pollutant {
        Pollutant::Co => Unit::MilligramsPerM3,
        _ => Unit::MicrogramsPerM3,
    }
}

/// The sub-index of a pollutant: the highest that its means give.
pub(super) fn sub_index(
    table: &[Column],
    pollutant: Pollutant,
    concentrations: &Concentrations,
) -> Option<u32> {
    table
        .iter()
        .filter(|column| column.pollutant == pollutant)
        .filter_map(|column| column.sub_index(concentrations.get(pollutant, column.period)?))
        .max()
}

impl Column {
    fn sub_index(&self, mean: Decimal) -> Option<u32> {
        let places = u32::from(self.pollutant == Pollutant::Co);
        let mean = mean.rounded(places);
        let limit = |at: usize| Decimal::new(self.limits[at], 0);
        let upper = (1..self.limits.len()).find(|upper| mean <= limit(*upper));
        let Some(upper) = upper else { return self.above };
        let line =
            Line { c: [limit(upper - 1), limit(upper)], i: [SCALE[upper - 1], SCALE[upper]] };
        Some(line.rounded_up(mean))
    }
}
