//! Who sees a breach first, in real time: citybrain by MQTT, or Prometheus with Alertmanager at the
//! shortest intervals that make sense. And what a crash does to a rule that waits.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use city_model::{Span, Timestamp};
use city_tests::faults::{City, PATIENCE};
use city_tests::fleet::now;
use city_tests::instance::{Instance, eventually};
use city_tests::peers::hook::{Hook, Received};
use city_tests::peers::server::{ALERTMANAGER, PROMETHEUS, Server};
use city_tests::publisher::Publisher;
use serde_json::{Value, json};

/// Breaches, each at another phase of a second.
const ROUNDS: u32 = 10;

/// Both sides with one rule, and a hook that both tell.
struct Peers {
    hook: Hook,
    city: City,
    /// `None` only while it is started again.
    instance: Option<Instance>,
    prometheus: Server,
    _others: (Server, tempfile::TempDir),
}

impl Peers {
    /// The rule: a level above 2 for so many seconds.
    async fn start(seconds: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let hook = Hook::start().await?;
        let alertmanager = start_alertmanager(folder.path(), &hook).await?;
        let prometheus = start_prometheus(folder.path(), &hook, &alertmanager, seconds).await?;
        let rules = format!(
            "group: detection\ndepartment: city\nrules:\n  - id: level-high\n    kind: threshold\n    \
             select: {{metric: water_level}}\n    severity: high\n    raise: {{above: 2}}\n    \
             for: {seconds}s\n"
        );
        let city = City::with_rules(Some(&rules), &[])?;
        let config = city.folder().join("citybrain.toml");
        let receiver = format!(
            "[[receiver]]\nid = \"hook\"\ntype = \"webhook\"\n[receiver.options]\n\
             url = \"http://{}/citybrain\"\n",
            hook.address
        );
        std::fs::write(&config, std::fs::read_to_string(&config)? + &receiver)?;
        let instance = Some(city.start().await?);
        let peers = Self { hook, city, instance, prometheus, _others: (alertmanager, folder) };
        peers.warm_up().await?;
        Ok(peers)
    }

    /// Prometheus looks for its targets and for Alertmanager some seconds after its start only.
    async fn warm_up(&self) -> anyhow::Result<()> {
        self.hook.show("water_level{device=\"none\"}", 1.0);
        eventually("Prometheus to have found everything", PATIENCE, async || {
            let found = self.prometheus.get("/api/v1/query?query=water_level").await?;
            let told = self.prometheus.get("/api/v1/alertmanagers").await?;
            Ok((found.contains("\"none\"") && told.contains("/api/v2/alerts")).then_some(()))
        })
        .await
    }

    /// SIGKILL for those who evaluate, and a start with what they have on disk.
    async fn crash(&mut self) -> anyhow::Result<()> {
        self.instance.take().context("it runs")?.kill()?;
        self.prometheus.crash().await?;
        self.instance = Some(self.city.start().await?);
        Ok(())
    }

    /// A value of a device on both sides.
    fn send(&self, publisher: &mut Publisher, device: &str, level: f64) -> anyhow::Result<()> {
        let payload = json!({ "ts": now(), "level": level }).to_string();
        publisher.publish(&format!("mqtt/{device}/up"), payload.as_bytes());
        publisher.flush()?;
        self.hook.show(&format!("water_level{{device=\"{device}\"}}"), level);
        publisher.acknowledged()?;
        Ok(())
    }

    fn publisher(&self) -> anyhow::Result<Publisher> {
        let instance = self.instance.as_ref().context("it runs")?;
        let address = instance.ready.mqtt.context("an endpoint")?;
        Ok(Publisher::connect(address, "detection")?)
    }

    /// Until both have told of a device, in seconds.
    async fn both(&self, device: &str, firing: bool, since: Instant) -> anyhow::Result<[f64; 2]> {
        let after = async |who: &str| {
            let told = self.told(who, device, firing).await?;
            anyhow::Ok(told.at.duration_since(since).as_secs_f64())
        };
        Ok([after("citybrain").await?, after("alertmanager").await?])
    }

    /// The first webhook that tells that the alert of a device fires, or that it is over.
    async fn told(&self, who: &str, device: &str, firing: bool) -> anyhow::Result<Received> {
        let what = format!("the webhook of {who}, {device} firing: {firing},");
        self.hook.first(&what, PATIENCE, |one| tells(one, who, device, firing)).await
    }
}

async fn start_alertmanager(folder: &Path, hook: &Hook) -> anyhow::Result<Server> {
    let config = json!({
        "route": {
            "receiver": "hook",
            "group_by": ["..."],
            "group_wait": "0s",
            "group_interval": "1s",
        },
        "receivers": [{
            "name": "hook",
            "webhook_configs": [{ "url": format!("http://{}/alertmanager", hook.address) }],
        }],
    });
    // JSON is YAML.
    let file = folder.join("alertmanager.yaml");
    std::fs::write(&file, config.to_string())?;
    let arguments = vec![
        format!("--config.file={}", file.display()),
        format!("--storage.path={}", folder.join("alertmanager").display()),
        "--cluster.listen-address=".to_owned(),
    ];
    Server::start(&ALERTMANAGER, folder, arguments).await
}

