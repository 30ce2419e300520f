//! What every decoder promises, kept in one place: size limits, all or nothing, no empty result.

use std::borrow::Cow;

use city_model::{Timestamp, Value};

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::flat::Name;
use crate::limits::{self, MAX_ID, MAX_VALUES};
use crate::mapping::{KnownName, Mapped, Mapping, Rule, is_name};
use crate::options::Options;
use crate::wire::{self, Raw};
use crate::{Command, Decoded, Decoder, Message};

/// A format's own part of decoding.
pub(crate) trait Parse: Send + Sync + 'static {
    /// Gives the values of a message to the sink.
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError>;

    /// What was looked for, when nothing was found.
    fn looked_for(&self) -> String;

    /// Moves what there is reason to publish into `out`; see [`Decoder::commands`].
    fn commands(&self, out: &mut Vec<Command>) {
        let _ = out;
    }

    /// Whether payloads are JSON, in which bare `NaN` and `Infinity`, as Python's and C's
    /// printing put them there, are to be read as null: no value.
    fn is_json(&self) -> bool {
        false
    }
}

/// A decoder that keeps the promises around a format's own part.
pub(crate) struct Guarded<P> {
    parse: P,
    mapping: Mapping,
}

impl<P: Parse> Guarded<P> {
    /// A decoder of the shared options and a format's own part.
    pub(crate) fn boxed(parse: P, options: &Options<'_>) -> Result<Box<dyn Decoder>, OptionsError> {
        Self::knowing(parse, options, &[])
    }

    /// The same for a format whose devices use names that are known beforehand; the source's own
    /// `metrics` come first.
    pub(crate) fn knowing(
        parse: P,
        options: &Options<'_>,
        known: &[KnownName],
    ) -> Result<Box<dyn Decoder>, OptionsError> {
        Ok(Box::new(Self { parse, mapping: Mapping::knowing(options, known)? }))
    }
}

impl<P: Parse> Guarded<P> {
    /// Decodes another payload in the message's place; whether something was ignored on purpose.
    fn mended<'a>(
        &'a self,
        message: &Message<'a>,
        payload: &[u8],
        out: &mut Vec<Decoded<'a>>,
    ) -> (Result<(), DecodeError>, bool) {
        let around: Message<'_> = *message;
        let message = Message { payload, ..around };
        let mut values = Vec::new();
        let mut sink = Sink::new(&mut values, &self.mapping, message.received);
        let parsed = self.parse.parse(&message, &mut sink);
        let ignored = sink.ignored;
        out.extend(values.into_iter().map(into_owned));
        (parsed, ignored)
    }

    fn nothing_found(&self) -> String {
        let message = format!("nothing was found; looked for {}", self.parse.looked_for());
        if self.mapping.ignores_unmapped() {
            let mut names: Vec<_> = self.mapping.names().collect();
            names.sort_unstable();
            let names = names.join(", ");
            return format!("{message}; of these only {names} (unmapped = \"ignore\")");
        }
        message
    }
}

impl<P: Parse> Decoder for Guarded<P> {
    fn decode<'a>(
        &'a self,
        message: &Message<'a>,
        out: &mut Vec<Decoded<'a>>,
    ) -> Result<(), DecodeError> {
        limits::check_size(message.payload, self.mapping.max_payload)?;
        let start = out.len();
        let mut sink = Sink::new(out, &self.mapping, message.received);
        let mut parsed = self.parse.parse(message, &mut sink);
        let mut ignored = sink.ignored;
        if let Err(error) = &parsed
            && error.kind == DecodeErrorKind::Malformed
            && self.parse.is_json()
            && let Some(mended) = wire::nan_to_null(message.payload)
        {
            out.truncate(start);
            (parsed, ignored) = self.mended(message, &mended, out);
        }
        let nothing = out.len() == start && !ignored;
        let result = match parsed {
            Ok(()) if nothing => Err(DecodeError::new(
                DecodeErrorKind::NoValues,
                At::Message,
                self.nothing_found(),
                "compare the message with the source's options, or narrow the source's topics",
            )),
            other => other,
        };
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn commands(&self, out: &mut Vec<Command>) {
        self.parse.commands(out);
    }
}

