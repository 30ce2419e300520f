//! The certificates of others: whether they are believed, and until when they are valid.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use city_tls::Judging;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::certificates::Said;

/// How long a connection and a handshake may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What somebody's certificate says, and why it is not believed.
pub(super) struct Shown {
    pub(super) said: Option<Said>,
    pub(super) refused: Option<String>,
}

/// Connects and shakes hands; `name` is what the certificate must be for.
pub(super) async fn look(
    (host, port): (&str, u16),
    name: &str,
    ca_pem: Option<&[u8]>,
) -> Result<Shown, String> {
    let seen = Arc::<Mutex<Option<Seen>>>::default();
    let config = builder()?
        // Dangerous is only what a verifier leaves out; this one asks another for everything.
        .dangerous()
        .with_custom_certificate_verifier(looking(verifier(ca_pem)?, seen.clone()))
        .with_no_client_auth();
    let server = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let shake = async {
        let tcp = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
        TlsConnector::from(Arc::new(config)).connect(server, tcp).await.map_err(|e| e.to_string())
    };
    let shaken = tokio::time::timeout(PATIENCE, shake).await;
    let shaken = shaken.unwrap_or_else(|_| Err("it does not answer in time".to_owned()));
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (shaken, seen) {
        // The handshake may fail later because it wants a certificate of ours.
        (_, Some(Seen { said, refused })) => Ok(Shown { said, refused }),
        (Err(error), None) => Err(error),
        (Ok(_), None) => Ok(Shown { said: None, refused: None }),
    }
}

/// Trusts the authorities of a file, or those that this machine trusts.
pub(super) fn client_config(ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, String> {
    let roots = authorities(ca_pem);
    Ok(Arc::new(builder()?.with_root_certificates(roots).with_no_client_auth()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

fn authorities(ca_pem: Option<&[u8]>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = match ca_pem {
        Some(pem) => CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect(),
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(found);
    roots
}

fn verifier(ca_pem: Option<&[u8]>) -> Result<Arc<WebPkiServerVerifier>, String> {
    let roots = authorities(ca_pem);
    if roots.is_empty() {
        return Err(
            "no authority is trusted; install ca-certificates, or name a ca_file".to_owned()
        );
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| error.to_string())
}

/// What was seen of a certificate.
#[derive(Debug)]
struct Seen {
    said: Option<Said>,
    refused: Option<String>,
}

/// Takes down what is shown, and leaves the judgement to a verifier.
fn looking(
    verifier: Arc<WebPkiServerVerifier>,
    seen: Arc<Mutex<Option<Seen>>>,
) -> Arc<dyn ServerCertVerifier> {
    Arc::new(Judging::new(verifier, move |verifier, shown: &city_tls::Shown<'_>| {
        let judged = shown.judged_by(verifier, shown.connected_to);
        let refused = judged.as_ref().err().map(ToString::to_string);
        let said = Said::of(shown.certificate).ok();
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { said, refused });
        judged
    }))
}
