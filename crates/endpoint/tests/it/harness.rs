//! A pipeline turned by hand, and a client that speaks bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use city_endpoint::{Access, AllowAll, Doorway, Endpoint, EndpointConfig, Route};
use city_model::{ManualClock, Timestamp};
use city_pipeline::{Limits, RawMessage, Received, SourceKey, intake};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come. Never waited for when all is well.
const PATIENCE: Duration = Duration::from_secs(20);
/// When everything is received, by the test's clock.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// An endpoint without a listener, or behind one, and the pipeline's end of its intake.
pub(crate) struct Bench {
    pub(crate) doorway: Doorway,
    pub(crate) received: Received,
    pub(crate) clock: Arc<ManualClock>,
    addresses: Vec<(String, SocketAddr)>,
    pub(crate) shutdown: CancellationToken,
    running: Option<JoinHandle<()>>,
}

pub(crate) fn route() -> Route {
    Arc::new(|topic, _| topic.starts_with("city/").then_some(SourceKey(3)))
}

impl Bench {
    /// Listens on a free port.
    pub(crate) async fn listen(config: EndpointConfig) -> Self {
        Self::listen_guarded(config, Arc::new(AllowAll)).await
    }

    pub(crate) async fn listen_guarded(config: EndpointConfig, access: Arc<dyn Access>) -> Self {
        let (intake, received) = intake(Limits::default());
        let config = EndpointConfig { listen: ([127, 0, 0, 1], 0).into(), ..config };
        let clock = Arc::new(ManualClock::new(NOW));
        let endpoint = Endpoint::bind(config, intake, route(), access, clock.clone())
            .await
            .expect("a free port");
        let shutdown = CancellationToken::new();
        Self {
            doorway: endpoint.doorway(),
            received,
            clock,
            addresses: endpoint.addresses().expect("bound"),
            shutdown: shutdown.clone(),
            running: Some(tokio::spawn(endpoint.run(shutdown))),
        }
    }

    /// In memory, for tests that turn the time.
    pub(crate) fn in_memory(config: EndpointConfig, limits: Limits) -> Self {
        Self::guarded(config, limits, Arc::new(AllowAll))
    }

    pub(crate) fn guarded(config: EndpointConfig, limits: Limits, access: Arc<dyn Access>) -> Self {
        let (intake, received) = intake(limits);
        let clock = Arc::new(ManualClock::new(NOW));
        let doorway = Doorway::new(config, intake, route(), access, clock.clone())
            .expect("a good configuration");
        let shutdown = CancellationToken::new();
        Self { doorway, received, clock, addresses: Vec::new(), shutdown, running: None }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address("mqtt").port()
    }

    /// Where the first listener of a scheme listens.
    pub(crate) fn address(&self, scheme: &str) -> SocketAddr {
        let mut addresses = self.addresses.iter();
        let of = |(name, _): &&(String, SocketAddr)| name.split(':').next() == Some(scheme);
        addresses.find(of).expect("such a listener").1
    }

    pub(crate) async fn tcp(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.address("mqtt")).await.expect("listening");
        Client { stream }
    }

    /// A client with this many bytes on the wire at most, each way.
    pub(crate) fn wire(&self, bytes: usize) -> Client<DuplexStream> {
        let (ours, theirs) = duplex(bytes);
        self.doorway.accept(theirs);
        Client { stream: ours }
    }

    /// The next `count` messages, which is where the endpoint has to stop.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<RawMessage> {
        let mut messages = Vec::new();
        while messages.len() < count {
            messages.extend(self.batch().await);
        }
        assert_eq!(messages.len(), count, "more came than expected");
        messages
    }

    pub(crate) async fn batch(&mut self) -> Vec<RawMessage> {
        let next = tokio::time::timeout(PATIENCE, self.received.next());
        next.await.expect("messages must come").expect("the endpoint is there").into_messages()
    }

    pub(crate) async fn stopped(&mut self) {
        let running = self.running.take().expect("listening");
        tokio::time::timeout(PATIENCE, running).await.expect("must stop").expect("no panic");
    }
}

pub(crate) fn commit(message: RawMessage) {
    message.ack.expect("QoS 1 or 2").committed();
}

