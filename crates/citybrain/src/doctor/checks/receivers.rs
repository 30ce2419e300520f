//! Whether the receivers of alerts can be reached. Only where that is asked for: they notice it.

use std::time::Duration;

use city_alert::ReceiverConfig;
use tokio::net::TcpStream;

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "receivers", look: |context| Box::pin(look(context)) };

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

async fn look(context: &Context) -> Vec<Finding> {
    let receivers = &context.settings.receivers;
    if receivers.is_empty() {
        return vec![Finding::ok(words!("there are none outside", "没有外部接收方"))];
    }
    if !context.receivers {
        let count = receivers.len();
        return vec![Finding::ok(words!(
            "{} were not looked at; --receivers connects to them",
            "{} 个接收方未检查；加 --receivers 可尝试连接",
            count
        ))];
    }
    let mut found = Vec::new();
    for receiver in receivers {
        let Some((host, port)) = address(receiver) else { continue };
        let connect = TcpStream::connect((host.as_str(), port));
        let connected = tokio::time::timeout(PATIENCE, connect).await;
        let id = &receiver.id;
        found.push(match connected {
            Ok(Ok(_)) => Finding::ok(words!(
                "`{}` can be reached at {}:{}",
                "{} 可达（{}:{}）",
                id,
                host,
                port
            )),
            other => {
                let error = match other {
                    Ok(Err(error)) => error.to_string(),
                    _ => format!("no answer within {} s", PATIENCE.as_secs()),
                };
                Finding::fail(
                    words!(
                        "`{}` cannot be reached at {}:{}: {}",
                        "{} 不可达（{}:{}）：{}",
                        id,
                        host,
                        port,
                        error
                    ),
                    words!("its alerts wait until it can", "其告警会一直等待"),
                    words!(
                        "check the address and the firewall; then `citybrain receivers test {}`",
                        "请检查地址与防火墙，然后运行 citybrain receivers test {}",
                        id
                    ),
                )
            }
        });
    }
    found
}

/// Where a receiver listens.
fn address(receiver: &ReceiverConfig) -> Option<(String, u16)> {
    let options = &receiver.options;
    if let Some(url) = url(receiver) {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        return Some((host, url.port_or_known_default()?));
    }
    if let Some(server) = options["server"].as_str() {
        let port = match options["tls"].as_str() {
            Some("tls") => 465,
            Some("none") => 25,
            _ => 587,
        };
        let port =
            options["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(port);
        return Some((server.to_owned(), port));
    }
    let broker = &options["broker"];
    let port = if broker["tls"].is_object() { 8883 } else { 1883 };
    let port = broker["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(port);
    Some((broker["host"].as_str()?.to_owned(), port))
}

/// Its address on the web. Of a robot it is a secret, also in a file.
fn url(receiver: &ReceiverConfig) -> Option<reqwest::Url> {
    let options = &receiver.options;
    let in_file = || {
        let text = std::fs::read_to_string(options["url_file"].as_str()?).ok()?;
        Some(text.lines().next()?.trim().to_owned())
    };
    let url = options["url"].as_str().map(str::to_owned).or_else(in_file)?;
    reqwest::Url::parse(&url).ok()
}

/// The receivers on the web, if they are to be looked at: who, the address without the path, which
/// may be a secret, and the authorities of its certificate.
pub(super) fn web(context: &Context) -> Vec<(String, String, Option<Vec<u8>>)> {
    let receivers = context.settings.receivers.iter().filter(|_| context.receivers);
    let of = |receiver: &ReceiverConfig| {
        let origin = url(receiver)?.origin().ascii_serialization();
        let ca = receiver.options["ca_file"].as_str();
        Some((
            receiver.id.clone(),
            format!("{origin}/"),
            ca.and_then(|file| std::fs::read(file).ok()),
        ))
    };
    receivers.filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_receiver_has_an_address() {
        for (options, host, port) in [
            (json!({ "url": "http://desk.example/alerts" }), "desk.example", 80),
            (json!({ "url": "https://desk.example:8443/secret" }), "desk.example", 8443),
            (json!({ "url": "http://[::1]:9/" }), "::1", 9),
            (json!({ "server": "mail.example" }), "mail.example", 587),
            (json!({ "server": "mail.example", "tls": "tls" }), "mail.example", 465),
            (
                json!({ "server": "mail.example", "tls": "none", "port": 2525 }),
                "mail.example",
                2525,
            ),
            (json!({ "broker": { "host": "b" } }), "b", 1883),
            (json!({ "broker": { "host": "b", "tls": {} } }), "b", 8883),
        ] {
            let receiver = ReceiverConfig::new("r", "webhook", options.clone());
            assert_eq!(address(&receiver), Some((host.to_owned(), port)), "{options}");
        }
        let nothing = ReceiverConfig::new("r", "webhook", json!({}));
        assert_eq!(address(&nothing), None);
    }
}
