//! What was found out about proofs a moment ago, so that not every request asks the database.

use std::sync::{Mutex, MutexGuard, PoisonError};

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

use super::{Principal, Proof};

/// How long a check of the database is believed: what another process changes holds after this.
pub(super) const BELIEVED: Span = Span::from_secs(10);
/// How many checks are remembered.
const REMEMBERED: usize = 4_096;

/// The answers of the last seconds. A change of users, tokens or sessions by this process forgets
/// them all, also those that are being found out meanwhile.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    answers: FxHashMap<Proof, (Principal, Timestamp)>,
    /// Counts how often all was forgotten.
    generation: u64,
}

impl Checked {
    pub(super) fn get(&self, proof: &Proof, now: Timestamp) -> Option<Principal> {
        let inner = self.lock();
        let (principal, until) = inner.answers.get(proof)?;
        (now < *until).then(|| principal.clone())
    }

    /// To be asked before the database is.
    pub(super) fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Remembers an answer until `until`, unless all was forgotten since `generation`.
    pub(super) fn put(&self, principal: &Principal, until: Timestamp, generation: u64) {
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        if inner.answers.len() >= REMEMBERED {
            inner.answers.clear();
        }
        inner.answers.insert(principal.proof, (principal.clone(), until));
    }

    pub(super) fn forget(&self) {
        let mut inner = self.lock();
        inner.answers.clear();
        inner.generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
