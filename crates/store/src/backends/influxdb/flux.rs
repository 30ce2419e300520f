//! Queries in Flux. Whatever comes from outside goes through [`text`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use city_model::{Span, Timestamp};

use super::line::{Field, Name, nanos};
use crate::TimeRange;

/// A string literal (Flux specification, "String literals"): nothing in it can end it, and `${`
/// begins no expression.
pub(super) fn text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // `${` would begin an expression. A byte escape is one in no version.
            '$' => literal.push_str("\\x24"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    // Writing to memory cannot fail.
                    let _ = write!(literal, "\\x{byte:02x}");
                }
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// A query's beginning: a bucket and a half-open range. `None` if the range is empty there.
pub(super) fn source(bucket: &str, range: TimeRange) -> Option<String> {
    let (start, stop) = (nanos(range.from), nanos(range.to));
    (start < stop).then(|| {
        format!(
            "from(bucket: {}) |> range(start: time(v: {start}), stop: time(v: {stop}))",
            text(bucket)
        )
    })
}

/// Rows of one series: time, quality, and the value in the column of its field.
pub(super) fn raw(source: &str, name: &Name, limit: usize) -> String {
    // The first points of each field are more than enough for the first points of all.
    let limit = most(limit);
    format!(
        "{source}
|> filter(fn: (r) => r._measurement == {} and r.device == {} and r._field != \"lon\" and r._field != \"lat\")
|> limit(n: {limit})
|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")
|> sort(columns: [\"_time\"])
|> limit(n: {limit})
|> keep(columns: [\"_time\", \"quality\", \"value\", \"rejected\", \"state\", \"rejected_state\", \"text\"])",
        text(&name.measurement),
        text(&name.device)
    )
}

/// Rows of a device's positions, in order of time; metrics of one message repeat them.
pub(super) fn track(source: &str, device: &str, limit: usize) -> String {
    format!(
        "{source}
|> filter(fn: (r) => r.device == {} and (r._field == \"lon\" or r._field == \"lat\"))
|> limit(n: {})
|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")
|> group()
|> sort(columns: [\"_time\", \"_measurement\"])
|> keep(columns: [\"_time\", \"lon\", \"lat\"])",
        text(device),
        most(limit)
    )
}

/// Rows of time and name of the fields that hold values of a series.
pub(super) fn fields(source: &str, name: &Name) -> String {
    let is_value: Vec<String> =
        Field::ALL.iter().map(|field| format!("r._field == \"{}\"", field.name())).collect();
    format!(
        "{source}
|> filter(fn: (r) => r._measurement == {} and r.device == {} and ({}))
|> keep(columns: [\"_time\", \"_field\"])",
        text(&name.measurement),
        text(&name.device),
        is_value.join(" or ")
    )
}

/// The time of the newest reading of a series.
pub(super) fn newest(source: &str, name: &Name) -> String {
    format!(
        "{source}
|> filter(fn: (r) => r._measurement == {} and r.device == {} and r._field == \"quality\")
|> last()
|> keep(columns: [\"_time\"])",
        text(&name.measurement),
        text(&name.device)
    )
}

/// A row for each metric that a device has readings of.
pub(super) fn measurements(source: &str, device: &str) -> String {
    format!(
        "{source}
|> filter(fn: (r) => r.device == {} and r._field == \"quality\")
|> last()
|> keep(columns: [\"_measurement\"])",
        text(device)
    )
}

/// The times of the newest readings of each series before the server's day.
pub(super) fn before_today(bucket: &str, from: Timestamp) -> String {
    format!(
        "import \"date\"
from(bucket: {}) |> range(start: time(v: {}), stop: date.truncate(t: now(), unit: 1d))
|> filter(fn: (r) => r._field == \"quality\")
|> last()
|> keep(columns: [\"_time\"])",
        text(bucket),
        nanos(from)
    )
}

/// One number: how many readings there are, of all devices or of one, of all its metrics or of one.
pub(super) fn count(source: &str, of: Option<(&str, Option<&str>)>) -> String {
    let mut filter = String::from("r._field == \"quality\"");
    if let Some((device, measurement)) = of {
        filter.push_str(" and r.device == ");
        filter.push_str(&text(device));
        if let Some(measurement) = measurement {
            filter.push_str(" and r._measurement == ");
            filter.push_str(&text(measurement));
        }
    }
    format!(
        "{source}
|> filter(fn: (r) => {filter})
|> count()
|> group()
|> sum()
|> keep(columns: [\"_value\"])"
    )
}

/// What is asked of each step of each series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Count,
    Sum,
    Min,
    Max,
    Last,
    /// Truth values.
    States,
    /// Those that are true.
    TrueStates,
    LastState,
    /// Readings that are suspect, failed or missing.
    Flagged,
}

impl Ask {
    pub(super) const ALL: [Self; 9] = [
        Self::Count,
        Self::Sum,
        Self::Min,
        Self::Max,
        Self::Last,
        Self::States,
        Self::TrueStates,
        Self::LastState,
        Self::Flagged,
    ];

    /// The name of its result.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
            Self::States => "states",
            Self::TrueStates => "true_states",
            Self::LastState => "last_state",
            Self::Flagged => "flagged",
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::States | Self::TrueStates | Self::LastState => Field::State.name(),
            Self::Flagged => "quality",
            _ => Field::Value.name(),
        }
    }

    const fn filter(self) -> &'static str {
        match self {
            Self::TrueStates => " |> filter(fn: (r) => r._value == true)",
            Self::Flagged => " |> filter(fn: (r) => r._value >= 3)",
            _ => "",
        }
    }

    const fn aggregate(self) -> &'static str {
        match self {
            Self::Count | Self::States | Self::TrueStates | Self::Flagged => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last | Self::LastState => "last",
        }
    }
}

/// Steps of some series, or all of the range as one, each question a result of its own. `window |> aggregate` is what the
/// server's storage does itself, if each has a source of its own; steps are multiples since the epoch, and empty ones are left out.
pub(super) fn steps(source: &str, names: &[&Name], step: Option<Span>) -> String {
    let window =
        step.map(|step| format!(" |> window(every: {}us, createEmpty: false)", step.micros()));
    let window = window.unwrap_or_default();
    let mut flux = format!("data = () => {source}\n|> filter(fn: (r) => ");
    let mut by_metric: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in names {
        let device = format!("r.device == {}", text(&name.device));
        by_metric.entry(&name.measurement).or_default().push(device);
    }
    let of_metric = |(metric, devices): (&str, Vec<String>)| {
        format!("(r._measurement == {} and ({}))", text(metric), devices.join(" or "))
    };
    let all: Vec<String> = by_metric.into_iter().map(of_metric).collect();
    flux.push_str(&all.join(" or "));
    flux.push_str(")\n");
    for ask in Ask::ALL {
        // Writing to memory cannot fail.
        let _ = writeln!(
            flux,
            "data() |> filter(fn: (r) => r._field == \"{}\"){}{window} |> {}() |> yield(name: \"{}\")",
            ask.field(),
            ask.filter(),
            ask.aggregate(),
            ask.name()
        );
    }
    flux
}

fn most(limit: usize) -> i64 {
    // Flux adds to it; so much is no limit all the same.
    i64::try_from(limit).unwrap_or(i64::MAX).min(1 << 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_text() {
        for (given, expected) in [
            ("pm25", r#""pm25""#),
            (r#"") |> drop("#, r#""\") |> drop(""#),
            (r"a\", r#""a\\""#),
            (r#"\") or true"#, r#""\\\") or true""#),
            ("${secrets.get(key: \"x\")}", r#""\x24{secrets.get(key: \"x\")}""#),
            ("a\nb\r\tc", r#""a\nb\r\tc""#),
            ("\0\u{85}", r#""\x00\xc2\x85""#),
            ("水位 🚰", "\"水位 🚰\""),
        ] {
            assert_eq!(text(given), expected);
        }
    }

    #[test]
    fn an_empty_range_asks_nothing() {
        let at = |micros| city_model::Timestamp::from_micros(micros);
        let range = |from, to| TimeRange { from: at(from), to: at(to) };
        assert_eq!(source("b", range(5, 5)), None);
        assert_eq!(source("b", range(i64::MIN, i64::MIN + 5)), None, "before InfluxDB's time");
        let all = source("b", TimeRange::ALL).expect("a range");
        assert!(all.contains("time(v: -9223372036854775806)"), "{all}");
        assert!(all.contains("time(v: 9223372036854775806)"), "{all}");
    }
}
