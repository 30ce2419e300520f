//! Opening SQLite files, checking their format, and saying in the store's words what went wrong.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{StoreError, StoreErrorKind};

/// How long a statement waits for another process (a backup, a person with a shell) to let go.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a write-ahead log grows before it is worked into its file: so much that this is rare,
/// so little that it is quick.
const WAL_BYTES: u32 = 16 << 20;

/// `SQLITE_IOERR_SHMSIZE`: the disk is too full to grow the shared index of the write-ahead log.
const IOERR_SHMSIZE: i32 = 0x0a | (0x13 << 8);

/// A statement that does not fit its tables.
const SQLITE_ERROR: i32 = 1;

/// A kind of database file that belongs to citybrain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// What people call the file.
    pub(crate) name: &'static str,
    /// `PRAGMA application_id`: tells our files from others.
    pub(crate) application: i32,
    /// `PRAGMA user_version`: the layout that this program reads and writes.
    pub(crate) version: i32,
    /// Bytes of a page; only new files take it.
    pub(crate) page_size: u32,
    /// Makes the tables of a new file.
    pub(crate) schema: &'static str,
    /// What makes of a file of the version before the arrow one of the next version, oldest first.
    pub(crate) upgrades: &'static [(i32, &'static str)],
}

impl Format {
    /// Opens a file for writing, makes it if it is not there, and checks that it is of this
    /// format. Every transaction is on the disk when its commit returns.
    pub(crate) fn open(&self, path: &Path) -> Result<Connection, StoreError> {
        let fail = |e| error(&format!("cannot open the {}", self.name), path, e);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        conn.execute_batch(&format!("PRAGMA page_size = {};", self.page_size)).map_err(fail)?;
        make_durable(&conn).map_err(fail)?;
        let checkpoint = WAL_BYTES / self.page_size;
        conn.execute_batch(&format!("PRAGMA wal_autocheckpoint = {checkpoint};")).map_err(fail)?;
        match self.check(&conn, path)? {
            Found::Ours => {}
            Found::Empty => conn
                .execute_batch(&format!(
                    "BEGIN IMMEDIATE; PRAGMA application_id = {}; PRAGMA user_version = {}; {} COMMIT;",
                    self.application, self.version, self.schema
                ))
                .map_err(fail)?,
            Found::Older(version) => self.upgrade(&conn, version).map_err(fail)?,
        }
        Ok(conn)
    }

    /// Makes a new file that nobody else sees until it is finished: nothing in it is safe before.
    pub(crate) fn build(&self, path: &Path) -> Result<Connection, StoreError> {
        let fail = |e| error(&format!("cannot make a {}", self.name), path, e);
        let conn = Connection::open(path).map_err(fail)?;
        conn.execute_batch(&format!(
            "PRAGMA page_size = {}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA application_id = {}; PRAGMA user_version = {}; {} BEGIN;",
            self.page_size, self.application, self.version, self.schema
        ))
        .map_err(fail)?;
        Ok(conn)
    }

    /// Ends what [`Self::build`] began, or closes a file that is to be moved: all of it is in the
    /// one file, and on the disk.
    pub(crate) fn finish_build(&self, conn: Connection, path: &Path) -> Result<(), StoreError> {
        let fail = |e| error(&format!("cannot finish a {}", self.name), path, e);
        if !conn.is_autocommit() {
            conn.execute_batch("COMMIT; PRAGMA journal_mode = WAL;").map_err(fail)?;
        }
        conn.close().map_err(|(_, e)| fail(e))?;
        std::fs::File::open(path).and_then(|file| file.sync_all()).map_err(|e| {
            let kind = match e.kind() {
                std::io::ErrorKind::StorageFull => StoreErrorKind::Full,
                _ => StoreErrorKind::Other,
            };
            StoreError::new(kind, format!("cannot finish {}: {e}", path.display())).caused_by(e)
        })
    }

    /// Brings a file of an older version to this one, step by step, each whole or not at all.
    fn upgrade(&self, conn: &Connection, version: i32) -> rusqlite::Result<()> {
        for (from, change) in self.upgrades.iter().filter(|(from, _)| *from >= version) {
            conn.execute_batch(&format!(
                "BEGIN IMMEDIATE; {change} PRAGMA user_version = {}; COMMIT;",
                from + 1
            ))?;
        }
        Ok(())
    }

