//! The audit log of the API: every request that changes something, or tried to, becomes an entry.
//!
//! [`record`] stands in front of the guard, so that refusals are recorded too, and [`begin`] behind
//! it. A handler adds what it knows with [`before`], [`after`] and the others below, wherever it is:
//! the entry goes along with the request, also into the blocking work of its lanes.

mod actions;
mod record;
mod recorder;
mod refusals;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use city_audit::{Begun, NewEntry, Outcome, Via};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::auth::{Principal, Proof};
use crate::problem::Answer;

pub(crate) use record::{begin, record};
pub(crate) use recorder::{Recorder, upkeep};

#[cfg(test)]
pub(crate) use actions::{NOT_CHANGES, action};

tokio::task_local! {
    static CURRENT: Arc<Draft>;
}

/// The entry of the request that is being answered.
#[derive(Debug)]
struct Draft(Mutex<Parts>);

#[derive(Debug)]
struct Parts {
    entry: NewEntry,
    begun: Option<Begun>,
    /// Whether it turned out to be no change, such as one that was only tried.
    idle: bool,
    /// Whether it is over only after its answer has begun: see [`Held`].
    held: bool,
}

impl Draft {
    fn new(entry: NewEntry) -> Self {
        Self(Mutex::new(Parts { entry, begun: None, idle: false, held: false }))
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_parts(change: impl FnOnce(&mut Parts)) {
    // Without a draft it is no request, or none that is recorded.
    let _ = CURRENT.try_with(|draft| change(&mut draft.lock()));
}

/// What it was before; nothing if that is `null`. Secrets are not to be handed in.
pub(crate) fn before(value: impl Serialize) {
    let value = document(value);
    with_parts(|parts| parts.entry.before = value);
}

/// What it is after; nothing if that is `null`. Secrets are not to be handed in.
pub(crate) fn after(value: impl Serialize) {
    let value = document(value);
    with_parts(|parts| parts.entry.after = value);
}

/// The department that owns what is changed.
pub(crate) fn department(id: &str) {
    with_parts(|parts| parts.entry.department = Some(id.to_owned()));
}

/// What is changed, where the address does not say it.
pub(crate) fn target(id: impl Into<String>) {
    let id = id.into();
    with_parts(|parts| parts.entry.target = Some(id));
}

/// Who logged in, and so has a session.
pub(crate) fn logged_in(name: &str) {
    with_parts(|parts| {
        parts.entry.user = Some(name.to_owned());
        parts.entry.via = Via::Session;
    });
}

/// Nothing is changed after all, as it was only tried: no entry.
pub(crate) fn only_tried() {
    with_parts(|parts| parts.idle = true);
}

/// Who asks, as the guard found.
pub(crate) fn asked_by(principal: &Principal) {
    with_parts(|parts| {
        parts.entry.user = Some(principal.user.to_string());
        parts.entry.via = match principal.proof {
            Proof::Session(_) => Via::Session,
            Proof::Token(_) => Via::Token,
        };
    });
}

/// The entry of a request whose answer begins before its work is done.
pub(crate) struct Held {
    draft: Arc<Draft>,
    recorder: Arc<Recorder>,
}

/// Takes the entry of this request out of the hands of [`record`]: whoever gets it writes it. `None`
/// if the request is not recorded.
pub(crate) fn hold(app: &App) -> Option<Held> {
    let draft = CURRENT.try_with(Arc::clone).ok()?;
    draft.lock().held = true;
    Some(Held { draft, recorder: app.audit.clone() })
}

impl Held {
    /// Does the work, and writes what became of it. Blocks.
    pub(crate) fn within<T>(self, work: impl FnOnce() -> Answer<T>) -> Answer<T> {
        let done = CURRENT.sync_scope(self.draft.clone(), work);
        let outcome = match &done {
            Ok(_) => Outcome::Done,
            Err(problem) => Outcome::Refused(problem.code().name.to_owned()),
        };
        self.recorder.settle_held(&self.draft, outcome);
        done
    }
}

/// Blocking work that knows of the entry of the request that it is done for.
pub(crate) fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let current = CURRENT.try_with(Arc::clone).ok();
    move || match current {
        Some(draft) => CURRENT.sync_scope(draft, work),
        None => work(),
    }
}

fn document(value: impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok().filter(|value| !value.is_null())
}
