//! Rule tests as data: input series, times and the events that are expected.
//!
//! ```yaml
//! rules: threshold.yaml               # one or several, or `inline: |` with the text of a rule file
//! time_zone: America/Chicago          # the city's; default UTC
//! zones: [{id: loop, name: {en: The Loop, zh: 卢普区}, layer: neighbourhood}]
//! devices:
//!   - {id: a, kind: air_station, interval: 30s, zones: [loop]}
//! tests:
//!   - name: a spike shorter than `for` raises nothing
//!     start: 2026-03-08T01:30:00-06:00      # default 2026-01-01T00:00:00Z
//!     until: 5m
//!     input:
//!       - {series: pm25 of a, every: 10s, values: "10 80 80x3 _ 60"}
//!       - {series: pm25 of a, at: 2m, value: 300, time: 5s, marks: [retained]}
//!     restart: [35s]
//!     registry: [{at: 1m, device: {id: a, life_cycle: maintenance}}]
//!     expect:
//!       - {at: 40s, event: fired, subject: pm25 of a, severity: medium, value: 80}
//! ```
//!
//! Times count from the start of the test. `values`: a number, `true`, `false`; `_` for no
//! reading; `80x5` five times; `_x3` three gaps; `10+5x4` is 10 15 20 25; `50~2x9` is nine values
//! within 2 of 50; `(20x9 80x6)x7` repeats a group (`steps.rs` has them all). `delay` or `received`
//! make readings late. A clock that was ahead is set back by `set_back: {at: 2h, to: 10s, input: […]}`,
//! in which stands what happens afterwards (`input`, `registry`, `restart`), by that clock. A test passes if exactly the expected events come; every test runs a second
//! time with a tick every second, which must change nothing. A restart goes through a snapshot.

mod expected;
mod file;
mod registry;
mod steps;

use std::fmt;
use std::sync::Arc;

use city_model::{AlertEvent, Directory, Span, Timestamp};

use self::file::{Action, Test, TestFile};
use crate::evaluator::{Evaluator, Snapshot};
use crate::problem::{RuleProblem, Sink};
use crate::rule::RuleSet;

/// What came of the tests of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    /// The names of the tests that passed.
    pub passed: Vec<String>,
    /// The names of those that did not.
    pub failed: Vec<String>,
    /// What is wrong, in tests, in rules, or with what came out.
    pub problems: Vec<RuleProblem>,
}

impl TestReport {
    /// Whether there were tests and all of them passed.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty() && self.failed.is_empty() && !self.passed.is_empty()
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        write!(f, "{} passed, {} failed", self.passed.len(), self.failed.len())
    }
}

/// Runs the tests of a file. `load` gives the text of a rule file that the tests name, by the path
/// as it stands there; or says why it cannot.
pub fn run_tests(
    file: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<String, String>,
) -> TestReport {
    run_tests_within(file, text, load, &Limits { readings: usize::MAX, go_on: &|| true })
}

/// What tests may use.
pub struct Limits<'l> {
    /// How many readings all tests of the file may have together.
    pub readings: usize,
    /// Asked often: whether to go on.
    pub go_on: &'l dyn Fn() -> bool,
}

impl fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("readings", &self.readings).finish_non_exhaustive()
    }
}

/// The same within limits. Tests that are not finished when it is not to go on count as failed.
pub fn run_tests_within(
    file: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<String, String>,
    limits: &Limits<'_>,
) -> TestReport {
    let mut report = TestReport::default();
    let mut sink = Sink::new(file);
    let tests = TestFile::read(text, load, limits.readings, &mut sink);
    report.problems.append(&mut sink.problems);
    let Some(TestFile { rules, directory, tests }) = tests else { return report };
    if !report.problems.is_empty() {
        return report;
    }
    for test in tests {
        let play = |tick| run(&test, &rules, &directory, tick, limits.go_on);
        let (plain, ticked) = (play(None), play(Some(Span::from_secs(1))));
        match (plain, ticked) {
            (Some(events), Some(ticked)) => {
                compare(&test, &rules, &events, &mut sink);
                if ticked != events {
                    sink.report_with(
                        test.mark,
                        format!("test `{}`: a tick every second changes the events", test.name),
                        "this is a fault of the evaluator, please report it",
                    );
                }
            }
            _ => sink.report_with(
                test.mark,
                format!("test `{}` was stopped: it takes too long here", test.name),
                "make it shorter, or run it with `citybrain rules test`",
            ),
        }
        let list = if sink.problems.is_empty() { &mut report.passed } else { &mut report.failed };
        list.push(test.name);
        report.problems.append(&mut sink.problems);
    }
    report
}

