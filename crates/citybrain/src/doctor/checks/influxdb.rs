//! Whether the InfluxDB server is ready, knows us, and has what is needed.

use city_store::influxdb::{Inspection, inspect};

use super::super::finding::{Finding, words};
use super::super::{Check, Context};
use crate::settings::StoreBackend;

pub(in crate::doctor) static CHECK: Check =
    Check { id: "influxdb", look: |context| Box::pin(look(context)) };

async fn look(context: &Context) -> Vec<Finding> {
    let store = &context.settings.store;
    let Some(influxdb) =
        store.influxdb.as_ref().filter(|_| store.backend == StoreBackend::InfluxDb)
    else {
        return vec![Finding::ok(words!("readings are stored on this machine", "数据存储在本机"))];
    };
    let options = match influxdb.options(crate::store::local(store)) {
        Ok(options) => options,
        Err(problem) => {
            return vec![Finding::fail(
                words!("{}", "{}", problem),
                words!("the program does not start with it", "程序无法以此配置启动"),
                words!("mend [store.influxdb]", "请修改 [store.influxdb]"),
            )];
        }
    };
    match inspect(&options).await {
        Ok(found) => judge(&found, &influxdb.url, &influxdb.bucket),
        Err(error) => vec![Finding::fail(
            words!("{}: {}", "{}：{}", influxdb.url, error),
            words!(
                "readings are acknowledged and wait in the spool until it takes them; when the spool is \
                 full, ingest pauses",
                "数据会确认并暂存在本地队列，等待其恢复；队列写满后接收暂停"
            ),
            words!(
                "see that the server runs and is reached from here, and that the token is one of this \
                 organization (`influx auth list`)",
                "请确认服务器运行且可达，且令牌属于该组织（influx auth list）"
            ),
        )],
    }
}

fn judge(found: &Inspection, url: &str, bucket: &str) -> Vec<Finding> {
    let setup = || words!("run `citybrain influx setup`", "请运行 citybrain influx setup");
    if found.is_fresh {
        return vec![Finding::fail(
            words!("nobody has set up {}", "{} 尚未初始化", url),
            words!("it takes no readings", "无法写入数据"),
            words!(
                "run `citybrain influx setup` with --username and --password-file",
                "请运行 citybrain influx setup，并给出 --username 与 --password-file"
            ),
        )];
    }
    if !found.has_bucket {
        return vec![Finding::fail(
            words!(
                "there is no bucket `{}`, or the token may not read it",
                "没有名为 {} 的桶，或令牌无权读取",
                bucket
            ),
            words!("readings wait in the spool", "数据会滞留在本地队列"),
            setup(),
        )];
    }
    let mut all: Vec<Finding> = Vec::new();
    for tier in &found.missing_tiers {
        all.push(Finding::warn(
            words!("there is no bucket `{}`", "没有名为 {} 的桶", tier),
            words!("other tools find no downsampled data", "其他工具无法读取降采样数据"),
            setup(),
        ));
    }
    let version = found.version.as_deref().unwrap_or("?");
    all.push(Finding::ok(words!(
        "InfluxDB {} at {} is ready and has the bucket `{}`",
        "InfluxDB {}（{}）就绪，桶 {} 存在",
        version,
        url,
        bucket
    )));
    all
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_the_command_that_makes_it() {
        let good = Inspection { has_bucket: true, ..Inspection::default() };
        let level = |found: &Inspection| judge(found, "http://h", "b")[0].level;
        assert_eq!(level(&good), Level::Ok);
        assert_eq!(level(&Inspection::default()), Level::Fail);
        assert_eq!(level(&Inspection { is_fresh: true, ..good.clone() }), Level::Fail);
        let tier = Inspection { missing_tiers: vec!["b_1h".to_owned()], ..good };
        let found = judge(&tier, "http://h", "b");
        assert_eq!((found[0].level, found[1].level), (Level::Warn, Level::Ok));
        assert!(found[0].todo.as_ref().expect("advice").en.contains("influx setup"));
    }
}