/// The metric of [`Sink::position_fix`].
pub(crate) const POSITION_FIX: &str = "position_fix";

/// Where a format puts what it finds.
pub(crate) struct Sink<'o, 'a> {
    out: &'o mut Vec<Decoded<'a>>,
    /// What is before it belongs to other messages.
    start: usize,
    mapping: &'a Mapping,
    received: Timestamp,
    /// Whether the mapping left a value out on purpose.
    ignored: bool,
}

impl<'o, 'a> Sink<'o, 'a> {
    fn new(out: &'o mut Vec<Decoded<'a>>, mapping: &'a Mapping, received: Timestamp) -> Self {
        Self { start: out.len(), out, mapping, received, ignored: false }
    }

    /// When the message reached us.
    pub(crate) fn received(&self) -> Timestamp {
        self.received
    }

    /// The source's shared options.
    pub(crate) fn mapping(&self) -> &'a Mapping {
        self.mapping
    }

    /// A value by the name that the device sent.
    pub(crate) fn named(
        &mut self,
        name: Cow<'a, str>,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
        at: impl FnOnce() -> At,
    ) -> Result<(), DecodeError> {
        match self.mapping.find(&name) {
            Some(rule) => self.ruled(rule, unit, raw, at),
            None => self.unmapped(name, unit, raw, at),
        }
    }

    /// A value by its name in a flattened object, which is where it is too.
    pub(crate) fn called(
        &mut self,
        name: Name<'a, '_>,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
    ) -> Result<(), DecodeError> {
        let text = name.as_str();
        let at = || At::Path(text.to_owned());
        match self.mapping.find(text) {
            Some(rule) => self.ruled(rule, unit, raw, at),
            None => self.unmapped(name.keep(), unit, raw, at),
        }
    }

    /// A number by its rule: most values are, so they are not handed about.
    #[inline]
    fn number(
        &mut self,
        rule: &'a Rule,
        unit: Option<Cow<'a, str>>,
        number: f64,
        at: impl FnOnce() -> At,
    ) -> Result<(), DecodeError> {
        if rule.ignores() {
            self.ignored = true;
            return Ok(());
        }
        if self.out.len() - self.start >= MAX_VALUES {
            return Err(limits::too_many());
        }
        let read = self.mapping.number(rule, number);
        let (number, missing) = read.map_err(|problem| bad_value(at(), problem.0))?;
        let unit = rule.unit(unit);
        let metric = Cow::Borrowed(rule.metric());
        self.out.push(Decoded { missing, unit, ..Decoded::new(metric, Value::Number(number)) });
        Ok(())
    }

    /// A value by a name that has no rule.
    pub(crate) fn unmapped(
        &mut self,
        name: Cow<'a, str>,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
        at: impl FnOnce() -> At,
    ) -> Result<(), DecodeError> {
        if self.mapping.ignores_unmapped() {
            return Ok(());
        }
        if !is_name(&name) {
            return Err(DecodeError::new(
                DecodeErrorKind::BadName,
                at(),
                format!("`{}` cannot be a metric's name", quote(&name)),
                "send names of 1 to 128 bytes, or map it in the source's option metrics",
            ));
        }
        let value = self.mapping.unmapped(name, unit, raw);
        let value = value.map_err(|problem| bad_value(at(), problem.0))?;
        self.push(value)
    }

    /// A value by its rule.
    #[inline]
    pub(crate) fn ruled(
        &mut self,
        rule: &'a Rule,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
        at: impl FnOnce() -> At,
    ) -> Result<(), DecodeError> {
        match raw {
            Raw::Number(number) => return self.number(rule, unit, number, at),
            Raw::Integer(number) => return self.number(rule, unit, number as f64, at),
            _ => {}
        }
        let value = self.mapping.ruled(rule, unit, raw);
        if let Some(value) = value.map_err(|problem| bad_value(at(), problem.0))? {
            return self.push(value);
        }
        self.ignored = true;
        Ok(())
    }

    /// A value by the name that the device sent; a text that spells a number is one, and one that
    /// spells nothing is none.
    pub(crate) fn spelled(
        &mut self,
        name: Cow<'a, str>,
        unit: Option<Cow<'a, str>>,
        text: Cow<'a, str>,
        at: impl FnOnce() -> At,
    ) -> Result<(), DecodeError> {
        match wire::spelled(text) {
            Some(raw) => self.named(name, unit, raw, at),
            None => Ok(()),
        }
    }

    /// The value of a device that says where it is and nothing else, so that its way is kept.
    pub(crate) fn position_fix(&mut self, position: (f64, f64)) -> Result<(), DecodeError> {
        let before = self.found().len();
        match self.mapping.find(POSITION_FIX) {
            Some(rule) => self.ruled(rule, None, Raw::Bool(true), || At::Message)?,
            None => self.push(flag(POSITION_FIX, true))?,
        }
        for value in self.since(before) {
            value.position = Some(position);
        }
        Ok(())
    }

    /// A value of the format's own that no device names, such as whether it is online.
    pub(crate) fn own(&mut self, metric: &'static str, flag: bool) -> Result<(), DecodeError> {
        match self.mapping.find(metric) {
            Some(rule) => self.ruled(rule, None, Raw::Bool(flag), || At::Message),
            None => self.push(self::flag(metric, flag)),
        }
    }

    /// The message has no values on purpose: it is about something else.
    pub(crate) fn ignore(&mut self) {
        self.ignored = true;
    }

    fn push(&mut self, mapped: Mapped<'a>) -> Result<(), DecodeError> {
        if self.found().len() >= MAX_VALUES {
            return Err(limits::too_many());
        }
        let Mapped { metric, value, missing, unit } = mapped;
        // Made where it stays: it is large.
        self.out.push(Decoded { missing, unit, ..Decoded::new(metric, value) });
        Ok(())
    }

    /// What this message gave so far.
    pub(crate) fn found(&mut self) -> &mut [Decoded<'a>] {
        self.out.get_mut(self.start..).unwrap_or_default()
    }

    /// What it gave since there were `earlier` values.
    pub(crate) fn since(&mut self, earlier: usize) -> &mut [Decoded<'a>] {
        self.found().get_mut(earlier..).unwrap_or_default()
    }
}