/// Plays a test and gives its events; `None` if it is not to go on.
fn run(
    test: &Test,
    rules: &Arc<RuleSet>,
    directory: &Arc<Directory>,
    tick: Option<Span>,
    go_on: &dyn Fn() -> bool,
) -> Option<Vec<AlertEvent>> {
    let mut events = Vec::new();
    let mut directory = directory.clone();
    let mut evaluator = Evaluator::new(rules.clone(), directory.clone(), test.start);
    let mut clock = test.start;
    for (at, action) in &test.actions {
        tick_to(&mut evaluator, &mut clock, *at, tick, &mut events, go_on)?;
        go_on().then_some(())?;
        match action {
            Action::Reading(reading) => evaluator.observe(reading, &mut events),
            Action::Device(device) => {
                let mut changed = (*directory).clone();
                changed.put(device.clone());
                changed.version += 1;
                directory = Arc::new(changed);
                events.extend(evaluator.set_directory(directory.clone(), *at).events);
            }
            Action::SetBack(to) => {
                evaluator.advance(*at, &mut events);
                evaluator.set_back(*to, &mut events);
                clock = *to;
            }
            Action::Restart => {
                evaluator.advance(*at, &mut events);
                let saved = through_json(&evaluator.snapshot());
                evaluator = Evaluator::new(rules.clone(), directory.clone(), *at);
                events.extend(evaluator.restore(saved).events);
            }
        }
    }
    tick_to(&mut evaluator, &mut clock, test.until, tick, &mut events, go_on)?;
    evaluator.advance(test.until, &mut events);
    Some(events)
}

fn tick_to(
    evaluator: &mut Evaluator,
    clock: &mut Timestamp,
    to: Timestamp,
    tick: Option<Span>,
    events: &mut Vec<AlertEvent>,
    go_on: &dyn Fn() -> bool,
) -> Option<()> {
    let Some(tick) = tick else { return Some(()) };
    while *clock + tick < to {
        *clock = *clock + tick;
        evaluator.advance(*clock, events);
        go_on().then_some(())?;
    }
    Some(())
}

/// Out of the process and back, as a restart does it.
fn through_json(snapshot: &Snapshot) -> Snapshot {
    let text = serde_json::to_string(snapshot).unwrap_or_default();
    // A snapshot that does not come back loses the state, and with it the test.
    serde_json::from_str(&text).unwrap_or_default()
}

fn compare(test: &Test, rules: &RuleSet, events: &[AlertEvent], sink: &mut Sink) {
    let mut left: Vec<&AlertEvent> = events.iter().collect();
    let mut missing = Vec::new();
    for expected in &test.expect {
        if let Some(at) = left.iter().position(|event| expected.matches(event, rules)) {
            let event = left.remove(at);
            for difference in expected.differences(event) {
                sink.report(expected.mark, format!("test `{}`: {difference}", test.name));
            }
        } else {
            missing.push(expected);
        }
    }
    let came: Vec<String> = left.iter().map(|event| line(test.start, event)).collect();
    let hint = if came.is_empty() {
        "no other events came".to_owned()
    } else {
        format!("events that came: {}", came.join("; "))
    };
    for expected in missing {
        let what = format!("{} {} at {}", expected.subject, expected.event, expected.offset);
        sink.report_with(
            expected.mark,
            format!("test `{}`: expected {what}, which did not come", test.name),
            hint.clone(),
        );
    }
    for event in left {
        sink.report(
            test.mark,
            format!("test `{}`: unexpected {}", test.name, line(test.start, event)),
        );
    }
}

fn line(start: Timestamp, event: &AlertEvent) -> String {
    let kind = format!("{:?}", event.kind).to_lowercase();
    let alert = &event.alert;
    format!(
        "{} {kind} {} at {} by `{}`{}",
        expected::subject_text(&alert.subject),
        alert.severity,
        event.at.since(start),
        alert.rule.id,
        alert.value.map(|value| format!(" with value {value}")).unwrap_or_default()
    )
}
