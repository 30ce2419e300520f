//! `citybrain dead-letters list | replay`, through the running program.

use clap::Subcommand;
use serde_json::Value;

use super::DataDir;
use super::client::Client;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List dead letters, newest first.
    List {
        /// Only those with this reason.
        #[arg(long)]
        reason: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Whole, as JSON lines.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataDir,
    },
    /// Send dead letters through the pipeline again.
    Replay {
        /// Their numbers.
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// All that were not replayed yet.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// With --all: only those with this reason.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        data: DataDir,
    },
}

pub(crate) fn run(command: &DeadLettersCommand) -> anyhow::Result<()> {
    match command {
        DeadLettersCommand::List { reason, limit, json, data } => {
            list(&Client::connect(data)?, reason.as_deref(), *limit, *json)
        }
        DeadLettersCommand::Replay { ids, all, reason, data } => {
            let client = Client::connect(data)?;
            let ids = if *all { open(&client, reason.as_deref())? } else { ids.clone() };
            for id in &ids {
                client.post(&format!("/api/v1/dead-letters/{id}/replay"), &Value::Null)?;
            }
            println!("{} replayed; what fails again is a new dead letter", ids.len());
            Ok(())
        }
    }
}

fn list(client: &Client, reason: Option<&str>, limit: usize, json: bool) -> anyhow::Result<()> {
    let mut shown = 0;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    pages(client, reason, |letter| {
        if shown < limit {
            shown += 1;
            if json {
                println!("{letter}");
            } else {
                println!(
                    "{:>6}  {}  {}  {}\n        {}\n        hint: {}",
                    text(&letter["id"]),
                    text(&letter["at"]),
                    text(&letter["reason"]),
                    text(&letter["topic"]),
                    text(&letter["detail"]),
                    text(&letter["hint"]),
                );
            }
        }
        shown < limit
    })?;
    if shown == 0 {
        println!("there are no dead letters");
    }
    Ok(())
}

/// The numbers of all that were not replayed, oldest first.
fn open(client: &Client, reason: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    pages(client, reason, |letter| {
        if letter["replayed_at"].is_null() {
            ids.extend(letter["id"].as_str().map(str::to_owned));
        }
        true
    })?;
    ids.reverse();
    Ok(ids)
}

/// Calls `each` for every dead letter, newest first, until it says stop.
fn pages(
    client: &Client,
    reason: Option<&str>,
    mut each: impl FnMut(&Value) -> bool,
) -> anyhow::Result<()> {
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "500")];
        query.extend(reason.map(|reason| ("reason", reason)));
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = client.get("/api/v1/dead-letters", &query)?;
        for letter in page["items"].as_array().into_iter().flatten() {
            if !each(letter) {
                return Ok(());
            }
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(());
        }
    }
}
