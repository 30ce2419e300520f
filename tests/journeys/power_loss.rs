//! The power goes at any moment: what was acknowledged is there, of the commit under way all or
//! nothing, and the store goes on.

use std::path::Path;

use city_store::{Embedded, Options, Store as _};
use city_tests::power::disk::Disk;
use city_tests::power::{Call, record, workload};
use rand::{RngExt as _, SeedableRng as _};

/// Two days and some hours of steps of ten minutes: both days are compacted.
const COMMITS: u64 = 2 * 144 + 20;
/// Moments at which the power goes.
const MOMENTS: usize = 400;

/// The last commit that a program said was acknowledged.
fn acknowledged(call: &Call) -> Option<u64> {
    match call {
        Call::Write { fd: 1, bytes, .. } => str::from_utf8(bytes).ok()?.trim().parse().ok(),
        _ => None,
    }
}

#[test]
fn what_was_acknowledged_survives_the_loss_of_power() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a path").join("store");
    let commits = COMMITS.to_string();
    let writer = Path::new(env!("CARGO_BIN_EXE_store-writer"));
    let calls = record(writer, &root, &[&commits]).expect("it is recorded");
    assert_eq!(calls.iter().rev().find_map(acknowledged), Some(COMMITS));
    let renamed = calls.iter().filter(|call| matches!(call, Call::Rename { .. })).count();
    assert!(renamed >= 2, "two days were compacted, not {renamed}");

    let mut rng = rand::rngs::StdRng::seed_from_u64(4);
    let mut moments: Vec<usize> = (0..MOMENTS).map(|_| rng.random_range(0..=calls.len())).collect();
    moments.sort_unstable();
    let mut disk = Disk::new(&root);
    let (mut next, mut last) = (0, 0);
    for moment in moments {
        for call in &calls[next..moment] {
            disk.play(call);
            last = acknowledged(call).unwrap_or(last);
        }
        next = moment;
        let found = tempfile::tempdir().expect("a folder");
        disk.lose_power(found.path(), &mut rng).expect("written");
        let at = format!("after call {moment} of {}, {last} acknowledged", calls.len());
        let (store, _) = Embedded::open(found.path(), Options::default())
            .unwrap_or_else(|error| panic!("{at}: {error}"));
        let there = workload::check(&store, last).unwrap_or_else(|e| panic!("{at}: {e:#}"));
        store.commit(&workload::commit(there)).unwrap_or_else(|e| panic!("{at}: {e}"));
        store.maintain(workload::time_of(there)).unwrap_or_else(|e| panic!("{at}: {e}"));
        workload::check(&store, there + 1).unwrap_or_else(|e| panic!("{at}, later: {e:#}"));
    }
}
