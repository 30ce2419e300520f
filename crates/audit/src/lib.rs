//! The audit log: who changed what, when, from where, what it was before and what it is after.
//!
//! Entries are numbered from 1 without gaps. The hash of each covers all its fields and the hash of
//! the entry before, so no entry can be changed, removed, moved or added without [`verify`] saying
//! where; the number and hash of the last one also stand in a small file beside the database, so
//! that it says so too when entries are cut off at the end. Nothing is ever deleted.
//!
//! What it can show and what not: whoever may write to both files can write a whole new log. So the
//! program also logs each entry's number and hash ([`AuditLog`]); a log that is kept on another
//! machine is the witness against that.
//!
//! [`verify`]: AuditLog::verify

mod chain;
mod entry;
mod export;
mod head;
mod log;
mod operator;
mod query;
mod redact;
mod tables;
mod verify;

pub use chain::{Break, Checker};
pub use entry::{Entry, NewEntry, Outcome, Via};
pub use export::{CSV_COLUMNS, from_json_line, to_csv, to_json_line};
pub use log::{AuditLog, Begun, Written};
pub use operator::operator;
pub use query::{Departments, Filter, Page};
pub use redact::bounded;
pub use verify::Verification;

#[cfg(test)]
mod tests;
