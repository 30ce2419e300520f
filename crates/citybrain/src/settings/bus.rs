//! The bus between the processes of a city that runs on several machines.

use city_bus::BusConfig;
use city_model::Span;
use serde::Deserialize;

use super::{Problem, Settings};

/// The bus, and what this process is on it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusSettings {
    /// This process's name, unlike that of any other on the bus.
    pub node: String,
    /// Where other brains reach this one's HTTP side, if it is not `http.listen`.
    #[serde(default)]
    pub advertise: Option<String>,
    /// After how long without a sign of life others take over what a process was doing.
    #[serde(default = "lease")]
    pub lease: Span,
    /// The servers, and what they keep.
    #[serde(default)]
    pub nats: BusConfig,
}

fn lease() -> Span {
    Span::from_secs(10)
}

impl BusSettings {
    /// Notes everything that cannot work.
    pub(crate) fn check(&self, problems: &mut Vec<Problem>) {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.node.is_empty() || self.node.len() > 64 || !self.node.chars().all(fits) {
            let hint =
                "write a short name of letters, digits, `-`, `_` and `.`, such as the machine's";
            problems.push(Problem::new("bus.node", "it cannot be a name on the bus", hint));
        }
        if self.lease < Span::from_secs(1) || self.lease > Span::from_mins(5) {
            let hint =
                "write from 1s to 5m; below 10s the loss of a NATS server can cost leases, too";
            problems.push(Problem::new("bus.lease", format!("{} cannot work", self.lease), hint));
        }
        if let Err(error) = self.nats.check() {
            let hint = "see [bus.nats] of `citybrain config example`";
            problems.push(Problem::new("bus.nats", error.to_string(), hint));
        }
    }
}

/// What one process alone can do, and several cannot.
pub(crate) fn check_roles(settings: &Settings, problems: &mut Vec<Problem>) {
    if !settings.derived.aqi.is_empty() {
        let hint = "leave [[derived.aqi]] out, or let one process do everything; rules of the kind \
                    aqi work on a bus";
        problems.push(Problem::new(
            "derived.aqi",
            "air quality indices are derived where all readings of a device pass, which no process \
             on a bus is sure of",
            hint,
        ));
    }
}
