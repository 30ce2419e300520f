//! The quality flag on its way: from the device's own verdict and the checks of its kind to the
//! store, the newest value and the followers.

mod city;

use city_model::Quality::{self, Fail, Missing, Pass, Suspect};
use city_model::{Marks, Span, Timestamp};

use city::{City, Plan};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

const SOURCES: &str = r#"[
  {"id": "hj", "topic": "hj212/{device}", "format": "hj212", "options": {"crc": "ignore"}},
  {"id": "json", "topic": "up/{device}", "format": "json", "options": {"time": "ts",
   "lon": "lon", "lat": "lat", "values": {"pm": "pm25", "v": "speed"}}}
]"#;

const DEVICES: &str = r#"[
  {"id": "AQ-1", "kind": "air_station", "department": "e", "position": {"lon": 116.3, "lat": 39.9}},
  {"id": "cheap", "kind": "low_cost_sensor", "department": "e",
   "position": {"lon": 116.3, "lat": 39.9}},
  {"id": "bus", "kind": "bus", "department": "t", "moving": true},
  {"id": "taxi", "kind": "taxi", "department": "t", "moving": true}
]"#;

fn city(quality: &str, location: &str) -> City {
    let plan = Plan {
        sources: SOURCES,
        devices: DEVICES,
        checks: serde_json::from_str(quality).expect("checks"),
        location: serde_json::from_str(location).expect("limits"),
        ..Plan::default()
    };
    City::new(plan, NOW)
}

fn flags(city: &City, device: &str, metric: &str) -> Vec<Quality> {
    city.points(device, metric).into_iter().map(|point| point.quality).collect()
}

/// Sends values ten seconds apart.
fn send(city: &City, device: &str, key: &str, values: &[f64]) {
    for (step, value) in (0..).zip(values) {
        let time = NOW - Span::from_secs(1_000 - step * 10);
        city.send(&format!("up/{device}"), &format!(r#"{{"ts":"{time}","{key}":{value}}}"#));
    }
}

#[test]
fn the_devices_own_verdict_reaches_store_newest_value_and_followers() {
    let mut city = city("{}", "{}");
    // Normal, out of range of the instrument, in maintenance, off; then normal but impossible.
    let told = [("35", "N"), ("36", "T"), ("37", "M"), ("38", "F"), ("9999", "N")];
    let expected = [Pass, Suspect, Fail, Missing, Fail];
    for (minute, (value, flag)) in (0..).zip(told) {
        let frame = format!(
            "##0100ST=22;CN=2011;PW=1;MN=AQ-1;CP=&&DataTime=20260921220{minute}00;\
             a34004-Rtd={value},a34004-Flag={flag}&&0000\r\n"
        );
        city.send("hj212/AQ-1", &frame);
    }
    city.stop();
    assert_eq!(flags(&city, "AQ-1", "pm25"), expected);
    let seen: Vec<Quality> = city.seen().iter().map(|reading| reading.quality).collect();
    assert_eq!(seen, expected);
    let last = city.store.last(city.series("AQ-1", "pm25")).expect("a newest value");
    assert_eq!(last.quality, Fail);
}

#[test]
fn checks_are_those_of_the_kind() {
    let quality = r#"{"pm25": {"spike": {"suspect": 20}, "kinds": {
        "low_cost_sensor": {"spike": {"suspect": 60}, "gross_range": {"suspect": {"min": 0, "max": 90}}}}}}"#;
    let mut city = city(quality, "{}");
    let values = [10.0, 10.0, 60.0, 10.0, 95.0];
    send(&city, "AQ-1", "pm", &values);
    send(&city, "cheap", "pm", &values);
    city.stop();
    assert_eq!(flags(&city, "AQ-1", "pm25"), [Pass, Pass, Suspect, Pass, Suspect]);
    assert_eq!(flags(&city, "cheap", "pm25"), [Pass, Pass, Pass, Pass, Suspect]);
}

#[test]
fn positions_are_judged_by_the_limits_of_the_kind() {
    let location = r#"{"slack_m": 10, "kinds": {"bus": {"max_speed_m_s": 20},
        "low_cost_sensor": {"fixed_within_m": 100}}}"#;
    let mut city = city("{}", location);
    let send = |device: &str, second: i64, key: &str, lon: f64| {
        let time = NOW - Span::from_secs(100 - second);
        let payload = format!(r#"{{"ts":"{time}","{key}":30,"lon":{lon},"lat":39.9}}"#);
        city.send(&format!("up/{device}"), &payload);
    };
    for device in ["bus", "taxi"] {
        send(device, 0, "v", 116.3);
        send(device, 10, "v", 116.306); // 512 m in 10 s: 51 m/s
    }
    for device in ["AQ-1", "cheap"] {
        send(device, 0, "pm", 116.3005); // 43 m off
        send(device, 10, "pm", 116.31); // 853 m off
    }
    city.stop();
    assert_eq!(flags(&city, "bus", "speed"), [Pass, Suspect]);
    assert_eq!(flags(&city, "taxi", "speed"), [Pass, Pass]);
    assert_eq!(flags(&city, "AQ-1", "pm25"), [Pass, Pass], "nobody asked");
    assert_eq!(flags(&city, "cheap", "pm25"), [Pass, Suspect]);
    let last = city.store.last(city.series("cheap", "pm25")).expect("a newest value");
    assert!(last.marks.has(Marks::BAD_POSITION) && last.position.is_none());
}
