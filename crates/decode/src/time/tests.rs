use std::borrow::Cow;

use serde_json::json;

use super::*;

const RECEIVED: Timestamp = Timestamp::from_secs(1_800_000_000);

fn format(options: &serde_json::Value) -> TimeFormat {
    let options = Options::new(options, &KEYS).expect("known keys");
    TimeFormat::from_options(&options).expect("a time format")
}

fn check(options: &serde_json::Value, raw: &Raw<'_>, expected: &str) {
    check_at(options, raw, RECEIVED, expected);
}

fn check_at(options: &serde_json::Value, raw: &Raw<'_>, received: Timestamp, expected: &str) {
    let time = format(options).read(raw, received).expect("a time");
    let time = time.expect("a clock that was set");
    assert_eq!(time.to_string(), expected, "{raw:?}");
}

fn text(text: &str) -> Raw<'_> {
    Raw::Text(Cow::Borrowed(text))
}

#[test]
fn auto_reads_what_devices_send() {
    let auto = json!({});
    check(&auto, &text("2026-11-23T16:30:00.25+08:00"), "2026-11-23T08:30:00.25Z");
    check(&auto, &text("2026-11-23 16:30:00+08:00"), "2026-11-23T08:30:00Z");
    check(&auto, &Raw::Integer(1_795_422_600), "2026-11-23T08:30:00Z");
    check(&auto, &Raw::Integer(1_795_422_600_250), "2026-11-23T08:30:00.25Z");
    check(&auto, &Raw::Integer(1_795_422_600_250_001), "2026-11-23T08:30:00.250001Z");
    check(&auto, &Raw::Integer(1_795_422_600_250_001_999), "2026-11-23T08:30:00.250001Z");
    check(&auto, &Raw::Number(1_795_422_600.25), "2026-11-23T08:30:00.25Z");
    check(&auto, &text("1795422600"), "2026-11-23T08:30:00Z");
    check(&auto, &text("1795422600.5"), "2026-11-23T08:30:00.5Z");
}

#[test]
fn local_times_need_an_offset() {
    let problem =
        format(&json!({})).read(&text("2017-02-16T10:13:52"), RECEIVED).expect_err("local");
    assert!(problem.hint.contains("time_offset"), "{problem:?}");
    for format in ["auto", "local"] {
        let options = json!({"time_format": format, "time_offset": "+08:00"});
        check(&options, &text("2017-02-16T10:13:52"), "2017-02-16T02:13:52Z");
        check(&options, &text("2017-02-16 10:13:52"), "2017-02-16T02:13:52Z");
        check(&options, &text("2017-02-16T10:13:52Z"), "2017-02-16T10:13:52Z");
    }
    let half = json!({"time_offset": "-03:30"});
    check(&half, &text("2017-02-16T10:13:52"), "2017-02-16T13:43:52Z");
}

