//! Rules on the live stream: the engine's thread, its durable state, the outbox, and the
//! delivery of alert events to receivers.

mod config;
mod engine;
mod gate;
mod notifier;
mod outbox;
mod receivers;
mod state;

pub use config::{CityFacts, ReceiverConfig};
pub use engine::{
    Engine, EngineError, EngineHandle, EngineParts, EngineStatus, LowWater, Recovered,
};
pub use gate::GateParts;
pub use notifier::{Notifier, ReceiverStatus};
pub use outbox::Outbox;
pub use receivers::{
    Delivering, Delivery, DeliveryError, Limits, RECEIVERS, Receiver, ReceiverKind, TrialError,
    plain_client,
};
