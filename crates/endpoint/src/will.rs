//! Publishes the wills of lost clients.

use std::sync::Arc;

use city_pipeline::RawMessage;
use tokio_util::sync::CancellationToken;

use crate::connect::Will;
use crate::server::Shared;
use crate::stats::add;

/// Hands a will to the pipeline after its delay, unless the client comes back before. At a
/// shutdown it does not wait.
pub(crate) async fn publish(
    shared: &Shared,
    will: Will,
    client: Arc<str>,
    back: &CancellationToken,
) {
    let delay = will.delay.min(shared.config.max_will_delay.to_std());
    if !delay.is_zero() {
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
        tracing::warn!(mqtt.client = &*client, %error, "the will of a lost client is dropped");
    }
}
