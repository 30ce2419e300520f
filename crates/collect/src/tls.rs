//! TLS to the broker: whom we trust, and who we are.
//!
//! The files are read at every connect, so that certificates are renewed without a restart. There
//! is no switch that turns the check of the broker's certificate off: whoever has a private
//! authority names its file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use city_tls::{Judging, Shown};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;

/// TLS to a broker. An empty table is TLS with the authorities that this machine trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The authorities that may vouch for the broker, as a PEM file; those that this machine
    /// trusts if missing.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Our certificate, followed by those between it and the authority, as a PEM file.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
    /// Our private key, as a PEM file without a passphrase.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// The name or address that the broker's certificate must be for; `host` if missing.
    #[serde(default)]
    pub server_name: Option<String>,
}

/// Why TLS cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("cannot read {key} {path}: {error}; it must be a PEM file that citybrain may read")]
    File {
        /// The setting that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: rustls::pki_types::pem::Error,
    },
    /// A file holds no certificate.
    #[error("{key} {path} holds no certificate; it must be a PEM file with one")]
    NoCertificate {
        /// The setting that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The machine trusts nobody.
    #[error("this machine has no trusted authorities ({why}); name the broker's in tls.ca_file")]
    NoAuthorities {
        /// What was found instead.
        why: String,
    },
    /// The certificate and the key do not go together, or cannot be used.
    #[error("tls.cert_file and tls.key_file cannot be used: {0}")]
    Identity(#[source] rustls::Error),
    /// The authorities cannot be used.
    #[error("tls.ca_file cannot be used: {0}")]
    Authorities(#[source] rustls::client::VerifierBuilderError),
    /// The library does not work with its own cryptography.
    #[error("TLS: {0}")]
    Library(#[source] rustls::Error),
    /// A name that no certificate can be for.
    #[error("tls.server_name `{0}` is neither a name nor an address")]
    ServerName(String),
}

impl TlsConfig {
    /// Everything that is wrong with it without looking into files.
    pub(crate) fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        if self.cert_file.is_some() != self.key_file.is_some() {
            let (key, there) = match &self.key_file {
                None => ("tls.key_file", &self.cert_file),
                Some(_) => ("tls.cert_file", &self.key_file),
            };
            let there = there.as_deref().unwrap_or(Path::new("")).display();
            problems.push(ConfigError {
                key,
                value: format!("missing beside `{there}`"),
                wanted: "there when the other is: a certificate is shown with its key",
            });
        }
        if let Some(name) = &self.server_name
            && ServerName::try_from(name.as_str()).is_err()
        {
            problems.push(ConfigError {
                key: "tls.server_name",
                value: format!("`{name}`"),
                wanted: "a name or an address, without a port",
            });
        }
        problems
    }

    /// Takes relative paths as relative to `base`.
    pub(crate) fn resolve_paths(&mut self, base: &Path) {
        let files = [&mut self.ca_file, &mut self.cert_file, &mut self.key_file];
        for path in files.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    /// What the client library needs. Reads the files.
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(self.authorities()?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(TlsError::Authorities)?;
        let verifier: Arc<dyn ServerCertVerifier> = match &self.server_name {
            None => verifier,
            Some(name) => {
                let parsed = ServerName::try_from(name.clone());
                let name = parsed.map_err(|_| TlsError::ServerName(name.clone()))?;
                // The certificate is checked in full, but against another name than the one that we
                // connected to.
                Arc::new(Judging::new(verifier, move |verifier, shown: &Shown<'_>| {
                    shown.judged_by(verifier, &name)
                }))
            }
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Library)?
            // Dangerous is only what a verifier leaves out; ours leaves nothing out.
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config =
            match (&self.cert_file, &self.key_file) {
                (Some(certificate), Some(key)) => {
                    let chain = certificates("tls.cert_file", certificate)?;
                    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                        TlsError::File { key: "tls.key_file", path: key.clone(), error }
                    })?;
                    builder.with_client_auth_cert(chain, key).map_err(TlsError::Identity)?
                }
                _ => builder.with_no_client_auth(),
            };
        Ok(Arc::new(config))
    }

    fn authorities(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca_file {
            roots.add_parsable_certificates(certificates("tls.ca_file", path)?);
            if roots.is_empty() {
                return Err(TlsError::NoCertificate { key: "tls.ca_file", path: path.clone() });
            }
            return Ok(roots);
        }
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let first = found.errors.first().map(ToString::to_string);
            let why = first.unwrap_or_else(|| "none were found".to_owned());
            return Err(TlsError::NoAuthorities { why });
        }
        Ok(roots)
    }
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error| TlsError::File { key, path: path.to_owned(), error };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate { key, path: path.to_owned() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn each_file_that_cannot_be_used_is_named_with_its_setting() {
        let empty = written("nothing");
        let path = || Some(empty.path().to_owned());
        let shown = empty.path().display().to_string();
        let tls = TlsConfig { ca_file: path(), ..TlsConfig::default() };
        let error = tls.client().expect_err("no certificate in it").to_string();
        assert!(error.contains("tls.ca_file") && error.contains(&shown), "{error}");

        let missing = PathBuf::from("/nowhere/ca.pem");
        let tls = TlsConfig { ca_file: Some(missing), ..TlsConfig::default() };
        let error = tls.client().expect_err("not there").to_string();
        assert!(error.contains("tls.ca_file /nowhere/ca.pem"), "{error}");

        let made = rcgen::generate_simple_self_signed(["broker".to_owned()]).expect("made");
        let (ca, key) = (written(&made.cert.pem()), written(&made.signing_key.serialize_pem()));
        let tls = TlsConfig {
            ca_file: Some(ca.path().to_owned()),
            cert_file: path(),
            key_file: Some(key.path().to_owned()),
            ..TlsConfig::default()
        };
        let error = tls.client().expect_err("no certificate of ours").to_string();
        assert!(error.contains("tls.cert_file") && error.contains(&shown), "{error}");

        let other = rcgen::generate_simple_self_signed(["other".to_owned()]).expect("made");
        let other = written(&other.cert.pem());
        let tls = TlsConfig { cert_file: Some(other.path().to_owned()), ..tls };
        let error = tls.client().expect_err("a key of another certificate").to_string();
        assert!(error.contains("tls.cert_file and tls.key_file"), "{error}");
    }

    #[test]
    fn half_an_identity_and_a_name_with_a_port_are_problems() {
        let tls = TlsConfig {
            cert_file: Some("ours.pem".into()),
            server_name: Some("broker:8883".to_owned()),
            ..TlsConfig::default()
        };
        let found: Vec<_> = tls.problems().iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("tls.key_file") && found[0].contains("ours.pem"), "{found:?}");
        assert!(found[1].contains("tls.server_name") && found[1].contains("port"), "{found:?}");
    }
}
