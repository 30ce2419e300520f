//! Whether there is memory for the hour that the store holds in it.

use super::super::Check;
use super::super::finding::{Finding, words};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "memory", look: |_| Box::pin(async move { vec![look()] }) };

/// What a city of 100,000 series takes (ARCHITECTURE.md, "Figures"), twice, in bytes.
const COMFORTABLE: u64 = 600 << 20;
/// With less than this a start fails or swaps.
const LEAST: u64 = 150 << 20;

fn look() -> Finding {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    // The limit of a container or a service (cgroup v2, memory.max); `max` is none.
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let used = std::fs::read_to_string("/sys/fs/cgroup/memory.current").ok();
    judge(available(&meminfo), free_of_limit(limit.as_deref(), used.as_deref()))
}

/// What programs can still have, in bytes (proc_meminfo(5)).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn free_of_limit(limit: Option<&str>, used: Option<&str>) -> Option<u64> {
    let limit: u64 = limit?.trim().parse().ok()?;
    Some(limit.saturating_sub(used.and_then(|used| used.trim().parse().ok()).unwrap_or(0)))
}

fn judge(machine: Option<u64>, limited: Option<u64>) -> Finding {
    let Some(free) = machine.into_iter().chain(limited).min() else {
        return Finding::ok(words!(
            "this system does not say how much there is",
            "系统未提供内存信息"
        ));
    };
    let shown = free / 1_000_000;
    let what = words!("{} MB are available", "可用 {} MB", shown);
    let why = words!(
        "the last hours of all series are held in memory; when there is none left, the kernel ends \
         the program",
        "所有序列最近数小时的数据都在内存中；内存耗尽时内核会终止程序"
    );
    let todo = words!(
        "give this machine or container more, or stop what else takes it (`ps --sort -rss aux`)",
        "请为机器或容器增加内存，或停止其他占用内存的程序（ps --sort -rss aux）"
    );
    match free {
        free if free < LEAST => Finding::fail(what, why, todo),
        free if free < COMFORTABLE => Finding::warn(what, why, todo),
        _ => Finding::ok(what),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn the_tighter_of_machine_and_container_counts() {
        let meminfo = "MemTotal: 100 kB\nMemAvailable:    2000000 kB\n";
        assert_eq!(available(meminfo), Some(2_048_000_000));
        assert_eq!(free_of_limit(Some("max\n"), Some("5")), None);
        assert_eq!(free_of_limit(Some("300000000\n"), Some("100000000\n")), Some(200_000_000));
        for (machine, limited, level) in [
            (Some(2 << 30), None, Level::Ok),
            (Some(2 << 30), Some(200_000_000), Level::Warn),
            (Some(100_000_000), None, Level::Fail),
            (None, None, Level::Ok),
        ] {
            assert_eq!(judge(machine, limited).level, level);
        }
    }
}
