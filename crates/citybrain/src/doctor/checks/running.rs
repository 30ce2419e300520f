//! Whether the program that runs on the data folder works, and is this one.

use serde_json::Value;

use super::super::finding::{Finding, Level, words};
use super::super::{Check, Context, http};
use crate::run_file::RunFile;

pub(in crate::doctor) static CHECK: Check =
    Check { id: "running", look: |context| Box::pin(look(context)) };

async fn look(context: &Context) -> Vec<Finding> {
    let Some(running) = &context.running else {
        let folder = context.data_dir().display();
        return vec![Finding::ok(words!("nothing runs on {}", "{} 上没有程序在运行", folder))];
    };
    let url = |path: &str| format!("http://{}{path}", running.http);
    let ready = http::get(&url("/health/ready"), None, None, &context.clock).await;
    let ready: Value = match ready {
        Ok(answer) => serde_json::from_str(&answer.text).unwrap_or_default(),
        Err(error) => return vec![silent(running, &error)],
    };
    let path = url("/api/v1/system");
    let system: Value = match http::get(&path, Some(&running.token), None, &context.clock).await {
        Ok(answer) if answer.status == 200 => {
            serde_json::from_str(&answer.text).unwrap_or_default()
        }
        _ => Value::Null,
    };
    judge(&ready, &system, running)
}

fn silent(running: &RunFile, error: &str) -> Finding {
    let alive = std::path::Path::new(&format!("/proc/{}", running.process)).exists();
    let (process, http) = (running.process, running.http);
    if alive {
        Finding::fail(
            words!(
                "process {} does not answer on {}: {}",
                "进程 {} 在 {} 上没有响应：{}",
                process,
                http,
                error
            ),
            words!("nobody sees the city while that lasts", "在此期间无法查看城市状态"),
            words!("look into its log; if it hangs, restart it", "请查看其日志；如已挂起，请重启"),
        )
    } else {
        Finding::warn(
            words!(
                "process {} ended without stopping in order",
                "进程 {} 未正常停止就已退出",
                process
            ),
            words!(
                "nothing that was acknowledged is lost; but something killed it",
                "已确认的数据不会丢失，但程序是被强行终止的"
            ),
            words!(
                "look into its log and the kernel's (`journalctl -k`, out of memory?), then start it",
                "请查看程序与内核日志（journalctl -k，是否内存不足），然后重新启动"
            ),
        )
    }
}

fn judge(ready: &Value, system: &Value, running: &RunFile) -> Vec<Finding> {
    let mut found = Vec::new();
    let parts = ready["parts"].as_object().into_iter().flatten();
    for (name, part) in parts.filter(|(_, part)| part["ok"] == false) {
        let detail = part["detail"].as_str().unwrap_or_default();
        let level = if ready["status"] == "ready" { Level::Warn } else { Level::Fail };
        found.push(
            Finding::warn(
                words!("{}: {}", "{}：{}", name, detail),
                words!(
                    "the program says of itself that this part does not work",
                    "程序自检报告该部分不正常"
                ),
                words!(
                    "see GET /api/v1/system and the log for the cause",
                    "原因见 GET /api/v1/system 与日志"
                ),
            )
            .at(level),
        );
    }
    for problem in system["rule_problems"].as_array().into_iter().flatten() {
        let problem = problem.as_str().unwrap_or_default();
        found.push(Finding::warn(
            words!("rules: {}", "规则：{}", problem),
            words!("these rules are not in force", "这些规则没有生效"),
            words!("mend them; the others go on", "请修正；其余规则照常运行"),
        ));
    }
    let (theirs, ours) = (system["version"].as_str(), env!("CARGO_PKG_VERSION"));
    if theirs.is_some_and(|theirs| theirs != ours) {
        found.push(Finding::warn(
            words!(
                "version {} runs, and this command is {}",
                "运行中的版本是 {}，本命令是 {}",
                theirs.unwrap_or_default(),
                ours
            ),
            words!("a start may change the databases for good", "启动新版本会永久升级数据库"),
            words!(
                "take a backup with the old version, then restart with the new one",
                "请先用旧版本备份，再以新版本重启"
            ),
        ));
    }
    if ready["status"] != "ready" && found.is_empty() {
        found.push(Finding::fail(
            words!("it is not ready", "尚未就绪"),
            words!("devices and people must wait", "设备与用户都需等待"),
            words!("look into its log", "请查看其日志"),
        ));
    }
    if found.is_empty() {
        let (process, http) = (running.process, running.http);
        found.push(Finding::ok(words!(
            "process {} on {} is ready",
            "进程 {}（{}）运行正常",
            process,
            http
        )));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(ready: &Value, system: &Value) -> Vec<(Level, String)> {
        let http = ([127, 0, 0, 1], 1).into();
        let running = RunFile { process: 7, http, token: String::new(), role: None };
        let found = judge(ready, system, &running);
        found.into_iter().map(|finding| (finding.level, finding.what.en)).collect()
    }

    #[test]
    fn parts_that_do_not_work_and_another_version_are_told() {
        let part = |ok: bool| json!({ "ok": ok, "detail": "away" });
        let well = json!({ "status": "ready", "parts": { "store": part(true) } });
        let system = json!({ "version": env!("CARGO_PKG_VERSION"), "rule_problems": [] });
        assert_eq!(of(&well, &system)[0].0, Level::Ok);
        let broker = json!({ "status": "ready", "parts": { "brokers": part(false) } });
        assert_eq!(of(&broker, &system), [(Level::Warn, "brokers: away".to_owned())]);
        let ill = json!({ "status": "not_ready", "parts": { "store": part(false) } });
        assert_eq!(of(&ill, &system), [(Level::Fail, "store: away".to_owned())]);
        let old = json!({ "version": "0.0.1", "rule_problems": ["a.yaml is gone"] });
        let found = of(&well, &old);
        assert!(found[0].1.contains("a.yaml is gone") && found[1].1.contains("0.0.1"), "{found:?}");
        assert_eq!(of(&Value::Null, &Value::Null)[0].0, Level::Fail);
    }
}
