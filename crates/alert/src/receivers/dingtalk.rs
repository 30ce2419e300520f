//! `dingtalk`: a custom robot in a DingTalk group (自定义机器人), by Markdown messages.
//!
//! Options are those of all [robots](super::robot). Message, signature, and the limit of 20 messages a
//! minute (past it the robot is shut for ten minutes) are as in "自定义机器人接入",
//! <https://open.dingtalk.com/document/group/custom-robot-access>: with a secret (`SEC…`) the address
//! gets `timestamp` (milliseconds) and `sign`, the Base64 of HMAC-SHA256 over
//! `timestamp + "\n" + secret` with the secret as key. A message has at most 20,000 bytes.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use city_model::Timestamp;
use city_store::Secret;
use reqwest::Url;
use serde_json::{Value, json};

use super::message::{Message, Wording};
use super::robot::{Robot, headline, omitted_line, plain};
use super::secrets::hmac_sha256;

const LIMIT: usize = 20_000;

pub(super) static DINGTALK: Robot = Robot {
    name: "dingtalk",
    code: &["errcode"],
    // -1: the system is busy. 130101 ("send too fast, exceed 20 times per minute") and 410100: too fast.
    busy: &[
        (-1, Duration::from_secs(5)),
        (130_101, Duration::from_mins(10)),
        (410_100, Duration::from_mins(10)),
    ],
    // What the text holds: an unsafe link, something indecent; and: it is too long.
    refused: &[430_101, 430_102, 430_103, 430_104, 460_101],
    body,
    sign: Some(sign),
};

fn body(messages: &[Message], omitted: usize, wording: &Wording) -> Option<Value> {
    let mut text = String::new();
    for message in messages {
        let _ = writeln!(text, "#### {}\n", plain(&message.title));
        for line in &message.lines {
            // Two spaces at the end, or lines are joined.
            let _ = writeln!(text, "> {}  ", plain(line));
        }
        if let Some(link) = &message.link {
            let _ = writeln!(text, "\n[{}]({link})", wording.pick("Open", "查看"));
        }
        text += "\n";
    }
    if omitted > 0 {
        text += &omitted_line(omitted, wording);
    }
    let title = headline(messages, omitted, wording);
    let fits = title.len() + text.len() <= LIMIT;
    fits.then(|| json!({"msgtype": "markdown", "markdown": {"title": title, "text": text}}))
}

fn sign(url: &mut Url, _: &mut Value, secret: &Secret, now: Timestamp) {
    let (time, secret) = (now.millis().to_string(), secret.expose().as_bytes());
    let mac = hmac_sha256(secret, &[time.as_bytes(), b"\n", secret]);
    url.query_pairs_mut()
        .append_pair("timestamp", &time)
        .append_pair("sign", &STANDARD.encode(mac));
}

#[cfg(test)]
mod tests {
    use city_model::AlertEventKind;

    use super::*;
    use crate::receivers::message::Language;
    use crate::receivers::message::tests::{event, wording};

    /// What the documentation's sample program prints for its secret at this time.
    #[test]
    fn the_signature_is_that_of_the_documented_program() {
        let mut url =
            Url::parse("https://oapi.dingtalk.com/robot/send?access_token=XXXXXX").expect("a URL");
        let now = Timestamp::from_millis(1_577_262_236_757);
        sign(&mut url, &mut Value::Null, &Secret::new("this is secret"), now);
        assert_eq!(
            url.as_str(),
            "https://oapi.dingtalk.com/robot/send?access_token=XXXXXX\
             &timestamp=1577262236757&sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"
        );
    }

    #[test]
    fn the_message_has_the_documented_shape() {
        let wording = wording(Language::Zh);
        let message = wording.message(&event(AlertEventKind::Fired));
        let body = body(&[message], 0, &wording).expect("fits");
        assert_eq!(body["msgtype"], "markdown");
        assert_eq!(body["markdown"]["title"], "【紧急】PM2.5 超标");
        let text = body["markdown"]["text"].as_str().expect("text");
        assert!(text.starts_with("#### 【紧急】PM2.5 超标\n\n> air_1：160 µg/m³  \n"), "{text}");
        assert!(text.contains("[查看](https://city.example/alerts/0123456789abcdef)"), "{text}");
    }
}
