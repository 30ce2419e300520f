//! What a metric of a message is, and the values in it.

use std::borrow::Cow;

use city_model::Quality;

use super::host::{BD_SEQ, Names};
use super::refusal::{no_birth, not_a_payload};
use super::topic::Address;
use super::wire::{self, Metric, Raw};
use super::{MAX_TEMPLATES, value};
use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::guard::{Sink, bad_value};
use crate::limits;

/// What is known of a metric: from itself, or from the birth.
pub(super) struct Known<'a, 'n> {
    name: NameOf<'a, 'n>,
    datatype: u32,
    unit: Option<Cow<'a, str>>,
}

/// A name in the message, or one in the birth.
#[derive(Clone, Copy)]
enum NameOf<'a, 'n> {
    Sent(&'a str),
    Born(&'n str),
}

impl<'n> NameOf<'n, 'n> {
    fn as_str(self) -> &'n str {
        let (Self::Sent(name) | Self::Born(name)) = self;
        name
    }
}

impl<'a, 'n> Known<'a, 'n> {
    pub(super) fn of(
        metric: &Metric<'a>,
        names: Option<&'n Names>,
        address: Address<'_>,
    ) -> Result<Self, DecodeError> {
        let born = names.and_then(|names| names.find(metric));
        let sent = metric.name.filter(|name| !name.is_empty());
        let name = match (sent, born) {
            (Some(name), _) => NameOf::Sent(name),
            (None, Some(born)) => NameOf::Born(&born.name),
            (None, None) => {
                let what = match metric.alias {
                    Some(alias) => format!("a metric has the alias {alias}"),
                    None => "a metric has neither a name nor an alias".to_owned(),
                };
                return Err(no_birth(address, &what));
            }
        };
        let born_as = born.and_then(|born| born.datatype);
        let datatype = match (metric.datatype, born_as) {
            (Some(sent), Some(born)) if sent != born => {
                let what = format!(
                    "`{}` has data type {sent}, and {born} in the birth",
                    quote(name.as_str())
                );
                return Err(no_birth(address, &what));
            }
            (sent, born) => sent.or(born).or(value::evident(metric.value)),
        };
        let Some(datatype) = datatype else {
            let what = format!("`{}` does not say its data type", quote(name.as_str()));
            return Err(no_birth(address, &what));
        };
        let declared = || born.and_then(|born| born.unit.as_deref());
        let unit = match metric.properties().unit {
            Some(unit) => Some(Cow::Borrowed(unit)),
            None => declared().map(|unit| Cow::Owned(unit.to_owned())),
        };
        Ok(Self { name, datatype, unit })
    }
}

/// The values of one metric: one, none, or those of a template's members.
pub(super) fn put<'a>(
    metric: &Metric<'a>,
    known: &Known<'a, '_>,
    sink: &mut Sink<'_, 'a>,
) -> Result<(), DecodeError> {
    let name = known.name.as_str();
    let control =
        name == BD_SEQ || name.starts_with("Node Control/") || name.starts_with("Device Control/");
    let Some(raw) = metric.value.filter(|_| !control && !metric.is_null && !metric.is_transient)
    else {
        return Ok(());
    };
    if let Raw::Template(template) = raw {
        return put_members(template, name, 1, sink);
    }
    let at = || At::Path(quote(name));
    let Some(raw) = value::reading(known.datatype, raw).map_err(|why| bad_value(at(), why))? else {
        return Ok(());
    };
    let unit = known.unit.clone();
    match known.name {
        NameOf::Sent(name) => sink.named(Cow::Borrowed(name), unit, raw, at),
        NameOf::Born(name) => match sink.mapping().find(name) {
            Some(rule) => sink.ruled(rule, unit, raw, at),
            None => sink.named(Cow::Owned(name.to_owned()), unit, raw, at),
        },
    }
}

/// The members of a template's instance.
fn put_members<'a>(
    template: &'a [u8],
    name: &str,
    depth: usize,
    sink: &mut Sink<'_, 'a>,
) -> Result<(), DecodeError> {
    if depth > MAX_TEMPLATES {
        return Err(DecodeError::new(
            DecodeErrorKind::TooDeep,
            At::Path(quote(name)),
            format!("templates are nested deeper than {MAX_TEMPLATES}"),
            "use flatter templates",
        ));
    }
    if name.len() > limits::MAX_NAME {
        return Err(DecodeError::new(
            DecodeErrorKind::BadName,
            At::Path(quote(name)),
            format!("a name is longer than {} bytes", limits::MAX_NAME),
            "use shorter names",
        ));
    }
    let Some(mut members) = wire::members(template).map_err(not_a_payload)? else { return Ok(()) };
    while let Some(member) = members.next().map_err(not_a_payload)? {
        let Some(raw) = member.value.filter(|_| !member.is_null) else { continue };
        let Some(member_name) = member.name else { continue };
        let called = format!("{name}/{member_name}");
        if let Raw::Template(template) = raw {
            put_members(template, &called, depth + 1, sink)?;
            continue;
        }
        let Some(datatype) = member.datatype.or(value::evident(member.value)) else { continue };
        let at = || At::Path(quote(&called));
        if let Some(raw) = value::reading(datatype, raw).map_err(|why| bad_value(at(), why))? {
            let unit = member.properties().unit.map(Cow::Borrowed);
            sink.named(Cow::Owned(called.clone()), unit, raw, at)?;
        }
    }
    Ok(())
}

/// The quality of a code: Sparkplug's three, and OPC's classes (bad below 64, uncertain below 192).
pub(super) fn quality(code: i32) -> Option<Quality> {
    match code {
        192..=255 => None,
        0..64 => Some(Quality::Fail),
        _ => Some(Quality::Suspect),
    }
}
