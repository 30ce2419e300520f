//! Air quality indices through the whole pipeline: what a station sends becomes derived readings,
//! over redeliveries, late readings and restarts.

mod city;

use std::ops::Range;

use city_derive::{AqiConfig, Form, STANDARDS, standard};
use city_model::{Marks, Quality, Span, Timestamp, Value};
use city_pipeline::DERIVED_SOURCE;

use city::{City, Plan};

/// A full hour.
const START: Timestamp = Timestamp::from_secs(1_789_999_200);

const SOURCES: &str = r#"[
  {"id": "json", "topic": "up/{device}", "format": "json", "options": {"time": "ts",
   "values": {"pm25": "pm25", "pm10": "pm10", "no2": "no2", "so2": "so2", "co": "co", "o3": "o3"}}}
]"#;

const DEVICES: &str = r#"[
  {"id": "air-1", "kind": "air_station", "department": "e", "interval": "5m",
   "position": {"lon": 116.3, "lat": 39.9}},
  {"id": "air-2", "kind": "air_station", "department": "e", "interval": "5m", "simulated": true,
   "position": {"lon": 116.4, "lat": 39.9}},
  {"id": "indoor", "kind": "office", "department": "e", "interval": "5m",
   "position": {"lon": 116.4, "lat": 39.9}}
]"#;

fn city(standards: &[&str]) -> City {
    let aqi = standards.iter().map(|id| AqiConfig {
        standard: standard(id).expect("known"),
        kinds: vec!["air_station".to_owned()],
    });
    let plan = Plan { sources: SOURCES, devices: DEVICES, aqi: aqi.collect(), ..Plan::default() };
    City::new(plan, START)
}

