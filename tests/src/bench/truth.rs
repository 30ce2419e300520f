//! `truth`: a week of a city of 100,000 devices as fast as the machine takes it, by the virtual clock,
//! and its rules scored against what really happened.
//!
//! The simulator's `metropolis.toml` makes up the messages: floods, bad air, jams, power cuts, dark
//! gateways, and devices with firmware's habits. They go through the platform as they arrive: decoded,
//! located, checked, committed to the embedded store, and the rules of `metropolis.rules.yaml` watch
//! every commit and, once a virtual minute, the clock. What fired is compared with the simulator's
//! ground truth: precision, recall and delay for each rule, and what it is for operators by ISA-18.2.
//!
//! The baseline is the backtest of the same rules over what the store has of the week then: what an
//! engineer would have been told before the rules were switched on.
//!
//! `target/bench/truth.csv` has every incident and what was told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use city_backtest::{Alerts, Label, Labelled, Load, Request, WouldBe, backtest};
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{AlertEvent, Catalogue, Directory, ManualClock, SharedClock, Span, Timestamp};
use city_pipeline::{
    Ack, AckSink, Committed, Everybody, Follower, Limits, NoCodecs, NoDownlink, Pipeline,
    PipelineParts, RawMessage, SourceSpec, Sources, TimePolicy,
};
use city_registry::{DeviceEntry, Registry, Seed};
use city_rules::{Evaluator, RuleSet};
use city_store::{Cancel, Counters, Embedded, LedgerKey, Options, SharedStore, StateDb, TimeRange};
use firmware_sim::{FaultKind, Fleet, Incident, IncidentKind, Scenario};

use super::part::{bytes_in, disk_folder, memory_mb};
use super::upkeep::Upkeep;
use super::{Report, Samples, Scale, cpu_seconds};

const SCENARIO: &str = include_str!("../../../firmware-sim/scenarios/metropolis.toml");
const RULES: &str = include_str!("../../../firmware-sim/scenarios/metropolis.rules.yaml");
const SOURCES: &str = include_str!("../../../crates/citybrain/assets/chicago/sources.toml");
const ZONES: &str = include_str!("../../../crates/citybrain/assets/chicago/zones.geojson");

/// Midnight of a Monday in Chicago.
const START: &str = "2026-11-16T06:00:00Z";
/// How often the clock decides whether something is silent.
const STEP: Span = Span::from_mins(1);
/// How far timers are behind the clock, as in the alert engine.
const SLACK: Span = Span::from_millis(500);
/// Messages that are handed over together, as the endpoint does.
const BATCH: usize = 200;
/// How many operators share the alerts of a city of this size.
const OPERATORS: u32 = 4;

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (factor, hours) = if scale == Scale::Quick { (0.1, 42) } else { (1.0, 7 * 24) };
    let scenario = Scenario::parse("metropolis.toml", SCENARIO)?.scaled(factor);
    let fleet = Fleet::new(&scenario, ZONES, START.parse()?)?;
    let start = stamp(fleet.start());
    let end = start + Span::from_hours(hours);
    let folder = disk_folder()?;
    let mut city = City::open(folder.path(), &fleet)?;
    eprintln!("{} devices, {hours} hours", fleet.devices().len());
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let messages = city.live_through(&fleet, end)?;
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);

    let counted = city.counted();
    let readings = counted.stored;
    let directory = city.registry.directory();
    let labels = labels(&fleet, &directory, end)?;
    let range = TimeRange { from: start, to: end };
    let tried = {
        let request = Request {
            rules: city.rules.clone(),
            against: None,
            range,
            operators: OPERATORS,
            labels: Vec::new(),
        };
        let zones = &city.zones;
        let locate = |position| zones.locate(position);
        let cancel = Cancel::never();
        backtest(&*city.store, &directory, &locate, &request, &cancel, |_| {})?.alerts
    };
    let alerts = city.finish()?;
    write(&fleet, &alerts, &labels)?;

    let mut samples = Samples::default();
    samples.add("messages_per_s", messages as f64 / wall);
    samples.add("readings_per_s", readings as f64 / wall);
    samples.add("readings_per_cpu_s", readings as f64 / cpu);
    samples.add("readings", readings as f64);
    samples.add("duplicates", counted.duplicate as f64);
    samples.add("dead_letters", counted.dead_lettered as f64);
    let raw = bytes_in(&folder.path().join("store/chunks"));
    let log: u64 = ["ingest.db", "ingest.db-wal"]
        .map(|f| bytes_in(&folder.path().join("store").join(f)))
        .iter()
        .sum();
    samples.add("raw_mb", (raw + log) as f64 / 1e6);
    samples.add("summaries_mb", bytes_in(&folder.path().join("store/tiers")) as f64 / 1e6);
    samples.add("bytes_per_reading", (raw + log) as f64 / readings as f64);
    samples.add("rss_mb", memory_mb(std::process::id(), "VmRSS")?);
    let mut figures = vec![
        samples.figure("readings", "", None, "of the whole time, stored"),
        samples.figure("duplicates", "", None, "sent again, and stored once"),
        samples.figure("dead_letters", "", None, "what could not be read, and is kept"),
        samples.figure("readings_per_s", "1/s", None, "by the clock, the simulator beside it"),
        samples.figure("readings_per_cpu_s", "1/s", None, "the simulator's work included"),
        samples.figure("messages_per_s", "1/s", None, ""),
        samples.figure("raw_mb", "MB", None, "on the disk"),
        samples.figure("bytes_per_reading", "B", None, "today's, which are not compacted, too"),
        samples.figure("summaries_mb", "MB", None, ""),
        samples.figure("rss_mb", "MB", None, "with the simulator"),
    ];
    score(&mut samples, "", &alerts, &labels, range);
    score(&mut samples, "_backtest", &tried, &labels, range);
    for (name, unit, note) in names(&labels) {
        if samples.has(&name) {
            figures.push(samples.figure(&name, unit, Some(&format!("{name}_backtest")), &note));
        }
    }
    Ok(Report::new("truth", 1, figures))
}

