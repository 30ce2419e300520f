use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::zones::tests::CHICAGO;
use crate::{Scenario, SimError};

/// The demo's city, smaller, without incidents and with these faults.
fn city(faults: &str) -> Result<Fleet, SimError> {
    let text = include_str!("../../scenarios/chicago.toml");
    let (quiet, _) = text.split_once("# Air in one neighbourhood").expect("the incidents");
    let scenario = Scenario::parse("test", &format!("{quiet}\n{faults}"))?.scaled(0.05);
    Fleet::new(&scenario, CHICAGO, start())
}

fn start() -> Timestamp {
    "2026-11-23T14:30:00Z".parse().expect("a time")
}

fn after(seconds: i64) -> Timestamp {
    from_millis(start().as_millisecond() + seconds * 1_000)
}

/// The messages of the devices of one kind in so many seconds, by their topic.
fn sent(fleet: &Fleet, kind: &str, seconds: i64) -> BTreeMap<String, Vec<Sent>> {
    let mine: BTreeSet<&str> =
        fleet.devices().iter().filter(|d| d.kind == kind).map(|d| d.id.as_str()).collect();
    let mut of_device: BTreeMap<String, Vec<Sent>> = BTreeMap::new();
    for sent in fleet.sends().take_while(|sent| sent.at < after(seconds)) {
        if let Some(id) = sent.uplink.topic.split('/').find(|part| mine.contains(part)) {
            of_device.entry(id.to_owned()).or_default().push(sent);
        }
    }
    of_device
}

fn json(sent: &Sent) -> serde_json::Value {
    serde_json::from_slice(&sent.uplink.payload).expect("JSON")
}

/// The times that the messages of a device in plain JSON carry, in seconds from the start.
fn times(sent: &[Sent]) -> Vec<i64> {
    let of = |object: &serde_json::Value| {
        let text = object["ts"].as_str().expect("a time");
        text.parse::<Timestamp>().expect("RFC 3339").as_second() - start().as_second()
    };
    let of_message = |sent: &Sent| match json(sent) {
        batch if batch["samples"].is_array() => {
            batch["samples"].as_array().expect("a batch").iter().map(of).collect()
        }
        one => vec![of(&one)],
    };
    sent.iter().flat_map(of_message).collect()
}

#[test]
fn a_city_sends_the_same_every_time_and_in_order() {
    let fleet = city("").expect("a city");
    let one: Vec<_> = fleet.sends().take(2_000).collect();
    assert!(one.is_sorted_by_key(|sent| sent.at));
    assert_eq!(one, fleet.sends().take(2_000).collect::<Vec<_>>());
    assert!(fleet.faults().is_empty());
}

#[test]
fn what_is_measured_in_an_outage_comes_later_and_all_of_it() {
    let fault =
        "[[faults]]\nkind = \"outage\"\ndevices = \"air_station\"\nstart = \"60s\"\nhold = \"60s\"";
    let (whole, cut) = (city("").expect("a city"), city(fault).expect("a city"));
    let (whole, cut) = (sent(&whole, "air_station", 200), sent(&cut, "air_station", 200));
    assert_eq!(whole.len(), 10);
    for (device, sent) in &cut {
        let is_silent = |sent: &&Sent| sent.at >= after(60) && sent.at < after(120);
        assert_eq!(sent.iter().filter(is_silent).count(), 0, "{device}");
        let (mut late, mut usual) = (times(sent), times(&whole[device]));
        assert!(late.is_sorted());
        late.dedup();
        usual.dedup();
        assert_eq!(late, usual);
        let first = sent.iter().find(|s| s.at >= after(120)).expect("it goes on");
        assert_eq!(times(std::slice::from_ref(first)).len(), 13, "all that was stored, and itself");
    }
}

#[test]
fn batteries_are_spared_by_batches() {
    let fault = "[[faults]]\nkind = \"batches\"\ndevices = \"weather_station\"\nsize = 6.0";
    let fleet = city(fault).expect("a city");
    for (device, sent) in sent(&fleet, "weather_station", 600) {
        assert!((9..=11).contains(&sent.len()), "{device}: {} messages", sent.len());
        assert!(sent[1..].iter().all(|s| s.uplink.readings >= 6 * 4), "{device}: {sent:?}");
    }
}

