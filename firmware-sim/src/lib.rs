//! A simulated city: devices that behave like firmware and talk real MQTT, and recorded data sets
//! that are sent again the same way.
//!
//! Everything that a device would do is done here with code of its own, encoders included, so that
//! the platform is tested by somebody who does not share its mistakes.
//!
//! - [`Scenario`] describes a city: how many devices of which kind, in which format, how often,
//!   and what goes wrong when.
//! - [`Fleet`] is the city made from it: a pure function of (seed, device, time) gives every value,
//!   so history can be written as well as the present. [`Fleet::truth`] says what really happens:
//!   incidents in the city, and faults of the devices.
//! - [`Runner`] publishes a fleet over a handful of MQTT connections at QoS 1: first some history
//!   as store-and-forward batches, then live.
//! - [`Load`] publishes at a wanted rate and measures how late acknowledgements come.
//! - [`replay`] publishes recorded rows with their event times, at any speed.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use firmware_sim::{Clock, Fleet, Runner, Scenario, Target};
//! use tokio_util::sync::CancellationToken;
//!
//! let clock = Clock::wall();
//! let zones = std::fs::read_to_string("zones.geojson")?;
//! let fleet = Arc::new(Fleet::new(&Scenario::chicago(), &zones, clock.now())?);
//! let registry = serde_json::to_string(fleet.devices())?;
//! // … import `registry`, then:
//! let runner = Runner::new(fleet, Target::new("127.0.0.1", 1883)).clock(clock);
//! let counters = runner.counters();
//! let report = runner.run(CancellationToken::new()).await;
//! println!("{} of {} messages acknowledged", report.acknowledged, counters.snapshot().published);
//! # drop(registry); Ok(())
//! # }
//! ```

mod build;
mod city;
mod clock;
mod device;
mod error;
mod fault;
mod fleet;
mod formats;
mod incident;
mod kinds;
mod load;
mod mqtt;
mod noise;
#[cfg(test)]
mod rehearsal;
pub mod replay;
mod route;
mod run;
mod scenario;
mod sends;
mod span;
mod text;
mod zones;

pub use clock::Clock;
pub use device::{Attribute, DeclaredPosition, DeviceSpec, Label};
pub use error::SimError;
pub use fault::{Fault, FaultKind};
pub use fleet::{Fleet, Truth};
pub use formats::{Encoder, FORMATS, Record, Uplink, Via, format};
pub use incident::{Incident, IncidentKind};
pub use kinds::{KINDS, Kind, Moment, Sample, Seed, Value};
pub use load::{Delays, Load, LoadReport};
pub use mqtt::{Counters, Credentials, Snapshot, Target};
pub use run::{Report, Runner};
pub use scenario::{Backfill, Climate, DeviceGroup, FaultPlan, IncidentPlan, Repeat, Scenario};
pub use sends::{Sends, Sent};
pub use span::Span;
pub use text::LocalText;
