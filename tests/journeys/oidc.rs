//! Login through a real identity provider, in a real browser: see `tests/browser/oidc.mjs`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use city_tests::browser::walk;
use city_tests::faults::City;
use city_tests::ports::free_address;
use serde_json::Value;

/// A running provider; it ends when this does.
struct Provider {
    child: Child,
    issuer: String,
}

impl Provider {
    fn start() -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc");
        install(&folder)?;
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().context("an output")?);
        let issuer = output.lines().next().context("the provider ended")??;
        Ok(Self { child, issuer })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The provider's packages, exactly as locked, unless they are there.
fn install(folder: &Path) -> anyhow::Result<()> {
    let written = |name: &str| folder.join(name).metadata().and_then(|data| data.modified()).ok();
    let there = written("node_modules/.package-lock.json");
    if there.is_some() && there >= written("package-lock.json") {
        return Ok(());
    }
    let install = ["ci", "--no-audit", "--no-fund"];
    let done = Command::new("npm").args(install).current_dir(folder).status()?;
    ensure!(done.success(), "npm ci failed in {}", folder.display());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_through_the_citys_identity_provider_with_the_rights_of_their_groups() {
    let provider = Provider::start().expect("a provider");
    let city = City::new(&[]).expect("a city");
    let http = free_address().expect("an address");
    let path: PathBuf = city.folder().join("citybrain.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    let with = format!(
        "[http]\nlisten = \"{http}\"\n[http.oidc]\nissuer = \"{}\"\nclient_id = \"citybrain\"\n\
         client_secret_file = \"oidc.secret\"\npublic_url = \"http://{http}\"\n\
         name = {{ en = \"City account\", zh = \"市政账号\" }}\ngrants = [\n\
         {{ group = \"environment-desk\", department = \"environment\", role = \"operator\" }},\n\
         {{ group = \"city-admins\", role = \"admin\" }},\n]\n",
        provider.issuer,
    );
    let text = text.replace("[http]\nlisten = \"127.0.0.1:0\"\n", &with);
    assert!(text.contains("http.oidc"), "{text}");
    std::fs::write(&path, text).expect("written");
    let secret = city.folder().join("oidc.secret");
    std::fs::write(secret, "a secret between two machines\n").expect("written");

    let instance = city.start().await.expect("a start");
    let url = format!("http://{}", instance.ready.http);
    walk("oidc", &[&url]).await.expect("the journey goes through");

    let log = instance.get("/api/v1/audit-log?action=log_in&limit=100").await.expect("the log");
    let entries = log["items"].as_array().expect("entries");
    let by = |user: &str, outcome: &str| {
        let is = |entry: &&Value| entry["user"] == user && entry["outcome"] == outcome;
        entries.iter().filter(is).count()
    };
    assert_eq!(by("ada", "done"), 1, "{log}");
    assert_eq!((by("boss", "done"), by("mallory", "done")), (0, 0), "{log}");
    let users = instance.get("/api/v1/users?limit=100").await.expect("users");
    let ada = users["items"].as_array().expect("users").iter().find(|user| user["id"] == "ada");
    let ada = ada.expect("she is kept");
    assert_eq!((&ada["external"], &ada["has_password"]), (&true.into(), &false.into()));
    assert_eq!(ada["email"], "ada@city.example");
}
