//! One scenario as each side takes it: line protocol for citybrain and VictoriaMetrics, input series
//! for promtool.

use std::fmt::Write as _;

/// Rules of citybrain.
pub const CITY_RULES: &str = include_str!("../../testdata/prometheus/city.yaml");
/// The same rules for Prometheus and vmalert, but for those of the next file.
pub const PROMETHEUS_RULES: &str = include_str!("../../testdata/prometheus/prometheus.yaml");
/// Those that need `keep_firing_for`.
pub const KEEP_RULES: &str = include_str!("../../testdata/prometheus/prometheus_keep.yaml");
/// Two districts.
pub const DISTRICTS: &str = include_str!("../../testdata/prometheus/districts.geojson");

/// When it begins: 2026-01-05T00:00:00Z, in seconds since 1970.
pub const BEGIN: i64 = 1_767_571_200;
/// Each device sends every so many seconds.
pub const EVERY: i64 = 10;
/// Prometheus and vmalert evaluate every so many seconds. So they never see what is sent 20 s after
/// a full half minute: 10 s later there is something newer.
pub const STEP: i64 = 15;
/// How many readings there may be of each series.
const READINGS: usize = 240;
/// When it ends, in seconds after it began.
pub const END: i64 = READINGS as i64 * EVERY;

/// A series.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The metric.
    pub metric: &'static str,
    /// The device.
    pub device: &'static str,
    /// The zone in which the device is.
    pub zone: &'static str,
    /// `1x20 _x3`: a value twenty times, then three gaps; `20+0.05x9`: nine values, each 0.05 more than
    /// the one before. The last goes on to the end. `stale`: nothing is sent, and Prometheus is told
    /// that the target is gone.
    values: &'static str,
}

const fn north(metric: &'static str, device: &'static str, values: &'static str) -> Series {
    Series { metric, device, zone: "north", values }
}

const fn south(metric: &'static str, device: &'static str, values: &'static str) -> Series {
    Series { metric, device, zone: "south", values }
}

/// All series.
pub const SERIES: &[Series] = &[
    north("water_level", "twice", "1x20 3x30 1x70 3x40 1"),
    north("water_level", "brief", "1x20 3x5 1"),
    // Every third reading is good, and comes when nobody evaluates.
    north(
        "water_level",
        "dips",
        "1x21 3x2 1 3x2 1 3x2 1 3x2 1 3x2 1 3x2 1 3x2 1 3x2 1 3x2 1 3x2 1",
    ),
    north("water_level", "mute", "1x20 3x20 _x110 1"),
    north("water_level", "gone", "1x20 3x20 stale _x109 1"),
    north("pm25", "plain", "10x20 90x20 10"),
    north("pm25", "between", "10x20 90x10 70x30 90x10 70x30 10"),
    north("pm25", "spike", "10x20 90 10"),
    north("noise_laeq", "loud", "60x20 80x30 60"),
    north("no2", "pauses", "20x30 _x18 20x30 _x60 20"),
    north("pm10", "n1", "10x20 90x40 10"),
    north("pm10", "n2", "10x30 90x30 10"),
    north("pm10", "n3", "50"),
    south("pm10", "s1", "90"),
    south("pm10", "s2", "_x100 90x50 10"),
    north("temperature", "warms", "20x40 20+0.05x60 23"),
    north("temperature", "begins", "_x40 20 20.1"),
];

/// What is there at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sample {
    Value(f64),
    Gap,
    Stale,
}

impl Series {
    /// What there is every ten seconds.
    fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::with_capacity(READINGS);
        for word in self.values.split_whitespace() {
            let (what, times) = word.split_once('x').unwrap_or((word, "1"));
            let times: usize = times.parse().expect("a number of times");
            let (first, step) = what.split_once('+').unwrap_or((what, "0"));
            let number = |text: &str| text.parse::<f64>().expect("a value");
            samples.extend((0..times).map(|index| match first {
                "_" => Sample::Gap,
                "stale" => Sample::Stale,
                _ => Sample::Value(number(first) + index as f64 * number(step)),
            }));
        }
        let last = *samples.last().expect("a sample");
        samples.resize(READINGS, last);
        samples
    }

    /// Line `series` of a test of promtool.
    pub fn selector(&self) -> String {
        format!("{}{{device=\"{}\",zone=\"{}\"}}", self.metric, self.device, self.zone)
    }

    /// Line `values` of a test of promtool.
    pub fn promtool_values(&self) -> String {
        let words = self.samples().into_iter().map(|sample| match sample {
            Sample::Value(value) => value.to_string(),
            Sample::Gap => "_".to_owned(),
            Sample::Stale => "stale".to_owned(),
        });
        words.collect::<Vec<String>>().join(" ")
    }
}

/// All readings in order of time, as line protocol with seconds.
pub fn line_protocol() -> String {
    let all: Vec<(&Series, Vec<Sample>)> =
        SERIES.iter().map(|series| (series, series.samples())).collect();
    let mut lines = String::new();
    for index in 0..READINGS {
        for (series, samples) in &all {
            if let Sample::Value(value) = samples[index] {
                let Series { metric, device, zone, .. } = series;
                let time = BEGIN + index as i64 * EVERY;
                // Writing to a text cannot fail.
                let _ = writeln!(lines, "city,device={device},zone={zone} {metric}={value} {time}");
            }
        }
    }
    lines
}

/// The devices, as citybrain's registry takes them.
pub fn devices() -> String {
    let of = |series: &Series| {
        let lat = if series.zone == "north" { 56.15 } else { 56.05 };
        serde_json::json!({
            "id": series.device, "kind": "sensor", "department": "city", "interval": "10s",
            "position": { "lon": 10.05, "lat": lat },
        })
    };
    serde_json::Value::Array(SERIES.iter().map(of).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_gets_the_same() {
        let series = north("temperature", "a", "1x2 _ stale 20+0.5x3 7");
        let values = series.promtool_values();
        assert!(values.starts_with("1 1 _ stale 20 20.5 21 7 7 7"), "{values}");
        assert_eq!(values.split(' ').count(), READINGS);

        let lines = line_protocol();
        let numbers = |series: &Series| {
            let values = series.promtool_values();
            values.split(' ').filter(|word| word.parse::<f64>().is_ok()).count()
        };
        assert_eq!(lines.lines().count(), SERIES.iter().map(numbers).sum::<usize>());
        let first = "city,device=twice,zone=north water_level=1 1767571200\n";
        assert!(lines.starts_with(first), "{lines}");
    }
}
