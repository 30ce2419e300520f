//! A server of others as a process on a free port; killed when dropped.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::faults::PATIENCE;

/// How one is started.
#[derive(Debug)]
pub struct Kind {
    program: &'static str,
    package: &'static str,
    /// Answers with success once it is ready.
    ready: &'static str,
    /// The option with the address on which it listens.
    listen: &'static str,
}

/// Prometheus.
pub const PROMETHEUS: Kind = Kind {
    program: "/usr/bin/prometheus",
    package: "prometheus",
    ready: "/-/ready",
    listen: "--web.listen-address",
};

/// Its Alertmanager.
pub const ALERTMANAGER: Kind = Kind {
    program: "/usr/bin/prometheus-alertmanager",
    package: "prometheus-alertmanager",
    ready: "/-/ready",
    listen: "--web.listen-address",
};

/// `VictoriaMetrics`.
pub const VICTORIA_METRICS: Kind = Kind {
    program: "/usr/bin/victoria-metrics",
    package: "victoria-metrics",
    ready: "/health",
    listen: "-httpListenAddr",
};

/// A running server.
#[derive(Debug)]
pub struct Server {
    kind: &'static Kind,
    arguments: Vec<String>,
    log: PathBuf,
    port: u16,
    process: Child,
    client: reqwest::Client,
}

impl Server {
    /// Starts one that writes its log to this folder, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start; with the end of what it said.
    pub async fn start(
        kind: &'static Kind,
        folder: &Path,
        arguments: Vec<String>,
    ) -> anyhow::Result<Self> {
        let program = Path::new(kind.program).file_name().context("a program")?;
        let log = folder.join(program).with_extension("log");
        let client = city_alert::plain_client(PATIENCE).map_err(anyhow::Error::msg)?;
        // Somebody else may take a port that was free a moment ago.
        for _ in 0..20 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let process = spawn(kind, &arguments, &log, port)?;
            let (arguments, log, client) = (arguments.clone(), log.clone(), client.clone());
            let mut server = Self { kind, arguments, log, port, process, client };
            if server.is_ready().await? {
                return Ok(server);
            }
        }
        bail!("{} ended 20 times; it said: {}", kind.program, last_lines(&log));
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// GET, as text.
    ///
    /// # Errors
    ///
    /// If it does not answer with success.
    pub async fn get(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.client.get(format!("{}{path}", self.url())).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }

    /// POST.
    ///
    /// # Errors
    ///
    /// If it does not answer with success.
    pub async fn post(&self, path: &str, body: String) -> anyhow::Result<()> {
        let answer = self.client.post(format!("{}{path}", self.url())).body(body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(())
    }

    /// SIGKILL, and a start on the same port with what it has on disk.
    ///
    /// # Errors
    ///
    /// If it does not start again.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        self.process = spawn(self.kind, &self.arguments, &self.log, self.port)?;
        ensure!(self.is_ready().await?, "it ended; it said: {}", last_lines(&self.log));
        Ok(())
    }

    /// Waits until it is ready; `false` if it ended.
    async fn is_ready(&mut self) -> anyhow::Result<bool> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.process.try_wait()?.is_some() {
                return Ok(false);
            }
            if self.get(self.kind.ready).await.is_ok() {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{} does not become ready: {}", self.kind.program, last_lines(&self.log));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(kind: &Kind, arguments: &[String], log: &Path, port: u16) -> anyhow::Result<Child> {
    let log = File::create(log)?;
    Command::new(kind.program)
        .arg(format!("{}=127.0.0.1:{port}", kind.listen))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| {
            let Kind { program, package, .. } = kind;
            format!("{program} cannot be started; `cargo xtask test` installs it (Debian package {package})")
        })
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
