//! The city that the brain is asked about.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_model::{Span, Timestamp};

use super::super::Scale;
use super::super::part::disk_folder;
use super::{Connection, PATIENCE};
use crate::fleet::now;
use crate::instance::Instance;
use crate::publisher::Publisher;

/// Devices in all.
pub(super) const DEVICES: usize = 20_000;
/// Those that move, one reading a second each.
pub(super) const VEHICLES: usize = 1_000;
/// Those with a day behind them.
const STATIONS: usize = 200;
/// The others, which send as fast as the bench wants.
pub(super) const LAMPS: usize = DEVICES - VEHICLES - STATIONS;
/// Readings of a day of one series.
const MINUTES: i64 = 1_440;
/// Messages without an acknowledgement while the day is told.
const WINDOW: usize = 2_000;

/// The running city.
pub(super) struct City {
    pub(super) instance: Instance,
    pub(super) http: SocketAddr,
    pub(super) mqtt: SocketAddr,
    /// A header line with a token.
    pub(super) bearer: String,
    to: Timestamp,
    _folder: tempfile::TempDir,
}

impl City {
    /// Starts it and tells it a day.
    pub(super) fn start(scale: Scale) -> anyhow::Result<Self> {
        let folder = disk_folder()?;
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("citybrain.toml", CONFIG)?;
        std::fs::create_dir(folder.path().join("rules"))?;
        write("rules/bench.yaml", RULES)?;
        write("devices.json", &devices())?;
        write("zones.geojson", &zones())?;
        let config = folder.path().join("citybrain.toml");
        let data = folder.path().join("data");
        let instance = Instance::start(&[
            "serve",
            "--config",
            &config.to_string_lossy(),
            "--data-dir",
            &data.to_string_lossy(),
        ])?;
        let mqtt = instance.ready.mqtt.context("an endpoint")?;
        let bearer = format!("Authorization: Bearer {}\r\n", instance.ready.token);
        let http = instance.ready.http;
        let to = now();
        let city = Self { instance, http, mqtt, bearer, to, _folder: folder };
        city.tell_a_day(if scale == Scale::Quick { 20 } else { STATIONS })?;
        Ok(city)
    }

