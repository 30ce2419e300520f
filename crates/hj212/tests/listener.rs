//! The listener over real TCP, with a pipeline turned by hand.

use std::sync::Arc;
use std::time::Duration;

use city_decode::Message;
use city_decode::hj212::{CrcKind, encode};
use city_hj212::{Access, AllowAll, Checksum, Config, Listener, Sm4Key, StatsSnapshot};
use city_model::{ManualClock, Timestamp};
use city_pipeline::{Limits, RawMessage, Received, SourceKey, intake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

struct Bench {
    received: Received,
    port: u16,
    stats: Arc<city_hj212::Stats>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Bench {
    async fn start() -> Self {
        Self::with(|_| {}, Arc::new(AllowAll)).await
    }

    async fn with(change: impl FnOnce(&mut Config), access: Arc<dyn Access>) -> Self {
        let (intake, received) = intake(Limits::default());
        let mut config = Config::new("127.0.0.1:0".parse().expect("an address"), SourceKey(3));
        change(&mut config);
        let clock = Arc::new(ManualClock::new(NOW));
        let listener = Listener::bind(config, intake, access, clock).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (stats, shutdown) = (listener.stats(), CancellationToken::new());
        let running = tokio::spawn(listener.run(shutdown.clone()));
        Self { received, port, stats, shutdown, running }
    }

    async fn device(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.expect("listening")
    }

    async fn take(&mut self, count: usize) -> Vec<RawMessage> {
        let mut messages = Vec::new();
        while messages.len() < count {
            let next = tokio::time::timeout(PATIENCE, self.received.next());
            let batch = next.await.expect("messages must come").expect("running");
            messages.extend(batch.into_messages());
        }
        assert_eq!(messages.len(), count, "more came than expected: {messages:?}");
        messages
    }

    fn nothing_waits(&mut self) -> bool {
        self.received.try_next().is_none()
    }

    async fn stop(self) -> StatsSnapshot {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.expect("must stop").expect("no panic");
        self.stats.snapshot()
    }
}

fn segment(mn: &str, qn: &str, flag: u8) -> String {
    format!(
        "QN={qn};ST=22;CN=2011;PW=123456;MN={mn};Flag={flag};\
         CP=&&DataTime=20261123163000;a34004-Rtd=35.2,a34004-Flag=N&&"
    )
}

fn frame(mn: &str, qn: &str, flag: u8) -> Vec<u8> {
    encode(&segment(mn, qn, flag), CrcKind::Standard)
}

fn answer(mn: &str, qn: &str) -> Vec<u8> {
    let text = format!("QN={qn};ST=91;CN=9014;PW=123456;MN={mn};Flag=4;CP=&&&&");
    encode(&text, CrcKind::Standard)
}

async fn send(device: &mut TcpStream, bytes: &[u8]) {
    device.write_all(bytes).await.expect("it reads");
}

async fn expect(device: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    let reading = tokio::time::timeout(PATIENCE, device.read_exact(&mut read));
    reading.await.expect("an answer must come").expect("the connection is open");
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(bytes));
}

/// Everything that is still to come, until the end.
async fn rest(device: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, device.read_to_end(&mut read));
    // A connection that was closed with bytes unread is reset, which is an end too.
    let _reset = reading.await.expect("it must end");
    String::from_utf8_lossy(&read).into_owned()
}

fn commit(message: RawMessage) {
    message.ack.expect("an answer is asked for").committed();
}

#[tokio::test]
async fn a_frame_is_answered_when_it_is_durable_and_not_before() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    send(&mut device, &frame("M1", "20261123163001001", 5)).await;
    let message = bench.take(1).await.remove(0);
    assert_eq!((&*message.topic, message.source), ("hj212/M1", Some(SourceKey(3))));
    assert_eq!((message.client.as_deref(), message.received), (Some("M1"), NOW));
    assert_eq!(&message.payload[..], frame("M1", "20261123163001001", 5));
    assert!(device.try_read(&mut [0; 1]).is_err(), "nothing is answered yet");
    commit(message);
    expect(&mut device, &answer("M1", "20261123163001001")).await;
    drop(device);
    let stats = bench.stop().await;
    assert_eq!((stats.frames, stats.answered, stats.garbage_bytes), (1, 1, 0));
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_frames_and_only_where_they_are_asked_for() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    let frames = [
        frame("M1", "20261123163001001", 5),
        frame("M1", "20261123163001002", 4),
        encode("QN=7;ST=91;CN=9013;PW=123456;MN=M1;Flag=5;CP=&&&&", CrcKind::Standard),
        frame("M2", "20261123163001003", 5),
    ]
    .concat();
    // In pieces that end anywhere.
    for piece in frames.chunks(7) {
        send(&mut device, piece).await;
    }
    let mut messages = bench.take(4).await;
    let asked: Vec<_> = messages.iter().map(|message| message.ack.is_some()).collect();
    assert_eq!(asked, [true, false, false, true]);
    commit(messages.remove(3));
    commit(messages.remove(0));
    expect(&mut device, &answer("M1", "20261123163001001")).await;
    expect(&mut device, &answer("M2", "20261123163001003")).await;
}

