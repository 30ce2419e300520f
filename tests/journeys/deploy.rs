//! What is in `deploy/` for running citybrain: Prometheus' rules and their tests, systemd's units, and
//! that what they name is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

/// Runs a tool that `cargo xtask test` installs, in the folder of Prometheus' files.
#[allow(clippy::print_stdout)] // who skips something says so
fn run(program: &str, folder: &str, arguments: &[&str]) {
    if !Path::new(program).exists() {
        println!("{program} is missing; `cargo xtask test` installs it");
        return;
    }
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root().join(folder))
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

#[test]
fn prometheus_takes_the_rules_and_each_fires_when_it_should() {
    let promtool = "/usr/bin/promtool";
    let folder = "deploy/prometheus";
    run(promtool, folder, &["check", "config", "prometheus.yml"]);
    run(promtool, folder, &["check", "rules", "--lint=all", "--lint-fatal", "citybrain.rules.yml"]);
    run(promtool, folder, &["test", "rules", "citybrain.rules.test.yml"]);
}

fn alerts() -> Vec<String> {
    let rules = read("deploy/prometheus/citybrain.rules.yml");
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

#[test]
fn every_alert_is_tested_and_has_its_place_in_the_runbook() {
    let (tests, runbook) =
        (read("deploy/prometheus/citybrain.rules.test.yml"), read("docs/operations.md"));
    let alerts = alerts();
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in &alerts {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert} is not tested");
        assert!(
            runbook.contains(&format!("\n### {alert}\n")),
            "{alert} is not in docs/operations.md"
        );
    }
    let told = runbook.lines().filter_map(|line| line.strip_prefix("### Citybrain"));
    assert_eq!(told.count(), alerts.len(), "the runbook tells of alerts that there are none of");
}

#[test]
fn every_metric_that_the_rules_look_at_is_there() {
    let documented = read("docs/metrics.md");
    let rules = read("deploy/prometheus/citybrain.rules.yml");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = rules.split(|c| !is_part(c));
    let names: BTreeSet<&str> =
        words.filter(|w| w.starts_with("citybrain_") || w.starts_with("process_")).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let family = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(
            documented.contains(&format!("| `{family}` |")),
            "{name} is not in docs/metrics.md"
        );
    }
}

#[test]
fn systemd_takes_the_units() {
    let program = "/usr/bin/systemd-analyze";
    if !Path::new(program).exists() {
        println!("{program} is missing; systemd's units are not checked");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // The program is not installed here: another one stands for it.
    for unit in ["citybrain.service", "citybrain-backup.service", "citybrain-backup.timer"] {
        let text = read(&format!("deploy/systemd/{unit}"));
        let text = text.replace("/usr/local/bin/citybrain", "/bin/true");
        std::fs::write(folder.path().join(unit), text).expect("written");
    }
    for unit in ["citybrain.service", "citybrain-backup.service", "citybrain-backup.timer"] {
        let output = Command::new(program)
            .args(["verify", "--man=no", "--recursive-errors=one"])
            .arg(folder.path().join(unit))
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains(unit), "{unit}: {said}");
    }
}
