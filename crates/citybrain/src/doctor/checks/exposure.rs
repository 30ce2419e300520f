//! What other machines can reach without encryption or credentials.

use std::net::SocketAddr;

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "exposure", look: |context| Box::pin(async move { look(context) }) };

fn is_reachable(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

fn look(context: &Context) -> Vec<Finding> {
    let settings = &context.settings;
    let mqtt = &settings.mqtt;
    let mut plain = Vec::new();
    if is_reachable(settings.http.listen) && settings.http.tls.is_none() {
        plain.push(("http.listen".to_owned(), settings.http.listen));
    }
    if mqtt.enabled && is_reachable(mqtt.listen) && mqtt.tls.is_none() {
        plain.push(("mqtt.listen".to_owned(), mqtt.listen));
    }
    for (index, listener) in mqtt.listeners.iter().enumerate() {
        if mqtt.enabled && is_reachable(listener.listen) && listener.tls.is_none() {
            plain.push((format!("mqtt.listener[{index}].listen"), listener.listen));
        }
    }
    let mut found: Vec<Finding> = plain
        .into_iter()
        .map(|(key, address)| {
            Finding::warn(
                words!(
                    "{} = {} can be reached from other machines, unencrypted",
                    "{} = {} 可被其他机器访问，且未加密",
                    key,
                    address
                ),
                words!(
                    "whoever is in that network can read and change what goes over it, passwords included",
                    "同一网络中的任何人都能读取、篡改其中的内容，包括口令"
                ),
                words!(
                    "give it TLS, or make sure that the network is yours alone (VPN, private APN)",
                    "请启用 TLS，或确认该网络为专用网络（VPN、专用 APN）"
                ),
            )
        })
        .collect();
    let reachable = mqtt.enabled
        && (is_reachable(mqtt.listen) || mqtt.listeners.iter().any(|one| is_reachable(one.listen)));
    if reachable && mqtt.anonymous == Some(true) {
        found.push(Finding::warn(
            words!(
                "mqtt.anonymous = true: whoever reaches the endpoint can publish as any device",
                "mqtt.anonymous = true：任何能访问端口的人都可冒充任意设备上报"
            ),
            words!("alerts can be forged and hidden that way", "由此可以伪造或掩盖告警"),
            words!(
                "give devices credentials (`citybrain credentials`) and leave `anonymous` out",
                "请为设备配置凭据（`citybrain credentials`）并去掉 anonymous"
            ),
        ));
    }
    if found.is_empty() {
        found.push(Finding::ok(words!(
            "nothing can be reached from outside without encryption",
            "没有未加密而对外开放的端口"
        )));
    }
    found
}
