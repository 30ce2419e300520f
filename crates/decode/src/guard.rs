//! What every decoder promises, kept in one place: size limits, all or nothing, no empty result.

use std::borrow::Cow;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::limits::{self, MAX_ID, MAX_VALUES};
use crate::mapping::{Mapping, Rule, is_name};
use crate::options::Options;
use crate::wire::Raw;
use crate::{Decoded, Decoder, Message};

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
}

/// A decoder that keeps the promises around a format's own part.
pub(crate) struct Guarded<P> {
    parse: P,
    mapping: Mapping,
}

impl<P: Parse> Guarded<P> {
    /// A decoder of the shared options and a format's own part.
    pub(crate) fn boxed(parse: P, options: &Options<'_>) -> Result<Box<dyn Decoder>, OptionsError> {
        Ok(Box::new(Self { parse, mapping: Mapping::from_options(options)? }))
    }
}

impl<P: Parse> Guarded<P> {
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
        let mut sink = Sink { start, out, mapping: &self.mapping, ignored: false };
        let parsed = self.parse.parse(message, &mut sink);
        let nothing = sink.found().is_empty() && !sink.ignored;
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
}

/// Where a format puts what it finds.
pub(crate) struct Sink<'o, 'a> {
    out: &'o mut Vec<Decoded<'a>>,
    /// What is before it belongs to other messages.
    start: usize,
    mapping: &'a Mapping,
    /// Whether the mapping left a value out on purpose.
    ignored: bool,
}

impl<'a> Sink<'_, 'a> {
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
        if let Some(rule) = self.mapping.find(&name) {
            return self.ruled(rule, unit, raw, at);
        }
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
    pub(crate) fn ruled(
        &mut self,
        rule: &'a Rule,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
        at: impl FnOnce() -> At,
    ) -> Result<(), DecodeError> {
        let value = self.mapping.ruled(rule, unit, raw);
        if let Some(value) = value.map_err(|problem| bad_value(at(), problem.0))? {
            return self.push(value);
        }
        self.ignored = true;
        Ok(())
    }

    fn push(&mut self, value: Decoded<'a>) -> Result<(), DecodeError> {
        if self.found().len() >= MAX_VALUES {
            return Err(limits::too_many());
        }
        self.out.push(value);
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

pub(crate) fn bad_value(at: At, message: impl Into<String>) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::BadValue,
        at,
        message,
        "mend the device, or list the text under the source's option missing if it means \"no \
         value\", or ignore the name in the option metrics",
    )
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
    } else if id.chars().any(char::is_control) {
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