#[tokio::test]
async fn when_the_store_fails_nothing_is_answered_and_the_connection_ends() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    send(&mut device, &frame("M1", "20261123163001001", 5)).await;
    // Given up without a commit.
    drop(bench.take(1).await);
    assert_eq!(rest(&mut device).await, "");
    // It connects again and sends it again.
    let mut device = bench.device().await;
    send(&mut device, &frame("M1", "20261123163001001", 5)).await;
    bench.take(1).await.into_iter().for_each(commit);
    expect(&mut device, &answer("M1", "20261123163001001")).await;
}

#[tokio::test]
async fn a_frame_with_a_wrong_checksum_is_kept_but_not_answered() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    let mut broken = frame("M1", "20261123163001001", 5);
    let end = broken.len();
    broken[end - 3] ^= 1;
    let good = frame("M1", "20261123163001002", 5);
    send(&mut device, &[&broken[..], &good].concat()).await;
    let mut messages = bench.take(2).await;
    assert!(messages[0].ack.is_none());
    assert_eq!(&messages[0].payload[..], broken);
    commit(messages.remove(1));
    expect(&mut device, &answer("M1", "20261123163001002")).await;
    assert_eq!(bench.stop().await.bad_checksums, 1);
}

#[tokio::test]
async fn a_device_is_answered_with_the_checksum_that_it_computes() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    send(&mut device, &encode(&segment("M1", "20261123163001001", 5), CrcKind::Modbus)).await;
    bench.take(1).await.into_iter().for_each(commit);
    let text = "QN=20261123163001001;ST=91;CN=9014;PW=123456;MN=M1;Flag=4;CP=&&&&";
    expect(&mut device, &encode(text, CrcKind::Modbus)).await;

    let only = |config: &mut Config| config.checksum = Checksum::from_option(Some("standard"));
    let mut bench = Bench::with(only, Arc::new(AllowAll)).await;
    let mut device = bench.device().await;
    send(&mut device, &encode(&segment("M1", "20261123163001001", 5), CrcKind::Modbus)).await;
    assert!(bench.take(1).await[0].ack.is_none());
}

#[tokio::test]
async fn garbage_costs_no_frame_and_becomes_few_dead_letters() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    let good = frame("M1", "20261123163001001", 5);
    send(&mut device, &[b"\r\n noise # and ##12 more \r\n", &good[..]].concat()).await;
    let messages = bench.take(3).await;
    let payloads: Vec<_> =
        messages.iter().map(|message| String::from_utf8_lossy(&message.payload)).collect();
    assert_eq!(payloads[..2], ["noise # and ", "##12 more \r\n"]);
    let decoder = city_decode::format("hj212").expect("a format");
    let decoder = decoder.compile(&serde_json_null()).expect("no options");
    for message in &messages[..2] {
        let message = Message::new(&message.topic, &message.payload, message.received);
        let error = decoder.decode(&message, &mut Vec::new()).expect_err("garbage");
        assert!(error.hint.contains("check"), "{error}");
    }
    messages.into_iter().skip(2).for_each(commit);
    expect(&mut device, &answer("M1", "20261123163001001")).await;
    for _ in 0..2 {
        send(&mut device, b"GET / HTTP/1.1\r\n").await;
        bench.take(1).await;
    }
    send(&mut device, b"GET / HTTP/1.1\r\n").await;
    assert_eq!(rest(&mut device).await, "", "enough is enough");
    assert!(bench.nothing_waits());
    assert!(bench.stop().await.garbage_bytes > 60);
}

fn serde_json_null() -> serde_json::Value {
    serde_json::Value::Null
}

