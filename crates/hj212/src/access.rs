//! Which devices may send.

use std::sync::Arc;

/// The passwords of devices.
pub trait Access: Send + Sync {
    /// Whether a device (`MN`) with this password (`PW`) may send. May take its time: called on a
    /// thread for blocking work, few at a time, and only where [`Access::known`] cannot say.
    fn may_send(&self, device: &str, password: &str) -> bool;

    /// The same at once, if it can be said without hashing a password. Called for every frame:
    /// must be quick.
    fn known(&self, device: &str, password: &str) -> Option<bool> {
        let _ = (device, password);
        None
    }

    /// What the messages of a device that may send carry as their client; the device itself, if
    /// nothing else is said.
    fn name(&self, device: &str) -> Arc<str> {
        device.into()
    }
}

/// Takes every device: for a network that is the city's alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Access for AllowAll {
    fn may_send(&self, _: &str, _: &str) -> bool {
        true
    }

    fn known(&self, _: &str, _: &str) -> Option<bool> {
        Some(true)
    }
}
