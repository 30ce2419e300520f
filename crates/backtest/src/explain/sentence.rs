//! The verdict, and all of an explanation in one sentence.

use city_model::{AlertEventKind, LocalText, Span, Timestamp};
use city_rules::{Condition, Decision, Rule, Standing, Trace};

use super::words::{followed, longer, names, number, quality, severity};
use super::{Explanation, Mismatch, Verdict};

/// With the last reading older than this, that is said of what fires.
const QUIET: Span = Span::from_hours(1);

/// Why the rule is not about it.
pub(super) fn not_selected(mismatches: &[Mismatch]) -> LocalText {
    let all = |of: fn(&LocalText) -> &String, between: &str| {
        let texts: Vec<&str> =
            mismatches.iter().map(|mismatch| of(&mismatch.text).as_str()).collect();
        texts.join(between)
    };
    LocalText::new(
        format!("The rule does not select it: {}", all(|text| &text.en, "; ")),
        format!("规则不适用：{}", all(|text| &text.zh, "；")),
    )
}

/// Fills in the verdict, its times and the sentence.
pub(super) fn judge(
    explanation: &mut Explanation,
    rule: &Rule,
    trace: &Trace,
    newest: Option<Timestamp>,
) {
    match &trace.standing {
        Standing::Firing { alert, until } => {
            explanation.verdict = Verdict::Firing;
            explanation.since = Some(alert.fired_at);
            explanation.until = *until;
            let (at, summary) = (alert.fired_at, &alert.summary);
            let mut text = LocalText::new(
                format!("Firing since {at} ({}): {}", alert.severity, summary.en),
                format!("自 {at} 起告警（{}）：{}", severity(alert.severity), summary.zh),
            );
            if let Some(until) = until {
                text = longer(
                    text,
                    &format!("; a reading has cleared it, it ends at {until}"),
                    &format!("；读数已恢复，{until} 结束"),
                );
            }
            let quiet = newest.filter(|newest| explanation.at.since(*newest) > QUIET);
            if let Some(newest) = quiet
                && !matches!(rule.condition, Condition::Silence(_))
            {
                text = longer(
                    text,
                    &format!("; the last reading was of {newest}, and silence resolves nothing"),
                    &format!("；最后一个读数为 {newest}，静默不会使告警结束"),
                );
            }
            if rule.silent {
                text = longer(
                    text,
                    "; the rule is silent, so nobody is told",
                    "；该规则为静默规则，不通知任何人",
                );
            }
            explanation.sentence = text;
            explanation.alert = Some(alert.clone());
        }
        Standing::Pending { since, until } => {
            explanation.verdict = Verdict::Pending;
            (explanation.since, explanation.until) = (Some(*since), Some(*until));
            let last = judged_last(trace);
            let unit = &explanation.units.judged;
            let (en, zh) = last.map_or_else(Default::default, |(value, limit)| {
                let (value, limit) = (number(value), number(limit));
                (
                    format!(" (last {value}{unit}, limit {limit}{unit})"),
                    format!("（最新 {value}{unit}，限值 {limit}{unit}）"),
                )
            });
            explanation.sentence = LocalText::new(
                format!("Pending since {since}, fires at {until} if it stays that way{en}"),
                format!("自 {since} 起满足条件，若持续到 {until} 将触发{zh}"),
            );
        }
        Standing::HeldBack => {
            explanation.verdict = Verdict::HeldBack;
            explanation.sentence = held_back(rule, trace, explanation.at);
        }
        Standing::Heard { at, until } => {
            explanation.verdict = Verdict::Clear;
            explanation.until = Some(*until);
            explanation.sentence = LocalText::new(
                format!(
                    "Not firing: heard at {at}, silent for too long at {until} at the earliest"
                ),
                format!("未告警：{at} 收到信号，最早 {until} 才算静默超时"),
            );
        }
        Standing::Clear => clear(explanation, rule, trace, newest),
    }
}

/// The last value that was compared with a limit.
fn judged_last(trace: &Trace) -> Option<(f64, f64)> {
    trace.steps.iter().rev().find_map(|step| match step.decision {
        Decision::Judged { value: Some(value), limit: Some(limit), .. } => Some((value, limit)),
        _ => None,
    })
}

fn held_back(rule: &Rule, trace: &Trace, at: Timestamp) -> LocalText {
    if let Some(schedule) = &rule.schedule {
        let shift = schedule.at(at);
        if !shift.on {
            let until = shift.until;
            return LocalText::new(
                format!(
                    "Held back: the condition holds, but the rule is off schedule until {until}"
                ),
                format!("已被暂缓：条件成立，但规则在 {until} 前不在生效时段内"),
            );
        }
    }
    let by = trace.steps.iter().rev().find_map(|step| match &step.decision {
        Decision::HeldBack { by } => Some(by),
        _ => None,
    });
    if by.is_some_and(|by| by.contains(&rule.id)) {
        return LocalText::new(
            "Held back: it is silent, but so is its gateway, which has the one alert for all behind it",
            "已被抑制：设备静默，但其网关同样中断，由网关的一条告警代表",
        );
    }
    let by = by.map(|by| names(by));
    let by = by.unwrap_or_else(|| "a dependency".to_owned());
    LocalText::new(
        format!("Held back: the condition holds, but {by} suppresses the alert"),
        format!("已被抑制：条件成立，但 {by} 抑制了该告警"),
    )
}

