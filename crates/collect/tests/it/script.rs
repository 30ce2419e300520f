//! A broker that does exactly what a test says, byte by byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::PATIENCE;

/// Listens, and does nothing by itself.
pub(crate) struct Script {
    listener: TcpListener,
    pub(crate) port: u16,
}

/// A connection of the collector.
pub(crate) struct Peer {
    stream: TcpStream,
}

pub(crate) const CONNECT: u8 = 0x10;
pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const SUBSCRIBE: u8 = 0x82;
pub(crate) const PINGREQ: u8 = 0xc0;
pub(crate) const DISCONNECT: u8 = 0xe0;

impl Script {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        Self { listener, port }
    }

    pub(crate) async fn accept(&self) -> Peer {
        let accepting = tokio::time::timeout(PATIENCE, self.listener.accept());
        let (stream, _) = accepting.await.expect("the collector comes").expect("a connection");
        Peer { stream }
    }

    /// Shakes hands and grants the one subscription.
    pub(crate) async fn welcome(&self, v5: bool) -> Peer {
        let mut peer = self.accept().await;
        peer.expect(CONNECT).await;
        peer.send(if v5 { &[0x20, 3, 1, 0, 0] } else { &[0x20, 2, 1, 0] }).await;
        let subscribe = peer.expect(SUBSCRIBE).await;
        let [high, low] = [subscribe[0], subscribe[1]];
        let suback = if v5 { vec![0x90, 4, high, low, 0, 1] } else { vec![0x90, 3, high, low, 1] };
        peer.send(&suback).await;
        peer
    }
}

impl Peer {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the collector is there");
    }

    /// A PUBLISH to `city/a`; QoS 0 if the id is 0, else 1.
    pub(crate) async fn publish(&mut self, v5: bool, id: u16, payload: &[u8]) {
        let mut body = b"\0\x06city/a".to_vec();
        if id > 0 {
            body.extend(id.to_be_bytes());
        }
        if v5 {
            body.push(0);
        }
        body.extend(payload);
        let first = if id > 0 { 0x32 } else { 0x30 };
        let length = u8::try_from(body.len()).expect("short");
        assert!(length < 0x80, "short");
        self.send(&[&[first, length][..], &body].concat()).await;
    }

    /// The next packet, which must be of this type; its body.
    pub(crate) async fn expect(&mut self, first: u8) -> Vec<u8> {
        let (found, body) = self.packet().await.expect("the connection is open");
        assert_eq!(found, first, "{found:#x} {body:02x?}");
        body
    }

    pub(crate) async fn expect_puback(&mut self, id: u16) {
        assert_eq!(self.expect(PUBACK).await[..2], id.to_be_bytes());
    }

    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.packet().await, None);
    }

    /// The next packet; `None` at the end.
    pub(crate) async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let reading = async {
            let first = self.stream.read_u8().await.ok()?;
            let length = self.stream.read_u8().await.ok()?;
            assert!(length < 0x80, "longer than the tests expect");
            let mut body = vec![0; length.into()];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((first, body))
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("a packet must come")
    }
}
