//! What people are told about an event: one message for all receivers that people read.

use city_model::{AlertEvent, AlertEventKind, LocalText, Severity, Subject, Timestamp};
use serde::Deserialize;

use crate::config::CityFacts;

/// Titles are cut after so many characters.
const TITLE_CHARS: usize = 120;

/// Zones that are named; of more than that, only how many.
const MOST_ZONES: usize = 5;

/// The languages of a receiver's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    En,
    Zh,
    /// Chinese, then English.
    #[default]
    Both,
}

/// A message about one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// How bad it is, and what.
    pub(super) title: String,
    /// The summary first, then details; of both languages, the languages one after the other.
    pub(super) lines: Vec<String>,
    pub(super) severity: Severity,
    /// Whether it is over.
    pub(super) ended: bool,
    /// The alert on the dashboard.
    pub(super) link: Option<String>,
}

/// How messages of one receiver are worded.
#[derive(Clone, Debug)]
pub(super) struct Wording {
    language: Language,
    /// Where the dashboard is for those who read, without a slash at the end.
    dashboard: Option<String>,
    city: CityFacts,
}

impl Wording {
    /// From the options `language` and `dashboard`; otherwise what is wrong with them.
    pub(super) fn new(
        language: Language,
        dashboard: Option<String>,
        city: &CityFacts,
    ) -> Result<Self, String> {
        let dashboard = dashboard
            .map(|text| match reqwest::Url::parse(&text) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => {
                    Ok(text.trim_end_matches('/').to_owned())
                }
                _ => Err(format!(
                    "dashboard `{text}` is no address; write it like https://city.example"
                )),
            })
            .transpose()?;
        Ok(Self { language, dashboard, city: city.clone() })
    }

    /// A text in this receiver's languages.
    pub(super) fn pick(&self, en: &str, zh: &str) -> String {
        match self.language {
            Language::En => en.to_owned(),
            Language::Zh => zh.to_owned(),
            Language::Both if en == zh => zh.to_owned(),
            Language::Both => format!("{zh} {en}"),
        }
    }

    /// The message about an event.
    pub(super) fn message(&self, event: &AlertEvent) -> Message {
        let alert = &event.alert;
        let (en, zh) = (title(event, Words::En), title(event, Words::Zh));
        let mut lines = Vec::new();
        if self.language != Language::En {
            lines.extend(self.lines(event, Words::Zh));
        }
        if self.language != Language::Zh {
            lines.extend(self.lines(event, Words::En));
        }
        Message {
            title: self.pick(&en, &zh).chars().take(TITLE_CHARS).collect(),
            lines,
            severity: alert.severity,
            ended: event.kind == AlertEventKind::Resolved,
            link: self.link(&alert.id),
        }
    }

    /// The link to an alert, if it is known where the dashboard is.
    fn link(&self, alert: &str) -> Option<String> {
        self.dashboard.as_ref().map(|base| format!("{base}/alerts/{alert}"))
    }

    fn lines(&self, event: &AlertEvent, words: Words) -> Vec<String> {
        let alert = &event.alert;
        let mut lines = vec![words.of(&alert.summary).to_owned()];
        let mut add = |en: &str, zh: &str, text: &str| match words {
            Words::En => lines.push(format!("{en}: {text}")),
            Words::Zh => lines.push(format!("{zh}：{text}")),
        };
        if alert.simulated {
            let text = words.pick("simulated or test data", "模拟或测试数据");
            add("Note", "注意", text);
        }
        add("About", "对象", &subject(&alert.subject));
        if let Some(value) = alert.value {
            add("Value", "数值", &measured(value, alert.limit, alert.unit.as_deref(), words));
        }
        add("Since", "开始", &self.local(alert.fired_at));
        if let Some(ended) = alert.resolved_at {
            add("Until", "结束", &self.local(ended));
        }
        if let Some(reason) = event.reason {
            add("Ended because", "结束原因", words.of(&reason.text()));
        }
        if !alert.zones.is_empty() {
            let mut zones: Vec<&str> = alert.zones.iter().map(|zone| &**zone).collect();
            let more = zones.len().saturating_sub(MOST_ZONES);
            zones.truncate(MOST_ZONES);
            let mut text = zones.join(words.pick(", ", "、"));
            if more > 0 {
                text +=
                    &words.pick(" and {} more", " 等另外 {} 个").replace("{}", &more.to_string());
            }
            add("Zones", "区域", &text);
        }
        add("Department", "部门", &alert.rule.department);
        add("Rule", "规则", &alert.rule.id);
        if let Some(runbook) = &alert.runbook {
            add("What to do", "处置", runbook);
        }
        if !self.city.name.is_empty() {
            add("City", "城市", words.of(&self.city.name));
        }
        lines
    }

    /// A time as people of the city read it, with its offset.
    fn local(&self, time: Timestamp) -> String {
        match jiff::Timestamp::from_microsecond(time.micros()) {
            Ok(time) => time
                .to_zoned_datetime(self.city.time_zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S %:z")
                .to_string(),
            Err(_) => time.to_string(),
        }
    }
}

/// One of the two languages.
#[derive(Clone, Copy)]
enum Words {
    En,
    Zh,
}

impl Words {
    fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    fn of(self, text: &LocalText) -> &str {
        self.pick(&text.en, &text.zh)
    }
}

