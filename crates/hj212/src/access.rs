//! Which devices may send.

/// The passwords of devices.
pub trait Access: Send + Sync {
    /// Whether a device (`MN`) with this password (`PW`) may send. Called for every frame: must be
    /// quick.
    fn may_send(&self, device: &str, password: &str) -> bool;
}

/// Takes every device: for a network that is the city's alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Access for AllowAll {
    fn may_send(&self, _: &str, _: &str) -> bool {
        true
    }
}
