//! The log of a shared state, on the bus.

use std::time::Duration;

use bytes::Bytes;
use city_bus::{Bus, Follow};
use city_store::{AppendError, SharedLog};

/// How long a write of the state waits for the bus: longer than an election of its leaders takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the end of a log may take to come, once it is known to be there.
const END_COMES: Duration = Duration::from_secs(10);

/// A log of the bus by its name.
#[derive(Clone, Debug)]
pub struct BusLog {
    bus: Bus,
    name: String,
}

impl BusLog {
    /// The log of this name.
    pub fn new(bus: Bus, name: impl Into<String>) -> Self {
        Self { bus, name: name.into() }
    }
}

impl SharedLog for BusLog {
    fn append(&self, after: u64, entry: &[u8]) -> Result<u64, AppendError> {
        let entry = Bytes::copy_from_slice(entry);
        self.bus.append(&self.name, after, entry, PATIENCE).map_err(|error| match error {
            city_bus::AppendError::Conflict => AppendError::Conflict,
            other => AppendError::Unavailable(other.to_string()),
        })
    }

    fn entries(&self, after: u64, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), String> {
        let end = self.bus.log_end(&self.name).map_err(|error| error.to_string())?;
        if end <= after {
            return Ok(());
        }
        let mut following = self
            .bus
            .follow(Follow::Log(self.name.clone()), after)
            .map_err(|error| error.to_string())?;
        let mut seen = after;
        while seen < end {
            let next = following.next(END_COMES).map_err(|error| error.to_string())?;
            let Some(message) = next else {
                return Err(format!("entry {end} of `{}` does not come", self.name));
            };
            each(message.number, &message.payload);
            seen = message.number;
        }
        Ok(())
    }
}
