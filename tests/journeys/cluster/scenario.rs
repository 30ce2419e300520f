//! A simulated city as the load of a journey, and its truth.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, ensure};
use city_backtest::{Alerts, Label, Labelled};
use city_model::{AlertEvent, Span, Timestamp};
use city_tests::cluster::Additions;
use firmware_sim::{Fleet, IncidentKind};
use serde_json::Value;

use super::senders::{CONNECTIONS, Message};

const CITY: &str = include_str!("../../testdata/disturbed/city.toml");
const RULES: &str = include_str!("../../testdata/disturbed/rules.yaml");
const SOURCES: &str = include_str!("../../testdata/disturbed/sources.toml");
const ZONES: &str = include_str!("../../../crates/citybrain/assets/chicago/zones.geojson");

/// The zones that the city has.
const NEIGHBOURHOODS: [&str; 4] = ["Albany Park", "Avondale", "Irving Park", "North Center"];

/// How much of the city's time passes in a round.
const STEP: Span = Span::from_mins(3);
/// How many rounds there is something to send in: thirty hours.
const ROUNDS: usize = 600;

/// Devices that live through more than a day of the past while a journey lasts.
pub(super) struct City {
    fleet: Fleet,
    zones: String,
    /// By connection and round, see [`super::senders::Load`].
    sends: Vec<Vec<Vec<Vec<Message>>>>,
}

impl City {
    pub(super) fn begin(began: Timestamp) -> anyhow::Result<Self> {
        let mut zones: Value = serde_json::from_str(ZONES)?;
        let features = zones["features"].as_array_mut().context("features")?;
        features.retain(|feature| {
            NEIGHBOURHOODS.iter().any(|name| feature["properties"]["name"] == **name)
        });
        let zones = zones.to_string();
        let scenario = firmware_sim::Scenario::parse("city.toml", CITY)?;
        let start = jiff::Timestamp::from_microsecond(began.micros())?;
        let fleet = Fleet::new(&scenario, &zones, start)?;
        let mut sends = vec![vec![Vec::new(); ROUNDS]; CONNECTIONS];
        let mut links: HashMap<(usize, u64), usize> = HashMap::new();
        for sent in fleet.sends() {
            let since = sent.at.as_microsecond() - start.as_microsecond();
            let round = (since / STEP.micros()) as usize;
            if round >= ROUNDS {
                break;
            }
            let waves: &mut Vec<Vec<Message>> =
                &mut sends[(sent.link % CONNECTIONS as u64) as usize][round];
            // What comes from one device keeps its order, also where some of it is sent again.
            let wave = links.entry((round, sent.link)).or_default();
            if waves.len() <= *wave {
                waves.push(Vec::new());
            }
            let message = Message { topic: sent.uplink.topic, payload: sent.uplink.payload };
            waves[*wave].push(message);
            *wave += 1;
        }
        Ok(Self { fleet, zones, sends })
    }

    pub(super) fn waves(&self, connection: usize, round: usize) -> &[Vec<Message>] {
        self.sends[connection].get(round).map_or(&[], Vec::as_slice)
    }

    /// What a process must be told of it.
    pub(super) fn additions(&self) -> anyhow::Result<Additions> {
        let mut devices = serde_json::to_value(self.fleet.devices())?;
        for device in devices.as_array_mut().context("devices")? {
            // Nobody outside is told of what is only simulated.
            device["simulated"] = false.into();
        }
        let city = "devices = \"devices.json\"\nzones = [{ file = \"zones.geojson\", layer = \
                    \"neighbourhood\", name_zh_property = \"name_zh\" }]\n";
        Ok(Additions {
            city: city.to_owned(),
            tables: SOURCES.to_owned(),
            files: vec![
                ("devices.json", devices.to_string()),
                ("zones.geojson", self.zones.clone()),
                ("rules/disturbed.yaml", RULES.to_owned()),
            ],
        })
    }

