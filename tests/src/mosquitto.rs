//! A real Mosquitto on a free port, with the configuration that `deploy/` ships.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::ports::free_address;

/// Where the shipped configuration expects certificates, passwords and rights.
const SHIPPED_FOLDERS: [&str; 2] = ["/etc/mosquitto/certs/", "/etc/mosquitto/"];

/// A running broker; killed when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    child: Option<Child>,
    file: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens with TLS, if it does.
    pub secured: Option<SocketAddr>,
}

impl Mosquitto {
    /// Starts one that keeps its files in `folder`.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_from(folder, None)
    }

    /// Starts one with the listener for devices, too, as the shipped file has it behind comment
    /// signs, with the certificates, passwords and rights of a folder.
    pub fn start_secured(folder: &Path, secrets: &Path) -> anyhow::Result<Self> {
        Self::start_from(folder, Some(secrets))
    }

    fn start_from(folder: &Path, secrets: Option<&Path>) -> anyhow::Result<Self> {
        let shipped =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mosquitto/citybrain.conf");
        let shipped =
            std::fs::read_to_string(&shipped).with_context(|| shipped.display().to_string())?;
        let (address, secured) = (free_address()?, secrets.map(|_| free_address()).transpose()?);
        let mut text = adapt(&shipped, folder, address);
        if let (Some(secured), Some(secrets)) = (secured, secrets) {
            text = with_devices_listener(&text, secured, secrets)?;
        }
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, text)?;
        let mut broker = Self { child: None, file, address, secured };
        broker.start_again()?;
        Ok(broker)
    }

    /// Stops in order, as a service manager does: it writes what it has.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let started = Instant::now();
        // It forgets a request that comes just after its start.
        while child.try_wait()?.is_none() {
            ensure!(started.elapsed() < Duration::from_secs(20), "mosquitto does not stop");
            let asked = Command::new("kill").arg(child.id().to_string()).status()?;
            ensure!(asked.success(), "kill failed");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts after a stop, with the same configuration and what was kept.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let child = Command::new("/usr/sbin/mosquitto")
            .arg("-c").arg(&self.file)
            .stdin(Stdio::null())
            .spawn()
            .context("mosquitto cannot be started; `cargo xtask test` installs it (Debian package mosquitto)")?;
        let child = self.child.insert(child);
        let started = Instant::now();
        for address in [Some(self.address), self.secured].into_iter().flatten() {
            while TcpStream::connect(address).is_err() {
                if let Some(status) = child.try_wait()? {
                    bail!("mosquitto ended at once: {status}");
                }
                if started.elapsed() > Duration::from_secs(20) {
                    bail!("mosquitto does not listen on {address}");
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The shipped configuration with what belongs to a machine replaced: where it listens, where it
/// keeps its files, and where it logs.
fn adapt(shipped: &str, folder: &Path, address: SocketAddr) -> String {
    let adapted =
        shipped.lines().map(|line| match line.split_whitespace().next().unwrap_or_default() {
            "listener" => format!("listener {} {}", address.port(), address.ip()),
            "persistence_location" => format!("persistence_location {}/", folder.display()),
            "log_dest" => "log_dest none".to_owned(),
            _ => line.to_owned(),
        });
    let mut text = adapted.collect::<Vec<_>>().join("\n");
    // As root it would become another user, who may not write here.
    text.push_str("\nuser root\n");
    text
}

/// Takes the comment signs away from the listener for devices, as the file tells people to do.
fn with_devices_listener(
    text: &str,
    address: SocketAddr,
    secrets: &Path,
) -> anyhow::Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let start = lines
        .iter()
        .position(|line| line.starts_with("#listener"))
        .context("the shipped file has a listener for devices behind comment signs")?;
    let block = lines[start..].iter_mut().take_while(|line| line.starts_with('#'));
    for line in block {
        line.remove(0);
        if line.starts_with("listener") {
            *line = format!("listener {} {}", address.port(), address.ip());
        }
        for folder in SHIPPED_FOLDERS {
            *line = line.replace(folder, &format!("{}/", secrets.display()));
        }
    }
    Ok(lines.join("\n"))
}
