//! Prometheus' own engine in virtual time: `promtool test rules`.
//!
//! promtool says what fires only where that is not what was expected. So it is first asked with no
//! expectations, and then confirms what it said.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::scenario::{END, EVERY, KEEP_RULES, PROMETHEUS_RULES, SERIES, STEP};
use super::{Firings, Subject, firings_of};

/// Debian's package `prometheus` brings it.
const PROGRAM: &str = "/usr/bin/promtool";

/// What is seen firing, by rule and subject, at which seconds.
type Seen = BTreeMap<Subject, Vec<i64>>;

/// What Prometheus makes of the scenario.
pub fn firings() -> anyhow::Result<Firings> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("rules.yaml"), PROMETHEUS_RULES)?;
    std::fs::write(folder.path().join("keep.yaml"), KEEP_RULES)?;
    let (agreed, said) = run(folder.path(), &Seen::new())?;
    ensure!(!agreed, "promtool sees nothing fire: {said}");
    let seen = parse(&said)?;
    let (agreed, said) = run(folder.path(), &seen)?;
    ensure!(agreed, "promtool does not say twice what it said once:\n{said}");
    Ok(firings_of(&seen, STEP, END))
}

fn rules() -> impl Iterator<Item = &'static str> {
    let lines = PROMETHEUS_RULES.lines().chain(KEEP_RULES.lines());
    lines.filter_map(|line| Some(line.split_once("alert: ")?.1.split(',').next()?.trim()))
}

/// The labels of an alert about this subject.
fn labels((rule, subject): &Subject) -> Value {
    if rule == "pm10-zone" {
        return json!({ "zone": subject });
    }
    let series = SERIES.iter().find(|series| series.device == subject);
    json!({ "device": subject, "zone": series.map(|series| series.zone) })
}

/// Whether it agrees that these and no others fire, and what it says.
fn run(folder: &Path, expected: &Seen) -> anyhow::Result<(bool, String)> {
    let mut cases = Vec::new();
    for time in (0..END).step_by(STEP as usize) {
        for rule in rules() {
            let firing =
                expected.iter().filter(|((of, _), seen)| of == rule && seen.contains(&time));
            let alerts: Vec<Value> =
                firing.map(|(subject, _)| json!({ "exp_labels": labels(subject) })).collect();
            let eval_time = format!("{time}s");
            cases.push(json!({ "eval_time": eval_time, "alertname": rule, "exp_alerts": alerts }));
        }
    }
    let series = SERIES
        .iter()
        .map(|series| json!({ "series": series.selector(), "values": series.promtool_values() }));
    // JSON is YAML.
    let test = json!({
        "rule_files": ["rules.yaml", "keep.yaml"],
        "evaluation_interval": format!("{STEP}s"),
        "tests": [{
            "interval": format!("{EVERY}s"),
            "input_series": series.collect::<Vec<Value>>(),
            "alert_rule_test": cases,
        }],
    });
    std::fs::write(folder.join("test.yaml"), test.to_string())?;
    let output = Command::new(PROGRAM)
        .args(["test", "rules", "test.yaml"])
        .current_dir(folder)
        .output()
        .context("promtool cannot be started; `cargo xtask test` installs it (Debian package prometheus)")?;
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said += &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.success(), said))
}

/// What it got, from lines such as
///
/// ```text
///     alertname: level-high, time: 4m30s,
///         exp:[],
///         got:[
///             0:
///               Labels:{alertname="level-high", device="twice", zone="north"}
/// ```
fn parse(said: &str) -> anyhow::Result<Seen> {
    let mut seen = Seen::new();
    let mut now = None;
    for line in said.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("alertname: ") {
            let (_, time) =
                rest.split_once("time: ").with_context(|| format!("no time in {line}"))?;
            now = Some(seconds(time.trim_end_matches([',', ' ']))?);
        } else if let Some(labels) = line.strip_prefix("Labels:{") {
            let label = |name: &str| {
                let rest = labels.split_once(&format!("{name}=\""))?.1;
                Some(rest.split_once('"')?.0.to_owned())
            };
            let rule = label("alertname").with_context(|| format!("no rule in {line}"))?;
            let subject = label("device").or_else(|| label("zone"));
            let subject = subject.with_context(|| format!("no subject in {line}"))?;
            let time = now.with_context(|| format!("{line} comes before any time"))?;
            seen.entry((rule, subject)).or_default().push(time);
        }
    }
    if seen.is_empty() {
        bail!("promtool says nothing of what fires:\n{said}");
    }
    Ok(seen)
}

/// Seconds of a length of time such as `1m30s`.
fn seconds(text: &str) -> anyhow::Result<i64> {
    let mut total = 0;
    let mut number = String::new();
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => bail!("{text} is no length of time"),
        };
        let count: i64 = number.parse().with_context(|| format!("the length of time {text}"))?;
        total += count * unit;
        number.clear();
    }
    ensure!(number.is_empty(), "{text} is no length of time");
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_promtool_says_is_understood() {
        let said = "  FAILED:\n    alertname: a, time: 2m30s, \n        exp:[], \n        got:[\n            \
                    0:\n              Labels:{alertname=\"a\", device=\"d\", zone=\"north\"}\n              \
                    Annotations:{}\n            ]\n    alertname: z, time: 1h0m5s, \n              \
                    Labels:{alertname=\"z\", zone=\"north\"}\n";
        let of = |rule: &str, subject: &str| (rule.to_owned(), subject.to_owned());
        let expected = Seen::from([(of("a", "d"), vec![150]), (of("z", "north"), vec![3_605])]);
        assert_eq!(parse(said).expect("understood"), expected);
        assert!(parse("SUCCESS").is_err());
    }
}