fn flag<'a>(metric: &'static str, flag: bool) -> Mapped<'a> {
    let metric = Cow::Borrowed(metric);
    Mapped { metric, value: Value::Bool(flag), missing: false, unit: None }
}

fn into_owned<'b>(value: Decoded<'_>) -> Decoded<'b> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    Decoded {
        device: value.device.map(owned),
        metric: owned(value.metric),
        unit: value.unit.map(owned),
        dedup: value.dedup.map(owned),
        gateway: value.gateway.map(owned),
        value: value.value,
        missing: value.missing,
        time: value.time,
        position: value.position,
        sequence: value.sequence,
        simulated: value.simulated,
        quality: value.quality,
    }
}

pub(crate) fn bad_value(at: At, message: impl Into<String>) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::BadValue,
        at,
        message,
        "mend the device, or list the text under the source's option missing if it means \"no \
         value\", or ignore the name in the option metrics",
    )
}

/// Whether there is nothing to look at more closely, as in nearly all ids.
fn is_printable_ascii(id: &str) -> bool {
    id.bytes().all(|byte| (b' '..0x7f).contains(&byte))
}

/// Checks an id from a payload: 1 to 128 bytes without control characters.
pub(crate) fn check_id(
    id: Cow<'_, str>,
    at: impl FnOnce() -> At,
) -> Result<Cow<'_, str>, DecodeError> {
    let problem = if id.is_empty() {
        "an id is empty".to_owned()
    } else if id.len() > MAX_ID {
        format!("an id of {} bytes; at most {MAX_ID} are allowed", id.len())
    } else if !is_printable_ascii(&id) && id.chars().any(char::is_control) {
        format!("the id `{}` holds control characters", quote(&id))
    } else {
        return Ok(id);
    };
    Err(DecodeError::new(
        DecodeErrorKind::BadDevice,
        at(),
        problem,
        "mend the device's configuration, or name another field in the source's options",
    ))
}
