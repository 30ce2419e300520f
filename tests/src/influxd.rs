//! InfluxDB's own server for tests, on a free port and with a folder of its own.
//!
//! It stands alone, so that the tests of `city-store` can use the same file. The server is found by
//! the environment variable `CITYBRAIN_INFLUXD`, or where `cargo xtask influxd` puts it. If it is not
//! there, the tests that need it are skipped, and say so.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The organization of every server.
pub const ORG: &str = "city";
/// A token with all rights.
pub const TOKEN: &str = "influxd-test-token";
/// The bucket that is there from the start.
pub const BUCKET: &str = "readings";

/// A running server; killed when it is dropped.
pub struct Influxd {
    binary: PathBuf,
    folder: tempfile::TempDir,
    address: SocketAddr,
    process: Option<Child>,
    org_id: String,
}

/// Where the server is, if it was built.
pub fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CITYBRAIN_INFLUXD") {
        return Some(path.into());
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = base.or_else(home)?.join("citybrain");
    // As tests/influxd/build.sh names it: by the hash of the module's files.
    let module = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/influxd"))
        .find(|folder| folder.join("go.mod").exists())?;
    let files = format!("{0}/go.mod {0}/go.sum", module.display());
    let hash = Command::new("sh")
        .args(["-c", &format!("cat {files} | sha256sum | cut -c1-16")])
        .output()
        .ok()?;
    let hash = String::from_utf8(hash.stdout).ok()?;
    let path = cache.join(format!("influxd-{}", hash.trim())).join("influxd");
    path.exists().then_some(path)
}

impl Influxd {
    /// Starts a server and sets it up. `None`, after saying so, if there is none to start.
    pub fn start(test: &str) -> Option<Self> {
        let mut server = Self::start_fresh(test)?;
        let body = format!(
            r#"{{"username":"admin","password":"for-tests-only","org":"{ORG}","bucket":"{BUCKET}","token":"{TOKEN}","retentionPeriodSeconds":0}}"#
        );
        let (status, answer) = server.request("POST", "/api/v2/setup", &body);
        assert_eq!(status, 201, "{answer}");
        server.org_id = field(&answer, "orgID").expect("the organization's id");
        Some(server)
    }

    /// A server that nobody has set up.
    pub fn start_fresh(test: &str) -> Option<Self> {
        let binary = find();
        if binary.is_none() {
            // Not by a macro, whose output the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: there is no influxd; `cargo xtask influxd` builds it"
            );
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server =
            Self { binary: binary?, folder, address, process: None, org_id: String::new() };
        server.start_somewhere();
        Some(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket that keeps everything.
    pub fn make_bucket(&self, name: &str) {
        self.make_bucket_for(name, 0);
    }

    /// Makes a bucket that keeps points so many seconds; 0: for ever.
    pub fn make_bucket_for(&self, name: &str, seconds: u32) {
        let rule = format!(r#"{{"type":"expire","everySeconds":{seconds}}}"#);
        let body =
            format!(r#"{{"orgID":"{}","name":"{name}","retentionRules":[{rule}]}}"#, self.org_id);
        let (status, answer) = self.request("POST", "/api/v2/buckets", &body);
        assert_eq!(status, 201, "{answer}");
    }

    /// Asks a query; the answer is annotated CSV.
    pub fn query(&self, flux: &str) -> String {
        let quoted = flux.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let body = format!(r#"{{"query":"{quoted}"}}"#);
        let (status, answer) = self.request("POST", &format!("/api/v2/query?org={ORG}"), &body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// How many readings a bucket holds.
    pub fn count(&self, bucket: &str) -> u64 {
        let answer = self.query(&format!(
            "from(bucket: \"{bucket}\") |> range(start: 0, stop: 2200-01-01T00:00:00Z) \
             |> filter(fn: (r) => r._field == \"quality\") |> count() |> group() |> sum() \
             |> keep(columns: [\"_value\"])"
        ));
        let last = answer.lines().rfind(|line| line.starts_with(','));
        last.and_then(|line| line.rsplit(',').next()?.trim().parse().ok()).unwrap_or(0)
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it again where it was, with what it had.
    pub fn restart(&mut self) {
        self.kill();
        let until = Instant::now() + Duration::from_mins(1);
        while !self.spawn(self.address) {
            assert!(Instant::now() < until, "the port is taken by somebody else");
        }
    }

    /// Starts it again where it was, with what it had, but for TLS: with a certificate and its key.
    pub fn restart_with_tls(&mut self, certificate: &Path, key: &Path) {
        self.kill();
        let tls = [("--tls-cert", certificate), ("--tls-key", key)];
        self.process = Some(self.command(self.address, &tls));
        let until = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(self.address).is_err() {
            assert!(Instant::now() < until, "influxd does not listen for TLS");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn start_somewhere(&mut self) {
        for _ in 0..20 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            let address = free.local_addr().expect("an address");
            drop(free);
            if self.spawn(address) {
                return;
            }
        }
        panic!("influxd did not start on any of 20 ports");
    }

    fn command(&self, address: SocketAddr, files: &[(&str, &Path)]) -> Child {
        let folder = self.folder.path();
        let log = std::fs::File::create(folder.join("log")).expect("a log file");
        Command::new(&self.binary)
            .args(["--http-bind-address", &address.to_string()])
            .args(["--bolt-path".as_ref(), folder.join("bolt").as_os_str()])
            .args(["--engine-path".as_ref(), folder.join("engine").as_os_str()])
            .args(["--sqlite-path".as_ref(), folder.join("sqlite").as_os_str()])
            .args(["--reporting-disabled", "--log-level", "error"])
            .args(files.iter().flat_map(|(option, file)| [option.as_ref(), file.as_os_str()]))
            .env("HOME", folder)
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("influxd starts")
    }

    /// Starts it on a port; says whether it came up. If not, somebody took the port meanwhile.
    fn spawn(&mut self, address: SocketAddr) -> bool {
        let mut process = self.command(address, &[]);
        self.address = address;
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            if process.try_wait().expect("a process").is_some() {
                return false;
            }
            if self.try_request("GET", "/health", "").is_ok_and(|(status, _)| status == 200) {
                self.process = Some(process);
                return true;
            }
            assert!(Instant::now() < until, "influxd does not answer; see {:?}", self.folder);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A request of the API: status and body.
    pub fn request(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.try_request(method, path, body).expect("influxd answers")
    }

    fn try_request(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        // HTTP/1.0: the answer ends with the connection and comes in one piece.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nAuthorization: Token {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let odd = || std::io::Error::other("no HTTP");
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(odd)?;
        Ok((status, body.to_owned()))
    }
}

impl Drop for Influxd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first text of this name in JSON.
fn field(json: &str, name: &str) -> Option<String> {
    let rest = json.split_once(&format!("\"{name}\""))?.1;
    rest.split('"').nth(1).map(str::to_owned)
}
