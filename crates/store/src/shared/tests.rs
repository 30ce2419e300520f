//! Several files, one log in memory.

use std::sync::{Mutex, PoisonError};

use super::*;
use crate::StateDb;

/// A log as the bus keeps it, in memory.
#[derive(Default)]
struct Log {
    entries: Mutex<Vec<Vec<u8>>>,
    /// Appends that fail from now on.
    fails: Mutex<u32>,
}

impl SharedLog for Log {
    fn append(&self, after: u64, entry: &[u8]) -> Result<u64, AppendError> {
        let mut fails = self.fails.lock().unwrap_or_else(PoisonError::into_inner);
        if *fails > 0 {
            *fails -= 1;
            return Err(AppendError::Unavailable("no leader".to_owned()));
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() as u64 != after {
            return Err(AppendError::Conflict);
        }
        entries.push(entry.to_vec());
        Ok(entries.len() as u64)
    }

    fn entries(&self, after: u64, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), String> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (number, entry) in (1..).zip(entries).filter(|(number, _)| *number > after) {
            each(number, &entry);
        }
        Ok(())
    }
}

const TABLES: &str = "
    CREATE TABLE device (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, place REAL, bytes BLOB);
    CREATE TABLE note (device INTEGER REFERENCES device (id) ON DELETE CASCADE, text TEXT);
    CREATE TABLE pair (a TEXT, b INTEGER, c, PRIMARY KEY (a, b)) WITHOUT ROWID;";

struct Node {
    db: StateDb,
    heard: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

fn node(log: &Arc<Log>, writers: Writers) -> Node {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = StateDb::open(folder.path().join("state.db")).expect("new");
    db.migrate("p", &[TABLES]).expect("tables");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    let listener = Box::new(move |tables: &BTreeSet<String>| {
        hears.lock().expect("not poisoned").extend(tables.iter().cloned());
    });
    db.share(Sharing { log: log.clone(), writers, listener }).expect("shared");
    Node { db, heard, folder }
}

impl Node {
    fn run(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.db.write(|tx| tx.execute_batch(sql))
    }

    fn follow(&self, log: &Log) {
        log.entries(self.db.position(), &mut |number, entry| {
            self.db.apply(number, entry).expect("applied");
        })
        .expect("readable");
    }

    /// All rows of all tables with their numbers, as SQL writes them.
    fn rows(&self) -> Vec<String> {
        let sql = "SELECT 'd', id, quote(name), quote(place), quote(bytes) FROM device
                   UNION ALL SELECT 'n', rowid, quote(device), quote(text), '' FROM note
                   UNION ALL SELECT 'p', b, quote(a), quote(c), '' FROM pair ORDER BY 1, 2, 3";
        self.db
            .read(|conn| {
                conn.prepare(sql)?
                    .query_map([], |row| {
                        let texts: Vec<String> =
                            (2..5).map(|n| row.get(n)).collect::<rusqlite::Result<_>>()?;
                        Ok(format!(
                            "{}{} {}",
                            row.get::<_, String>(0)?,
                            row.get::<_, i64>(1)?,
                            texts.join(" ")
                        ))
                    })?
                    .collect::<rusqlite::Result<Vec<String>>>()
            })
            .expect("rows")
    }
}

const WORK: [&str; 7] = [
    "INSERT INTO device (name, place, bytes) VALUES ('水位 ''1''', 0.1, x'00ff'), ('b', 1e300, NULL)",
    "INSERT INTO note VALUES (1, 'a' || char(0) || 'b'), (2, ''), (2, NULL)",
    "INSERT INTO pair VALUES ('x', 1, 2.0), ('x', 2, 'text')",
    "UPDATE pair SET b = 3, c = c || '!' WHERE b = 2; UPDATE device SET place = -5.0 WHERE id = 1",
    "INSERT INTO pair VALUES ('x', 1, 9) ON CONFLICT DO UPDATE SET c = excluded.c",
    "DELETE FROM device WHERE id = 2",
    "REPLACE INTO device (id, name) VALUES (7, '水位 ''1''')",
];

#[test]
fn whatever_is_written_to_one_file_is_in_all() {
    let log = Arc::new(Log::default());
    let (one, two) = (node(&log, Writers::Several), node(&log, Writers::Several));
    for (n, sql) in WORK.iter().enumerate() {
        one.run(sql).expect(sql);
        two.follow(&log);
        assert_eq!(one.rows(), two.rows(), "after step {n}: {sql}");
    }
    assert!(one.rows().len() >= 3, "{:?}", one.rows());
    let late = node(&log, Writers::Several);
    assert_eq!(late.rows(), one.rows(), "who comes late catches up");
    assert_eq!(late.db.position(), WORK.len() as u64);
    assert_eq!(*one.heard.lock().expect("heard"), Vec::<String>::new(), "one's own is no news");
    assert!(two.heard.lock().expect("heard").contains(&"pair".to_owned()));
    // The next number of a table that counts is the same everywhere.
    two.run("INSERT INTO device (name) VALUES ('next')").expect("written");
    assert!(two.rows().iter().any(|row| row.starts_with("d8 'next'")), "{:?}", two.rows());
}

#[test]
fn changes_of_two_writers_stand_beside_each_other_unless_they_are_of_the_same_rows() {
    let log = Arc::new(Log::default());
    let (one, two) = (node(&log, Writers::Several), node(&log, Writers::Several));
    one.run(WORK[0]).expect("written");
    // Two does not know of that yet.
    two.run("INSERT INTO pair VALUES ('y', 1, 1)").expect("put on top");
    one.run("UPDATE pair SET c = 2 WHERE a = 'y'").expect("nothing there to be changed yet");
    one.follow(&log);
    assert_eq!(one.rows(), two.rows());
    one.run("UPDATE pair SET c = 5").expect("written");
    let error = two.run("UPDATE pair SET c = 6").expect_err("the same row");
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    assert_eq!(one.rows(), two.rows(), "the loser has what the winner wrote");
    two.run("UPDATE pair SET c = 6").expect("once more");
    // The same unique name in another row.
    let error = one
        .run("INSERT INTO device (id, name) VALUES (70, 'c')")
        .map(|()| two.run("INSERT INTO device (id, name) VALUES (80, 'c')"));
    assert!(matches!(error, Ok(Err(_))), "{error:?}");
    one.follow(&log);
    two.follow(&log);
    assert_eq!(one.rows(), two.rows());
}

#[test]
fn who_was_replaced_writes_nothing_any_more() {
    let log = Arc::new(Log::default());
    let old = node(&log, Writers::One);
    old.run(WORK[2]).expect("written");
    let new = node(&log, Writers::One);
    new.run("UPDATE pair SET c = 1").expect("the new owner's");
    assert!(!old.db.is_replaced(), "it does not know yet");
    for _ in 0..2 {
        let error = old.run("UPDATE pair SET c = 7 WHERE b = 1").expect_err("replaced");
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly), "{error}");
        assert!(old.db.is_replaced() && !new.db.is_replaced());
    }
    assert_eq!(log.entries.lock().expect("entries").len(), 2);
}

