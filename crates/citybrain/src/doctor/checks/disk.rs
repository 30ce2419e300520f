//! How much room there is, and for how long at the pace of the last days.

use std::path::Path;

use super::super::finding::{Finding, words};
use super::super::{Check, Context};
use crate::store::{EMBEDDED, SPOOL};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "disk", look: |context| Box::pin(async move { vec![look(context)] }) };

/// Less than this is too little to begin with, in bytes: SQLite's logs and a compaction need it.
const LEAST: u64 = 1 << 30;
/// Days until the disk is full that are told.
const SOON: f64 = 30.0;
const VERY_SOON: f64 = 7.0;
/// How many days the pace is taken of.
const RECENT: usize = 7;

/// What the disk and the store are like.
#[derive(Clone, Debug, Default, PartialEq)]
struct Room {
    free: u64,
    size: u64,
    /// Bytes of each day that is over, oldest first.
    days: Vec<u64>,
    /// Bytes of summaries.
    tiers: u64,
    /// Days after which readings are dropped.
    retention_days: Option<f64>,
}

fn look(context: &Context) -> Finding {
    let folder = context.data_dir();
    let there = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    let shown = folder.display();
    let disk = match rustix::fs::statvfs(there) {
        Ok(disk) => disk,
        Err(error) => {
            return Finding::warn(
                words!(
                    "the disk of {} cannot be asked: {}",
                    "无法查询 {} 所在磁盘：{}",
                    shown,
                    error
                ),
                words!("a full disk stops ingest", "磁盘写满会使接收暂停"),
                words!("look with `df`", "请用 df 查看"),
            );
        }
    };
    let (days, tiers) = measure(folder);
    let retention = context.settings.store.retention;
    let room = Room {
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
        size: disk.f_blocks.saturating_mul(disk.f_frsize),
        days,
        tiers,
        retention_days: retention.map(|span| span.secs_f64() / 86_400.0),
    };
    judge(&room, &shown.to_string())
}

/// Bytes of each day that is over, and of all summaries.
fn measure(folder: &Path) -> (Vec<u64>, u64) {
    let store = [EMBEDDED, SPOOL].map(|name| folder.join(name)).into_iter().find(|s| s.is_dir());
    let Some(store) = store else { return (Vec::new(), 0) };
    let mut days = std::collections::BTreeMap::<String, u64>::new();
    for entry in std::fs::read_dir(store.join("chunks")).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_day = path.extension().is_some_and(|ending| ending == "db");
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = entry.metadata().map_or(0, |file| file.len());
        // `2026-11-23.g1.db` and `2026-11-23.db` are of one day.
        if let Some(day) = name.get(..10).filter(|_| is_day) {
            *days.entry(day.to_owned()).or_default() += bytes;
        }
    }
    // The last one is still being written.
    days.pop_last();
    let mut tiers = 0;
    for tier in ["1m", "15m", "1h"] {
        let files = std::fs::read_dir(store.join("tiers").join(tier)).into_iter().flatten();
        tiers += files.flatten().filter_map(|file| Some(file.metadata().ok()?.len())).sum::<u64>();
    }
    (days.into_values().collect(), tiers)
}

