//! `citybrain devices`: the registry as a file, and devices that call and are not in it; through
//! the running program.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use city_registry::ListFormat;
use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::DataDir;
use super::client::{Client, LONG, path_part};

/// How many problems of a list are printed.
const SHOWN_PROBLEMS: usize = 50;

#[derive(Debug, Subcommand)]
pub(crate) enum DevicesCommand {
    /// Add devices from a file, or change those whose id is known: all or none.
    Import {
        /// A JSON array of devices, or CSV if its name ends in .csv.
        file: PathBuf,
        /// Change nothing; say what would happen and what is wrong.
        #[arg(long)]
        check: bool,
        /// Take the devices that have no problem, and list the others.
        #[arg(long, conflicts_with = "check")]
        partial: bool,
        #[command(flatten)]
        data: DataDir,
    },
    /// Print all devices so that they can be imported again.
    Export {
        /// How.
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
        #[command(flatten)]
        data: DataDir,
    },
    /// List the columns of a device list in CSV.
    Columns,
    /// List devices that call and are not registered, those heard last first.
    Unknown {
        /// Those that were ignored.
        #[arg(long)]
        ignored: bool,
        #[command(flatten)]
        data: DataDir,
    },
    /// Register a device that calls, and replay what it had sent.
    Accept {
        /// Its id.
        id: String,
        /// Its kind; as it called if missing.
        #[arg(long)]
        kind: Option<String>,
        /// Its department; as it called if missing.
        #[arg(long)]
        department: Option<String>,
        /// Leave its dead letters alone.
        #[arg(long)]
        no_replay: bool,
        #[command(flatten)]
        data: DataDir,
    },
    /// Send a command to a device that is connected to the embedded MQTT endpoint.
    Command {
        /// Its id.
        id: String,
        /// The last level of the topic, or several: `set` for cmd/ID/set.
        #[arg(long, default_value = "")]
        name: String,
        /// What the device gets.
        #[arg(long)]
        payload: String,
        /// What becomes of it while the device is not there.
        #[arg(long, value_enum, default_value_t = Keep::UntilTaken)]
        keep: Keep,
        #[command(flatten)]
        data: DataDir,
    },
    /// Leave a device out of the list of unknown ones; its messages are still kept.
    Ignore {
        /// Its id.
        id: String,
        /// Put it back into the list.
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        data: DataDir,
    },
}

/// What becomes of a command while its device is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keep {
    /// It is given up, unless the device has a session.
    None,
    /// It waits until the device fetches it, or it expires.
    #[value(name = "until_taken")]
    UntilTaken,
    /// The device gets it each time it subscribes; an empty payload ends that.
    Last,
}

impl Keep {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::UntilTaken => "until_taken",
            Self::Last => "last",
        }
    }
}

/// How a list of devices is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A JSON array of objects.
    Json,
    /// Lines of cells under a header; see `citybrain devices columns`.
    Csv,
}

pub(crate) fn run(command: &DevicesCommand) -> anyhow::Result<()> {
    match command {
        DevicesCommand::Import { file, check, partial, data } => {
            import(&Client::connect(data)?, file, *check, *partial)
        }
        DevicesCommand::Export { format, data } => export(&Client::connect(data)?, *format),
        DevicesCommand::Columns => {
            for column in city_registry::COLUMNS {
                let needed = if column.required { " (required)" } else { "" };
                println!(
                    "{:<14} {}{needed}\n{:<14} {}",
                    column.name, column.about[0], "", column.about[1]
                );
            }
            println!("{:<14} An attribute: true, false, a JSON number, or text", "attr.NAME");
            println!("{:<14} 属性：true、false、JSON 数字或文本", "");
            Ok(())
        }
        DevicesCommand::Unknown { ignored, data } => unknown(&Client::connect(data)?, *ignored),
        DevicesCommand::Accept { id, kind, department, no_replay, data } => {
            let path = format!("/api/v1/provisioning/unknown/{}/accept", path_part(id));
            let body = json!({ "kind": kind, "department": department, "replay": !no_replay });
            let done = Client::connect(data)?.post(&path, &body)?;
            println!(
                "{id} is registered; {} of its {} dead letters were replayed",
                done["replayed"], done["dead_letters"]
            );
            Ok(())
        }
        DevicesCommand::Command { id, name, payload, keep, data } => {
            let path = format!("/api/v1/devices/{}/commands", path_part(id));
            let body = json!({ "payload": payload, "name": name, "keep": keep.name() });
            let sent = Client::connect(data)?.post(&path, &body)?;
            let text = |member: &str| sent[member].as_str().unwrap_or("-");
            println!("{}: {}", text("topic"), text("delivery"));
            Ok(())
        }
        DevicesCommand::Ignore { id, undo, data } => {
            let path = format!("/api/v1/provisioning/unknown/{}/ignore", path_part(id));
            Client::connect(data)?.post(&path, &json!({ "ignored": !undo }))?;
            Ok(())
        }
    }
}

