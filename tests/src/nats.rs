//! NATS servers with JetStream for tests: one, or a cluster, on free ports and with folders of their
//! own.
//!
//! It stands alone, so that the tests of `city-bus` can use the same file. The server is found by the
//! environment variable `CITYBRAIN_NATS_SERVER`, or where `cargo xtask nats` puts it. If it is not
//! there, the tests that need it are skipped, and say so.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::free_address;

/// How long servers may take to start and to find a leader.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where nobody listens.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// Running servers; killed when it is dropped.
pub struct NatsCluster {
    binary: PathBuf,
    folder: tempfile::TempDir,
    servers: Vec<Server>,
    /// What more is in their configuration.
    settings: String,
    /// What comes before the address in a URL.
    scheme: String,
}

struct Server {
    /// Where clients, the other servers, and those who ask for its state connect.
    clients: SocketAddr,
    routes: SocketAddr,
    state: SocketAddr,
    /// Where it finds others, if not at their own addresses.
    ways: Option<Vec<SocketAddr>>,
    process: Option<Child>,
}

/// Makes a way from one server to another, whose address this is; tells where it begins.
pub type MakeWay<'a> = dyn FnMut(usize, usize, SocketAddr) -> SocketAddr + 'a;

/// Where the server is, if it was built.
pub fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CITYBRAIN_NATS_SERVER") {
        return Some(path.into());
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = base.or_else(home)?.join("citybrain");
    // As tests/nats/build.sh names it: by the hash of the module's files.
    let module = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/nats"))
        .find(|folder| folder.join("go.mod").exists())?;
    let files = format!("{0}/go.mod {0}/go.sum", module.display());
    let hash = Command::new("sh")
        .args(["-c", &format!("cat {files} | sha256sum | cut -c1-16")])
        .output()
        .ok()?;
    let hash = String::from_utf8(hash.stdout).ok()?;
    let path = cache.join(format!("nats-{}", hash.trim())).join("nats-server");
    path.exists().then_some(path)
}

impl NatsCluster {
    /// Starts servers that share JetStream, and waits until they can be used. `None`, after saying
    /// so, if there is none to start.
    pub fn start(test: &str, count: usize) -> Option<Self> {
        Self::start_with(test, count, "", "nats://")
    }

    /// The same, with a way between each two of them: one finds the other there, and nowhere else.
    pub fn start_apart(test: &str, count: usize, make_way: &mut MakeWay<'_>) -> Option<Self> {
        Self::start_as(test, count, "", "nats://", Some(make_way))
    }

    /// The same with more in their configuration, such as users and certificates, and with what
    /// comes before the address in a URL for clients: `nats://` or `tls://`.
    pub fn start_with(test: &str, count: usize, settings: &str, scheme: &str) -> Option<Self> {
        Self::start_as(test, count, settings, scheme, None)
    }

