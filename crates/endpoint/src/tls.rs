//! Whom a client's certificate names.

use std::fmt::Write as _;

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::access::CertificateIdentity;

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
