//! Crashes at the worst moment, torn writes, flipped bytes, a full disk, files in the way.

use rusqlite::Connection;

use super::*;

/// Ten commits of five readings over two hours, one dead letter each.
fn fill(store: &Embedded) {
    for i in 0..10 {
        let mut commit = commit((0..5).map(|d| reading(series(d, 1), i * 700, 1.0)));
        commit.dead_letters.push(letter("syntax", 1));
        store.commit(&commit).expect("commits");
    }
}

fn count(store: &Embedded) -> u64 {
    store.count(None, TimeRange::ALL).expect("countable")
}

/// Stored and dead-lettered items of everything, by device and by source.
fn totals(store: &Embedded) -> ((u64, u64), (u64, u64)) {
    let (mut devices, mut sources) = ((0, 0), (0, 0));
    for (key, counters) in store.ledger() {
        let sums = if matches!(key, LedgerKey::Source(_)) { &mut sources } else { &mut devices };
        sums.0 += counters.stored;
        sums.1 += counters.dead_lettered;
        assert_eq!(
            counters.received,
            counters.stored + counters.duplicate + counters.dead_lettered,
            "{key:?}"
        );
    }
    (devices, sources)
}

#[test]
fn a_crash_between_sealing_and_cutting_loses_and_doubles_nothing() {
    let (dir, crashed) = (temp(), temp());
    let store = open(dir.path());
    fill(&store);
    snapshot(dir.path(), crashed.path());
    store.flush().expect("flushes");
    // The chunks as they are after sealing, the log as it was before.
    snapshot(&dir.path().join("chunks"), &crashed.path().join("chunks"));
    let again = open(crashed.path());
    assert_eq!(count(&again), 50);
    assert_eq!(totals(&again), ((50, 10), (50, 10)));
    assert_eq!(again.head.readings(), 0, "what is sealed is not read back in");
    again.commit(&commit([reading(series(0, 1), 5, 1.0)])).expect("commits");
    again.flush().expect("flushes");
    assert_eq!((count(&again), count(&open_copy(crashed.path()).1)), (51, 51));
}

fn open_copy(dir: &Path) -> (tempfile::TempDir, Embedded) {
    let copy = temp();
    snapshot(dir, copy.path());
    let store = open(copy.path());
    (copy, store)
}

#[test]
fn a_torn_log_gives_whole_commits_and_no_more() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    let wal = std::fs::read(dir.path().join("ingest.db-wal")).expect("a write-ahead log");
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..=40 {
        let torn = temp();
        snapshot(dir.path(), torn.path());
        let mut cut = wal[..wal.len() * part / 40].to_vec();
        // What was on the disk there before.
        cut.resize(wal.len(), 0xa5);
        std::fs::write(torn.path().join("ingest.db-wal"), cut).expect("writes");
        // The index of the log is not on the disk after a crash.
        let _ = std::fs::remove_file(torn.path().join("ingest.db-shm"));
        let Ok((again, recovery)) = Embedded::open(torn.path(), Options::default()) else {
            assert!(part < 10, "only the very beginning may be no store at all");
            continue;
        };
        let commits = recovery.log_commits;
        assert_eq!(count(&again), commits * 5);
        assert_eq!(totals(&again), ((commits * 5, commits), (commits * 5, commits)));
        assert_eq!(again.head_seq(), commits);
        let letters =
            again.dead_letters(LettersFrom::Newest, None, 100).expect("readable").items.len();
        assert_eq!(letters as u64, commits);
        seen.insert(commits);
    }
    assert_eq!(seen.last(), Some(&10), "the whole log gives everything");
    assert!(seen.len() > 3, "the cuts fall into different commits: {seen:?}");
}

/// Flips a bit in the chunk of device 2 in the first hour.
fn damage_chunk(dir: &Path) {
    let conn = Connection::open(dir.join("chunks/2026-11-23.db")).expect("opens");
    let id: i64 = conn
        .query_row("SELECT min(id) FROM chunks WHERE id & 4294967295 = 2", [], |row| row.get(0))
        .expect("a chunk");
    let mut chunk: Vec<u8> = conn
        .query_row("SELECT chunk FROM chunks WHERE id = ?1", [id], |row| row.get(0))
        .expect("a chunk");
    let middle = chunk.len() / 2;
    chunk[middle] ^= 0x10;
    conn.execute("UPDATE chunks SET chunk = ?2 WHERE id = ?1", (id, chunk)).expect("updates");
}

