//! Partitions: which device belongs to which, and what they are called.

use city_bus::{Follow, Topic};

/// A share of the city's alerts that one worker looks after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// Devices by the hash of their ids, and the rules that look at one device.
    Devices(u16),
    /// Rules that look at several devices, or at other rules, over all devices.
    Spanning,
}

impl Partition {
    /// All of a city.
    pub fn all(partitions: u16) -> impl Iterator<Item = Self> {
        (0..partitions).map(Self::Devices).chain([Self::Spanning])
    }

    /// Its name: of its lease, its log and its file.
    pub fn name(self) -> String {
        match self {
            Self::Devices(number) => format!("p{number}"),
            Self::Spanning => "spanning".to_owned(),
        }
    }

    /// What it hears of.
    pub(crate) fn follow(self, partitions: u16) -> Follow {
        Follow::Topics(match self {
            Self::Devices(number) => vec![Topic::Readings(number)],
            Self::Spanning => (0..partitions).map(Topic::Readings).collect(),
        })
    }

    /// Where its alerts go: the brain takes all topics in the order of the stream.
    pub(crate) fn alerts(self) -> Topic {
        match self {
            Self::Devices(number) => Topic::Alerts(number),
            Self::Spanning => Topic::Alerts(0),
        }
    }
}

/// The partition of a device, by the CRC-32 of its id: the same on every machine and in every
/// version.
pub fn partition_of(device: &str, partitions: u16) -> u16 {
    (crc32fast::hash(device.as_bytes()) % u32::from(partitions.max(1))) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_stays_where_it_is_and_all_partitions_have_their_share() {
        assert_eq!(partition_of("air-0001", 8), 5);
        let mut counts = [0; 8];
        for number in 0..8_000 {
            counts[usize::from(partition_of(&format!("air-{number:04}"), 8))] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
