//! TLS with a real Mosquitto, on a listener beside the plain one.

use city_collect::{BrokerConfig, MqttVersion, TlsConfig};

use crate::certificates::Authority;
use crate::harness::{Bench, VERSIONS, commit, config, texts};
use crate::mosquitto::{Mosquitto, free_port};

/// A broker whose second listener has a certificate for `broker`, and its port.
fn broker(authority: &Authority, more: &str) -> (Mosquitto, u16) {
    let (certificate, key) = authority.issue("broker");
    let port = free_port();
    let listener = format!(
        "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nallow_anonymous true\n{more}",
        authority.ca().display(),
        certificate.display(),
        key.display()
    );
    (Mosquitto::start_with("", &listener), port)
}

fn secured(port: u16, version: MqttVersion, tls: TlsConfig) -> BrokerConfig {
    BrokerConfig { tls: Some(tls), ..config(port, version) }
}

fn trusting(authority: &Authority) -> TlsConfig {
    TlsConfig {
        ca_file: Some(authority.ca()),
        server_name: Some("broker".to_owned()),
        ..TlsConfig::default()
    }
}

/// Waits for the error of the first attempt.
async fn refused(config: BrokerConfig) -> String {
    let mut bench = Bench::start(config);
    let status = bench.until(|status| status.last_error.is_some()).await;
    bench.stop().await;
    status.last_error.expect("waited for").1
}

#[tokio::test]
async fn messages_come_over_tls() {
    let authority = Authority::new();
    let (broker, port) = broker(&authority, "");
    for version in VERSIONS {
        let mut bench = Bench::start(secured(port, version, trusting(&authority)));
        bench.subscribed(1).await;
        let large = "x".repeat(100_000);
        broker.publish(&["small".to_owned(), large.clone()]).await;
        let messages = bench.take(2).await;
        assert_eq!(texts(&messages), ["small".to_owned(), large]);
        messages.into_iter().for_each(commit);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_is_not_whom_we_trust_is_refused_and_says_what_to_look_at() {
    let authority = Authority::new();
    let (_broker, port) = broker(&authority, "");
    for version in VERSIONS {
        let stranger = Authority::new();
        let error = refused(secured(port, version, trusting(&stranger))).await;
        assert!(
            error.contains("invalid peer certificate") && error.contains("tls.ca_file"),
            "{error}"
        );
        // The certificate is for `broker`, not for the address that we connect to.
        let tls = TlsConfig { server_name: None, ..trusting(&authority) };
        let error = refused(secured(port, version, tls)).await;
        assert!(
            error.contains("not valid for name") && error.contains("tls.server_name"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tls_with_a_port_that_speaks_none_fails_clearly() {
    let authority = Authority::new();
    let (broker, _port) = broker(&authority, "");
    for version in VERSIONS {
        let error = refused(secured(broker.port, version, trusting(&authority))).await;
        assert!(error.contains("TLS with 127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_ours_lets_us_in_and_names_us() {
    let authority = Authority::new();
    let rights = authority.folder().join("acl");
    std::fs::write(&rights, "user citybrain\ntopic read city/#\n").expect("written");
    let (broker, port) = broker(
        &authority,
        &format!(
            "require_certificate true\nuse_identity_as_username true\nacl_file {}\n",
            rights.display()
        ),
    );
    let (certificate, key) = authority.issue("citybrain");
    let (other, other_key) = authority.issue("somebody");
    for version in VERSIONS {
        let ours = |certificate: &std::path::Path, key: &std::path::Path| TlsConfig {
            cert_file: Some(certificate.to_owned()),
            key_file: Some(key.to_owned()),
            ..trusting(&authority)
        };
        let mut bench = Bench::start(secured(port, version, ours(&certificate, &key)));
        bench.subscribed(1).await;
        broker.publish(&["mutual".to_owned()]).await;
        let message = bench.take(1).await.remove(0);
        assert_eq!(&message.payload[..], b"mutual");
        commit(message);
        bench.stop().await;

        let without = refused(secured(port, version, trusting(&authority))).await;
        assert!(!without.is_empty());
        // Somebody else with a good certificate comes in, but has no rights: nothing is delivered.
        let named = BrokerConfig {
            client_id: "somebody".to_owned(),
            ..secured(port, version, ours(&other, &other_key))
        };
        let mut bench = Bench::start(named);
        bench.until(|status| status.connects == 1).await;
        broker.publish(&["secret".to_owned()]).await;
        assert_eq!(bench.stats.snapshot().received, 0);
        bench.stop().await;
        // What was published meanwhile waited for us alone.
        let mut bench = Bench::start(secured(port, version, ours(&certificate, &key)));
        let message = bench.take(1).await.remove(0);
        assert_eq!(&message.payload[..], b"secret");
        commit(message);
        bench.stop().await;
    }
}