fn stamp(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_microsecond())
}

/// The platform behind the doors.
struct City {
    store: SharedStore,
    registry: Arc<Registry>,
    zones: ZoneIndex,
    rules: Arc<RuleSet>,
    sources: Arc<Sources>,
    pipeline: Pipeline,
    watch: Arc<Watch>,
    clock: Arc<ManualClock>,
    upkeep: Upkeep,
}

impl City {
    fn open(folder: &Path, fleet: &Fleet) -> anyhow::Result<Self> {
        let start = stamp(fleet.start());
        let clock = Arc::new(ManualClock::new(start));
        let (store, _) = Embedded::open(folder.join("store"), Options::default())?;
        let store: SharedStore = Arc::new(store);
        let state = Arc::new(StateDb::open(folder.join("state.db"))?);
        let options = ZoneOptions {
            layer: "neighbourhood".to_owned(),
            name_zh_property: Some("name_zh".to_owned()),
            ..ZoneOptions::default()
        };
        let zones = || ZoneIndex::from_geojson(ZONES, &options).map(|loaded| loaded.index);
        let seed = Seed { catalogue: Catalogue::embedded(), zones: zones()?, ..Seed::default() };
        let registry = Arc::new(Registry::open(state, seed)?);
        let devices: Vec<DeviceEntry> =
            serde_json::from_value(serde_json::to_value(fleet.devices())?)?;
        registry.import(&devices)?;
        let directory = registry.directory();
        let rules = RuleSet::parse(&[("metropolis.rules.yaml".to_owned(), RULES.to_owned())])
            .map_err(|problems| anyhow::anyhow!("{problems}"))?;
        rules.check_against(&directory).map_err(|problems| anyhow::anyhow!("{problems}"))?;
        let rules = Arc::new(rules);
        let watch = Arc::new(Watch::new(rules.clone(), directory, start));
        let file: toml::Table = SOURCES.parse()?;
        let specs: Vec<SourceSpec> = file["source"].clone().try_into()?;
        let sources =
            Sources::compile(&specs).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let sources = Arc::new(sources);
        let shared: SharedClock = clock.clone();
        let pipeline = Pipeline::start(PipelineParts {
            sources: sources.clone(),
            registry: registry.clone(),
            store: store.clone(),
            followers: vec![watch.clone()],
            bounds: None,
            times: TimePolicy::default(),
            checks: BTreeMap::default(),
            location: city_quality::LocationChecks::default(),
            aqi: Vec::new(),
            codecs: Arc::new(NoCodecs),
            speakers: Arc::new(Everybody),
            downlink: Arc::new(NoDownlink),
            limits: Limits::default(),
            clock: shared,
            metrics: prometheus::Registry::new(),
        })?;
        let upkeep = Upkeep::start(store.clone())?;
        Ok(Self {
            store,
            registry,
            zones: zones()?,
            rules,
            sources,
            pipeline,
            watch,
            clock,
            upkeep,
        })
    }

