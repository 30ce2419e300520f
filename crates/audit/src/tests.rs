//! The chain against every way of tampering, crashes between a change and its entry, and several
//! writers at once.

use std::sync::Arc;

use city_model::Timestamp;
use city_store::{StateDb, StateError};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    AuditLog, Break, Checker, Departments, Entry, Filter, NewEntry, Outcome, Via, from_json_line,
    to_csv, to_json_line,
};

const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

fn memory() -> AuditLog {
    AuditLog::open(Arc::new(StateDb::in_memory().expect("a database"))).expect("tables")
}

fn on_disk(folder: &tempfile::TempDir) -> AuditLog {
    let state = StateDb::open(folder.path().join("state.db")).expect("a database");
    AuditLog::open(Arc::new(state)).expect("tables")
}

fn change(number: u64) -> NewEntry {
    let at = Timestamp::from_micros(NOW.micros() + number as i64 * 1_000_000);
    NewEntry {
        user: Some(if number.is_multiple_of(2) { "ada" } else { "bo" }.to_owned()),
        address: Some("192.0.2.1".to_owned()),
        target: Some(format!("air-{number}")),
        department: number.is_multiple_of(3).then(|| "environment".to_owned()),
        before: Some(json!({ "n": number })),
        after: number.is_multiple_of(2).then(|| json!({ "n": number + 1 })),
        status: Some(200),
        ..NewEntry::new(at, Via::Token, "put_device")
    }
}

fn filled(log: &AuditLog, count: u64) {
    for number in 1..=count {
        log.finish(None, change(number)).expect("written");
    }
}

/// Changes the log as only somebody can who takes its guards away first, and puts them back.
fn tamper(log: &AuditLog, sql: &str) {
    log.state()
        .write(|tx| {
            let guards: Vec<(String, String)> = tx
                .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (name, _) in &guards {
                tx.execute_batch(&format!("DROP TRIGGER {name}"))?;
            }
            tx.execute_batch(sql)?;
            for (_, sql) in &guards {
                tx.execute_batch(sql)?;
            }
            Ok::<_, StateError>(())
        })
        .expect("tampered with");
}

fn broken(log: &AuditLog) -> Option<Break> {
    log.verify(|_| true).expect("read").expect("not stopped").broken
}

fn all(log: &AuditLog) -> Vec<Entry> {
    log.oldest(&Filter::default(), 0, 10_000).expect("read").items
}

#[test]
fn a_log_that_nobody_touched_is_intact() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = on_disk(&folder);
    let empty = log.verify(|_| true).expect("read").expect("not stopped");
    assert_eq!((empty.entries, empty.last, &empty.broken), (0, None, &None));
    filled(&log, 5);
    let found = log.verify(|_| true).expect("read").expect("not stopped");
    assert_eq!((found.entries, found.first, found.last), (5, Some(1), Some(5)));
    assert!(found.is_intact());
    let again = on_disk(&folder).verify(|_| true).expect("read").expect("not stopped");
    assert_eq!(again, found);
    assert_eq!(log.verify(|_| false).expect("read"), None, "it can be stopped");
}

#[test]
fn sql_does_not_change_entries() {
    let log = memory();
    filled(&log, 3);
    for sql in [
        "UPDATE audit_log SET user = 'eve' WHERE number = 2",
        "DELETE FROM audit_log WHERE number = 3",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE number = 2",
        "INSERT INTO audit_log SELECT 9, at, user, via, address, action, target, department,
            before, after, status, outcome, times, previous, hash FROM audit_log WHERE number = 3",
    ] {
        let refused = log.state().write(|tx| Ok::<_, StateError>(tx.execute_batch(sql)?));
        assert!(refused.expect_err(sql).to_string().contains("of the audit log are"), "{sql}");
    }
    assert_eq!((all(&log).len(), broken(&log)), (3, None));
}

#[test]
fn verifying_says_what_was_done_to_the_log() {
    for (sql, expected) in [
        ("UPDATE audit_log SET user = 'eve' WHERE number = 2", Break::Changed { number: 2 }),
        ("UPDATE audit_log SET before = NULL WHERE number = 2", Break::Changed { number: 2 }),
        ("UPDATE audit_log SET hash = previous WHERE number = 4", Break::Changed { number: 4 }),
        ("DELETE FROM audit_log WHERE number = 1", Break::Missing { first: 1, last: 1 }),
        ("DELETE FROM audit_log WHERE number IN (2, 3)", Break::Missing { first: 2, last: 3 }),
        (
            "DELETE FROM audit_log WHERE number = 2;
             UPDATE audit_log SET number = 2 WHERE number = 3;
             UPDATE audit_log SET number = 3 WHERE number = 4;
             UPDATE audit_log SET number = 4 WHERE number = 5",
            Break::Moved { number: 2, was: 3 },
        ),
        (
            "UPDATE audit_log SET number = 99 WHERE number = 2;
             UPDATE audit_log SET number = 2 WHERE number = 3;
             UPDATE audit_log SET number = 3 WHERE number = 99",
            Break::Moved { number: 2, was: 3 },
        ),
        ("DELETE FROM audit_log WHERE number > 3", Break::CutOff { last: 3, written: 5 }),
        ("DELETE FROM audit_log", Break::CutOff { last: 0, written: 5 }),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = on_disk(&folder);
        filled(&log, 5);
        tamper(&log, sql);
        assert_eq!(broken(&log), Some(expected), "{sql}");
    }
}

