//! `absence`: a device, or a metric of a device, has not been heard of.
//!
//! ```yaml
//! kind: absence
//! select: {kind: air_station}       # no metric: any reading of the device is a sign of life
//! severity: medium
//! for: 3x                           # three of the device's intervals, or a length such as 5m
//! group_by: gateway                 # one alert for a dark gateway instead of one per device
//! min_devices: 5
//! share: 0.8
//! ```
//!
//! What must be heard comes from the registry, so a device that never sent anything is absent
//! too, counted from when the engine first knew it. Planned, retired and devices in maintenance
//! are not watched, nor, with `3x`, devices that declare no interval (`interval` sets one for
//! them). A sign of life is a reading that is news: not retained, not older than the newest one,
//! not later than `lateness`, and not derived from others here; its quality does not matter unless `trust` says so, except that a
//! placeholder (`missing`) is none.
//!
//! With `group_by: gateway` a device's silence is judged together with that of its neighbours
//! behind the same gateway: where at least `min_devices` and `share` of them are silent for half
//! of their allowance or more when the first one's ends, the gateway is dark. It gets the one
//! alert; its devices get none until it is heard, and then their full allowance anew. The gateway
//! devices themselves are left to rules without grouping.

use city_model::{Device, LifeCycle, Quality, Span};

use super::{Built, Condition, Kind};
use crate::fields::{self, Fields};
use crate::ladder::plain_severity;
use crate::problem::Sink;
use crate::rule::Trust;
use crate::selector::Selector;
use crate::template::{Placeholder, Template};

pub(super) static KIND: Kind = Kind {
    name: "absence",
    about: [
        "Raises when a device or a metric has been silent for too long, also if it was never heard.",
        "设备或指标静默超时（包括从未上报）时告警。",
    ],
    keys: &[
        "severity",
        "for",
        "subject",
        "interval",
        "group_by",
        "min_devices",
        "share",
        "gateway_summary",
    ],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::Metric,
        Placeholder::For,
    ],
    summary: [
        "No signal from {device_name} {metric} for {for}",
        "{device_name} {metric} 已静默超过 {for}",
    ],
    read,
};

const GATEWAY_PLACEHOLDERS: &[Placeholder] =
    &[Placeholder::Device, Placeholder::DeviceName, Placeholder::Zone, Placeholder::Devices];

const GATEWAY_SUMMARY: [&str; 2] = [
    "{device_name} is dark: {devices} devices behind this gateway are silent",
    "{device_name} 中断：该网关下 {devices} 台设备静默",
];

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Whole devices.
    Devices,
    /// Each selected metric of each device.
    Series,
}

/// How long a silence is allowed to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// So many intervals of the device.
    Intervals(f64),
    /// So long.
    Fixed(Span),
}

/// When a gateway is dark.
#[derive(Clone, Debug)]
pub struct Gateways {
    /// At least so many silent devices.
    pub min_devices: u32,
    /// At least this part of its devices is silent, more than 0 and at most 1.
    pub share: f64,
    /// What its alert says.
    pub summary: Template,
}

/// What an absence rule watches.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Devices or series.
    pub watch: Watch,
    /// How long a silence may be.
    pub allowed: Allowed,
    /// The interval of devices that declare none.
    pub interval: Option<Span>,
    /// Whether dark gateways are told from silent devices.
    pub gateways: Option<Gateways>,
}

