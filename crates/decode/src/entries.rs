//! What the formats with flattened JSON share: names that are the device's position, and whose
//! and when the values are.

use std::borrow::Cow;

use city_model::Timestamp;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError};
use crate::flat::Name;
use crate::guard::{Sink, bad_value};
use crate::options::Options;
use crate::time::TimeFormat;
use crate::wire::Raw;

/// The options that [`Place::from_options`] reads.
pub(crate) const PLACE_KEYS: [&str; 2] = ["lon", "lat"];

/// The names of the values that are the device's own position, if it sends one.
#[derive(Debug, Default)]
pub(crate) struct Place {
    names: Option<(Box<str>, Box<str>)>,
}

/// Whose and when the values are, as far as the message says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin<'a> {
    pub(crate) device: Option<Cow<'a, str>>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) position: Option<(f64, f64)>,
}

impl Place {
    /// From `lon` and `lat`, which go together.
    pub(crate) fn from_options(options: &Options<'_>) -> Result<Self, OptionsError> {
        match (options.text("lon")?, options.text("lat")?) {
            (Some(lon), Some(lat)) => Ok(Self { names: Some((lon.into(), lat.into())) }),
            (None, None) => Ok(Self::default()),
            _ => Err(OptionsError::bad(options.full("lon"), "lon and lat go together")),
        }
    }

    fn is(&self, name: &str) -> Option<Axis> {
        let (lon, lat) = self.names.as_ref()?;
        if **lon == *name { Some(Axis::Lon) } else { (**lat == *name).then_some(Axis::Lat) }
    }
}

#[derive(Clone, Copy)]
enum Axis {
    Lon,
    Lat,
}

/// Values on their way to the sink; whose and when they are is said once, at the end.
pub(crate) struct Values<'s, 'o, 'a> {
    place: &'s Place,
    sink: &'s mut Sink<'o, 'a>,
    before: usize,
    lon: Option<f64>,
    lat: Option<f64>,
}

impl<'s, 'o, 'a> Values<'s, 'o, 'a> {
    pub(crate) fn new(place: &'s Place, sink: &'s mut Sink<'o, 'a>) -> Self {
        Self { place, before: sink.found().len(), sink, lon: None, lat: None }
    }

    /// Adds a value, with its unit if one is known.
    #[expect(
        clippy::inline_always,
        reason = "handing its arguments on through memory costs more than it does"
    )]
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        name: Name<'a, '_>,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
    ) -> Result<(), DecodeError> {
        let text = name.as_str();
        match self.place.is(text) {
            Some(Axis::Lon) => self.lon = Some(coordinate(text, &raw)?),
            Some(Axis::Lat) => self.lat = Some(coordinate(text, &raw)?),
            None => return self.sink.called(name, unit, raw),
        }
        Ok(())
    }

    /// Says whose they are. A place without values is a position fix.
    pub(crate) fn are(self, origin: &Origin<'a>) -> Result<(), DecodeError> {
        let Self { sink, before, .. } = self;
        let position = self.lon.zip(self.lat).or(origin.position);
        if let (Some(position), true) = (position, sink.since(before).is_empty()) {
            sink.position_fix(position)?;
        }
        for value in sink.since(before) {
            value.device.clone_from(&origin.device);
            value.time = origin.time;
            value.position = position;
        }
        Ok(())
    }
}

/// Gives a single value to the sink, if there is one.
pub(crate) fn put<'a>(
    entry: Option<(Name<'a, '_>, Option<Cow<'a, str>>, Raw<'a>)>,
    place: &Place,
    origin: &Origin<'a>,
    sink: &mut Sink<'_, 'a>,
) -> Result<(), DecodeError> {
    let mut values = Values::new(place, sink);
    if let Some((name, unit, raw)) = entry {
        values.add(name, unit, raw)?;
    }
    values.are(origin)
}

/// A coordinate under a name; it must be finite.
pub(crate) fn coordinate(name: &str, raw: &Raw<'_>) -> Result<f64, DecodeError> {
    let number = raw.as_number().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        let at = At::Path(name.to_owned());
        bad_value(at, format!("{} is not a coordinate", raw.describe()))
    })
}

/// A time under a name, in a message that reached us at `received`.
pub(crate) fn time(
    format: &TimeFormat,
    name: &str,
    raw: &Raw<'_>,
    received: Timestamp,
) -> Result<Option<Timestamp>, DecodeError> {
    format.read(raw, received).map_err(|problem| {
        let at = At::Path(name.to_owned());
        DecodeError::new(DecodeErrorKind::BadTime, at, problem.message, problem.hint)
    })
}

/// The truth value that `ON` and `OFF` are in the words of devices that switch something; other
/// texts stay what they are.
pub(crate) fn switched(raw: Raw<'_>) -> Raw<'_> {
    match raw {
        Raw::Text(text) if text.eq_ignore_ascii_case("on") => Raw::Bool(true),
        Raw::Text(text) if text.eq_ignore_ascii_case("off") => Raw::Bool(false),
        other => other,
    }
}

/// The same for `online` and `offline`, which is the metric `online`.
pub(crate) fn online(text: &str) -> Option<bool> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("online") => Some(true),
        text if text.eq_ignore_ascii_case("offline") => Some(false),
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The metric of devices that tell whether they can be reached.
pub(crate) const ONLINE: &str = "online";

/// A payload that is a single text, such as `23.4` or `ON`.
pub(crate) fn text(payload: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(payload).map_err(|error| {
        DecodeError::new(
            DecodeErrorKind::Malformed,
            At::Byte(error.valid_up_to()),
            "the payload is not UTF-8 text",
            "check that the source's format is the one that the device sends",
        )
    })
}

/// Whether a payload is a JSON object or array rather than a single value.
pub(crate) fn is_structured(payload: &[u8]) -> bool {
    let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    matches!(payload.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Which device a message is from: by what its topic says in the format's own way, or as the
/// source's topic template says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceFrom {
    /// The format's own topics.
    Format,
    /// The source's template, such as `site/{device}/+`.
    Topic,
}

impl DeviceFrom {
    /// From `device_from`, `word` being the format's own way.
    pub(crate) fn from_options(options: &Options<'_>, word: &str) -> Result<Self, OptionsError> {
        let choices = [(word, Self::Format), ("topic", Self::Topic)];
        Ok(options.choice("device_from", &choices)?.unwrap_or(Self::Format))
    }

    /// The id, unless the template says it or there is none.
    pub(crate) fn device(self, id: Option<&str>) -> Result<Option<Cow<'_, str>>, DecodeError> {
        match id {
            Some(id) if self == Self::Format && !id.is_empty() => {
                crate::guard::check_id(Cow::Borrowed(id), || At::Message).map(Some)
            }
            _ => Ok(None),
        }
    }
}