#[test]
fn an_entry_with_a_good_hash_of_its_own_does_not_pass() {
    let log = memory();
    filled(&log, 5);
    let mut forged = all(&log)[2].clone();
    forged.user = Some("eve".to_owned());
    let hash = crate::entry::hex(&forged.digest());
    tamper(&log, &format!("UPDATE audit_log SET user = 'eve', hash = x'{hash}' WHERE number = 3"));
    assert_eq!(broken(&log), Some(Break::Unchained { number: 4 }));
}

#[test]
fn a_log_that_was_written_anew_is_not_the_one_of_the_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = on_disk(&folder);
    filled(&log, 3);
    let head = std::fs::read(folder.path().join("audit.head")).expect("a head");
    tamper(&log, "DELETE FROM audit_log WHERE number = 3");
    let mut other = change(3);
    other.user = Some("eve".to_owned());
    log.finish(None, other).expect("written");
    std::fs::write(folder.path().join("audit.head"), head).expect("written");
    assert_eq!(broken(&log), Some(Break::Replaced { number: 3 }));
}

#[test]
fn without_its_head_or_its_guards_a_log_is_not_intact() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = on_disk(&folder);
    filled(&log, 2);
    std::fs::remove_file(folder.path().join("audit.head")).expect("removed");
    assert!(matches!(broken(&log), Some(Break::NoHead { last: 2, .. })));
    filled(&log, 1);
    assert_eq!(broken(&log), None, "the next entry writes it again");
    let drop = "DROP TRIGGER audit_log_never_changes";
    log.state().write(|tx| Ok::<_, StateError>(tx.execute_batch(drop)?)).expect("dropped");
    let trigger = "audit_log_never_changes".to_owned();
    assert_eq!(broken(&log), Some(Break::Unguarded { trigger }));
}

#[test]
fn what_a_restored_backup_lacks_is_accepted_with_an_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = on_disk(&folder);
    filled(&log, 4);
    tamper(&log, "DELETE FROM audit_log WHERE number > 2");
    assert!(broken(&log).is_some());
    log.accept(NewEntry::new(NOW, Via::Cli, "restore_backup")).expect("written");
    assert_eq!(broken(&log), None);
    assert_eq!(log.last().expect("read"), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Any single change, removal, exchange, addition or cut is found, and the entry named is not
    /// after the first that is not as it was.
    #[test]
    fn any_single_tampering_is_found(at in 0_usize..12, with in 0_usize..12, how in 0_u8..6, bit in 0_u8..8) {
        let log = memory();
        filled(&log, 12);
        let whole = all(&log);
        let head = whole.last().map(|e| crate::head::Head { number: e.number, hash: e.hash });
        let mut entries = whole.clone();
        match how {
            0 => {
                // One bit of one field.
                let entry = &mut entries[at];
                match with {
                    0 => entry.at = Timestamp::from_micros(entry.at.micros() ^ (1 << bit)),
                    1 => entry.user = None,
                    2 => entry.via.push('x'),
                    3 => entry.address = Some(String::new()),
                    4 => entry.action.insert(0, 'x'),
                    5 => entry.target = None,
                    6 => entry.department = Some("x".to_owned()),
                    7 => entry.before = Some("{}".to_owned()),
                    8 => entry.after = Some("0".to_owned()),
                    9 => entry.status = entry.status.map(|status| status ^ (1 << bit)),
                    10 => entry.hash[usize::from(bit)] ^= 1,
                    _ => entry.times ^= 1 << bit,
                }
            }
            1 => { entries.remove(at); }
            2 => entries.swap(at, with),
            3 => { let copy = entries[with].clone(); entries.insert(at, copy); }
            4 => entries.truncate(at),
            _ => {
                // Removed, and those after it numbered anew.
                entries.remove(at);
                for entry in &mut entries[at..] {
                    entry.number -= 1;
                }
            }
        }
        let mut checker = Checker::whole().with_head(head);
        let found = entries.iter().try_for_each(|entry| checker.check(entry)).and_then(|()| checker.end());
        let first_wrong = (0..=whole.len()).find(|i| entries.get(*i) != whole.get(*i));
        match (found, first_wrong) {
            (Ok(()), None) => {}
            (Err(broken), Some(wrong)) => {
                let number = broken.number().expect("an entry");
                prop_assert!(number <= wrong as u64 + 1, "{broken} for {wrong}");
            }
            (found, wrong) => prop_assert!(false, "{found:?} for {wrong:?}"),
        }
    }

    /// Fields cannot run into each other: other texts in other places have other hashes.
    #[test]
    fn fields_do_not_run_into_each_other(a in ".{0,6}", b in ".{0,6}") {
        prop_assume!(!a.is_empty() || !b.is_empty());
        let log = memory();
        log.finish(None, NewEntry { user: Some(a.clone()), address: Some(b.clone()), ..change(1) }).expect("written");
        let entry = &all(&log)[0];
        let joined = Entry { user: Some(format!("{a}{b}")), address: Some(String::new()), ..entry.clone() };
        prop_assume!(joined != *entry);
        prop_assert_ne!(joined.digest(), entry.hash);
        let missing = Entry { user: None, ..entry.clone() };
        prop_assert_ne!(missing.digest(), entry.hash);
    }

    /// Lines of JSON read back to the same entry, whatever people write.
    #[test]
    fn lines_read_back(user in ".*", before in ".*", target in proptest::option::of(".*")) {
        let log = memory();
        let new = NewEntry { user: Some(user), target, before: Some(json!([before, 1.5e300])), ..change(2) };
        log.finish(None, new).expect("written");
        let entry = &all(&log)[0];
        let line = to_json_line(entry).expect("JSON");
        prop_assert_eq!(line.matches('\n').count(), 1);
        let read = from_json_line(&line).expect("an entry");
        prop_assert_eq!(&read, entry);
        prop_assert!(Checker::whole().check(&read).is_ok());
    }
}

