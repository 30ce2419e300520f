//! `aqi`: an air quality index is in a class or in a worse one.
//!
//! ```yaml
//! kind: aqi
//! standard: hj633_2026              # one of city_derive::STANDARDS
//! form: hourly                      # the default; or daily, the last 24 hours
//! severity:
//!   medium: {category: lightly_polluted}
//!   high: {category: heavily_polluted}
//! ```
//!
//! The index is computed here, for the devices that the configuration names under `derived.aqi`; it
//! comes once an hour, so `for: 2h` asks for three of them.

use city_derive::{Category, Form, STANDARDS, Standard};
use city_model::{LocalText, Severity, Span};

use super::{Built, Condition, Kind};
use crate::fields::{self, Fields};
use crate::ladder::{self, Direction, Ladder, Step};
use crate::parse::choose;
use crate::problem::{Mark, Sink, suggestion};
use crate::selector::Selector;
use crate::template::Placeholder;
use crate::yaml::Content;

pub(super) static KIND: Kind = Kind {
    name: "aqi",
    about: [
        "Judges an air quality index by the classes of its standard.",
        "按标准规定的级别判断空气质量指数。",
    ],
    keys: &["standard", "form", "severity", "category", "for"],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::Metric,
        Placeholder::Value,
        Placeholder::Limit,
        Placeholder::State,
        Placeholder::For,
    ],
    summary: [
        "{device_name}: {metric} {value}, {state}",
        "{device_name}：{metric} {value}，{state}",
    ],
    read,
};

/// The index that a rule is about.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its standard.
    pub standard: &'static Standard,
    /// Hourly or daily.
    pub form: Form,
}

impl Index {
    /// The class of an index, for people.
    pub(crate) fn category(&self, index: Option<f64>) -> Option<LocalText> {
        let [en, zh] = self.standard.category(index?)?.names;
        Some(LocalText::new(en, zh))
    }
}

fn read(rule: &mut Fields<'_>, _: &Selector, sink: &mut Sink) -> Option<Built> {
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let standards: Vec<(&str, &'static Standard)> =
        STANDARDS.iter().map(|standard| (standard.id, *standard)).collect();
    let standard = choose(rule, "standard", &standards, sink);
    let form = match rule.get("form") {
        Some(_) => choose(rule, "form", &[("hourly", Form::Hourly), ("daily", Form::Daily)], sink),
        None => Some(Form::Hourly),
    };
    let category = rule.get("category");
    let severity = rule.need(
        "severity",
        "write `severity: {medium: {category: …}}`, or `severity: high` with `category: …`",
        sink,
    )?;
    let (standard, form) = (standard?, form?);
    let before = sink.problems.len();
    let mut found: Vec<(Step, Mark)> = Vec::new();
    if matches!(severity.content, Content::Map(_)) {
        if let Some(extra) = category {
            let message = "`category` does not go with a severity ladder";
            sink.report_with(extra.mark, message, "write it inside each severity");
        }
        for (key, node) in Fields::of(severity, "`severity`", sink)?.entries() {
            let severity = ladder::named_severity(&key.name, key.mark, sink);
            let Some(mut step) = Fields::of(node, &format!("`{}`", key.name), sink) else {
                continue;
            };
            let class = read_category(&mut step, standard, sink);
            let hold = step.span("for", sink);
            step.finish(|_| None, sink);
            if let (Some(severity), Some(class)) = (severity, class) {
                found.push((step_of(severity, class, hold), key.mark));
            }
        }
        found.sort_by_key(|(step, _)| step.severity);
    } else {
        let severity = ladder::plain_severity(severity, sink);
        let class = read_category(rule, standard, sink);
        found.push((step_of(severity?, class?, None), rule.node.mark));
    }
    for pair in found.windows(2) {
        let ((mild, _), (severe, at)) = (pair[0], pair[1]);
        if severe.raise <= mild.raise {
            let message =
                format!("`{}` must have a worse class than `{}`", severe.severity, mild.severity);
            sink.report_with(at, message, "swap them, or remove one step");
        }
    }
    if sink.problems.len() > before {
        return None;
    }
    let steps = found.into_iter().map(|(step, _)| step).collect();
    let ladder = Ladder { direction: Direction::Above, steps, reaching: false };
    let metric = (standard.metrics(form).index.into(), rule.node.mark);
    let built = Built::judged(ladder, Condition::Index(Index { standard, form }), hold)?;
    Some(Built { metrics: Some(vec![metric]), ..built })
}

fn step_of(severity: Severity, class: &Category, hold: Option<Span>) -> Step {
    Step { severity, raise: f64::from(class.above), clear: None, hold }
}

fn read_category(
    fields: &mut Fields<'_>,
    standard: &Standard,
    sink: &mut Sink,
) -> Option<&'static Category> {
    let classes = standard.categories();
    let names: Vec<&str> = classes.iter().map(|class| class.id).collect();
    let node = fields.need("category", &format!("one of {}", names.join(", ")), sink)?;
    let name = fields::text(node, "category", sink)?;
    let Some(class) = classes.iter().find(|class| class.id == name) else {
        let hint = suggestion(name, &names).unwrap_or_else(|| names.join(", "));
        sink.report_with(node.mark, format!("{} has no class `{name}`", standard.name), hint);
        return None;
    };
    if class.above == 0 {
        sink.report_with(
            node.mark,
            format!("`{name}` is the best class: it would always fire"),
            format!("name a worse one: {}", names[1..].join(", ")),
        );
        return None;
    }
    Some(class)
}
