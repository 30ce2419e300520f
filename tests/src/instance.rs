//! The program under test, as a process on free ports with a data folder of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The longest that a start may take: generous, because test machines are busy.
const START: Duration = Duration::from_mins(1);

/// What the program prints when it is ready, as one line of JSON, if `CITYBRAIN_READY_LINE` is set.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Ready {
    /// The address of the HTTP side.
    pub http: SocketAddr,
    /// The address of the embedded MQTT endpoint.
    pub mqtt: Option<SocketAddr>,
    /// A token with all rights, of those that have an API.
    #[serde(default)]
    pub token: String,
    /// The token with which the first administrator is made, while there is none.
    #[serde(default)]
    pub setup: Option<String>,
}

/// A running instance; killed when dropped.
#[derive(Debug)]
pub struct Instance {
    child: Child,
    /// Where it can be reached.
    pub ready: Ready,
    /// What it printed since it was ready.
    pub output: Receiver<String>,
}

/// The binary, built before by `cargo xtask test` or `cargo build`: the newer one of the debug and the
/// release build.
pub fn binary() -> anyhow::Result<PathBuf> {
    let newest = binaries().into_iter().next();
    newest.context("there is no citybrain binary; run `cargo build` first")
}

/// As [`binary`], of those that were built with the bus.
pub fn binary_with_bus() -> anyhow::Result<PathBuf> {
    let with_bus = |path: &PathBuf| {
        let help = Command::new(path).args(["serve", "--help"]).output();
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--role"))
    };
    let newest = binaries().into_iter().find(with_bus);
    newest
        .context("no citybrain binary knows the bus; run `cargo build -p citybrain --features bus`")
}

/// The binaries that are there, the newest first.
fn binaries() -> Vec<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let age = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    let mut found: Vec<PathBuf> =
        ["release/citybrain", "debug/citybrain"].map(|name| target.join(name)).into();
    found.retain(|path| path.exists());
    found.sort_by_key(|path| std::cmp::Reverse(age(path)));
    found
}

impl Instance {
    /// Starts the program with these arguments and waits until it says that it is ready.
    pub fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::launch(Command::new(binary()?).args(arguments))
    }

    /// Starts the program by a command that becomes it, such as one that sets limits first, and
    /// waits until it says that it is ready.
    pub fn launch(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .env("CITYBRAIN_READY_LINE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let stdout = child.stdout.take().context("no standard output")?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let started = Instant::now();
        let mut said = Vec::new();
        loop {
            let Ok(line) = output.recv_timeout(START.saturating_sub(started.elapsed())) else {
                let _ = child.kill();
                let status = child.wait()?;
                bail!("it did not become ready ({status}); it said:\n{}", said.join("\n"));
            };
            if let Some(json) = line.strip_prefix("READY ") {
                let ready = serde_json::from_str(json).context("the ready line")?;
                return Ok(Self { child, ready, output });
            }
            said.push(line);
        }
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Memory that it occupies now, in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    /// SIGKILL: no chance to write anything.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGINT, as Ctrl-C does; returns how long the stop took and whether it was clean.
    pub fn interrupt(mut self) -> anyhow::Result<(Duration, bool)> {
        let started = Instant::now();
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status()?;
        anyhow::ensure!(sent.success(), "kill -INT {id} failed");
        let status = self.child.wait()?;
        Ok((started.elapsed(), status.success()))
    }

    /// GET of an API path, as JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<serde_json::Value> {
        let url = format!("http://{}{path}", self.ready.http);
        let answer = client().get(url).bearer_auth(&self.ready.token).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// The status and the answer of `/health/ready`.
    pub async fn health(&self) -> anyhow::Result<(u16, serde_json::Value)> {
        let answer =
            client().get(format!("http://{}/health/ready", self.ready.http)).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// POST to an API path; returns the status and the body.
    pub async fn post(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<(u16, String)> {
        let url = format!("http://{}{path}", self.ready.http);
        let answer = client().post(url).bearer_auth(&self.ready.token).json(body).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// A request to an API path with the ETag of what is to be replaced, if it has one; returns the
    /// status and the body.
    pub async fn change(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &serde_json::Value,
        tag: Option<&str>,
    ) -> anyhow::Result<(u16, serde_json::Value)> {
        let url = format!("http://{}{path}", self.ready.http);
        let mut request = client().request(method, url).bearer_auth(&self.ready.token).json(body);
        if let Some(tag) = tag {
            request = request.header("if-match", format!("\"{tag}\""));
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }
}

fn client() -> reqwest::Client {
    city_alert::plain_client(Duration::from_secs(30)).expect("a client")
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until the answer is what is waited for, or the time is over.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    let mut last = String::new();
    while started.elapsed() < within {
        match ask().await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("{what} did not happen within {within:?} {last}")
}
