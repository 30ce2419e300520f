use std::collections::{BTreeMap, BTreeSet};

use city_model::{Catalogue, unit};

use super::*;
use crate::clock::from_millis;
use crate::zones::tests::CHICAGO;
use crate::{Span, Value};

fn start() -> Timestamp {
    "2026-11-23T14:30:00Z".parse().expect("a time")
}

fn fleet() -> Fleet {
    Fleet::new(&Scenario::chicago(), CHICAGO, start()).expect("the demo's scenario")
}

fn after(seconds: i64) -> Timestamp {
    from_millis(start().as_millisecond() + seconds * 1_000)
}

#[test]
fn the_same_scenario_makes_the_same_city() {
    let (one, two) = (fleet(), fleet());
    assert_eq!(one.devices(), two.devices());
    assert_eq!(one.incidents(), two.incidents());
    for device in (0..one.devices().len()).step_by(37) {
        let time = after(device as i64 * 11);
        assert_eq!(one.values_at(device, time), two.values_at(device, time));
    }
    let other = Scenario { seed: 1, ..Scenario::chicago() };
    let other = Fleet::new(&other, CHICAGO, start()).expect("a city");
    assert_ne!(one.devices()[500].position, other.devices()[500].position);
}

#[test]
fn two_thousand_devices_are_ready_for_the_registry() {
    let fleet = fleet();
    let devices = fleet.devices();
    assert_eq!(devices.len(), 2_000);
    let ids: BTreeSet<_> = devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(ids.len(), 2_000);
    let kinds: BTreeSet<_> = devices.iter().map(|device| device.kind.as_str()).collect();
    assert!(kinds.len() >= 9, "{kinds:?}");
    let departments: Vec<_> = fleet.departments().into_iter().map(|label| label.id).collect();
    for device in devices {
        let end_device = device.id.len() <= 36
            && device.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(end_device, "{} is no id for The Things Stack", device.id);
        assert!(device.name.en.is_ascii() && !device.name.zh.is_ascii(), "{:?}", device.name);
        assert!(departments.contains(&device.department));
        assert!(device.simulated && device.moving != device.position.is_some());
        if let Some(gateway) = &device.gateway {
            assert!(ids.contains(gateway.as_str()), "{gateway} is not a device");
        }
    }
    assert_eq!(devices.iter().filter(|device| device.moving).count(), 100);
}

#[test]
fn devices_stand_in_their_own_neighbourhood() {
    let zones = Zones::parse(CHICAGO).expect("zones");
    let fleet = fleet();
    for (device, unit) in fleet.specs.iter().zip(&fleet.units) {
        let Some(position) = &device.position else { continue };
        assert!(zones.list[unit.zone].contains(position.lon, position.lat), "{}", device.id);
    }
    for bus in (0..2_000).filter(|device| fleet.specs[*device].moving) {
        for minute in 0..20 {
            let (lon, lat) = fleet.position_at(bus, after(minute * 60)).expect("a place");
            assert!(zones.contain(lon, lat), "{} at {lon} {lat}", fleet.specs[bus].id);
        }
    }
}

/// A value as the platform will have it, in the catalogue's unit.
fn in_catalogue(catalogue: &Catalogue, sample: &Sample) -> f64 {
    let metric = catalogue.by_id(sample.metric).expect("a metric of the catalogue");
    let conversion = unit::conversion(sample.unit, &metric.unit).expect("convertible");
    conversion.apply(sample.value.as_f64())
}

#[test]
fn every_value_of_two_days_is_physically_possible() {
    let catalogue = Catalogue::embedded();
    let fleet = fleet();
    let mut seen = BTreeSet::new();
    for device in (0..2_000).step_by(3) {
        for step in 0..24 {
            let time = after(-86_400 + step * 7_200 + device as i64);
            for sample in fleet.values_at(device, time) {
                let value = in_catalogue(&catalogue, &sample);
                seen.insert(sample.metric);
                if let Some(range) = catalogue.by_id(sample.metric).and_then(|m| m.range) {
                    let inside = (range.min..=range.max).contains(&value);
                    assert!(inside, "{} {sample:?}", fleet.specs[device].id);
                }
            }
        }
    }
    assert!(seen.len() >= 18, "{seen:?}");
}