#[test]
fn zones_know_summer_time() {
    let berlin = json!({"time_zone": "Europe/Berlin"});
    check(&berlin, &text("2026-07-01T12:00:00"), "2026-07-01T10:00:00Z");
    check(&berlin, &text("2026-12-01T12:00:00"), "2026-12-01T11:00:00Z");
    check(&berlin, &text("2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z");
}

/// On 2026-10-25 the clocks of Berlin go from 03:00 back to 02:00, at 01:00 UTC.
#[test]
fn the_hour_that_comes_twice_is_told_apart_by_the_arrival() {
    let auto = json!({"time_zone": "Europe/Berlin"});
    let pattern = json!({"time_zone": "Europe/Berlin", "time_format": "%Y-%m-%dT%H:%M:%S"});
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    for options in [auto, pattern] {
        for (local, received, expected) in [
            // Live: every instant of both hours is itself.
            ("02:00:00", "2026-10-25T00:00:01Z", "2026-10-25T00:00:00Z"),
            ("02:30:00", "2026-10-25T00:30:01Z", "2026-10-25T00:30:00Z"),
            ("02:59:59", "2026-10-25T01:00:00Z", "2026-10-25T00:59:59Z"),
            ("02:00:00", "2026-10-25T01:00:01Z", "2026-10-25T01:00:00Z"),
            ("02:30:00", "2026-10-25T01:30:01Z", "2026-10-25T01:30:00Z"),
            ("02:59:59", "2026-10-25T02:00:00Z", "2026-10-25T01:59:59Z"),
            // Half an hour under way, and by a clock that is two minutes ahead.
            ("02:50:00", "2026-10-25T01:20:00Z", "2026-10-25T00:50:00Z"),
            ("02:32:00", "2026-10-25T00:30:00Z", "2026-10-25T00:32:00Z"),
            ("02:32:00", "2026-10-25T01:30:00Z", "2026-10-25T01:32:00Z"),
            // Back-filled: nobody can tell, and the nearest is the second.
            ("02:30:00", "2026-10-28T12:00:00Z", "2026-10-25T01:30:00Z"),
            // What comes once is not moved.
            ("01:59:59", "2026-10-28T12:00:00Z", "2026-10-24T23:59:59Z"),
            ("03:00:00", "2026-10-28T12:00:00Z", "2026-10-25T02:00:00Z"),
        ] {
            let local = format!("2026-10-25T{local}");
            check_at(&options, &text(&local), at(received), expected);
        }
    }
    // In spring an hour is left out: 02:30 is half an hour behind 02:00.
    let berlin = json!({"time_zone": "Europe/Berlin"});
    check(&berlin, &text("2026-03-29T02:30:00"), "2026-03-29T01:30:00Z");
}

#[test]
fn patterns_read_what_else_there_is() {
    let german = json!({"time_format": "%d.%m.%Y %H:%M", "time_offset": "+01:00"});
    check(&german, &text(" 23.11.2026 09:30 "), "2026-11-23T08:30:00Z");
    assert!(format(&german).read(&text("2026-11-23 09:30"), RECEIVED).is_err());
    assert!(format(&german).read(&Raw::Integer(5), RECEIVED).is_err());
    let zoned = json!({"time_format": "%Y%m%d%H%M%S%z"});
    check(&zoned, &text("20261123163000+0800"), "2026-11-23T08:30:00Z");
    let day = json!({"time_format": "%Y%m%d", "time_offset": "Z"});
    check(&day, &text("20261123"), "2026-11-23T00:00:00Z");
    let slashes = json!({"time_offset": "Z"});
    check(&slashes, &text("2017/10/09 00:00:00"), "2017-10-09T00:00:00Z");
}

#[test]
fn explicit_units_are_kept_to() {
    check(
        &json!({"time_format": "unix_ms"}),
        &Raw::Integer(1_795_422_600_250),
        "2026-11-23T08:30:00.25Z",
    );
    check(&json!({"time_format": "unix_ns"}), &text("1795422600000000000"), "2026-11-23T08:30:00Z");
    let rfc3339 = format(&json!({"time_format": "rfc3339"}));
    assert!(rfc3339.read(&Raw::Integer(1_795_422_600), RECEIVED).is_err());
    let seconds = format(&json!({"time_format": "unix_s"}));
    assert!(seconds.read(&Raw::Integer(i64::MAX), RECEIVED).is_err());
    assert!(seconds.read(&Raw::Number(f64::INFINITY), RECEIVED).is_err());
    assert!(seconds.read(&Raw::Bool(true), RECEIVED).is_err());
    assert!(seconds.read(&text("yesterday"), RECEIVED).is_err());
}

#[test]
fn a_clock_that_was_never_set_is_no_time() {
    let auto = format(&json!({"time_offset": "Z"}));
    for raw in [Raw::Number(1.61), Raw::Integer(0), text("1970-01-01T00:03:12")] {
        assert_eq!(auto.read(&raw, RECEIVED), Ok(None), "{raw:?}");
    }
}

#[test]
fn the_fast_form_agrees_with_the_general_parser_on_every_day() {
    let mut day = jiff::civil::date(1970, 1, 1);
    while day.year() < 2101 {
        let text = format!("{day}T23:59:58.123456789-03:30");
        let general = text.parse().expect("a time");
        assert_eq!(canonical(text.as_bytes()), Some(general), "{text}");
        day = day.tomorrow().expect("in range");
    }
}

#[test]
fn the_fast_form_leaves_what_is_odd_to_the_general_parser() {
    for odd in [
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-12-31T23:59:60Z",
        "1969-12-31T23:59:59.9Z",
        "9999-12-31T23:59:59Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567891Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zulu",
        "2026/01/01T00:00:00Z",
        "+026-01-01T00:00:00Z",
    ] {
        assert_eq!(canonical(odd.as_bytes()), None, "{odd}");
    }
}

proptest::proptest! {
    #[test]
    fn the_fast_form_never_differs(text in "(19|20|99)[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])?") {
        if let Some(fast) = canonical(text.as_bytes()) {
            proptest::prop_assert_eq!(Ok(fast), text.parse());
        }
    }
}

#[test]
fn bad_options_are_refused() {
    for options in [
        json!({"time_format": "local"}),
        json!({"time_format": "stardate"}),
        json!({"time_offset": "+8"}),
        json!({"time_offset": "CST"}),
        json!({"time_offset": "+08:75"}),
        json!({"time_zone": "Atlantis/Poseidonis"}),
        json!({"time_zone": "UTC", "time_offset": "Z"}),
        json!({"time_format": "%H:%M"}),
        json!({"time_format": "%d.%m.%Y %!"}),
    ] {
        let read = Options::new(&options, &KEYS).and_then(|o| TimeFormat::from_options(&o));
        assert!(matches!(read, Err(OptionsError::Bad { .. })), "{options}");
    }
}
