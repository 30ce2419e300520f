//! `anomaly`: a series does what it does not usually do at this time.
//!
//! ```yaml
//! kind: anomaly
//! select: {metric: traffic_count}
//! anomaly: {season: auto, direction: either}
//! severity:
//!   medium: {above: 4}
//!   high: {above: 6}
//! keep_firing_for: 1h
//! ```
//!
//! All keys of `anomaly` may be left out, and so may `anomaly` itself: `season` is `auto`, `none`,
//! `day` or `week`, `direction` is `either`, `above` or `below`. Days and weeks are those of the clocks
//! that people and traffic live by: those of the city's time zone, also when they are set for the
//! summer, unless `utc_offset` says by how much they are ahead of UTC.
//!
//! What is judged is the surprise: one reading in 10 to this power would be as odd, so that 3 is one
//! in 1,000. That is once in six weeks where readings come each hour, and twice a week where they come
//! every five minutes, which want a limit of 4 or 5. The surprise is there at the onset of an anomaly
//! and 0 while the same anomaly goes on, which is why rules of this kind want a `keep_firing_for` and
//! no `for`. The first 100 readings raise nothing, and for some two weeks a seasonal series is judged
//! mildly, because its peaks were news when they first came.

use std::sync::Arc;

use city_model::{Span, Timestamp};
use jiff::tz::TimeZone;

use super::{
    Built, Condition, Expectation, Kind, Measure, Memory, Saved, SeriesFunction, threshold,
};
use crate::anomaly::{Config, Detector, Direction, SavedDetector, Seasons};
use crate::fields::{self, Fields};
use crate::ladder::Ladder;
use crate::parse::{choose, need_metric};
use crate::problem::Sink;
use crate::selector::Selector;
use crate::setting::offset_secs;

pub(super) static KIND: Kind = Kind {
    name: "anomaly",
    about: [
        "Raises when a series does what it does not usually do at this time of day and week.",
        "当数据序列偏离其在该时段（一天中的时刻、一周中的日子）的惯常表现时告警。",
    ],
    keys: &["anomaly", "severity", "raise", "clear", "for"],
    placeholders: threshold::PLACEHOLDERS,
    summary: [
        "{device_name}: {metric} is unusual, surprise {value} (limit {limit})",
        "{device_name}：{metric} 表现异常，异常度 {value}（限值 {limit}）",
    ],
    read,
};

const SEASONS: [(&str, Seasons); 4] = [
    ("auto", Seasons::Auto),
    ("none", Seasons::None),
    ("day", Seasons::Day),
    ("week", Seasons::Week),
];

const DIRECTIONS: [(&str, Direction); 3] =
    [("either", Direction::Either), ("above", Direction::Above), ("below", Direction::Below)];

/// No clock is farther from UTC.
const FARTHEST: Span = Span::from_secs(14 * 3_600);

/// How long readings teach: as many days as the detector remembers of an hour.
const REACH: Span = Span::from_secs(12 * 86_400);

#[derive(Clone, Debug, Default)]
struct Anomaly {
    config: Config,
    clock: Clock,
}

/// By what the hours of days and the days of weeks are told.
#[derive(Clone, Debug)]
enum Clock {
    /// Ahead of UTC by so much, all year.
    Offset(Span),
    /// The city's.
    Zone(TimeZone),
}

impl Default for Clock {
    fn default() -> Self {
        Self::Zone(TimeZone::UTC)
    }
}

impl Clock {
    fn ahead(&self, time: Timestamp) -> Span {
        match self {
            Self::Offset(offset) => *offset,
            Self::Zone(zone) => Span::from_secs(offset_secs(zone, time)),
        }
    }
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let ladder = Ladder::read(rule, sink);
    let anomaly = match rule.get("anomaly") {
        Some(node) => read_anomaly(Fields::of(node, "`anomaly`", sink)?, sink),
        None => Anomaly::default(),
    };
    let ladder = ladder?;
    Built::judged(ladder, Condition::Function(Arc::new(anomaly)), hold)
}

fn read_anomaly(mut fields: Fields<'_>, sink: &mut Sink) -> Anomaly {
    let mut anomaly = Anomaly::default();
    if fields.get("season").is_some() {
        anomaly.config.season = choose(&mut fields, "season", &SEASONS, sink).unwrap_or_default();
    }
    if fields.get("direction").is_some() {
        let direction = choose(&mut fields, "direction", &DIRECTIONS, sink);
        anomaly.config.direction = direction.unwrap_or_default();
    }
    if let Some(node) = fields.get("utc_offset") {
        let offset = fields::text(node, "utc_offset", sink).and_then(|text| text.parse().ok());
        match offset {
            Some(offset) if within_a_day(offset) => anomaly.clock = Clock::Offset(offset),
            _ => sink.report_with(
                node.mark,
                format!("`utc_offset` must be at most 14 hours, found {}", node.found()),
                "write for example `8h` or `-5h30m`",
            ),
        }
    }
    fields.finish(|_| None, sink);
    anomaly
}

fn within_a_day(offset: Span) -> bool {
    offset.micros().abs() <= FARTHEST.micros()
}

impl SeriesFunction for Anomaly {
    fn start(&self) -> Box<dyn Memory> {
        self.restore(&Saved::default())
    }