#[test]
fn a_flipped_bit_is_found_and_named_and_the_rest_is_served() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    store.flush().expect("flushes");
    damage_chunk(dir.path());
    let all = TimeRange::ALL;
    let step = Span::from_hours(1);
    let errors = [
        store.raw(series(2, 1), all, 100).expect_err("damaged"),
        store.track(device(2), all, 100).expect_err("damaged"),
        store
            .buckets(&[series(1, 1), series(2, 1)], all, step, &Cancel::never())
            .expect_err("damaged"),
    ];
    for error in errors {
        assert_eq!(error.kind, StoreErrorKind::Corrupt);
        for part in ["device 2", "2026-11-23T01:00:00Z", "2026-11-23.db", "checksum"] {
            assert!(error.message.contains(part), "{error}");
        }
    }
    assert_eq!(store.raw(series(1, 1), all, 100).expect("sound").len(), 10);
    let second_hour = TimeRange { from: t(3_600), to: t(7_200) };
    assert_eq!(store.raw(series(2, 1), second_hour, 100).expect("sound").len(), 4);
    assert_eq!(count(&store), 50, "the row beside the chunk is sound");
}

#[test]
fn verifying_finds_every_damage_and_names_its_place() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    let mut seen = Vec::new();
    let mut check =
        || verify(dir.path(), |path, _, _| seen.push(path.to_owned())).expect("a store");
    let (logged, sealed) = (check(), {
        store.flush().expect("flushes");
        check()
    });
    assert_eq!((logged.commits, logged.chunks, logged.damages), (10, 0, vec![]));
    assert_eq!((sealed.files, sealed.chunks, sealed.readings), (2, 10, 50), "beside the store");
    assert_eq!(sealed.damages, []);
    damage_chunk(dir.path());
    let conn = Connection::open(dir.path().join("chunks/2026-11-23.db")).expect("opens");
    conn.execute("UPDATE chunks SET readings = 9 WHERE id & 4294967295 = 3", []).expect("updates");
    // As after a copy that mixed up two rows.
    conn.execute("UPDATE chunks SET id = id + 100 WHERE id & 4294967295 = 4", []).expect("moves");
    conn.execute("DELETE FROM seals WHERE window = (SELECT min(window) FROM seals)", [])
        .expect("deletes");
    drop(store);
    let log = Connection::open(dir.path().join("ingest.db")).expect("opens");
    log.execute("INSERT OR REPLACE INTO log VALUES (4, x'0102030405060708')", []).expect("damages");
    log.execute("UPDATE snapshots SET payload = x'ff' WHERE name = 'last_values'", [])
        .expect("damages");
    let found = verify(dir.path(), |_, _, _| {}).expect("a store");
    let told: Vec<String> = found.damages.iter().map(ToString::to_string).collect();
    for parts in [
        ["ingest.db: commit 4 in the log", "unknown version"],
        ["ingest.db: the snapshot `last_values`", ""],
        ["2026-11-23.db: 1 windows have chunks, but no note", ""],
        ["device 2 in the window from 2026-11-23T01:00:00Z", "checksum"],
        ["device 3 in the window from", "its row notes 9 readings"],
        ["device 104 in the window from", "checksum"],
    ] {
        let said = |line: &&String| parts.iter().all(|part| line.contains(part));
        assert!(told.iter().any(|line| said(&line)), "{parts:?} in {told:#?}");
    }
    assert!(found.readings >= 30, "the rest is read: {}", found.readings);
}

#[test]
fn verifying_tells_files_that_are_not_what_they_should_be() {
    let dir = temp();
    assert_eq!(verify(dir.path(), |_, _, _| {}).expect_err("none").kind, StoreErrorKind::Invalid);
    let store = open(dir.path());
    fill(&store);
    store.flush().expect("flushes");
    drop(store);
    let file = dir.path().join("chunks/2026-11-23.db");
    let mut bytes = std::fs::read(&file).expect("reads");
    // A page of the table of chunks.
    let page = bytes.len() - 16384;
    bytes[page..page + 200].fill(0xa5);
    std::fs::write(&file, bytes).expect("writes");
    std::fs::write(dir.path().join("chunks/2026-11-24.db"), "not a database at all")
        .expect("writes");
    std::fs::write(dir.path().join("chunks/2026-11-25.db"), "").expect("writes");
    let found = verify(dir.path(), |_, _, _| {}).expect("a store");
    let told: Vec<String> = found.damages.iter().map(ToString::to_string).collect();
    assert_eq!(found.files, 4);
    for part in ["2026-11-23.db", "2026-11-24.db", "2026-11-25.db is empty"] {
        assert!(told.iter().any(|line| line.contains(part)), "{part} in {told:#?}");
    }
    assert_eq!(std::fs::read(dir.path().join("chunks/2026-11-25.db")).expect("reads"), b"");
}

#[test]
fn readings_for_a_damaged_chunk_are_kept_and_so_is_the_chunk() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    store.flush().expect("flushes");
    damage_chunk(dir.path());
    let report = store.commit(&commit([reading(series(2, 1), 9, 5.0)])).expect("ingest goes on");
    assert_eq!(report.outcomes, [Outcome::Stored]);
    let error = store.raw(series(2, 1), TimeRange::ALL, 100).expect_err("not as if all were well");
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    store.flush().expect("flushes");
    let points = store.raw(series(2, 1), TimeRange::ALL, 100).expect("readable");
    assert_eq!(points.len(), 1 + 4, "the new one, and those of the second hour");
    let conn = Connection::open(dir.path().join("chunks/2026-11-23.db")).expect("opens");
    let aside: i64 =
        conn.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0)).expect("count");
    assert_eq!(aside, 1, "put aside, not overwritten");
}