    /// Takes everything that the fleet sends until a moment, and counts the messages.
    fn live_through(&mut self, fleet: &Fleet, end: Timestamp) -> anyhow::Result<u64> {
        let acks = Arc::new(Acks::default());
        let intake = self.pipeline.intake();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        // The simulator is one step or two ahead.
        let (sender, steps) = sync_channel(2);
        let (sources, sink) = (self.sources.clone(), acks.clone());
        let mut total = 0;
        std::thread::scope(|scope| -> anyhow::Result<()> {
            scope.spawn(move || simulate(fleet, end, &sources, &sink, &sender));
            for step in steps {
                let Step { until, messages } = step?;
                // Nothing may be received after now.
                self.clock.set(until);
                let count = messages.iter().map(Vec::len).sum::<usize>() as u64;
                runtime.block_on(async {
                    for batch in messages {
                        intake.send(batch).await?;
                    }
                    anyhow::Ok(())
                })?;
                total += count;
                acks.wait_for(total);
                self.watch.advance(until - SLACK);
                self.upkeep.tick(until);
                let since = until.since(stamp(fleet.start()));
                if since.micros() % Span::from_hours(6).micros() == 0 {
                    let day = since.secs_f64() / 86_400.0;
                    eprintln!("day {day:.2}: {total} messages, {} alerts", self.watch.count());
                }
            }
            Ok(())
        })?;
        Ok(total)
    }

    /// What became of all that was sent.
    fn counted(&self) -> Counters {
        let mut sum = Counters::default();
        for (key, counters) in self.store.ledger() {
            // Each reading is counted for its device, too.
            if matches!(key, LedgerKey::Source(_) | LedgerKey::NoSource) {
                sum.stored += counters.stored;
                sum.duplicate += counters.duplicate;
                sum.dead_lettered += counters.dead_lettered;
            }
        }
        sum
    }

    /// Stops everything; all alerts.
    fn finish(mut self) -> anyhow::Result<Vec<WouldBe>> {
        self.pipeline.stop();
        self.upkeep.catch_up()?;
        self.upkeep.join()?;
        let watch = Arc::into_inner(self.watch).context("somebody still watches")?;
        let watched = watch.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(watched.alerts.finish())
    }
}

/// What is sent in a minute.
struct Step {
    until: Timestamp,
    messages: Vec<Vec<RawMessage>>,
}

/// Makes up what is sent, step by step.
fn simulate(
    fleet: &Fleet,
    end: Timestamp,
    sources: &Sources,
    acks: &Arc<Acks>,
    to: &std::sync::mpsc::SyncSender<anyhow::Result<Step>>,
) {
    let mut until = stamp(fleet.start()) + STEP;
    let mut messages: Vec<Vec<RawMessage>> = Vec::new();
    for sent in fleet.sends() {
        let received = stamp(sent.at);
        while received >= until {
            let step = Step { until, messages: std::mem::take(&mut messages) };
            // An error says that the run has failed, and tells so itself.
            if to.send(Ok(step)).is_err() || until >= end {
                return;
            }
            until = until + STEP;
        }
        let topic = sent.uplink.topic;
        let Some(source) = sources.route(None, &topic) else {
            let _ = to.send(Err(anyhow::anyhow!("no source takes {topic}")));
            return;
        };
        if messages.last().is_none_or(|batch| batch.len() == BATCH) {
            messages.push(Vec::with_capacity(BATCH));
        }
        messages.last_mut().expect("one was pushed").push(RawMessage {
            source: Some(source),
            topic: topic.into(),
            payload: Bytes::from(sent.uplink.payload),
            received,
            retained: false,
            replayed: false,
            client: None,
            ack: Some(Ack::new(acks.clone(), 0)),
        });
    }
}

/// Counts acknowledgements.
#[derive(Default)]
struct Acks {
    count: Mutex<u64>,
    more: Condvar,
}

impl AckSink for Acks {
    fn committed(&self, _token: u64) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.more.notify_one();
    }
}

impl Acks {
    fn wait_for(&self, total: u64) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count < total {
            count = self.more.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The rules, watching.
struct Watch(Mutex<Watched>);

struct Watched {
    evaluator: Evaluator,
    events: Vec<AlertEvent>,
    alerts: Alerts,
    fired: u64,
}

impl Watch {
    fn new(rules: Arc<RuleSet>, directory: Arc<Directory>, start: Timestamp) -> Self {
        let evaluator = Evaluator::new(rules, directory, start);
        let alerts = Alerts::default();
        Self(Mutex::new(Watched { evaluator, events: Vec::new(), alerts, fired: 0 }))
    }

    fn advance(&self, now: Timestamp) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Watched { evaluator, events, .. } = &mut *watched;
        evaluator.advance(now, events);
        watched.take();
    }

    fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fired
    }
}

