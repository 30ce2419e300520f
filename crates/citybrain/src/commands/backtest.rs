//! `citybrain rules backtest`: rules on the history of the running program.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use city_model::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::client::Client;
use super::{DataDir, rules};

/// A run over months of a large city takes its time; it ends when this command does.
const PATIENCE: Duration = Duration::from_hours(24);

/// Alerts and rules that are printed; `--json` has them all.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct BacktestArgs {
    /// Rule files, or folders with them; the rules in force if none are given.
    paths: Vec<PathBuf>,
    /// Only the rule with this id; can be given several times.
    #[arg(long = "rule", value_name = "ID")]
    only: Vec<String>,
    /// The first instant, RFC 3339; a week before --to unless given.
    #[arg(long)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[arg(long)]
    to: Option<Timestamp>,
    /// How many operators share the alerts.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    operators: u32,
    /// Compare with the rules in force that have the same ids.
    #[arg(long)]
    compare: bool,
    /// Incidents that are known to have happened: a JSON list of objects with `from` and `to`, and
    /// `name`, `rule`, and `place` (a device or zone) where they are known.
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
    /// Print the whole report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDir,
}

pub(crate) fn run(args: &BacktestArgs) -> anyhow::Result<()> {
    let files = rules::read_all(&args.paths)?;
    if files.is_empty() && !args.paths.is_empty() {
        let given: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
        bail!("there are no rule files in {}; they end in .yaml or .yml", given.join(", "));
    }
    let files = files.into_iter().map(|(name, text)| json!({ "name": name, "text": text }));
    let mut body = json!({
        "files": files.collect::<Vec<Value>>(),
        "only": args.only,
        "operators": args.operators,
        "compare": args.compare,
    });
    for (name, time) in [("from", args.from), ("to", args.to)] {
        if let Some(time) = time {
            body[name] = json!(time);
        }
    }
    if let Some(path) = &args.incidents {
        let name = path.display();
        let text = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
        body["incidents"] =
            serde_json::from_slice(&text).with_context(|| format!("{name} is not JSON"))?;
    }
    let client = Client::connect(&args.data)?;
    let style =
        ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of about {duration}");
    let bar =
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut last = Value::Null;
    let body = serde_json::to_vec(&body)?;
    let sent =
        client.post_lines("/api/v1/rules/backtest", ("application/json", PATIENCE), body, |line| {
            if let (Some(done), Some(of)) = (line["done"].as_u64(), line["of"].as_u64()) {
                bar.set_length(of);
                bar.set_position(done);
            } else {
                last = line;
            }
        });
    bar.finish_and_clear();
    sent?;
    if let Some(problem) = last.get("problem") {
        let text = |member: &str| problem[member].as_str().unwrap_or_default();
        bail!("{}\n  hint: {}", text("detail"), text("hint"));
    }
    let Some(report) = last.get("result") else {
        bail!("the program stopped before it had an answer; start it again, and try again");
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print!("{}", shown(report, args.operators));
    }
    Ok(())
}

/// The report for people.
fn shown(report: &Value, operators: u32) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let load = &report["load"];
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "{} to {}: {} readings of {} series",
        text(&report["from"]),
        text(&report["to"]),
        report["readings"],
        report["series"]
    );
    let _ = writeln!(
        out,
        "{} alerts, {:.1} a day{} (acceptable 144, manageable 288)",
        load["alerts"],
        number(&load["per_operator_day"]),
        if operators == 1 {
            " for one operator".to_owned()
        } else {
            format!(" for each of {operators} operators")
        }
    );
    let _ = writeln!(
        out,
        "  at most {:.1} in ten minutes; {} floods, {:.0} minutes; {} chattering, {} fleeting, {} stale",
        number(&load["peak_ten_minutes"]),
        load["floods"],
        number(&load["flood_minutes"]),
        load["chattering"],
        load["fleeting"],
        load["stale"]
    );
    for rule in list(&load["rules"]).iter().take(SHOWN) {
        let _ = writeln!(
            out,
            "  {:>7} {:>5.1} %  {}",
            rule["alerts"].to_string(),
            100.0 * number(&rule["share"]),
            text(&rule["rule"])
        );
    }
    let alerts = list(&report["alerts"]);
    for alert in alerts.iter().take(SHOWN) {
        let _ = writeln!(out, "{}", alert_line(alert));
    }
    let all = load["alerts"].as_u64().unwrap_or_default();
    if all > SHOWN as u64 {
        let more = all - SHOWN as u64;
        let _ = writeln!(out, "… and {more} more; --json lists the first 10,000");
    }
    if let Some(difference) = report.get("difference").filter(|value| !value.is_null()) {
        let _ = writeln!(
            out,
            "against the rules in force: {} the same, {} gained, {} lost",
            difference["both"], difference["only_here"], difference["only_there"]
        );
        for (sign, side) in [('+', "gained"), ('-', "lost")] {
            for alert in list(&difference[side]).iter().take(SHOWN) {
                let _ = writeln!(out, "{sign} {}", alert_line(alert));
            }
        }
    }
    if let Some(score) = report.get("incidents").filter(|value| !value.is_null()) {
        let part = |value: &Value| value.as_f64().map_or("–".into(), |part| format!("{part:.2}"));
        let _ = writeln!(
            out,
            "incidents: precision {}, recall {}, delay {} s, {} false alarms",
            part(&score["precision"]),
            part(&score["recall"]),
            score["delay_s"].as_f64().map_or("–".into(), |delay| format!("{delay:.0}")),
            score["false_alarms"]
        );
    }
    for caveat in list(&report["caveats"]) {
        let _ = writeln!(out, "note: {}", text(&caveat["en"]));
    }
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn alert_line(alert: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let until = alert["resolved_at"].as_str().unwrap_or("still firing");
    format!(
        "{}  {:<8} {}: {} (until {until})",
        text(&alert["fired_at"]),
        text(&alert["severity"]),
        text(&alert["rule"]),
        text(&alert["summary"]["en"])
    )
}
