//! TLS of listeners: the server's certificate, the authorities of client certificates, their reload.
//! And how connections to others judge certificates ([`Judging`]).
//!
//! [`Tls::acceptor`] shakes hands with what was read last; connections keep the certificates with
//! which they began, so that a reload ends none of them.

mod client;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer as _, X509Certificate};

pub use client::{Judging, Shown};

/// TLS of a listener. All files are PEM, and are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The server's certificate, then those between it and its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose client certificates are believed.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Client certificates that are believed no longer.
    #[serde(default)]
    pub client_crl: Option<PathBuf>,
    /// Whether clients show a certificate.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// Whether clients show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// They are not asked for one.
    #[default]
    None,
    /// They may; one that is not believed ends the connection.
    Optional,
    /// They must.
    Required,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not what it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Client certificates are wanted without an authority to believe.
    #[error("client_auth needs client_ca: the certificates of the authorities to believe")]
    NoAuthority,
    /// The certificate and the key cannot be used together.
    #[error("{} and {} cannot be used: {source}", cert.display(), key.display())]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// The TLS side of a listener. Connections keep the certificates with which they began.
#[derive(Debug)]
pub struct Tls {
    config: TlsConfig,
    /// What is spoken inside, the best first, for ALPN (RFC 7301).
    protocols: &'static [&'static [u8]],
    loaded: ArcSwap<Loaded>,
    stamps: Mutex<Vec<Stamp>>,
}

/// What was read from the files.
#[derive(Debug)]
struct Loaded {
    server: Arc<ServerConfig>,
    expires_at_s: Option<i64>,
}

/// Enough of a file to see that it has changed.
type Stamp = Option<(SystemTime, u64)>;

impl Tls {
    /// Reads the files. `protocols` are those that are spoken inside, the best first, by their names
    /// for ALPN; none if clients need not agree on one.
    pub fn open(config: TlsConfig, protocols: &'static [&'static [u8]]) -> Result<Self, TlsError> {
        let stamps = config.stamps();
        let loaded = ArcSwap::from_pointee(config.load(protocols)?);
        Ok(Self { config, protocols, loaded, stamps: Mutex::new(stamps) })
    }

    /// Shakes hands with new clients.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.loaded.load().server.clone().into()
    }

    /// When the server's certificate ends, in seconds since 1970-01-01T00:00:00Z; `None` if it does
    /// not say.
    pub fn expires_at_s(&self) -> Option<i64> {
        self.loaded.load().expires_at_s
    }

    /// Reads the files again if one of them has changed. Until they are good again, those that
    /// were good last are used. Says whether they were read.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let stamps = self.config.stamps();
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == stamps {
            return Ok(false);
        }
        *known = stamps;
        self.loaded.store(Arc::new(self.config.load(self.protocols)?));
        Ok(true)
    }

    /// The same whether or not one has changed.
    pub fn read_again(&self) -> Result<(), TlsError> {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.reload().map(|_| ())
    }
}

impl TlsConfig {
    /// Whether the files can be used, without listening.
    pub fn check(&self) -> Result<(), TlsError> {
        self.load(&[]).map(|_| ())
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref(), self.client_crl.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }

    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path)?;
            io::Result::Ok((metadata.modified()?, metadata.len()))
        };
        self.files().map(|path| stamp(path).ok()).collect()
    }

    fn load(&self, protocols: &[&[u8]]) -> Result<Loaded, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certs = certificates(&self.cert)?;
        let expires_at_s = certs.first().and_then(expiry);
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|problem| bad_file(&self.key, problem))?;
        let unusable =
            |source| TlsError::Unusable { cert: self.cert.clone(), key: self.key.clone(), source };
        let verifier = self.verifier(&provider)?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certs, key)
            .map_err(unusable)?;
        server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Loaded { server: Arc::new(server), expires_at_s })
    }

    fn verifier(
        &self,
        provider: &Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        if self.client_auth == ClientAuth::None {
            return Ok(WebPkiClientVerifier::no_client_auth());
        }
        let path = self.client_ca.as_deref().ok_or(TlsError::NoAuthority)?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|problem| bad_file(path, problem))?;
        }
        let mut builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        if let Some(path) = &self.client_crl {
            builder = builder
                .with_crls(revocations(path)?)
                .only_check_end_entity_revocation()
                .allow_unknown_revocation_status();
        }
        if self.client_auth == ClientAuth::Optional {
            builder = builder.allow_unauthenticated();
        }
        builder.build().map_err(|problem| bad_file(path, problem))
    }
}

/// When a certificate ends (RFC 5280, section 4.1.2.5), in seconds since 1970.
fn expiry(certificate: &CertificateDer<'static>) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let list = read.map_err(|problem| bad_file(path, problem))?;
    if list.is_empty() {
        return Err(bad_file(path, "it holds no certificate"));
    }
    Ok(list)
}

fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    CertificateRevocationListDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|problem| bad_file(path, problem))
}

fn bad_file(path: &Path, problem: impl fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), problem: format!("{problem}") }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// A pair of files whose certificate ends with this year.
    fn write(folder: &Path, year: i32) -> TlsConfig {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("good");
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate");
        let config = TlsConfig {
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
            client_ca: None,
            client_crl: None,
            client_auth: ClientAuth::None,
        };
        fs::write(&config.cert, cert.pem()).expect("written");
        fs::write(&config.key, key.serialize_pem()).expect("written");
        config
    }

    #[test]
    fn a_broken_pair_leaves_the_old_one_in_use_until_it_is_mended() {
        const END_OF_2030: i64 = 1_924_905_600;
        const END_OF_2031: i64 = 1_956_441_600;
        let folder = tempfile::tempdir().expect("a folder");
        let config = write(folder.path(), 2030);
        let tls = Tls::open(config.clone(), &[b"h2"]).expect("good files");
        assert_eq!(tls.expires_at_s(), Some(END_OF_2030));
        assert_eq!(tls.acceptor().config().alpn_protocols, [b"h2".to_vec()]);
        assert!(!tls.reload().expect("nothing to read"));

        fs::write(&config.cert, "half of a certificate").expect("written");
        let error = tls.reload().expect_err("broken").to_string();
        assert!(error.contains("cert.pem"), "{error}");
        assert_eq!(tls.expires_at_s(), Some(END_OF_2030));
        assert!(!tls.reload().expect("it is as it was, and was told"));
        tls.read_again().expect_err("still broken, and somebody asked");

        write(folder.path(), 2031);
        assert!(tls.reload().expect("good again"));
        assert_eq!(tls.expires_at_s(), Some(END_OF_2031));
    }
}
