//! Backups of a city: everything that must survive, in one folder or one archive, with a list of
//! what is in it.
//!
//! ```text
//! manifest.json         versions, times, and every file with its size and SHA-256
//! data/store/…          the embedded store, and data/spool/… what waits for InfluxDB
//! data/state.db         registry, rules, alerts, silences, users, audit log
//! data/…                the other files of the data folder
//! config/…              the configuration and the files that it names
//! ```
//!
//! Nothing is held up while it is taken. The order makes it whole: first the log of the store, then
//! its days, the small files, and the state database last. So everything that was acknowledged before the beginning is in
//! it, and the state knows at least of what the store has: devices of all readings, and everything
//! that receivers were told. What came in between may be in the state only; numbers of its commits
//! are not given again ([`city_store::pass_on_numbers`]), so that rules evaluate everything that
//! comes after a restore, and raise nothing twice.
//!
//! Files that the configuration calls secrets, such as keys, tokens and passwords, are left out and
//! listed; what the configuration holds itself is in it. All files are readable by their owner only.

mod archive;
mod files;
mod hash;
mod manifest;
mod named;
mod restore;
mod take;
#[cfg(test)]
mod tests;
mod verify;

pub use manifest::{Entry, LeftOut, MANIFEST, Manifest};
pub use restore::{Restore, Restored, restore};
pub use take::{Taken, Wanted, take};
pub use verify::{Checked, verify};

/// Told about each step, for people who wait: what it is, its place from 0, and of how many.
pub type Progress<'a> = &'a mut dyn FnMut(&str, usize, usize);
