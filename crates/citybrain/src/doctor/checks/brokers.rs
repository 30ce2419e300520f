//! Whether the external brokers let us in, grant our subscriptions, and have limits that lose
//! nothing.

use std::time::Duration;

use city_collect::{BrokerConfig, Probe, probe};

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "brokers", look: |context| Box::pin(look(context)) };

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(8);

async fn look(context: &Context) -> Vec<Finding> {
    let mut found = Vec::new();
    for broker in &context.settings.brokers {
        let sources = context.city.as_ref().map(|city| city.sources.filters(Some(&broker.name)));
        let filters = sources.unwrap_or_default();
        match probe(&broker.connect, &filters, PATIENCE).await {
            Ok(probe) => found.extend(judge(&broker.name, &broker.connect, filters.len(), &probe)),
            Err(error) => found.push(Finding::fail(
                words!("`{}`: {}", "{}：{}", broker.name, error),
                words!(
                    "its devices are not heard; what they send waits there, if the broker keeps it",
                    "收不到其设备的数据；若服务器会暂存，数据会在那里等待"
                ),
                words!(
                    "see that the broker runs, that this machine reaches it ({}:{}), and who may log in",
                    "请确认服务器正在运行、本机可达（{}:{}）且凭据有效",
                    broker.connect.host,
                    broker.connect.port()
                ),
            )),
        }
    }
    if context.settings.brokers.is_empty() {
        found.push(Finding::ok(words!(
            "there are none; devices connect to the embedded endpoint",
            "未配置外部服务器；设备连接内置端口"
        )));
    }
    found
}

fn judge(name: &str, config: &BrokerConfig, filters: usize, probe: &Probe) -> Vec<Finding> {
    let mut found = Vec::new();
    for refused in &probe.refused {
        found.push(Finding::fail(
            words!(
                "`{}` refuses the subscription {}: {}",
                "{} 拒绝订阅 {}：{}",
                name,
                refused.filter,
                refused.reason
            ),
            words!("nothing of those topics comes in", "这些主题的数据收不到"),
            words!(
                "allow user `{}` to read it; deploy/mosquitto/citybrain.acl shows how",
                "请允许用户 {} 读取；示例见 deploy/mosquitto/citybrain.acl",
                config.username.as_deref().unwrap_or("(none)")
            ),
        ));
    }
    let limits = &probe.limits;
    if limits.maximum_qos == Some(0) {
        found.push(Finding::fail(
            words!("`{}` gives messages at QoS 0 only", "{} 只支持 QoS 0", name),
            words!(
                "what is sent while we are away, or too fast, is lost",
                "离线期间或过快发送的消息会丢失"
            ),
            words!(
                "allow QoS 1 there (Mosquitto: max_qos 1)",
                "请在服务器上允许 QoS 1（Mosquitto：max_qos 1）"
            ),
        ));
    }
    if config.shared_group.is_some() && limits.shared_subscriptions == Some(false) {
        found.push(Finding::fail(
            words!("`{}` has no shared subscriptions", "{} 不支持共享订阅", name),
            words!(
                "shared_group is set, and the broker refuses it",
                "已设置 shared_group，但服务器会拒绝"
            ),
            words!(
                "leave shared_group out, or allow them there",
                "请去掉 shared_group，或在服务器上启用"
            ),
        ));
    }
    if let Some(bytes) = limits.maximum_packet_size.filter(|bytes| *bytes > config.max_packet_size)
    {
        found.push(Finding::warn(
            words!(
                "`{}` takes packets up to {} bytes, and we only up to {} (max_packet_size)",
                "{} 接受最大 {} 字节的报文，而本机只接受 {} 字节（max_packet_size）",
                name,
                bytes,
                config.max_packet_size
            ),
            words!(
                "over MQTT 5 it drops larger messages on the way to us, and nobody hears of it",
                "MQTT 5 下更大的消息会在转发时被静默丢弃"
            ),
            words!("set both to the same", "请将两者设为相同"),
        ));
    }
    if let Some(seconds) =
        limits.keep_alive_s.filter(|s| u64::from(*s) < config.keep_alive.to_std().as_secs())
    {
        found.push(Finding::ok(words!(
            "`{}` wants a sign of life every {} s, which it gets",
            "{} 要求每 {} 秒保活一次，程序会遵守",
            name,
            seconds
        )));
    }
    let version = probe.about.get("$SYS/broker/version").cloned().unwrap_or_default();
    let dropped = probe.about.get("$SYS/broker/publish/messages/dropped");
    let dropped = dropped.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    if dropped > 0 {
        found.push(Finding::warn(
            words!(
                "`{}` has dropped {} messages since it started",
                "{} 自启动以来已丢弃 {} 条消息",
                name,
                dropped
            ),
            words!(
                "by its defaults Mosquitto queues 1,000 messages for a client and drops the rest, after \
                 it has acknowledged them to the device",
                "Mosquitto 默认只为每个客户端排队 1,000 条消息，其余在向设备确认后丢弃"
            ),
            words!(
                "set max_queued_messages, max_inflight_messages and persistence as \
                 deploy/mosquitto/citybrain.conf does",
                "请按 deploy/mosquitto/citybrain.conf 设置 max_queued_messages、max_inflight_messages 与 persistence"
            ),
        ));
    } else if version.to_lowercase().contains("mosquitto") {
        found.push(Finding::ok(words!(
            "`{}` is {}; make sure that it queues more than 1,000 messages (deploy/mosquitto)",
            "{} 为 {}；请确认其排队上限大于默认的 1,000 条（见 deploy/mosquitto）",
            name,
            version
        )));
    }
    if probe.refused.is_empty() {
        found.push(Finding::ok(words!(
            "`{}` lets us in and grants {} subscriptions",
            "{} 连接正常，{} 个订阅均已授权",
            name,
            filters
        )));
    }
    found
}

#[cfg(test)]
mod tests {
    use city_collect::{BrokerLimits, RefusedFilter};

    use super::super::super::Level;
    use super::*;

    #[test]
    fn limits_that_lose_messages_are_told() {
        let config = BrokerConfig {
            shared_group: Some("city".to_owned()),
            ..BrokerConfig::new("broker", 1883, "citybrain")
        };
        let found = |probe: &Probe| {
            let found = judge("far", &config, 1, probe);
            found.into_iter().map(|one| (one.level, one.what.en)).collect::<Vec<_>>()
        };
        let good = found(&Probe::default());
        assert!(good.len() == 1 && good[0].0 == Level::Ok, "{good:?}");
        let limits = BrokerLimits {
            maximum_qos: Some(0),
            shared_subscriptions: Some(false),
            maximum_packet_size: Some(1 << 28),
            keep_alive_s: Some(10),
            ..BrokerLimits::default()
        };
        let refused =
            RefusedFilter { filter: "a/#".to_owned(), reason: "NotAuthorized".to_owned() };
        let about = [("$SYS/broker/publish/messages/dropped", "7"), ("$SYS/broker/version", "x")];
        let about = about.map(|(topic, text)| (topic.to_owned(), text.to_owned())).into();
        let bad = found(&Probe { refused: vec![refused], limits, about });
        for (level, named) in [
            (Level::Fail, "refuses the subscription a/#"),
            (Level::Fail, "QoS 0 only"),
            (Level::Fail, "no shared subscriptions"),
            (Level::Warn, "max_packet_size"),
            (Level::Warn, "dropped 7 messages"),
        ] {
            assert!(
                bad.iter().any(|(l, what)| *l == level && what.contains(named)),
                "{named}: {bad:?}"
            );
        }
    }
}
