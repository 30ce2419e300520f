//! The storage port (write, read, retention), its backends, and the database for state.
//!
//! [`Store`] is what the rest of citybrain sees. [`backends`] holds what implements it, and
//! [`conformance`] the tests that every backend must pass. [`StateDb`] is apart from it: the small
//! transactional database of the registry, the rules' state, alerts and users.

mod accounts;
pub mod backends;
#[doc(hidden)]
pub mod conformance;
mod port;
mod priority;
mod sequence;
mod shared;
mod sqlite;
mod state;
mod steps;

pub use accounts::{Account, Accounts, DayCounters};
pub use backends::embedded::{
    Backup, Damage, Earlier, Embedded, Options, Recovery, Repair, Stamp, TierRetention,
    Verification, backup, backup_since, backup_state, pass_on_numbers, repair, verify, verify_only,
    verify_state,
};
pub use backends::influxdb::{self, Influx, InfluxOptions, Naming, Secret, Spool, Waits};
pub use backends::memory::Memory;
pub use port::{
    Bucket, Cancel, Commit, CommitReport, Counters, DELIVERIES_KEPT, DeadLetter, DeadLetterId,
    DeadLetterPage, Deletion, DeliveryNote, EXPORT_PAGE, ForwardStats, LastValue, LedgerKey,
    LetterCount, LettersFrom, NewDeadLetter, Outcome, Point, Rank, Replay, SequenceNote,
    SharedStore, Store, StoreError, StoreErrorKind, StoreStats, TimeRange,
};
pub use priority::{give_way, give_way_a_little};
pub use sequence::Sequence;
pub use shared::{AppendError, Listener, SharedLog, Sharing, Writers};
pub use state::{StateDb, StateError};