fn send(city: &City, device: &str, time: Timestamp, values: &str) {
    city.send(&format!("up/{device}"), &format!(r#"{{"ts":"{time}",{values}}}"#));
}

/// One message every five minutes, from a minute of START on to another, the clock with it.
fn feed(city: &City, device: &str, minutes: Range<i64>, values: &str) {
    for minute in minutes.step_by(5) {
        let at = START + Span::from_mins(minute);
        city.clock.set(at);
        send(city, device, at, values);
    }
}

/// (hours after START, value) of what was derived.
fn derived(city: &City, device: &str, metric: &str) -> Vec<(f64, Value)> {
    let points = city.points(device, metric).into_iter();
    points.map(|p| (p.time.since(START).secs_f64() / 3_600.0, p.value)).collect()
}

const ALL_SIX: &str = r#""pm25":75,"pm10":50,"no2":40,"so2":10,"co":0.4,"o3":60"#;

fn number(number: i32) -> Value {
    Value::Number(f64::from(number))
}

#[test]
fn a_full_hour_gives_an_index_with_its_primary_pollutant() {
    let mut city = city(&["hj633_2026"]);
    feed(&city, "air-1", 0..70, ALL_SIX);
    city.stop();
    // HJ 633-2026: 75 µg/m³ of PM2.5 give 114.
    assert_eq!(derived(&city, "air-1", "aqi_cn"), [(1.0, number(114))]);
    assert_eq!(derived(&city, "air-1", "aqi_cn_primary"), [(1.0, "PM2.5".into())]);
    assert_eq!(city.points("air-1", "aqi_cn")[0].quality, Quality::Pass);
    assert_eq!(derived(&city, "air-1", "aqi_cn_24h"), []);
    assert_eq!(derived(&city, "indoor", "aqi_cn"), []);

    let seen = city.seen();
    let derived: Vec<_> = seen.iter().filter(|r| r.marks.has(Marks::DERIVED)).collect();
    assert_eq!(derived.len(), 2, "index and pollutant are news to the followers, once");
    assert_eq!(derived[0].received, START + Span::from_mins(65));
    assert!(!derived[0].marks.has(Marks::SIMULATED));
    let counted = city.counted(DERIVED_SOURCE);
    assert_eq!((counted.received, counted.stored), (2, 2));
}

#[test]
fn flagged_readings_do_not_count_and_what_is_lacking_shows() {
    let mut city = city(&["hj633_2026"]);
    // 9000 is no concentration that PM10 can have, so it fails the range check.
    feed(&city, "air-1", 0..60, r#""pm25":20,"pm10":9000"#);
    feed(&city, "air-1", 60..125, r#""pm25":20,"pm10":100"#);
    feed(&city, "air-1", 125..155, r#""pm25":20,"pm10":100"#);
    feed(&city, "air-1", 155..190, r#""pm25":20"#);
    city.stop();
    let derived = city.points("air-1", "aqi_cn");
    let told: Vec<_> = derived.iter().map(|p| (p.value.clone(), p.quality)).collect();
    assert_eq!(
        told,
        [
            // PM2.5 of 20 gives 29 (50/35 * 20 = 28.6, up); PM10 of 100 gives 86 (85.7).
            (number(29), Quality::Suspect),
            (number(86), Quality::NotEvaluated),
            (number(29), Quality::Suspect),
        ]
    );
}

#[test]
fn what_is_derived_from_simulated_readings_stays_simulated() {
    let mut city = city(&["hj633_2026"]);
    feed(&city, "air-2", 0..70, ALL_SIX);
    city.stop();
    let last = city.store.last(city.series("air-2", "aqi_cn")).expect("derived");
    assert!(last.marks.has(Marks::SIMULATED.with(Marks::DERIVED)));
}

#[test]
fn a_silent_station_gets_its_last_hour_when_others_speak() {
    let mut city = city(&["hj633_2026"]);
    feed(&city, "air-1", 0..60, ALL_SIX);
    assert_eq!(derived(&city, "air-1", "aqi_cn"), []);
    city.clock.set(START + Span::from_mins(62));
    send(&city, "indoor", START + Span::from_mins(62), r#""pm25":1"#);
    city.stop();
    assert_eq!(derived(&city, "air-1", "aqi_cn"), [(1.0, number(114))]);
}

#[test]
fn a_redelivery_changes_nothing() {
    let mut city = city(&["hj633_2026", "us_epa_2024"]);
    feed(&city, "air-1", 0..60, r#""pm25":20,"no2":40"#);
    for minute in [10, 30, 55] {
        let at = START + Span::from_mins(minute);
        send(&city, "air-1", at, r#""pm25":20,"no2":40"#);
    }
    feed(&city, "air-1", 60..130, r#""pm25":20,"no2":40"#);
    send(&city, "air-1", START, r#""pm25":20,"no2":40"#);
    feed(&city, "air-1", 130..190, r#""pm25":20,"no2":40"#);
    city.stop();
    // Three indices of China, and as many of the US although its NowCast needs two hours: NO2 is
    // in time.
    let hours = [(1.0, number(29)), (2.0, number(29)), (3.0, number(29))];
    assert_eq!(derived(&city, "air-1", "aqi_cn"), hours);
    assert_eq!(city.points("air-1", "aqi_us").len(), 3);
    assert_eq!(city.counted(DERIVED_SOURCE).duplicate, 0, "nothing was told twice");
}

#[test]
fn late_readings_correct_what_was_derived() {
    let mut city = city(&["hj633_2026"]);
    // Half of the first hour is missing: too little for an index.
    feed(&city, "air-1", 0..30, r#""pm25":20"#);
    feed(&city, "air-1", 60..90, r#""pm25":20"#);
    assert_eq!(derived(&city, "air-1", "aqi_cn"), []);
    for minute in (30..60).step_by(5) {
        send(&city, "air-1", START + Span::from_mins(minute), r#""pm25":50"#);
    }
    feed(&city, "air-1", 90..125, r#""pm25":20"#);
    // The mean of the first hour is 35.
    assert_eq!(derived(&city, "air-1", "aqi_cn")[0], (1.0, number(50)));
    // A correction: the same time, another value. The hour's mean is 20 + 30/2 + 15/12 * … = 39.58,
    // to the whole 40, and 50 + 10 = 60.
    send(&city, "air-1", START, r#""pm25":75"#);
    feed(&city, "air-1", 125..190, r#""pm25":20"#);
    city.stop();
    let corrected = derived(&city, "air-1", "aqi_cn");
    assert_eq!(corrected[0], (1.0, number(60)));
    assert_eq!(corrected.len(), 3);
    assert_eq!(city.counted(DERIVED_SOURCE).duplicate, 2, "index and pollutant of one hour");
}

/// Two days of changing air with every standard, with restarts at these minutes.
fn two_days(restarts: &[i64]) -> Vec<Vec<(f64, Value)>> {
    let mut city = city(&["hj633_2026", "hj633_2012", "us_epa_2024"]);
    for step in 0..(48 * 12 + 2) {
        let minute = step * 5;
        if restarts.contains(&minute) {
            city.restart();
        }
        let wave = (minute * 37 % 211) as f64 / 10.0;
        let values = format!(
            r#""pm25":{},"pm10":{},"no2":{},"so2":{},"co":{},"o3":{}"#,
            10.0 + wave,
            30.5 + wave,
            20.0 + wave,
            5.0 + wave / 3.0,
            0.3 + wave / 50.0,
            40.0 + 3.0 * wave
        );
        feed(&city, "air-1", minute..minute + 1, &values);
        if minute % 70 == 0 {
            let at = START + Span::from_mins(minute - minute % 60);
            send(&city, "air-1", at, r#""pm25":10"#);
        }
    }
    city.stop();
    assert_eq!(
        city.counted(DERIVED_SOURCE).received,
        city.counted(DERIVED_SOURCE).stored + city.counted(DERIVED_SOURCE).duplicate
    );
    STANDARDS
        .iter()
        .flat_map(|standard| Form::ALL.map(|form| standard.metrics(form)))
        .flat_map(|metrics| [metrics.index, metrics.primary])
        .map(|metric| derived(&city, "air-1", metric))
        .collect()
}

#[test]
fn a_restart_changes_nothing() {
    let without = two_days(&[]);
    assert_eq!(without.len(), 12);
    let counts: Vec<usize> = without.iter().map(Vec::len).collect();
    // Each hour has its index; those of 24 hours begin with the 19th hour, when 14 means of eight
    // hours of O3 are there (US: the 18th).
    assert_eq!(counts, [48, 48, 30, 30, 48, 48, 30, 30, 48, 48, 31, 31]);
    let with = two_days(&[600, 605, 1_440, 1_475, 2_700]);
    for (series, (with, without)) in with.iter().zip(&without).enumerate() {
        for (with, without) in with.iter().zip(without) {
            assert_eq!(with, without, "series {series}");
        }
        assert_eq!(with.len(), without.len());
    }
}