impl Watched {
    fn take(&mut self) {
        let fired = |event: &&AlertEvent| event.kind == city_model::AlertEventKind::Fired;
        self.fired += self.events.iter().filter(fired).count() as u64;
        self.alerts.take(self.events.drain(..));
    }
}

impl Follower for Watch {
    fn follow(&self, committed: &Arc<Committed>) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Watched { evaluator, events, .. } = &mut *watched;
        for reading in &committed.readings {
            evaluator.observe(reading, events);
        }
        watched.take();
    }
}

/// The rules that should see an incident.
fn watchers(kind: IncidentKind) -> &'static [&'static str] {
    match kind {
        IncidentKind::AirEpisode => &["air-episode"],
        IncidentKind::RisingWater => &["water-level"],
        IncidentKind::TrafficJam => &["traffic-jam"],
        IncidentKind::LoudEvent | IncidentKind::Festival => &["noise-high"],
        IncidentKind::DarkGateway => &["gateway-dark"],
        IncidentKind::PowerCut => &["gateway-dark", "cabinet-dark"],
    }
}

/// The rules that are right to fire in an incident, too, though it is enough if others do.
fn bystanders(kind: IncidentKind) -> &'static [&'static str] {
    match kind {
        IncidentKind::PowerCut => &["device-silent", "lamp-or-bin-silent"],
        IncidentKind::DarkGateway => &["lamp-or-bin-silent"],
        _ => &[],
    }
}

/// What rules should have seen, and what else they are right to see.
#[derive(Clone, Default)]
struct Labels {
    due: Vec<Label>,
    excused: Vec<Label>,
}

impl Labels {
    /// What concerns a rule.
    fn of(&self, rule: &Arc<str>) -> Self {
        let own = |labels: &[Label]| {
            labels.iter().filter(|label| label.rule.as_ref() == Some(rule)).cloned().collect()
        };
        Self { due: own(&self.due), excused: own(&self.excused) }
    }

    /// The rules that should have seen something.
    fn rules(&self) -> BTreeSet<Arc<str>> {
        self.due.iter().filter_map(|label| label.rule.clone()).collect()
    }

    /// Recall and delay by what was due, precision by all.
    fn score(&self, alerts: &[WouldBe], end: Timestamp) -> Labelled {
        let all = [&*self.due, &self.excused].concat();
        let Labelled { precision, false_alarms, .. } = Labelled::of(alerts, &all, end);
        Labelled { precision, false_alarms, ..Labelled::of(alerts, &self.due, end) }
    }
}

/// What each rule should have seen of the truth, as far as it happened before the end.
fn labels(fleet: &Fleet, directory: &Directory, end: Timestamp) -> anyhow::Result<Labels> {
    let mut labels = Labels::default();
    for incident in fleet.incidents().iter().filter(|incident| stamp(incident.start) < end) {
        let label = |rule: &str| {
            let place = match (incident.kind, rule) {
                (_, "gateway-dark") | (IncidentKind::DarkGateway, _) => {
                    incident.devices.first().cloned()
                }
                _ => zone_of(directory, incident),
            };
            anyhow::Ok(Label {
                name: format!("{} {}", incident.number, incident.name.en),
                rule: Some(rule.into()),
                place: Some(place.with_context(|| incident.name.en.clone())?.into()),
                from: stamp(incident.start),
                to: stamp(incident.end),
            })
        };
        for rule in watchers(incident.kind) {
            labels.due.push(label(rule)?);
        }
        for rule in bystanders(incident.kind) {
            labels.excused.push(label(rule)?);
        }
    }
    for fault in fleet.faults().iter().filter(|fault| stamp(fault.start) < end) {
        let rule = match fault.kind {
            FaultKind::Stuck => "sensor-stuck",
            FaultKind::Outage => "device-silent",
            _ => continue,
        };
        for device in &fault.devices {
            labels.due.push(Label {
                name: format!("{} of {device}", fault.kind.name()),
                rule: Some(rule.into()),
                place: Some(device.as_str().into()),
                from: stamp(fault.start),
                to: fault.end.map_or(end, stamp),
            });
        }
    }
    ensure!(!labels.due.is_empty(), "nothing happens in this city");
    Ok(labels)
}