fn title(event: &AlertEvent, words: Words) -> String {
    let severity = match event.alert.severity {
        Severity::Low => words.pick("Low", "提示"),
        Severity::Medium => words.pick("Medium", "一般"),
        Severity::High => words.pick("High", "重要"),
        Severity::Critical => words.pick("Critical", "紧急"),
    };
    let state = match event.kind {
        AlertEventKind::Fired => String::new(),
        AlertEventKind::Escalated => words.pick(", worse", "，升级").to_owned(),
        AlertEventKind::Deescalated => words.pick(", milder", "，降级").to_owned(),
        AlertEventKind::Resolved => words.pick(", over", "，已解除").to_owned(),
    };
    let test = if event.alert.simulated { words.pick("Test, ", "测试，") } else { "" };
    let name = words.of(&event.alert.rule.name);
    match words {
        Words::En => format!("[{test}{severity}{state}] {name}"),
        Words::Zh => format!("【{test}{severity}{state}】{name}"),
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Series { device, metric } => format!("{device} / {metric}"),
        Subject::Device { device } => device.to_string(),
        Subject::Zone { zone } => zone.to_string(),
    }
}

fn measured(value: f64, limit: Option<f64>, unit: Option<&str>, words: Words) -> String {
    let unit = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    let limit = limit.map(|limit| match words {
        Words::En => format!(" (limit {}{unit})", number(limit)),
        Words::Zh => format!("（限值 {}{unit}）", number(limit)),
    });
    format!("{}{unit}{}", number(value), limit.unwrap_or_default())
}

/// A number without digits that nobody reads: at most three behind the point.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Message {
    /// Makes it shorter, details first; `false` if nothing more can be left out.
    pub(super) fn shorten(&mut self) -> bool {
        if self.lines.len() > 1 {
            self.lines.pop();
            return true;
        }
        let Some(line) = self.lines.first_mut() else { return false };
        let keep = line.trim_end_matches('…').chars().count() / 2;
        if keep == 0 {
            self.lines.clear();
            return true;
        }
        *line = line.chars().take(keep).collect();
        line.push('…');
        true
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use city_model::{Alert, RuleRef};

    use super::*;

    /// An alert of PM2.5 at the station `air_1` with two zones.
    pub(crate) fn event(kind: AlertEventKind) -> AlertEvent {
        let at = Timestamp::from_secs(1_790_000_000);
        AlertEvent {
            key: "0123456789abcdef/1".to_owned(),
            seq: 1,
            kind,
            at,
            reason: None,
            alert: Alert {
                id: "0123456789abcdef".into(),
                rule: RuleRef {
                    id: "pm25-high".into(),
                    version: "000000000000".into(),
                    name: LocalText::new("PM2.5 high", "PM2.5 超标"),
                    department: "environment".into(),
                },
                subject: Subject::Series { device: "air_1".into(), metric: "pm25".into() },
                severity: Severity::Critical,
                started_at: at,
                fired_at: at,
                resolved_at: (kind == AlertEventKind::Resolved).then_some(at),
                metric: Some("pm25".into()),
                unit: Some("µg/m³".into()),
                value: Some(160.1236),
                limit: Some(150.0),
                reading_time: Some(at),
                summary: LocalText::new("air_1: 160 µg/m³", "air_1：160 µg/m³"),
                zones: ["haidian", "beijing"].map(Arc::from).to_vec(),
                kind: Some("air_station".into()),
                position: None,
                simulated: false,
                runbook: None,
                labels: std::collections::BTreeMap::new(),
            },
        }
    }

    pub(in crate::receivers) fn wording(language: Language) -> Wording {
        let city = CityFacts {
            name: LocalText::new("Beijing", "北京"),
            time_zone: jiff::tz::TimeZone::get("Asia/Shanghai").expect("a time zone"),
            ..CityFacts::default()
        };
        let dashboard = Some("https://city.example/".to_owned());
        Wording::new(language, dashboard, &city).expect("good options")
    }

    #[test]
    fn a_message_says_what_where_since_when_and_links_to_it() {
        let message = wording(Language::En).message(&event(AlertEventKind::Escalated));
        assert_eq!(message.title, "[Critical, worse] PM2.5 high");
        assert_eq!(
            message.lines,
            [
                "air_1: 160 µg/m³",
                "About: air_1 / pm25",
                "Value: 160.124 µg/m³ (limit 150 µg/m³)",
                "Since: 2026-09-21 22:13:20 +08:00",
                "Zones: haidian, beijing",
                "Department: environment",
                "Rule: pm25-high",
                "City: Beijing",
            ]
        );
        assert_eq!(message.link.as_deref(), Some("https://city.example/alerts/0123456789abcdef"));
        assert!(!message.ended);
    }

    #[test]
    fn chinese_and_both_are_said_too() {
        let mut event = event(AlertEventKind::Resolved);
        event.alert.simulated = true;
        let message = wording(Language::Zh).message(&event);
        assert_eq!(message.title, "【测试，紧急，已解除】PM2.5 超标");
        assert!(message.lines.contains(&"注意：模拟或测试数据".to_owned()));
        assert!(message.lines.contains(&"结束：2026-09-21 22:13:20 +08:00".to_owned()));
        assert!(message.ended);
        let both = wording(Language::Both).message(&event);
        assert_eq!(
            both.title,
            "【测试，紧急，已解除】PM2.5 超标 [Test, Critical, over] PM2.5 high"
        );
        assert!(both.lines.starts_with(&message.lines), "Chinese first");
        assert_eq!(both.lines.len(), 2 * message.lines.len());
    }

    #[test]
    fn shortening_ends() {
        let mut message = wording(Language::Both).message(&event(AlertEventKind::Fired));
        let mut rounds = 0;
        while message.shorten() {
            rounds += 1;
            assert!(rounds < 100);
        }
        assert!(message.lines.is_empty());
    }

    #[test]
    fn a_dashboard_that_is_no_address_is_refused() {
        let dashboard = Some("city.example".to_owned());
        let error = Wording::new(Language::En, dashboard, &CityFacts::default());
        assert!(error.expect_err("no address").contains("`city.example`"));
    }
}
