//! Whether the program may open as many connections as it is configured for.

use super::super::finding::{Finding, words};
use super::super::{Check, Context};
use crate::app::OTHER_FILES;

pub(in crate::doctor) static CHECK: Check =
    Check { id: "descriptors", look: |context| Box::pin(async move { vec![look(context)] }) };

fn look(context: &Context) -> Finding {
    let (http, mqtt) = (&context.settings.http, &context.settings.mqtt);
    let needed = (http.limits.connections + mqtt.max_connections) as u64 + OTHER_FILES;
    // Of the process if there is one: a service has other limits than this shell. Otherwise what a
    // start would raise it to.
    let limits =
        context.running.as_ref().map(|running| format!("/proc/{}/limits", running.process));
    let of_process = limits.and_then(|path| soft_limit(&std::fs::read_to_string(path).ok()?));
    let ours = || rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    judge(of_process.or_else(ours), needed)
}

/// The soft limit in the text of `/proc/PID/limits` (proc_pid_limits(5)).
fn soft_limit(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn judge(limit: Option<u64>, needed: u64) -> Finding {
    match limit {
        Some(limit) if limit < needed => Finding::warn(
            words!(
                "{} files and connections may be open, and up to {} can be needed",
                "可同时打开 {} 个文件与连接，而最多可能需要 {} 个",
                limit,
                needed
            ),
            words!("beyond that devices and browsers are refused", "超出后设备与浏览器会被拒绝"),
            words!(
                "set LimitNOFILE={} in the service (deploy/systemd has it), or `ulimit -n`; or lower \
                 mqtt.max_connections and http.limits.connections",
                "请在服务中设置 LimitNOFILE={}（见 deploy/systemd）或 ulimit -n；也可降低 mqtt.max_connections 与 http.limits.connections",
                needed.next_power_of_two()
            ),
        ),
        Some(limit) => Finding::ok(words!(
            "{} files and connections may be open",
            "可同时打开 {} 个文件与连接",
            limit
        )),
        None => Finding::ok(words!("open files are not limited", "打开文件数不受限制")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(text), Some(1024));
        assert_eq!(soft_limit("nothing"), None);
        let found = judge(Some(1024), 22_000);
        assert_eq!(found.level, Level::Warn);
        assert!(found.todo.expect("advice").en.contains("LimitNOFILE=32768"));
        assert_eq!(judge(Some(65_536), 22_000).level, Level::Ok);
        assert_eq!(judge(None, 22_000).level, Level::Ok);
    }
}
