//! `feishu`: a custom robot in a Feishu (Lark) group (自定义机器人), by cards.
//!
//! Options are those of all [robots](super::robot). Card, signature, codes and the limit of 20 KB a
//! request are as in "自定义机器人使用指南",
//! <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>: with a secret the body gets
//! `timestamp` (seconds) and `sign`, the Base64 of HMAC-SHA256 over nothing with
//! `timestamp + "\n" + secret` as key. The limits of 100 messages a minute and 5 a second are kept by
//! the pace of all robots.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use city_model::{Severity, Timestamp};
use city_store::Secret;
use reqwest::Url;
use serde_json::{Value, json};

use super::message::{Message, Wording};
use super::robot::{Robot, headline, omitted_line};
use super::secrets::hmac_sha256;

/// 20 KB, less what the signature adds.
const LIMIT: usize = 20_000 - 200;

pub(super) static FEISHU: Robot = Robot {
    name: "feishu",
    // The second is what old addresses answer with.
    code: &["code", "StatusCode"],
    // 11232: too many messages, or the system is busy at full hours. 99991400: too many requests.
    busy: &[(11_232, Duration::from_mins(1)), (99_991_400, Duration::from_mins(1))],
    // 9499: "Bad Request": the body is not as it should be.
    refused: &[9_499],
    body,
    sign: Some(sign),
};

fn body(messages: &[Message], omitted: usize, wording: &Wording) -> Option<Value> {
    let mut elements = Vec::new();
    for message in messages {
        let mut text = message.lines.join("\n");
        if messages.len() > 1 {
            text = format!("{}\n{text}", message.title);
        }
        // Plain text, in which nothing can mention, link or format.
        elements.push(json!({"tag": "div", "text": {"tag": "plain_text", "content": text}}));
        if let Some(link) = &message.link {
            let label = json!({"tag": "plain_text", "content": wording.pick("Open", "查看")});
            let button = json!({"tag": "button", "text": label, "url": link, "type": "default"});
            elements.push(json!({"tag": "action", "actions": [button]}));
        }
    }
    if omitted > 0 {
        let text = omitted_line(omitted, wording);
        elements.push(json!({"tag": "div", "text": {"tag": "plain_text", "content": text}}));
    }
    let title = json!({"tag": "plain_text", "content": headline(messages, omitted, wording)});
    let header = json!({"title": title, "template": colour(messages)});
    let body = json!({"msg_type": "interactive", "card": {"header": header, "elements": elements}});
    (body.to_string().len() <= LIMIT).then_some(body)
}

/// That of the worst that is not over.
fn colour(messages: &[Message]) -> &'static str {
    match messages.iter().filter(|message| !message.ended).map(|message| message.severity).max() {
        None => "green",
        Some(Severity::Low) => "blue",
        Some(Severity::Medium) => "yellow",
        Some(Severity::High) => "orange",
        Some(Severity::Critical) => "red",
    }
}

fn sign(_: &mut Url, body: &mut Value, secret: &Secret, now: Timestamp) {
    let time = now.millis().div_euclid(1000).to_string();
    let key = [time.as_bytes(), b"\n", secret.expose().as_bytes()].concat();
    body["sign"] = STANDARD.encode(hmac_sha256(&key, &[])).into();
    body["timestamp"] = time.into();
}

#[cfg(test)]
mod tests {
    use city_model::AlertEventKind;

    use super::*;
    use crate::receivers::message::Language;
    use crate::receivers::message::tests::{event, wording};

    /// What the documentation's sample program prints at the time of its example.
    #[test]
    fn the_signature_is_that_of_the_documented_program() {
        let mut url = Url::parse("https://open.feishu.cn/open-apis/bot/v2/hook/x").expect("a URL");
        let mut body = json!({"msg_type": "text", "content": {"text": "request example"}});
        let now = Timestamp::from_secs(1_599_360_473);
        sign(&mut url, &mut body, &Secret::new("this is secret"), now);
        let wanted = json!({
            "timestamp": "1599360473",
            "sign": "/eYKrXQBzTjUZJ3s6NX16VxGbTwmK7AEs8/FnvC1CSw=",
            "msg_type": "text",
            "content": {"text": "request example"},
        });
        assert_eq!(body, wanted);
    }

    #[test]
    fn the_card_has_the_documented_shape() {
        let wording = wording(Language::Zh);
        let message = wording.message(&event(AlertEventKind::Fired));
        let content = message.lines.join("\n");
        let body = body(&[message], 0, &wording).expect("fits");
        let wanted = json!({
            "msg_type": "interactive",
            "card": {
                "header": {
                    "title": {"tag": "plain_text", "content": "【紧急】PM2.5 超标"},
                    "template": "red",
                },
                "elements": [
                    {"tag": "div", "text": {"tag": "plain_text", "content": content}},
                    {"tag": "action", "actions": [{
                        "tag": "button",
                        "text": {"tag": "plain_text", "content": "查看"},
                        "url": "https://city.example/alerts/0123456789abcdef",
                        "type": "default",
                    }]},
                ],
            },
        });
        assert_eq!(body, wanted);
    }
}
