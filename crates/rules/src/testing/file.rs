//! Test files as data: rules, registry, inputs and expectations with their places.

use std::sync::Arc;

use city_model::{
    Catalogue, Device, Directory, Marks, Position, Quality, Reading, SeriesKey, Span, Timestamp,
    Value,
};

use super::expected::Expected;
use super::registry::{pick, read_device, read_zone_set, read_zones};
use super::steps;
use crate::fields::{self, Fields, one_or_many};
use crate::parse::QUALITIES;
use crate::problem::{Mark, Sink, suggestion};
use crate::rule::RuleSet;
use crate::setting::Setting;
use crate::yaml::{self, Node};

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_secs(1_767_225_600);

const MARKS: [(&str, Marks); 6] = [
    ("simulated", Marks::SIMULATED),
    ("retained", Marks::RETAINED),
    ("future", Marks::FUTURE),
    ("untimed", Marks::UNTIMED),
    ("bad_position", Marks::BAD_POSITION),
    ("derived", Marks::DERIVED),
];

pub(super) struct TestFile {
    pub(super) rules: Arc<RuleSet>,
    pub(super) directory: Arc<Directory>,
    pub(super) tests: Vec<Test>,
}

pub(super) struct Test {
    pub(super) name: String,
    pub(super) mark: Mark,
    pub(super) start: Timestamp,
    pub(super) until: Timestamp,
    /// In the order in which they happen.
    pub(super) actions: Vec<(Timestamp, Action)>,
    pub(super) expect: Vec<Expected>,
}

pub(super) enum Action {
    Reading(Reading),
    Device(Arc<Device>),
    Restart,
    /// The clock was ahead and is set back to this.
    SetBack(Timestamp),
}

impl TestFile {
    pub(super) fn read(
        text: &str,
        load: &dyn Fn(&str) -> Result<String, String>,
        sink: &mut Sink,
    ) -> Option<Self> {
        let root = yaml::read(text, sink)?;
        let mut fields = Fields::of(&root, "a rule test file", sink)?;
        let setting = read_setting(&mut fields, sink);
        let rules = read_rules(&mut fields, &setting, load, sink);
        let zones = read_zones(&mut fields, sink);
        let mut directory = Directory::new([], Catalogue::embedded(), zones, 1);
        for node in fields.get("devices").map_or(&[][..], one_or_many) {
            if let Some(device) = read_device(node, &directory, sink) {
                directory.put(Arc::new(device));
            }
        }
        let tests =
            fields.need("tests", "write `tests:` and below it one `- name: …` per test", sink);
        fields.finish(|_| None, sink);
        let tests = tests
            .map_or(&[][..], one_or_many)
            .iter()
            .filter_map(|node| read_test(node, &directory, sink))
            .collect();
        let rules = rules?;
        if let Err(problems) = rules.check_against(&directory) {
            // Zones that rules name but tests do not have select nothing, which may be meant.
            sink.problems.extend(
                problems.0.into_iter().filter(|problem| problem.message.contains("metric")),
            );
        }
        Some(Self { rules: Arc::new(rules), directory: Arc::new(directory), tests })
    }
}

/// The city of the tests.
fn read_setting(fields: &mut Fields<'_>, sink: &mut Sink) -> Setting {
    let Some(node) = fields.get("time_zone") else { return Setting::default() };
    let name = fields::text(node, "time_zone", sink).unwrap_or_default();
    Setting::in_zone(name).unwrap_or_else(|| {
        let message = format!("{} is no time zone", node.found());
        sink.report_with(node.mark, message, "write an IANA name such as Asia/Shanghai");
        Setting::default()
    })
}

/// When a test begins.
fn read_start(fields: &mut Fields<'_>, sink: &mut Sink) -> Timestamp {
    let Some(node) = fields.get("start") else { return START };
    let start = node.text_value().and_then(|text| text.parse().ok());
    if start.is_none() {
        sink.report_with(
            node.mark,
            format!("`start` must be an instant, found {}", node.found()),
            "write for example 2026-03-29T00:30:00Z, or with the offset of the place",
        );
    }
    start.unwrap_or(START)
}

fn read_rules(
    fields: &mut Fields<'_>,
    setting: &Setting,
    load: &dyn Fn(&str) -> Result<String, String>,
    sink: &mut Sink,
) -> Option<RuleSet> {
    let mut files: Vec<(String, String)> = Vec::new();
    let inline = fields.text("inline", sink);
    let names = fields.texts("rules", sink);
    if let Some(text) = inline {
        files.push((format!("{} (inline rules)", sink.file), text.to_owned()));
    }
    for (name, node) in names {
        match load(name) {
            Ok(text) => files.push((name.to_owned(), text)),
            Err(why) => {
                sink.report(node.mark, format!("the rule file `{name}` cannot be read: {why}"));
            }
        }
    }
    if files.is_empty() {
        sink.report_with(fields.node.mark, "no rules to test", "add `rules: file.yaml`");
        return None;
    }
    match RuleSet::parse_in(&files, setting) {
        Ok(rules) => Some(rules),
        Err(problems) => {
            sink.problems.extend(problems.0);
            None
        }
    }
}