#[test]
fn a_part_of_a_log_can_be_checked_too() {
    let log = memory();
    filled(&log, 5);
    let entries = all(&log);
    let mut part = Checker::part();
    entries[2..].iter().try_for_each(|entry| part.check(entry)).expect("intact");
    assert_eq!((part.count(), part.first(), part.last_number()), (3, Some(3), Some(5)));
    let mut holed = Checker::part();
    holed.check(&entries[1]).expect("the first is taken on trust");
    assert_eq!(holed.check(&entries[3]), Err(Break::Missing { first: 3, last: 3 }));
}

#[test]
fn a_kill_between_a_change_and_its_entry_leaves_an_entry_of_unknown_outcome() {
    let folder = tempfile::tempdir().expect("a folder");
    {
        let server = on_disk(&folder);
        server.begin(&change(1)).expect("noted");
        let done = server.begin(&change(2)).expect("noted");
        server.finish(Some(done), change(2)).expect("written");
        let withdrawn = server.begin(&change(3)).expect("noted");
        server.withdraw(withdrawn).expect("forgotten");
        // What a process began that was killed here is in the database only.
    }
    let cli = on_disk(&folder);
    let running = cli.begin(&NewEntry { via: Via::Cli, ..change(4) }).expect("noted");
    let server = on_disk(&folder);
    assert_eq!(server.adopt(NOW).expect("written"), 1, "the command may still be running");
    assert_eq!(server.adopt(NOW).expect("written"), 0, "once");
    let entries = all(&server);
    assert_eq!(entries.len(), 2);
    let adopted = &entries[1];
    assert_eq!((adopted.outcome.as_str(), adopted.status), ("unknown", None));
    assert_eq!(adopted.target.as_deref(), Some("air-1"));
    assert_eq!(adopted.user.as_deref(), Some("bo"));
    let much_later = Timestamp::from_secs(NOW.micros() / 1_000_000 + 7_200);
    assert_eq!(server.adopt(much_later).expect("written"), 1, "nobody waits for it any more");
    cli.finish(Some(running), change(4)).expect("it ends after all, and says so");
    assert_eq!(broken(&server), None);
}

