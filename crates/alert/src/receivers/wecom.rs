//! `wecom`: a robot in a WeCom group (企业微信群机器人), by Markdown messages.
//!
//! Options are those of all [robots](super::robot), without a secret: the key in the address is one.
//! Message, its limit of 4,096 bytes of UTF-8, its three colours, and the limit of 20 messages a
//! minute are as in "群机器人配置说明", <https://developer.work.weixin.qq.com/document/path/91770>;
//! codes as in "全局错误码", <https://developer.work.weixin.qq.com/document/path/90313>.

use std::fmt::Write as _;
use std::time::Duration;

use city_model::Severity;
use serde_json::{Value, json};

use super::message::{Message, Wording};
use super::robot::{Robot, omitted_line, plain};

const LIMIT: usize = 4_096;

pub(super) static WECOM: Robot = Robot {
    name: "wecom",
    code: &["errcode"],
    // -1: the system is busy. 45009: "api freq out of limit".
    busy: &[(-1, Duration::from_secs(5)), (45_009, Duration::from_mins(1))],
    // 40058: a parameter is not valid, as a text that is too long. 44004: the text is empty.
    refused: &[40_058, 44_004],
    body,
    sign: None,
};

fn body(messages: &[Message], omitted: usize, wording: &Wording) -> Option<Value> {
    let mut text = String::new();
    for message in messages {
        let colour = colour(message);
        let _ = writeln!(text, "### <font color=\"{colour}\">{}</font>", plain(&message.title));
        for line in &message.lines {
            let _ = writeln!(text, "> {}", plain(line));
        }
        if let Some(link) = &message.link {
            let _ = writeln!(text, "[{}]({link})", wording.pick("Open", "查看"));
        }
    }
    if omitted > 0 {
        text += &omitted_line(omitted, wording);
    }
    let fits = text.len() <= LIMIT;
    fits.then(|| json!({"msgtype": "markdown", "markdown": {"content": text}}))
}

/// Green, orange or grey: there are no others.
fn colour(message: &Message) -> &'static str {
    match message.severity {
        _ if message.ended => "info",
        Severity::Critical | Severity::High => "warning",
        Severity::Medium | Severity::Low => "comment",
    }
}

#[cfg(test)]
mod tests {
    use city_model::{AlertEventKind, LocalText};

    use super::*;
    use crate::receivers::message::Language;
    use crate::receivers::message::tests::{event, wording};

    #[test]
    fn the_message_has_the_documented_shape() {
        let wording = wording(Language::Zh);
        let message = wording.message(&event(AlertEventKind::Fired));
        let body = body(&[message], 3, &wording).expect("fits");
        assert_eq!(body["msgtype"], "markdown");
        let text = body["markdown"]["content"].as_str().expect("text");
        let start = "### <font color=\"warning\">【紧急】PM2.5 超标</font>\n> air_1：160 µg/m³\n";
        assert!(text.starts_with(start), "{text}");
        assert!(text.ends_with("……另有 3 条，请查看仪表板"), "{text}");
    }

    #[test]
    fn no_message_has_more_bytes_than_are_allowed_and_none_is_lost_silently() {
        let wording = wording(Language::Both);
        let mut event = event(AlertEventKind::Fired);
        event.alert.summary = LocalText::same("超".repeat(10_000));
        let long = WECOM.fitting(vec![wording.message(&event)], &wording).expect("shortened");
        assert!(long["markdown"]["content"].as_str().expect("text").len() <= LIMIT);
        event.alert.summary = LocalText::same("短".repeat(60));
        let many = WECOM.fitting(vec![wording.message(&event); 20], &wording).expect("fits");
        let text = many["markdown"]["content"].as_str().expect("text");
        let told = text.matches("### ").count();
        assert!((10..20).contains(&told), "{told}");
        assert!(text.contains(&format!("另有 {} 条", 20 - told)), "{text}");
    }

    #[test]
    fn what_devices_are_called_cannot_mention_or_link() {
        let wording = wording(Language::En);
        let mut event = event(AlertEventKind::Fired);
        event.alert.summary = LocalText::same("<@all> [x](http://evil) **b**\n# c");
        let body = body(&[wording.message(&event)], 0, &wording).expect("fits");
        let text = body["markdown"]["content"].as_str().expect("text");
        assert!(text.contains("> ＜@all＞ ［x］(http://evil) ＊＊b＊＊ # c\n"), "{text}");
    }
}
