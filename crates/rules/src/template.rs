//! Texts with placeholders, checked when the rule is read and filled when it fires.

use city_model::{Device, LocalText, Metric, Span, Zone};

use crate::kinds::Measure;
use crate::problem::{Mark, Sink, suggestion};

/// What can stand between braces in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The id of the device (or gateway).
    Device,
    /// Its name in the language of the text.
    DeviceName,
    /// The name of the smallest zone in which it is; empty if there is none.
    Zone,
    /// The name of the metric.
    Metric,
    /// The value that decided, with the metric's decimals.
    Value,
    /// The limit of the present severity.
    Limit,
    /// The unit of both, as people write it.
    Unit,
    /// How long: the rule's `for`, for absences the silence that is allowed.
    For,
    /// How many devices decided.
    Devices,
    /// The states that the rule is about; for an index the class of air.
    State,
    /// The value that a forecast is about, with its unit.
    Target,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Device,
        Self::DeviceName,
        Self::Zone,
        Self::Metric,
        Self::Value,
        Self::Limit,
        Self::Unit,
        Self::For,
        Self::Devices,
        Self::State,
        Self::Target,
    ];

    /// The name between the braces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::DeviceName => "device_name",
            Self::Zone => "zone",
            Self::Metric => "metric",
            Self::Value => "value",
            Self::Limit => "limit",
            Self::Unit => "unit",
            Self::For => "for",
            Self::Devices => "devices",
            Self::State => "state",
            Self::Target => "target",
        }
    }
}

/// A text in both languages, ready to be filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// As it was written.
    pub source: LocalText,
    en: Vec<Part>,
    zh: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Value(Placeholder),
}

/// What a template can be filled with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts<'f> {
    /// The id of the device or gateway, also when the registry does not know it.
    pub(crate) device_id: Option<&'f str>,
    pub(crate) device: Option<&'f Device>,
    pub(crate) zone: Option<&'f Zone>,
    pub(crate) metric: Option<&'f Metric>,
    /// What value and limit are measured in.
    pub(crate) measure: Measure,
    /// The states in which it is bad to be, or the present one.
    pub(crate) state: Option<LocalText>,
    /// What a forecast is about.
    pub(crate) target: Option<f64>,
    pub(crate) value: Option<f64>,
    pub(crate) limit: Option<f64>,
    pub(crate) hold: Span,
    pub(crate) devices: u32,
}

#[derive(Clone, Copy)]
enum Language {
    En,
    Zh,
}

impl Template {
    /// Reads a text; placeholders that are not `allowed` are problems. `{{` and `}}` are braces.
    pub(crate) fn read(
        source: LocalText,
        allowed: &[Placeholder],
        at: Mark,
        sink: &mut Sink,
    ) -> Self {
        let en = parse(&source.en, allowed, at, sink);
        // One text for both languages has its problems once.
        let zh =
            if source.zh == source.en { en.clone() } else { parse(&source.zh, allowed, at, sink) };
        Self { source, en, zh }
    }

    pub(crate) fn fill(&self, facts: &Facts<'_>) -> LocalText {
        LocalText::new(fill(&self.en, Language::En, facts), fill(&self.zh, Language::Zh, facts))
    }
}

