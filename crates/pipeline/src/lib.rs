//! The stages from raw message to durable commit: decode, locate, check, commit; dead letters and
//! loss accounting; and the seam to whoever follows the committed readings.

mod intake;
mod seam;

pub use intake::{
    Ack, AckSink, Intake, IntakeClosed, Limits, Pending, RawMessage, Received, SourceKey, intake,
};
pub use seam::{Committed, Follower};