fn read_test(node: &Node, directory: &Directory, sink: &mut Sink) -> Option<Test> {
    let mut fields = Fields::of(node, "a test", sink)?;
    let name = fields
        .need("name", "say what the test shows", sink)
        .and_then(|node| fields::text(node, "name", sink))?
        .to_owned();
    let start = read_start(&mut fields, sink);
    let mut actions = read_actions(&mut fields, directory, start, sink);
    if let Some(node) = fields.get("set_back") {
        read_set_back(node, directory, start, &mut actions, sink);
    }
    let until = fields.span("until", sink);
    let expect = fields.need("expect", "write `expect: []` if no event may come", sink);
    let expect: Vec<Expected> = expect
        .map_or(&[][..], one_or_many)
        .iter()
        .filter_map(|node| Expected::read(node, start, sink))
        .collect();
    fields.finish(|_| None, sink);
    let last = actions.last().map_or(start, |(at, _)| *at);
    Some(Test {
        name,
        mark: node.mark,
        start,
        until: until.map_or(last, |until| start + until),
        actions,
        expect,
    })
}

/// Reads the clock that is set back, and what happens afterwards.
fn read_set_back(
    node: &Node,
    directory: &Directory,
    start: Timestamp,
    actions: &mut Vec<(Timestamp, Action)>,
    sink: &mut Sink,
) {
    let Some(mut fields) = Fields::of(node, "`set_back`", sink) else { return };
    let (at, to) = (fields.span("at", sink), fields.span("to", sink));
    let after = read_actions(&mut fields, directory, start, sink);
    fields.finish(|_| None, sink);
    let (Some(at), Some(to)) = (at, to) else {
        sink.report_with(node.mark, "`set_back` needs `at` and `to`", "write `{at: 2h, to: 10s}`");
        return;
    };
    let last = actions.last().map_or(start, |(at, _)| *at);
    let first = after.first().map_or(start + to, |(at, _)| *at);
    if to >= at || last > start + at || first < start + to {
        sink.report_with(
            node.mark,
            "`to` must be before `at`, and nothing may happen after `at` or, by the clock that was \
             set back, before `to`",
            "what happens afterwards stands in `set_back`, with times by that clock",
        );
    }
    actions.push((start + at, Action::SetBack(start + to)));
    actions.extend(after);
}

/// Reads readings, changes of the registry and restarts, in the order in which they happen.
fn read_actions(
    fields: &mut Fields<'_>,
    directory: &Directory,
    start: Timestamp,
    sink: &mut Sink,
) -> Vec<(Timestamp, Action)> {
    let mut actions = Vec::new();
    for node in fields.get("input").map_or(&[][..], one_or_many) {
        read_input(node, directory, start, &mut actions, sink);
    }
    for node in fields.get("registry").map_or(&[][..], one_or_many) {
        let Some(mut fields) = Fields::of(node, "a change of the registry", sink) else { continue };
        let at = fields.span("at", sink);
        let device =
            fields.need("device", "write `device: {id: …, life_cycle: maintenance}`", sink);
        let device = device.and_then(|node| read_device(node, directory, sink));
        fields.finish(|_| None, sink);
        if let (Some(at), Some(device)) = (at, device) {
            actions.push((start + at, Action::Device(Arc::new(device))));
        }
    }
    for node in fields.get("restart").map_or(&[][..], one_or_many) {
        if let Some(at) = fields::span(node, "restart", sink) {
            actions.push((start + at, Action::Restart));
        }
    }
    // What happens at the same time happens in the order of the file, restarts last.
    actions.sort_by_key(|(at, _)| *at);
    actions
}