fn parse(text: &str, allowed: &[Placeholder], at: Mark, sink: &mut Sink) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(index) = rest.find(['{', '}']) {
        plain.push_str(&rest[..index]);
        let brace = &rest[index..=index];
        rest = &rest[index + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            plain.push_str(brace);
            rest = after;
            continue;
        }
        let end = if brace == "{" { rest.find('}') } else { None };
        let Some(end) = end else {
            sink.report_with(
                at,
                format!("a single `{brace}` in the text"),
                format!("write `{brace}{brace}` for the brace itself"),
            );
            continue;
        };
        let name = rest[..end].trim();
        rest = &rest[end + 1..];
        if let Some(found) = allowed.iter().find(|placeholder| placeholder.name() == name) {
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Value(*found));
        } else {
            let names: Vec<_> = allowed.iter().map(|placeholder| placeholder.name()).collect();
            let known = Placeholder::ALL.iter().any(|other| other.name() == name);
            let message = if known {
                format!("`{{{name}}}` has no meaning for this kind of rule")
            } else {
                format!("unknown placeholder `{{{name}}}`")
            };
            sink.push(at, message, suggestion(name, &names));
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

fn fill(parts: &[Part], language: Language, facts: &Facts<'_>) -> String {
    let pick = |text: &LocalText| match language {
        Language::En => text.en.clone(),
        Language::Zh => text.zh.clone(),
    };
    let id = || facts.device_id.unwrap_or_default().to_owned();
    let decimals = match (facts.measure, facts.metric) {
        (Measure::Metric, Some(metric)) => metric.decimals,
        // Changes are smaller than values.
        (Measure::Per(_), Some(metric)) => metric.decimals.saturating_add(1),
        (Measure::Computed, _) => 2,
        _ => 0,
    };
    let length = |value: Option<f64>| {
        let whole = value.map(|value| Span::from_secs(value.round() as i64));
        whole.map_or_else(|| "–".to_owned(), |span| duration(span, language))
    };
    let is_length = facts.measure == Measure::Length;
    let filled = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(placeholder) => match placeholder {
                Placeholder::Device => id(),
                Placeholder::DeviceName => {
                    facts.device.map_or_else(id, |device| pick(&device.name))
                }
                Placeholder::Zone => facts.zone.map(|zone| pick(&zone.name)).unwrap_or_default(),
                Placeholder::Metric => {
                    facts.metric.map(|metric| pick(&metric.name)).unwrap_or_default()
                }
                Placeholder::Value if is_length => length(facts.value),
                Placeholder::Limit if is_length => length(facts.limit),
                Placeholder::Value => number(facts.value, decimals),
                Placeholder::Limit => exact(facts.limit, decimals),
                // A length of time has its units with it.
                Placeholder::Unit if is_length => String::new(),
                Placeholder::Unit => facts
                    .measure
                    .unit(facts.metric)
                    .filter(|unit| &**unit != "1")
                    .map(|unit| unit.to_string())
                    .unwrap_or_default(),
                Placeholder::State => facts.state.as_ref().map(pick).unwrap_or_default(),
                Placeholder::Target => with_unit(facts),
                Placeholder::For => duration(facts.hold, language),
                Placeholder::Devices => facts.devices.to_string(),
            },
        })
        .collect::<String>();
    // What is not known leaves no gap.
    let filled = filled.split_whitespace().collect::<Vec<_>>().join(" ");
    match language {
        Language::En => filled,
        Language::Zh => filled.replace(" （", "（"),
    }
}

fn with_unit(facts: &Facts<'_>) -> String {
    let decimals = facts.metric.map_or(0, |metric| metric.decimals);
    let unit = Measure::Metric.unit(facts.metric).unwrap_or_default();
    format!("{} {unit}", exact(facts.target, decimals))
}

fn number(value: Option<f64>, decimals: u8) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let text = format!("{value:.*}", usize::from(decimals));
    // Rounding must not show a minus before nothing.
    if text.starts_with('-') && text.chars().all(|c| matches!(c, '-' | '0' | '.')) {
        return text[1..].to_owned();
    }
    text
}

/// A limit is shown as it was written, even where it has more decimals than values have.
fn exact(limit: Option<f64>, decimals: u8) -> String {
    let shown = number(limit, decimals);
    match limit {
        Some(limit) if shown.parse() != Ok(limit) => limit.to_string(),
        _ => shown,
    }
}

fn duration(span: Span, language: Language) -> String {
    let text = span.to_string();
    match language {
        Language::En => text,
        // "ms" and "us" first, because they hold the letters of the shorter ones.
        Language::Zh => text
            .replace("ms", "毫秒")
            .replace("us", "微秒")
            .replace('d', "天")
            .replace('h', "小时")
            .replace('m', "分钟")
            .replace('s', "秒"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill_text(text: &str, facts: &Facts<'_>) -> (LocalText, Vec<String>) {
        let mut sink = Sink::new("f");
        let template =
            Template::read(LocalText::same(text), &Placeholder::ALL, Mark::default(), &mut sink);
        let problems = sink.problems.iter().map(ToString::to_string).collect();
        (template.fill(facts), problems)
    }

    #[test]
    fn values_take_the_decimals_and_the_unit_of_the_metric() {
        let catalogue = city_model::Catalogue::embedded();
        let facts = Facts {
            device_id: Some("n-1"),
            metric: catalogue.by_id("noise_laeq"),
            value: Some(71.26),
            limit: Some(70.25),
            hold: Span::from_secs(90),
            ..Facts::default()
        };
        let (text, problems) =
            fill_text("{device_name}: {value} {unit} > {limit} for {for} {{x}}", &facts);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(text.en, "n-1: 71.3 dB(A) > 70.25 for 1m30s {x}");
        assert_eq!(text.zh, "n-1: 71.3 dB(A) > 70.25 for 1分钟30秒 {x}");
    }

    #[test]
    fn unknown_placeholders_and_lonely_braces_are_problems() {
        let (_, problems) = fill_text("{vlaue} {", &Facts::default());
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("did you mean `value`?"), "{problems:?}");
    }

    #[test]
    fn nothing_is_shown_as_minus_zero() {
        assert_eq!(number(Some(-0.04), 1), "0.0");
        assert_eq!(number(Some(-0.4), 1), "-0.4");
    }
}
