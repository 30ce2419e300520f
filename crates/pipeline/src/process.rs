//! One message after another through decode, resolve, locate and check: everything that happens
//! between the front door and the commit. Runs on one thread, so that order inside a series is
//! kept without any lock.

use std::sync::Arc;

use city_decode::topic::Captures;
use city_decode::{Codecs, Command, Decoded, Heard, Message, Sender};
use city_model::unit::{Conversion, conversion};
use city_model::{
    Device, DeviceKey, Directory, Marks, MetricKey, Quality, Reading, SeriesKey, Span, Timestamp,
    Value,
};
use city_registry::{Registry, RegistryError, Seen};
use city_store::{Commit, DeliveryNote, SequenceNote};
use rustc_hash::FxHashMap;

use crate::ahead::Ahead;
use crate::check::Checks;
use crate::derive::Deriver;
use crate::letter::Reason;
use crate::locate::{Located, Locator};
use crate::names::NewNames;
use crate::redelivery::{self, Redeliveries};
use crate::seam::{Downlink, Speakers};
use crate::source::Source;
use crate::{Delivery, RawMessage, Sources, provision};

/// What is tolerated in event times.
#[derive(Clone, Copy, Debug)]
pub struct TimePolicy {
    /// An event time further ahead of the clock than this is flagged and not trusted.
    pub future_tolerance: Span,
    /// One further ahead than this cannot be: the message becomes a dead letter.
    pub absurd_future: Span,
    /// One before this cannot be either.
    pub earliest: Timestamp,
}

impl Default for TimePolicy {
    fn default() -> Self {
        Self {
            future_tolerance: Span::from_mins(5),
            absurd_future: Span::from_hours(24),
            earliest: Timestamp::from_secs(946_684_800), // 2000-01-01, before any device of today
        }
    }
}

/// A metric as one source spells it, resolved once.
struct KnownMetric {
    unit: Option<Box<str>>,
    key: MetricKey,
    conversion: Conversion,
    /// Counts what comes under a name that nobody has mapped yet.
    seen: Option<Arc<Seen>>,
}

/// What the stages from decode to check are made of.
pub(crate) struct ProcessorParts {
    pub(crate) sources: Arc<Sources>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) times: TimePolicy,
    pub(crate) locator: Locator,
    pub(crate) checks: Checks,
    pub(crate) codecs: Arc<dyn Codecs>,
    pub(crate) speakers: Arc<dyn Speakers>,
    pub(crate) downlink: Arc<dyn Downlink>,
    pub(crate) deriver: Option<Deriver>,
    /// What was delivered before, oldest first.
    pub(crate) deliveries: Vec<DeliveryNote>,
}

/// The state of the stages from decode to check.
pub(crate) struct Processor {
    parts: ProcessorParts,
    /// The number of each source in the ledger.
    numbers: Vec<u16>,
    directory: Arc<Directory>,
    /// For each source, its metrics by the name that it uses.
    metrics: Vec<FxHashMap<Box<str>, KnownMetric>>,
    /// With which mappings they were resolved.
    mappings: u64,
    /// What the formats want to be published, for a moment.
    commands: Vec<Command>,
    redeliveries: Redeliveries,
    ahead: Ahead,
    /// What the message in hand may still bring.
    names: NewNames,
}

impl Processor {
    pub(crate) fn new(mut parts: ProcessorParts) -> Result<Self, RegistryError> {
        let directory = parts.registry.directory();
        let ids = parts.sources.iter().map(|source| &*source.spec.id);
        let numbers = parts.registry.source_numbers(ids)?;
        let metrics =
            std::iter::repeat_with(FxHashMap::default).take(parts.sources.iter().count()).collect();
        let mappings = parts.registry.mappings_version();
        let redeliveries = Redeliveries::new(std::mem::take(&mut parts.deliveries));
        Ok(Self {
            parts,
            numbers,
            directory,
            metrics,
            mappings,
            commands: Vec::new(),
            redeliveries,
            ahead: Ahead::default(),
            names: NewNames::new(),
        })
    }

    /// Takes up changes of the registry; called between batches.
    pub(crate) fn refresh(&mut self) {
        self.parts.locator.refresh(&self.parts.registry);
        if !self.parts.registry.is_current(&self.directory) {
            self.directory = self.parts.registry.directory();
        }
        let mappings = self.parts.registry.mappings_version();
        if mappings != self.mappings {
            self.mappings = mappings;
            self.metrics.iter_mut().for_each(FxHashMap::clear);
        }
    }

