//! The tests that every backend must pass, whatever it is made of.
//!
//! A backend's own tests call [`run`] with a way to make an empty store and to open one again:
//!
//! ```
//! use std::sync::Arc;
//! use city_store::backends::memory::Memory;
//! use city_store::{SharedStore, conformance};
//!
//! conformance::run(|| {
//!     let store: SharedStore = Arc::new(Memory::new());
//!     Box::new(move |_| store.clone())
//! });
//! ```

mod commits;
mod concurrent;
mod data;
mod history;
mod letters;
mod queries;
mod restart;

use crate::SharedStore;

pub use data::{commit, device, letter, metric, reading, series, t, with_source};

/// Opens the same store once more. What was opened before is dropped first: hand it back.
pub type Reopen = Box<dyn FnMut(Option<SharedStore>) -> SharedStore>;

/// One test: its name, and what it does with an empty store.
pub type Case = (&'static str, fn(&mut Subject));

/// All tests. A new one is a function in one of the files beside this one, and a line here.
pub const CASES: &[Case] = &[
    ("a reading comes back as it was", commits::a_reading_comes_back_as_it_was),
    ("every kind of value and flag comes back", commits::every_value_and_flag_comes_back),
    ("a redelivery changes nothing", commits::a_redelivery_changes_nothing),
    ("a correction stands and is a duplicate", commits::a_correction_stands),
    ("duplicates inside one batch are seen", commits::duplicates_inside_one_batch),
    ("late readings are stored in order", commits::late_readings_are_stored_in_order),
    ("late duplicates of sealed readings are seen", commits::late_duplicates_of_sealed_readings),
    ("the last value is the newest by event time", commits::the_last_value_is_the_newest),
    ("a time in the future hides nothing", commits::a_time_in_the_future_hides_nothing),
    ("sources must match readings", commits::sources_must_match_readings),
    ("the ledger balances", commits::the_ledger_balances),
    ("skipped message numbers are counted", commits::skipped_message_numbers_are_counted),
    ("ranges are half open", queries::ranges_are_half_open),
    ("nothing gives nothing", queries::nothing_gives_nothing),
    ("senseless requests are refused", queries::senseless_requests_are_refused),
    ("steps add up", queries::steps_add_up),
    ("steps do not depend on what is sealed", queries::steps_do_not_depend_on_what_is_sealed),
    ("limits cut at the end", queries::limits_cut_at_the_end),
    ("positions make a track", queries::positions_make_a_track),
    ("a scan hands out pages while wanted", history::a_scan_hands_out_pages_while_they_are_wanted),
    ("a cancelled query ends", history::a_cancelled_query_ends),
    ("series are ranked", history::series_are_ranked),
    ("an export is everything", history::an_export_is_everything_that_is_stored),
    ("an export comes in bounded pages", history::an_export_comes_in_bounded_pages),
    ("what is deleted is gone", history::what_is_deleted_is_gone),
    ("times at the ends of time are kept", queries::times_at_the_ends_of_time),
    ("dead letters are kept whole", letters::dead_letters_are_kept_whole),
    ("dead letters come in pages", letters::dead_letters_come_in_pages),
    ("dead letters are counted by reason", letters::dead_letters_are_counted_by_reason),
    ("a letter that comes again is a duplicate", letters::a_letter_that_comes_again),
    ("deliveries are remembered", restart::deliveries_are_remembered),
    ("a replayed letter is marked", letters::a_replayed_letter_is_marked),
    ("replay hands out what was new", restart::replay_hands_out_what_was_new),
    ("held commits outlive flush and restart", restart::held_commits_outlive_flush_and_restart),
    ("a restart brings everything back", restart::a_restart_brings_everything_back),
    ("numbers of commits never go back", restart::numbers_of_commits_never_go_back),
    ("queries run while commits go on", concurrent::queries_run_while_commits_go_on),
];

/// What a backend promises. Cases that need a promise which not all keep ask for it, and check
/// what is left without it.
#[derive(Clone, Copy, Debug)]
pub struct Promises {
    /// A reading that is there is known as a duplicate however old it is. Without it, only as long
    /// as it was not flushed.
    pub remembers_all: bool,
    /// What is committed is seen by the next read, whatever its event time. Without it, readings
    /// before flushed ones are seen after a flush.
    pub shows_at_once: bool,
    /// Nobody but the holders of [`crate::Store::hold`] keeps commits.
    pub cuts_at_once: bool,
}

impl Promises {
    /// What a store on this machine promises.
    pub const ALL: Self = Self { remembers_all: true, shows_at_once: true, cuts_at_once: true };
}

/// An empty store under test.
pub struct Subject {
    store: Option<SharedStore>,
    reopen: Reopen,
    promises: Promises,
}

impl Subject {
    fn store(&self) -> &SharedStore {
        self.store.as_ref().expect("a subject always has an open store")
    }

    /// Makes late readings visible where they are not at once.
    fn settle(&self) {
        if !self.promises.shows_at_once {
            self.store().flush().expect("flushes");
        }
    }

    /// Drops the store without a word, as a crash does, and opens it again.
    fn reopen(&mut self) {
        let old = self.store.take();
        self.store = Some((self.reopen)(old));
    }
}

/// Runs every test on a store of its own that keeps all promises; panics at the first that fails.
pub fn run(empty: impl FnMut() -> Reopen) {
    run_with(Promises::ALL, empty);
}

/// Runs every test on a store of its own; panics at the first that fails.
pub fn run_with(promises: Promises, mut empty: impl FnMut() -> Reopen) {
    for (name, case) in CASES {
        tracing::debug!(name, "conformance");
        let mut reopen = empty();
        let store = Some(reopen(None));
        case(&mut Subject { store, reopen, promises });
    }
}
