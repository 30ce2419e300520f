//! What a connection may cost: heads and bodies that drip, heads that are too large, idle ones, and
//! TLS with a certificate that changes.

use std::net::SocketAddr;
use std::sync::Arc;

use city_model::Span;
use city_tls::{ClientAuth, Tls, TlsConfig};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use super::fixture::City;
use crate::{Doors, Encryption, HttpLimits, PROTOCOLS, Role};

/// A server on free ports, until it is dropped.
struct Served {
    city: City,
    address: SocketAddr,
    shutdown: CancellationToken,
    _server: JoinHandle<()>,
}

impl Served {
    async fn new(limits: HttpLimits, change: impl FnOnce(&mut Doors)) -> Self {
        let city = City::limited(limits);
        let listener = listener().await;
        let address = listener.local_addr().expect("an address");
        let mut doors = Doors::from(listener);
        change(&mut doors);
        let shutdown = CancellationToken::new();
        let served = city.brain.clone().serve(doors, shutdown.clone());
        let server = tokio::spawn(async move { served.await.expect("no error") });
        Self { city, address, shutdown, _server: server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.city.token(Role::Engineer))
    }

    fn metric(&self, line: &str) -> bool {
        self.city.metrics_text().lines().any(|other| other == line)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

/// A second is the least that limits take.
fn impatient() -> HttpLimits {
    let second = Span::from_secs(1);
    HttpLimits { header: second, idle: second, body: second, ..City::limits() }
}

/// Sends a request on a connection and reads until the server ends it.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(mut connection: S, request: &str) -> String {
    connection.write_all(request.as_bytes()).await.expect("sent");
    rest(connection).await
}

async fn rest<S: AsyncRead + Unpin>(mut connection: S) -> String {
    let mut bytes = Vec::new();
    // A server that ends a connection while bytes of it are on their way resets it.
    let _reset = connection.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn idle_connections_and_heads_that_drip_are_ended_and_counted() {
    let served = Served::new(impatient(), |_| {}).await;
    let idle = rest(served.connect().await);
    let half = ask(served.connect().await, "GET /health/live HTTP/1.1\r\nHost: x\r\nX-Sl");
    assert_eq!(tokio::join!(idle, half), (String::new(), String::new()));
    for waited_for in ["idle", "header"] {
        let line =
            format!(r#"citybrain_http_connections_ended_total{{waited_for="{waited_for}"}} 1"#);
        assert!(served.metric(&line), "{line}: {}", served.city.metrics_text());
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_told_so() {
    let served = Served::new(impatient(), |_| {}).await;
    let request = format!(
        "POST /api/v1/silences HTTP/1.1\r\nHost: x\r\n{}Content-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        served.bearer()
    );
    let answer = ask(served.connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains(r#""code":"body_too_slow""#), "{answer}");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let served = Served::new(City::limits(), |_| {}).await;
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(64 << 10));
    let answer = ask(served.connect().await, &large).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200));
    let answer = ask(served.connect().await, &many).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_the_own_door_stays_open() {
    let own = listener().await;
    let own_address = own.local_addr().expect("an address");
    let limits = HttpLimits { connections: 16, ..City::limits() };
    let served = Served::new(limits, |doors| doors.own = Some(own)).await;
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(served.connect().await);
    }
    let answer = rest(served.connect().await).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("Retry-After: 10"), "{answer}");
    assert!(served.metric(r#"citybrain_http_connections_refused_total{full="all"} 1"#));
    let request = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let connection = TcpStream::connect(own_address).await.expect("connected");
    let answer = ask(connection, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A certificate for `localhost` in files, and who believes it.
struct Pair {
    folder: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let pair = Self { folder: tempfile::tempdir().expect("a folder") };
        pair.renew();
        pair
    }

    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let rcgen::CertifiedKey { cert, signing_key } = made.expect("a certificate");
        let config = self.config();
        std::fs::write(config.cert, cert.pem()).expect("written");
        std::fs::write(config.key, signing_key.serialize_pem()).expect("written");
    }

    fn config(&self) -> TlsConfig {
        TlsConfig {
            cert: self.folder.path().join("cert.pem"),
            key: self.folder.path().join("key.pem"),
            client_ca: None,
            client_crl: None,
            client_auth: ClientAuth::None,
        }
    }

    /// Shakes hands, believing the certificate that is in the files now.
    async fn shake(
        &self,
        stream: TcpStream,
        protocol: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(self.config().cert).expect("a certificate"))
            .expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

#[tokio::test]
async fn tls_is_spoken_and_survives_a_new_certificate() {
    let pair = Pair::new();
    let tls = Arc::new(Tls::open(pair.config(), PROTOCOLS).expect("good files"));
    let encryption = Encryption { tls: tls.clone(), hsts: Span::from_hours(24) };
    let served = Served::new(City::limits(), |doors| doors.tls = Some(encryption)).await;
    let request = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    let mut old = pair.shake(served.connect().await, b"http/1.1").await.expect("believed");
    old.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = vec![0; 12];
    old.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 200");

    pair.renew();
    pair.shake(served.connect().await, b"http/1.1").await.expect_err("not read yet");
    tls.read_again().expect("good files");
    let new = pair.shake(served.connect().await, b"http/1.1").await.expect("believed");
    let answer = ask(new, last).await.to_ascii_lowercase();
    assert!(answer.contains("strict-transport-security: max-age=86400\r\n"), "{answer}");
    let answer = ask(old, last).await;
    assert!(answer.contains("HTTP/1.1 200"), "the old connection goes on: {answer}");

    let h2 = pair.shake(served.connect().await, b"h2").await.expect("believed");
    assert_eq!(h2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // Who speaks plainly to it gets no answer, and costs nothing after it hung up.
    let answer = ask(served.connect().await, request).await;
    assert!(!answer.contains("HTTP"), "{answer}");
}

#[tokio::test]
async fn what_comes_in_plain_is_sent_to_the_address_with_tls() {
    let pair = Pair::new();
    let tls = Arc::new(Tls::open(pair.config(), PROTOCOLS).expect("good files"));
    let plain = listener().await;
    let from = plain.local_addr().expect("an address");
    let served = Served::new(City::limits(), |doors| {
        doors.tls = Some(Encryption { tls, hsts: Span::ZERO });
        doors.redirect = Some(plain);
    })
    .await;
    let request = "GET /map?zone=a HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n";
    let answer = ask(TcpStream::connect(from).await.expect("connected"), request).await;
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    let location = format!("location: https://localhost:{}/map?zone=a\r\n", served.address.port());
    assert!(answer.contains(&location), "{answer}");
}
