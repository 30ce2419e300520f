//! The database for state: registry, rules' state, alerts, users. Small rows, real transactions.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parking_lot::FairMutex;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::StoreError;
use crate::shared::{self, Shared, Sharing};
use crate::sqlite::{self, Format};

pub(crate) const FORMAT: Format = Format {
    name: "state database",
    application: 0x4342_5354, // "CBST"
    version: 1,
    page_size: 4096,
    upgrades: &[],
    schema: "CREATE TABLE migrations (
                 component TEXT PRIMARY KEY,
                 version   INTEGER NOT NULL
             ) WITHOUT ROWID;",
};

/// A failure of the state database.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] StoreError),
    /// A newer program wrote these tables.
    #[error(
        "{}: the tables of `{component}` are at version {found}, but this program knows {known}; \
         run the version of citybrain that wrote them, or a newer one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        component: String,
        /// The version in the file.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
    /// A step of a migration failed; nothing of that step was kept.
    #[error("{}: cannot bring the tables of `{component}` to version {version}: {source}",
        path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Whose tables.
        component: String,
        /// The version that the step leads to.
        version: usize,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A statement failed.
    #[error("state database: {0}")]
    Sql(#[from] rusqlite::Error),
    /// An image of the database cannot be made or taken.
    #[error("{}: the image of the state cannot be made here: {source}; free space on this disk, and \
             let citybrain's user write to this folder", path.display())]
    Image {
        /// The image's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl StateError {
    /// Whether somebody else was in the way, so that the same can succeed when it is tried again.
    pub fn is_busy(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
    }
}

/// One SQLite database shared by the parts that keep state, each with its own tables.
///
/// One connection writes and another reads, each behind a lock of its own, so that a slow search
/// never holds up whoever must write. A part that reads after it wrote sees what it wrote. Calls
/// block; async callers use a blocking pool.
///
/// ```
/// use city_store::{StateDb, StateError};
///
/// let db = StateDb::in_memory()?;
/// db.migrate("notes", &["CREATE TABLE notes (text TEXT NOT NULL)"])?;
/// db.write(|tx| tx.execute("INSERT INTO notes VALUES ('水位')", []))?;
/// let text: String = db.read(|conn| conn.query_row("SELECT text FROM notes", [], |r| r.get(0)))?;
/// assert_eq!(text, "水位");
/// # Ok::<(), StateError>(())
/// ```
#[derive(Debug)]
pub struct StateDb {
    /// `None` in memory, where a second connection would see a database of its own. It is dropped
    /// before the writer, which as the last one works the write-ahead log into the file.
    reader: Option<Mutex<Connection>>,
    /// Fair: the engine's events come between the parts of a state that is being saved.
    writer: FairMutex<Writer>,
    /// Of a shared database: the last entry of the log that is in this file.
    position: Arc<AtomicU64>,
    is_shared: AtomicBool,
    is_replaced: Arc<AtomicBool>,
    path: PathBuf,
}

#[derive(Debug)]
struct Writer {
    conn: Connection,
    /// Whether a commit waits for the disk, as it does unless something else was said.
    waits: bool,
    /// What makes one database of this and of others', if it is shared.
    shared: Option<Shared>,
}

impl Writer {
    fn new(conn: Connection) -> Self {
        Self { conn, waits: true, shared: None }
    }

    /// Begins a transaction whose commit waits for the disk or does not.
    fn begin(&mut self, waits: bool) -> rusqlite::Result<Transaction<'_>> {
        self.wait_for_disk(waits)?;
        self.conn.transaction_with_behavior(TransactionBehavior::Immediate)
    }

    fn wait_for_disk(&mut self, waits: bool) -> rusqlite::Result<()> {
        if self.waits != waits {
            let mode = if waits { "FULL" } else { "NORMAL" };
            self.conn.pragma_update(None, "synchronous", mode)?;
            self.waits = waits;
        }
        Ok(())
    }
}

