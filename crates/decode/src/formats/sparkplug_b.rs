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
//! birth is there. A replay changes nothing of what is known, and reads aliases only if that
//! birth is the one that was in force when the message arrived, or the first after it.
//!
//! After a restart the first message of an edge node other than its birth asks for one. What died
//! while nobody listened, and the devices of a node that dies before it is born again, keep the
//! `online` = true that was stored last: nobody is left who could be asked.
//!
//! **Time** is that at which messages arrive, so a gap is noticed with the next message of any
//! edge node of the source. Messages after a gap are not held back: each value has its own time.
//! `online` has the time of arrival: births and deaths, which a broker sends in an edge node's
//! stead, are then in the order in which they came, whatever the edge node's clock says.
//!
//! **Readings.** Each edge node and each of its devices is a device. Births and data give their
//! metrics' values, by the names in the birth; besides, a birth gives `online` = true, and a
//! death `online` = false, an edge node's for its devices too: what such a device said last is
//! stale. A death of an earlier session (`bdSeq`), or one that is delivered again, says nothing.
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
mod metric;
mod refusal;
#[cfg(test)]
mod tests;
mod topic;
mod value;
mod wire;

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use city_model::{Span, Timestamp};

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError};
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::time::clock_was_set;
use crate::{Command, Decoder, Example, Format, Message};
use host::{Death, Host, Names, Patience};
use metric::{Known, put, quality};
use refusal::{full, not_a_payload, not_a_topic, other_birth};
use topic::{Address, Kind, Topic};
use wire::Payload;

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
        let mut now = message.received;
        if !message.replayed {
            let mut host = self.host();
            match address.device {
                None => host.node_birth(address, payload, now),
                Some(device) => host.device_birth(address, device, payload, now),
            }
            .map_err(full)?;
            now = host.stamp(address, now);
        }
        self.online(address, true, now, sink)?;
        self.values(address, payload, None, sink)
    }

    fn death<'a>(
        &'a self,
        address: Address<'a>,
        payload: &Payload<'a>,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut now = message.received;
        let mut devices = Vec::new();
        if !message.replayed {
            let mut host = self.host();
            match address.device {
                Some(device) => host.device_death(address, device, payload, now),
                None => match host.node_death(address, payload, now) {
                    Death::Of(of) => devices = of,
                    Death::Known => {
                        sink.ignore();
                        return Ok(());
                    }
                },
            }
            now = host.stamp(address, now);
        }
        self.online(address, false, now, sink)?;
        for device in devices {
            let id = self.id(Address { device: Some(&device), ..address })?;
            put_online(&id, false, now, sink)?;
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
        let known = host.names(address);
        let then = known.filter(|names| !message.replayed || names.hold_for(message.received));
        let found = match then {
            Some(names) => self.values(address, payload, Some(names), sink),
            None => self.values(address, payload, Some(&Names::default()), sink),
        };
        let misfit = matches!(&found, Err(error) if error.kind == DecodeErrorKind::NoBirth);
        if message.replayed {
            let other = misfit && known.is_some() && then.is_none();
            return if other { Err(other_birth(address)) } else { found };
        }
        if misfit || known.is_none() {
            host.doubt(address, message.received);
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