#[tokio::test]
async fn packets_of_a_split_transmission_are_answered_one_by_one_and_share_their_time() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    let packet = |number: u8, data: &str| {
        let text = format!(
            "QN=20261123163001001;ST=22;CN=2051;PW=1;MN=M1;Flag=7;PNUM=2;PNO={number};CP=&&{data}&&"
        );
        encode(&text, CrcKind::Standard)
    };
    let text = "QN=20261123163001001;ST=91;CN=9014;PW=1;MN=M1;Flag=4;CP=&&&&";
    let answer = encode(text, CrcKind::Standard);
    let first = packet(1, "DataTime=20261123163000;a34004-Avg=1");
    let second = packet(2, "a34002-Avg=2");
    send(&mut device, &first).await;
    bench.take(1).await.into_iter().for_each(commit);
    // A logger that waits for this before it goes on is not kept waiting.
    expect(&mut device, &answer).await;
    send(&mut device, &second).await;
    let message = bench.take(1).await.remove(0);
    assert_eq!(&message.payload[..], [&first[..], &second].concat());
    let format = city_decode::format("hj212").expect("a format");
    let decoder = format.compile(&serde_json_null()).expect("no options");
    let mut values = Vec::new();
    let input = Message::new(&message.topic, &message.payload, message.received);
    decoder.decode(&input, &mut values).expect("values");
    assert_eq!(values.len(), 2);
    assert_eq!(values[0].time, values[1].time);
    drop(values);
    commit(message);
    expect(&mut device, &answer).await;
}

/// Knows two devices.
struct Passwords;

impl Access for Passwords {
    fn may_send(&self, device: &str, password: &str) -> bool {
        matches!((device, password), ("M1" | "M2", "123456"))
    }
}

#[tokio::test]
async fn a_gateway_may_speak_for_several_devices_and_each_must_show_its_password() {
    let mut bench = Bench::with(|_| {}, Arc::new(Passwords)).await;
    let mut gateway = bench.device().await;
    send(&mut gateway, &[frame("M1", "1", 5), frame("M2", "2", 5)].concat()).await;
    let messages = bench.take(2).await;
    let topics: Vec<_> = messages.iter().map(|message| &*message.topic).collect();
    assert_eq!(topics, ["hj212/M1", "hj212/M2"]);
    messages.into_iter().for_each(commit);
    expect(&mut gateway, &[answer("M1", "1"), answer("M2", "2")].concat()).await;
    // What was good before the refusal is finished first.
    send(&mut gateway, &[frame("M1", "3", 5), frame("M3", "4", 5)].concat()).await;
    bench.take(1).await.into_iter().for_each(commit);
    assert_eq!(rest(&mut gateway).await.as_bytes(), answer("M1", "3"));
    let stats = bench.stop().await;
    assert_eq!((stats.refused, stats.answered), (1, 3));
}

/// Knows one password, and takes its time to say so; counts how often it is asked, and never on
/// the thread that serves connections.
struct Slow(std::sync::atomic::AtomicUsize, std::thread::ThreadId);

impl Default for Slow {
    fn default() -> Self {
        Self(0.into(), std::thread::current().id())
    }
}

impl Access for Slow {
    fn may_send(&self, device: &str, password: &str) -> bool {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if std::thread::current().id() == self.1 {
            return false;
        }
        (device, password) == ("M1", "654321")
    }

    fn known(&self, device: &str, password: &str) -> Option<bool> {
        ((device, password) == ("M2", "123456")).then_some(true)
    }
}

#[tokio::test]
async fn an_address_that_guesses_passwords_is_looked_up_no_more() {
    let access = Arc::new(Slow::default());
    let mut bench = Bench::with(|_| {}, access.clone()).await;
    for _ in 0..12 {
        let mut device = bench.device().await;
        send(&mut device, &frame("M1", "1", 5)).await;
        assert_eq!(rest(&mut device).await, "", "a wrong password ends the connection");
    }
    assert_eq!(access.0.load(std::sync::atomic::Ordering::SeqCst), 10);
    assert!(bench.nothing_waits());
    // Who is known already is not kept out by them.
    let mut other = bench.device().await;
    send(&mut other, &frame("M2", "2", 5)).await;
    bench.take(1).await.into_iter().for_each(commit);
    expect(&mut other, &answer("M2", "2")).await;
    assert_eq!(bench.stop().await.refused, 12);
}

