//! Secrets: how passwords and tokens are made, kept and compared.

use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What tokens begin with, so that people and scanners for leaked secrets recognise one.
pub const TOKEN_PREFIX: &str = "cbd_";

/// The shortest password that is taken, in characters (NIST SP 800-63B, clause 3.1.1.2, for
/// passwords that come beside nothing else: 15).
pub const SHORTEST_PASSWORD: usize = 15;

/// A secret on its way to the one person who may see it; never in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new token: 256 random bits.
    pub(super) fn token() -> Self {
        Self(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a token: enough to keep, because nobody can try all 256 bits.
pub(super) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The argon2id hash of a password as a PHC string, with the parameters that OWASP's Password
/// Storage Cheat Sheet gives first (19 MiB, two passes, one lane); `None` if the password is too
/// long for argon2.
pub(super) fn password_hash(password: &[u8]) -> Option<String> {
    let salt = rand::random::<[u8; 16]>();
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password, &salt).ok()?;
    Some(hash.to_string())
}

/// Whether a password is the one that was hashed; compares in constant time.
pub(super) fn is_password(password: &[u8], hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// A hash with a key that lives as long as this process: what is remembered of a password that was
/// found right or wrong is worthless to whoever reads it elsewhere.
pub(super) struct ProcessKey([u8; 32]);

impl ProcessKey {
    pub(super) fn new() -> Self {
        Self(rand::random())
    }

    pub(super) fn digest(&self, name: &str, password: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update(password);
        // Hashed twice, so that nothing can be appended to what was hashed.
        Sha256::digest(hash.finalize()).into()
    }
}

/// Whether two digests are the same, in constant time.
pub(super) fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0
}

/// Lets few hash passwords at a time: each takes 19 MiB and a core for tens of milliseconds, and
/// who is not logged in yet must not be able to take all of them.
pub(super) struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Gate {
    pub(super) fn new(places: usize) -> Self {
        Self { free: Mutex::new(places.max(1)), freed: Condvar::new() }
    }

    pub(super) fn pass<T>(&self, work: impl FnOnce() -> T) -> T {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        drop(free);
        let place = Place(self);
        let done = work();
        drop(place);
        done
    }
}

/// A place that is given back, also after a panic.
struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
