//! What is only counted in memory, written down now and then and at the end.

use std::sync::Arc;
use std::time::Duration;

use city_registry::credentials::Credentials;
use city_registry::{Registry, RegistryError};
use tokio_util::sync::CancellationToken;

/// How much of the counting a crash may lose.
const SAVE_EVERY: Duration = Duration::from_mins(1);

/// Keeps what was seen of unknown devices and metrics, and when credentials were used, until it is
/// told to stop.
pub(crate) async fn save_seen(
    registry: Arc<Registry>,
    clients: Arc<Credentials>,
    stop: CancellationToken,
) {
    loop {
        let stopping = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(SAVE_EVERY) => false,
        };
        let (registry, clients) = (registry.clone(), clients.clone());
        let saved = tokio::task::spawn_blocking(move || {
            registry.save_seen()?;
            clients.save_uses()?;
            Ok::<_, RegistryError>(())
        })
        .await;
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(error.cause = %error, "what was counted could not be written down");
            }
            Err(error) => {
                tracing::error!(error.cause = %error, "writing down what was counted panicked");
            }
        }
        if stopping {
            return;
        }
    }
}
