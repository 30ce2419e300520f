//! `expression`: a formula over several metrics of one device.
//!
//! ```yaml
//! kind: expression
//! select: {kind: tunnel_station}      # the formula names the metrics
//! expression: "co > 30 && fan_on == false"
//! max_age: 10m                        # the default
//! severity: high
//! for: 2m
//! ```
//!
//! The language is the Common Expression Language (CEL): `+ - * / %`, comparisons, `&& || !`,
//! `a ? b : c`, `in` with a list of literals, texts with `startsWith`, `endsWith` and `contains`,
//! and `math.abs`, `math.sqrt`, `math.greatest` and their like. All numbers are floating point, so
//! `1000` and `1000.0` are the same. A formula that gives true or false takes a severity (or a
//! ladder of waits: `severity: {medium: {for: 2m}, high: {for: 20m}}`), one that gives a number
//! takes limits: `severity: {high: {above: 5, clear_below: 4}}`.
//!
//! It is computed as soon as all its metrics have come with the same event time, or one second
//! after the first of them. A metric that is older than `max_age` by event time than the newest one
//! is unknown, and then so is the result, as after a division by zero: nothing changes.

mod formula;

use std::sync::Arc;

use city_model::{LocalText, Span, Timestamp, Value};

pub use self::formula::is_computing;
use self::formula::{Formula, Gives};
use super::{
    Built, Condition, DeviceFunction, DeviceMemory, Finding, Input, Kind, Measure, SavedDevice,
    SavedValue,
};
use crate::fields::{self, Fields};
use crate::ladder::{self, Ladder, Waits};
use crate::parse::positive_span;
use crate::problem::Sink;
use crate::selector::Selector;
use crate::template::Placeholder;

pub(super) static KIND: Kind = Kind {
    name: "expression",
    about: [
        "Judges a formula over several metrics of a device.",
        "对同一设备多个指标的组合公式进行判断。",
    ],
    keys: &["expression", "max_age", "severity", "raise", "clear", "for"],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::State,
        Placeholder::Value,
        Placeholder::Limit,
        Placeholder::For,
    ],
    summary: ["{device_name}: {state}", "{device_name}：{state}"],
    read,
};

/// How long the metrics of a message are waited for.
const PATIENCE: Span = Span::from_secs(1);

#[derive(Clone, Debug)]
struct Expression {
    formula: Arc<Formula>,
    max_age: Span,
}

fn read(rule: &mut Fields<'_>, _: &Selector, sink: &mut Sink) -> Option<Built> {
    let node = rule.need("expression", "write `expression: \"pm25 > 75 && wind_speed < 1\"`", sink);
    let max_age = match rule.get("max_age") {
        Some(_) => positive_span(rule, "max_age", "", sink),
        None => Some(Span::from_mins(10)),
    };
    let formula = node.and_then(|node| {
        let text = fields::text(node, "expression", sink)?;
        Formula::read(text)
            .map_err(|(message, hint)| sink.report_with(node.mark, message, hint))
            .ok()
    });
    let gives = formula.as_ref().map_or(Gives::Truth, Formula::gives);
    let waits = if gives == Gives::Number {
        let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
        let ladder = Ladder::read(rule, sink)?;
        Waits { severity: ladder.steps.first()?.severity, ladder: Some(ladder), hold }
    } else {
        if let Some(extra) = rule.get("raise").or_else(|| rule.get("clear")) {
            let message = "the expression gives true or false, which has no limits";
            sink.report_with(extra.mark, message, "remove `raise` and `clear`");
        }
        ladder::read_waits(rule, sink)?
    };
    let (formula, max_age) = (formula?, max_age?);
    let mark = node?.mark;
    let metrics = formula.metrics().iter().map(|name| (name.clone(), mark)).collect();
    let expression = Expression { formula: Arc::new(formula), max_age };
    let built = Built::waiting(waits, Condition::Device(Arc::new(expression)));
    Some(Built { metrics: Some(metrics), ..built })
}

impl DeviceFunction for Expression {
    fn start(&self) -> Box<dyn DeviceMemory> {
        self.restore(&SavedDevice::default())
    }

    fn restore(&self, saved: &SavedDevice) -> Box<dyn DeviceMemory> {
        // Columns: integers = event time and bits of the metrics of the newest message, deadline;
        // values = by metric.
        let mut inputs = vec![None; self.formula.metrics().len()];
        for (input, saved) in inputs.iter_mut().zip(&saved.values) {
            *input = saved.as_ref().map(|(time, value)| (*time, Value::from(value)));
        }
        let (message, come, due) = match saved.integers[..] {
            [message, come, due] => (Some(message), come as u64, (due != i64::MAX).then_some(due)),
            _ => (None, 0, None),
        };
        Box::new(Inputs {
            expression: self.clone(),
            newest: inputs,
            message: message.map(Timestamp::from_micros),
            come,
            due: due.map(Timestamp::from_micros),
        })
    }

    fn reach(&self) -> Span {
        self.max_age
    }

    fn measure(&self) -> Measure {
        match self.formula.gives() {
            Gives::Number => Measure::Computed,
            Gives::Truth => Measure::Length,
        }
    }

    fn text(&self, _: &dyn Fn(&str) -> LocalText) -> LocalText {
        LocalText::same(self.formula.source())
    }
}

/// The newest readings of a device.
#[derive(Debug)]
struct Inputs {
    expression: Expression,
    /// By metric.
    newest: Vec<Option<(Timestamp, Value)>>,
    /// The event time of the newest message, and which metrics have come with it.
    message: Option<Timestamp>,
    come: u64,
    /// When it is computed with what is there.
    due: Option<Timestamp>,
}

impl Inputs {
    fn find(&self) -> Option<Finding> {
        let newest = self.newest.iter().flatten().map(|(time, _)| *time).max()?;
        let oldest = newest - self.expression.max_age;
        let fresh = |input: &Option<(Timestamp, Value)>| {
            input.as_ref().filter(|(time, _)| *time >= oldest).map(|(_, value)| value.clone())
        };
        let values: Option<Vec<Value>> = self.newest.iter().map(fresh).collect();
        self.expression.formula.compute(&values?)
    }
}

impl DeviceMemory for Inputs {
    fn take(&mut self, input: &Input<'_>) -> Option<Finding> {
        *self.newest.get_mut(input.place)? = Some((input.time, input.value.clone()));
        if self.message != Some(input.time) {
            self.message = Some(input.time);
            self.come = 0;
        }
        self.come |= 1 << input.place;
        if self.come.count_ones() as usize == self.newest.len() {
            self.due = None;
            return self.find();
        }
        self.due.get_or_insert(input.now + PATIENCE);
        None
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    fn wake(&mut self) -> Option<Finding> {
        self.due = None;
        self.find()
    }

    fn set_back(&mut self, now: Timestamp) {
        for input in &mut self.newest {
            *input = input.take().filter(|(time, _)| *time <= now);
        }
        self.message = self.message.filter(|message| *message <= now);
        self.due = self.due.map(|due| due.min(now + PATIENCE));
    }

    fn save(&self) -> SavedDevice {
        let micros = |time: Option<Timestamp>| time.map_or(i64::MAX, Timestamp::micros);
        let integers = self
            .message
            .map(|message| vec![message.micros(), self.come.cast_signed(), micros(self.due)]);
        let save = |input: &Option<(Timestamp, Value)>| {
            input.as_ref().map(|(time, value)| (*time, SavedValue::from(value)))
        };
        SavedDevice {
            integers: integers.unwrap_or_default(),
            values: self.newest.iter().map(save).collect(),
        }
    }
}