    /// A day of so many stations; the last readings pass a limit.
    fn tell_a_day(&self, stations: usize) -> anyhow::Result<()> {
        let mut publisher = Publisher::connect(self.mqtt, "day")?;
        let mut open = 0;
        for minute in (0..MINUTES).rev() {
            for station in 0..stations {
                let at = self.to - Span::from_mins(minute) - Span::from_secs(1);
                let level = if minute == 0 { 250.0 } else { 20.0 + (minute % 60) as f64 / 7.0 };
                let payload = format!(r#"{{"ts":"{at}","pm25":{level:.1}}}"#);
                publisher.publish(&format!("bench/st-{station:04}/up"), payload.as_bytes());
                open += 1;
                if open == WINDOW {
                    publisher.flush()?;
                    while open > WINDOW / 2 {
                        publisher.acknowledged()?;
                        open -= 1;
                    }
                }
            }
        }
        publisher.flush()?;
        for _ in 0..open {
            publisher.acknowledged()?;
        }
        self.wait_for_alerts()
    }

    fn wait_for_alerts(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut connection = Connection::open(self.http, PATIENCE)?;
        loop {
            let answer = connection.get("/api/v1/alerts", &self.bearer)?;
            if String::from_utf8_lossy(&answer.body).contains("st-0000") {
                return Ok(());
            }
            ensure!(started.elapsed() < Duration::from_mins(1), "no alert was raised");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What is asked: the name of the figure, the path, further header lines.
    pub(super) fn questions(&self) -> anyhow::Result<Vec<(&'static str, String, &'static str)>> {
        const BROTLI: &str = "Accept-Encoding: br\r\n";
        let range = format!("from={}&to={}", self.to - Span::from_hours(24), self.to);
        let api = |rest: &str| format!("/api/v1/{rest}");
        Ok(vec![
            ("snapshot_20k", api("map"), BROTLI),
            (
                "day_series",
                api(&format!("readings?device=st-0000&metric=pm25&step=raw&{range}")),
                "",
            ),
            (
                "zone_day",
                api(&format!("aggregates?zone=square-5&metric=pm25&step=15m&{range}")),
                "",
            ),
            ("alerts", api("alerts"), ""),
            ("static", self.static_file(BROTLI)?, BROTLI),
        ])
    }

    /// The file of the web app that is next to the map in size.
    fn static_file(&self, headers: &str) -> anyhow::Result<String> {
        let mut connection = Connection::open(self.http, PATIENCE)?;
        let mut size = |path: &str, headers: &str| -> anyhow::Result<usize> {
            Ok(connection.get(path, headers)?.body.len())
        };
        let map = size("/api/v1/map", &format!("{}{headers}", self.bearer))?;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/api/web/assets");
        let mut files = Vec::new();
        for file in std::fs::read_dir(folder)? {
            let path = format!("/assets/{}", file?.file_name().to_string_lossy());
            files.push((size(&path, headers)?.abs_diff(map), path));
        }
        let next = files.into_iter().min().context("the web app has files")?;
        Ok(next.1)
    }
}

/// A square of about 40 km with 16 zones.
const WEST: f64 = 116.2;
const SOUTH: f64 = 39.7;
const SIDE: f64 = 0.1;

fn zones() -> String {
    let mut features = Vec::new();
    for row in 0..4 {
        for column in 0..4 {
            let (w, s) = (WEST + SIDE * f64::from(column), SOUTH + SIDE * f64::from(row));
            let (e, n) = (w + SIDE, s + SIDE);
            features.push(serde_json::json!({
                "type": "Feature",
                "properties": { "name": format!("Square {}", row * 4 + column),
                    "code": format!("square-{}", row * 4 + column) },
                "geometry": { "type": "Polygon",
                    "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] },
            }));
        }
    }
    serde_json::json!({ "type": "FeatureCollection", "features": features }).to_string()
}

/// A place inside the square, as a surveyor would note it.
pub(super) fn place(number: usize, turn: usize) -> (f64, f64) {
    let share = |factor: f64| ((number as f64 + turn as f64 * 1e-3) * factor).fract();
    (WEST + 4.0 * SIDE * share(0.618_034), SOUTH + 4.0 * SIDE * share(0.414_214))
}

fn devices() -> String {
    let mut devices = Vec::with_capacity(DEVICES);
    for number in 0..VEHICLES {
        devices.push(serde_json::json!({ "id": format!("bus-{number:04}"), "kind": "bus",
            "department": "transport", "moving": true, "interval": "30s" }));
    }
    for number in 0..STATIONS {
        // All in the square 5.
        let (lon, lat) = place(number, 0);
        let (lon, lat) = ((lon - WEST) / 4.0 + WEST + SIDE, (lat - SOUTH) / 4.0 + SOUTH + SIDE);
        devices.push(serde_json::json!({ "id": format!("st-{number:04}"), "kind": "air_station",
            "department": "environment", "interval": "1m",
            "position": { "lon": round(lon), "lat": round(lat) } }));
    }
    for number in 0..LAMPS {
        let (lon, lat) = place(number, 0);
        devices.push(
            serde_json::json!({ "id": format!("lamp-{number:05}"), "kind": "street_light",
            "department": "works", "interval": "5m",
            "position": { "lon": round(lon), "lat": round(lat) } }),
        );
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", serde_json::Value::from(devices));
    text
}

fn round(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

const RULES: &str = "group: bench
department: environment
rules:
  - {id: dirty-air, kind: threshold, select: {metric: pm25}, severity: high, raise: {above: 100}, clear: {below: 90}}
";

const CONFIG: &str = r#"
[city]
name = "Bench"
time_zone = "UTC"
rules = "rules"
devices = "devices.json"
zones = [{ file = "zones.geojson", layer = "district", id_property = "code" }]
[http]
listen = "127.0.0.1:0"
[http.limits]
live_clients_per_user = 2500
rate = { per_s = 0, burst = 0 }
[mqtt]
listen = "127.0.0.1:0"
[[source]]
id = "bench"
topic = "bench/{device}/up"
format = "json"
[source.options]
time = "ts"
lon = "lon"
lat = "lat"
[source.options.values]
pm25 = "pm25"
temperature = "temperature"
speed = "traffic_speed"
"#;