#[test]
fn what_is_done_is_recorded_with_what_became_of_it() {
    let log = memory();
    let done = log.around(change(1), |entry| {
        entry.after = Some(json!({ "password": "x" }));
        Ok::<_, StateError>(7)
    });
    assert_eq!(done.expect("done"), 7);
    let failed = log
        .around(change(2), |_| Err::<(), _>(StateError::Sql(rusqlite::Error::QueryReturnedNoRows)));
    failed.expect_err("failed");
    let entries = all(&log);
    assert_eq!(entries[0].after.as_deref(), Some(r#"{"password":"(secret)"}"#));
    assert_eq!((&*entries[0].outcome, &*entries[1].outcome), ("done", "failed"));
}

#[test]
fn what_cannot_be_written_is_written_before_anything_else_is_begun() {
    let log = memory();
    let begun = log.begin(&change(1)).expect("noted");
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit_log
                BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    let sql = |sql: &str| {
        log.state().write(|tx| Ok::<_, StateError>(tx.execute_batch(sql)?)).expect("done");
    };
    sql(full);
    log.finish(Some(begun), change(1)).expect_err("full");
    log.begin(&change(2)).expect_err("the change before is not recorded yet");
    sql("DROP TRIGGER full");
    let begun = log.begin(&change(2)).expect("noted");
    log.finish(Some(begun), change(2)).expect("written");
    let targets: Vec<_> = all(&log).into_iter().filter_map(|entry| entry.target).collect();
    assert_eq!(targets, ["air-1", "air-2"]);
    assert_eq!(broken(&log), None);
}

#[test]
fn two_processes_write_one_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    // As a server and a command do: each with connections of its own.
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let log = on_disk(&folder);
            scope.spawn(move || {
                for number in 0..40 {
                    let entry = change(writer * 1_000 + number);
                    let begun = log.begin(&entry).expect("noted");
                    log.finish(Some(begun), entry).expect("written");
                }
            });
        }
    });
    let log = on_disk(&folder);
    assert_eq!((log.last().expect("read"), broken(&log)), (80, None));
}

#[test]
fn entries_are_found_by_what_they_say_newest_first_page_by_page() {
    let log = memory();
    filled(&log, 25);
    let numbers = |filter: &Filter| {
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = log.newest(filter, before, 4).expect("read");
            assert!(page.items.len() <= 4);
            found.extend(page.items.iter().map(|entry| entry.number));
            before = page.next;
            if before.is_none() {
                let oldest = log.oldest(filter, 0, 1_000).expect("read");
                let mut other: Vec<_> = oldest.items.iter().map(|entry| entry.number).collect();
                other.reverse();
                assert_eq!(found, other, "both orders find the same");
                return found;
            }
        }
    };
    let some = |number: u64| Some(change(number).at);
    let text = |text: &str| Some(text.to_owned());
    let none = Filter::default();
    assert_eq!(numbers(&none), (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(numbers(&Filter { from: some(20), to: some(23), ..none.clone() }), [22, 21, 20]);
    assert_eq!(numbers(&Filter { from: some(26), ..none.clone() }), [0_u64; 0]);
    assert_eq!(numbers(&Filter { to: some(1), ..none.clone() }), [0_u64; 0]);
    assert_eq!(numbers(&Filter { user: Some(vec!["ada".to_owned()]), ..none.clone() }).len(), 12);
    assert_eq!(
        numbers(&Filter { action: Some(vec!["put_kind".to_owned()]), ..none.clone() }),
        [0_u64; 0]
    );
    assert_eq!(numbers(&Filter { q: text("AIR-25"), ..none.clone() }), [25]);
    assert_eq!(numbers(&Filter { q: text("air%"), ..none.clone() }), [0_u64; 0]);
    let own = Departments::Only(vec!["environment".to_owned()]);
    assert_eq!(numbers(&Filter { visible: own, ..none.clone() }), [24, 21, 18, 15, 12, 9, 6, 3]);
    let others = Departments::Only(vec!["x'; DROP TABLE audit_log; --".to_owned()]);
    assert_eq!(numbers(&Filter { visible: others, ..none }), [0_u64; 0]);
}

#[test]
fn formulas_in_csv_are_texts() {
    let log = memory();
    let refused = Outcome::Refused("forbidden".to_owned());
    let new = NewEntry {
        user: Some("=cmd|' /C calc'!A0".to_owned()),
        target: Some("a,\"b\"\r\nc".to_owned()),
        outcome: refused,
        ..change(1)
    };
    log.finish(None, new).expect("written");
    let row = String::from_utf8(to_csv(&all(&log)[0])).expect("text");
    assert!(row.contains(",'=cmd|' /C calc'!A0,token,"), "{row}");
    assert!(row.contains(",\"a,\"\"b\"\"\r\nc\","), "{row}");
    let read: Vec<csv::StringRecord> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(row.as_bytes())
        .records()
        .collect::<Result<_, _>>()
        .expect("CSV");
    assert_eq!((read.len(), read[0].len()), (1, crate::CSV_COLUMNS.len()));
    assert_eq!(&read[0][6], "a,\"b\"\r\nc");
    assert_eq!(&read[0][11], "forbidden");
}
