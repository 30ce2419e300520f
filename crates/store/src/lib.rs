//! The storage port (write, read, retention), its backends, and the database for state.

mod port;

pub use port::{
    Bucket, Commit, CommitReport, Counters, DeadLetter, DeadLetterId, DeadLetterPage, LastValue,
    LedgerKey, NewDeadLetter, Outcome, Point, Replay, SharedStore, Store, StoreError,
    StoreErrorKind, StoreStats, TimeRange,
};
