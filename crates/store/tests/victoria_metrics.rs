//! Writes to a server that speaks InfluxDB's write protocol only: VictoriaMetrics, as Debian has it.
//! Reads by Flux are InfluxDB's own, so that only days that are still here can be read before it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use city_model::{DeviceKey, MetricKey, Quality, Timestamp};
use city_store::conformance::{commit, reading, series};
use city_store::{Influx, InfluxOptions, Naming, Secret, Store as _};

const PROGRAM: &str = "/usr/bin/victoria-metrics";
const PATIENCE: Duration = Duration::from_mins(1);

struct Server {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// `None` if it does not come up there, because somebody else has the port now.
    fn try_start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let process = Command::new(PROGRAM)
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-storageDataPath={}", folder.path().display()))
            .arg("-retentionPeriod=100y")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut server = Self { process, address, _folder: folder };
        let until = Instant::now() + PATIENCE;
        while server.process.try_wait().expect("a process").is_none() {
            if server.get("/health").is_ok_and(|answer| answer.contains("OK")) {
                return Some(server);
            }
            assert!(Instant::now() < until, "it does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

struct Plain;

impl Naming for Plain {
    fn device(&self, key: DeviceKey) -> Option<Arc<str>> {
        Some(format!("station {}", key.0).into())
    }

    fn metric(&self, _: MetricKey) -> Option<Arc<str>> {
        Some("pm25".into())
    }
}

#[test]
fn a_compatible_server_takes_writes() {
    if !Path::new(PROGRAM).exists() {
        // Not by a macro, whose output the test harness would swallow.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED writes to VictoriaMetrics: there is no {PROGRAM}; `apt-get install victoria-metrics`"
        );
        return;
    }
    let server = (0..20).find_map(|_| Server::try_start()).expect("a free port");
    let folder = tempfile::tempdir().expect("a folder");
    let options =
        InfluxOptions::new(format!("http://{}", server.address), "any", "any", Secret::new("any"));
    let (influx, _) = Influx::open(folder.path(), options, Arc::new(Plain)).expect("opens");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let many = (0..20_000i64).map(|number| {
        let mut reading = reading(series((number % 4) as u32, 1), 0, number as f64);
        reading.time = Timestamp::from_secs(now.as_secs() as i64 - 20_000 + number);
        if number == 7 {
            reading.quality = Quality::Fail;
        }
        reading
    });
    influx.commit(&commit(many)).expect("commits");
    assert!(influx.wait_until_forwarded(PATIENCE), "{:?}", influx.stats().forward);
    assert_eq!(influx.stats().dead_letters, 0);
    // It neither deletes nor looks anything up that way: corrections are written over what is there.
    let mut corrected = reading(series(0, 1), 0, 1.0);
    corrected.time = Timestamp::from_secs(now.as_secs() as i64 - 20_000);
    for (value, quality) in [(5.0, Quality::Pass), (6.0, Quality::Fail), (0.0, Quality::Pass)] {
        (corrected.value, corrected.quality) = (value.into(), quality);
        influx.commit(&commit([corrected.clone()])).expect("commits");
        assert!(influx.wait_until_forwarded(PATIENCE), "{:?}", influx.stats().forward);
    }
    assert_eq!(influx.stats().dead_letters, 0);
    // It names a series by measurement and field.
    let count = |field: &str| {
        server.get("/internal/force_flush").expect("answers");
        let path = format!("/api/v1/export?match[]=pm25_{field}&start=0");
        let answer = server.get(&path).expect("answers");
        let lists = answer.split("\"timestamps\":[").skip(1);
        let lists: Vec<&str> = lists.filter_map(|rest| rest.split(']').next()).collect();
        (lists.len(), lists.iter().map(|list| list.split(',').count()).sum::<usize>())
    };
    let (series, values) = count("value");
    assert!(series == 4 && values >= 19_999, "{values}");
    assert!(count("rejected").1 >= 2);
    assert!(count("quality").1 >= 20_000);
}