fn clear(explanation: &mut Explanation, rule: &Rule, trace: &Trace, newest: Option<Timestamp>) {
    let count = |name: &str| trace.counts.get(name).copied().unwrap_or(0);
    let judged = count("judged") + count("followed") + count("outside_zones");
    if let Condition::Composite(composite) = &rule.condition {
        explanation.verdict = Verdict::Clear;
        let last = trace.steps.iter().rev().find_map(|step| match &step.decision {
            Decision::Followed { firing, needed, blocking } => {
                Some(followed(firing, *needed, blocking))
            }
            _ => None,
        });
        let text = last.unwrap_or_else(|| followed(&[], composite.at_least, &[]));
        explanation.sentence = not_firing(&text);
        return;
    }
    if judged == 0 {
        explanation.verdict = Verdict::Unknown;
        explanation.sentence = unknown(explanation, rule, trace, newest);
        return;
    }
    explanation.verdict = Verdict::Clear;
    explanation.sentence = not_firing(&why_clear(explanation, rule, trace));
}

fn not_firing(why: &LocalText) -> LocalText {
    LocalText::new(format!("Not firing: {}", why.en), format!("未告警：{}", why.zh))
}

/// Why a rule that judged raised nothing: the latest of what may have happened comes first.
fn why_clear(explanation: &Explanation, rule: &Rule, trace: &Trace) -> LocalText {
    let over = trace
        .steps
        .iter()
        .rev()
        .find(|step| step.decision == Decision::Changed(AlertEventKind::Resolved));
    let over = over.map(|step| step.at);
    if let Some((since, until)) =
        trace.ceased.filter(|(_, until)| over.is_none_or(|at| at < *until))
    {
        let hold = rule.holds().into_iter().min().unwrap_or_default();
        return LocalText::new(
            format!(
                "the limit was passed from {since} to {until} only, and the rule waits for {hold}"
            ),
            format!("仅在 {since} 至 {until} 超过限值，而规则要求持续 {hold}"),
        );
    }
    let Some(near) = trace.nearest else {
        if let Some(at) = over {
            return LocalText::new(format!("it was over at {at}"), format!("已于 {at} 结束"));
        }
        let judged = trace.counts.get("judged").copied().unwrap_or(0);
        return LocalText::new(
            format!("nothing that was judged raised anything ({judged} times)"),
            format!("已判断 {judged} 个读数，均未满足条件"),
        );
    };
    let after = |at: Timestamp| over.is_none_or(|over| at > over);
    let passed = trace.steps.iter().filter(|step| {
        after(step.at) && matches!(step.decision, Decision::Judged { raised: None, .. })
    });
    let judged = passed.count() as u64 + if over.is_none() { trace.dropped } else { 0 };
    let unit = &explanation.units.judged;
    let (value, limit, at) = (number(near.value), number(near.limit), near.at);
    let text = LocalText::new(
        format!(
            "none of the last {judged} values passed the limit {limit}{unit}; the nearest was \
             {value}{unit} at {at}"
        ),
        format!("最近 {judged} 个值均未超过限值 {limit}{unit}；最接近的是 {at} 的 {value}{unit}"),
    );
    match over {
        Some(over) => longer(
            text,
            &format!("; an alert before was over at {over}"),
            &format!("；此前的告警已于 {over} 结束"),
        ),
        None => text,
    }
}

/// Why a rule had nothing by which to judge.
fn unknown(
    explanation: &Explanation,
    rule: &Rule,
    trace: &Trace,
    newest: Option<Timestamp>,
) -> LocalText {
    let count = |name: &str| trace.counts.get(name).copied().unwrap_or(0);
    let untrusted: u64 = trace.untrusted.values().sum();
    if let Some(Decision::TooFewDevices { have, need }) =
        trace.steps.last().map(|step| &step.decision)
    {
        return LocalText::new(
            format!(
                "Nothing could be judged: the rule needs {need} devices of the zone, heard were {have}"
            ),
            format!("无法判断：区域内仅 {have} 台设备有读数，规则需要 {need} 台"),
        );
    }
    if count("no_result") > 0 {
        let taken = count("no_result");
        return LocalText::new(
            format!(
                "Nothing could be judged yet: too few readings for the rule's window since {}: {taken}",
                explanation.from
            ),
            format!("尚无法判断：自 {} 起的 {taken} 个读数不足以填满规则窗口", explanation.from),
        );
    }
    if untrusted > 0 {
        let list = |of: fn(LocalText) -> String, between: &str| {
            let flags = trace.untrusted.iter();
            let flags: Vec<String> =
                flags.map(|(flag, count)| format!("{count} {}", of(quality(*flag)))).collect();
            flags.join(between)
        };
        return LocalText::new(
            format!("No reading was trusted: {}", list(|text| text.en, ", ")),
            format!("没有可信的读数：{}", list(|text| text.zh, "，")),
        );
    }
    for (name, en, zh) in [
        ("late", "came too late", "到达过迟"),
        ("not_numeric", "were no numbers", "不是数值"),
        ("no_limit", "could not be judged: the device has no limit", "无法判断：设备没有限值"),
        ("retained", "were retained messages", "为保留消息"),
    ] {
        let found = count(name);
        if found > 0 {
            return LocalText::new(
                format!("No reading counted: {found} {en}"),
                format!("没有有效读数：{found} 个{zh}"),
            );
        }
    }
    let what = match rule.condition {
        Condition::Silence(_) => (
            "; silence counts from when the program first knew of it",
            "；静默时长从程序首次获知该对象起计算",
        ),
        _ => ("", ""),
    };
    let (en, zh) = match newest {
        Some(newest) => {
            (format!("; the last one was of {newest}"), format!("；最后一个读数为 {newest}"))
        }
        None => Default::default(),
    };
    let from = explanation.from;
    let at = explanation.at;
    LocalText::new(
        format!("No reading is stored from {from} to {at}{en}{}", what.0),
        format!("{from} 至 {at} 没有存储的读数{zh}{}", what.1),
    )
}