fn judge(room: &Room, folder: &str) -> Finding {
    let gigabytes = |bytes: f64| format!("{:.1} GB", bytes / 1e9);
    let (free, size) = (gigabytes(room.free as f64), gigabytes(room.size as f64));
    let recent = &room.days[room.days.len().saturating_sub(RECENT)..];
    let all: u64 = room.days.iter().sum();
    let pace = if recent.is_empty() {
        0.0
    } else {
        let summaries = 1.0 + room.tiers as f64 / (all.max(1)) as f64;
        recent.iter().sum::<u64>() as f64 / recent.len() as f64 * summaries
    };
    let until_full = if pace > 0.0 { room.free as f64 / pace } else { f64::INFINITY };
    // What retention will drop makes room again.
    let still_to_come = room.retention_days.map(|days| (days - room.days.len() as f64).max(0.0));
    let fits = still_to_come.is_some_and(|days| days * pace < room.free as f64);
    let why = words!(
        "when the disk is full, nothing is acknowledged any more; devices and brokers hold it back",
        "磁盘写满后不再确认任何数据，只能由设备与服务器暂存"
    );
    let todo = words!(
        "free space or enlarge the disk; or set store.retention to what fits",
        "请清理或扩容磁盘，或把 store.retention 设为合适的期限"
    );
    if room.free < LEAST {
        let what =
            words!("only {} of {} are free in {}", "仅剩 {}（共 {}）：{}", free, size, folder);
        return Finding::fail(what, why, todo);
    }
    let per_day = gigabytes(pace);
    if fits || until_full.is_infinite() || until_full > SOON {
        let ok = if pace > 0.0 && until_full < 36_500.0 {
            words!(
                "{} of {} are free; {} a day: enough for {:.0} days",
                "剩余 {}（共 {}）；每天约 {}，可用约 {:.0} 天",
                free,
                size,
                per_day,
                until_full
            )
        } else {
            words!("{} of {} are free", "剩余 {}（共 {}）", free, size)
        };
        return Finding::ok(ok);
    }
    let what = words!(
        "{} of {} are free; at {} a day the disk is full in {:.0} days",
        "剩余 {}（共 {}）；按每天 {} 计算，{:.0} 天后写满",
        free,
        size,
        per_day,
        until_full
    );
    if until_full < VERY_SOON {
        Finding::fail(what, why, todo)
    } else {
        Finding::warn(what, why, todo)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    const GB: u64 = 1_000_000_000;

    #[test]
    fn the_pace_of_the_last_days_says_when_it_is_full() {
        let room = |free, days: &[u64], retention_days| Room {
            free: free * GB,
            size: 500 * GB,
            days: days.iter().map(|gb| gb * GB).collect(),
            tiers: 0,
            retention_days,
        };
        for (room, level, named) in [
            (room(100, &[], None), Level::Ok, "100.0 GB of 500.0 GB"),
            (room(1, &[], None), Level::Fail, "only 1.0 GB"),
            (room(100, &[1; 10], None), Level::Ok, "100 days"),
            (room(20, &[1; 10], None), Level::Warn, "in 20 days"),
            (room(6, &[1; 10], None), Level::Fail, "in 6 days"),
            // It grew: the last seven days count.
            (room(40, &[0, 0, 0, 2, 2, 2, 2, 2, 2, 2], None), Level::Warn, "in 20 days"),
            // Retention drops as much as comes.
            (room(6, &[1; 10], Some(10.0)), Level::Ok, "6.0 GB"),
            (room(6, &[1; 10], Some(12.0)), Level::Ok, "6.0 GB"),
            (room(6, &[1; 10], Some(17.0)), Level::Fail, "in 6 days"),
        ] {
            let found = judge(&room, "/data");
            assert_eq!(found.level, level, "{room:?}: {found:?}");
            assert!(found.what.en.contains(named), "{room:?}: {found:?}");
        }
        let summaries = Room { tiers: 10 * GB, ..room(20, &[1; 10], None) };
        assert!(judge(&summaries, "/data").what.en.contains("in 10 days"), "summaries grow, too");
    }

    #[test]
    fn days_are_added_up_by_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join("store").join(name);
        for (name, bytes) in [
            ("chunks/2026-11-01.db", 10),
            ("chunks/2026-11-01.g1.db", 5),
            ("chunks/2026-11-02.g1.db", 7),
            ("chunks/2026-11-03.db", 99),
            ("chunks/2026-11-03.db-wal", 1),
            ("tiers/1h/2026-11.db", 3),
        ] {
            std::fs::create_dir_all(at(name).parent().expect("a parent")).expect("made");
            std::fs::write(at(name), vec![0; bytes]).expect("written");
        }
        assert_eq!(measure(folder.path()), (vec![15, 7], 3));
    }
}
