//! The same scenario through citybrain, Prometheus and vmalert: the same alerts at the same times where
//! they mean the same, and the differences by name.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, ensure};
use city_model::Timestamp;
use city_tests::faults::City;
use city_tests::instance::{Instance, binary};
use city_tests::peers::scenario::{
    BEGIN, CITY_RULES, DISTRICTS, END, STEP, devices, line_protocol,
};
use city_tests::peers::{Firing, Firings, Subject, promtool, vmalert};
use serde_json::Value;

/// A city with the scenario's devices and districts.
fn city() -> anyhow::Result<City> {
    let city = City::with_rules(Some(CITY_RULES), &[])?;
    let folder = city.folder();
    std::fs::write(folder.join("devices.json"), devices())?;
    std::fs::write(folder.join("districts.geojson"), DISTRICTS)?;
    let config = folder.join("citybrain.toml");
    let text = std::fs::read_to_string(&config)?.replace(
        "[city]\n",
        "[city]\ndevices = \"devices.json\"\nzones = [{ file = \"districts.geojson\", layer = \
         \"district\", id_property = \"code\" }]\n",
    );
    let source = "[[source]]\nid = \"scenario\"\ntopic = \"scenario\"\nformat = \"line_protocol\"\n\
                  [source.options]\nprecision = \"s\"\n";
    std::fs::write(config, text + source)?;
    Ok(city)
}

/// What citybrain makes of it: everything is pushed to the program, and the rules are run over what
/// it has stored.
async fn ours() -> anyhow::Result<Firings> {
    let city = city()?;
    let instance = city.start().await?;
    let readings = line_protocol();
    let stored = push(&instance, readings.clone()).await?;
    ensure!(stored == readings.lines().count() as u64, "{stored} readings are stored");
    let time = |secs: i64| Timestamp::from_secs(BEGIN + secs).to_string();
    let run = Command::new(binary()?)
        .args(["rules", "backtest", "--json", "--from", &time(0), "--to", &time(END)])
        .arg("--data-dir")
        .arg(city.data())
        .output()?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report: Value = serde_json::from_slice(&run.stdout)?;
    let seconds = |value: &Value| -> anyhow::Result<i64> {
        let time: Timestamp = serde_json::from_value(value.clone())?;
        Ok(time.since(Timestamp::from_secs(BEGIN)).secs_f64().round() as i64)
    };
    let mut firings = Firings::new();
    for alert in report["alerts"].as_array().context("no alerts")? {
        let subject = &alert["subject"];
        let subject = subject["device"].as_str().or(subject["zone"].as_str());
        let rule = alert["rule"].as_str().zip(subject);
        let (rule, subject) = rule.with_context(|| format!("no rule or subject in {alert}"))?;
        let to = &alert["resolved_at"];
        let to = if to.is_null() { None } else { Some(seconds(to)?) };
        let firing = Firing { from: seconds(&alert["fired_at"])?, to };
        firings.entry((rule.to_owned(), subject.to_owned())).or_default().push(firing);
    }
    Ok(firings)
}

/// Pushes a message; says how many readings are stored then.
async fn push(instance: &Instance, message: String) -> anyhow::Result<u64> {
    let client =
        city_alert::plain_client(city_tests::faults::PATIENCE).map_err(anyhow::Error::msg)?;
    let url = format!("http://{}/api/v1/ingest/scenario", instance.ready.http);
    let request = client.post(url).bearer_auth(&instance.ready.token).body(message);
    let answer: Value = request.send().await?.json().await?;
    answer["stored"].as_u64().with_context(|| answer.to_string())
}

/// What both sides must see alike: our rule, theirs, and the subject.
const ALIKE: &[(&str, &str, &str)] = &[
    ("level-high", "level-high", "twice"),
    ("pm25-high", "pm25-high", "plain"),
    ("pm25-high", "pm25-high-hysteresis", "plain"),
    ("pm25-high", "pm25-high-hysteresis", "between"),
    ("noise-mean", "noise-mean", "loud"),
    ("no2-silent", "no2-silent", "pauses"),
    ("pm10-zone", "pm10-zone", "north"),
    ("pm10-zone", "pm10-zone", "south"),
    ("warming", "warming", "warms"),
];

/// What they must see differently, because they mean something else.
const DIFFERENT: &[(&str, &str)] = &[
    ("level-high", "dips"),
    ("level-high", "mute"),
    ("level-high", "gone"),
    ("pm25-high", "between"),
    ("pm25-high", "spike"),
    ("no2-silent-by-timestamp", "pauses"),
    ("warming", "begins"),
];

/// The alerts of a rule about a subject.
fn of<'a>(firings: &'a Firings, rule: &str, subject: &str) -> &'a [Firing] {
    firings.get(&(rule.to_owned(), subject.to_owned())).map_or(&[], Vec::as_slice)
}

/// Alerts for people.
fn shown(firings: &[Firing]) -> String {
    let of = |firing: &Firing| match firing.to {
        Some(to) => format!("{} to {to} s", firing.from),
        None => format!("from {} s on", firing.from),
    };
    firings.iter().map(of).collect::<Vec<String>>().join(" and ")
}

