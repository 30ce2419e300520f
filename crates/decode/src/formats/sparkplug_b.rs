//! Sparkplug B (Eclipse Sparkplug 3.0), as a host application.
//!
//! Topics `spBv1.0/{group}/{type}/{edge node}[/{device}]`, payloads in protocol buffers. A source
//! of this format takes the whole namespace: `topic = "spBv1.0/#"`, because births, data and
//! deaths belong together; commands and hosts' states on these topics are passed over.
//!
//! **State.** A birth certificate declares names, aliases, types and units; data say aliases
//! only. All that is known is in memory: after a restart of the host it must be told again. So
//! whoever sends what cannot be understood, or leaves a gap in its sequence numbers for longer
//! than `reorder_timeout`, is asked for a new birth (`Node Control/Rebirth`), at most once in
//! `rebirth_interval`. The message itself is the error `no_birth`, and can be replayed once the
//! birth is there. A replay changes nothing of what is known.
//!
//! **Time** is that at which messages arrive, so a gap is noticed with the next message of any
//! edge node of the source. Messages after a gap are not held back: each value has its own time.
//!
//! **Readings.** Each edge node and each of its devices is a device. Births and data give their
//! metrics' values, by the names in the birth; besides, a birth gives `online` = true, and a
//! death `online` = false, an edge node's for its devices too: what such a device said last is
//! stale. A death of an earlier session (`bdSeq`) says nothing.
//!
//! | in Sparkplug | here |
//! |---|---|
//! | integers, Float, Double, Boolean | number, truth value |
//! | String, Text, UUID; DateTime | text; a time as RFC 3339 |
//! | instance of a Template | its members, `{name}/{member}` |
//! | null, transient, not a number | no value |
//! | Bytes, File, DataSet, property sets, arrays, template definitions | no reading |
//! | historical | a reading at its own time |
//! | `bdSeq`, `Node Control/…`, `Device Control/…` | the protocol's own, no readings |
//! | property `Quality`: 192; 0; 500 | good; fail; suspect |
//! | property `engUnit` | the unit |
//!
//! Options: `device` = `path` (default: `{group}/{edge node}[/{device}]`) or `last` (the device,
//! or the edge node, alone); `reorder_timeout` (default `"5s"`); `rebirth_interval` (`"30s"`);
//! `max_nodes` (10,000) and `max_metrics` (1,000,000, of all nodes together), what is known at most.

mod host;
#[cfg(test)]
mod tests;
mod topic;
mod value;
mod wire;

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use city_model::{Quality, Span, Timestamp};

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::guard::{Guarded, Parse, Sink, bad_value, check_id};
use crate::limits;
use crate::options::Options;
use crate::time::clock_was_set;
use crate::{Command, Decoder, Example, Format, Message};
use host::{Death, Full, Host, Names, Patience};
use topic::{Address, Kind, Topic};
use wire::{Bad, Metric, Payload, Raw};

/// The metric that says whether a device is.
const ONLINE: &str = "online";

/// How deep templates may be nested in templates.
const MAX_TEMPLATES: usize = 8;

/// Sparkplug B.
pub(super) struct SparkplugB;

impl Format for SparkplugB {
    fn name(&self) -> &'static str {
        "sparkplug_b"
    }

    fn summary(&self) -> &'static str {
        "Sparkplug B (Sparkplug 3.0) as a host application, with births, deaths and aliases"
    }

    fn summary_zh(&self) -> &'static str {
        "Sparkplug B（Sparkplug 3.0）主机应用，支持上线与离线声明及别名"
    }

    fn example(&self) -> Example {
        Example {
            topic: "spBv1.0/city/NBIRTH/air-17",
            options: r#"{"metrics": {"Temperature": "temperature"}}"#,
            payload: "hex:08c0f69abca034 \
                120b 0a056264536571 2008 5800 \
                121a 0a0b54656d7065726174757265 1001 200a 690000000000803540 \
                1210 0a05504d322e35 1002 2009 6500000e42 1800",
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let keys = ["device", "reorder_timeout", "rebirth_interval", "max_nodes", "max_metrics"];
        let options = Options::new(options, &keys)?;
        let devices = [("path", Device::Path), ("last", Device::Last)];
        let patience = Patience {
            nodes: count(&options, "max_nodes")?.unwrap_or(10_000),
            metrics: count(&options, "max_metrics")?.unwrap_or(1_000_000),
            reorder: span(&options, "reorder_timeout")?.unwrap_or(Span::from_secs(5)),
            rebirth: span(&options, "rebirth_interval")?.unwrap_or(Span::from_secs(30)),
        };
        let reader = Reader {
            device: options.choice("device", &devices)?.unwrap_or(Device::Path),
            host: Mutex::new(Host::new(patience)),
        };
        Guarded::boxed(reader, &options)
    }
}