    /// Opens a file for reading.
    pub(crate) fn open_reader(&self, path: &Path) -> Result<Connection, StoreError> {
        let fail = |e| error(&format!("cannot open the {}", self.name), path, e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        match self.check(&conn, path) {
            Ok(Found::Ours) => return Ok(conn),
            // A crash left something that only a writer may end: a journal to be rolled back.
            Err(error) if error.kind == StoreErrorKind::ReadOnly => {}
            Err(error) => return Err(error),
            // A crash cut the making of this file short, or it is of before: finish it.
            Ok(Found::Empty | Found::Older(_)) => {}
        }
        drop(conn);
        drop(self.open(path)?);
        let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        Ok(conn)
    }

    /// Opens a file that must be of this format, and changes nothing, whatever is in it.
    pub(crate) fn open_only_to_read(&self, path: &Path) -> Result<Connection, StoreError> {
        let fail = |e| error(&format!("cannot open the {}", self.name), path, e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(fail)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        match self.check(&conn, path)? {
            Found::Ours | Found::Older(_) => Ok(conn),
            Found::Empty => Err(StoreError::new(
                StoreErrorKind::Corrupt,
                format!("{} is empty; it should be a {}", path.display(), self.name),
            )),
        }
    }

    /// A column that this format has and the file lacks, or has otherwise.
    pub(crate) fn wrong_table(&self, conn: &Connection) -> rusqlite::Result<Option<String>> {
        const COLUMNS: &str = "SELECT m.name || '.' || c.name || ' ' || c.type ||
                                      iif(c.pk > 0, ' PRIMARY KEY', '') ||
                                      iif(c.\"notnull\", ' NOT NULL', '')
                               FROM sqlite_schema m, pragma_table_info(m.name) c
                               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
        let columns = |conn: &Connection| -> rusqlite::Result<BTreeSet<String>> {
            conn.prepare(COLUMNS)?.query_map([], |row| row.get(0))?.collect()
        };
        let version: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != self.version {
            return Ok(None);
        }
        let model = Connection::open_in_memory()?;
        model.execute_batch(self.schema)?;
        let there = columns(conn)?;
        let missing = columns(&model)?.into_iter().find(|column| !there.contains(column));
        Ok(missing.map(|column| format!("there is no {column}")))
    }

    /// Whether a file is one of which the making has only begun.
    pub(crate) fn is_empty(&self, path: &Path) -> bool {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(path, flags)
            .is_ok_and(|conn| self.check(&conn, path).is_ok_and(|found| found == Found::Empty))
    }

    fn check(&self, conn: &Connection, path: &Path) -> Result<Found, StoreError> {
        let fail = |e| error(&format!("cannot read the {}", self.name), path, e);
        let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let version = pragma("user_version").map_err(fail)?;
        let application = pragma("application_id").map_err(fail)?;
        if version == 0 && application == 0 {
            let tables: i64 = conn
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .map_err(fail)?;
            if tables == 0 {
                return Ok(Found::Empty);
            }
        }
        if application != self.application {
            return Err(StoreError::new(
                StoreErrorKind::Version,
                format!(
                    "{} is not a {} of citybrain; move it away or choose another data directory",
                    path.display(),
                    self.name
                ),
            ));
        }
        if version < self.version && self.upgrades.iter().any(|(from, _)| *from == version) {
            return Ok(Found::Older(version));
        }
        if version != self.version {
            return Err(StoreError::new(
                StoreErrorKind::Version,
                format!(
                    "{} has format {version}, but this program knows format {}; run the version \
                     of citybrain that wrote it, or a newer one",
                    path.display(),
                    self.version
                ),
            ));
        }
        Ok(Found::Ours)
    }
}

#[derive(PartialEq, Eq)]
enum Found {
    Empty,
    Ours,
    /// Of an older version that can be brought to this one.
    Older(i32),
}

/// What is odd about the header of a file that SQLite reads all the same: with it nothing could be
/// written there any more. <https://www.sqlite.org/fileformat.html#the_database_header>
pub(crate) fn odd_header(path: &Path) -> Option<String> {
    use std::io::Read as _;

    let mut header = [0; 24];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    let [write, read, _, fractions @ ..] =
        header[18..24].try_into().unwrap_or([1, 1, 0, 64, 32, 32]);
    let known = |version: u8| (1..=2).contains(&version);
    let sound = known(write) && known(read) && fractions == [64, 32, 32];
    (!sound).then(|| "its header is damaged".to_owned())
}

/// Write-ahead log, and an fsync in every commit.
pub(crate) fn make_durable(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = 67108864;",
    )
}

/// Says what failed, on which file, and how to mend it.
pub(crate) fn error(what: &str, path: &Path, source: rusqlite::Error) -> StoreError {
    let kind = kind(&source);
    let hint = match kind {
        StoreErrorKind::Full => "; free some space on this disk, work goes on by itself then",
        StoreErrorKind::ReadOnly => {
            "; let citybrain's user read and write this file and its folder"
        }
        StoreErrorKind::Busy => "; another program holds the file, it is tried again",
        StoreErrorKind::Corrupt => {
            "; the file is damaged: restore it from a backup, or stop citybrain and run `citybrain store \
             repair`"
        }
        _ => "",
    };
    StoreError::new(kind, format!("{what} {}: {source}{hint}", path.display())).caused_by(source)
}

fn kind(error: &rusqlite::Error) -> StoreErrorKind {
    if matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
            // All statements are known to fit the tables: then these are not as they were made.
            | rusqlite::Error::SqlInputError { .. }
    ) {
        return StoreErrorKind::Corrupt;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::Unknown) if error.sqlite_extended_error_code() == Some(SQLITE_ERROR) => {
            StoreErrorKind::Corrupt
        }
        Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
        Some(ErrorCode::SystemIoFailure)
            if error.sqlite_extended_error_code() == Some(IOERR_SHMSIZE) =>
        {
            StoreErrorKind::Full
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            StoreErrorKind::ReadOnly
        }
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreErrorKind::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format {
        name: "test file",
        application: 7,
        version: 2,
        page_size: 4096,
        schema: "CREATE TABLE t (a INTEGER, b INTEGER);",
        upgrades: &[(1, "ALTER TABLE t ADD COLUMN b INTEGER;")],
    };

    fn in_dir(test: impl FnOnce(&Path)) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        test(&dir.path().join("x.db"));
    }

