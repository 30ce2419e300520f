//! Publishes the wills of lost clients.

use std::sync::Arc;

use city_pipeline::RawMessage;
use tokio_util::sync::CancellationToken;

use crate::connect::Will;
use crate::server::{Share, Shared};
use crate::stats::add;

/// Wills that may wait for their delay at a time; further ones do not wait.
pub(crate) const MAX_WAITING: usize = 1_000;

/// The will of a client that is lost.
pub(crate) struct LeftWill {
    pub(crate) will: Will,
    /// The name of the client.
    pub(crate) client: Arc<str>,
    /// Cancelled when the client connects again.
    pub(crate) back: CancellationToken,
}

/// Hands a will to the pipeline after its delay, unless the client comes back before. At a
/// shutdown it does not wait. While it waits it takes no share of what there is for connections.
pub(crate) async fn publish(shared: &Shared, left: LeftWill, share: Share) {
    let LeftWill { will, client, back } = left;
    let delay = will.delay.min(shared.config.max_will_delay.to_std());
    let mut share = Some(share);
    let waits = if delay.is_zero() { None } else { shared.wills.try_acquire().ok() };
    if waits.is_some() {
        share = None;
        tokio::select! {
            () = back.cancelled() => return,
            () = shared.shutdown.cancelled() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
    add(&shared.stats.received, 1);
    add(&shared.stats.bytes, will.topic.len() + will.payload.len());
    let message = RawMessage {
        source: (shared.route)(&will.topic, Some(&client)),
        topic: will.topic,
        payload: will.payload,
        received: shared.clock.now(),
        retained: false,
        replayed: false,
        client: Some(client.clone()),
        ack: None,
    };
    if let Err(error) = shared.intake.send(vec![message]).await {
        tracing::warn!(mqtt.client = &*client, error.cause = %error, "the will of a lost client is dropped");
    }
    // Only now: wills that wait for the pipeline are bounded by one or the other.
    drop((waits, share));
}
