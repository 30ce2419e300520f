//! Readings: values of series at event times.

use serde::{Deserialize, Serialize};

use crate::{DeviceKey, MetricKey, Position, Quality, Timestamp, Value, ZoneSet};

/// A series: one metric of one device.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SeriesKey {
    /// The device.
    pub device: DeviceKey,
    /// The metric.
    pub metric: MetricKey,
}

/// What is special about a reading, as a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marks(u8);

impl Marks {
    /// Nothing special.
    pub const NONE: Self = Self(0);
    /// Simulated or test data: alerts from it are marked and reach no outside receiver.
    pub const SIMULATED: Self = Self(1);
    /// Delivered from the broker's retained store: stored, but no news.
    pub const RETAINED: Self = Self(1 << 1);
    /// The event time is further in the future than is tolerated: flagged, never evaluated.
    pub const FUTURE: Self = Self(1 << 2);
    /// The message carried no event time: the received time stands in.
    pub const UNTIMED: Self = Self(1 << 3);
    /// The position was swapped, implausible or unusable, and is not trusted.
    pub const BAD_POSITION: Self = Self(1 << 4);
    /// Computed here from other readings, not sent by the device: no sign of life of it.
    pub const DERIVED: Self = Self(1 << 5);

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From bits, as written by [`Marks::bits`].
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether all of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A value of a series at an event time. (series, event time) is its identity: a second reading
/// with the same pair is a redelivery or a correction, never a second fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Whose and of what.
    pub series: SeriesKey,
    /// When it was measured.
    pub time: Timestamp,
    /// When it reached us.
    pub received: Timestamp,
    /// What was measured, in the metric's unit.
    pub value: Value,
    /// How far it can be trusted.
    pub quality: Quality,
    /// What is special about it.
    pub marks: Marks,
    /// Where a moving device was; `None` for devices that stand still.
    pub position: Option<Position>,
    /// The zones that it counts for.
    pub zones: ZoneSet,
}
