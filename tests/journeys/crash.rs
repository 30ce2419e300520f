//! Kill -9 again and again: nothing that was acknowledged is lost, nothing is there twice.

use city_tests::crash::{Options, run};

#[test]
fn every_acknowledged_reading_is_stored_exactly_once_whatever_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { readings: 30_000, kills: 5, seed: 7 };
    let report = run(folder.path(), options, |_| {}).expect("the crash test runs");
    assert_eq!(report.acknowledged, options.readings, "{report:?}");
    assert_eq!((report.missing, report.wrong), (0, 0), "{report:?}");
    assert_eq!(report.kills, options.kills, "all kills happened: {report:?}");
}