/// As many alerts, each beginning and ending within one interval of theirs after ours; prints them.
/// Nothing fires that is not listed.
fn assert_alike(name: &str, ours: &Firings, theirs: &Firings, without_keep: bool) {
    for (rule, their_rule, subject) in ALIKE {
        if without_keep && rule.starts_with("pm25") {
            continue;
        }
        let (here, there) = (of(ours, rule, subject), of(theirs, their_rule, subject));
        let said = format!(
            "{their_rule} about {subject}: {} here, {} in {name}",
            shown(here),
            shown(there)
        );
        // Not by a macro, whose output the test harness would swallow.
        let _ = writeln!(std::io::stderr(), "{said}");
        assert_eq!(here.len(), there.len(), "{said}");
        assert!(!here.is_empty(), "{said}");
        // A zone is judged at most once a second here.
        let earliest = if *rule == "pm10-zone" { -1 } else { 0 };
        for (here, there) in here.iter().zip(there) {
            let late = |here: i64, there: i64| (earliest..=STEP).contains(&(there - here));
            assert!(late(here.from, there.from), "{said}");
            let to = here.to.zip(there.to);
            assert!(to.is_some_and(|(here, there)| late(here, there)), "{said}");
        }
    }
    // Nothing else fires on either side.
    let known: BTreeSet<(&str, &str)> = ALIKE
        .iter()
        .flat_map(|(rule, their_rule, subject)| [(*rule, *subject), (*their_rule, *subject)])
        .chain(DIFFERENT.iter().copied())
        .collect();
    for (rule, subject) in ours.keys().chain(theirs.keys()) {
        assert!(known.contains(&(rule.as_str(), subject.as_str())), "{rule} about {subject}");
    }
}

/// What comes of evaluating on a grid, and of what silence means there.
fn assert_different(name: &str, ours: &Firings, theirs: &Firings) {
    let fires = |from, to| Firing { from, to: Some(to) };

    // Good readings that come when nobody evaluates reset `for` here; there they never were.
    assert_eq!(of(ours, "level-high", "dips"), []);
    assert_eq!(of(theirs, "level-high", "dips"), [fires(270, 510)], "{name}");

    // A device that falls silent while its alert fires: here only a reading ends it, there five
    // minutes do.
    let (last, back) = (390, 1_500);
    assert_eq!(of(ours, "level-high", "mute"), [fires(260, back)]);
    let [there] = of(theirs, "level-high", "mute") else { panic!("one alert in {name}") };
    let ended = there.to.expect("it ends") - last;
    assert!((300..=300 + STEP).contains(&ended), "{ended} s after the last reading in {name}");

    // Two readings of a device that begins to send are no rate here.
    assert_eq!(of(ours, "warming", "begins"), []);
    assert_eq!(of(theirs, "warming", "begins"), [fires(420, 450)], "{name}");

    // The age of the last reading is known for five minutes only, and then the alert ends although
    // the device is still silent.
    let by_age = of(theirs, "no2-silent-by-timestamp", "pauses");
    let (last, back) = (770, 1_380);
    let ended = by_age.last().and_then(|firing| firing.to).expect("it ends");
    assert!((last + 300..back).contains(&ended), "{by_age:?} in {name}");
}

/// What needs rules with `keep_firing_for`, or markers that a target is gone.
fn assert_different_in_prometheus(ours: &Firings, theirs: &Firings) {
    let fires = |from, to| Firing { from, to: Some(to) };

    // The same silence where the target is gone, too: over at once there.
    assert_eq!(of(ours, "level-high", "gone"), [fires(260, 1_500)]);
    assert_eq!(of(theirs, "level-high", "gone"), [fires(270, 405)]);

    // Without hysteresis one alert becomes two.
    assert_eq!(of(ours, "pm25-high", "between"), [fires(200, 1_120)]);
    assert_eq!(of(theirs, "pm25-high", "between"), [fires(210, 420), fires(600, 825)]);

    // A reading between two evaluations is not seen at all.
    assert_eq!(of(ours, "pm25-high", "spike"), [fires(200, 330)]);
    assert_eq!(of(theirs, "pm25-high", "spike"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_alerts_at_the_same_times_and_differences_that_have_a_reason() {
    let ours = ours().await.expect("citybrain's alerts");
    let prometheus = promtool::firings().expect("Prometheus' alerts");
    assert_alike("Prometheus", &ours, &prometheus, false);
    assert_different("Prometheus", &ours, &prometheus);
    assert_different_in_prometheus(&ours, &prometheus);
    let vmalert = vmalert::firings().await.expect("vmalert's alerts");
    assert_alike("vmalert", &ours, &vmalert, true);
    assert_different("vmalert", &ours, &vmalert);
    // Exactly what Prometheus has; but nobody tells vmalert that a target is gone, and for it a reading
    // that is just five minutes old is too old.
    let otherwise = |subject: &Subject| ["gone", "mute"].contains(&subject.1.as_str());
    for subject in vmalert.keys().filter(|subject| !otherwise(subject)) {
        assert_eq!(vmalert[subject], prometheus[subject], "{subject:?}");
    }
}
