//! The names of streams and subjects.

use crate::BusError;

/// What a message is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// The readings of a partition.
    Readings(u16),
    /// What could not be read, in the stream of the readings.
    Letters,
    /// The alerts of a partition of the readings.
    Alerts(u16),
}

/// The names that begin with one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Readings,
    State,
    Alerts,
    Images,
    Leases,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// A stream's name.
    pub(crate) fn stream(&self, part: Part) -> String {
        let prefix = &self.prefix;
        match part {
            Part::Readings => format!("{prefix}_readings"),
            Part::State => format!("{prefix}_state"),
            Part::Alerts => format!("{prefix}_alerts"),
            Part::Images => format!("{prefix}_images"),
            // As the key-value stores of NATS are named, so that its tools show it as one.
            Part::Leases => format!("KV_{prefix}_leases"),
        }
    }

    /// What matches all subjects of a stream.
    pub(crate) fn all(&self, part: Part) -> String {
        let prefix = &self.prefix;
        match part {
            Part::Readings => format!("{prefix}.readings.*"),
            Part::State => format!("{prefix}.state.*"),
            Part::Alerts => format!("{prefix}.alerts.*"),
            Part::Images => format!("{prefix}.images.>"),
            Part::Leases => format!("$KV.{prefix}_leases.>"),
        }
    }

    pub(crate) fn topic(&self, topic: Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::Readings(partition) => format!("{prefix}.readings.{partition}"),
            Topic::Letters => format!("{prefix}.readings.letters"),
            Topic::Alerts(partition) => format!("{prefix}.alerts.{partition}"),
        }
    }

    pub(crate) fn log(&self, log: &str) -> String {
        format!("{}.state.{log}", self.prefix)
    }

    /// The beginning of the subjects of a log's images; a number and a unique name follow.
    pub(crate) fn images(&self, log: &str) -> String {
        format!("{}.images.{log}.", self.prefix)
    }

    /// The subject of a key of the leases.
    pub(crate) fn key(&self, key: &str) -> String {
        format!("$KV.{}_leases.{key}", self.prefix)
    }

    /// The topic of a subject.
    pub(crate) fn read_topic(&self, subject: &str) -> Option<Topic> {
        let rest = subject.strip_prefix(&self.prefix)?.strip_prefix('.')?;
        match rest.split_once('.')? {
            ("readings", "letters") => Some(Topic::Letters),
            ("readings", partition) => partition.parse().ok().map(Topic::Readings),
            ("alerts", partition) => partition.parse().ok().map(Topic::Alerts),
            _ => None,
        }
    }
}

impl Topic {
    pub(crate) fn part(self) -> Part {
        match self {
            Self::Readings(_) | Self::Letters => Part::Readings,
            Self::Alerts(_) => Part::Alerts,
        }
    }

    pub(crate) fn check(self, partitions: u16) -> Result<(), BusError> {
        match self {
            Self::Readings(partition) | Self::Alerts(partition) if partition >= partitions => {
                Err(BusError::Partition { partition, partitions })
            }
            _ => Ok(()),
        }
    }
}

/// Whether a text can be one part of a subject.
pub(crate) fn is_token(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.len() <= 128 && text.chars().all(good)
}

pub(crate) fn token<'a>(what: &'static str, name: &'a str) -> Result<&'a str, BusError> {
    is_token(name).then_some(name).ok_or_else(|| BusError::Name { what, name: name.to_owned() })
}

/// As [`token`], but with dots inside, such as those of host names.
pub(crate) fn dotted<'a>(what: &'static str, name: &'a str) -> Result<&'a str, BusError> {
    let good = name.len() <= 128 && name.split('.').all(is_token);
    good.then_some(name).ok_or_else(|| BusError::Name { what, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_back_from_its_subject() {
        let names = Names::new("city");
        for topic in [Topic::Readings(0), Topic::Readings(41), Topic::Letters, Topic::Alerts(7)] {
            assert_eq!(names.read_topic(&names.topic(topic)), Some(topic));
        }
        for other in ["city.state.x", "town.readings.1", "city.readings.x", "city.readings"] {
            assert_eq!(names.read_topic(other), None, "{other}");
        }
    }

    #[test]
    fn names_keep_to_what_subjects_allow() {
        assert!(is_token("alerts-3_b"));
        for bad in ["", "a.b", "a b", "*", ">", "ä", &"x".repeat(129)] {
            assert!(!is_token(bad), "{bad}");
        }
        assert!(dotted("node", "node1.city.example").is_ok());
        assert!(dotted("node", "node1..example").is_err());
    }
}
