//! TLS: certificates of both sides, their reload, deadlines.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use city_endpoint::{
    Access, ClientAuth, Denied, Endpoint, EndpointConfig, Filters, Grant, Knock, ListenerConfig,
    Stay, TlsConfig,
};
use city_model::Span;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::harness::{Bench, Client, connect_v5};

/// An authority, and the files of a listener that it has signed for.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, as PEM.
pub(crate) struct Identity {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::new(Vec::new()).expect("good");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Test Authority");
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate");
        fs::write(folder.path().join("ca.pem"), cert.pem()).expect("written");
        let authority = Self { folder, issuer: Issuer::new(params, key) };
        authority.renew(&["localhost"]);
        authority
    }

    /// A certificate for these DNS names with this common name.
    pub(crate) fn sign(&self, names: &[&str], common_name: &str) -> Identity {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("good names");
        params.distinguished_name.push(DnType::CommonName, common_name);
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("signed");
        Identity { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// Writes a new certificate for the listener.
    fn renew(&self, names: &[&str]) {
        let identity = self.sign(names, "server");
        fs::write(self.path("cert.pem"), identity.cert).expect("written");
        fs::write(self.path("key.pem"), identity.key).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self, client_auth: ClientAuth) -> TlsConfig {
        TlsConfig {
            cert: self.path("cert.pem"),
            key: self.path("key.pem"),
            client_ca: Some(self.path("ca.pem")),
            client_crl: None,
            client_auth,
        }
    }

    /// What a client believes and shows.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> tokio_rustls::TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(self.path("ca.pem")).expect("the authority");
        roots.add(ca).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let cert = CertificateDer::from_pem_slice(identity.cert.as_bytes()).expect("PEM");
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
                builder.with_client_auth_cert(vec![cert], key).expect("an identity")
            }
        };
        Arc::new(config).into()
    }
}

fn encrypted(tls: TlsConfig) -> EndpointConfig {
    let listener = ListenerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: Some(tls),
        websocket: false,
        origins: Vec::new(),
    };
    EndpointConfig { listeners: vec![listener], ..EndpointConfig::default() }
}

async fn connect(
    bench: &Bench,
    connector: &tokio_rustls::TlsConnector,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let stream = TcpStream::connect(bench.address("mqtts")).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    Ok(Client { stream: connector.connect(name, stream).await? })
}

/// Lets in whom a certificate names, and says what it saw.
#[derive(Default)]
struct ByCertificate {
    seen: Mutex<Vec<String>>,
}

impl Access for ByCertificate {
    fn admit(&self, knock: &Knock<'_>) -> Result<Grant, Denied> {
        let certificate = knock.certificate.ok_or(Denied::BadCredentials)?;
        let names: Vec<&str> = certificate.names().collect();
        let scheme = knock.listener.split(':').next().unwrap_or_default();
        self.seen.lock().expect("no panic").push(format!(
            "{scheme} {} {} {}",
            names.join(","),
            certificate.fingerprint.len(),
            knock.peer.is_some_and(|peer| peer.is_loopback()),
        ));
        Ok(Grant {
            name: names.first().copied().unwrap_or_default().into(),
            publish: Filters::every().into(),
            commands: Filters::none(),
            rates: None,
            stay: Stay::default(),
        })
    }
}

#[tokio::test]
async fn a_client_speaks_mqtt_over_tls_while_others_do_without() {
    let authority = Authority::new();
    let mut bench = Bench::listen(encrypted(authority.config(ClientAuth::None))).await;
    let mut client = connect(&bench, &authority.client(None)).await.expect("good");
    client.connect_v5("d1").await;
    client.send(&crate::harness::publish_v5(1, 1, "city/a", &vec![b'x'; 50_000])).await;
    let message = bench.take(1).await.remove(0);
    assert_eq!((message.payload.len(), message.client.as_deref()), (50_000, Some("d1")));
    crate::harness::commit(message);
    client.expect(&crate::harness::puback(1)).await;
    let mut plain = bench.tcp().await;
    plain.connect_v3("d2").await;
    plain.nothing_came().await;
    // Plain MQTT at the TLS listener is refused without a word.
    let mut confused = TcpStream::connect(bench.address("mqtts")).await.expect("listening");
    confused.write_all(&connect_v5("x", 2, 60, 0)).await.expect("sent");
    bench.shutdown.cancel();
    client.expect_disconnect(0x8b).await;
    bench.stopped().await;
}

