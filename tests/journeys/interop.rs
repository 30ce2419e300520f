//! Programs that others wrote read what this one offers: the catalogue of open data by rdflib and the
//! shapes of DCAT-AP, SensorThings by the client of FROST, alerts by the schema of CAP 1.2.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use city_tests::instance::{Instance, eventually};
use reqwest::Method;
use serde_json::json;

/// How long the first readings may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Python with what is pinned, installed unless exactly that is: by one at a time.
fn python() -> anyhow::Result<PathBuf> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let venv = here("../target/interop");
    let pinned = here("interop/requirements.txt");
    let (stamp, wanted) = (venv.join("requirements.txt"), std::fs::read_to_string(&pinned)?);
    let python = venv.join("bin/python");
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) && python.exists() {
        return Ok(python);
    }
    let run = |command: &mut Command| -> anyhow::Result<()> {
        let output = command.output().context("install Python 3.10 or newer with its venv")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"];
    run(Command::new(&python).args(install).arg("--requirement").arg(&pinned))?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

/// A small demo city.
fn city(data: &Path) -> anyhow::Result<Instance> {
    let (data, scenario) = (data.display().to_string(), here("schemathesis/city.toml"));
    let (scenario, free) = (scenario.display().to_string(), "127.0.0.1:0");
    let arguments = ["demo", "--scenario", &scenario, "--data-dir", &data, "--no-color"];
    Instance::start(&[&arguments[..], &["--http", free, "--mqtt", free]].concat())
}

fn asked(script: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(python()?).arg(here(script)).args(arguments).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_dcat_ap_in_both_forms_and_its_files_are_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let instance = city(&folder.path().join("data")).expect("it starts");
    let device = first_air_station(&instance).await.expect("devices");
    let department = device["department"].as_str().expect("a department");
    let dataset = json!({
        "title": { "en": "Air", "zh": "空气" },
        "description": { "en": "What the air stations measure", "zh": "空气监测站的测量值" },
        "department": department, "licence": "CC-BY-4.0", "themes": ["ENVI"],
        "contact": "open@example.org", "positions": "exact", "history_days": 2, "enabled": true,
        "select": { "kinds": ["air_station"], "metrics": ["pm25", "no2"], "zones": [] },
    });
    let put = instance.change(Method::PUT, "/api/v1/datasets/air", &dataset, None).await;
    let (status, answer) = put.expect("an answer");
    assert_eq!(status, 201, "{answer}");
    let base = format!("http://{}", instance.ready.http);
    let shapes = here("interop/dcat-ap-3.ttl").display().to_string();
    let said = asked("interop/catalogue.py", &[&base, &shapes]).expect("it conforms");
    assert!(said.starts_with("1 datasets"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_frost_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let instance = city(&folder.path().join("data")).expect("it starts");
    first_air_station(&instance).await.expect("devices");
    eventually("a bus that moves", PATIENCE, async || {
        let page = instance.get("/sta/v1.1/HistoricalLocations?$top=1").await?;
        Ok(page["value"].as_array().is_some_and(|items| !items.is_empty()).then_some(()))
    })
    .await
    .expect("readings");
    let base = format!("http://{}", instance.ready.http);
    let said = asked("interop/things.py", &[&base, &instance.ready.token]).expect("it works");
    assert!(said.contains("things"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_cap_by_the_schema_of_oasis() {
    let folder = tempfile::tempdir().expect("a folder");
    let instance = city(&folder.path().join("data")).expect("it starts");
    let base = format!("http://{}", instance.ready.http);
    let said = asked("interop/cap.py", &[&base, &instance.ready.token]).expect("it is valid");
    assert!(said.trim_end().ends_with(" messages"), "{said}");
}

/// An air station that has sent something.
async fn first_air_station(instance: &Instance) -> anyhow::Result<serde_json::Value> {
    eventually("an air station that sends", PATIENCE, async || {
        let page = instance.get("/api/v1/devices?kind=air_station&status=online&limit=1").await?;
        Ok(page["items"].get(0).cloned())
    })
    .await
}
