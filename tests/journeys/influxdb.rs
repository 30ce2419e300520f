//! InfluxDB goes away under full ingest and comes back: every reading that was acknowledged arrives,
//! once, in order of its series. The outage is made by what comes in meanwhile, not by the clock.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::ensure;
use city_tests::certificates::Authority;
use city_tests::faults::{City, PATIENCE, settled};
use city_tests::fleet::{Address, Load, Sender, Sent, check_store};
use city_tests::gateway::{Gateway, Mood};
use city_tests::influxd::{BUCKET, Influxd, ORG, TOKEN};
use city_tests::instance::{Instance, binary, eventually};

/// More than fits into a request, so that several are under way at a time.
const MANY: u64 = 30_000;

/// A city that stores in InfluxDB behind a gateway.
struct Journey {
    city: City,
    server: Influxd,
    gateway: Gateway,
    instance: Option<Instance>,
    /// Where devices connect; it changes with each start.
    endpoint: Arc<Mutex<Option<SocketAddr>>>,
}

impl Journey {
    async fn begin(name: &str, spool_bytes: u64) -> Option<Self> {
        let server = Influxd::start(name)?;
        let gateway = Gateway::to(server.address()).expect("a gateway");
        let city = city_of("influxdb", &format!("http://{}", gateway.address), spool_bytes);
        let mut journey = Self { city, server, gateway, instance: None, endpoint: Arc::default() };
        journey.start().await;
        Some(journey)
    }

    async fn start(&mut self) {
        let instance = self.city.start().await.expect("it starts");
        *self.endpoint.lock().expect("no panic") = instance.ready.mqtt;
        self.instance = Some(instance);
    }

    fn kill(&mut self) {
        *self.endpoint.lock().expect("no panic") = None;
        self.instance.take().expect("it runs").kill().expect("killed");
    }

    fn instance(&self) -> &Instance {
        self.instance.as_ref().expect("it runs")
    }

    /// Devices that publish as fast as they can, or at a rate.
    fn sender(&self, rate: Option<f64>) -> Sender {
        let endpoint = self.endpoint.clone();
        let address: Address = Arc::new(move || *endpoint.lock().expect("no panic"));
        Sender::start(Load { rate, ..Load::steady("d", "mqtt", 1.0) }, address)
    }

    /// A figure of the metrics page.
    async fn figure(&self, name: &str) -> anyhow::Result<u64> {
        let instance = self.instance();
        let url = format!("http://{}/metrics", instance.ready.http);
        let client = city_alert::plain_client(PATIENCE).map_err(anyhow::Error::msg)?;
        let page = client.get(url).bearer_auth(&instance.ready.token).send().await?.text().await?;
        let line =
            page.lines().find(|line| line.starts_with(&format!("citybrain_influxdb_{name}{{")));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        value.map(|value| value as u64).ok_or_else(|| anyhow::anyhow!("no {name} in {page}"))
    }

    /// Waits until nothing waits any more, and counts.
    async fn arrived(&self, sent: Sent) {
        let all = [sent];
        settled(self.instance(), &all).await.expect("all is stored, and the books balance");
        eventually("the spool to be empty", 3 * PATIENCE, async || {
            let waiting = self.figure("spool_bytes").await?;
            ensure!(waiting == 0, "{waiting} bytes wait");
            Ok(Some(()))
        })
        .await
        .expect("everything is forwarded");
        assert_eq!(self.figure("rejected_total").await.expect("a figure"), 0);
        let [sent] = &all;
        check_server(&self.server, sent);
    }
}

/// Everything that was sent is on the server, once, in order of its series.
fn check_server(server: &Influxd, sent: &Sent) {
    assert_eq!(server.count(BUCKET), sent.numbers, "each once");
    for device in 0..sent.load.devices {
        let found = numbers(server, &format!("d-{device}"));
        let expected = (device..sent.numbers).step_by(sent.load.devices as usize);
        assert!(found.iter().copied().eq(expected), "d-{device}: {} found", found.len());
    }
}

/// The numbers of a device in order of time.
fn numbers(server: &Influxd, device: &str) -> Vec<u64> {
    let answer = server.query(&format!(
        "from(bucket: \"{BUCKET}\") |> range(start: 2000-01-01T00:00:00Z, stop: 2200-01-01T00:00:00Z) \
         |> filter(fn: (r) => r._measurement == \"number\" and r.device == \"{device}\" \
         and r._field == \"value\") |> keep(columns: [\"_time\", \"_value\"])"
    ));
    let cells = answer.lines().filter_map(|line| line.rsplit(',').next());
    cells.filter_map(|cell| cell.trim().parse().ok()).collect()
}

/// A city that stores in `backend` and knows a server.
fn city_of(backend: &str, url: &str, spool_bytes: u64) -> City {
    let city = City::new(&[]).expect("a city");
    let file = city.folder().join("citybrain.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let store = format!(
        "[store]\nbackend = \"{backend}\"\n[store.influxdb]\nurl = \"{url}\"\norg = \"{ORG}\"\n\
         bucket = \"{BUCKET}\"\ntoken = \"{TOKEN}\"\nspool_bytes = {spool_bytes}\n",
    );
    std::fs::write(&file, text + &store).expect("written");
    city
}