fn import(client: &Client, file: &Path, check: bool, partial: bool) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("{name} cannot be read"))?;
    let content_type = match ListFormat::of(&name) {
        ListFormat::Csv => "text/csv",
        ListFormat::Json => "application/json",
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} devices, {per_sec}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let path = format!("/api/v1/devices/import?check={check}&partial={partial}");
    let mut result = Value::Null;
    let sent = client.post_lines(&path, (content_type, LONG), bytes, |line| {
        if let (Some(done), Some(of)) = (line["done"].as_u64(), line["of"].as_u64()) {
            bar.set_length(of);
            bar.set_position(done);
        } else {
            result = line;
        }
    });
    bar.finish_and_clear();
    sent?;
    if let Some(problem) = result.get("problem") {
        let text = |member: &str| problem[member].as_str().unwrap_or_default().to_owned();
        bail!("{name}: {}\n  hint: {}", text("detail"), text("hint"));
    }
    let report = &result["result"];
    let would = if check { "would be " } else { "" };
    println!(
        "{would}{} added, {would}{} changed, {} unchanged",
        report["added"], report["changed"], report["unchanged"]
    );
    let problems = report["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    for problem in problems.iter().take(SHOWN_PROBLEMS) {
        print_problem(problem);
    }
    if problems.len() > SHOWN_PROBLEMS {
        eprintln!("… and {} more", problems.len() - SHOWN_PROBLEMS);
    }
    anyhow::ensure!(problems.is_empty(), "{name}: {} problems", problems.len());
    Ok(())
}

fn print_problem(problem: &Value) {
    let text = |member: &str| problem[member].as_str().unwrap_or_default();
    let place = match problem["line"].as_u64() {
        Some(line) => format!("line {line}"),
        None => format!("device {}", problem["row"]),
    };
    let field = problem["field"].as_str().map(|field| format!(", {field}")).unwrap_or_default();
    eprintln!("{place} (`{}`){field}: {}", text("device"), text("message"));
    eprintln!("    hint: {}", text("hint"));
}

fn export(client: &Client, format: Format) -> anyhow::Result<()> {
    if format == Format::Csv {
        let text = client.get_text("/api/v1/devices/export", &[("format", "csv")])?;
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(());
    }
    let devices = client.get("/api/v1/devices/export", &[])?;
    println!("{}", serde_json::to_string_pretty(&devices)?);
    Ok(())
}

fn unknown(client: &Client, ignored: bool) -> anyhow::Result<()> {
    let ignored = if ignored { "true" } else { "false" };
    let mut shown = 0;
    client.pages("/api/v1/provisioning/unknown", &[("ignored", ignored)], |device| {
        let text = |member: &str| device[member].as_str().unwrap_or("-");
        shown += 1;
        println!(
            "{:<24} {:<16} {:<16} {:<16} {:>8}  {}",
            text("id"),
            text("kind"),
            text("department"),
            text("source"),
            device["count"],
            text("last_seen_at"),
        );
    })?;
    if shown == 0 {
        println!("no device calls that is not registered");
    }
    Ok(())
}
