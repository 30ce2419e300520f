//! `citybrain metrics`: names that devices use and nobody has mapped, and what names mean; through
//! the running program.

use clap::Subcommand;
use serde_json::{Value, json};

use super::DataDir;
use super::client::Client;

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// List names that devices use and that are not in the catalogue.
    Unmapped {
        #[command(flatten)]
        data: DataDir,
    },
    /// List what names mean.
    Mappings {
        #[command(flatten)]
        data: DataDir,
    },
    /// Say what a name means, from the next message on; what is stored keeps its name.
    Map {
        /// The name as it is sent.
        name: String,
        /// The metric of the catalogue that it means.
        metric: String,
        /// Only for this source; for every source if missing.
        #[arg(long)]
        source: Option<String>,
        /// The unit in which it is sent; as the message says if missing.
        #[arg(long)]
        unit: Option<String>,
        /// What the number is to be multiplied with first, such as 0.1 for tenths.
        #[arg(long)]
        scale: Option<f64>,
        #[command(flatten)]
        data: DataDir,
    },
    /// Forget what a name means.
    Unmap {
        /// The name as it is sent.
        name: String,
        /// The source, if it was mapped for one.
        #[arg(long)]
        source: Option<String>,
        #[command(flatten)]
        data: DataDir,
    },
}

pub(crate) fn run(command: &MetricsCommand) -> anyhow::Result<()> {
    match command {
        MetricsCommand::Unmapped { data } => unmapped(&Client::connect(data)?),
        MetricsCommand::Mappings { data } => {
            let list = Client::connect(data)?.get("/api/v1/mappings", &[])?;
            for mapping in list["items"].as_array().into_iter().flatten() {
                println!("{mapping}");
            }
            Ok(())
        }
        MetricsCommand::Map { name, metric, source, unit, scale, data } => {
            let mut mapping = json!({ "name": name, "metric": metric });
            let given = [("source", json!(source)), ("unit", json!(unit)), ("scale", json!(scale))];
            for (member, value) in given.into_iter().filter(|(_, value)| !value.is_null()) {
                mapping[member] = value;
            }
            Client::connect(data)?.put("/api/v1/mappings", &mapping)?;
            println!("`{name}` means {metric} from now on");
            Ok(())
        }
        MetricsCommand::Unmap { name, source, data } => {
            let mut query = vec![("name", name.as_str())];
            query.extend(source.as_deref().map(|source| ("source", source)));
            Client::connect(data)?.delete("/api/v1/mappings", &query)?;
            println!("`{name}` stands for itself again");
            Ok(())
        }
    }
}

fn unmapped(client: &Client) -> anyhow::Result<()> {
    let list = client.get("/api/v1/metrics", &[("unmapped", "true")])?;
    let metrics = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    for metric in metrics {
        println!("{}", metric["id"].as_str().unwrap_or_default());
        for seen in metric["seen"].as_array().into_iter().flatten() {
            let text = |member: &str| seen[member].as_str().unwrap_or_default();
            let value = if seen["last_value"] == Value::Null {
                "-".to_owned()
            } else {
                seen["last_value"].to_string()
            };
            println!(
                "    source {:<16} {:>9} readings, last {value} {}, {} to {}",
                text("source"),
                seen["count"],
                text("unit"),
                text("first_seen_at"),
                text("last_seen_at"),
            );
        }
    }
    if metrics.is_empty() {
        println!("every name is mapped or in the catalogue");
    }
    Ok(())
}
