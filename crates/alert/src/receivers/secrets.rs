//! Secrets of receivers, written in the options or in a file beside them, and what is signed with
//! them.

use std::fmt::Write as _;
use std::path::Path;

use city_store::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The secret of an option or of the first line of a file, if one of the two is given; otherwise
/// what is wrong. `name` is the option's name; that of the file is `<name>_file`.
pub(super) fn given(
    name: &str,
    written: Option<Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, String> {
    let secret = match (written, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(format!("`{name}` and `{name}_file` are both given; leave one out"));
        }
        (Some(secret), None) => secret,
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                format!("{name}_file {} cannot be read: {error}", path.display())
            })?;
            Secret::new(text.lines().next().unwrap_or_default().trim())
        }
    };
    if secret.expose().is_empty() {
        return Err(format!("`{name}` is empty; write it, or leave the option out"));
    }
    Ok(Some(secret))
}

/// HMAC-SHA256 (RFC 2104) over parts that follow each other; nothing is copied.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // As RFC 2104 has it: keys are filled up to a block with zeros; longer ones are hashed before.
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The value of the header [`super::webhook::SIGNATURE`].
pub(super) fn signature(secret: &Secret, unix_seconds: i64, body: &str) -> String {
    let time = unix_seconds.to_string();
    let parts = [time.as_bytes(), b".", body.as_bytes()];
    let mac = hmac_sha256(secret.expose().as_bytes(), &parts);
    format!("t={time},v1={}", hex(&mac))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
    #[test]
    fn the_vectors_of_rfc_4231_come_out() {
        let found = hmac_sha256(&[0x0b; 20], &[b"Hi ", b"There"]);
        let wanted = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&found), wanted);
        let found = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&found), wanted);
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let wanted = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hex(&hmac_sha256(&[0xaa; 131], &[message])), wanted);
    }

    /// Made with `printf '1790000000.{"a":"空气"}' | openssl dgst -sha256 -hmac hush`.
    #[test]
    fn a_signature_is_what_openssl_says() {
        let found = signature(&Secret::new("hush"), 1_790_000_000, r#"{"a":"空气"}"#);
        assert_eq!(
            found,
            "t=1790000000,v1=be56fdd0b915e7c8affcc9f641173798da48df3dbd4b1398f297313772b63ad4"
        );
    }

    #[test]
    fn a_secret_comes_from_one_place() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, " hush \nsecond line").expect("written");
        let given = |written: Option<&str>, file| given("secret", written.map(Secret::new), file);
        let from_file = given(None, Some(file.path())).expect("read").expect("there");
        assert_eq!(from_file.expose(), "hush");
        assert!(given(None, None).expect("none is fine").is_none());
        let both = given(Some("a"), Some(file.path())).expect_err("both");
        assert!(both.contains("`secret` and `secret_file`"), "{both}");
        let gone = given(None, Some(Path::new("/nowhere"))).expect_err("no file");
        assert!(gone.contains("secret_file /nowhere"), "{gone}");
        let empty = given(Some(""), None).expect_err("empty");
        assert!(empty.contains("empty"), "{empty}");
    }
}