#[tokio::test]
async fn a_frame_waits_for_its_password_and_the_one_behind_it_too() {
    let mut bench = Bench::with(|_| {}, Arc::new(Slow::default())).await;
    let mut device = bench.device().await;
    let slow = segment("M1", "1", 5).replace("123456", "654321");
    let slow = encode(&slow, CrcKind::Standard);
    send(&mut device, &[frame("M2", "0", 5), slow, frame("M2", "2", 5)].concat()).await;
    let messages = bench.take(3).await;
    let topics: Vec<_> = messages.iter().map(|message| &*message.topic).collect();
    assert_eq!(topics, ["hj212/M2", "hj212/M1", "hj212/M2"]);
}

#[tokio::test]
async fn a_frame_that_is_called_garbage_needs_no_password_and_is_read_by_nobody() {
    let mut bench = Bench::with(|_| {}, Arc::new(Passwords)).await;
    let mut device = bench.device().await;
    // A wrong length, a right checksum, no end, and longer than any frame.
    let padding = "x".repeat(city_decode::hj212::MAX_FRAME);
    let data = format!(
        "QN=1;ST=22;CN=2011;PW=0;MN=M1;Flag=4;CP=&&DataTime=20261123163000;a34004-Rtd=1,{padding}&&"
    );
    let whole = encode(&data, CrcKind::Standard);
    let crc = &whole[whole.len() - 6..whole.len() - 2];
    send(&mut device, &[b"##0001", data.as_bytes(), crc].concat()).await;
    let mut taken = 0;
    while taken < data.len() + 10 {
        let message = bench.take(1).await.remove(0);
        assert!(message.delivery().garbage && message.client.is_none());
        taken += message.payload.len();
    }
    drop(device);
    assert_eq!(bench.stop().await.frames, 0);
}

#[tokio::test]
async fn a_frame_without_a_device_is_nobodys_and_not_trusted_with_others() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    send(&mut device, &frame("", "1", 4)).await;
    let message = bench.take(1).await.remove(0);
    assert!(message.client.is_some(), "so that it is asked for whom it may speak");
}

#[tokio::test]
async fn ids_that_fit_no_topic_are_left_to_the_format() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    for mn in ["", "a/b", "x+"] {
        send(&mut device, &frame(mn, "1", 4)).await;
        assert_eq!(&*bench.take(1).await[0].topic, "hj212/-", "{mn}");
    }
}

#[tokio::test]
async fn frames_without_an_answer_are_bounded() {
    let mut bench = Bench::with(|config| config.window = 2, Arc::new(AllowAll)).await;
    let mut device = bench.device().await;
    for qn in ["1", "2"] {
        send(&mut device, &frame("M1", qn, 5)).await;
    }
    let mut held = bench.take(2).await;
    send(&mut device, &frame("M1", "3", 5)).await;
    // Nothing is read while two wait: another connection's frame overtakes this one.
    let mut other = bench.device().await;
    send(&mut other, &frame("M2", "4", 5)).await;
    assert_eq!(&*bench.take(1).await[0].topic, "hj212/M2");
    assert!(bench.nothing_waits());
    commit(held.remove(0));
    expect(&mut device, &answer("M1", "1")).await;
    assert_eq!(&*bench.take(1).await[0].topic, "hj212/M1");
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_at_once() {
    let bench = Bench::with(|config| config.max_connections = 1, Arc::new(AllowAll)).await;
    let mut first = bench.device().await;
    send(&mut first, b"#").await;
    let mut second = bench.device().await;
    assert_eq!(rest(&mut second).await, "");
    let stats = bench.stop().await;
    assert_eq!((stats.connections, stats.refused_connections), (1, 1));
}

#[tokio::test]
async fn a_connection_without_a_frame_ends() {
    let quick = |config: &mut Config| config.first = Duration::from_millis(20);
    let mut bench = Bench::with(quick, Arc::new(AllowAll)).await;
    let mut device = bench.device().await;
    // Bytes alone are no frame.
    send(&mut device, b"##0100QN=").await;
    assert_eq!(rest(&mut device).await, "");
    assert!(bench.nothing_waits());
}

#[tokio::test]
async fn a_stop_waits_for_the_commits_under_way() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    send(&mut device, &frame("M1", "1", 5)).await;
    let message = bench.take(1).await.remove(0);
    bench.shutdown.cancel();
    commit(message);
    assert_eq!(rest(&mut device).await.as_bytes(), answer("M1", "1"));
    bench.stop().await;
}

