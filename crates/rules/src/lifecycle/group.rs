//! What alerts have in common: where they are and what made them, for groups in a flood.

use std::sync::Arc;

use city_model::Alert;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::Place;

/// What made an alert, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Cause {
    /// Something is wrong with the gateway through which its device sends.
    Gateway {
        /// The gateway's id.
        id: Arc<str>,
    },
    /// Nothing but what its rule looks for.
    Rule {
        /// The rule's id.
        id: Arc<str>,
    },
}

impl Cause {
    /// The id of the gateway or rule.
    pub fn id(&self) -> &Arc<str> {
        match self {
            Self::Gateway { id } | Self::Rule { id } => id,
        }
    }
}

/// Where alerts are and what made them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// The zone that they are about, or the smallest that they lie in.
    pub zone: Option<Arc<str>>,
    /// What made them.
    pub cause: Cause,
}

impl Group {
    /// The group of an alert.
    pub fn of(alert: &Alert, place: &Place, troubled: &Troubled) -> Self {
        let gateway = place.gateway.clone().filter(|gateway| troubled.has(gateway));
        let cause = gateway
            .map_or_else(|| Cause::Rule { id: alert.rule.id.clone() }, |id| Cause::Gateway { id });
        Self { zone: place.zone.clone(), cause }
    }
}

/// The devices about which alerts fire.
#[derive(Clone, Debug, Default)]
pub struct Troubled(FxHashMap<Arc<str>, FxHashSet<Arc<str>>>);

impl Troubled {
    /// Takes an alert as it is now.
    pub fn take(&mut self, alert: &Alert) {
        let Some(device) = alert.subject.device() else { return };
        if alert.resolved_at.is_none() {
            self.0.entry(device.clone()).or_default().insert(alert.id.clone());
        } else if let Some(alerts) = self.0.get_mut(device) {
            alerts.remove(&alert.id);
            if alerts.is_empty() {
                self.0.remove(device);
            }
        }
    }

    /// Whether an alert about a device fires.
    pub fn has(&self, device: &str) -> bool {
        self.0.contains_key(device)
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Subject, Timestamp};

    use super::super::matcher::tests::alert;
    use super::*;

    #[test]
    fn a_gateway_is_the_cause_while_something_is_wrong_with_it() {
        let mut dark = alert("dark");
        dark.subject = Subject::Device { device: "gw".into() };
        let place = Place { zone: Some("pier".into()), gateway: Some("gw".into()) };
        let mut troubled = Troubled::default();
        let cause = |troubled: &Troubled| Group::of(&alert("1"), &place, troubled).cause;
        let rule = Cause::Rule { id: "pm25-high".into() };
        assert_eq!(cause(&troubled), rule);
        troubled.take(&dark);
        troubled.take(&dark);
        assert_eq!(cause(&troubled), Cause::Gateway { id: "gw".into() });
        troubled.take(&Alert { resolved_at: Some(Timestamp::from_secs(1)), ..dark });
        assert_eq!(cause(&troubled), rule);
    }
}
