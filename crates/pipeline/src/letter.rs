//! Dead letters: why a message, or a part of it, could not become readings.

use city_decode::{DecodeError, DecodeErrorKind};
use city_model::unit::UnitError;
use city_model::{DeviceKey, Span, Timestamp};
use city_store::NewDeadLetter;

use crate::RawMessage;

/// A reason with what a person needs to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// A stable code.
    pub(crate) code: &'static str,
    /// What is wrong and where.
    pub(crate) detail: String,
    /// How to mend it.
    pub(crate) hint: String,
}

impl Reason {
    /// The code of [`Reason::garbage`], by which it is known when it is replayed.
    pub(crate) const GARBAGE: &'static str = "garbage";

    fn new(code: &'static str, detail: String, hint: impl Into<String>) -> Self {
        Self { code, detail, hint: hint.into() }
    }

    pub(crate) fn no_source(topic: &str) -> Self {
        Self::new(
            "no_source",
            format!("no source wants the topic `{topic}`"),
            "add a [[source]] whose topic template fits it, then replay",
        )
    }

    pub(crate) fn decode(error: &DecodeError) -> Self {
        Self::new(error.kind.code(), error.detail(), error.hint.to_string())
    }

    /// A message of `size` bytes of which only the first `kept` were taken.
    pub(crate) fn cut(size: usize, kept: usize) -> Self {
        Self::new(
            DecodeErrorKind::TooLarge.code(),
            format!(
                "the message has {size} bytes, more than its connection takes; the first {kept} \
                 are kept here"
            ),
            "send smaller messages, or raise the broker's connect.max_packet_size",
        )
    }

    /// Bytes in which a connection found no message.
    pub(crate) fn garbage(size: usize) -> Self {
        Self::new(
            Self::GARBAGE,
            format!("{size} bytes came that belong to no message of this source's protocol"),
            "check the line to the device, and that nothing else calls the listener",
        )
    }

    pub(crate) fn no_device() -> Self {
        Self::new(
            "no_device",
            "neither the payload nor the topic says which device sent it".to_owned(),
            "name the device's field in the source's options, or put {device} into its topic template",
        )
    }

    pub(crate) fn bad_device(id: &str, why: &str) -> Self {
        Self::new(
            "bad_device",
            format!("`{}` cannot be a device's id: {why}", id.escape_debug()),
            "mend the device's configuration, or the field that the source takes the id from",
        )
    }

    pub(crate) fn not_its_device(client: &str, id: &str) -> Self {
        Self::new(
            "not_its_device",
            format!("client `{client}` may not send readings of device `{id}`"),
            "if it speaks for this device, list the device in the client's credentials, then replay; \
             if not, find out who uses its credentials",
        )
    }

    pub(crate) fn unknown_device(id: &str, source: &str) -> Self {
        Self::new(
            "unknown_device",
            format!("device `{id}` is not registered"),
            format!(
                "accept it (citybrain devices accept ID), or import it and replay; or let source \
                 `{source}` register such devices ([[source.provisioning]], or \
                 unknown_devices = \"register\")"
            ),
        )
    }

    /// As [`Reason::unknown_device`], of a device that its source would have registered.
    pub(crate) fn full(id: &str, why: &city_registry::NotRegistered) -> Self {
        Self::new(
            "unknown_device",
            format!("device `{id}` is not registered, and cannot register by calling: {why}"),
            "if they are all real, raise the source's max_registered or import them; then replay. \
             If not, find out who makes up ids",
        )
    }

    pub(crate) fn unit(metric: &str, error: &UnitError) -> Self {
        Self::new(
            "bad_unit",
            format!("metric `{metric}`: {error}"),
            "correct the unit in the source's options (metrics or values), then replay",
        )
    }

    pub(crate) fn no_metric(name: &str) -> Self {
        Self::new(
            "no_metric",
            format!("metric `{name}` could not be registered"),
            "try again; if it stays, restart citybrain and look at its log",
        )
    }

    /// A message has more new names than one may bring.
    pub(crate) fn many_names(name: &str, most: usize) -> Self {
        Self::new(
            "no_metric",
            format!(
                "metric `{name}` is not in the catalogue, and the message has brought {most} new \
                 names already"
            ),
            "if a value stands in the names, mend the device or the source's options; if they are \
             all real, describe them in the file of city.metrics, or replay this once more for each \
             further part of them",
        )
    }

    /// A source has brought more new names than it may.
    pub(crate) fn too_many_names(name: &str, why: &city_registry::NotAdded) -> Self {
        Self::new(
            "no_metric",
            format!("metric `{name}` is not in the catalogue, and cannot be added: {why}"),
            "if the names are all real, raise the source's max_metrics, map them, or describe them \
             in the file of city.metrics; then replay. If not, find out who makes up names",
        )
    }

    pub(crate) fn absurd_time(time: Timestamp, ahead: Span) -> Self {
        Self::new(
            "absurd_time",
            format!(
                "the event time {time} cannot be: it is before 2000 or {ahead} or more ahead of the clock"
            ),
            "set the device's clock; check the source's time option (seconds or milliseconds?), then replay",
        )
    }

    pub(crate) fn registry(error: &city_registry::RegistryError) -> Self {
        Self::new("registry", error.to_string(), "mend the registry, then replay")
    }

    /// The dead letter of `message`, standing for `items` items of the ledger; `source` is the
    /// number and the id of the source that it came from, `device_key` the device if it is registered.
    pub(crate) fn letter(
        self,
        message: &RawMessage,
        source: Option<(u16, &str)>,
        device: Option<String>,
        device_key: Option<DeviceKey>,
        items: u32,
    ) -> NewDeadLetter {
        NewDeadLetter {
            source: source.map(|(number, _)| number),
            source_id: source.map_or("", |(_, id)| id).to_owned(),
            topic: message.topic.to_string(),
            payload: message.payload.as_ref().into(),
            client: message.client.as_deref().map(str::to_owned),
            received: message.received,
            device,
            device_key,
            reason: self.code.to_owned(),
            detail: self.detail,
            hint: self.hint,
            items,
            again: message.delivery().again && !message.replayed,
        }
    }
}
