//! The STATE of a Sparkplug host application: edge nodes look at it to see whether we listen
//! (Sparkplug 3.0, clauses 4.6 and 5.3).
//!
//! The will says that we are offline, with the time of the connect; once all is subscribed, our
//! own STATE too, we publish that we are online, with the same time. Whoever says otherwise is
//! contradicted. Before each goodbye we publish that we are offline.

use city_model::Timestamp;
use serde::{Deserialize, Serialize};

/// The STATE message of one connection.
#[derive(Debug)]
pub(crate) struct Host {
    topic: String,
    /// When the connection was begun, in milliseconds since 1970: of the will and of the birth.
    since: i64,
    /// Whether we said that we are online.
    born: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    online: bool,
    timestamp: i64,
}

impl Host {
    /// The host with this id, about to connect.
    pub(crate) fn new(id: &str, now: Timestamp) -> Self {
        Self { topic: topic(id), since: now.millis(), born: false }
    }

    /// The topic of the state.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// What the broker is to say for us when we are gone without a goodbye.
    pub(crate) fn will(&self) -> Vec<u8> {
        encode(false, self.since)
    }

    /// Everything is subscribed: what to publish, once.
    pub(crate) fn birth(&mut self) -> Option<Vec<u8>> {
        let first = !std::mem::replace(&mut self.born, true);
        first.then(|| encode(true, self.since))
    }

    /// Somebody has said this about us: what to publish against it. What is older than our birth,
    /// such as our own last goodbye, comes before it and says nothing.
    pub(crate) fn contradict(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let state: State = serde_json::from_slice(payload).ok()?;
        (self.born && !state.online).then(|| encode(true, self.since))
    }

    /// What to publish before a goodbye.
    pub(crate) fn farewell(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        std::mem::replace(&mut self.born, false).then(|| encode(false, now.millis()))
    }
}

/// The topic of a host's state.
pub(crate) fn topic(id: &str) -> String {
    format!("spBv1.0/STATE/{id}")
}

fn encode(online: bool, timestamp: i64) -> Vec<u8> {
    // Two plain fields cannot fail to be written.
    serde_json::to_vec(&State { online, timestamp }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: Option<Vec<u8>>) -> Option<String> {
        payload.map(|payload| String::from_utf8(payload).expect("text"))
    }

    #[test]
    fn the_state_is_as_the_specification_writes_it() {
        let mut host = Host::new("host1", Timestamp::from_millis(1_668_114_759_262));
        assert_eq!(host.topic(), "spBv1.0/STATE/host1");
        let online = r#"{"online":true,"timestamp":1668114759262}"#;
        let offline = r#"{"online":false,"timestamp":1668114759262}"#;
        assert_eq!(text(Some(host.will())).as_deref(), Some(offline));
        assert_eq!(host.contradict(offline.as_bytes()), None, "not born yet");
        assert_eq!(host.farewell(Timestamp::from_millis(5)), None);
        assert_eq!(text(host.birth()).as_deref(), Some(online));
        assert_eq!(host.birth(), None);
        assert_eq!(text(host.contradict(offline.as_bytes())).as_deref(), Some(online));
        assert_eq!(host.contradict(online.as_bytes()), None);
        assert_eq!(host.contradict(b"OFFLINE"), None);
        let farewell = text(host.farewell(Timestamp::from_millis(1_668_114_759_999)));
        assert_eq!(farewell.as_deref(), Some(r#"{"online":false,"timestamp":1668114759999}"#));
        assert_eq!(host.contradict(offline.as_bytes()), None, "we said so ourselves");
    }
}