#[tokio::test]
async fn the_certificate_says_who_the_client_is() {
    let authority = Authority::new();
    let access = Arc::new(ByCertificate::default());
    let config = encrypted(authority.config(ClientAuth::Optional));
    let mut bench = Bench::listen_guarded(config, access.clone()).await;
    let identity = authority.sign(&["d7.city.example"], "d7");
    let mut client = connect(&bench, &authority.client(Some(&identity))).await.expect("good");
    client.connect_v5("whatever").await;
    client.send(&crate::harness::publish_v5(0, 0, "city/a", b"x")).await;
    assert_eq!(bench.take(1).await[0].client.as_deref(), Some("d7"));
    assert_eq!(*access.seen.lock().expect("no panic"), ["mqtts d7,d7.city.example 64 true"]);
    let mut nobody = connect(&bench, &authority.client(None)).await.expect("not required");
    nobody.send(&connect_v5("d7", 2, 60, 0)).await;
    assert_eq!(nobody.packet().await.1[1], 0x86);
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_none_where_one_is_required_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let config = encrypted(authority.config(ClientAuth::Required));
    let bench = Bench::listen(config).await;
    let good = authority.sign(&[], "d1");
    let mut client = connect(&bench, &authority.client(Some(&good))).await.expect("good");
    client.connect_v5("d1").await;
    let strange = other.sign(&[], "d1");
    for identity in [None, Some(&strange)] {
        // With TLS 1.3 the client learns of it when it reads.
        if let Ok(mut client) = connect(&bench, &authority.client(identity)).await {
            let _refused = client.stream.write_all(&connect_v5("d1", 2, 60, 0)).await;
            client.expect_end().await;
        }
    }
    client.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_certificate_is_used_for_new_connections_and_the_old_ones_stay() {
    let authority = Authority::new();
    let bench = Bench::listen(encrypted(authority.config(ClientAuth::None))).await;
    let connector = authority.client(None);
    let mut client = connect(&bench, &connector).await.expect("good");
    client.connect_v5("d1").await;
    let shown = |client: &Client<TlsStream<TcpStream>>| {
        let certificates = client.stream.get_ref().1.peer_certificates().expect("shown");
        certificates[0].as_ref().to_vec()
    };
    let before = shown(&client);
    touch(&authority.path("cert.pem"), "not a certificate");
    tokio::time::sleep(Duration::from_secs(21)).await;
    let mut still = connect(&bench, &authority.client(None)).await.expect("the old one");
    assert_eq!(shown(&still), before, "what cannot be used is not");
    still.connect_v5("d3").await;
    authority.renew(&["localhost", "mqtt.city.example"]);
    let changed = async {
        loop {
            tokio::time::sleep(Duration::from_secs(11)).await;
            let new = connect(&bench, &authority.client(None)).await.expect("good");
            if shown(&new) != before {
                break new;
            }
        }
    };
    let mut new = changed.await;
    new.connect_v5("d2").await;
    client.nothing_came().await;
}

/// Writes a file so that it looks changed, whatever the clock's resolution.
fn touch(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    let file = fs::File::options().write(true).open(path).expect("there");
    file.set_modified(SystemTime::now() + Duration::from_secs(10)).expect("touched");
}

#[tokio::test]
async fn who_does_not_finish_the_tls_handshake_is_hung_up_on() {
    let authority = Authority::new();
    let config = EndpointConfig {
        connect_deadline: Span::from_millis(50),
        ..encrypted(authority.config(ClientAuth::None))
    };
    let bench = Bench::listen(config).await;
    let stream = TcpStream::connect(bench.address("mqtts")).await.expect("listening");
    Client { stream }.expect_end().await;
    assert_eq!(bench.doorway.stats().snapshot().refused_connections, 1);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let good = authority.config(ClientAuth::Required);
    good.check().expect("good");
    let stranger = authority.sign(&["localhost"], "server");
    fs::write(authority.path("other.pem"), stranger.key).expect("written");
    fs::write(authority.path("empty.pem"), "").expect("written");
    for (config, named) in [
        (TlsConfig { cert: authority.path("none.pem"), ..good.clone() }, "none.pem"),
        (TlsConfig { cert: authority.path("empty.pem"), ..good.clone() }, "no certificate"),
        (TlsConfig { key: authority.path("cert.pem"), ..good.clone() }, "cert.pem"),
        (TlsConfig { key: authority.path("other.pem"), ..good.clone() }, "other.pem"),
        (TlsConfig { client_ca: None, ..good.clone() }, "client_ca"),
        (TlsConfig { client_crl: Some(authority.path("no.crl")), ..good.clone() }, "no.crl"),
    ] {
        let error = config.check().expect_err("bad").to_string();
        assert!(error.contains(named), "{error}");
        let (intake, _received) = city_pipeline::intake(city_pipeline::Limits::default());
        let bound = Endpoint::bind(
            EndpointConfig { listen: ([127, 0, 0, 1], 0).into(), ..encrypted(config) },
            intake,
            crate::harness::route(),
            Arc::new(city_endpoint::AllowAll),
            Arc::new(city_model::ManualClock::default()),
        );
        let error = bound.await.err().expect("refused").to_string();
        assert!(error.contains(named), "{error}");
    }
}
