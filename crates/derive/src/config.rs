//! What a configuration can say about indices.

use serde::{Deserialize, Serialize};

/// One standard and the devices that it is computed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AqiConfig {
    /// The id of a standard, one of [`crate::STANDARDS`].
    pub standard: String,
    /// The kinds of device whose readings are taken, such as `air_station`.
    pub kinds: Vec<String>,
}
