//! Small adapters between crates that do not know each other.

use std::sync::Arc;

use city_endpoint::Route;
use city_pipeline::{Monitor, Replayer, SourceKey, Sources};

/// Routes topics of one broker, or of the embedded endpoint, to sources.
pub struct TopicRoute {
    /// The sources.
    pub sources: Arc<Sources>,
    /// The broker's name; `None` for the embedded endpoint.
    pub broker: Option<String>,
}

impl Route for TopicRoute {
    fn source(&self, topic: &str, _client: Option<&str>) -> Option<SourceKey> {
        self.sources.route(self.broker.as_deref(), topic)
    }
}

/// What the brain may ask of the pipeline.
pub struct Ingest {
    /// Tells how it is doing.
    pub monitor: Monitor,
    /// Replays dead letters.
    pub replayer: Replayer,
    /// The sources.
    pub sources: Arc<Sources>,
}