#[test]
fn messages_come_twice_or_after_the_next_but_none_is_lost() {
    for (kind, more) in [("duplicates", true), ("reordering", false)] {
        let fault = format!("[[faults]]\nkind = \"{kind}\"\ndevices = \"air_station\"\nsize = 0.3");
        let (whole, fleet) = (city("").expect("a city"), city(&fault).expect("a city"));
        let whole = sent(&whole, "air_station", 600);
        let (mut disorder, mut doubles) = (0, 0);
        for (device, sent) in sent(&fleet, "air_station", 600) {
            let times = times(&sent);
            disorder += usize::from(!times.is_sorted());
            let distinct: BTreeSet<_> = times.iter().collect();
            doubles += times.len() - distinct.len();
            assert!(distinct.len() + 1 >= whole[&device].len(), "{device}");
        }
        assert_eq!((disorder > 5, doubles > 100), (!more, more), "{kind}");
    }
}

#[test]
fn sensors_stick_spike_and_speak_in_other_units() {
    let fault = |kind: &str, more: &str| {
        format!("[[faults]]\nkind = \"{kind}\"\ndevices = \"weather_station\"\n{more}\n")
    };
    let plain = city("").expect("a city");
    let device = plain.devices().iter().position(|d| d.kind == "weather_station").expect("one");
    let temperature = |fleet: &Fleet, second: i64| {
        let sender = fleet.senders().iter().find(|s| s.devices == [device]).expect("its sender");
        let (mut counters, mut out) = (vec![0; fleet.devices().len()], Vec::new());
        fleet.records(sender, after(second), &mut counters, &mut out);
        let sample = out[0].samples.iter().find(|s| s.metric == "temperature").expect("one");
        (sample.value.as_f64(), sample.unit)
    };
    let stuck = city(&fault("stuck", "start = \"100s\"")).expect("a city");
    assert_eq!(temperature(&stuck, 50), temperature(&plain, 50));
    let held = temperature(&plain, 100);
    assert!((1..60).all(|step| temperature(&stuck, 100 + step * 60) == held));
    assert!((1..60).any(|step| temperature(&plain, 100 + step * 60) != held));

    let fahrenheit = city(&fault("wrong_unit", "")).expect("a city");
    let ((celsius, declared), (sent, said)) = (temperature(&plain, 0), temperature(&fahrenheit, 0));
    assert_eq!((declared, said), ("Cel", "Cel"));
    assert!((celsius * 1.8 + 32.0 - sent).abs() < 0.01, "{celsius} {sent}");

    let spiking = city(&fault("spiking", "size = 100.0")).expect("a city");
    let is_spike = |second: &i64| temperature(&spiking, *second) != temperature(&plain, *second);
    let spikes = (0..1_500).filter(is_spike).count();
    assert!((10..60).contains(&spikes), "{spikes} of 1500");
}

#[test]
fn restarted_devices_count_from_zero_and_need_time_to_start() {
    let fault = "[[faults]]\nkind = \"reboots\"\ndevices = \"noise_meter\"\nsize = 120.0";
    let fleet = city(fault).expect("a city");
    let messages: Vec<_> = fleet
        .sends()
        .take_while(|sent| sent.at < after(600))
        .filter(|sent| sent.uplink.topic.starts_with("application/"))
        .filter(|sent| json(sent)["deviceInfo"]["deviceProfileName"] == "noise_meter")
        .collect();
    let quiet = |sent: &Sent| (sent.at.as_second() - start().as_second()) % 120 < 20;
    assert!(!messages.is_empty() && !messages.iter().any(quiet));
    let highest = messages.iter().filter_map(|sent| json(sent)["fCnt"].as_u64()).max();
    assert_eq!(highest, Some(19));
}

