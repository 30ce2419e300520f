//! `citybrain report ingest`: the books of one day, reconciled.

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::DataDir;
use super::client::Client;

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// What was received on a day and what became of it; ends with an error if it does not add up.
    Ingest {
        /// The day in the city's calendar, such as 2026-11-22 [default: today]
        #[arg(long)]
        date: Option<String>,
        /// How to group.
        #[arg(long, value_enum, default_value = "source")]
        by: By,
        /// Whole, as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataDir,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    Source,
    Department,
    Device,
}

impl By {
    const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Department => "department",
            Self::Device => "device",
        }
    }
}

pub(crate) fn run(command: &ReportCommand) -> anyhow::Result<()> {
    let ReportCommand::Ingest { date, by, json, data } = command;
    let mut query = vec![("by", by.name())];
    query.extend(date.as_deref().map(|date| ("date", date)));
    let report = Client::connect(data)?.get("/api/v1/reports/ingest", &query)?;
    if *json {
        println!("{report:#}");
    } else {
        print(&report, by.name());
    }
    let balanced = report["balanced"].as_bool().unwrap_or(false);
    anyhow::ensure!(balanced, "the counters do not add up: this is a bug, please report it");
    Ok(())
}

fn print(report: &Value, by: &str) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let state = if report["closed"] == true { "closed" } else { "not over yet" };
    println!(
        "Ingest on {} ({state}), counted from {} to {}",
        text(&report["date"]),
        text(&report["counted_from"]),
        text(&report["counted_to"]),
    );
    println!();
    println!(
        "{by:<28} {:>12} {:>12} {:>12} {:>13} {:>10}",
        "received", "stored", "duplicate", "dead-lettered", "missed"
    );
    let line = |id: &str, row: &Value| {
        println!(
            "{id:<28} {:>12} {:>12} {:>12} {:>13} {:>10}",
            row["received"].to_string(),
            row["stored"].to_string(),
            row["duplicate"].to_string(),
            row["dead_lettered"].to_string(),
            row["missed"].to_string(),
        );
    };
    for item in report["items"].as_array().into_iter().flatten() {
        line(&text(&item["id"]), item);
    }
    line("total", &report["total"]);
    let letters = report["dead_letters"].as_array();
    for (index, letter) in letters.into_iter().flatten().enumerate() {
        if index == 0 {
            println!("\nDead letters (citybrain dead-letters list shows them)");
        }
        println!(
            "  {}  {}: {} letters for {} items, {} replayed",
            text(&letter["source"]),
            text(&letter["reason"]),
            letter["letters"],
            letter["items"],
            letter["replayed"],
        );
    }
    let silent = &report["silent_devices"];
    println!("\nSilent devices in service: {}", silent["count"]);
    for id in silent["ids"].as_array().into_iter().flatten().take(20) {
        println!("  {}", text(id));
    }
    let adds_up = if report["balanced"] == true { "adds up" } else { "DOES NOT ADD UP" };
    println!("\nreceived = stored + duplicate + dead-lettered: {adds_up}");
}
