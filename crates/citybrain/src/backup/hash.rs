//! Digests of files, made while they are copied.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// How much is read at a time, in bytes.
const BLOCK: usize = 1 << 18;

/// Length and SHA-256 of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// The digest of a file.
pub(super) fn of_file(path: &Path) -> anyhow::Result<Digest> {
    let read = || copy(&mut File::open(path)?, &mut std::io::sink());
    read().with_context(|| format!("{} cannot be read", path.display()))
}

/// Copies everything, and says what it was.
pub(super) fn copy(from: &mut dyn Read, to: &mut dyn Write) -> std::io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut bytes = 0;
    loop {
        let read = match from.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&block[..read]);
        to.write_all(&block[..read])?;
        bytes += read as u64;
    }
    let sha256 = hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    Ok(Digest { bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256() {
        let mut copied = Vec::new();
        let digest = copy(&mut &b"abc"[..], &mut copied).expect("copies");
        // FIPS 180-4's example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((digest.bytes, digest.sha256.as_str(), copied), (3, expected, b"abc".to_vec()));
    }
}