#[tokio::test(flavor = "multi_thread")]
async fn influxd_is_killed_under_full_ingest_and_comes_back() {
    let Some(mut journey) = Journey::begin("InfluxDB killed under ingest", 1 << 30).await else {
        return;
    };
    let sender = journey.sender(None);
    sender.more(MANY, PATIENCE).expect("acknowledged");
    journey.server.kill();
    sender.more(2 * MANY, PATIENCE).expect("acknowledgements do not wait for the server");
    eventually("the outage to be seen", PATIENCE, async || {
        Ok((journey.figure("in_trouble").await? == 1).then_some(()))
    })
    .await
    .expect("it is in the figures");
    assert!(journey.figure("spool_bytes").await.expect("a figure") > 100_000);
    journey.server.restart();
    sender.more(MANY, PATIENCE).expect("acknowledged");
    let sent = sender.stop().expect("all acknowledged");
    journey.arrived(sent).await;
    assert_eq!(journey.figure("in_trouble").await.expect("a figure"), 0);
    assert_eq!(journey.gateway.out_of_order(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn citybrain_is_killed_too_before_and_while_it_catches_up() {
    let Some(mut journey) = Journey::begin("both killed under ingest", 1 << 30).await else {
        return;
    };
    let sender = journey.sender(None);
    sender.more(MANY, PATIENCE).expect("acknowledged");
    journey.server.kill();
    sender.more(MANY, PATIENCE).expect("acknowledged");
    journey.kill();
    journey.start().await;
    sender.more(MANY, PATIENCE).expect("acknowledged");
    journey.server.restart();
    eventually("it to catch up", PATIENCE, async || {
        Ok((journey.figure("forwarded_total").await? > 0).then_some(()))
    })
    .await
    .expect("it forwards");
    journey.kill();
    journey.start().await;
    sender.more(MANY, PATIENCE).expect("acknowledged");
    let sent = sender.stop().expect("all acknowledged");
    journey.arrived(sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_withholds_acknowledgements_and_goes_on_by_itself() {
    let limit = 2 << 20;
    let Some(mut journey) = Journey::begin("a full spool", limit).await else { return };
    let sender = journey.sender(None);
    sender.more(MANY, PATIENCE).expect("acknowledged");
    journey.server.kill();
    eventually("the spool to be full", PATIENCE, async || {
        Ok((journey.figure("spool_bytes").await? >= limit).then_some(()))
    })
    .await
    .expect("it fills");
    eventually("the program to say so", PATIENCE, async || {
        let (status, health) = journey.instance().health().await?;
        Ok((status == 503 && health["parts"]["store"]["ok"] == false).then_some(()))
    })
    .await
    .expect("it is not ready");
    // What was durable before may be acknowledged a moment later, but no more than was under way.
    let before = sender.acknowledged();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(sender.acknowledged() - before <= 1_000, "nothing more is acknowledged");
    journey.kill();
    journey.start().await;
    journey.server.restart();
    sender.more(MANY, PATIENCE).expect("it goes on by itself");
    let sent = sender.stop().expect("all acknowledged");
    journey.arrived(sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_for_a_while_gets_everything_later() {
    let Some(journey) = Journey::begin("InfluxDB refusing", 1 << 30).await else { return };
    let sender = journey.sender(Some(10_000.0));
    // Who is denied does not hurry: one refusal of that kind is half a minute.
    for (status, headers, times) in
        [(429, "retry-after: 1\r\n", 3), (500, "", 3), (503, "", 3), (401, "", 1)]
    {
        sender.more(MANY, PATIENCE).expect("acknowledged");
        let before = journey.gateway.refused();
        journey.gateway.turn(Mood::Refusing(status, headers.to_owned()));
        eventually("refusals", PATIENCE, async || {
            Ok((journey.gateway.refused() >= before + times).then_some(()))
        })
        .await
        .expect("it is tried again");
        journey.gateway.turn(Mood::Passing);
    }
    let sent = sender.stop().expect("all acknowledged");
    journey.arrived(sent).await;
    assert!(journey.figure("retries_total").await.expect("a figure") >= 10);
    assert_eq!(journey.gateway.out_of_order(), [] as [String; 0]);
}

/// `citybrain store copy` between the two backends of a city.
fn store_copy(city: &City, from: &str, to: &str) -> Command {
    let mut command = Command::new(binary().expect("built"));
    command.args(["store", "copy", "--from", from, "--to", to, "--config"]);
    command.arg(city.folder().join("citybrain.toml")).arg("--data-dir").arg(city.data());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_copied_to_the_server_and_back_and_goes_on_where_it_was_cut_short() {
    let Some(server) = Influxd::start("history copied to InfluxDB") else { return };
    let gateway = Gateway::to(server.address()).expect("a gateway");
    // A spool that cannot hold half of it.
    let city = city_of("embedded", &format!("http://{}", gateway.address), 1 << 20);
    let instance = city.start().await.expect("it starts");
    let endpoint = instance.ready.mqtt;
    let load = Load { rate: None, devices: 20, ..Load::steady("d", "mqtt", 1.0) };
    let sender = Sender::start(load, Arc::new(move || endpoint));
    sender.more(8 * MANY, PATIENCE).expect("acknowledged");
    let sent = sender.stop().expect("all acknowledged");
    instance.interrupt().expect("it stops");

    // The server refuses, so the spool fills up and the copy waits; then it is killed.
    gateway.turn(Mood::Refusing(503, String::new()));
    let mut copy = store_copy(&city, "embedded", "influxdb").spawn().expect("it starts");
    let note = city.data().join("copy.json");
    eventually("some devices to be copied", PATIENCE, async || {
        ensure!(copy.try_wait()?.is_none(), "it ended");
        Ok((note.exists() && gateway.refused() > 0).then_some(()))
    })
    .await
    .expect("it copies");
    copy.kill().and_then(|()| copy.wait()).expect("killed");
    let note: serde_json::Value =
        serde_json::from_slice(&std::fs::read(note).expect("a note")).expect("JSON");
    let next = note["next"].as_u64().expect("a device");
    assert!((1..20).contains(&next), "it got to device {next} of 20");

    gateway.turn(Mood::Passing);
    let copy = store_copy(&city, "embedded", "influxdb").output().expect("it runs");
    let said = String::from_utf8_lossy(&copy.stdout).into_owned();
    assert!(copy.status.success(), "{said}{}", String::from_utf8_lossy(&copy.stderr));
    assert!(said.contains("going on where the last copy was cut short"), "{said}");
    check_server(&server, &sent);

    // Back, with nothing left here that it could come from.
    for folder in ["store", "spool"] {
        std::fs::remove_dir_all(city.data().join(folder)).expect("removed");
    }
    let copy = store_copy(&city, "influxdb", "embedded").output().expect("it runs");
    let said = String::from_utf8_lossy(&copy.stdout).into_owned();
    assert!(copy.status.success(), "{said}{}", String::from_utf8_lossy(&copy.stderr));
    assert!(said.contains(&format!("{0} readings read, {0} of them", sent.numbers)), "{said}");
    check_store(&city.data(), &[sent]).expect("everything, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_only_the_city_knows_is_written_and_read() {
    let Some(mut server) = Influxd::start("InfluxDB behind TLS") else { return };
    let certificates = tempfile::tempdir().expect("a folder");
    let file = |name: &str| certificates.path().join(name);
    let authority = Authority::new(certificates.path()).expect("an authority");
    authority.issue("influxd", &["localhost"]).expect("a certificate");
    server.restart_with_tls(&file("influxd.pem"), &file("influxd.key"));
    let url = format!("https://localhost:{}", server.address().port());
    let city = city_of("influxdb", &url, 1 << 30);
    let instance = city.start().await.expect("it starts");
    let endpoint = Arc::new(Mutex::new(instance.ready.mqtt));
    let mut journey = Journey {
        gateway: Gateway::to(server.address()).expect("a gateway"),
        city,
        server,
        instance: Some(instance),
        endpoint,
    };
    let sender = journey.sender(None);
    sender.more(MANY, PATIENCE).expect("acknowledged");
    // Nobody vouches for the certificate: nothing is sent, and nothing is lost.
    eventually("the trouble to be seen", PATIENCE, async || {
        Ok((journey.figure("in_trouble").await? == 1).then_some(()))
    })
    .await
    .expect("it is in the figures");
    assert_eq!(journey.figure("forwarded_total").await.expect("a figure"), 0);

    journey.kill();
    let config = journey.city.folder().join("citybrain.toml");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let known = format!("{text}ca_file = {:?}\n", file("ca.pem"));
    std::fs::write(&config, known).expect("written");
    journey.start().await;
    sender.more(MANY, PATIENCE).expect("acknowledged");
    let sent = sender.stop().expect("all acknowledged");
    settled(journey.instance(), std::slice::from_ref(&sent)).await.expect("all is stored");
    eventually("the spool to be empty", PATIENCE, async || {
        Ok((journey.figure("spool_bytes").await? == 0).then_some(()))
    })
    .await
    .expect("everything is forwarded");
    journey.kill();

    // Read back over TLS, with nothing left here that it could come from.
    std::fs::remove_dir_all(journey.city.data().join("spool")).expect("removed");
    let copy = store_copy(&journey.city, "influxdb", "embedded").output().expect("it runs");
    let said = String::from_utf8_lossy(&copy.stdout).into_owned();
    assert!(copy.status.success(), "{said}{}", String::from_utf8_lossy(&copy.stderr));
    check_store(&journey.city.data(), std::slice::from_ref(&sent)).expect("everything, once");
    journey.server.restart();
    check_server(&journey.server, &sent);
}
