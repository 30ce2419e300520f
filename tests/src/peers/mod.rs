//! Other people's alerting on the same readings: Prometheus with Alertmanager, and vmalert.

pub mod hook;
pub mod promtool;
pub mod scenario;
pub mod server;
pub mod vmalert;

use std::collections::BTreeMap;

/// A rule and what its alert is about: a device or a zone.
pub type Subject = (String, String);

/// When an alert fired, in seconds after the scenario began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The first instant at which it fires.
    pub from: i64,
    /// The first instant at which it does not any more; `None` if it fires at the end.
    pub to: Option<i64>,
}

/// All alerts by rule and subject, in order of time.
pub type Firings = BTreeMap<Subject, Vec<Firing>>;

/// Alerts out of the instants at which they were seen firing, evaluated every `step` seconds before
/// `end`.
pub fn firings_of(seen: &BTreeMap<Subject, Vec<i64>>, step: i64, end: i64) -> Firings {
    let of = |times: &Vec<i64>| {
        let mut firings: Vec<Firing> = Vec::new();
        for time in times {
            let next = Some(time + step).filter(|next| *next < end);
            match firings.last_mut() {
                Some(last) if last.to == Some(*time) => last.to = next,
                _ => firings.push(Firing { from: *time, to: next }),
            }
        }
        firings
    };
    seen.iter().map(|(subject, times)| (subject.clone(), of(times))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_become_alerts() {
        let subject = ("rule".to_owned(), "device".to_owned());
        let seen = BTreeMap::from([(subject.clone(), vec![15, 30, 60, 90, 105])]);
        let firings = firings_of(&seen, 15, 120);
        let of = |from, to| Firing { from, to };
        assert_eq!(firings[&subject], [of(15, Some(45)), of(60, Some(75)), of(90, None)]);
    }
}
