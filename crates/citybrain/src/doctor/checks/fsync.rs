//! How long the disk takes until something is on it: every acknowledgement waits for that.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "fsync", look: |context| Box::pin(async move { vec![look(context)] }) };

/// How often it is measured.
const ROUNDS: usize = 24;
/// A page of a database, in bytes.
const PAGE: usize = 4096;

const SLOW: Duration = Duration::from_millis(20);
const VERY_SLOW: Duration = Duration::from_millis(200);
/// No disk that keeps its word without a battery is as fast as this.
const TOO_FAST: Duration = Duration::from_micros(20);

fn look(context: &Context) -> Finding {
    let folder = context.data_dir();
    let there = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    match measure(there) {
        Ok(times) => judge(&times),
        Err(error) => Finding::warn(
            words!("it cannot be measured in {}: {}", "无法在 {} 测量：{}", there.display(), error),
            words!("every acknowledgement waits for the disk", "每次确认都要等待落盘"),
            words!("let this user write there", "请授予该用户写权限"),
        ),
    }
}

fn measure(folder: &Path) -> std::io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(folder)?;
    let page = vec![0x5a; PAGE];
    // The first one makes the file known to the disk and counts for nothing.
    file.write_all(&page)?;
    file.sync_all()?;
    (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&page)?;
            file.sync_data()?;
            Ok(began.elapsed())
        })
        .collect()
}

fn judge(times: &[Duration]) -> Finding {
    let mut times = times.to_vec();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let longest = times.last().copied().unwrap_or_default();
    let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    let (shown, most) = (milliseconds(median), milliseconds(longest));
    let what = words!(
        "syncing a page takes {} (median), {} at most",
        "落盘一页的中位数 {}，最长 {}",
        shown,
        most
    );
    if median < TOO_FAST {
        return Finding::warn(
            what,
            words!(
                "no disk is as fast as that: it may only say that it has written, and a power cut \
                 then loses what was acknowledged",
                "没有磁盘这么快：可能并未真正落盘，断电会丢失已确认的数据"
            ),
            words!(
                "see whether this is a memory file system, or a virtual disk that ignores syncs \
                 (cache=unsafe)",
                "请检查是否为内存文件系统，或忽略 fsync 的虚拟磁盘（cache=unsafe）"
            ),
        );
    }
    if median < SLOW {
        return Finding::ok(what);
    }
    let why = words!(
        "every acknowledgement waits for it; alerts come later, and bursts are held back",
        "每次确认都要等待落盘；告警会延迟，突发流量会被压住"
    );
    let todo = words!(
        "put data_dir on a faster disk (SSD), or find what else writes to this one (`iostat -x 1`)",
        "请把 data_dir 放到更快的磁盘（SSD），或用 iostat -x 1 查找占用磁盘的程序"
    );
    if median < VERY_SLOW { Finding::warn(what, why, todo) } else { Finding::fail(what, why, todo) }
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn the_median_decides() {
        let times = |micros: &[u64]| {
            micros.iter().map(|micros| Duration::from_micros(*micros)).collect::<Vec<_>>()
        };
        for (micros, level) in [
            (&[1_000, 2_000, 900_000][..], Level::Ok),
            (&[1, 2, 3], Level::Warn),
            (&[10_000, 30_000, 40_000], Level::Warn),
            (&[10_000, 300_000, 400_000], Level::Fail),
        ] {
            assert_eq!(judge(&times(micros)).level, level, "{micros:?}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(measure(folder.path()).expect("measured").len(), ROUNDS);
    }
}