/// A client that speaks bytes.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the endpoint reads");
    }

    /// Reads exactly these bytes.
    pub(crate) async fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        let reading = tokio::time::timeout(PATIENCE, self.stream.read_exact(&mut read));
        reading.await.expect("an answer must come").expect("the connection is open");
        assert_eq!(read, bytes, "{read:02x?} instead of {bytes:02x?}");
    }

    /// The next packet: its first byte and its body.
    pub(crate) async fn packet(&mut self) -> (u8, Vec<u8>) {
        let reading = async {
            let first = self.stream.read_u8().await.expect("a packet");
            let (mut length, mut place) = (0_usize, 0);
            loop {
                let byte = self.stream.read_u8().await.expect("a length");
                length |= usize::from(byte & 0x7f) << place;
                place += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.expect("a body");
            (first, body)
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("a packet must come")
    }

    /// Nothing was sent to us before the answer to this ping.
    pub(crate) async fn nothing_came(&mut self) {
        self.send(&[0xc0, 0]).await;
        self.expect(&[0xd0, 0]).await;
    }

    /// The server says why it hangs up (MQTT 5), and does.
    pub(crate) async fn expect_disconnect(&mut self, reason: u8) {
        let (first, body) = self.packet().await;
        assert_eq!((first, body[0]), (0xe0, reason), "{}", String::from_utf8_lossy(&body));
        self.expect_end().await;
    }

    pub(crate) async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        let reading = tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut rest));
        // A reset is an end too.
        let _reset = reading.await.expect("the connection must end");
        assert!(rest.is_empty(), "{rest:02x?} came before the end");
    }

    /// Shakes hands as MQTT 3.1.1 with a clean session.
    pub(crate) async fn connect_v3(&mut self, id: &str) {
        self.send(&connect_v3(id, 0b10, 60)).await;
        self.expect(&[0x20, 2, 0, 0]).await;
    }

    /// Shakes hands as MQTT 5 with a lasting session; returns whether there was one.
    pub(crate) async fn connect_v5(&mut self, id: &str) -> bool {
        self.send(&connect_v5(id, 0, 60, 1000)).await;
        let (first, body) = self.packet().await;
        assert_eq!((first, body[1]), (0x20, 0), "refused: {body:02x?}");
        body[0] == 1
    }
}

/// A packet with this first byte.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}

pub(crate) fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

pub(crate) fn connect_v3(id: &str, flags: u8, keep_alive: u16) -> Vec<u8> {
    let head = [b"\0\x04MQTT\x04", &[flags][..], &keep_alive.to_be_bytes()].concat();
    packet(0x10, &[head, string(id)].concat())
}

pub(crate) fn connect_v5(id: &str, flags: u8, keep_alive: u16, expiry: u32) -> Vec<u8> {
    let properties = [&[5, 0x11][..], &expiry.to_be_bytes()].concat();
    let head = [b"\0\x04MQTT\x05", &[flags][..], &keep_alive.to_be_bytes()].concat();
    packet(0x10, &[head, properties, string(id)].concat())
}

/// CONNECT with a will, in MQTT 5, with a delay in seconds.
pub(crate) fn connect_with_will(id: &str, topic: &str, delay: u32) -> Vec<u8> {
    let mut connect = connect_v5(id, 0b100, 10, 1000);
    connect.drain(..2);
    let will = [&[5, 0x18][..], &delay.to_be_bytes(), &string(topic), &string("gone")].concat();
    packet(0x10, &[connect, will].concat())
}

pub(crate) fn publish_v3(qos: u8, id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let id = if qos > 0 { id.to_be_bytes().to_vec() } else { Vec::new() };
    packet(0x30 | qos << 1, &[string(topic), id, payload.to_vec()].concat())
}

pub(crate) fn publish_v5(qos: u8, id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let id = if qos > 0 { id.to_be_bytes().to_vec() } else { Vec::new() };
    packet(0x30 | qos << 1, &[string(topic), id, vec![0], payload.to_vec()].concat())
}

/// The same, sent again.
pub(crate) fn again(mut publish: Vec<u8>) -> Vec<u8> {
    publish[0] |= 8;
    publish
}

pub(crate) fn puback(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}