    /// Adds to a commit what is derived from its readings, and what is to be known again when it
    /// comes again; called when it is complete.
    pub(crate) fn derive(&mut self, commit: &mut Commit) {
        commit.deliveries = self.redeliveries.take_fresh();
        if let Some(deriver) = &mut self.parts.deriver {
            deriver.derive(&self.directory, commit);
        }
    }

    /// Turns the messages of a batch into readings and dead letters, one after the other; `each`
    /// is called after each of them.
    pub(crate) fn batch(
        &mut self,
        messages: &[RawMessage],
        commit: &mut Commit,
        mut each: impl FnMut(&mut Commit),
    ) {
        let mut ahead = std::mem::take(&mut self.ahead);
        let codecs = self.parts.codecs.clone();
        ahead.decode(messages, &*codecs, |message| {
            let source = self.parts.sources.get(message.source?)?;
            let captures = source.template.capture(&message.topic).unwrap_or_default();
            self.refused(message, captures.device).is_none().then_some(source)
        });
        for (index, message) in messages.iter().enumerate() {
            let prepared = ahead.codecs(index, &*codecs);
            self.message(message, &prepared, commit);
            if let Some(source) = message.source {
                ahead.learn(source, &prepared);
            }
            each(commit);
        }
        self.ahead = ahead;
    }

    fn message(&mut self, message: &RawMessage, codecs: &dyn Codecs, commit: &mut Commit) {
        let sources = self.parts.sources.clone();
        let Some(source) = message.source.and_then(|key| sources.get(key)) else {
            let letter = Reason::no_source(&message.topic).letter(message, None, None, None, 1);
            commit.dead_letters.push(letter);
            return;
        };
        let captures = source.template.capture(&message.topic).unwrap_or_default();
        if let Some(reason) = self.refused(message, captures.device) {
            let device = captures.device.map(str::to_owned);
            let key = self.device_key(captures.device);
            let from = Some((self.number(message), &*source.spec.id));
            commit.dead_letters.push(reason.letter(message, from, device, key, 1));
            return;
        }
        let heard = Heard::default();
        let input = Message {
            replayed: message.replayed,
            codecs: Some(codecs),
            heard: Some(&heard),
            ..Message::new(&message.topic, &message.payload, message.received)
        };
        let mut found = Vec::new();
        let decoded = source.decoder.decode(&input, &mut found);
        source.decoder.commands(&mut self.commands);
        for command in self.commands.drain(..) {
            self.parts.downlink.publish(source, command);
        }
        let sender = heard.take();
        if let Some(sender) = &sender {
            self.note_heard(message, sender, commit);
        }
        if let Err(error) = decoded {
            let named = sender.map(|sender| sender.device);
            let device = named.or_else(|| captures.device.map(str::to_owned));
            let key = self.device_key(device.as_deref());
            let from = Some((self.number(message), &*source.spec.id));
            commit.dead_letters.push(Reason::decode(&error).letter(message, from, device, key, 1));
            return;
        }
        self.readings(message, source, &captures, &found, commit);
    }

    /// Why a message goes to no decoder, which may keep what it says for the next one; `device` is
    /// what its topic names.
    fn refused(&self, message: &RawMessage, device: Option<&str>) -> Option<Reason> {
        let Delivery { cut_from, garbage, .. } = message.delivery();
        if garbage {
            return Some(Reason::garbage(message.payload.len()));
        }
        if let Some(size) = cut_from {
            return Some(Reason::cut(size, message.payload.len()));
        }
        // Where `-` stands, the device is left to the payload.
        let (client, device) = (message.client.as_deref()?, device.filter(|id| *id != "-")?);
        let may = self.parts.speakers.may_speak(client, device);
        (!may).then(|| Reason::not_its_device(client, device))
    }

    /// Notes the number of a message without values of a device that is registered.
    fn note_heard(&self, message: &RawMessage, sender: &Sender, commit: &mut Commit) {
        let client = message.client.as_deref();
        if client.is_some_and(|client| !self.parts.speakers.may_speak(client, &sender.device)) {
            return;
        }
        if let Some(device) = self.device_key(Some(&sender.device)) {
            note_sequence(message, self.number(message), device, sender.sequence, commit);
        }
    }

    /// The number in the ledger of the source that a message came from.
    fn number(&self, message: &RawMessage) -> u16 {
        let index = usize::from(message.source.unwrap_or_default().0);
        self.numbers.get(index).copied().unwrap_or_default()
    }

