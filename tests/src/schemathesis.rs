//! Schemathesis against a small city with something of everything in it, as each role.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::instance::{Instance, binary, eventually};
use crate::publisher::Publisher;

/// The roles, least first, as the command line names them.
pub const ROLES: [&str; 5] = ["engine", "viewer", "operator", "engineer", "admin"];

/// How long the first alert of the city may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// How it is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program.
    pub program: PathBuf,
    /// As whom.
    pub roles: Vec<&'static str>,
    /// Requests made up for each operation and phase.
    pub max_examples: u32,
    /// The seed of what is made up.
    pub seed: u64,
}

/// Starts the city, fills it, and runs schemathesis as each role; an error if anything was found.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data").display().to_string();
    let scenario = here("city.toml").display().to_string();
    let free = "127.0.0.1:0";
    let arguments = ["demo", "--scenario", &scenario, "--data-dir", &data, "--http", free];
    let mut command = Command::new(binary()?);
    command.args(arguments).args(["--mqtt", free, "--no-color"]);
    // It asks more often than anybody may, and is to see more than refusals.
    for rate in ["RATE", "RATE_WITHOUT_LOGIN"] {
        for part in ["PER_S", "BURST"] {
            command.env(format!("CITYBRAIN__HTTP__LIMITS__{rate}__{part}"), "0");
        }
    }
    let instance = Instance::launch(&mut command)?;
    fill(&instance).await?;
    let mut bad = Vec::new();
    for role in &options.roles {
        let token = token(role, &data)?;
        if !look(options, &instance, &token, folder.path())? {
            bad.push(*role);
        }
        // Whoever lost its token on the way has seen nothing but refusals since.
        let still = get_status(&instance, &token).await?;
        ensure!(still != 401, "the token of {role} was revoked while it was used");
    }
    instance.get("/api/v1/system").await.context("the program has to live through it")?;
    let verified = instance.get("/api/v1/audit-log/verification").await?;
    ensure!(verified["intact"] == true, "the audit log is broken: {verified}");
    if !bad.is_empty() {
        bail!("schemathesis found something as {}; see above", bad.join(", "));
    }
    Ok(())
}

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis").join(file)
}

/// A token of somebody with this role.
fn token(role: &str, data: &str) -> anyhow::Result<String> {
    let new = ["token", "new", "--user", role, "--role", role, "--data-dir", data];
    let output = Command::new(binary()?).args(new).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Runs it once; whether it found nothing.
fn look(
    options: &Options,
    instance: &Instance,
    token: &str,
    folder: &Path,
) -> anyhow::Result<bool> {
    let base = format!("http://{}", instance.ready.http);
    // A test holds the file against what the program serves, which not every role may read.
    let document = here("../../crates/api/openapi.json");
    let status = Command::new(&options.program)
        .current_dir(folder)
        .arg("--config-file")
        .arg(here("schemathesis.toml"))
        .arg("run")
        .arg(&document)
        .args(["--url", &base, "--header", &format!("Authorization: Bearer {token}")])
        // All checks are on unless the file says otherwise.
        .args(["--request-timeout", "60", "--continue-on-failure"])
        .args(["--max-examples", &options.max_examples.to_string()])
        .args(["--seed", &options.seed.to_string(), "--no-color"])
        .status()
        .context("schemathesis cannot be started")?;
    Ok(status.success())
}

async fn get_status(instance: &Instance, token: &str) -> anyhow::Result<u16> {
    let client = city_alert::plain_client(PATIENCE).map_err(anyhow::Error::msg)?;
    let url = format!("http://{}/api/v1/session", instance.ready.http);
    Ok(client.get(url).bearer_auth(token).send().await?.status().as_u16())
}

/// Puts in what the simulated devices do not bring.
async fn fill(instance: &Instance) -> anyhow::Result<()> {
    let address = instance.ready.mqtt.context("no endpoint")?;
    let mut publisher = Publisher::connect(address, "schemathesis").context("connects")?;
    publisher
        .publish("city/environment/air_station/nobody/up", b"{\"ts\":1,\"data\":{\"pm25\":1}}");
    publisher.publish("city/environment/air_station/air-1/up", b"{");
    publisher.flush().context("sends")?;
    publisher.acknowledged().context("acknowledged")?;
    let until = (jiff::Timestamp::now() + Duration::from_hours(4)).to_string();
    let rules = "group: mine\ndepartment: city\nrules:\n  - id: mine\n    kind: threshold\n    \
                 select: {metric: pm25}\n    severity: low\n    raise: {above: 500}\n";
    let made: [(Method, &str, Value); 6] = [
        (Method::PUT, "/api/v1/kinds/crane", json!({ "name": "Crane" })),
        (Method::PUT, "/api/v1/departments/port", json!({ "name": "Port" })),
        (Method::PUT, "/api/v1/devices/crane-1", json!({ "kind": "crane", "department": "port" })),
        (Method::POST, "/api/v1/credentials/crane-1/tokens", json!({ "note": "spare" })),
        (
            Method::POST,
            "/api/v1/silences",
            json!({ "match": { "rule": "mine" }, "reason": "works", "ends_at": until }),
        ),
        (Method::PUT, "/api/v1/rule-groups/mine", json!({ "text": rules, "why": "to have one" })),
    ];
    for (method, path, body) in made {
        let url = format!("http://{}{path}", instance.ready.http);
        let client = city_alert::plain_client(PATIENCE).map_err(anyhow::Error::msg)?;
        let request = client.request(method, url).bearer_auth(&instance.ready.token);
        let answer = request.json(&body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
    }
    eventually("an alert", PATIENCE, async || {
        let page = instance.get("/api/v1/alerts").await?;
        Ok(page["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(()))
    })
    .await
}