/// What a device is called.
#[derive(Clone, Copy, Debug)]
enum Device {
    Path,
    Last,
}

struct Reader {
    device: Device,
    /// Sources are decoded by one thread; the lock is there for replays and tests.
    host: Mutex<Host>,
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let topic = Topic::read(message.topic).map_err(|why| not_a_topic(message.topic, why))?;
        let Topic::Edge(address, kind) = topic else {
            sink.ignore();
            return Ok(());
        };
        let payload = Payload::read(message.payload).map_err(not_a_payload)?;
        if !message.replayed {
            self.host().tick(message.received);
        }
        match kind {
            Kind::Birth => self.birth(address, &payload, message, sink),
            Kind::Data => self.data(address, &payload, message, sink),
            Kind::Death => self.death(address, &payload, message, sink),
        }
    }

    fn looked_for(&self) -> String {
        "metrics that are not null".to_owned()
    }

    fn commands(&self, out: &mut Vec<Command>) {
        self.host().commands(out);
    }
}

impl Reader {
    fn host(&self) -> MutexGuard<'_, Host> {
        // Each change of the state is whole before anything can panic.
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn birth<'a>(
        &'a self,
        address: Address<'a>,
        payload: &Payload<'a>,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        if !message.replayed {
            let mut host = self.host();
            match address.device {
                None => host.node_birth(address, payload),
                Some(device) => host.device_birth(address, device, payload, message.received),
            }
            .map_err(full)?;
        }
        let time = time(payload.timestamp)?.unwrap_or(message.received);
        self.online(address, true, time, sink)?;
        self.values(address, payload, None, sink)
    }

    fn death<'a>(
        &'a self,
        address: Address<'a>,
        payload: &Payload<'a>,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let now = message.received;
        let mut devices = Vec::new();
        match address.device {
            _ if message.replayed => {}
            Some(device) => self.host().device_death(address, device, payload, now),
            None => match self.host().node_death(address, payload) {
                Death::Of(of) => devices = of,
                Death::Earlier => {
                    sink.ignore();
                    return Ok(());
                }
            },
        }
        // A will says when it was made, not when it came true (clause 5.4).
        let said = address.device.and(payload.timestamp);
        let time = time(said)?.unwrap_or(now);
        self.online(address, false, time, sink)?;
        for device in devices {
            let id = self.id(Address { device: Some(&device), ..address })?;
            put_online(&id, false, time, sink)?;
        }
        Ok(())
    }

    fn data<'a>(
        &'a self,
        address: Address<'a>,
        payload: &Payload<'a>,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut host = self.host();
        if !message.replayed {
            host.count(address, payload, message.received);
        }
        let found = match host.names(address) {
            Some(names) => self.values(address, payload, Some(names), sink),
            None => self.values(address, payload, Some(&Names::default()), sink),
        };
        let unborn = match &found {
            Ok(()) => host.names(address).is_none(),
            Err(error) => error.kind == DecodeErrorKind::NoBirth,
        };
        if unborn && !message.replayed {
            host.ask(address, message.received);
        }
        found
    }

    fn online<'a>(
        &'a self,
        address: Address<'_>,
        online: bool,
        time: Timestamp,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        put_online(&self.id(address)?, online, time, sink)
    }

    /// The values of all metrics; `names` are those of the birth, `None` in a birth itself.
    fn values<'a>(
        &'a self,
        address: Address<'_>,
        payload: &Payload<'a>,
        names: Option<&Names>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let device = self.id(address)?;
        let sent = time(payload.timestamp)?;
        sink.ignore();
        for metric in &payload.metrics {
            let known = Known::of(metric, names, address)?;
            let before = sink.found().len();
            put(metric, &known, sink)?;
            if sink.since(before).is_empty() {
                continue;
            }
            let time = time(metric.timestamp)?.or(sent);
            let quality = metric.properties().quality.and_then(quality);
            for value in sink.since(before) {
                value.device = Some(Cow::Owned(device.clone()));
                value.time = time;
                value.quality = quality;
            }
        }
        Ok(())
    }

    fn id(&self, address: Address<'_>) -> Result<String, DecodeError> {
        let Address { group, edge, device } = address;
        let id = match (self.device, device) {
            (Device::Path, None) => format!("{group}/{edge}"),
            (Device::Path, Some(device)) => format!("{group}/{edge}/{device}"),
            (Device::Last, _) => device.unwrap_or(edge).to_owned(),
        };
        check_id(Cow::Owned(id), || At::Message).map(Cow::into_owned)
    }
}

