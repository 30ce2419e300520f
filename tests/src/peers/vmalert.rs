//! vmalert in virtual time: it replays its rules over what `VictoriaMetrics` has stored, and writes what
//! fires back there.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::scenario::{BEGIN, END, PROMETHEUS_RULES, STEP, line_protocol};
use super::server::{Server, VICTORIA_METRICS};
use super::{Firings, Subject, firings_of};

/// Debian's package `victoria-metrics` brings it.
const PROGRAM: &str = "/usr/bin/vmalert";

/// A line of VictoriaMetrics' export.
#[derive(Deserialize)]
struct Exported {
    metric: BTreeMap<String, String>,
    timestamps: Vec<i64>,
}

/// What vmalert makes of the scenario, but for rules with `keep_firing_for`, which that of Debian 12
/// does not know.
pub async fn firings() -> anyhow::Result<Firings> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let arguments = vec![
        format!("-storageDataPath={}", data.display()),
        "-retentionPeriod=100y".to_owned(),
        "-influxSkipMeasurement".to_owned(),
        // How long a reading counts: as in Prometheus, and as vmalert has it when it does not replay.
        "-search.minStalenessInterval=5m".to_owned(),
    ];
    let server = Server::start(&VICTORIA_METRICS, folder.path(), arguments).await?;
    server.post("/write?precision=s", line_protocol()).await?;
    server.get("/internal/force_flush").await?;
    let rules = folder.path().join("rules.yaml");
    std::fs::write(&rules, PROMETHEUS_RULES)?;
    let rfc = |secs: i64| city_model::Timestamp::from_secs(BEGIN + secs).to_string();
    let output = Command::new(PROGRAM)
        .arg(format!("-rule={}", rules.display()))
        .arg(format!("-datasource.queryStep={STEP}s"))
        .args(["-replay.disableProgressBar", "-httpListenAddr=127.0.0.1:0"])
        .arg(format!("-replay.timeFrom={}", rfc(0)))
        .arg(format!("-replay.timeTo={}", rfc(END - 1)))
        .args(["datasource", "remoteWrite"].map(|of| format!("-{of}.url={}", server.url())))
        .output()
        .context("vmalert cannot be started; `cargo xtask test` installs it (Debian package victoria-metrics)")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "vmalert failed:\n{said}");
    server.get("/internal/force_flush").await?;
    let export = server
        .get("/api/v1/export?match[]=ALERTS%7Balertstate=%22firing%22%7D&reduce_mem_usage=1")
        .await?;
    let mut seen: BTreeMap<Subject, Vec<i64>> = BTreeMap::new();
    for line in export.lines() {
        let Exported { metric, timestamps } = serde_json::from_str(line)?;
        let subject = metric.get("device").or_else(|| metric.get("zone"));
        let rule = metric.get("alertname").zip(subject);
        let (rule, subject) = rule.with_context(|| format!("no rule or subject in {line}"))?;
        let times = timestamps.iter().map(|millis| millis / 1_000 - BEGIN);
        seen.entry((rule.clone(), subject.clone())).or_default().extend(times);
    }
    for times in seen.values_mut() {
        times.sort_unstable();
        times.dedup();
    }
    ensure!(!seen.is_empty(), "vmalert saw nothing fire:\n{said}");
    Ok(firings_of(&seen, STEP, END))
}
