//! What the LoRaWAN network servers' formats share: who sent what when, and the codec's output.

use std::borrow::Cow;

use city_model::Timestamp;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError};
use crate::guard::{Sink, bad_value, check_id};
use crate::options::Options;
use crate::time;
use crate::wire::{Flat, Raw, Text};

/// The options that [`Uplinks::from_options`] reads besides `device`.
pub(crate) const KEYS: [&str; 3] = ["device", "lon", "lat"];

/// The options of an uplink format.
#[derive(Debug)]
pub(crate) struct Uplinks<D> {
    /// Which of the payload's names for the device is its id.
    pub(crate) device: D,
    /// The names of decoded values that are the device's own position.
    place: Option<(String, String)>,
}

/// What an uplink says besides its values.
#[derive(Debug, Default)]
pub(crate) struct Header<'a> {
    pub(crate) device: Option<Cow<'a, str>>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) position: Option<(f64, f64)>,
    pub(crate) sequence: Option<u64>,
    pub(crate) dedup: Option<Cow<'a, str>>,
    pub(crate) simulated: bool,
    pub(crate) gateway: Option<Cow<'a, str>>,
}

impl<D: Copy> Uplinks<D> {
    pub(crate) fn from_options(
        options: &Options<'_>,
        devices: &[(&str, D)],
        default: D,
    ) -> Result<Self, OptionsError> {
        let place = match (options.text("lon")?, options.text("lat")?) {
            (Some(lon), Some(lat)) => Some((lon.to_owned(), lat.to_owned())),
            (None, None) => None,
            _ => return Err(OptionsError::bad(options.full("lon"), "lon and lat go together")),
        };
        let device = options.choice("device", devices)?.unwrap_or(default);
        Ok(Self { device, place })
    }

    /// Gives the codec's output to the sink; `root` is where in the payload it is.
    pub(crate) fn put<'a>(
        &self,
        root: &'static str,
        flat: Flat<'a>,
        header: &Header<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let (mut lon, mut lat) = (None, None);
        for (name, raw) in flat.checked()? {
            match &self.place {
                Some((place, _)) if *place == *name => lon = Some(coordinate(root, &name, &raw)?),
                Some((_, place)) if *place == *name => lat = Some(coordinate(root, &name, &raw)?),
                _ => {
                    let path = name.clone();
                    sink.named(name, None, raw, move || locate(root, &path))?;
                }
            }
        }
        let position = lon.zip(lat).or(header.position);
        for value in sink.found() {
            value.device.clone_from(&header.device);
            value.time = header.time;
            value.position = position;
            value.sequence = header.sequence;
            value.dedup.clone_from(&header.dedup);
            value.simulated = header.simulated;
            value.gateway.clone_from(&header.gateway);
        }
        Ok(())
    }
}

fn locate(root: &str, name: &str) -> At {
    At::Path(format!("{root}.{name}"))
}

fn coordinate(root: &'static str, name: &str, raw: &Raw<'_>) -> Result<f64, DecodeError> {
    let number = raw.as_number().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        bad_value(locate(root, name), format!("{} is not a coordinate", raw.describe()))
    })
}

/// An id at a fixed place in the payload; an absent or empty one is none.
pub(crate) fn id<'a>(
    text: Option<Text<'a>>,
    path: &'static str,
) -> Result<Option<Cow<'a, str>>, DecodeError> {
    match text {
        Some(Text(id)) if !id.is_empty() => check_id(id, || At::Path(path.to_owned())).map(Some),
        _ => Ok(None),
    }
}

/// A time at a fixed place in the payload.
pub(crate) fn rfc3339(
    text: Option<&Text<'_>>,
    path: &'static str,
) -> Result<Option<Timestamp>, DecodeError> {
    let read = text.map(|Text(text)| time::rfc3339(text)).transpose();
    read.map_err(|problem| {
        let at = At::Path(path.to_owned());
        DecodeError::new(DecodeErrorKind::BadTime, at, problem.message, problem.hint)
    })
}

/// The uplink has the device's bytes but nobody decoded them.
pub(crate) fn no_codec(bytes: &str, decoded: &str, hint: &'static str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::NoCodec,
        At::Path(bytes.to_owned()),
        format!("the uplink has only the device's raw bytes (`{bytes}`), no `{decoded}`"),
        hint,
    )
}