/// What is known of a metric: from itself, or from the birth.
struct Known<'a, 'n> {
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
    fn of(
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
fn put<'a>(
    metric: &Metric<'a>,
    known: &Known<'a, '_>,
    sink: &mut Sink<'_, 'a>,
) -> Result<(), DecodeError> {
    let name = known.name.as_str();
    let control = name == host::BD_SEQ
        || name.starts_with("Node Control/")
        || name.starts_with("Device Control/");
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

fn put_online(
    device: &str,
    online: bool,
    time: Timestamp,
    sink: &mut Sink<'_, '_>,
) -> Result<(), DecodeError> {
    let before = sink.found().len();
    sink.own(ONLINE, online)?;
    for value in sink.since(before) {
        value.device = Some(Cow::Owned(device.to_owned()));
        value.time = Some(time);
    }
    Ok(())
}

/// The quality of a code: Sparkplug's three, and OPC's classes (bad below 64, uncertain below 192).
fn quality(code: i32) -> Option<Quality> {
    match code {
        192..=255 => None,
        0..64 => Some(Quality::Fail),
        _ => Some(Quality::Suspect),
    }
}

fn time(millis: Option<u64>) -> Result<Option<Timestamp>, DecodeError> {
    let Some(millis) = millis else { return Ok(None) };
    let time = i64::try_from(millis).ok().filter(|millis| *millis < i64::MAX / 1_000);
    let time = time.map(Timestamp::from_millis).filter(|time| time.is_writable());
    let time = time.ok_or_else(|| {
        DecodeError::new(
            DecodeErrorKind::BadTime,
            At::Message,
            format!("a timestamp is {millis}, which is no time in milliseconds since 1970"),
            "set the clock of the edge node; timestamps are in milliseconds",
        )
    })?;
    Ok(clock_was_set(time))
}

fn no_birth(address: Address<'_>, what: &str) -> DecodeError {
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

fn full(_: Full) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::TooManyValues,
        At::Message,
        "there are more edge nodes or metrics than this source keeps",
        "raise the source's options max_nodes and max_metrics, then ask for new births",
    )
}

fn not_a_topic(topic: &str, why: &str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::WrongShape,
        At::Message,
        format!("`{}` is no topic of Sparkplug B: {why}", quote(topic)),
        "a source of this format has the topic spBv1.0/#",
    )
}

fn not_a_payload(bad: Bad) -> DecodeError {
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

fn count(options: &Options<'_>, key: &str) -> Result<Option<usize>, OptionsError> {
    match options.number(key)? {
        None => Ok(None),
        Some(number) if (1.0..=1e8).contains(&number) => Ok(Some(number as usize)),
        Some(_) => Err(OptionsError::bad(options.full(key), "must be from 1 to 100000000")),
    }
}

fn span(options: &Options<'_>, key: &str) -> Result<Option<Span>, OptionsError> {
    let Some(text) = options.text(key)? else { return Ok(None) };
    let span = text.parse::<Span>().ok().filter(|span| *span >= Span::ZERO);
    span.map(Some).ok_or_else(|| {
        let problem = format!("`{text}` is not a duration such as 5s");
        OptionsError::bad(options.full(key), problem)
    })
}
