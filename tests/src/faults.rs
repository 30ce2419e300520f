//! What the journeys through faults share: a city's configuration, and the sums that must be right
//! afterwards.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use serde::Deserialize;

use crate::fleet::Sent;
use crate::instance::{Instance, eventually};

/// How long what must happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a configuration and data.
pub struct City {
    folder: tempfile::TempDir,
}

impl City {
    /// A city with the embedded endpoint on a free port, whose devices publish to
    /// `mqtt/{device}/up`, and with brokers, by name and the lines of their table `connect`, whose
    /// devices publish to `{name}/{device}/up`. Devices register themselves.
    pub fn new(brokers: &[(&str, String)]) -> anyhow::Result<Self> {
        Self::with_rules(None, brokers)
    }

    /// The same with a file of rules.
    pub fn with_rules(rules: Option<&str>, brokers: &[(&str, String)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut text = HEAD.to_owned() + &source("mqtt", "");
        if let Some(rules) = rules {
            text = text.replace("[city]\n", "[city]\nrules = \"rules\"\n");
            std::fs::create_dir(folder.path().join("rules"))?;
            std::fs::write(folder.path().join("rules/rules.yaml"), rules)?;
        }
        for (name, connect) in brokers {
            text.extend(["[[broker]]\nname = \"", name, "\"\n[broker.connect]\n", connect, "\n"]);
            text += &source(name, &format!("broker = \"{name}\"\n"));
        }
        std::fs::write(folder.path().join("citybrain.toml"), text)?;
        Ok(Self { folder })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The arguments that start it, with its data in a folder.
    pub fn arguments(&self, data: &Path) -> Vec<String> {
        let config = self.folder.path().join("citybrain.toml");
        let of = |path: &Path| path.to_string_lossy().into_owned();
        vec!["serve".into(), "--config".into(), of(&config), "--data-dir".into(), of(data)]
    }

    /// Starts it, and waits until it is subscribed at its brokers.
    pub async fn start(&self) -> anyhow::Result<Instance> {
        let arguments = self.arguments(&self.data());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let instance = Instance::start(&arguments)?;
        subscribed(&instance).await?;
        Ok(instance)
    }
}

/// Waits until it has its subscriptions at all brokers.
pub async fn subscribed(instance: &Instance) -> anyhow::Result<()> {
    eventually("all subscriptions", PATIENCE, async || {
        let (_, health) = instance.health().await?;
        Ok((health["parts"]["brokers"]["ok"] == true).then_some(()))
    })
    .await
}

/// What was received and what became of it, as the API tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Sums {
    /// All that follows together.
    pub received: u64,
    /// Readings stored.
    pub stored: u64,
    /// Readings, or dead letters, that were there already.
    pub duplicate: u64,
    /// Items dead-lettered.
    pub dead_lettered: u64,
    /// Messages that are not durable yet.
    pub in_flight: u64,
}

/// The sums over everything now; an error if they do not add up.
pub async fn sums(instance: &Instance) -> anyhow::Result<Sums> {
    let loss = instance.get("/api/v1/loss").await?;
    ensure!(loss["balanced"] == true, "the books do not balance: {loss}");
    let sums: Sums = serde_json::from_value(loss["total"].clone())?;
    let Sums { received, stored, duplicate, dead_lettered, in_flight } = sums;
    ensure!(received == stored + duplicate + dead_lettered + in_flight, "{sums:?}");
    Ok(sums)
}

/// Waits until all that was sent is stored and nothing is in flight; then nothing else may have
/// been counted than what was sent: nothing is dead-lettered, and duplicates are what was sent
/// again.
pub async fn settled(instance: &Instance, all: &[Sent]) -> anyhow::Result<Sums> {
    let numbers: u64 = all.iter().map(|sent| sent.numbers).sum();
    let last = eventually("all that was acknowledged to be stored", PATIENCE, async || {
        let sums = sums(instance).await?;
        ensure!(sums.stored >= numbers && sums.in_flight == 0, "{sums:?} of {numbers}");
        Ok(Some(sums))
    })
    .await?;
    ensure!(last.stored == numbers && last.dead_lettered == 0, "{last:?} of {numbers} sent");
    Ok(last)
}

fn source(id: &str, more: &str) -> String {
    // Each message has its number and a note of nothing, which is no reading.
    format!(
        "[[source]]\nid = \"{id}\"\ntopic = \"{id}/{{device}}/up\"\nformat = \"json\"\n\
         unknown_devices = \"register\"\n{more}[source.options]\ntime = \"ts\"\n\
         [source.options.values]\nnumber = \"number\"\nlevel = \"water_level\"\n"
    )
}

const HEAD: &str = "
[city]
name = \"Faults\"
time_zone = \"UTC\"
[http]
listen = \"127.0.0.1:0\"
[mqtt]
listen = \"127.0.0.1:0\"
";
