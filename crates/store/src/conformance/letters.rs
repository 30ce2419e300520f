//! Dead letters: kept whole, in pages, marked when replayed.

use super::{Subject, commit, device, letter, t};
use crate::{Commit, DeadLetterId, NewDeadLetter};

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
        let page = subject.store().dead_letters(None, None, 10).expect("readable");
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
    for (reason, expected) in [
        (None, (1..=25).rev().collect::<Vec<u32>>()),
        (Some("syntax"), vec![21, 16, 11, 6, 1]),
        (Some("nothing such"), vec![]),
    ] {
        for limit in [1, 3, 5, 25, 26] {
            let (mut got, mut before) = (Vec::new(), None);
            loop {
                let page = store.dead_letters(before, reason, limit).expect("readable");
                assert!(page.items.len() <= limit);
                got.extend(page.items.iter().map(|item| item.letter.items));
                before = page.next;
                if before.is_none() {
                    break;
                }
                assert_eq!(page.items.len(), limit, "only the last page may be short");
            }
            assert_eq!(got, expected, "{reason:?} by {limit}");
        }
    }
}

pub(super) fn a_replayed_letter_is_marked(subject: &mut Subject) {
    let both = vec![letter("syntax", 1), letter("syntax", 1)];
    subject.store().commit(&letters(both)).expect("commits");
    let ids: Vec<_> = {
        let page = subject.store().dead_letters(None, None, 10).expect("readable");
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
