//! Whether what is stored can be read: the log, the state database, and the newest day. The rest is
//! for `citybrain store verify`, which reads everything.

use std::path::{Path, PathBuf};

use city_store::{Verification, verify_only, verify_state};

use super::super::Check;
use super::super::finding::{Finding, words};
use crate::store::{EMBEDDED, SPOOL};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "store", look: |context| Box::pin(async move { vec![look(context.data_dir())] }) };

fn look(folder: &Path) -> Finding {
    let mut found = Verification::default();
    for store in [EMBEDDED, SPOOL].map(|name| folder.join(name)) {
        if !store.is_dir() {
            continue;
        }
        let newest = newest_day(&store);
        match verify_only(&store, |path| Some(path) == newest.as_deref(), |_, _, _| {}) {
            Ok(seen) => found.append(seen),
            Err(error) => return unreadable(&error.to_string()),
        }
    }
    let state = folder.join("state.db");
    if state.exists() {
        found.append(verify_state(&state));
    }
    if found.files == 0 {
        return Finding::ok(words!("nothing is stored yet", "尚无数据"));
    }
    match found.damages.first() {
        None => Finding::ok(words!(
            "the log ({} commits), the newest day and the state database can be read",
            "日志（{} 次提交）、最近一天与状态数据库均可读取",
            found.commits
        )),
        Some(damage) => unreadable(&damage.to_string()),
    }
}

fn unreadable(what: &str) -> Finding {
    Finding::fail(
        words!("{}", "{}", what),
        words!(
            "what is damaged cannot be shown, and may keep the program from starting",
            "损坏的部分无法显示，并可能使程序无法启动"
        ),
        words!(
            "run `citybrain store verify` for all of it; then `citybrain store repair` with the \
             program stopped, or `citybrain restore` from a backup",
            "请运行 citybrain store verify 全面检查；然后停止程序执行 citybrain store repair，或用 \
             citybrain restore 从备份恢复"
        ),
    )
}

fn newest_day(store: &Path) -> Option<PathBuf> {
    let days = std::fs::read_dir(store.join("chunks")).ok()?.flatten().map(|entry| entry.path());
    days.filter(|path| path.extension().is_some_and(|ending| ending == "db")).max()
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn a_damaged_database_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(look(folder.path()).level, Level::Ok);
        let path = folder.path().join("state.db");
        drop(city_store::StateDb::open(&path).expect("a database"));
        assert_eq!(look(folder.path()).level, Level::Ok);
        std::fs::write(&path, "x".repeat(9_000)).expect("written");
        let found = look(folder.path());
        assert!(found.level == Level::Fail && found.what.en.contains("state.db"), "{found:?}");
    }
}