    fn start_as(
        test: &str,
        count: usize,
        settings: &str,
        scheme: &str,
        mut make_way: Option<&mut MakeWay<'_>>,
    ) -> Option<Self> {
        let binary = find();
        if binary.is_none() {
            // Not by a macro, whose output the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: there is no nats-server; `cargo xtask nats` builds it"
            );
        }
        let binary = binary?;
        for _ in 0..10 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (settings, scheme) = (settings.to_owned(), scheme.to_owned());
            let (binary, mut servers) = (binary.clone(), addresses(count));
            if let Some(make_way) = make_way.as_deref_mut() {
                for from in 0..count {
                    // Of each two only one connects, or there would be two ways.
                    let way = |to: usize| make_way(from, to, servers[to].routes);
                    servers[from].ways = Some((0..from).map(way).collect());
                }
            }
            let mut cluster = Self { binary, folder, servers, settings, scheme };
            // If not all come up, somebody took a port meanwhile: with others, then.
            let started = (0..count).all(|index| cluster.spawn(index));
            if started && cluster.is_up() {
                return Some(cluster);
            }
        }
        panic!("the servers did not start on any of 10 sets of ports");
    }

    /// The addresses for clients.
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().map(|server| format!("{}{}", self.scheme, server.clients)).collect()
    }

    /// How many servers there are, running or not.
    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// The processes of those that run.
    pub fn processes(&self) -> impl Iterator<Item = u32> {
        self.servers.iter().filter_map(|server| server.process.as_ref().map(Child::id))
    }

    /// Ends one at once, as a crash does.
    pub fn kill(&mut self, index: usize) {
        if let Some(mut process) = self.servers[index].process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Stops one where it is, as a machine without processor time does, until it is resumed.
    pub fn pause(&self, index: usize) {
        self.signal(index, "STOP");
    }

    /// Lets one go on that was paused, and waits until it can be used.
    pub fn resume(&mut self, index: usize) {
        self.signal(index, "CONT");
        assert!(self.is_up(), "the server {index} ended");
    }

    fn signal(&self, index: usize, signal: &str) {
        let process = self.servers[index].process.as_ref().expect("it runs");
        let command = format!("kill -{signal} {}", process.id());
        let sent = Command::new("sh").args(["-c", &command]).status().expect("a shell");
        assert!(sent.success(), "{command}");
    }

    /// Starts one again where it was, with what it had, and waits until it can be used.
    pub fn restart(&mut self, index: usize) {
        self.kill(index);
        let until = Instant::now() + PATIENCE;
        while !self.spawn(index) || !self.is_up() {
            self.kill(index);
            assert!(Instant::now() < until, "the server {index} does not come up again");
        }
    }

    /// Which server leads a stream of the first account.
    pub fn leader_of(&self, stream: &str) -> Option<usize> {
        let running = self.servers.iter().filter(|server| server.process.is_some());
        let mut answers = running.filter_map(|server| {
            get(server.state, "/jsz?streams=true&accounts=true").map(|(_, answer)| answer)
        });
        answers.find_map(|answer| {
            // Each server tells of its own streams, each with its leader, which is there but once
            // the group has one.
            let (_, rest) = answer.split_once(&format!("\"name\": \"{stream}\""))?;
            let (_, rest) = rest.split_once("\"leader\": \"n")?;
            rest.split('"').next()?.parse().ok()
        })
    }

    /// Whether one server is connected to another.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        let told = get(self.servers[from].state, "/routez");
        told.is_some_and(|(_, answer)| answer.contains(&format!("\"remote_name\": \"n{to}\"")))
    }

    fn spawn(&mut self, index: usize) -> bool {
        let file = self.configure(index);
        let log = self.folder.path().join(format!("log{index}"));
        let process = Command::new(&self.binary)
            .arg("--config")
            .arg(file)
            .arg("--log")
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server starts");
        let server = &mut self.servers[index];
        server.process = Some(process);
        let until = Instant::now() + PATIENCE;
        loop {
            let process = server.process.as_mut().expect("it was just set");
            if process.try_wait().expect("a process").is_some() {
                server.process = None;
                return false;
            }
            if TcpStream::connect(server.clients).is_ok() {
                return true;
            }
            assert!(Instant::now() < until, "nats-server does not listen; see {:?}", self.folder);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until JetStream can be used at all that run; false if one ended meanwhile.
    fn is_up(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        let together = self.servers.len() > 1;
        loop {
            for server in &mut self.servers {
                let Some(process) = &mut server.process else { continue };
                if process.try_wait().expect("a process").is_some() {
                    return false;
                }
            }
            let mut running = self.servers.iter().filter(|server| server.process.is_some());
            let ready = running.all(|server| {
                let healthy =
                    get(server.state, "/healthz").is_some_and(|(status, _)| status == 200);
                let lead = || {
                    let answer = get(server.state, "/jsz").map(|(_, answer)| answer);
                    answer.is_some_and(|answer| answer.contains("\"leader\": \"n"))
                };
                healthy && (!together || lead())
            });
            if ready {
                return true;
            }
            assert!(Instant::now() < until, "JetStream does not start; see {:?}", self.folder);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn configure(&self, index: usize) -> PathBuf {
        let folder = self.folder.path();
        let server = &self.servers[index];
        let mut text = format!(
            "server_name: n{index}\nlisten: {}\nhttp: {}\n\
             jetstream {{ store_dir: \"{}\", max_memory_store: 64MB, max_file_store: 1GB }}\n",
            server.clients,
            server.state,
            folder.join(format!("store{index}")).display(),
        );
        if self.servers.len() > 1 {
            // Clients know the servers that they were told of, and come by the ways that they were given.
            let _ = writeln!(
                text,
                "cluster {{ name: tests, listen: {}, no_advertise: true",
                server.routes
            );
            let mut others: Vec<_> = self.servers.iter().map(|other| other.routes).collect();
            if let Some(ways) = &server.ways {
                others.clone_from(ways);
                // Servers tell each other where further ones are: there is nobody.
                let _ = writeln!(text, "advertise: \"{NOWHERE}\"");
                // One that looks for nobody does not take part.
                others.push(NOWHERE);
            }
            text.push_str("routes: [\n");
            for other in others {
                let _ = writeln!(text, "  nats-route://{other}");
            }
            text.push_str("] }\n");
        }
        text.push_str(&self.settings);
        let file = folder.join(format!("n{index}.conf"));
        std::fs::write(&file, text).expect("a configuration");
        file
    }
}

impl Drop for NatsCluster {
    fn drop(&mut self) {
        for index in 0..self.servers.len() {
            self.kill(index);
        }
    }
}

/// Free addresses.
fn addresses(count: usize) -> Vec<Server> {
    let address = || free_address().expect("a free port");
    let server = |_| Server {
        clients: address(),
        routes: address(),
        state: address(),
        ways: None,
        process: None,
    };
    (0..count).map(server).collect()
}

/// Status and body of an answer.
fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    // HTTP/1.0: the answer ends with the connection and comes in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
