//! Decisions in words.

use std::sync::Arc;

use city_model::{AlertEventKind, Directory, LocalText, Quality, Severity, Subject};
use city_rules::{Decision, Expectation, Rule};

/// What the numbers of a rule's decisions are measured in, as it is written after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Of what is judged, and of its limits.
    pub(super) judged: String,
    /// Of the readings, and of what was expected of them.
    pub(super) read: String,
}

impl Units {
    /// Those of a rule's decisions about a subject.
    pub(super) fn of(rule: &Rule, subject: &Subject, directory: &Directory) -> Self {
        let metric = match subject {
            Subject::Series { metric, .. } => Some(metric),
            Subject::Zone { .. } => rule.select.metric.first(),
            Subject::Device { .. } => None,
        };
        let metric = metric.and_then(|id| directory.metrics.by_id(id));
        let after = |unit: Option<Arc<str>>| {
            // A bare number has none.
            let unit = unit.filter(|unit| !matches!(&**unit, "" | "1"));
            unit.map_or_else(String::new, |unit| format!(" {unit}"))
        };
        let judged = after(rule.unit(metric));
        Self { judged, read: after(metric.map(|metric| metric.symbol.clone())) }
    }
}

/// What a step decided, for people.
pub fn told(decision: &Decision, units: &Units) -> LocalText {
    let text = |en: &str, zh: &str| LocalText::new(en, zh);
    match decision {
        Decision::Retained => text("retained, so it is no news", "保留消息，不视为新读数"),
        Decision::Future => text("from the future", "时间在未来"),
        Decision::Duplicate => text("received twice", "重复读数"),
        Decision::OutOfOrder { newest } => LocalText::new(
            format!("older than a reading of {newest}"),
            format!("早于 {newest} 的读数"),
        ),
        Decision::Inserted => {
            text("older than the newest one, put in its place", "迟到，已补入窗口")
        }
        Decision::Late { by } => {
            LocalText::new(format!("{by} late, too late"), format!("迟到 {by}，超过允许时长"))
        }
        Decision::Untrusted { flag } => {
            let flag = quality(*flag);
            LocalText::new(
                format!("not trusted: {}", flag.en),
                format!("质量标志不被信任：{}", flag.zh),
            )
        }
        Decision::NotNumeric => text("no number", "不是数值"),
        Decision::NoLimit => text("the device has no limit", "设备没有限值"),
        Decision::OutsideZones => text("outside the rule's zones", "在规则区域之外"),
        Decision::NoResult => text("too few readings so far", "读数尚不足以判断"),
        Decision::TooFewDevices { have, need } => LocalText::new(
            format!("devices heard: {have}, needed: {need}"),
            format!("仅 {have} 台设备有读数，需要 {need} 台"),
        ),
        Decision::Judged { value, limit, raised, cleared, expected } => {
            let told = judged(*value, *limit, *raised, *cleared, &units.judged);
            expected.map_or(told.clone(), |expected| with_expected(&told, &expected, &units.read))
        }
        Decision::Followed { firing, needed, blocking } => followed(firing, *needed, blocking),
        Decision::OffSchedule => text("the rule is off schedule", "不在规则生效时段内"),
        Decision::OnSchedule => text("the rule came on schedule", "进入规则生效时段"),
        Decision::HeldBack { by } => {
            let by = names(by);
            LocalText::new(format!("held back by {by}"), format!("被 {by} 抑制"))
        }
        Decision::Heard { until } => LocalText::new(
            format!("heard; silent for too long at {until}"),
            format!("收到信号；若一直静默，{until} 超时"),
        ),
        Decision::Silent { since } => LocalText::new(
            format!("silent since {since}, for too long"),
            format!("自 {since} 起静默，已超时"),
        ),
        Decision::Pending { until } => {
            LocalText::new(format!("pending, fires at {until}"), format!("等待中，{until} 触发"))
        }
        Decision::Ceased { since } => LocalText::new(
            format!("over before it had lasted long enough (since {since})"),
            format!("自 {since} 起，但持续时间不足"),
        ),
        Decision::Recovering { until } => {
            LocalText::new(format!("recovered, ends at {until}"), format!("已恢复，{until} 结束"))
        }
        Decision::Changed(kind) => match kind {
            AlertEventKind::Fired => text("the alert fired", "告警触发"),
            AlertEventKind::Escalated => text("the severity went up", "告警升级"),
            AlertEventKind::Deescalated => text("the severity went down", "告警降级"),
            AlertEventKind::Resolved => text("the alert was resolved", "告警结束"),
            AlertEventKind::Overdue => text("the alert was overdue", "告警处理超时"),
        },
    }
}

