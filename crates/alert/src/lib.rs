//! Rules on the live stream: the engine's thread, its durable state, the outbox, and the
//! delivery of alert events to receivers.

mod config;
mod engine;
mod gate;
mod notifier;
mod outbox;
mod receivers;
mod route;
mod state;
mod told;

pub use config::{CityFacts, PlaceBook, ReceiverConfig};
pub use engine::{
    Engine, EngineError, EngineHandle, EngineParts, EngineStatus, LowWater, Recovered, Share,
};
pub use gate::GateParts;
pub use notifier::{Failure, Notifier, NotifierError, ReceiverReport, ReceiverStatus};
pub use outbox::Outbox;
pub use receivers::{
    Delivering, Delivery, DeliveryError, Limits, RECEIVERS, Receiver, ReceiverKind, TrialError,
    plain_client,
};
pub use route::{LabelValues, Route};
pub use state::make_tables;
