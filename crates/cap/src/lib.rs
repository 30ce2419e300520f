//! Alerts in the Common Alerting Protocol, version 1.2 (OASIS Standard, 1 July 2010,
//! <https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html>), and an Atom feed of them.
//!
//! Pure: an event, who speaks, what was said before and where things are go in, XML comes out; the
//! same for the same.
//!
//! # How an alert becomes messages
//!
//! Each event is a message of its own; its `identifier` is the alert's id and the number of the event,
//! as in its idempotency key (and the receiver's id, where messages go to one receiver, because what that one was told decides
//! what the message refers to). The first message is an `Alert`, those that follow are an `Update`, the
//! end is a `Cancel`, and each refers to all before it.
//!
//! | here | CAP |
//! |---|---|
//! | critical, high, medium, low | severity Extreme, Severe, Moderate, Minor |
//! | fires as critical or high; as medium or low; is over | urgency Immediate; Expected; Past |
//! | ended without a reading that cleared it | urgency Unknown, no response type AllClear |
//! | what was measured | certainty Observed |
//! | simulated data; a test of a receiver | status Exercise; Test |
//!
//! The labels `cap_category`, `cap_urgency` and `cap_certainty` of a rule say otherwise, if they are
//! words of CAP.

mod area;
mod feed;
mod issuer;
mod message;
mod words;
mod xml;

pub use area::Places;
pub use feed::{Entry, feed};
pub use issuer::{Issuer, IssuerConfig, Scope};
pub use message::{Earlier, Message, message};

/// The media type of a message.
pub const MEDIA_TYPE: &str = "application/cap+xml";
