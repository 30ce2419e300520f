//! The first administrator: made by whoever reads the token that the program prints while there is
//! none.

use std::sync::{Mutex, PoisonError};

use super::tables::same;
use super::tokens::{hash, random_secret};

/// The token of the set-up, as long as it waits; it lives as long as the process at most.
#[derive(Debug, Default)]
pub(crate) struct Setup(Mutex<Option<[u8; 32]>>);

impl Setup {
    /// Lets the first administrator be made; what is returned is the only copy of the token.
    pub(crate) fn open(&self) -> String {
        let token = random_secret();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash(&token));
        token
    }

    /// Whether it waits.
    pub(crate) fn is_open(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether a token is the one; it stays until [`close`](Self::close).
    pub(crate) fn is_right(&self, token: &str) -> bool {
        let waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waits.is_some_and(|right| same(&right, &hash(token.trim())))
    }

    /// It is done.
    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
