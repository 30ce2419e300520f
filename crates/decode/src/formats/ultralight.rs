//! FIWARE's UltraLight 2.0, for devices that talk to its IoT Agent.
//!
//! ```text
//! 2026-11-23T08:30:00Z|t|21.5|k|abc#t|21.6
//! ```
//!
//! Names and values alternate, parted by `|`; `#` parts groups; a group of an odd number of parts
//! begins with its time. Values have no types here: what spells a number or truth value is one,
//! nothing, `nan` and infinities are no value.
//!
//! | topic | payload |
//! |---|---|
//! | `/ul/{apikey}/{device}/attrs`, `/{apikey}/{device}/attrs` | groups |
//! | `…/attrs/{name}` | one value |
//! | `…/cmd`, `…/cmdexe`, `…/configuration/…` | ignored on purpose |
//!
//! Options: `device_from` = `topic_path` (as above, default) or `topic` (the source's template);
//! `location`, the name of a value that is the device's position as FIWARE writes it: latitude,
//! comma, longitude; the time options for times without an offset.
//!
//! Source: FIWARE IoT Agent for UltraLight 2.0, user manual.

use std::borrow::Cow;

use crate::entries::{self, DeviceFrom, Origin, Place, Values};
use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::flat::Name;
use crate::guard::{Guarded, Parse, Sink, bad_value};
use crate::options::Options;
use crate::time::{self, TimeFormat};
use crate::wire::{self, Raw};
use crate::{Decoder, Example, Format, Message};

/// UltraLight 2.0.
pub(super) struct UltraLight;

impl Format for UltraLight {
    fn name(&self) -> &'static str {
        "ultralight"
    }

    fn summary(&self) -> &'static str {
        "FIWARE UltraLight 2.0: names and values parted by |"
    }

    fn summary_zh(&self) -> &'static str {
        "FIWARE UltraLight 2.0：以 | 分隔的名称与数值"
    }

    fn example(&self) -> Example {
        Example {
            topic: "/ul/4jggokgpepnvsb2uv4s40d59ov/air-17/attrs",
            options: r#"{"metrics": {"t": "temperature", "p": "pm25"}}"#,
            payload: "2026-11-23T08:30:00Z|t|21.5|p|12#2026-11-23T08:29:00Z|t|21.6",
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let own = ["device_from", "location"];
        let known: Vec<&str> = own.into_iter().chain(time::KEYS).collect();
        let options = Options::new(options, &known)?;
        let reader = Reader {
            device_from: DeviceFrom::from_options(&options, "topic_path")?,
            location: options.text("location")?.map(str::to_owned),
            time: TimeFormat::from_options(&options)?,
        };
        Guarded::boxed(reader, &options)
    }
}

struct Reader {
    device_from: DeviceFrom,
    location: Option<String>,
    time: TimeFormat,
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let topic = Attrs::read(message.topic);
        if topic == Attrs::Nothing {
            sink.ignore();
            return Ok(());
        }
        let device = self.device_from.device(topic.device())?;
        let text = entries::text(message.payload)?.trim();
        if let Attrs::One { name, .. } = topic {
            let origin = Origin { device, ..Origin::default() };
            return self.group(&[name, text], origin, sink, || At::Message);
        }
        let mut parts = Vec::new();
        for (index, group) in text.split('#').enumerate() {
            let at = || At::Path(format!("group {}", index + 1));
            parts.clear();
            parts.extend(group.split('|').map(str::trim));
            let mut origin = Origin { device: device.clone(), ..Origin::default() };
            let mut pairs = parts.as_slice();
            if let ([time, rest @ ..], true) = (pairs, pairs.len() % 2 == 1) {
                if time.is_empty() && rest.is_empty() {
                    continue;
                }
                origin.time = self.time(time, message.received, at)?;
                pairs = rest;
            }
            self.group(pairs, origin, sink, at)?;
        }
        Ok(())
    }

    fn looked_for(&self) -> String {
        "names and values parted by |".to_owned()
    }
}

impl Reader {
    fn time(
        &self,
        text: &str,
        received: city_model::Timestamp,
        at: impl FnOnce() -> At,
    ) -> Result<Option<city_model::Timestamp>, DecodeError> {
        self.time.read(&Raw::Text(Cow::Borrowed(text)), received).map_err(|problem| {
            let message = format!(
                "an odd number of parts, which begins with a time, but {}",
                problem.message
            );
            DecodeError::new(DecodeErrorKind::BadTime, at(), message, problem.hint)
        })
    }

    /// Names and values in turn.
    fn group<'a>(
        &self,
        pairs: &[&'a str],
        mut origin: Origin<'a>,
        sink: &mut Sink<'_, 'a>,
        at: impl Fn() -> At,
    ) -> Result<(), DecodeError> {
        let place = Place::default();
        let mut values = Values::new(&place, sink);
        for pair in pairs.chunks_exact(2) {
            let [name, text] = *pair else { continue };
            if self.location.as_deref() == Some(name) {
                origin.position = location(text, &at)?;
            } else if let Some(raw) = wire::spelled(Cow::Borrowed(text)) {
                values.add(Name::sent(name), None, raw)?;
            }
        }
        values.are(&origin)
    }
}

/// Latitude, comma, longitude (`geo:point`); an empty text means that the receiver has no fix.
pub(super) fn location(
    text: &str,
    at: impl FnOnce() -> At,
) -> Result<Option<(f64, f64)>, DecodeError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let coordinate =
        |text: &str| wire::spelled_number(text).filter(|coordinate| coordinate.is_finite());
    let (lat, lon) = text.split_once([',', '/']).unwrap_or((text, ""));
    if let (Some(lon), Some(lat)) = (coordinate(lon), coordinate(lat)) {
        return Ok(Some((lon, lat)));
    }
    Err(bad_value(at(), format!("`{}` is no latitude, comma and longitude", quote(text))))
}

/// What a topic of an IoT Agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attrs<'t> {
    /// Several values of a device, if the topic says which.
    Many { device: Option<&'t str> },
    /// One value.
    One { device: Option<&'t str>, name: &'t str },
    /// A command, its result, or configuration.
    Nothing,
}

impl<'t> Attrs<'t> {
    /// `/{protocol}/{apikey}/{device}/attrs[/{name}]`, the protocol and the first slash being
    /// left out by older agents.
    pub(super) fn read(topic: &'t str) -> Self {
        let device = |before: &'t str| before.rsplit('/').next().filter(|id| !id.is_empty());
        if let Some(before) = topic.strip_suffix("/attrs") {
            return Self::Many { device: device(before) };
        }
        if let Some((before, name)) = topic.split_once("/attrs/") {
            return Self::One { device: device(before), name };
        }
        let last = topic.rsplit('/').next().unwrap_or_default();
        if matches!(last, "cmd" | "cmdexe") || topic.contains("/configuration/") {
            return Self::Nothing;
        }
        Self::Many { device: None }
    }

    pub(super) fn device(self) -> Option<&'t str> {
        match self {
            Self::Many { device } | Self::One { device, .. } => device,
            Self::Nothing => None,
        }
    }
}

#[cfg(test)]
#[path = "ultralight/tests.rs"]
mod tests;
