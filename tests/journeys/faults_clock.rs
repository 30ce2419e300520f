//! The machine's clock jumps, forward and back, while devices publish: nothing is lost, what is
//! told from the future is marked, alerts go on, and the books balance.
//!
//! The clock is made to jump by libfaketime, which stands between the program and the system; what
//! measures lengths of time (CLOCK_MONOTONIC) goes on evenly, as on a machine whose clock is set.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use city_model::{Quality, Span, Timestamp};
use city_tests::faults::{City, PATIENCE, sums};
use city_tests::fleet::{Address, Load, Sender, check_store, now};
use city_tests::instance::{Instance, binary, eventually};
use city_tests::publisher::Publisher;

const RULES: &str = "
group: clock
department: unknown
rules:
  - id: water-high
    name: {en: Water high, zh: 水位过高}
    kind: threshold
    select: {metric: water_level}
    severity: {high: {above: 3, clear_below: 2.5}}
    summary: {en: '{device} {value}', zh: '{device} {value}'}
";

/// Where Debian and others put it.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];

/// A clock that goes wrong by what stands in a file.
struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    fn new(folder: &Path) -> Option<Self> {
        let library = LIBRARIES.into_iter().map(PathBuf::from).find(|path| path.exists())?;
        let clock = Self { library, file: folder.join("faketime") };
        clock.jump(0);
        Some(clock)
    }

    /// From now on it is wrong by so many seconds.
    fn jump(&self, seconds: i64) {
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, format!("{seconds:+}\n")).expect("written");
        std::fs::rename(&fresh, &self.file).expect("replaced");
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary().expect("built"));
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        command
    }
}

/// How far the program's clock is ahead, in seconds.
async fn ahead(instance: &Instance) -> i64 {
    let system = instance.get("/api/v1/system").await.expect("an answer");
    let theirs: Timestamp = system["now"].as_str().expect("a time").parse().expect("a time");
    theirs.since(now()).micros() / 1_000_000
}

#[tokio::test]
async fn the_clock_jumps_two_hours_ahead_and_back_and_nothing_is_lost() {
    let city = City::with_rules(Some(RULES), &[]).expect("a city");
    let Some(clock) = Clock::new(city.folder()) else {
        eprintln!("SKIPPED: jumping clocks were not tested, because libfaketime is not installed");
        return;
    };
    let mut command = clock.command();
    let instance = Instance::launch(command.args(city.arguments(&city.data()))).expect("starts");
    let endpoint = instance.ready.mqtt.expect("an endpoint");
    let address: Address = Arc::new(move || Some(endpoint));
    let sender = Sender::start(Load::steady("d", "mqtt", 300.0), address);
    sender.more(300, PATIENCE).expect("published");
    let mut witness = Witness::connect(endpoint);

    let mut told = 0;
    for offset in [0, 2 * 3600, 0, -2 * 3600, 0] {
        clock.jump(offset);
        eventually("the clock to jump", PATIENCE, async || {
            Ok(((ahead(&instance).await - offset).abs() < 60).then_some(()))
        })
        .await
        .expect("it jumps");
        // A device whose clock is right, and one that has none.
        let taken = now();
        witness.tell("right", &format!("{{\"ts\":\"{taken}\",\"number\":1}}"));
        witness.tell("none", "{\"number\":2}");
        told += 2;
        // What comes from the future, by the program's clock, is not trusted.
        let expected = if offset < 0 { Quality::Suspect } else { Quality::NotEvaluated };
        assert_eq!(
            quality(&instance, "right", taken).await,
            u64::from(expected.code()),
            "{offset}"
        );
        sender.more(300, PATIENCE).expect("published");

        // While the clock is wrong, true times look late or of the future, and decide nothing.
        // Once it is right, alerts fire and end as before.
        if offset == 0 {
            told += witness.alert(&instance).await;
        }
        sums(&instance).await.expect("the books balance");
    }
    let sent = sender.stop().expect("all sent");
    assert_eq!((sent.connections, sent.again), (1, 0), "nobody is thrown out by a jump");
    let all = eventually("all to be stored", PATIENCE, async || {
        let sums = sums(&instance).await?;
        Ok((sums.in_flight == 0 && sums.received == sent.numbers + told).then_some(sums))
    })
    .await
    .expect("nothing is lost");
    assert_eq!((all.duplicate, all.dead_lettered), (0, 0), "{all:?}");
    assert!(instance.interrupt().expect("stops").1);
    check_store(&city.data(), &[sent]).expect("each once");
}

/// The quality code of the one reading of a device at that time.
async fn quality(instance: &Instance, device: &str, time: Timestamp) -> u64 {
    let to = time + Span::from_micros(1);
    let path =
        format!("/api/v1/readings?device={device}&metric=number&from={time}&to={to}&step=raw");
    let readings = instance.get(&path).await.expect("readings");
    let found = &readings["raw"]["quality"];
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{readings}");
    found[0].as_u64().expect("a code")
}

/// Devices that are looked at one by one.
struct Witness {
    publisher: Publisher,
}

impl Witness {
    fn connect(endpoint: std::net::SocketAddr) -> Self {
        Self { publisher: Publisher::connect(endpoint, "witness").expect("connects") }
    }

    fn tell(&mut self, device: &str, payload: &str) {
        self.publisher.publish(&format!("mqtt/{device}/up"), payload.as_bytes());
        self.publisher.flush().expect("sends");
        self.publisher.acknowledged().expect("acknowledged");
    }

    /// Raises and ends an alert; returns how many messages that took.
    async fn alert(&mut self, instance: &Instance) -> u64 {
        for (level, state) in [(3.5, "firing"), (1.0, "resolved")] {
            let payload = format!("{{\"ts\":\"{}\",\"level\":{level}}}", now());
            self.tell("alarming", &payload);
            eventually(state, PATIENCE, async || {
                let alerts = instance.get("/api/v1/alerts?rule=water-high").await?;
                let newest = alerts["items"].get(0);
                Ok(newest.is_some_and(|alert| alert["state"] == state).then_some(()))
            })
            .await
            .expect("the alert follows the reading");
        }
        2
    }
}