fn read_input(
    node: &Node,
    directory: &Directory,
    start: Timestamp,
    actions: &mut Vec<(Timestamp, Action)>,
    sink: &mut Sink,
) {
    let Some(mut fields) = Fields::of(node, "an input", sink) else { return };
    let hint = "write `series: pm25 of device-1`";
    let series =
        fields.need("series", hint, sink).and_then(|node| read_series(node, directory, sink));
    let quality = pick(&mut fields, "quality", &QUALITIES, sink).unwrap_or(Quality::Pass);
    let mut marks = Marks::NONE;
    for (name, node) in fields.texts("marks", sink) {
        match MARKS.iter().find(|(other, _)| *other == name) {
            Some((_, mark)) => marks = marks.with(*mark),
            None => sink.push(
                node.mark,
                format!("unknown mark `{name}`"),
                suggestion(name, &MARKS.map(|(name, _)| name)),
            ),
        }
    }
    let own_zones =
        fields.get("zones").is_some().then(|| read_zone_set(&mut fields, directory, sink));
    let position = read_position(&mut fields, sink);
    let times = read_times(&mut fields, sink);
    fields.finish(|_| None, sink);
    let Some(series) = series else { return };
    let device = directory.device(series.device);
    let zones =
        own_zones.unwrap_or_else(|| device.map(|device| device.zones.clone()).unwrap_or_default());
    for (time, received, value) in times {
        let reading = Reading {
            series,
            time: start + time,
            received: start + received,
            value,
            quality,
            marks,
            position,
            zones: zones.clone(),
        };
        actions.push((start + received, Action::Reading(reading)));
    }
}

/// Event time, received time and value of each reading of an input.
fn read_times(fields: &mut Fields<'_>, sink: &mut Sink) -> Vec<(Span, Span, Value)> {
    let values = fields.get("values");
    let single = fields.get("value");
    let at = fields.span("at", sink);
    let time = fields.span("time", sink);
    let from = fields.span("from", sink).unwrap_or(Span::ZERO);
    let every = fields.span("every", sink);
    let delay = fields.span("delay", sink).unwrap_or(Span::ZERO);
    let received = fields.span("received", sink);
    let plus = |a: Span, b: Span| Span::from_micros(a.micros() + b.micros());
    let (Some(node), None) = (values, single) else {
        let (Some(node), Some(at)) = (single, at) else {
            sink.report_with(
                fields.node.mark,
                "an input needs `values` with `every`, or `value` with `at`",
                "write `{series: …, every: 10s, values: \"10 80x5\"}`",
            );
            return Vec::new();
        };
        let value = match (node.bool_value(), node.number_value(), node.text_value()) {
            (Some(flag), _, _) => Value::Bool(flag),
            (_, Some(number), _) => Value::Number(number),
            (_, _, text) => Value::from(text.unwrap_or_default()),
        };
        return vec![(time.unwrap_or(at), at, value)];
    };
    let steps = match node.text_value().map(steps::expand) {
        Some(Ok(steps)) => steps,
        bad => {
            let word = bad.and_then(Result::err).unwrap_or_default();
            sink.report_with(
                node.mark,
                format!("`{word}` is no step of a series"),
                "write numbers, true, false, `_` for a gap, `80x5` for repeats, `10+5x4` for a rise, \
                 `50~2x9` for noise, `(1 2)x5` for groups",
            );
            return Vec::new();
        }
    };
    let Some(every) = every.filter(|every| *every > Span::ZERO) else {
        sink.report_with(
            fields.node.mark,
            "`every` is missing",
            "say how far the values are apart",
        );
        return Vec::new();
    };
    steps
        .into_iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let time = plus(from, Span::from_micros(every.micros() * index as i64));
            Some((time, received.unwrap_or(plus(time, delay)), value?))
        })
        .collect()
}

fn read_series(node: &Node, directory: &Directory, sink: &mut Sink) -> Option<SeriesKey> {
    let text = fields::text(node, "series", sink)?;
    let Some((metric, device)) = text.split_once(" of ") else {
        sink.report_with(node.mark, format!("`{text}` is no series"), "write `pm25 of device-1`");
        return None;
    };
    let metrics: Vec<&str> = directory.metrics.iter().map(|metric| &*metric.id).collect();
    let devices: Vec<&str> = directory.devices().map(|device| &*device.id).collect();
    let key = directory.metrics.by_id(metric.trim()).map(|metric| metric.key);
    let found = directory.device_by_id(device.trim()).map(|device| device.key);
    if key.is_none() {
        let hint = suggestion(metric, &metrics);
        sink.push(node.mark, format!("unknown metric `{metric}`"), hint);
    }
    if found.is_none() {
        let hint = suggestion(device, &devices);
        sink.push(node.mark, format!("unknown device `{device}`"), hint);
    }
    Some(SeriesKey { device: found?, metric: key? })
}

fn read_position(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<Position> {
    let node = fields.get("position")?;
    let numbers: Vec<f64> = one_or_many(node).iter().filter_map(Node::number_value).collect();
    let position = match numbers[..] {
        [lon, lat] => Position::new(lon, lat),
        _ => None,
    };
    if position.is_none() {
        sink.report_with(
            node.mark,
            "a position is [longitude, latitude]",
            "for example [-87.6, 41.9]",
        );
    }
    position
}