    fn readings(
        &mut self,
        message: &RawMessage,
        source: &Source,
        captures: &Captures<'_>,
        found: &[Decoded<'_>],
        commit: &mut Commit,
    ) {
        let mut failed: Option<(Reason, Option<String>, Option<DeviceKey>, u32)> = None;
        let mut device: Option<Arc<Device>> = None;
        let number = self.number(message);
        self.names = NewNames::new();
        for (place, decoded) in found.iter().enumerate() {
            let rest = &found[place..];
            let id = decoded.device.as_deref().or(captures.device);
            let found = self.device(message, id, device.take(), source, captures);
            let reading = found.and_then(|found| {
                if let Some(sequence) = decoded.sequence.filter(|_| !decoded.simulated) {
                    note_sequence(message, number, found.key, sequence, commit);
                }
                self.reading(message, source, &found, decoded, rest).map(|r| (found, r))
            });
            match reading {
                Ok((found, reading)) => {
                    device = Some(found);
                    commit.readings.push(reading);
                    commit.sources.push(number);
                }
                Err(reason) => {
                    let key = self.device_key(id);
                    let (first, _, of, items) = failed
                        .get_or_insert_with(|| (reason.clone(), id.map(str::to_owned), key, 0));
                    // A letter about several devices is none's own.
                    *of = of.filter(|of| Some(*of) == key);
                    *items += 1;
                    if first.detail != reason.detail && first.detail.len() < 500 {
                        first.detail = format!("{}; {}", first.detail, reason.detail);
                    }
                }
            }
        }
        if let Some((reason, device, key, items)) = failed {
            let from = Some((number, &*source.spec.id));
            commit.dead_letters.push(reason.letter(message, from, device, key, items));
        }
    }

    /// The key of a registered device.
    fn device_key(&self, id: Option<&str>) -> Option<DeviceKey> {
        self.directory.device_by_id(id?).map(|device| device.key)
    }

    /// The registered device; `before` is that of the value before, most often the same.
    fn device(
        &mut self,
        message: &RawMessage,
        id: Option<&str>,
        before: Option<Arc<Device>>,
        source: &Source,
        captures: &Captures<'_>,
    ) -> Result<Arc<Device>, Reason> {
        let id = id.ok_or_else(Reason::no_device)?;
        if let Some(device) = before.filter(|device| &*device.id == id) {
            return Ok(device);
        }
        if let Some(client) = message.client.as_deref()
            && !self.parts.speakers.may_speak(client, id)
        {
            return Err(Reason::not_its_device(client, id));
        }
        if let Some(device) = self.directory.device_by_id(id) {
            return Ok(device.clone());
        }
        provision::admit(&self.parts.registry, source, captures, id, message.received)?;
        self.directory = self.parts.registry.directory();
        self.directory.device_by_id(id).cloned().ok_or_else(Reason::no_device)
    }

    /// The reading of a value; `rest` are the values of its message from it on.
    fn reading(
        &mut self,
        message: &RawMessage,
        source: &Source,
        device: &Device,
        decoded: &Decoded<'_>,
        rest: &[Decoded<'_>],
    ) -> Result<Reading, Reason> {
        let (metric, conversion) = self.metric(message, source, decoded, rest)?;
        let mut marks = Marks::NONE;
        if source.spec.simulated || device.simulated || decoded.simulated {
            marks = marks.with(Marks::SIMULATED);
        }
        if message.retained {
            marks = marks.with(Marks::RETAINED);
        }
        let time = self.event_time(message, decoded, &mut marks)?;
        let value = match &decoded.value {
            Value::Number(number) => Value::Number(conversion.apply(*number)),
            other => other.clone(),
        };
        // A clock that runs ahead must not make what comes after it look late.
        let ahead = marks.has(Marks::FUTURE);
        let judged_at = if ahead { message.received } else { time };
        let Located { position, zones, verdict, bad } =
            self.parts.locator.locate(device, decoded.position, source.spec.crs, judged_at);
        if bad {
            marks = marks.with(Marks::BAD_POSITION);
        }
        let series = SeriesKey { device: device.key, metric };
        let number = if decoded.missing { None } else { Some(&value) };
        let checks = &mut self.parts.checks;
        let checked = checks.check(&self.directory, device, metric, judged_at, number, verdict);
        let told = decoded.quality.unwrap_or_default();
        let ahead = if ahead { Quality::Suspect } else { Quality::NotEvaluated };
        let quality = checked.worst(told).worst(ahead);
        Ok(Reading {
            series,
            time,
            received: message.received,
            value,
            quality,
            marks,
            position,
            zones,
        })
    }

    fn event_time(
        &mut self,
        message: &RawMessage,
        decoded: &Decoded<'_>,
        marks: &mut Marks,
    ) -> Result<Timestamp, Reason> {
        let received = message.received;
        let Some(time) = decoded.time else {
            *marks = marks.with(Marks::UNTIMED);
            let source = self.number(message);
            let network = decoded.dedup.as_deref().map(|id| redelivery::key(source, id));
            let sender = message.delivery().id.map(|id| redelivery::key(source, id));
            let key = network.or(sender);
            return Ok(key.map_or(received, |key| self.redeliveries.first(key, received)));
        };
        let ahead = time.since(received);
        if time < self.parts.times.earliest || ahead >= self.parts.times.absurd_future {
            return Err(Reason::absurd_time(time, self.parts.times.absurd_future));
        }
        if ahead > self.parts.times.future_tolerance {
            *marks = marks.with(Marks::FUTURE);
        }
        Ok(time)
    }

    /// The metric's key, and how to convert what was sent into its unit.
    fn metric(
        &mut self,
        message: &RawMessage,
        source: &Source,
        decoded: &Decoded<'_>,
        rest: &[Decoded<'_>],
    ) -> Result<(MetricKey, Conversion), Reason> {
        let index = usize::from(message.source.unwrap_or_default().0);
        let name: &str = &decoded.metric;
        let unit = decoded.unit.as_deref();
        if let Some(metric) = self.metrics[index].get(name)
            && metric.unit.as_deref() == unit
        {
            metric.note(message, decoded);
            return Ok((metric.key, metric.conversion));
        }
        let metric = self.resolve_metric(message, source, name, unit, rest)?;
        metric.note(message, decoded);
        let found = (metric.key, metric.conversion);
        self.metrics[index].insert(name.into(), metric);
        Ok(found)
    }
}

impl Processor {
    /// The metric of this name with the conversion from what was sent; a new name is registered.
    fn resolve_metric(
        &mut self,
        message: &RawMessage,
        source: &Source,
        name: &str,
        unit: Option<&str>,
        rest: &[Decoded<'_>],
    ) -> Result<KnownMetric, Reason> {
        let registry = &self.parts.registry;
        let id = &source.spec.id;
        if let Some(mapping) = registry.mapping(id, name)
            && let Some(metric) = self.directory.metrics.by_id(&mapping.metric)
        {
            let conversion = mapping
                .conversion(unit, &metric.unit)
                .map_err(|error| Reason::unit(name, &error))?;
            let unit = unit.map(Into::into);
            return Ok(KnownMetric { unit, key: metric.key, conversion, seen: None });
        }
        let said = unit.filter(|unit| !unit.is_empty());
        match (self.directory.metrics.by_id(name), said) {
            (None, _) => {
                self.names.register(registry, &self.directory, source, rest)?;
                self.directory = registry.directory();
            }
            // Nobody knows the unit of what came before. All that comes from now on has this one.
            (Some(metric), Some(unit)) if metric.unmapped && metric.unit.is_empty() => {
                registry.give_unit(name, unit).map_err(|error| Reason::registry(&error))?;
                self.directory = registry.directory();
            }
            _ => {}
        }
        let metric = self.directory.metrics.by_id(name).ok_or_else(|| Reason::no_metric(name))?;
        let conversion = match said {
            Some(unit) if !metric.unit.is_empty() => {
                conversion(unit, &metric.unit).map_err(|error| Reason::unit(name, &error))?
            }
            _ => Conversion::IDENTITY,
        };
        let waits = metric.unmapped.then_some(unit.unwrap_or_default());
        let seen = waits.and_then(|unit| registry.see_unmapped(id, name, unit, message.received));
        Ok(KnownMetric { unit: unit.map(Into::into), key: metric.key, conversion, seen })
    }
}

impl KnownMetric {
    fn note(&self, message: &RawMessage, decoded: &Decoded<'_>) {
        if let Some(seen) = &self.seen {
            let number =
                if let Value::Number(number) = decoded.value { Some(number) } else { None };
            seen.note(message.received, number);
        }
    }
}

/// Notes the number of a message, once for all its values. An old message says nothing about what
/// went missing since.
fn note_sequence(
    message: &RawMessage,
    source: u16,
    device: DeviceKey,
    number: u64,
    commit: &mut Commit,
) {
    let note = SequenceNote { source, device, number };
    if !message.replayed && !message.retained && commit.sequences.last() != Some(&note) {
        commit.sequences.push(note);
    }
}
