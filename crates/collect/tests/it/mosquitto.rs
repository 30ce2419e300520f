//! A Mosquitto of one's own, with the configuration that is shipped.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::harness::PATIENCE;

const SHIPPED: &str = include_str!("../../../../deploy/mosquitto/citybrain.conf");
/// Where Debian puts it, which is not in everybody's search path.
const PROGRAMS: [&str; 3] = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "mosquitto"];

/// A broker that is stopped when it is dropped.
pub(crate) struct Mosquitto {
    folder: TempDir,
    running: Option<Child>,
    pub(crate) port: u16,
}

impl Mosquitto {
    /// The shipped configuration, on a free port and with a folder of its own, and more lines.
    pub(crate) fn start(more: &str) -> Self {
        Self::start_with(more, "")
    }

    /// The same with further listeners.
    pub(crate) fn start_with(more: &str, listeners: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Somebody else may take the port between our look and Mosquitto's.
        let mut log = String::new();
        for _ in 0..10 {
            let port = free_port();
            let text = adapt(folder.path(), port, more) + listeners;
            std::fs::write(folder.path().join("conf"), text).expect("written");
            match launch(folder.path()) {
                Ok(child) => return Self { folder, running: Some(child), port },
                Err(said) => log = said,
            }
        }
        panic!("mosquitto does not start:\n{log}");
    }

    /// Stops in order: Mosquitto writes what it has.
    pub(crate) fn stop(&mut self) {
        let mut child = self.running.take().expect("running");
        // It forgets a request that comes just after it has said that it runs.
        while child.try_wait().expect("ours").is_none() {
            let asked = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
            assert!(asked.success());
        }
    }

    pub(crate) fn start_again(&mut self) {
        self.running = Some(launch(self.folder.path()).expect("its port is free again"));
    }

    /// Publishes these texts to `city/test` at QoS 1 and waits until the broker has them.
    pub(crate) async fn publish(&self, texts: &[String]) {
        self.publish_to("city/test", false, texts).await;
    }

    pub(crate) async fn publish_to(&self, topic: &str, retain: bool, texts: &[String]) {
        let mut options = MqttOptions::new("device", "127.0.0.1", self.port);
        options.set_max_packet_size(20 << 20, 20 << 20);
        let (client, mut events) = AsyncClient::new(options, texts.len() + 1);
        for text in texts {
            client.try_publish(topic, QoS::AtLeastOnce, retain, text.as_bytes()).expect("queued");
        }
        let mut acknowledged = 0;
        let publishing = async {
            while acknowledged < texts.len() {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::PubAck(_))) => acknowledged += 1,
                    Ok(_) => {}
                    Err(error) => panic!("cannot publish: {error}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, publishing).await.expect("the broker acknowledges");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            let _ended_already = child.kill();
            let _status = child.wait();
        }
    }
}

/// A port that nobody uses just now.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("bound").port()
}

/// The shipped configuration with what a test must have its own way.
fn adapt(folder: &Path, port: u16, more: &str) -> String {
    let folder = folder.display();
    let mut text = String::new();
    let key = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let instead: Vec<_> = more.lines().filter_map(key).collect();
    for line in SHIPPED.lines() {
        let adapted = match key(line).as_deref() {
            Some(key) if instead.iter().any(|instead| instead == key) => continue,
            Some("listener") => format!("listener {port} 127.0.0.1"),
            Some("persistence_location") => format!("persistence_location {folder}/"),
            _ => line.to_owned(),
        };
        text.push_str(&adapted);
        text.push('\n');
    }
    // As root it would become another user, who may not write here.
    text.push_str("user root\n");
    // It says at this level that it is ready.
    text.push_str("log_type information\n");
    text + more + "\n"
}

/// Starts it and waits until it listens; what it says if it ends instead.
fn launch(folder: &Path) -> Result<Child, String> {
    let started = PROGRAMS.iter().find_map(|program| {
        Command::new(program)
            .arg("-c")
            .arg(folder.join("conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()
    });
    let mut child = started.unwrap_or_else(|| {
        panic!(
            "these tests need the Mosquitto broker, which is not there ({PROGRAMS:?}); \
             install it: `apt-get install mosquitto` on Debian and Ubuntu"
        )
    });
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let (say, said) = std::sync::mpsc::channel();
    // Reads to the end, so that Mosquitto never waits for us.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _nobody_listens = say.send(line);
        }
    });
    let mut log = Vec::new();
    while let Ok(line) = said.recv_timeout(PATIENCE) {
        if line.contains("mosquitto version") && line.contains("running") {
            return Ok(child);
        }
        log.push(line);
    }
    let _ended_already = child.kill();
    let _status = child.wait();
    Err(log.join("\n"))
}

/// A network between a collector and its broker, which can be cut.
pub(crate) struct Network {
    pub(crate) port: u16,
    cut: std::sync::Arc<std::sync::Mutex<CancellationToken>>,
}

impl Network {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("bound").port();
        let cut = std::sync::Arc::new(std::sync::Mutex::new(CancellationToken::new()));
        let now = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let cut = now.lock().expect("not poisoned").clone();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
                    tokio::select! {
                        () = cut.cancelled() => Ok(()),
                        copied = tokio::io::copy_bidirectional(&mut near, &mut far) => {
                            copied.map(drop)
                        }
                    }
                });
            }
        });
        Self { port: here, cut }
    }

    /// Cuts what is connected; what comes later is not.
    pub(crate) fn cut(&self) {
        let mut cut = self.cut.lock().expect("not poisoned");
        cut.cancel();
        *cut = CancellationToken::new();
    }
}
