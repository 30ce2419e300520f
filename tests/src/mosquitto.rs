//! A real Mosquitto on a free port, with the configuration that `deploy/` ships.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A running broker; killed when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Mosquitto {
    /// Starts one that keeps its files in `folder`.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        // The port is free now; the broker cannot be given an open socket.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let shipped =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mosquitto/citybrain.conf");
        let shipped =
            std::fs::read_to_string(&shipped).with_context(|| shipped.display().to_string())?;
        // What belongs to a machine is replaced: where it listens, where it keeps its files, who may come.
        let local = [
            "listener",
            "persistence_location",
            "allow_anonymous",
            "password_file",
            "acl_file",
            "log_dest",
            "user",
            "pid_file",
        ];
        let kept: Vec<&str> = shipped
            .lines()
            .filter(|line| !local.contains(&line.split_whitespace().next().unwrap_or_default()))
            .collect();
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence_location {}/\nlog_dest none\n{}\n",
            address.port(),
            folder.display(),
            kept.join("\n"),
        );
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, text)?;
        let mut child = Command::new("/usr/sbin/mosquitto")
            .arg("-c").arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .context("mosquitto cannot be started; `cargo xtask test` installs it (Debian package mosquitto)")?;
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("mosquitto ended at once: {status}");
            }
            if started.elapsed() > Duration::from_secs(20) {
                bail!("mosquitto does not listen on {address}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { child, address })
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
