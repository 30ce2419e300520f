//! Whether what somebody gives can be a credential, and its one spelling.

use super::table::grant_of;
use super::{ANONYMOUS, FINGERPRINT, Rights};
use crate::{FieldProblem, RegistryError, check_id};

pub(super) fn check_rights(rights: &Rights) -> Result<(), RegistryError> {
    if rights.any_device && rights.devices.is_some() {
        let message = "`any_device` and a list of devices say different things".to_owned();
        return Err(problem("devices", message, "leave one of the two out"));
    }
    grant_of(&"check".into(), rights).map(|_| ())
}

pub(super) fn check_name(name: &str) -> Result<(), RegistryError> {
    let hint = "a client is named like a device, often exactly so";
    if name.starts_with(ANONYMOUS) {
        let message = format!("`{ANONYMOUS}` begins the names of those who show no credentials");
        return Err(problem("name", message, hint));
    }
    check_id(name).map_err(|why| problem("name", why.to_owned(), hint))
}

pub(super) fn problem(field: &str, message: String, hint: &'static str) -> RegistryError {
    RegistryError::Fields(vec![FieldProblem { field: field.to_owned(), message, hint }])
}

/// Whether an identity is written as a fingerprint, which no name of a certificate may be taken for.
pub(super) fn is_fingerprint(text: &str) -> bool {
    let head = text.get(..FINGERPRINT.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(FINGERPRINT)
}

/// The identity of a certificate in its one spelling.
pub(super) fn certificate_identity(text: &str) -> Result<String, RegistryError> {
    if is_fingerprint(text) {
        let digits: String = text[FINGERPRINT.len()..].chars().filter(|c| *c != ':').collect();
        let digits = digits.to_ascii_lowercase();
        if unhex(&digits).is_none() {
            let message = "a SHA-256 fingerprint has 64 hexadecimal digits".to_owned();
            let hint = "`openssl x509 -noout -fingerprint -sha256 -in cert.pem` prints it";
            return Err(problem("identity", message, hint));
        }
        return Ok(format!("{FINGERPRINT}{digits}"));
    }
    let hint = "give the common name, or `sha256:` and the fingerprint";
    check_id(text).map_err(|why| problem("identity", why.to_owned(), hint))?;
    Ok(text.to_owned())
}

/// The identity of a certificate by the fingerprint of its DER bytes.
pub fn fingerprint(der: &[u8]) -> String {
    use sha2::Digest as _;
    format!("{FINGERPRINT}{}", hex(&sha2::Sha256::digest(der).into()))
}

pub(super) fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}