    #[test]
    fn a_new_file_is_made_and_opens_again() {
        in_dir(|path| {
            FORMAT
                .open(path)
                .expect("new")
                .execute("INSERT INTO t (a) VALUES (1)", [])
                .expect("row");
            let conn = FORMAT.open_reader(path).expect("again");
            let rows: i64 =
                conn.query_row("SELECT count(*) FROM t", [], |r| r.get(0)).expect("count");
            assert_eq!(rows, 1);
        });
    }

    #[test]
    fn a_newer_file_is_refused_with_both_versions() {
        in_dir(|path| {
            Format { version: 3, ..FORMAT }.open(path).expect("new");
            let error = FORMAT.open(path).expect_err("newer");
            assert_eq!(error.kind, StoreErrorKind::Version);
            assert!(error.message.contains("format 3") && error.message.contains("format 2"));
        });
    }

    #[test]
    fn a_file_of_before_is_brought_to_this_version_and_keeps_what_is_in_it() {
        let before =
            Format { version: 1, schema: "CREATE TABLE t (a INTEGER);", upgrades: &[], ..FORMAT };
        for reader in [false, true] {
            in_dir(|path| {
                let conn = before.open(path).expect("new");
                conn.execute("INSERT INTO t VALUES (7)", []).expect("row");
                drop(conn);
                FORMAT.open_only_to_read(path).expect("as it is");
                let conn = if reader { FORMAT.open_reader(path) } else { FORMAT.open(path) };
                let conn = conn.expect("upgraded");
                let row: (i64, Option<i64>) = conn
                    .query_row("SELECT a, b FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)))
                    .expect("a row");
                assert_eq!(row, (7, None));
                assert_eq!(before.open(path).expect_err("newer").kind, StoreErrorKind::Version);
            });
        }
    }

    #[test]
    fn a_strange_file_is_refused() {
        in_dir(|path| {
            Format { application: 8, ..FORMAT }.open(path).expect("new");
            assert_eq!(FORMAT.open(path).expect_err("strange").kind, StoreErrorKind::Version);
        });
        in_dir(|path| {
            std::fs::write(path, vec![b'x'; 8192]).expect("write");
            assert_eq!(FORMAT.open(path).expect_err("no database").kind, StoreErrorKind::Corrupt);
        });
    }

    #[test]
    fn a_file_that_may_not_grow_is_full() {
        in_dir(|path| {
            let conn = FORMAT.open(path).expect("new");
            conn.execute_batch("PRAGMA max_page_count = 3; CREATE TABLE b (x BLOB);").expect("cap");
            let source =
                conn.execute("INSERT INTO b VALUES (zeroblob(100000))", []).expect_err("full");
            let error = error("cannot write", path, source);
            assert_eq!(error.kind, StoreErrorKind::Full);
            assert!(error.is_transient() && error.message.contains("free some space"));
        });
    }
}
