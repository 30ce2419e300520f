//! Which clients may speak for which devices: those that their credentials name.

use std::sync::Arc;

use city_pipeline::Speakers;
use city_registry::credentials::Credentials;

/// Asks the credentials. A client without any, which came in where none are asked for, speaks for
/// whatever it likes.
pub struct ByCredentials(pub Arc<Credentials>);

impl Speakers for ByCredentials {
    fn may_speak(&self, client: &str, device: &str) -> bool {
        self.0.grant(client).is_none_or(|grant| grant.speaks_for(device))
    }
}