#[test]
fn new_firmware_speaks_another_format_on_a_part_of_the_fleet() {
    let fault = "[[faults]]\nkind = \"firmware_update\"\ndevices = \"air_station\"\n\
                 share = 0.5\nstart = \"60s\"\nformat = \"senml\"";
    let fleet = city(fault).expect("a city");
    let [update] = fleet.faults() else { panic!("one fault") };
    assert_eq!(update.devices.len(), 5);
    for (device, sent) in sent(&fleet, "air_station", 120) {
        let is_new = |sent: &&Sent| json(sent).is_array();
        let (old, new): (Vec<_>, Vec<_>) = sent.iter().partition(|s| !is_new(s));
        if update.devices.contains(&device) {
            assert!(old.iter().all(|s| s.at < after(60)) && new.iter().all(|s| s.at >= after(60)));
            assert!(!old.is_empty() && !new.is_empty());
        } else {
            assert!(new.is_empty());
        }
    }
}

#[test]
fn registries_say_wrong_places_and_the_truth_keeps_the_right_ones() {
    let fault =
        "[[faults]]\nkind = \"swapped_coordinates\"\ndevices = \"air_station\"\nshare = 0.3";
    let (plain, fleet) = (city("").expect("a city"), city(fault).expect("a city"));
    let [swapped] = fleet.faults() else { panic!("one fault") };
    for (index, device) in fleet.devices().iter().enumerate() {
        let (said, right) = (&device.position, &plain.devices()[index].position);
        assert_eq!(said != right, swapped.devices.contains(&device.id), "{}", device.id);
        if let (Some(said), Some(right)) = (said, right) {
            let there = fleet.position_at(index, start());
            assert_eq!(there, Some((right.lon, right.lat)));
            assert!(said == right || (said.lon, said.lat) == (right.lat, right.lon));
        }
    }
    let truth = serde_json::to_value(fleet.truth()).expect("JSON");
    assert_eq!(truth["faults"][0]["kind"], "swapped_coordinates");
    assert_eq!(truth["faults"][0]["devices"].as_array().map(Vec::len), Some(3));
}

#[test]
fn clocks_drift() {
    let fault = "[[faults]]\nkind = \"clock_drift\"\ndevices = \"air_station\"\nsize = 86400.0";
    let fleet = city(fault).expect("a city");
    for sent in sent(&fleet, "air_station", 300).values() {
        for (sent, said) in sent.iter().zip(times(sent)) {
            // A day a day: twice as fast.
            let really = sent.at.as_second() - start().as_second();
            assert!((said - 2 * really).abs() <= 2, "{said} at {really}");
        }
    }
}

#[test]
fn faults_that_cannot_be_are_named_with_a_way_out() {
    for (lines, expected) in [
        ("kind = \"gcj02\"\ndevices = \"air_station\"", "outside of China"),
        ("kind = \"stuck\"\ndevices = \"tram\"", "no devices of kind `tram`"),
        ("kind = \"stuck\"\ndevices = \"bus\"\nshare = 0.0", "share 0 is not a share"),
        ("kind = \"stuck\"\ndevices = \"bus\"\nsize = 2.0", "a size means nothing to stuck"),
        ("kind = \"batches\"\ndevices = \"bus\"\nsize = 1.0", "from 2 to 10000"),
        ("kind = \"firmware_update\"\ndevices = \"bus\"", "has no format"),
        (
            "kind = \"firmware_update\"\ndevices = \"bus\"\nformat = \"ttn\"",
            "they can send json, senml",
        ),
        ("kind = \"outage\"\ndevices = \"bus\"\nformat = \"json\"", "a format means nothing"),
        (
            "kind = \"swapped_coordinates\"\ndevices = \"air_station\"\nstart = \"1m\"",
            "one place for all times",
        ),
        ("kind = \"stuck\"\ndevices = \"bus\"\nhold = \"0s\"", "hold is zero"),
    ] {
        let error = city(&format!("[[faults]]\n{lines}")).expect_err(lines).to_string();
        assert!(error.contains("[[faults]] number 1") && error.contains(expected), "{error}");
    }
}