impl Silence {
    /// How long a device may be silent; `None` if it is not watched.
    pub fn allowance(&self, device: &Device) -> Option<Span> {
        if device.life_cycle != LifeCycle::Active {
            return None;
        }
        match self.allowed {
            Allowed::Fixed(span) => Some(span),
            Allowed::Intervals(times) => {
                let interval = device.interval.or(self.interval)?;
                let micros = (interval.micros() as f64 * times).round() as i64;
                (micros > 0).then(|| Span::from_micros(micros))
            }
        }
    }
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    let severity = rule
        .need("severity", "write for example `severity: medium`", sink)
        .and_then(|node| plain_severity(node, sink));
    let allowed = read_allowed(rule, sink);
    let interval = rule.span("interval", sink);
    let watch = read_watch(rule, select, sink);
    let gateways = read_gateways(rule, watch, sink);
    let silence = Silence { watch, allowed: allowed?, interval, gateways };
    Some(Built {
        severity: severity?,
        ladder: None,
        condition: Condition::Silence(silence),
        // The allowance is the waiting; when it has passed, the alert fires.
        hold: Span::ZERO,
        trust: Trust::of(&[Quality::Pass, Quality::NotEvaluated, Quality::Suspect, Quality::Fail]),
        metrics: None,
        places: Vec::new(),
    })
}

fn read_allowed(rule: &mut Fields<'_>, sink: &mut Sink) -> Option<Allowed> {
    let hint = "how long silence is allowed: `for: 3x` for three intervals, or `for: 5m`";
    let node = rule.need("for", hint, sink)?;
    let text = fields::text(node, "for", sink)?;
    if let Some(times) = text.strip_suffix('x') {
        let times =
            times.trim().parse().ok().filter(|times: &f64| (1.0..=10_000.0).contains(times));
        if times.is_none() {
            sink.report_with(
                node.mark,
                format!("`for: {text}` cannot be"),
                "write `3x` or `2.5x`, at least 1x",
            );
        }
        return times.map(Allowed::Intervals);
    }
    let span = fields::span(node, "for", sink)?;
    if span == Span::ZERO {
        sink.report_with(node.mark, "`for` must be more than nothing", hint);
        return None;
    }
    Some(Allowed::Fixed(span))
}

fn read_watch(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Watch {
    let natural = if select.metric.is_empty() { Watch::Devices } else { Watch::Series };
    let Some(node) = rule.get("subject") else { return natural };
    match node.text_value() {
        Some("device") => Watch::Devices,
        Some("series") => {
            if select.metric.is_empty() {
                sink.report_with(
                    node.mark,
                    "`subject: series` needs to know which metrics must be heard",
                    "add `select: {metric: …}`",
                );
            }
            Watch::Series
        }
        _ => {
            sink.report_with(
                node.mark,
                format!("unknown subject {}", node.found()),
                "possible here: device, series",
            );
            natural
        }
    }
}

fn read_gateways(rule: &mut Fields<'_>, watch: Watch, sink: &mut Sink) -> Option<Gateways> {
    let group_by = rule.get("group_by");
    let details: Vec<_> = ["min_devices", "share", "gateway_summary"]
        .into_iter()
        .filter_map(|key| Some((key, rule.get(key)?)))
        .collect();
    let Some(group_by) = group_by else {
        for (key, node) in details {
            sink.report_with(
                node.mark,
                format!("`{key}` has no meaning without grouping"),
                "add `group_by: gateway`",
            );
        }
        return None;
    };
    if group_by.text_value() != Some("gateway") {
        sink.report_with(
            group_by.mark,
            format!("cannot group by {}", group_by.found()),
            "possible here: gateway",
        );
    }
    if watch == Watch::Series {
        sink.report_with(
            group_by.mark,
            "grouping is for the silence of whole devices",
            "add `subject: device`, or remove `group_by`",
        );
    }
    let min_devices = rule.count("min_devices", 2, sink).unwrap_or(5);
    let share = rule.number("share", sink).unwrap_or(0.8);
    if !(share > 0.0 && share <= 1.0) {
        let at = rule.get("share").map_or(group_by.mark, |node| node.mark);
        sink.report_with(
            at,
            format!("`share` is {share}"),
            "it is a part of the devices: more than 0, at most 1",
        );
    }
    let summary = match rule.get("gateway_summary") {
        None => Template::fixed(GATEWAY_SUMMARY, GATEWAY_PLACEHOLDERS),
        Some(node) => {
            let text = fields::local(node, "gateway_summary", sink)?;
            Template::read(text, GATEWAY_PLACEHOLDERS, node.mark, sink)
        }
    };
    Some(Gateways { min_devices, share, summary })
}