    /// Holds what was told against what happened in so many rounds.
    pub(super) fn score(&self, events: &[AlertEvent], rounds: usize) -> anyhow::Result<Score> {
        let stamp = |time: jiff::Timestamp| Timestamp::from_micros(time.as_microsecond());
        let lasted = Span::from_micros(STEP.micros() * rounds.min(ROUNDS) as i64);
        let end = stamp(self.fleet.start()) + lasted;
        let (mut over, mut all) = (Vec::new(), Vec::new());
        for incident in self.fleet.incidents().iter().filter(|one| stamp(one.start) < end) {
            let rule = match incident.kind {
                IncidentKind::RisingWater => "water-level",
                IncidentKind::LoudEvent => "noise-high",
                IncidentKind::AirEpisode => "air-episode",
                IncidentKind::TrafficJam => "traffic-jam",
                other => anyhow::bail!("no rule watches for {}", other.name()),
            };
            for device in &incident.devices {
                let label = Label {
                    name: format!("{} at {device}", incident.name.en),
                    rule: Some(rule.into()),
                    place: Some(device.as_str().into()),
                    from: stamp(incident.start),
                    to: stamp(incident.end),
                };
                if label.to < end {
                    over.push(label.clone());
                }
                all.push(label);
            }
        }
        let mut alerts = Alerts::default();
        alerts.take(events.iter().filter(|event| is_ours(event)).map(|event| {
            // When it was in the city, not when somebody heard of it.
            AlertEvent { at: event.alert.reading_time.unwrap_or(event.at), ..event.clone() }
        }));
        let alerts = alerts.finish();
        let Labelled { recall, incidents, delay_s, .. } = Labelled::of(&alerts, &over, end);
        let Labelled { precision, .. } = Labelled::of(&alerts, &all, end);
        let mut missed = incidents.iter().filter(|found| found.fired_at.is_none());
        if let Some(found) = missed.next() {
            eprintln!("missed: {} from {} on, and {} more", found.name, found.from, missed.count());
        }
        Ok(Score {
            happened: over.len(),
            alerts: alerts.len(),
            recall: recall.context("nothing happened")?,
            precision: precision.context("nobody was told of anything")?,
            delay: Span::from_secs(delay_s.unwrap_or_default() as i64),
        })
    }
}

/// Whether it comes of the rules of this city, not of those that others brought.
fn is_ours(event: &AlertEvent) -> bool {
    RULES.contains(&format!("id: {}\n", event.alert.rule.id))
}

/// How what was told agrees with what happened.
#[derive(Clone, Copy)]
pub(super) struct Score {
    /// How often something happened to a device and was over.
    pub(super) happened: usize,
    pub(super) alerts: usize,
    pub(super) recall: f64,
    pub(super) precision: f64,
    /// From the first sign to the alert, in the city's time; the median.
    pub(super) delay: Span,
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { happened, alerts, recall, precision, delay } = self;
        let minutes = delay.secs_f64() / 60.0;
        write!(
            f,
            "{happened} times something happened to a device, {alerts} alerts: recall {recall}, \
             precision {precision}, the median alert {minutes:.0} min after it began"
        )
    }
}

/// All readings in a folder of data: by device and metric, in order of time.
pub(super) type History = BTreeMap<(String, String), Vec<String>>;

/// Reads the history of a process that does not run.
pub(super) fn history(data: &Path) -> anyhow::Result<History> {
    use city_store::Store as _;
    let (store, _) =
        city_store::Embedded::open(data.join("store"), city_store::Options::default())?;
    // Opening the registry writes to it.
    let copy = tempfile::tempdir()?;
    for name in ["state.db", "state.db-wal"] {
        if data.join(name).exists() {
            std::fs::copy(data.join(name), copy.path().join(name))?;
        }
    }
    let state = std::sync::Arc::new(city_store::StateDb::open(copy.path().join("state.db"))?);
    let seed = city_registry::Seed {
        catalogue: city_model::Catalogue::embedded(),
        ..city_registry::Seed::default()
    };
    let directory = city_registry::Registry::open(state, seed)?.directory();
    let mut history = History::new();
    for device in directory.devices() {
        store.export(device.key, city_store::TimeRange::ALL, &mut |readings| {
            for reading in readings {
                let metric = directory.metrics.get(reading.series.metric);
                let of =
                    (device.id.to_string(), metric.map_or_else(String::new, |m| m.id.to_string()));
                let said = format!("{} {:?} {:?}", reading.time, reading.value, reading.quality);
                history.entry(of).or_default().push(said);
            }
            std::ops::ControlFlow::Continue(())
        })?;
    }
    let (listed, stored) = (
        history.values().map(Vec::len).sum::<usize>(),
        store.count(None, city_store::TimeRange::ALL)?,
    );
    ensure!(listed as u64 == stored, "{listed} of {stored} readings have a device that is known");
    Ok(history)
}
