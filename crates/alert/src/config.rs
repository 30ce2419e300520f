//! Receivers as configuration describes them.

use serde::{Deserialize, Serialize};

/// Where alert events are pushed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    /// Its id: in the outbox, the metrics and the status page.
    pub id: String,
    /// The kind of receiver, by name: `webhook`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The least severity that it wants.
    #[serde(default = "lowest")]
    pub severity: city_model::Severity,
    /// Whether it belongs to this instance. Alerts from simulated or test data are sent to
    /// receivers inside only.
    #[serde(skip)]
    pub inside: bool,
    /// Options of the kind.
    #[serde(default)]
    pub options: serde_json::Value,
}

fn lowest() -> city_model::Severity {
    city_model::Severity::Low
}
