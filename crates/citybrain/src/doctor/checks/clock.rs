//! Whether the clock is right: kept by NTP, not set back, and near those of others.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use super::super::finding::{Finding, words};
use super::super::{Check, Context, http};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "clock", look: |context| Box::pin(look(context)) };

/// Further apart than this is worth a look, in seconds; a `Date` has whole ones.
const APART_S: f64 = 5.0;
/// From here on readings of devices with right clocks count as from the future (five minutes).
const FAR_APART_S: f64 = 300.0;

async fn look(context: &Context) -> Vec<Finding> {
    let mut found = vec![kept()];
    found.extend(set_back(context.data_dir(), SystemTime::now()));
    if let Some(influxdb) = &context.settings.store.influxdb {
        let ca_pem = influxdb.ca_file.as_ref().and_then(|file| std::fs::read(file).ok());
        let url = format!("{}/health", influxdb.url.trim_end_matches('/'));
        // That it does not answer is for another check.
        if let Ok(answer) = http::get(&url, None, ca_pem.as_deref(), &context.clock).await {
            found.extend(answer.ahead_s.map(|ahead| apart("InfluxDB", ahead)));
        }
    }
    for (id, origin, ca_pem) in super::receivers::web(context) {
        if let Ok(answer) = http::get(&origin, None, ca_pem.as_deref(), &context.clock).await {
            found.extend(answer.ahead_s.map(|ahead| apart(&id, ahead)));
        }
    }
    found
}

/// Whether something keeps the clock.
fn kept() -> Finding {
    let said = Command::new("timedatectl")
        .args(["show", "-p", "NTPSynchronized", "--value"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let mark = Path::new("/run/systemd/timesync/synchronized").exists();
    judge_kept(said.as_deref(), mark)
}

fn judge_kept(said: Option<&str>, mark: bool) -> Finding {
    match said {
        Some("yes") => Finding::ok(words!("the clock is kept by NTP", "时钟已由 NTP 同步")),
        _ if mark => Finding::ok(words!("the clock is kept by NTP", "时钟已由 NTP 同步")),
        Some("no") => Finding::warn(
            words!("the clock is not kept by NTP", "时钟未由 NTP 同步"),
            words!(
                "it drifts; readings count as late or as from the future, and alerts come at wrong times",
                "时钟会漂移；读数会被判为迟到或超前，告警时间也会出错"
            ),
            words!(
                "timedatectl set-ntp true, or install chrony with the city's time servers",
                "请执行 timedatectl set-ntp true，或安装 chrony 并配置本市时间服务器"
            ),
        ),
        _ => Finding::ok(words!(
            "this system does not say whether NTP keeps the clock",
            "系统未提供 NTP 同步状态"
        )),
    }
}

/// Files that will be written tell that the clock was set back since.
fn set_back(folder: &Path, now: SystemTime) -> Option<Finding> {
    let files = ["state.db", "state.db-wal", "started", "store/ingest.db", "store/ingest.db-wal"];
    let written =
        files.iter().filter_map(|name| folder.join(name).metadata().ok()?.modified().ok());
    let ahead = written.max()?.duration_since(now).ok()?.as_secs_f64();
    (ahead > APART_S).then(|| {
        Finding::fail(
            words!(
                "the data folder was written to {:.0} s from now: the clock was set back",
                "数据目录的写入时间比现在晚 {:.0} 秒：时钟被调回过",
                ahead
            ),
            words!(
                "new readings count as older than those that are there",
                "新读数会被当作比已有读数更旧"
            ),
            words!(
                "set the clock right; if it was wrong before, wait until it has caught up",
                "请校正时钟；如果之前的时间才是错的，请等待其追上"
            ),
        )
    })
}

fn apart(who: &str, ahead_s: f64) -> Finding {
    let seconds = ahead_s.abs();
    let (en, zh) = if ahead_s > 0.0 { ("ahead of", "快") } else { ("behind", "慢") };
    if seconds <= APART_S {
        return Finding::ok(words!(
            "the clock of `{}` is within {:.0} s of ours",
            "与 {} 的时钟相差不超过 {:.0} 秒",
            who,
            APART_S
        ));
    }
    let what = super::super::finding::Words {
        en: format!("the clock of `{who}` is {seconds:.0} s {en} ours"),
        zh: format!("{who} 的时钟比本机{zh} {seconds:.0} 秒"),
    };
    let why = words!(
        "one of the two is wrong; times that are compared between them mislead",
        "两者之一有误；相互比较的时间会产生误导"
    );
    let todo = words!("let NTP keep both", "请让两台机器都由 NTP 同步");
    if seconds > FAR_APART_S {
        Finding::fail(what, why, todo)
    } else {
        Finding::warn(what, why, todo)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::Level;
    use super::*;

    #[test]
    fn what_the_system_says_of_ntp_decides() {
        assert_eq!(judge_kept(Some("yes"), false).level, Level::Ok);
        assert_eq!(judge_kept(Some("no"), false).level, Level::Warn);
        assert_eq!(judge_kept(Some("no"), true).level, Level::Ok, "timesyncd has marked it");
        assert_eq!(judge_kept(None, false).level, Level::Ok);
    }

    #[test]
    fn a_clock_that_was_set_back_is_seen_by_what_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(set_back(folder.path(), SystemTime::now()), None);
        std::fs::write(folder.path().join("state.db"), "").expect("written");
        assert_eq!(set_back(folder.path(), SystemTime::now()), None);
        let before = SystemTime::now() - Duration::from_hours(1);
        let found = set_back(folder.path(), before).expect("seen");
        assert!(found.what.en.contains("from now: the clock was set back"), "{found:?}");
    }

    #[test]
    fn clocks_that_are_apart_are_told_with_the_direction() {
        for (ahead, level, named) in [
            (0.4, Level::Ok, "within 5 s"),
            (-4.9, Level::Ok, "within 5 s"),
            (42.0, Level::Warn, "42 s ahead of ours"),
            (-42.0, Level::Warn, "42 s behind ours"),
            (900.0, Level::Fail, "900 s ahead of ours"),
        ] {
            let found = apart("hook", ahead);
            assert!(found.level == level && found.what.en.contains(named), "{found:?}");
        }
    }
}
