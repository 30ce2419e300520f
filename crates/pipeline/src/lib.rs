//! The stages from raw message to durable commit: decode, locate, check, commit; dead letters and
//! loss accounting; and the seam to whoever follows the committed readings.

mod ahead;
mod check;
mod commit;
mod derive;
mod intake;
mod letter;
mod locate;
mod names;
mod pipeline;
mod process;
mod provision;
mod push;
mod redelivery;
mod seam;
mod source;
mod status;

pub use derive::DERIVED_SOURCE;
pub use intake::{
    Ack, AckSink, Delivery, Intake, IntakeClosed, Limits, Pending, RawMessage, Received, Report,
    SourceKey, intake,
};
pub use locate::{Located, Locator};
pub use pipeline::{Monitor, Pipeline, PipelineParts, ReplayError, Replayer, StartError};
pub use process::TimePolicy;
pub use push::{Push, PushError, Pushed, PushedLetter, Pusher};
pub use seam::{Committed, Downlink, Everybody, Follower, NoCodecs, NoDownlink, Speakers};
pub use source::{Source, SourceError, SourceProblem, SourceSpec, Sources, UnknownDevices};
pub use status::PipelineStatus;