#[test]
fn what_the_log_does_not_take_is_not_kept() {
    let log = Arc::new(Log::default());
    let one = node(&log, Writers::Several);
    *log.fails.lock().expect("not poisoned") = 1;
    let error = one.run(WORK[0]).expect_err("no leader");
    assert!(error.to_string().contains("no leader"), "{error}");
    assert_eq!(one.rows(), Vec::<String>::new());
    one.run(WORK[0]).expect("there is one again");
    assert_eq!(one.rows().len(), 2);
}

#[test]
fn large_transactions_come_in_pieces_and_half_of_one_changes_nothing() {
    let log = Arc::new(Log::default());
    let (one, two) = (node(&log, Writers::Several), node(&log, Writers::Several));
    let many = "INSERT INTO device (name, bytes)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                SELECT 'device ' || i, randomblob(200) FROM n";
    one.run(many).expect("written");
    let pieces = log.entries.lock().expect("entries").len();
    assert!(pieces > 2, "{pieces}");
    two.follow(&log);
    assert_eq!(one.rows(), two.rows());
    // A writer that stopped in the middle: what it began is nobody's.
    let half = Entry { part: 0, of: 2, changes: Vec::new() }.encode();
    log.append(pieces as u64, &half).expect("appended");
    one.run(WORK[2]).expect("goes on after it");
    two.follow(&log);
    let late = node(&log, Writers::Several);
    assert_eq!(one.rows(), two.rows());
    assert_eq!(one.rows(), late.rows());
}

#[test]
fn an_image_is_where_a_new_file_begins() {
    let log = Arc::new(Log::default());
    let one = node(&log, Writers::Several);
    for sql in WORK {
        one.run(sql).expect(sql);
    }
    let (number, bytes) = one.db.image().expect("an image");
    assert_eq!(number, WORK.len() as u64);
    one.run("INSERT INTO note VALUES (7, 'later')").expect("written");
    let path = one.folder.path().join("copy.db");
    std::fs::write(&path, bytes).expect("written");
    let db = StateDb::open(&path).expect("a database");
    db.migrate("p", &[TABLES]).expect("nothing to do");
    let begun = db.read(|conn| {
        conn.query_row("SELECT number FROM shared_position", [], |r| r.get::<_, i64>(0))
    });
    assert_eq!(begun.expect("a position"), WORK.len() as i64);
    let listener = Box::new(|_: &BTreeSet<String>| ());
    db.share(Sharing { log: log.clone(), writers: Writers::Several, listener }).expect("shared");
    let copy = Node { db, heard: Arc::default(), folder: tempfile::tempdir().expect("a folder") };
    assert_eq!(copy.rows(), one.rows());
}

#[test]
fn an_entry_of_another_version_is_refused_with_what_to_do() {
    let log = Arc::new(Log::default());
    let one = node(&log, Writers::Several);
    let error = one.db.apply(1, &[9, 1, 2]).expect_err("unknown");
    assert!(error.to_string().contains("run the same version"), "{error}");
    let fits_not = Entry {
        part: 0,
        of: 1,
        changes: vec![Change {
            table: "gone".to_owned(),
            key: String::new(),
            sql: "DELETE FROM gone".to_owned(),
        }],
    };
    let error = one.db.apply(2, &fits_not.encode()).expect_err("no such table");
    assert!(error.to_string().contains("made anew from the bus"), "{error}");
}
