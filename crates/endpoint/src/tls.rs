//! TLS: the listener's certificate, the authorities of client certificates, and their reload.

use std::fmt::{self, Write as _};
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
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::access::CertificateIdentity;

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
pub(crate) struct Tls {
    config: TlsConfig,
    server: ArcSwap<ServerConfig>,
    stamps: Mutex<Vec<Stamp>>,
}

/// Enough of a file to see that it has changed.
type Stamp = Option<(SystemTime, u64)>;

impl Tls {
    /// Reads the files.
    pub(crate) fn open(config: TlsConfig) -> Result<Self, TlsError> {
        let stamps = config.stamps();
        let server = config.load()?;
        Ok(Self { config, server: ArcSwap::from(server), stamps: Mutex::new(stamps) })
    }

    /// Shakes hands with new clients.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.server.load_full().into()
    }

    /// Reads the files again if one of them has changed. Until they are good again, those that
    /// were good last are used. Says whether they were read.
    pub(crate) fn reload(&self) -> Result<bool, TlsError> {
        let stamps = self.config.stamps();
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == stamps {
            return Ok(false);
        }
        *known = stamps;
        self.server.store(self.config.load()?);
        Ok(true)
    }
}

impl TlsConfig {
    /// Whether the files can be used, without listening.
    pub fn check(&self) -> Result<(), TlsError> {
        self.load().map(|_| ())
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

    fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certs = certificates(&self.cert)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|problem| bad_file(&self.key, problem))?;
        let unusable =
            |source| TlsError::Unusable { cert: self.cert.clone(), key: self.key.clone(), source };
        let verifier = self.verifier(&provider)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certs, key)
            .map_err(unusable)?;
        Ok(Arc::new(config))
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

/// Whom a client's certificate names.
pub(crate) fn identity(certificate: &CertificateDer<'_>) -> Option<CertificateIdentity> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let common_name = parsed.subject().iter_common_name().next();
    let common_name = common_name.and_then(|name| name.as_str().ok()).map(str::to_owned);
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let alternatives = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    let alternative_names = alternatives
        .filter_map(|name| match name {
            GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
                Some((*name).to_owned())
            }
            _ => None,
        })
        .collect();
    let digest = Sha256::digest(certificate.as_ref());
    let mut fingerprint = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(fingerprint, "{byte:02x}");
    }
    Some(CertificateIdentity { common_name, alternative_names, fingerprint })
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