async fn start_prometheus(
    folder: &Path,
    hook: &Hook,
    alertmanager: &Server,
    seconds: u32,
) -> anyhow::Result<Server> {
    let target = alertmanager.url().replace("http://", "");
    let config = json!({
        "global": { "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" },
        "rule_files": ["rules.yaml"],
        "alerting": { "alertmanagers": [{ "static_configs": [{ "targets": [target] }] }] },
        "scrape_configs": [
            { "job_name": "city", "static_configs": [{ "targets": [hook.address.to_string()] }] },
        ],
    });
    let rule = json!({
        "alert": "level-high", "expr": "water_level > 2", "for": format!("{seconds}s"),
    });
    let rules = json!({ "groups": [{ "name": "detection", "rules": [rule] }] });
    let file = folder.join("prometheus.yaml");
    std::fs::write(&file, config.to_string())?;
    std::fs::write(folder.join("rules.yaml"), rules.to_string())?;
    let arguments = vec![
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
    ];
    Server::start(&PROMETHEUS, folder, arguments).await
}

/// Whether a webhook tells that the alert of a device fires, or that it does not any more.
fn tells(one: &Received, who: &str, device: &str, firing: bool) -> bool {
    if one.from != who {
        return false;
    }
    if who == "citybrain" {
        let kind = if firing { "fired" } else { "resolved" };
        return one.body["kind"] == kind && one.body["alert"]["subject"]["device"] == device;
    }
    let status = if firing { "firing" } else { "resolved" };
    let is_it = |alert: &Value| alert["status"] == status && alert["labels"]["device"] == device;
    one.body["alerts"].as_array().is_some_and(|alerts| alerts.iter().any(is_it))
}

fn time(value: &Value) -> Timestamp {
    serde_json::from_value(value.clone()).expect("a time")
}

fn median(delays: &[f64]) -> f64 {
    let mut sorted = delays.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_is_told_sooner_than_by_prometheus_at_intervals_of_a_second() {
    let peers = Peers::start(0).await.expect("both sides");
    let mut publisher = peers.publisher().expect("connects");
    for round in 0..ROUNDS {
        peers.send(&mut publisher, &format!("d{round}"), 1.0).expect("sent");
    }
    let (mut begins, mut ends) = ([vec![], vec![]], [vec![], vec![]]);
    for round in 0..ROUNDS {
        let device = format!("d{round}");
        for (level, delays) in [(3.0, &mut begins), (1.0, &mut ends)] {
            // Not to wait for anything, but to meet their intervals at all phases.
            tokio::time::sleep(Duration::from_millis(u64::from(round) * 370 % 1_000)).await;
            let since = Instant::now();
            peers.send(&mut publisher, &device, level).expect("sent");
            let both = peers.both(&device, level > 2.0, since).await.expect("both tell");
            for (delays, delay) in delays.iter_mut().zip(both) {
                delays.push(delay);
            }
        }
    }
    for (what, delays) in [("begins", &begins), ("is over", &ends)] {
        for (who, delays) in ["citybrain", "Prometheus and Alertmanager"].iter().zip(delays) {
            let longest = delays.iter().copied().fold(0.0, f64::max);
            // Not by a macro, whose output the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "until {who} tell that a breach {what}: median {:.0} ms, longest {:.0} ms",
                median(delays) * 1e3,
                longest * 1e3,
            );
        }
        assert!(median(&delays[0]) < median(&delays[1]), "{delays:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_of_for_costs_nothing_here_and_begins_it_anew_there() {
    const FOR: u32 = 10;
    let mut peers = Peers::start(FOR).await.expect("both sides");
    let mut publisher = peers.publisher().expect("connects");
    peers.send(&mut publisher, "r", 3.0).expect("sent");
    eventually("the alert to be pending in Prometheus", PATIENCE, async || {
        let alerts = peers.prometheus.get("/api/v1/alerts").await?;
        Ok(alerts.contains("\"pending\"").then_some(()))
    })
    .await
    .expect("it is seen there, too");
    // `for` is under way on both sides.
    tokio::time::sleep(Duration::from_secs(2)).await;

    let crashed = now();
    peers.crash().await.expect("both start again");

    let whole = Span::from_secs(i64::from(FOR));
    let ours = peers.told("citybrain", "r", true).await.expect("told").body;
    let [started, fired] = ["started_at", "fired_at"].map(|name| time(&ours["alert"][name]));
    assert!(started < crashed && crashed < started + whole, "in the middle, at {crashed}: {ours}");
    assert_eq!(fired, started + whole, "as without the crash");
    let theirs = peers.told("alertmanager", "r", true).await.expect("told").body;
    let fired = time(&theirs["alerts"][0]["startsAt"]);
    assert!(fired >= crashed + whole, "all of it from the crash on: {theirs}");
    let _ = writeln!(
        std::io::stderr(),
        "crash within `for: {FOR}s`: Prometheus fires {:.1} s later than citybrain",
        fired.since(started + whole).secs_f64(),
    );
}
