//! `citybrain rules explain`: why an alert fired, and why one did not.

use std::fmt::Write as _;

use city_model::Timestamp;
use serde_json::Value;

use super::DataDir;
use super::client::{Client, path_part};

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The id of a rule in force.
    rule: String,
    /// What the alert would be about, by its id: a device and a metric as `device/metric`, a device,
    /// or a zone.
    subject: String,
    /// At which instant, RFC 3339; now unless given.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// How many steps to print, the newest ones.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    steps: u32,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let client = Client::connect(&args.data)?;
    let (steps, at) = (args.steps.to_string(), args.at.map(|at| at.to_string()));
    let mut query = vec![("subject", args.subject.as_str()), ("limit", &steps)];
    if let Some(at) = &at {
        query.push(("at", at));
    }
    let path = format!("/api/v1/rules/{}/explain", path_part(&args.rule));
    let answer = client.get(&path, &query)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", shown(&answer));
    }
    Ok(())
}

/// An explanation for people.
fn shown(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(out, "{}", text(&answer["sentence"]["en"]));
    let counts = answer["counts"].as_object().cloned().unwrap_or_default();
    let counts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
    if !counts.is_empty() {
        let _ = writeln!(out, "  since {}: {}", text(&answer["from"]), counts.join(", "));
    }
    let near = &answer["nearest_miss"];
    if !near.is_null() {
        let _ = writeln!(
            out,
            "  nearest miss: {} against {} at {}",
            near["value"],
            near["limit"],
            text(&near["at"])
        );
    }
    let left_out = answer["steps_left_out"].as_u64().unwrap_or_default();
    if left_out > 0 {
        let _ = writeln!(out, "  … {left_out} older steps; --steps or --json shows more");
    }
    for step in list(&answer["steps"]) {
        let reading = &step["reading"];
        let seen = if reading.is_null() {
            String::new()
        } else {
            let (device, metric) = (text(&reading["device"]), text(&reading["metric"]));
            format!("{device}/{metric} {} ({})", reading["value"], text(&reading["quality"]))
        };
        let (at, words) = (text(&step["at"]), text(&step["text"]["en"]));
        let _ = writeln!(
            out,
            "  {at}  {:<12} {words}{}{seen}",
            text(&step["decision"]),
            if seen.is_empty() { "" } else { "  ← " }
        );
    }
    for alert in list(&answer["alerts"]) {
        let end = alert["resolved_at"].as_str().unwrap_or("still firing");
        let _ = writeln!(
            out,
            "alert {}: {} from {} (until {end})",
            text(&alert["id"]),
            text(&alert["severity"]),
            text(&alert["fired_at"])
        );
        for line in list(&alert["log"]) {
            let _ = writeln!(
                out,
                "  {}  {:<12} by {} {}",
                text(&line["at"]),
                text(&line["kind"]),
                text(&line["by"]),
                text(&line["note"])
            );
        }
    }
    for silence in list(&answer["silences"]) {
        let _ = writeln!(
            out,
            "silenced by {} until {}: {}",
            text(&silence["owner"]),
            text(&silence["ends_at"]),
            text(&silence["reason"])
        );
    }
    for late in list(&answer["late_readings"]) {
        let _ = writeln!(
            out,
            "late: the reading of {} came at {} ({})",
            text(&late["time"]),
            text(&late["received"]),
            text(&late["decision"])
        );
    }
    for caveat in list(&answer["caveats"]) {
        let _ = writeln!(out, "note: {}", text(&caveat["en"]));
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sentence_comes_first_and_every_step_has_a_line() {
        let answer = json!({
            "sentence": {"en": "Not firing: no", "zh": "未告警"},
            "from": "2026-11-20T00:00:00Z",
            "counts": {"judged": 3, "out_of_order": 1},
            "nearest_miss": {"value": 74.5, "limit": 75.0, "at": "2026-11-20T12:01:00Z"},
            "steps_left_out": 2,
            "steps": [
                {"at": "2026-11-20T12:01:00Z", "decision": "judged", "text": {"en": "clear"},
                 "reading": {"device": "d", "metric": "pm25", "value": 74.5, "quality": "pass"}},
                {"at": "2026-11-20T12:02:00Z", "decision": "off_schedule",
                 "text": {"en": "the rule is off schedule"}, "reading": null},
            ],
            "alerts": [{"id": "a1", "severity": "high", "fired_at": "2026-11-19T00:00:00Z",
                "resolved_at": null,
                "log": [{"at": "2026-11-19T00:00:00Z", "kind": "fired", "by": "engine"}]}],
            "silences": [{"owner": "li", "ends_at": "2026-11-21T00:00:00Z", "reason": "works"}],
            "caveats": [{"en": "none is late"}],
        });
        let shown = shown(&answer);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "Not firing: no");
        assert_eq!(lines[1], "  since 2026-11-20T00:00:00Z: 3 judged, 1 out of order");
        assert_eq!(lines[2], "  nearest miss: 74.5 against 75.0 at 2026-11-20T12:01:00Z");
        assert!(lines[3].contains("2 older steps"), "{shown}");
        assert_eq!(lines[4], "  2026-11-20T12:01:00Z  judged       clear  ← d/pm25 74.5 (pass)");
        assert_eq!(lines[5], "  2026-11-20T12:02:00Z  off_schedule the rule is off schedule");
        assert!(lines[6].starts_with("alert a1: high") && lines[6].contains("still firing"));
        assert!(lines[8].starts_with("silenced by li until"), "{shown}");
        assert_eq!(lines[9], "note: none is late");
    }
}