/// The mean of a metric over a kind at hours of a working day in Chicago (UTC-6).
fn mean(fleet: &Fleet, kind: &str, metric: &str, hour: i64) -> f64 {
    let midnight = "2026-11-24T06:00:00Z".parse::<Timestamp>().expect("a time").as_millisecond();
    let of_kind = (0..2_000).filter(|device| fleet.specs[*device].kind == kind);
    let values: Vec<f64> = of_kind
        .flat_map(|device| {
            // Incidents of that day are too few to matter in a mean of all devices.
            let time = from_millis(midnight + hour * 3_600_000 + device as i64 * 1_000);
            fleet.values_at(device, time)
        })
        .filter(|sample| sample.metric == metric)
        .map(|sample| sample.value.as_f64())
        .collect();
    assert!(!values.is_empty());
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn days_have_their_patterns() {
    let fleet = fleet();
    let at = |kind, metric, hour| mean(&fleet, kind, metric, hour);
    assert!(at("noise_meter", "noise_laeq", 17) > at("noise_meter", "noise_laeq", 3) + 6.0);
    assert!(at("traffic_loop", "traffic_count", 8) > 3.0 * at("traffic_loop", "traffic_count", 3));
    assert!(at("traffic_loop", "traffic_speed", 17) < at("traffic_loop", "traffic_speed", 3) - 5.0);
    assert_eq!(at("street_light", "lamp_on", 12), 0.0);
    assert_eq!(at("street_light", "lamp_on", 22), 1.0);
    assert!(at("street_light", "lamp_power", 22) > 40.0);
    assert!(at("bus", "occupancy", 17) > at("bus", "occupancy", 3) + 15.0);
    assert!(at("air_station", "no2", 17) > at("air_station", "no2", 3));
    let free = |hour| at("parking_garage", "parking_free", hour);
    assert!((free(13) - free(3)).abs() > 5.0, "garages fill and empty");
}

#[test]
fn the_first_two_minutes_have_their_three_incidents() {
    let fleet = fleet();
    let early: Vec<_> = fleet.incidents().iter().take_while(|i| i.start < after(120)).collect();
    let kinds: BTreeSet<_> = early.iter().map(|incident| incident.kind.name()).collect();
    assert_eq!(kinds, BTreeSet::from(["air_episode", "dark_gateway", "rising_water"]));
    assert!(early.iter().all(|incident| incident.end <= after(110)), "all end by themselves");
    for incident in &early {
        assert!(!incident.devices.is_empty() && incident.devices.len() < 120);
    }
}

#[test]
fn the_air_episode_climbs_through_all_severities_and_ends() {
    let fleet = fleet();
    let episode = fleet.incidents().iter().find(|i| i.kind == IncidentKind::AirEpisode);
    let stations = &episode.expect("an episode").devices;
    assert!(stations.len() >= 3, "a zone alert needs three devices");
    let pm25 = |id: &str, seconds: i64| {
        let device = fleet.index_of(id).expect("a device");
        let values = fleet.values_at(device, after(seconds));
        values.iter().find(|s| s.metric == "pm25").expect("it measures pm25").value.as_f64()
    };
    for station in stations {
        assert!(pm25(station, 0) < 40.0);
        let reached = |limit| (0..120).find(|second| pm25(station, *second) > limit);
        let (medium, high, critical) = (reached(75.0), reached(115.0), reached(150.0));
        assert!(medium < high && high < critical && critical.is_some_and(|second| second < 55));
        assert!((50..64).all(|second| pm25(station, second) > 155.0));
        assert!(pm25(station, 100) < 40.0);
    }
}

#[test]
fn the_water_rises_over_the_gauges_own_limits() {
    let fleet = fleet();
    let flood = fleet.incidents().iter().find(|i| i.kind == IncidentKind::RisingWater);
    for id in &flood.expect("a flood").devices {
        let device = fleet.index_of(id).expect("a device");
        let level =
            |seconds: i64| fleet.values_at(device, after(seconds))[0].value.as_f64() / 100.0;
        let limit = |name: &str| match fleet.specs[device].attributes.get(name) {
            Some(crate::Attribute::Number(limit)) => *limit,
            other => panic!("{name} is {other:?}"),
        };
        assert!(level(0) < limit("warning_level") - 0.2);
        assert!(level(60) > limit("danger_level") + 0.2);
        assert!(level(110) < limit("warning_level") - 0.2);
    }
}

#[test]
fn behind_a_dark_gateway_all_are_silent_and_others_are_not() {
    let fleet = fleet();
    let dark = fleet.incidents().iter().find(|i| i.kind == IncidentKind::DarkGateway);
    let dark = dark.expect("a dark gateway");
    let behind: BTreeSet<_> = dark.devices.iter().map(String::as_str).collect();
    assert!(behind.len() > 20, "{}", behind.len());
    for (device, spec) in fleet.specs.iter().enumerate() {
        let silent = |seconds| fleet.is_silent(device, after(seconds));
        let expected = behind.contains(spec.id.as_str());
        assert_eq!((silent(5), silent(50), silent(95)), (false, expected, false), "{}", spec.id);
    }
    // The counters of silent devices go on, so that the gap can be seen.
    let sender = fleet.senders.iter().find(|s| fleet.specs[s.devices[0]].id == dark.devices[1]);
    let sender = sender.expect("it sends");
    let mut counters = vec![0; 2_000];
    let mut records = Vec::new();
    for second in [0, 50, 95] {
        fleet.records(sender, after(second), &mut counters, &mut records);
    }
    assert_eq!(records.iter().map(|record| record.counter).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn later_incidents_come_one_by_one_at_changing_places() {
    let fleet = fleet();
    let later: Vec<_> = fleet.incidents().iter().filter(|i| i.start >= after(120)).collect();
    assert!(later.len() > 2_000, "a week of them");
    for pair in later.windows(2) {
        let pause = pair[1].start.as_millisecond() - pair[0].start.as_millisecond();
        assert!((140_000..=220_000).contains(&pause), "{pause} ms");
        assert!(pair[0].zone != pair[1].zone || pair[0].kind != pair[1].kind);
    }
    for time in (120..86_400).step_by(60) {
        let now = after(time);
        let standing = later.iter().filter(|i| i.start <= now && now < i.end).count();
        assert!(standing <= 2, "{standing} at {time} s are no calm city");
    }
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for incident in later {
        places.entry(incident.kind.name()).or_default().insert(&incident.zone);
    }
    assert!(places.values().all(|zones| zones.len() >= 4), "{places:?}");
}

#[test]
fn everything_sent_stays_at_its_usual_rate() {
    let fleet = fleet();
    let readings: f64 = (0..2_000)
        .map(|device| {
            let values = fleet.values_at(device, start()).len() as f64;
            values / Span::from_millis(fleet.units[device].interval).secs_f64()
        })
        .sum();
    assert!((400.0..900.0).contains(&readings), "{readings} readings a second");
}

#[test]
fn only_scripted_values_pass_the_limits_of_the_rules() {
    let fleet = fleet();
    // A week of half hours before anything was scripted.
    for step in 0..(7 * 48) {
        let time = after(-7 * 86_400 + step * 1_800);
        for device in (step as usize % 5..2_000).step_by(5) {
            for sample in fleet.values_at(device, time) {
                let value = sample.value.as_f64();
                let calm = match sample.metric {
                    "pm25" => value < 60.0,
                    "noise_laeq" => value < 78.0,
                    "traffic_speed" => value > 18.0,
                    "water_level" => value < 185.0,
                    _ => true,
                };
                assert!(calm, "{} {sample:?} at {time}", fleet.specs[device].id);
            }
        }
    }
    let full = |time| {
        let bins = (0..2_000).filter(|device| fleet.specs[*device].kind == "waste_bin");
        bins.filter(|bin| {
            let values = fleet.values_at(*bin, time);
            values.iter().any(|s| s.metric == "fill_level" && s.value.as_f64() > 92.0)
        })
        .count()
    };
    for hour in 0..48 {
        assert!(full(after(hour * 3_600)) <= 4);
    }
    let weak = (0..2_000).filter(|device| {
        let values = fleet.values_at(*device, start());
        values.iter().any(|s| s.metric == "battery" && matches!(s.value, Value::Integer(..10)))
    });
    assert!((1..=4).contains(&weak.count()));
}

/// The demo's city with one incident in Austin, a minute after the start, for ten minutes.
fn struck_by(kind: &str, peak: f64) -> Fleet {
    let mut scenario = Scenario::chicago();
    scenario.repeat.clear();
    let text = format!(
        "kind = \"{kind}\"\nzone = \"Austin\"\nstart = \"60s\"\nrise = \"0s\"\nhold = \"10m\"\n\
         fall = \"0s\"\npeak = {peak:?}"
    );
    scenario.incidents = vec![toml::from_str(&text).expect("an incident")];
    Fleet::new(&scenario, CHICAGO, start()).expect("a city")
}

#[test]
fn a_power_cut_leaves_only_batteries_that_are_heard_by_another_gateway() {
    let fleet = struck_by("power_cut", 0.0);
    let [cut] = fleet.incidents() else { panic!("one incident") };
    let gateway = &cut.devices[0];
    assert!(gateway.starts_with("gw-"), "{gateway}");
    for (index, (device, unit)) in fleet.specs.iter().zip(&fleet.units).enumerate() {
        let in_the_zone = !device.moving && fleet.specs[index].id.contains("-austin-");
        let on_the_mains = device.kind == "air_station" || device.kind == "traffic_loop";
        let is_silent = fleet.is_silent(index, after(120));
        if in_the_zone && on_the_mains || device.gateway.as_ref() == Some(gateway) {
            assert!(is_silent, "{} has power", device.id);
        }
        assert!(!is_silent || cut.devices.contains(&device.id));
        assert!(!fleet.is_silent(index, after(59)) && !fleet.is_silent(index, after(660)));
        assert!(!is_silent || unit.ride.is_none(), "buses drive on");
    }
}

#[test]
fn a_festival_is_loud_and_fills_the_garages() {
    let fleet = struck_by("festival", 88.0);
    let [festival] = fleet.incidents() else { panic!("one incident") };
    let of = |id: &str, second: i64| {
        let index = fleet.index_of(id).expect("a device");
        fleet.values_at(index, after(second))[0].value.as_f64()
    };
    let kinds: BTreeSet<_> =
        festival.devices.iter().map(|id| id.split('-').next().expect("a prefix")).collect();
    assert_eq!(kinds, BTreeSet::from(["garage", "noise"]));
    for id in &festival.devices {
        if id.starts_with("noise") {
            assert!(of(id, 300) > 85.0 && of(id, 30) < 75.0, "{id}");
        } else {
            assert!(of(id, 300) < 0.06 * 900.0, "{id}: {} free", of(id, 300));
        }
    }
}
