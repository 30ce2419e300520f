//! What a client may do: for which devices it speaks, and to which topics it publishes.

use std::sync::Arc;

use city_decode::topic::TopicFilter;
use serde::{Deserialize, Serialize};

/// For which devices a client may speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Devices {
    /// For the device that has the client's name.
    #[default]
    Own,
    /// For those with these ids, in order; the client itself is not one of them unless it is listed.
    List(Arc<[Arc<str>]>),
    /// For all.
    Any,
}

impl Devices {
    /// For those with these ids.
    pub fn list<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let mut ids: Vec<Arc<str>> = ids.into_iter().map(Into::into).collect();
        ids.sort_unstable();
        ids.dedup();
        Self::List(ids.into())
    }
}

/// The rights of a client that has proved who it is. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The client's name: a device's id, or that of a gateway or another program.
    pub name: Arc<str>,
    /// For which devices it speaks.
    pub devices: Devices,
    /// The topics that it may publish to; if empty, those whose source takes the device from the
    /// topic.
    pub publish: Arc<[TopicFilter]>,
}

/// How a client stands by its name alone, without having proved who it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// There is no client of this name.
    Unknown,
    /// There is one, and it may do nothing.
    Disabled,
    /// There is one with these rights.
    Granted(Grant),
}

/// A client that has proved who it is, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Its rights at that time.
    pub grant: Grant,
    /// The number of the credential that it showed.
    pub credential: i64,
}

impl Grant {
    /// Whether it may say something for a device: to be asked for every device that a message
    /// turns out to be about.
    pub fn speaks_for(&self, device: &str) -> bool {
        match &self.devices {
            Devices::Own => device == &*self.name,
            Devices::List(ids) => ids.binary_search_by(|id| (**id).cmp(device)).is_ok(),
            Devices::Any => true,
        }
    }

    /// Whether it may publish to a topic, also as its will; `device` is what the source's topic
    /// template takes from the topic as the device.
    ///
    /// A device in the topic must be one that it speaks for, whatever the topics say. Without
    /// topics of its own it may publish where the topic names such a device, and, if it speaks for
    /// all devices, everywhere.
    pub fn may_publish(&self, topic: &str, device: Option<&str>) -> bool {
        if device.is_some_and(|device| !self.speaks_for(device)) {
            return false;
        }
        if self.publish.is_empty() {
            return device.is_some() || self.devices == Devices::Any;
        }
        self.publish.iter().any(|filter| filter.matches(topic))
    }
}

/// The rights of a client as files, the API and the database spell them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    /// The ids of the devices that it speaks for; the client's own name if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<String>>,
    /// Whether it speaks for all devices.
    #[serde(default)]
    pub any_device: bool,
    /// The topic filters that it may publish to; if none, the topics that name its device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(devices: Devices, publish: &[&str]) -> Grant {
        let publish =
            publish.iter().map(|text| TopicFilter::parse(text).expect("a filter")).collect();
        Grant { name: "gw-1".into(), devices, publish }
    }

    #[test]
    fn a_device_publishes_where_the_topic_names_it_and_nowhere_else() {
        let own = grant(Devices::Own, &[]);
        assert!(own.may_publish("city/gw-1/up", Some("gw-1")));
        assert!(!own.may_publish("city/gw-2/up", Some("gw-2")), "that is another device");
        assert!(!own.may_publish("batch", None), "nothing says whose it is");
        assert!(!own.speaks_for("gw-10") && !own.speaks_for(""));
    }

    #[test]
    fn topics_of_its_own_widen_nothing_but_the_topic() {
        let gateway = grant(Devices::list(["b", "a", "a"]), &["gw/gw-1/#", "city/+/up"]);
        assert!(gateway.may_publish("gw/gw-1/batch", None));
        assert!(gateway.may_publish("city/a/up", Some("a")));
        assert!(!gateway.may_publish("city/c/up", Some("c")));
        assert!(!gateway.may_publish("city/a/down", Some("a")), "not one of its topics");
        assert!(gateway.speaks_for("b") && !gateway.speaks_for("gw-1"));
        assert!(grant(Devices::Any, &[]).may_publish("batch", None));
        assert!(!grant(Devices::Any, &["gw/#"]).may_publish("batch", None));
    }
}