    fn restore(&self, saved: &Saved) -> Box<dyn Memory> {
        // Columns: integers = the time of the last reading; numbers = those of the detector.
        let saved =
            SavedDetector { last: saved.integers.first().copied(), numbers: saved.numbers.clone() };
        let detector = Detector::restore(self.config, &saved);
        Box::new(Watched { detector, clock: self.clock.clone(), expected: None })
    }

    fn reach(&self) -> Span {
        REACH
    }

    fn measure(&self) -> Measure {
        Measure::Plain
    }

    fn in_zone(&self, time_zone: &TimeZone) -> Option<Arc<dyn SeriesFunction>> {
        let Clock::Zone(_) = self.clock else { return None };
        Some(Arc::new(Self { clock: Clock::Zone(time_zone.clone()), ..self.clone() }))
    }
}

#[derive(Debug)]
struct Watched {
    detector: Detector,
    clock: Clock,
    expected: Option<Expectation>,
}

impl Memory for Watched {
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64> {
        let score = self.detector.update(time, self.clock.ahead(time), value);
        self.expected = score.ready.then_some(Expectation {
            value: score.expected,
            low: score.low,
            high: score.high,
            deviation: score.deviation,
        });
        Some(score.surprise)
    }

    fn expectation(&self) -> Option<Expectation> {
        self.expected
    }

    fn save(&self) -> Saved {
        let SavedDetector { last, numbers } = self.detector.save();
        Saved { integers: last.into_iter().collect(), numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleSet;
    use crate::setting::Setting;

    fn problems(anomaly: &str) -> String {
        let text = format!(
            "group: g\ndepartment: d\nrules:\n  - {{id: r, name: r, kind: anomaly, select: {{metric: pm25}}, \
             anomaly: {anomaly}, severity: low, raise: {{above: 3}}}}\n"
        );
        match RuleSet::parse(&[("r.yaml".to_owned(), text)]) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        }
    }

    #[test]
    fn mistakes_are_named() {
        for good in ["{}", "{season: none}", "{direction: below, utc_offset: -5h30m}"] {
            assert_eq!(problems(good), "", "{good}");
        }
        for (bad, named) in [
            ("{saeson: day}", "unknown key `saeson`"),
            ("{season: daily}", "unknown season `daily`"),
            ("{direction: up}", "unknown direction `up`"),
            ("{utc_offset: 15h}", "`utc_offset` must be at most 14 hours"),
            ("{utc_offset: 8}", "`utc_offset`"),
            ("week", "`anomaly` must be a mapping"),
        ] {
            let found = problems(bad);
            assert!(found.contains(named), "{bad}: {found}");
        }
    }

    #[test]
    fn the_clock_is_the_citys_unless_an_offset_is_given() {
        let function = |anomaly: &str| {
            let text = format!(
                "group: g\ndepartment: d\nrules:\n  - {{id: r, kind: anomaly, select: {{metric: pm25}}, \
                 {anomaly}severity: low, raise: {{above: 3}}}}\n"
            );
            let city = Setting::in_zone("America/Chicago").expect("known");
            let rules = RuleSet::parse_in(&[("r.yaml", text)], &city).expect("valid");
            format!("{:?}", rules.rules()[0].condition)
        };
        assert!(function("").contains("America/Chicago"), "{}", function(""));
        let fixed = function("anomaly: {utc_offset: 8h}, ");
        assert!(fixed.contains("Offset(") && !fixed.contains("Chicago"), "{fixed}");
        let zone = Setting::in_zone("America/Chicago").expect("known").time_zone;
        let ahead = |text: &str| {
            Clock::Zone(zone.clone()).ahead(text.parse().expect("a time")).secs_f64() / 3_600.0
        };
        assert_eq!([ahead("2026-03-08T07:59:59Z"), ahead("2026-03-08T08:00:00Z")], [-6.0, -5.0]);
    }

    #[test]
    fn it_says_what_it_expected_once_it_has_seen_enough() {
        let mut memory = Anomaly::default().start();
        assert_eq!(memory.expectation(), None);
        for index in 0..2_000_i64 {
            let value = 20.0 + (index % 5) as f64;
            memory.push(Timestamp::from_secs(index * 600), value);
            if index == 0 {
                assert_eq!(memory.expectation(), None, "one reading teaches nothing");
            }
        }
        let told = memory.expectation().expect("it knows the series");
        assert!(told.low < 20.0 && told.high > 24.0 && told.high < 40.0, "{told:?}");
        memory.push(Timestamp::from_secs(2_000 * 600), 60.0);
        let told = memory.expectation().expect("it knows the series");
        assert!(told.high < 60.0 && told.deviation > 3.0, "{told:?}");
    }

    #[test]
    fn a_memory_goes_on_where_it_was_saved() {
        let clock = Clock::Offset(Span::from_secs(8 * 3_600));
        let anomaly = Anomaly { clock, ..Anomaly::default() };
        let (mut whole, mut broken) = (anomaly.start(), anomaly.start());
        for index in 0..2_000_i64 {
            let time = Timestamp::from_secs(index * 600);
            let value = (index % 144 * (index % 7)) as f64;
            broken = anomaly.restore(&broken.save());
            assert_eq!(broken.push(time, value), whole.push(time, value), "{index}");
        }
    }
}
