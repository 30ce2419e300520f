//! What the chat robots of DingTalk, WeCom and Feishu have in common: an address that is itself a
//! secret, about 20 messages a minute, and answers with HTTP 200 also to what they refuse: a code in
//! the body says what became of it.
//!
//! Options: `url` or `url_file` (one is needed: the robot's address as its settings show it), `secret`
//! or `secret_file` (where the robot is set up to want signatures), `language` (`zh`, `en`, `both`;
//! default `both`), `dashboard` (where the dashboard is for those who read, for links), `timeout`
//! (default `10s`).
//!
//! Events that wait are told together in one message, up to 20 of them, and messages are at least
//! three seconds apart. A robot cannot tell a message that comes twice, so people may see one twice
//! after a failure.

use std::path::PathBuf;
use std::time::Duration;

use city_model::{AlertEvent, Span, Timestamp};
use city_store::Secret;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::http::{self, Answer, Target};
use super::message::{Language, Message, Wording};
use super::{
    CityFacts, Delivering, Delivery, DeliveryError, Limits, Receiver, ReceiverKind, options,
    secrets,
};

/// As the vendors' limit of 20 messages a minute wants it.
const APART: Duration = Duration::from_secs(3);

/// Events told in one message.
const TOGETHER: usize = 20;

/// How one vendor's robots are spoken to.
#[derive(Clone, Copy)]
pub(super) struct Robot {
    /// The kind's name in configuration.
    pub(super) name: &'static str,
    /// The names that the code in answers may have; 0 is success.
    pub(super) code: &'static [&'static str],
    /// Codes that mean "not now", and for how long.
    pub(super) busy: &'static [(i64, Duration)],
    /// Codes that mean that this very message will never be taken.
    pub(super) refused: &'static [i64],
    /// The body for messages, of which the last `omitted` do not fit; `None` if it would be too
    /// large.
    pub(super) body: fn(&[Message], omitted: usize, &Wording) -> Option<Value>,
    /// Signs the address or the body; `None` where robots want no signatures.
    pub(super) sign: Option<Sign>,
}

/// Puts a signature into the address or the body.
pub(super) type Sign = fn(&mut Url, &mut Value, &Secret, Timestamp);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    url: Option<Secret>,
    url_file: Option<PathBuf>,
    secret: Option<Secret>,
    secret_file: Option<PathBuf>,
    #[serde(default)]
    language: Language,
    dashboard: Option<String>,
    #[serde(default = "http::ten_seconds")]
    timeout: Span,
}

impl ReceiverKind for Robot {
    fn name(&self) -> &'static str {
        self.name
    }

    fn build(&self, given: &Value, city: &CityFacts) -> Result<Box<dyn Receiver>, String> {
        let options: Options = options(given)?;
        let url = secrets::given("url", options.url, options.url_file.as_deref())?
            .ok_or("missing field `url`: the robot's address, as its settings show it")?;
        let secret = secrets::given("secret", options.secret, options.secret_file.as_deref())?;
        if secret.is_some() && self.sign.is_none() {
            return Err(format!("robots of {} want no `secret`; their address is one", self.name));
        }
        Ok(Box::new(Chat {
            robot: *self,
            target: Target::new(url.expose(), options.timeout, None)?,
            secret,
            wording: Wording::new(options.language, options.dashboard, city)?,
        }))
    }
}

/// A robot in a chat.
struct Chat {
    robot: Robot,
    target: Target,
    secret: Option<Secret>,
    wording: Wording,
}

impl Receiver for Chat {
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a> {
        Box::pin(async move {
            let messages = events
                .iter()
                .map(|delivery| {
                    delivery.event().map(|event: AlertEvent| self.wording.message(&event))
                })
                .collect::<Result<Vec<_>, _>>()?;
            let mut body = self.robot.fitting(messages, &self.wording)?;
            let mut url = self.target.url().clone();
            if let (Some(sign), Some(secret)) = (self.robot.sign, &self.secret) {
                sign(&mut url, &mut body, secret, now);
            }
            let answer = http::send(self.target.post(url).json(&body)).await?;
            self.robot.judge(answer)
        })
    }

    fn speaks_to_people(&self) -> bool {
        true
    }

    fn limits(&self) -> Limits {
        Limits { together: TOGETHER, apart: APART, ..Limits::default() }
    }
}

impl Robot {
    /// The body for messages: of several that do not fit, details are left out first, then whole
    /// messages, of which it says how many.
    pub(super) fn fitting(
        &self,
        mut messages: Vec<Message>,
        wording: &Wording,
    ) -> Result<Value, DeliveryError> {
        let all = messages.len();
        loop {
            if let Some(body) = (self.body)(&messages, all - messages.len(), wording) {
                return Ok(body);
            }
            let many = messages.len() > 1;
            let longest = messages.iter_mut().max_by_key(|message| message.lines.len());
            let shorter = match longest {
                Some(longest) if longest.lines.len() > 1 || !many => longest.shorten(),
                _ => messages.pop().is_some(),
            };
            if !shorter {
                return Err(DeliveryError::refused(
                    "the message does not fit whatever is left out",
                ));
            }
        }
    }

    /// What an answer means.
    fn judge(&self, answer: Answer) -> Result<(), DeliveryError> {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let code = body.as_ref().and_then(|body| {
            self.code.iter().find_map(|name| body.get(name)).and_then(Value::as_i64)
        });
        let (Some(body), Some(code)) = (body, code) else {
            answer.into_result()?;
            return Err(DeliveryError::again("its answer holds no code, so it is no such robot"));
        };
        if code == 0 {
            return answer.into_result();
        }
        let words = ["errmsg", "msg", "StatusMessage"].iter().find_map(|name| body[name].as_str());
        let words: String = words.unwrap_or_default().chars().take(200).collect();
        let pause = self.busy.iter().find(|(busy, _)| *busy == code).map(|(_, pause)| *pause);
        Err(DeliveryError {
            message: format!("it answered with code {code}: {words}"),
            retry: !self.refused.contains(&code),
            after: answer.after.max(pause),
        })
    }
}

/// Text that means nothing in the vendors' Markdown: it cannot mention people, link or format.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '<' => '＜',
            '>' => '＞',
            '[' => '［',
            ']' => '］',
            '*' => '＊',
            '`' => '\'',
            '\r' | '\n' => ' ',
            other => other,
        })
        .collect()
}

/// What is said of messages that do not fit.
pub(super) fn omitted_line(omitted: usize, wording: &Wording) -> String {
    wording.pick(
        &format!("… and {omitted} more; see the dashboard"),
        &format!("……另有 {omitted} 条，请查看仪表板"),
    )
}

/// The title of a message that tells several.
pub(super) fn headline(messages: &[Message], omitted: usize, wording: &Wording) -> String {
    match messages {
        [only] if omitted == 0 => only.title.clone(),
        several => {
            let count = several.len() + omitted;
            wording.pick(&format!("{count} alert messages"), &format!("{count} 条告警消息"))
        }
    }
}
