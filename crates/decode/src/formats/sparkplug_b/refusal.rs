//! Why a message is refused, and what can be done about it.

use super::host::Full;
use super::topic::Address;
use super::wire::Bad;
use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::limits;

pub(super) fn no_birth(address: Address<'_>, what: &str) -> DecodeError {
    let Address { group, edge, device } = address;
    let of = device.map(|device| format!("device {device} of ")).unwrap_or_default();
    DecodeError::new(
        DecodeErrorKind::NoBirth,
        At::Message,
        format!(
            "{what}; the birth certificate of {of}edge node {group}/{edge} does not say it, or is not known"
        ),
        "the edge node was asked for a new birth; once it is there, replay this message. If none \
         comes, see whether we may publish to spBv1.0/+/NCMD/+ there",
    )
}

/// A replayed message whose aliases were those of another birth than the one that is known.
pub(super) fn other_birth(address: Address<'_>) -> DecodeError {
    let Address { group, edge, device } = address;
    let of = device.map(|device| format!("device {device} of ")).unwrap_or_default();
    DecodeError::new(
        DecodeErrorKind::NoBirth,
        At::Message,
        format!(
            "what the aliases of {of}edge node {group}/{edge} meant when this message arrived is not \
             known any more: since then we were restarted, it died, or it was born more than once"
        ),
        "this message cannot be replayed; today's aliases could give its values to other metrics",
    )
}

pub(super) fn full(_: Full) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::TooManyValues,
        At::Message,
        "there are more edge nodes or metrics than this source keeps",
        "raise the source's options max_nodes and max_metrics, then ask for new births",
    )
}

pub(super) fn not_a_topic(topic: &str, why: &str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::WrongShape,
        At::Message,
        format!("`{}` is no topic of Sparkplug B: {why}", quote(topic)),
        "a source of this format has the topic spBv1.0/#",
    )
}

pub(super) fn not_a_payload(bad: Bad) -> DecodeError {
    let message = match bad {
        Bad::TooMany => return limits::too_many(),
        Bad::Syntax => "the payload is not one of Sparkplug B (protocol buffers)",
        Bad::Text => "a text in the payload is not UTF-8",
    };
    DecodeError::new(
        DecodeErrorKind::Malformed,
        At::Message,
        message,
        "check that the sender speaks Sparkplug B, not Sparkplug A or JSON",
    )
}
