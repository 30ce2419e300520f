//! Dead letters: kept whole, in pages, marked when replayed.

use super::{Subject, commit, device, letter, t};
use crate::{Commit, DeadLetterId, LedgerKey, LetterCount, LettersFrom, NewDeadLetter, TimeRange};

fn letters(letters: Vec<NewDeadLetter>) -> Commit {
    Commit { dead_letters: letters, ..Commit::default() }
}

pub(super) fn dead_letters_are_kept_whole(subject: &mut Subject) {
    let full = NewDeadLetter { device_key: Some(device(7)), ..letter("syntax", 3) };
    let bare = NewDeadLetter {
        source: None,
        client: None,
        device: None,
        payload: [].into(),
        ..letter("no_source", 1)
    };
    subject.store().commit(&letters(vec![full.clone(), bare.clone()])).expect("commits");
    for _ in 0..2 {
        let page = subject.store().dead_letters(LettersFrom::Newest, None, 10).expect("readable");
        assert_eq!(page.next, None);
        let got: Vec<_> = page.items.iter().map(|item| item.letter.clone()).collect();
        assert_eq!(got, [bare.clone(), full.clone()], "newest first");
        for item in page.items {
            assert_eq!(item.replayed_at, None);
            assert_eq!(subject.store().dead_letter(item.id).expect("readable"), Some(item));
        }
        assert_eq!(subject.store().dead_letter(DeadLetterId(99)).expect("readable"), None);
        subject.reopen();
    }
}

pub(super) fn dead_letters_come_in_pages(subject: &mut Subject) {
    let store = subject.store();
    for i in 0..25 {
        let reason = if i % 5 == 0 { "syntax" } else { "unknown_device" };
        let mut commit = commit([]);
        commit.dead_letters = vec![NewDeadLetter { items: i + 1, ..letter(reason, 1) }];
        store.commit(&commit).expect("commits");
    }
    for (begin, reason, expected) in [
        (LettersFrom::Newest, None, (1..=25).rev().collect::<Vec<u32>>()),
        (LettersFrom::Newest, Some("syntax"), vec![21, 16, 11, 6, 1]),
        (LettersFrom::Oldest, None, (1..=25).collect()),
        (LettersFrom::Oldest, Some("syntax"), vec![1, 6, 11, 16, 21]),
        (LettersFrom::Newest, Some("nothing such"), vec![]),
    ] {
        for limit in [1, 3, 5, 25, 26] {
            let (mut got, mut from) = (Vec::new(), begin);
            loop {
                let page = store.dead_letters(from, reason, limit).expect("readable");
                assert!(page.items.len() <= limit);
                got.extend(page.items.iter().map(|item| item.letter.items));
                let Some(next) = page.next else { break };
                from = next;
                assert_eq!(page.items.len(), limit, "only the last page may be short");
            }
            assert_eq!(got, expected, "{begin:?}, {reason:?} by {limit}");
        }
    }
}

pub(super) fn a_letter_that_comes_again(subject: &mut Subject) {
    let first = letter("syntax", 2);
    let again = NewDeadLetter { again: true, received: t(9), ..first.clone() };
    let other = NewDeadLetter { payload: [1].into(), ..again.clone() };
    let report = subject.store().commit(&letters(vec![first.clone()])).expect("commits");
    assert!(report.repeated_letters.is_empty());
    // The same message once more, as news: devices do send the same nonsense twice.
    let report = subject.store().commit(&letters(vec![first.clone()])).expect("commits");
    assert!(report.repeated_letters.is_empty());
    let sent = vec![again.clone(), other.clone(), other.clone(), again];
    let report = subject.store().commit(&letters(sent)).expect("commits");
    assert_eq!(report.repeated_letters, [0, 2, 3]);
    for _ in 0..2 {
        let page = subject.store().dead_letters(LettersFrom::Newest, None, 10).expect("readable");
        let got: Vec<_> = page.items.into_iter().map(|item| item.letter).collect();
        let other = NewDeadLetter { again: false, ..other.clone() };
        assert_eq!(got, [other, first.clone(), first.clone()]);
        let ledger = subject.store().ledger();
        assert_eq!(ledger.len(), 2);
        for (key, counted) in ledger {
            assert!(matches!(key, LedgerKey::Source(3) | LedgerKey::NoDevice), "{key:?}");
            let sums = (counted.received, counted.duplicate, counted.dead_lettered);
            assert_eq!(sums, (12, 6, 6), "{key:?}");
        }
        assert_eq!(subject.store().stats().dead_letters, 3);
        subject.reopen();
    }
}

pub(super) fn a_replayed_letter_is_marked(subject: &mut Subject) {
    let both = vec![letter("syntax", 1), letter("syntax", 1)];
    subject.store().commit(&letters(both)).expect("commits");
    let ids: Vec<_> = {
        let page = subject.store().dead_letters(LettersFrom::Newest, None, 10).expect("readable");
        page.items.iter().map(|item| item.id).collect()
    };
    subject.store().mark_replayed(ids[0], t(500)).expect("marks");
    for _ in 0..2 {
        let replayed_at = |id| {
            subject.store().dead_letter(id).expect("readable").expect("it is there").replayed_at
        };
        assert_eq!((replayed_at(ids[0]), replayed_at(ids[1])), (Some(t(500)), None));
        subject.reopen();
    }
}

pub(super) fn dead_letters_are_counted_by_reason(subject: &mut Subject) {
    let at = |secs, reason, items| NewDeadLetter { received: t(secs), ..letter(reason, items) };
    let nobodys =
        NewDeadLetter { source: None, source_id: String::new(), ..at(10, "no_source", 1) };
    let sent = vec![at(9, "syntax", 1), at(10, "syntax", 2), at(19, "syntax", 3), nobodys.clone()];
    subject.store().commit(&letters(sent)).expect("commits");
    subject.store().commit(&letters(vec![at(15, "bad_unit", 4), at(20, "syntax", 9)])).expect("ok");
    subject.store().mark_replayed(DeadLetterId(2), t(30)).expect("marked");
    let source_id = letter("syntax", 1).source_id;
    let count = |source_id: &str, reason: &str, letters, items, replayed| LetterCount {
        source_id: source_id.to_owned(),
        reason: reason.to_owned(),
        letters,
        items,
        replayed,
    };
    let range = TimeRange { from: t(10), to: t(20) };
    assert_eq!(
        subject.store().count_letters(range).expect("countable"),
        [
            count("", "no_source", 1, 1, 0),
            count(&source_id, "bad_unit", 1, 4, 0),
            count(&source_id, "syntax", 2, 5, 1),
        ]
    );
    let nothing = TimeRange { from: t(50), to: t(60) };
    assert!(subject.store().count_letters(nothing).expect("countable").is_empty());
}