fn judged(
    value: Option<f64>,
    limit: Option<f64>,
    raised: Option<Severity>,
    cleared: bool,
    unit: &str,
) -> LocalText {
    let compared = match (value, limit) {
        (Some(value), Some(limit)) => {
            let (value, limit) = (number(value), number(limit));
            Some((
                format!("{value}{unit} against {limit}{unit}: "),
                format!("{value}{unit} 对比限值 {limit}{unit}："),
            ))
        }
        (Some(value), None) => {
            let value = number(value);
            Some((format!("{value}{unit}: "), format!("{value}{unit}：")))
        }
        (None, _) => None,
    };
    let (en, zh) = match raised {
        Some(worst) => (format!("raises {worst}"), format!("达到{}级", severity(worst))),
        None if cleared => ("clear".to_owned(), "正常".to_owned()),
        None => (
            "between the limit and the clear limit, which changes nothing".to_owned(),
            "介于限值与恢复限值之间，状态不变".to_owned(),
        ),
    };
    let (en_before, zh_before) = compared.unwrap_or_default();
    LocalText::new(en_before + &en, zh_before + &zh)
}

/// A decision with what had been expected.
fn with_expected(told: &LocalText, expected: &Expectation, unit: &str) -> LocalText {
    let [value, low, high] = [expected.value, expected.low, expected.high].map(number);
    let off = number((expected.deviation.abs() * 10.0).round() / 10.0);
    let (en, zh) = if expected.deviation < 0.0 { ("below", "低于") } else { ("above", "高于") };
    LocalText::new(
        format!(
            "{}; expected {value}{unit}, usual {low} to {high}{unit}; {off} usual errors {en}",
            told.en
        ),
        format!(
            "{}；预期 {value}{unit}，通常 {low} 至 {high}{unit}；{zh}预期 {off} 倍常见误差",
            told.zh
        ),
    )
}

/// How many of the rules that a composite follows fire.
pub(super) fn followed(firing: &[Arc<str>], needed: usize, blocking: &[Arc<str>]) -> LocalText {
    let count = firing.len();
    let mut text = LocalText::new(
        format!("{count} of the {needed} rules needed fire"),
        format!("所需 {needed} 条规则中有 {count} 条成立"),
    );
    if count > 0 {
        let names = names(firing);
        text = longer(text, &format!(" ({names})"), &format!("（{names}）"));
    }
    if !blocking.is_empty() {
        let names = names(blocking);
        text = longer(text, &format!("; {names} forbids it"), &format!("；被 {names} 阻止"));
    }
    text
}

/// Ids of rules.
pub(super) fn names(ids: &[Arc<str>]) -> String {
    if ids.is_empty() {
        return "–".to_owned();
    }
    let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    ids.join(", ")
}

/// A value without digits that nobody measured.
pub(super) fn number(value: f64) -> String {
    ((value * 1_000.0).round() / 1_000.0).to_string()
}

pub(super) fn quality(flag: Quality) -> LocalText {
    let (en, zh) = match flag {
        Quality::Pass => ("passed", "合格"),
        Quality::NotEvaluated => ("not evaluated", "未评估"),
        Quality::Suspect => ("suspect", "可疑"),
        Quality::Fail => ("failed", "不合格"),
        Quality::Missing => ("missing", "缺失"),
    };
    LocalText::new(en, zh)
}

pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "提示",
        Severity::Medium => "一般",
        Severity::High => "重要",
        Severity::Critical => "紧急",
    }
}

/// A text that goes on.
pub(super) fn longer(text: LocalText, en: &str, zh: &str) -> LocalText {
    LocalText::new(text.en + en, text.zh + zh)
}
