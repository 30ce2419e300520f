//! The certificates that we show, and what they say.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::settings::Settings;

/// A certificate that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The key of the configuration that names it.
    pub(crate) key: String,
    /// Its file, and those between it and its authority.
    pub(crate) file: PathBuf,
    /// Its private key.
    pub(crate) private_key: PathBuf,
}

/// All certificates that we show to others.
pub(crate) fn configured(settings: &Settings) -> Vec<Certificate> {
    let certificate = |key: String, file: &Path, private_key: &Path| Certificate {
        key,
        file: file.to_owned(),
        private_key: private_key.to_owned(),
    };
    let http = settings.http.tls.iter();
    let http = http.map(|tls| certificate("http.tls.cert".to_owned(), &tls.cert, &tls.key));
    let mqtt = settings.mqtt.tls.iter().map(|tls| ("mqtt.tls.cert".to_owned(), tls));
    let further = settings.mqtt.listeners.iter().enumerate().filter_map(|(index, listener)| {
        Some((format!("mqtt.listener[{index}].tls.cert"), listener.tls.as_ref()?))
    });
    let listeners = mqtt.chain(further).map(|(key, tls)| certificate(key, &tls.cert, &tls.key));
    let brokers = settings.brokers.iter().filter_map(|broker| {
        let tls = broker.connect.tls.as_ref()?;
        let key = format!("broker[{}].connect.tls.cert_file", broker.name);
        Some(certificate(key, tls.cert_file.as_ref()?, tls.key_file.as_ref()?))
    });
    http.chain(listeners).chain(brokers).collect()
}

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whose it is.
    pub(crate) subject: String,
    /// Who signed it.
    pub(crate) issuer: String,
    /// From when on it is valid, in seconds since 1970.
    pub(crate) not_before: i64,
    /// Until when.
    pub(crate) not_after: i64,
    /// The names and addresses of its subject (RFC 5280, section 4.2.1.6).
    pub(crate) names: Vec<String>,
}

impl Said {
    /// Reads a certificate in DER.
    pub(crate) fn of(der: &[u8]) -> Result<Self, String> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let alternative = parsed.subject_alternative_name().ok().flatten();
        let names = alternative.into_iter().flat_map(|names| &names.value.general_names);
        let name = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        };
        Ok(Self {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            names: names.filter_map(name).collect(),
        })
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    let sixteen = || <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from);
    four.or_else(|_| sixteen()).ok().map(|address| address.to_string())
}

/// Reads a file of certificates (PEM), the subject's first.
pub(crate) fn read(file: &Path) -> Result<Vec<Said>, String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
    let certificates: Vec<CertificateDer<'_>> =
        certificates.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    certificates.iter().map(|certificate| Said::of(certificate)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_whose_it_is_and_until_when() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("cert.pem");
        let names = ["city.example".to_owned(), "10.0.0.1".to_owned(), "::1".to_owned()];
        let mut params = rcgen::CertificateParams::new(names).expect("names");
        params.not_after = rcgen::date_time_ymd(2030, 1, 2);
        params.distinguished_name.push(rcgen::DnType::CommonName, "city");
        let key = rcgen::KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("signed");
        std::fs::write(&file, made.pem()).expect("written");
        let said = &read(&file).expect("readable")[0];
        assert_eq!(said.names, ["city.example", "10.0.0.1", "::1"]);
        assert_eq!(said.not_after, 1_893_542_400);
        assert!(said.subject.contains("CN=city"), "{said:?}");
        std::fs::write(&file, "nothing").expect("written");
        assert!(read(&file).is_err());
        assert!(read(&folder.path().join("no.pem")).is_err());
    }
}
