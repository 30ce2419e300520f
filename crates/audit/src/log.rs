//! Writing: what is about to be done is noted before it is done, and becomes an entry after.

use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{Span, Timestamp};
use city_store::{StateDb, StateError};

use crate::entry::{Entry, NewEntry, Outcome, hex};
use crate::head::{Head, HeadFile};
use crate::tables;

/// After so long nobody waits any more for a command on the command line to end.
const CLI_PATIENCE: Span = Span::from_hours(1);

/// The audit log of a state database. Server and command line may write to it at the same time.
///
/// ```
/// use std::sync::Arc;
///
/// use city_audit::{AuditLog, NewEntry, Via};
/// use city_model::Timestamp;
/// use city_store::{StateDb, StateError};
///
/// let log = AuditLog::open(Arc::new(StateDb::in_memory()?))?;
/// let mut entry = NewEntry::new(Timestamp::from_secs(1_795_435_200), Via::Cli, "delete_device");
/// entry.user = Some("root".to_owned());
/// entry.target = Some("air-1".to_owned());
/// let delete = |_: &mut NewEntry| Ok::<(), StateError>(()); // as an example does it
/// log.around(entry, delete)?;
/// assert_eq!(log.last()?, 1);
/// assert!(log.verify(|_| true)?.is_some_and(|found| found.is_intact()));
/// # Ok::<(), StateError>(())
/// ```
#[derive(Debug)]
pub struct AuditLog {
    state: Arc<StateDb>,
    head: HeadFile,
    /// Tells what this process began from what others did.
    process: [u8; 16],
    /// What is over, but could not be written yet.
    late: Mutex<Vec<(Option<Begun>, NewEntry)>>,
}

/// Something that is noted as begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun(i64);

/// An entry that stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub number: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
}

impl AuditLog {
    /// Opens it, making its tables if they are not there.
    pub fn open(state: Arc<StateDb>) -> Result<Self, StateError> {
        state.migrate(tables::COMPONENT, tables::MIGRATIONS)?;
        let head = HeadFile::beside(state.path());
        Ok(Self { state, head, process: rand::random(), late: Mutex::default() })
    }

    /// Notes that something is about to be done; on the disk when this returns `Ok`. If it is an
    /// error, it must not be done: it could not be recorded. Blocks.
    pub fn begin(&self, entry: &NewEntry) -> Result<Begun, StateError> {
        self.catch_up()?;
        self.state.write(|tx| Ok(Begun(tables::begin(tx, &self.process, entry)?)))
    }

    /// Writes the entry of what was done, or was not; on the disk when this returns `Ok`. If it is
    /// an error, it is written later: before anything else is begun, or as of unknown outcome when
    /// the program starts again. Blocks.
    pub fn finish(&self, begun: Option<Begun>, entry: NewEntry) -> Result<Written, StateError> {
        match self.write(begun, &entry) {
            Ok(written) => Ok(written),
            Err(error) => {
                self.late.lock().unwrap_or_else(PoisonError::into_inner).push((begun, entry));
                Err(error)
            }
        }
    }

    /// Takes the note of [`Self::begin`] away, without an entry. Blocks.
    pub fn withdraw(&self, begun: Begun) -> Result<(), StateError> {
        self.state.write(|tx| Ok(tables::forget(tx, begun.0)?))
    }

    /// Writes an entry about something that the caller does in between: with what it leaves in the
    /// entry, and as refused with the code `failed` if it fails. Blocks.
    pub fn around<T, E: From<StateError>>(
        &self,
        mut entry: NewEntry,
        change: impl FnOnce(&mut NewEntry) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = self.begin(&entry)?;
        let result = change(&mut entry);
        if result.is_err() {
            entry.outcome = Outcome::Refused("failed".to_owned());
        }
        self.finish(Some(begun), entry)?;
        result
    }

    /// Writes the entries of what other processes began and did not live to finish, and those that
    /// this one could not write before; how many. To be called when the one server of a database
    /// starts. Blocks.
    pub fn adopt(&self, now: Timestamp) -> Result<usize, StateError> {
        self.catch_up()?;
        let written = self.state.write(|tx| {
            let mut written = Vec::new();
            for (id, entry) in tables::left_open(tx, &self.process, now - CLI_PATIENCE)? {
                tables::forget(tx, id)?;
                written.push(tables::append(tx, entry)?);
            }
            Ok::<_, StateError>(written)
        })?;
        for entry in &written {
            self.tell(entry);
        }
        Ok(written.len())
    }

    /// The number of the last entry; 0 if there is none. Blocks.
    pub fn last(&self) -> Result<u64, StateError> {
        self.state.read(|conn| Ok(tables::last(conn)?.0))
    }

    /// Says that what is in the database now is the whole log, after a backup was restored: writes
    /// an entry about it and sets the file with the last number and hash to it, also back. Blocks.
    pub fn accept(&self, entry: NewEntry) -> Result<Written, StateError> {
        let entry = self.state.write(|tx| Ok::<_, StateError>(tables::append(tx, entry)?))?;
        if let Err(error) = self.head.reset(head(&entry)) {
            self.complain(&error);
        }
        Ok(written(&entry))
    }

    /// What could not be written when it was over. Nothing new is begun before it is.
    fn catch_up(&self) -> Result<(), StateError> {
        let late = mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        let mut late = late.into_iter();
        while let Some((begun, entry)) = late.next() {
            if let Err(error) = self.write(begun, &entry) {
                let mut kept = self.late.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push((begun, entry));
                kept.extend(late);
                return Err(error);
            }
        }
        Ok(())
    }

    fn write(&self, begun: Option<Begun>, entry: &NewEntry) -> Result<Written, StateError> {
        let entry = self.state.write(|tx| {
            if let Some(Begun(id)) = begun {
                tables::forget(tx, id)?;
            }
            Ok::<_, StateError>(tables::append(tx, entry.clone())?)
        })?;
        self.tell(&entry);
        Ok(written(&entry))
    }

    /// Moves the head on and logs it: what leaves this machine with the log is a witness.
    fn tell(&self, entry: &Entry) {
        if let Err(error) = self.head.advance(head(entry)) {
            self.complain(&error);
        }
        tracing::info!(
            audit.number = entry.number,
            audit.hash = hex(&entry.hash),
            audit.action = entry.action,
            audit.outcome = entry.outcome,
            "recorded"
        );
    }

    /// The entry is safe; the next one mends the file.
    fn complain(&self, error: &std::io::Error) {
        let path = self.head.path().unwrap_or_default();
        tracing::error!(
            file.path = %path.display(), error.cause = %error,
            "cannot write the head of the audit log; let citybrain's user write there, and free \
             space on the disk"
        );
    }

    pub(crate) fn state(&self) -> &StateDb {
        &self.state
    }

    pub(crate) fn head_file(&self) -> &HeadFile {
        &self.head
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        self.state.path()
    }
}

fn head(entry: &Entry) -> Head {
    Head { number: entry.number, hash: entry.hash }
}

fn written(entry: &Entry) -> Written {
    Written { number: entry.number, hash: hex(&entry.hash) }
}