fn zone_of(directory: &Directory, incident: &Incident) -> Option<String> {
    let zone = directory.zones().iter().find(|zone| zone.name.en == incident.zone)?;
    Some(zone.id.to_string())
}

/// Scores each rule by what it should have seen, and all together.
fn score(
    samples: &mut Samples,
    suffix: &str,
    alerts: &[WouldBe],
    labels: &Labels,
    range: TimeRange,
) {
    let mut add = |name: String, value: Option<f64>| {
        if let Some(value) = value {
            samples.add(format!("{name}{suffix}"), value);
        }
    };
    let all = labels.score(alerts, range.to);
    add("precision".to_owned(), all.precision);
    add("recall".to_owned(), all.recall);
    for rule in labels.rules() {
        let own: Vec<WouldBe> = alerts.iter().filter(|alert| alert.rule == rule).cloned().collect();
        let scored = labels.of(&rule).score(&own, range.to);
        add(format!("{rule}: alerts"), Some(own.len() as f64));
        add(format!("{rule}: precision"), scored.precision);
        add(format!("{rule}: recall"), scored.recall);
        add(format!("{rule}: delay"), scored.delay_s.map(|delay| delay / 60.0));
    }
    let occurrences: Vec<_> = alerts.iter().map(WouldBe::occurrence).collect();
    let load = Load::of(&occurrences, (range.from, range.to), OPERATORS);
    for (name, value) in [
        ("alerts_per_operator_day", load.per_operator_day),
        ("peak_ten_minutes", load.peak_ten_minutes),
        ("flood_minutes", load.flood_minutes),
        ("hours_over_30", load.hours_over_30),
        ("chattering", load.chattering as f64),
        ("fleeting", load.fleeting as f64),
        ("stale", load.stale as f64),
    ] {
        add(name.to_owned(), Some(value));
    }
}

/// The figures of a score in their order: name, unit, note.
fn names(labels: &Labels) -> Vec<(String, &'static str, String)> {
    let mut names = vec![
        ("precision".to_owned(), "", "alerts that belong to something that happened".to_owned()),
        ("recall".to_owned(), "", "of what a rule should have seen".to_owned()),
    ];
    for rule in labels.rules() {
        let due = labels.of(&rule).due.len();
        names.push((
            format!("{rule}: alerts"),
            "",
            format!("{due} times it should have seen something"),
        ));
        names.push((format!("{rule}: precision"), "", String::new()));
        names.push((format!("{rule}: recall"), "", String::new()));
        names.push((format!("{rule}: delay"), "min", "median, from the first sign on".to_owned()));
    }
    let load = format!("ISA-18.2, {OPERATORS} operators");
    for (name, unit) in [
        ("alerts_per_operator_day", "1/d"),
        ("peak_ten_minutes", ""),
        ("flood_minutes", "min"),
        ("hours_over_30", ""),
        ("chattering", ""),
        ("fleeting", ""),
        ("stale", ""),
    ] {
        names.push((name.to_owned(), unit, load.clone()));
    }
    names
}

/// Writes what was told of each incident, and which alerts belong to none.
fn write(fleet: &Fleet, alerts: &[WouldBe], labels: &Labels) -> anyhow::Result<()> {
    let end = alerts.iter().map(|alert| alert.fired_at).max().unwrap_or(stamp(fleet.start()));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench/truth.csv");
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(["what", "rule", "place", "from", "to", "fired_at"])?;
    let time = |time: Timestamp| time.to_string();
    for label in &labels.due {
        let found = Labelled::of(alerts, std::slice::from_ref(label), end);
        let fired = found.incidents.first().and_then(|found| found.fired_at);
        file.write_record([
            &*label.name,
            label.rule.as_deref().unwrap_or_default(),
            label.place.as_deref().unwrap_or_default(),
            &time(label.from),
            &time(label.to),
            &fired.map(time).unwrap_or_default(),
        ])?;
    }
    for alert in alerts {
        let own = labels.of(&alert.rule);
        if own.score(std::slice::from_ref(alert), end).false_alarms > 0 {
            file.write_record([
                "false alarm",
                &alert.rule,
                &alert.subject.to_string(),
                &time(alert.fired_at),
                &alert.resolved_at.map(time).unwrap_or_default(),
                &alert.value.map(|value| value.to_string()).unwrap_or_default(),
            ])?;
        }
    }
    Ok(file.flush()?)
}