/// Makes the day file one of another version; says which it was.
fn set_version(dir: &Path, version: i32) -> i32 {
    let conn = Connection::open(dir.join("chunks/2026-11-23.db")).expect("opens");
    let before = conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("readable");
    conn.pragma_update(None, "user_version", version).expect("writable");
    before
}

#[test]
fn a_day_file_of_another_version_stops_no_ingest_and_loses_nothing() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    store.flush().expect("flushes");
    drop(store);
    let known = set_version(dir.path(), 9);
    let store = open(dir.path());
    let other_day = 3 * 86_400;
    let late = commit([reading(series(2, 1), 9, 5.0), reading(series(2, 1), other_day, 5.0)]);
    let report = store.commit(&late).expect("ingest goes on");
    assert_eq!(report.outcomes, [Outcome::Stored; 2]);
    let error = store.flush().expect_err("nothing is written into such a file");
    assert_eq!(error.kind, StoreErrorKind::Version);
    assert!(error.message.contains("2026-11-23.db has format 9"), "{error}");
    store.raw(series(2, 1), TimeRange::ALL, 100).expect_err("not as if all were well");
    let after = TimeRange { from: t(other_day), to: t(other_day + 1) };
    assert_eq!(store.raw(series(2, 1), after, 100).expect("sound").len(), 1);
    drop(store);
    drop(open(dir.path()));
    set_version(dir.path(), known);
    let store = open(dir.path());
    assert_eq!(store.raw(series(2, 1), TimeRange::ALL, 100).expect("readable").len(), 10 + 2);
    assert_eq!(count(&store), 52, "what was sealed and what came meanwhile");
}

#[test]
fn a_damaged_log_is_named() {
    let dir = temp();
    drop({
        let store = open(dir.path());
        fill(&store);
        store
    });
    let conn = Connection::open(dir.path().join("ingest.db")).expect("opens");
    conn.execute("UPDATE log SET payload = x'0102030405060708' WHERE seq = 4", []).expect("damage");
    drop(conn);
    let error = Embedded::open(dir.path(), Options::default()).expect_err("damaged");
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    assert!(error.message.contains("commit 4") && error.message.contains("ingest.db"), "{error}");
}

#[test]
fn a_full_disk_holds_commits_up_and_nothing_else() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    let before = (count(&store), store.ledger(), store.head_seq(), store.last(series(1, 1)));
    store.writer().db.limit_pages(1);
    // Enough for several pages; some of it known.
    let texts = (0..2_000).map(|i| {
        let text = format!("{i:0>100}");
        reading(series(1, ((i + 1) % 2) as u16), i * 350, text.as_str())
    });
    let mut big = commit(texts);
    big.dead_letters.push(letter("syntax", 1));
    for _ in 0..2 {
        let error = store.commit(&big).expect_err("full");
        assert_eq!(error.kind, StoreErrorKind::Full, "{error}");
        let now = (count(&store), store.ledger(), store.head_seq(), store.last(series(1, 1)));
        assert_eq!(now, before, "nothing of it is left");
        assert_eq!(
            store.dead_letters(LettersFrom::Newest, None, 100).expect("readable").items.len(),
            10
        );
    }
    store.writer().db.limit_pages(1_000_000);
    let report = store.commit(&big).expect("there is room again");
    assert_eq!(report.seq, 11);
    let known = report.outcomes.iter().filter(|o| **o == Outcome::Duplicate).count();
    assert_eq!((known, count(&store)), (10, 50 + 1_990));
}

#[test]
fn a_window_that_cannot_be_sealed_stays_in_memory_and_in_the_log() {
    let dir = temp();
    let store = open(dir.path());
    fill(&store);
    let in_the_way = dir.path().join("chunks/2026-11-23.db");
    std::fs::create_dir(&in_the_way).expect("a folder in the way");
    let error = store.flush().expect_err("cannot be sealed");
    assert!(error.is_transient(), "{error}");
    assert!(error.message.contains("2026-11-23.db"), "{error}");
    assert_eq!(count(&store), 50);
    assert!(store.stats().log_bytes > 0);
    std::fs::remove_dir(&in_the_way).expect("out of the way");
    assert_eq!(count(&open_copy(dir.path()).1), 50);
    store.flush().expect("sealed");
    assert_eq!((count(&store), store.stats().log_bytes, store.head.readings()), (50, 0, 0));
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let dir = temp();
    drop(open(dir.path()));
    let conn = Connection::open(dir.path().join("ingest.db")).expect("opens");
    conn.execute_batch("PRAGMA user_version = 9").expect("a newer version");
    drop(conn);
    let error = Embedded::open(dir.path(), Options::default()).expect_err("newer");
    assert_eq!(error.kind, StoreErrorKind::Version);
    assert!(error.message.contains("format 9"), "{error}");
}