#[tokio::test]
async fn a_heartbeat_and_a_request_for_a_key_are_answered_as_notices() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    for cn in ["9015", "1001", "1014"] {
        let text = format!("QN=1;ST=91;CN={cn};PW=123456;MN=M1;Flag=9;CP=&&&&");
        send(&mut device, &encode(&text, CrcKind::Standard)).await;
        bench.take(1).await.into_iter().for_each(commit);
        let text = "QN=1;ST=91;CN=9013;PW=123456;MN=M1;Flag=8;CP=&&&&";
        expect(&mut device, &encode(text, CrcKind::Standard)).await;
    }
}

/// The frame of HJ 212-2025, annex A.2 (4), encrypted with 16 times 0x30.
fn encrypted() -> Vec<u8> {
    let vectors = include_str!("../../decode/testdata/hj212/hj212_2025.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).expect("JSON");
    vectors[4]["input"].as_str().expect("a frame").into()
}

fn encrypted_answer() -> Vec<u8> {
    let text = "QN=20240520210700000;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=8;\
        CP=&&&&";
    encode(text, CrcKind::Standard)
}

fn with_key(key: &str) -> impl FnOnce(&mut Config) {
    let key = Sm4Key::from_option(Some(key));
    assert!(key.is_some());
    |config| config.sm4_key = key
}

#[tokio::test]
async fn an_encrypted_frame_is_answered_where_the_key_says_that_its_checksum_is_right() {
    let mut bench = Bench::with(with_key(&"30".repeat(16)), Arc::new(AllowAll)).await;
    let mut device = bench.device().await;
    for piece in encrypted().chunks(100) {
        send(&mut device, piece).await;
    }
    let message = bench.take(1).await.remove(0);
    assert_eq!(&*message.topic, "hj212/010000A8900016F000169DC0");
    assert_eq!(&message.payload[..], encrypted(), "as it was sent");
    commit(message);
    expect(&mut device, &encrypted_answer()).await;
    // One digit of the ciphertext is another.
    let broken = String::from_utf8(encrypted()).expect("text").replacen("0x15", "0x16", 1);
    send(&mut device, broken.as_bytes()).await;
    assert!(bench.take(1).await[0].ack.is_none());
    let stats = bench.stop().await;
    assert_eq!((stats.frames, stats.answered, stats.bad_checksums), (2, 1, 1));
}

#[tokio::test]
async fn an_encrypted_frame_without_a_key_goes_on_and_is_answered_once_it_is_durable() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    send(&mut device, &encrypted()).await;
    let message = bench.take(1).await.remove(0);
    assert!(device.try_read(&mut [0; 1]).is_err(), "nothing is answered yet");
    // It is a dead letter with a reason of its own, which can be decoded once there is a key.
    let format = city_decode::format("hj212").expect("a format");
    let decoder = format.compile(&serde_json_null()).expect("no options");
    let input = Message::new(&message.topic, &message.payload, message.received);
    let error = decoder.decode(&input, &mut Vec::new()).expect_err("no key");
    assert!(error.hint.contains("sm4_key"), "{error}");
    commit(message);
    expect(&mut device, &encrypted_answer()).await;
    assert_eq!(bench.stop().await.bad_checksums, 0);
}

#[tokio::test]
async fn with_a_wrong_key_an_encrypted_frame_is_not_answered() {
    let mut bench = Bench::with(with_key(&"31".repeat(16)), Arc::new(AllowAll)).await;
    let mut device = bench.device().await;
    send(&mut device, &encrypted()).await;
    assert!(bench.take(1).await[0].ack.is_none());
    assert_eq!(bench.stop().await.bad_checksums, 1);
}

#[tokio::test]
async fn a_packet_of_the_next_transmission_gets_no_time_of_the_one_before() {
    let mut bench = Bench::start().await;
    let mut device = bench.device().await;
    let packet = |qn: &str, number: u8, data: &str| {
        let text =
            format!("QN={qn};ST=22;CN=2051;PW=1;MN=M1;Flag=6;PNUM=2;PNO={number};CP=&&{data}&&");
        encode(&text, CrcKind::Standard)
    };
    let first = packet("20261123163001001", 1, "DataTime=20261123163000;a34004-Avg=1");
    let second = packet("20261123163001002", 2, "a34002-Avg=2");
    let lost = packet("20261123163101002", 2, "a34002-Avg=3");
    send(&mut device, &[&first[..], &second, &lost].concat()).await;
    let messages = bench.take(3).await;
    assert_eq!(&messages[1].payload[..], [&first[..], &second].concat());
    assert_eq!(&messages[2].payload[..], lost);
}