impl StateDb {
    /// Opens the database at `path` and makes it if it is not there.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StateError> {
        let path = path.as_ref().to_owned();
        let writer = FairMutex::new(Writer::new(FORMAT.open(&path)?));
        let reader = Some(Mutex::new(FORMAT.open_reader(&path)?));
        Ok(Self::of(reader, writer, path))
    }

    /// A database that is gone when it is dropped, for tests.
    pub fn in_memory() -> Result<Self, StateError> {
        let conn = Connection::open_in_memory()?;
        sqlite::make_durable(&conn)?;
        conn.execute_batch(FORMAT.schema)?;
        let writer = FairMutex::new(Writer::new(conn));
        Ok(Self::of(None, writer, PathBuf::from(":memory:")))
    }

    fn of(reader: Option<Mutex<Connection>>, writer: FairMutex<Writer>, path: PathBuf) -> Self {
        let (position, is_replaced) = (Arc::default(), Arc::default());
        Self { reader, writer, position, is_shared: AtomicBool::new(false), is_replaced, path }
    }

    /// Brings the tables of one part of the program up to date.
    ///
    /// `steps` are all steps ever released, in order; a step may hold several statements. Those
    /// that this database has not seen are run, each in a transaction of its own. Never change or
    /// remove a released step: add one.
    pub fn migrate(&self, component: &str, steps: &[&str]) -> Result<(), StateError> {
        let mut writer = self.writer.lock();
        let found: usize = writer
            .conn
            .query_row(
                "SELECT coalesce(max(version), 0) FROM migrations WHERE component = ?1",
                [component],
                |row| row.get::<_, i64>(0),
            )?
            .try_into()
            .unwrap_or(0);
        if found > steps.len() {
            return Err(StateError::Newer {
                path: self.path.clone(),
                component: component.to_owned(),
                found,
                known: steps.len(),
            });
        }
        let is_new = found < steps.len();
        for (done, step) in steps.iter().enumerate().skip(found) {
            run_step(&mut writer, component, done + 1, step).map_err(|source| {
                StateError::Migration {
                    path: self.path.clone(),
                    component: component.to_owned(),
                    version: done + 1,
                    source,
                }
            })?;
        }
        if is_new && writer.shared.is_some() {
            shared::capture(&writer.conn)?;
        }
        Ok(())
    }

    /// Reads. Several statements see one state, whatever is written meanwhile. Reads wait for each
    /// other, never for a write, and no write waits for them (in memory all wait for all).
    ///
    /// Do not call the database again from inside: it would wait for itself.
    pub fn read<T, E: From<rusqlite::Error>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        // The transaction is what keeps the state still; it has nothing to commit.
        match &self.reader {
            Some(reader) => read(&*lock(reader).transaction()?),
            None => read(&*self.writer.lock().conn.transaction()?),
        }
    }

    /// Writes in one transaction, which is on the disk when this returns `Ok`. If the closure or
    /// the commit fails, nothing of it is kept.
    ///
    /// Do not call the database again from inside: it would wait for itself.
    pub fn write<T, E: From<rusqlite::Error>>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write_so(true, write)
    }

    /// As [`StateDb::write`], but without waiting for the disk: it is there after the next write that
    /// waits, and soon in any case. Whatever becomes of this program, it is kept; when the power goes,
    /// the last of these writes may be undone. For what can be done again.
    pub fn write_soon<T, E: From<rusqlite::Error>>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write_so(false, write)
    }

    fn write_so<T, E: From<rusqlite::Error>>(
        &self,
        waits: bool,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = self.writer.lock();
        if writer.shared.is_some() {
            // The log is what makes it durable; a file that lost its last entries hears them again.
            writer.wait_for_disk(false)?;
            let Writer { conn, shared: Some(shared), .. } = &mut *writer else { unreachable!() };
            return shared.write(conn, write);
        }
        let tx = writer.begin(waits)?;
        let result = write(&tx)?;
        tx.commit()?;
        Ok(result)
    }

    /// From now on this database is one of several that are the same: see [`Sharing`]. Applies what
    /// is in the log already. All tables must be there; what was written before stays in this file
    /// alone, unless an [image](Self::image) of it is passed on. Blocks.
    pub fn share(&self, sharing: Sharing) -> Result<(), StateError> {
        self.migrate("shared", shared::MIGRATIONS)?;
        let mut writer = self.writer.lock();
        // As with each write from now on: what the disk loses comes again from the log.
        writer.wait_for_disk(false)?;
        let (position, replaced) = (self.position.clone(), self.is_replaced.clone());
        let shared = Shared::begin(&mut writer.conn, sharing, position, replaced)?;
        writer.shared = Some(shared);
        self.is_shared.store(true, Ordering::Release);
        Ok(())
    }

    /// Forgets how far it was in a log, because the one that it is to share has nothing in it yet. Before
    /// [`share`](Self::share). Blocks.
    pub fn begin_log(&self) -> Result<(), StateError> {
        self.migrate("shared", shared::MIGRATIONS)?;
        self.write(|tx| {
            tx.execute("UPDATE shared_position SET number = 0", [])?;
            Ok(())
        })
    }

    /// Applies an entry that somebody appended to the log; one that is known changes nothing. Blocks.
    pub fn apply(&self, number: u64, entry: &[u8]) -> Result<(), StateError> {
        let mut writer = self.writer.lock();
        writer.wait_for_disk(false)?;
        let Writer { conn, shared: Some(shared), .. } = &mut *writer else { return Ok(()) };
        shared.apply(conn, number, entry)?;
        Ok(())
    }

    /// Whether it is one of several.
    pub fn is_shared(&self) -> bool {
        self.is_shared.load(Ordering::Acquire)
    }

    /// Whether another process has taken over what only one may write ([`Writers::One`]), or a write
    /// that was not answered was taken after all: nothing more can be written here, and a new copy
    /// must be made.
    pub fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Acquire)
    }

    /// The last entry of the log whose transaction is in this file; 0 if it is not shared.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// All of the database as the bytes of one file, with the number of the last entry of the log
    /// that is in it. Only of one that is, or was, shared, and not of one in memory. Blocks.
    pub fn image(&self) -> Result<(u64, Vec<u8>), StateError> {
        self.migrate("shared", shared::MIGRATIONS)?;
        let path = self.path.with_extension("image");
        match &self.reader {
            Some(reader) => shared::image(&lock(reader), &path),
            None => shared::image(&self.writer.lock().conn, &path),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A panic inside a closure rolled its transaction back, so the connection is still good.
fn lock<T>(conn: &Mutex<T>) -> MutexGuard<'_, T> {
    conn.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_step(
    writer: &mut Writer,
    component: &str,
    version: usize,
    step: &str,
) -> rusqlite::Result<()> {
    let tx = writer.begin(true)?;
    tx.execute_batch(step)?;
    tx.execute(
        "INSERT INTO migrations (component, version) VALUES (?1, ?2)
         ON CONFLICT (component) DO UPDATE SET version = excluded.version",
        (component, version as i64),
    )?;
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(db: &StateDb) -> i64 {
        db.read(|conn| conn.query_row("SELECT count(*) FROM a", [], |r| r.get(0))).expect("count")
    }

    #[test]
    fn steps_run_once_and_in_order() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("state.db");
        let first = ["CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"];
        let both = [first[0], "INSERT INTO a SELECT x + 1 FROM a;"];
        StateDb::open(&path).expect("new").migrate("p", &first).expect("first step");
        let db = StateDb::open(&path).expect("again");
        db.migrate("p", &both).expect("second step");
        db.migrate("p", &both).expect("nothing to do");
        assert_eq!(count(&db), 2);
    }

    #[test]
    fn tables_of_a_newer_program_are_refused() {
        let db = StateDb::in_memory().expect("memory");
        db.migrate("p", &["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).expect("two steps");
        let error = db.migrate("p", &["CREATE TABLE a (x)"]).expect_err("newer");
        assert!(matches!(error, StateError::Newer { found: 2, known: 1, .. }), "{error}");
        db.migrate("q", &[]).expect("another part knows nothing of it");
    }

    #[test]
    fn a_failing_step_leaves_nothing_and_says_where() {
        let db = StateDb::in_memory().expect("memory");
        let error = db
            .migrate("p", &["CREATE TABLE a (x)", "INSERT INTO a VALUES (1); nonsense"])
            .expect_err("nonsense");
        assert!(error.to_string().contains("`p` to version 2"), "{error}");
        assert_eq!(count(&db), 0);
        db.migrate("p", &["CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"]).expect("mended");
        assert_eq!(count(&db), 1);
    }

    #[test]
    fn only_writes_that_may_be_undone_do_not_wait_for_the_disk() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = StateDb::open(dir.path().join("state.db")).expect("new");
        db.migrate("p", &["CREATE TABLE a (x)"]).expect("table");
        let mode = |tx: &Transaction<'_>| {
            tx.execute("INSERT INTO a VALUES (1)", [])?;
            tx.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))
        };
        let modes = [db.write(mode), db.write_soon(mode), db.write_soon(mode), db.write(mode)];
        let modes = modes.map(|mode: rusqlite::Result<i64>| mode.expect("written"));
        assert!(modes[0] >= 2 && modes[3] == modes[0], "{modes:?}");
        assert_eq!(modes[1..3], [1, 1]);
        assert_eq!(count(&db), 4);
    }

    #[test]
    fn a_failing_write_leaves_nothing() {
        let db = StateDb::in_memory().expect("memory");
        db.migrate("p", &["CREATE TABLE a (x)"]).expect("table");
        let result: Result<(), StateError> = db.write(|tx| {
            tx.execute("INSERT INTO a VALUES (1)", [])?;
            tx.execute("INSERT INTO nowhere VALUES (1)", [])?;
            Ok(())
        });
        assert!(matches!(result, Err(StateError::Sql(_))));
        assert_eq!(count(&db), 0);
    }

    #[test]
    fn a_read_that_still_runs_holds_up_no_write_and_sees_one_state() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = StateDb::open(dir.path().join("state.db")).expect("new");
        db.migrate("p", &["CREATE TABLE a (x)"]).expect("table");
        let rows = |conn: &Connection| {
            conn.query_row("SELECT count(*) FROM a", [], |r| r.get::<_, i64>(0))
        };
        let (reading, started) = std::sync::mpsc::channel();
        let (wrote, written) = std::sync::mpsc::channel();
        let db = &db;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                started.recv().expect("the read began");
                db.write(|tx| tx.execute("INSERT INTO a VALUES (1)", [])).expect("writes");
                // Nobody listens any more if the write had to wait for the read.
                let _ = wrote.send(());
            });
            let seen = db.read(|conn| {
                let before = rows(conn)?;
                reading.send(()).expect("the writer waits for it");
                let in_time = written.recv_timeout(std::time::Duration::from_secs(20));
                Ok::<_, rusqlite::Error>((before, in_time, rows(conn)?))
            });
            assert_eq!(seen.expect("reads"), (0, Ok(()), 0), "written, but not seen by this read");
        });
        assert_eq!(count(db), 1, "the next read sees it");
    }

    #[test]
    fn a_read_cannot_write_to_the_file() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = StateDb::open(dir.path().join("state.db")).expect("new");
        db.migrate("p", &["CREATE TABLE a (x)"]).expect("table");
        let error = db
            .read(|conn| conn.execute("INSERT INTO a VALUES (1)", []))
            .expect_err("the connection only reads");
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
        assert_eq!(count(&db), 0);
    }

    #[test]
    fn foreign_keys_are_checked() {
        let db = StateDb::in_memory().expect("memory");
        db.migrate(
            "p",
            &["CREATE TABLE a (x INTEGER PRIMARY KEY);
               CREATE TABLE b (x INTEGER REFERENCES a (x));"],
        )
        .expect("tables");
        assert!(db.write(|tx| tx.execute("INSERT INTO b VALUES (5)", [])).is_err());
    }
}
