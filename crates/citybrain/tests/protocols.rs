//! Protocols that answer, from the wire to the store and back, with the whole program between.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use city_api::Mode;
use city_decode::hj212::{CrcKind, encode};
use citybrain::app::App;
use citybrain::city::City;
use citybrain::settings::load;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

const CITY: &str = r#"
[city]
name = "Test"
time_zone = "Asia/Shanghai"
[http]
listen = "127.0.0.1:0"
[mqtt]
enabled = false
"#;

async fn start(folder: &Path, more: &str) -> App {
    start_with(folder, &format!("{CITY}{more}")).await
}

async fn start_with(folder: &Path, city: &str) -> App {
    let file = folder.join("citybrain.toml");
    let data = folder.join("data");
    let text = format!("data_dir = '{}'\n{city}", data.display());
    std::fs::write(&file, text).expect("written");
    let settings = load(&file).expect("good settings");
    let city = City::read(settings).expect("a good city");
    App::start(city, Mode::Live, &mut |_| {}).await.expect("it starts")
}

async fn get(app: &App, path: &str) -> Value {
    let url = format!("http://{}/api/v1/{path}", app.http);
    let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
    let answer = client.get(url).bearer_auth(&app.token).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

async fn post(app: &App, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("http://{}/api/v1/{path}", app.http);
    let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
    let sent = client.post(url).bearer_auth(&app.token).json(body).send();
    let answer = sent.await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// The last value of a metric, once it is this.
async fn until(app: &App, device: &str, metric: &str, wanted: &Value) {
    let path = format!("last-values?device={device}&metric={metric}");
    let looking = async { while get(app, &path).await["items"][0]["value"] != *wanted {} };
    tokio::time::timeout(PATIENCE, looking).await.expect("the value must come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_loggers_frame_is_answered_when_its_readings_can_be_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = r#"
[hj212]
enabled = true
listen = "127.0.0.1:0"
[[source]]
id = "hj212"
topic = "hj212/{device}"
format = "hj212"
unknown_devices = "register"
"#;
    let app = start(folder.path(), more).await;
    let address = app.hj212.expect("it listens");
    let mut logger = tokio::net::TcpStream::connect(address).await.expect("listening");
    let sent = "QN=20240301163001123;ST=22;CN=2011;PW=123456;MN=AQ-0017;Flag=5;\
        CP=&&DataTime=20240301163000;a34004-Rtd=35.2,a34004-Flag=N;a21026-Rtd=7,a21026-Flag=D&&";
    logger.write_all(&encode(sent, CrcKind::Standard)).await.expect("sent");
    let answer = "QN=20240301163001123;ST=91;CN=9014;PW=123456;MN=AQ-0017;Flag=4;CP=&&&&";
    let answer = encode(answer, CrcKind::Standard);
    let mut read = vec![0; answer.len()];
    let reading = tokio::time::timeout(PATIENCE, logger.read_exact(&mut read));
    reading.await.expect("an answer must come").expect("open");
    assert_eq!(read, answer);
    let page = get(&app, "last-values?device=AQ-0017").await;
    let items = page["items"].as_array().expect("items");
    let told: Vec<_> =
        items.iter().map(|i| (&i["metric"], &i["value"], &i["quality"], &i["time"])).collect();
    let time = Value::from("2024-03-01T08:30:00Z");
    let text = |text: &str| Value::from(text);
    assert!(told.contains(&(&text("so2"), &Value::from(7.0), &text("fail"), &time)), "{told:?}");
    let pm25 = told.iter().find(|(metric, ..)| **metric == text("pm25")).expect("PM2.5");
    assert_eq!((pm25.1, pm25.3), (&Value::from(35.2), &time));
    app.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_node_that_is_not_understood_is_asked_for_its_birth_over_its_broker() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_mosquitto, port) = mosquitto(folder.path());
    let more = format!(
        r#"
[[broker]]
name = "plant"
[broker.connect]
host = "127.0.0.1"
port = {port}
client_id = "citybrain"
sparkplug_host = "brain"
[[source]]
id = "sparkplug"
topic = "spBv1.0/#"
format = "sparkplug_b"
broker = "plant"
unknown_devices = "register"
options = {{ device = "last", metrics = {{ Temperature = "temperature" }} }}
"#
    );
    let app = start(folder.path(), &more).await;
    let mut edge = Edge::connect(port).await;
    let state = edge.hears("spBv1.0/STATE/brain").await;
    assert!(state.payload.starts_with(br#"{"online":true,"#), "{state:?}");

    // Metric 1 by its alias, 22.5, message 1: nobody has said what it means.
    let data = hex("120b 1001 69 0000000000803640 1801");
    edge.says("spBv1.0/G/NDATA/n1", &data).await;
    let command = edge.hears("spBv1.0/G/NCMD/n1").await;
    assert!(command.payload.windows(20).any(|name| name == b"Node Control/Rebirth"));
    assert_eq!((command.qos, command.retain), (QoS::AtMostOnce, false));
    // bdSeq 0, Temperature with alias 1 and data type Double, 21.5, message 0.
    let birth = hex("120b 0a056264536571 2008 5800 \
        121a 0a0b54656d7065726174757265 1001 200a 690000000000803540 1800");
    edge.says("spBv1.0/G/NBIRTH/n1", &birth).await;
    until(&app, "n1", "online", &Value::Bool(true)).await;
    edge.says("spBv1.0/G/NDATA/n1", &data).await;
    until(&app, "n1", "temperature", &Value::from(22.5)).await;
    edge.says("spBv1.0/G/NDEATH/n1", &hex("120b 0a056264536571 2008 5800")).await;
    until(&app, "n1", "online", &Value::Bool(false)).await;
    let letters = get(&app, "dead-letters").await;
    assert_eq!(letters["items"].as_array().map(Vec::len), Some(1), "the first message: {letters}");
    assert_eq!(letters["items"][0]["reason"], "no_birth");
    app.stop().await.expect("it stops");
    let state = edge.hears("spBv1.0/STATE/brain").await;
    assert!(state.payload.starts_with(br#"{"online":false,"#), "{state:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_reaches_the_device_that_it_is_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = "enabled = true\nlisten = \"127.0.0.1:0\"\n";
    let text = CITY.replace("enabled = false\n", more);
    let app = start_with(folder.path(), &text).await;
    let entry = serde_json::json!([{ "id": "d1", "kind": "lamp", "department": "works" }]);
    assert_eq!(post(&app, "devices/import", &entry).await.0, 200);
    let body = serde_json::json!({ "payload": "{\"interval\":60}", "name": "set" });
    let (status, queued) = post(&app, "devices/d1/commands", &body).await;
    assert_eq!((status, &queued["delivery"]), (202, &Value::from("queued")), "{queued}");

    let port = app.mqtt.expect("it listens").port();
    let (client, events) = AsyncClient::new(MqttOptions::new("d1", "127.0.0.1", port), 16);
    client.subscribe("cmd/d1/#", QoS::AtLeastOnce).await.expect("queued");
    let mut device = Edge { client, events };
    let command = device.hears("cmd/d1/set").await;
    assert_eq!(&command.payload[..], b"{\"interval\":60}");
    assert_eq!(command.qos, QoS::AtLeastOnce);

    let body = serde_json::json!({ "payload_base64": "AP8=", "name": "raw", "keep": "none" });
    let (status, sent) = post(&app, "devices/d1/commands", &body).await;
    assert_eq!((status, &sent["delivery"]), (202, &Value::from("sent")), "{sent}");
    let command = device.hears("cmd/d1/raw").await;
    assert_eq!((&command.payload[..], command.qos), (&[0, 0xff][..], QoS::AtLeastOnce));
    app.stop().await.expect("it stops");
}

/// An edge node.
struct Edge {
    client: AsyncClient,
    events: EventLoop,
}

impl Edge {
    async fn connect(port: u16) -> Self {
        let (client, events) = AsyncClient::new(MqttOptions::new("n1", "127.0.0.1", port), 16);
        for filter in ["spBv1.0/STATE/brain", "spBv1.0/G/NCMD/n1"] {
            client.subscribe(filter, QoS::AtLeastOnce).await.expect("queued");
        }
        Self { client, events }
    }

    async fn event(&mut self) -> Packet {
        let next = async {
            loop {
                match self.events.poll().await.expect("connected") {
                    Event::Incoming(packet) => return packet,
                    Event::Outgoing(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("a packet must come")
    }

    async fn hears(&mut self, topic: &str) -> Publish {
        loop {
            if let Packet::Publish(publish) = self.event().await {
                assert_eq!(publish.topic, topic);
                return publish;
            }
        }
    }

    /// Publishes, and waits until the broker has it.
    async fn says(&mut self, topic: &str, payload: &[u8]) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.expect("queued");
        while !matches!(self.event().await, Packet::PubAck(_)) {}
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        digits.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Ends the broker with the test.
struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _status = self.0.wait();
    }
}

/// A Mosquitto on a free port.
fn mosquitto(folder: &Path) -> (Broker, u16) {
    // Somebody else may take the port between our look and Mosquitto's.
    for _ in 0..10 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let conf = folder.join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_type information\n"
        );
        std::fs::write(&conf, text).expect("written");
        let child = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "mosquitto"]
            .iter()
            .find_map(|program| {
                let mut command = Command::new(program);
                command.arg("-c").arg(&conf).stdout(Stdio::null()).stderr(Stdio::piped());
                command.spawn().ok()
            });
        let mut broker =
            Broker(child.expect("this test needs mosquitto: apt-get install mosquitto"));
        let lines = BufReader::new(broker.0.stderr.take().expect("piped")).lines();
        let (say, said) = std::sync::mpsc::channel();
        // Reads to the end, so that Mosquitto never waits for us.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _nobody_listens = say.send(line);
            }
        });
        while let Ok(line) = said.recv_timeout(PATIENCE) {
            if line.contains("running") {
                return (broker, port);
            }
        }
    }
    panic!("mosquitto does not start");
}
