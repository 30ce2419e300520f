//! Severity ladders: which severities a value raises and which it clears.

use city_model::{Severity, Span};
use serde::{Deserialize, Serialize};

use crate::fields::{self, Fields};
use crate::limits::stand_in;
use crate::parse;
use crate::problem::{Mark, Sink, suggestion};
use crate::yaml::{Content, Node};

/// On which side of the limits it is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// High values are bad.
    Above,
    /// Low values are bad.
    Below,
}

/// The limits of one severity, in the unit of the value that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The severity.
    pub severity: Severity,
    /// The limit that a value must pass (not only reach) to raise.
    pub raise: f64,
    /// The limit that a value must pass the other way to clear; without one, a value that does
    /// not raise clears.
    pub clear: Option<f64>,
    /// For how long the limit must be passed before this severity fires; `None`: for as long as
    /// the rule says.
    pub hold: Option<Span>,
}

/// One to four steps, mildest first, all in one direction and with limits that never get milder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// On which side it is bad.
    pub direction: Direction,
    /// The steps, mildest first.
    pub steps: Vec<Step>,
    /// Whether a value that reaches a limit passes it. Lengths of time do.
    pub reaching: bool,
}

/// What a value means for each severity; bit `n` stands for `Severity::ALL[n]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Severities whose limit is passed.
    pub raised: u8,
    /// Severities whose clear limit is passed.
    pub cleared: u8,
}

impl Verdict {
    /// No severity holds any more.
    pub const CLEAR: Self = Self { raised: 0, cleared: 0b1111 };

    /// Exactly one severity is raised, the others are clear.
    pub const fn raise(severity: Severity) -> Self {
        let bit = 1 << severity as u8;
        Self { raised: bit, cleared: 0b1111 & !bit }
    }
}

impl Ladder {
    /// Judges a value.
    pub fn judge(&self, value: f64) -> Verdict {
        // Severities that the ladder does not have can only be clear.
        let mut verdict = Verdict::CLEAR;
        for step in &self.steps {
            let reached = self.reaching && value.total_cmp(&step.raise).is_eq();
            let bit = 1 << step.severity as u8;
            let (raised, cleared) = match self.direction {
                Direction::Above => {
                    (value > step.raise, step.clear.is_none_or(|clear| value < clear))
                }
                Direction::Below => {
                    (value < step.raise, step.clear.is_none_or(|clear| value > clear))
                }
            };
            let raised = raised || reached;
            if raised {
                verdict.raised |= bit;
            }
            if raised || !cleared {
                verdict.cleared &= !bit;
            }
        }
        verdict
    }

    /// All its severities are raised.
    pub(crate) fn all(&self) -> Verdict {
        let bits = self.steps.iter().map(|step| 1 << step.severity as u8);
        let raised = bits.fold(0, |all, bit| all | bit);
        Verdict { raised, cleared: Verdict::CLEAR.cleared & !raised }
    }

    /// The step of a severity.
    pub fn step(&self, severity: Severity) -> Option<&Step> {
        self.steps.iter().find(|step| step.severity == severity)
    }

    /// Reads a rule's `severity`, `raise` and `clear`.
    pub(crate) fn read(rule: &mut Fields<'_>, sink: &mut Sink) -> Option<Self> {
        let raise = rule.get("raise");
        let clear = rule.get("clear");
        let node = rule.need(
            "severity",
            "write `severity: {high: {above: 115, clear_below: 100}}`, or `severity: high` with \
             `raise: {above: 115}`",
            sink,
        )?;
        if let Content::Map(_) = node.content {
            for extra in [raise, clear].into_iter().flatten() {
                sink.report_with(
                    extra.mark,
                    "`raise` and `clear` do not go with a severity ladder",
                    "write the limits inside `severity`",
                );
            }
            Self::read_steps(node, sink)
        } else {
            let severity = plain_severity(node, sink)?;
            let Some(raise) = raise else {
                sink.report_with(
                    node.mark,
                    "`raise` is missing",
                    "write `raise: {above: 115}` or `raise: {below: 5}` beside `severity`",
                );
                return None;
            };
            let (direction, limit) = read_limit(raise, "raise", sink)?;
            let clear = match clear {
                None => None,
                Some(node) => Some(read_clear(node, direction, sink)?),
            };
            let step = Step { severity, raise: limit, clear, hold: None };
            check_gap(&step, direction, raise.mark, sink).then(|| Self {
                direction,
                steps: vec![step],
                reaching: false,
            })
        }
    }

    fn read_steps(node: &Node, sink: &mut Sink) -> Option<Self> {
        let fields = Fields::of(node, "`severity`", sink)?;
        let before = sink.problems.len();
        let mut found: Vec<(Direction, Step, Mark)> = Vec::new();
        for (key, node) in fields.entries() {
            let Some(severity) = fields::severity(&key.name) else {
                report_severity(&key.name, key.mark, sink);
                continue;
            };
            let Some(mut limits) = Fields::of(node, &format!("`{}`", key.name), sink) else {
                continue;
            };
            let step = read_step(&mut limits, severity, stand_in, sink);
            limits.finish(|_| None, sink);
            if let Some((direction, step)) = step
                && check_gap(&step, direction, node.mark, sink)
            {
                found.push((direction, step, key.mark));
            }
        }
        found.sort_by_key(|(_, step, _)| step.severity);
        check_order(&found, sink);
        if fields.entries().is_empty() {
            sink.report(node.mark, "`severity` has no steps");
        }
        let direction = found.first()?.0;
        (sink.problems.len() == before).then(|| Self {
            direction,
            steps: found.into_iter().map(|(_, step, _)| step).collect(),
            reaching: false,
        })
    }
}

/// Reads severities that something takes so long to reach, mildest first: `severity: high` with
/// the rule's `for`, or `severity: {medium: {for: 10m}, high: {for: 1h}}`.
pub(crate) fn read_lengths(
    rule: &mut Fields<'_>,
    sink: &mut Sink,
) -> Option<Vec<(Severity, Span)>> {
    const HINT: &str = "write `severity: {medium: {for: 10m}, high: {for: 1h}}`, or `severity: \
                        high` with `for: 10m`";
    let plain = rule.get("for");
    let node = rule.need("severity", HINT, sink)?;
    if !matches!(node.content, Content::Map(_)) {
        let severity = plain_severity(node, sink)?;
        let length = parse::positive_span(rule, "for", "how long, for example `for: 10m`", sink)?;
        return Some(vec![(severity, length)]);
    }
    if let Some(plain) = plain {
        sink.report_with(
            plain.mark,
            "the rule's `for` does not go with a severity ladder",
            "write it inside each severity",
        );
    }
    let before = sink.problems.len();
    let fields = Fields::of(node, "`severity`", sink)?;
    let mut found: Vec<(Severity, Span, Mark)> = Vec::new();
    for (key, node) in fields.entries() {
        let severity = fields::severity(&key.name);
        if severity.is_none() {
            report_severity(&key.name, key.mark, sink);
        }
        let Some(mut inside) = Fields::of(node, &format!("`{}`", key.name), sink) else {
            continue;
        };
        let length =
            parse::positive_span(&mut inside, "for", "how long, for example `for: 10m`", sink);
        inside.finish(|_| None, sink);
        found.extend(severity.zip(length).map(|(severity, length)| (severity, length, key.mark)));
    }
    if fields.entries().is_empty() {
        sink.report_with(node.mark, "`severity` has no steps", HINT);
    }
    found.sort_by_key(|(severity, ..)| *severity);
    for pair in found.windows(2) {
        let ((mild, short, _), (severe, long, at)) = (pair[0], pair[1]);
        if long <= short {
            sink.report_with(
                at,
                format!("`{severe}` ({long}) must take longer than `{mild}` ({short})"),
                "swap them, or remove one step",
            );
        }
    }
    let lengths = found.into_iter().map(|(severity, length, _)| (severity, length));
    (sink.problems.len() == before).then(|| lengths.collect())
}

/// Reads `severity: high`.
pub(crate) fn plain_severity(node: &Node, sink: &mut Sink) -> Option<Severity> {
    let name = fields::text(node, "severity", sink)?;
    let severity = fields::severity(name);
    if severity.is_none() {
        report_severity(name, node.mark, sink);
    }
    severity
}

fn report_severity(name: &str, at: Mark, sink: &mut Sink) {
    let known = Severity::ALL.map(Severity::name);
    sink.push(at, format!("unknown severity `{name}`"), suggestion(name, &known));
}

/// How a limit is read: [`stand_in`], or a plain number where devices have none of their own.
pub(crate) type ReadLimit = fn(&mut Fields<'_>, &'static str, &mut Sink) -> Option<f64>;

/// Reads the limits of one severity.
pub(crate) fn read_step(
    limits: &mut Fields<'_>,
    severity: Severity,
    number: ReadLimit,
    sink: &mut Sink,
) -> Option<(Direction, Step)> {
    let before = sink.problems.len();
    let above = number(limits, "above", sink);
    let below = number(limits, "below", sink);
    let clear_below = number(limits, "clear_below", sink);
    let clear_above = number(limits, "clear_above", sink);
    let hold = limits.span("for", sink);
    if sink.problems.len() > before {
        return None;
    }
    let at = limits.node.mark;
    let (direction, raise, clear, wrong) = match (above, below) {
        (Some(raise), None) => (Direction::Above, raise, clear_below, clear_above),
        (None, Some(raise)) => (Direction::Below, raise, clear_above, clear_below),
        (Some(_), Some(_)) => {
            sink.report_with(at, "`above` and `below` exclude each other", "make two rules of it");
            return None;
        }
        (None, None) => {
            sink.report_with(
                at,
                format!("severity `{severity}` has no limit"),
                "write `{above: 115, clear_below: 100}` or `{below: 5, clear_above: 8}`",
            );
            return None;
        }
    };
    if wrong.is_some() {
        let (given, fitting) = match direction {
            Direction::Above => ("clear_above", "clear_below"),
            Direction::Below => ("clear_below", "clear_above"),
        };
        sink.report_with(
            at,
            format!("`{given}` is on the wrong side of the limit"),
            format!("here the way back is `{fitting}`"),
        );
        return None;
    }
    Some((direction, Step { severity, raise, clear, hold }))
}

fn read_limit(node: &Node, what: &str, sink: &mut Sink) -> Option<(Direction, f64)> {
    let mut fields = Fields::of(node, &format!("`{what}`"), sink)?;
    let above = stand_in(&mut fields, "above", sink);
    let below = stand_in(&mut fields, "below", sink);
    let limit = match (above, below) {
        (Some(limit), None) => Some((Direction::Above, limit)),
        (None, Some(limit)) => Some((Direction::Below, limit)),
        _ => {
            sink.report_with(
                node.mark,
                format!("`{what}` needs one of `above` and `below`"),
                format!("write `{what}: {{above: 115}}` or `{what}: {{below: 5}}`"),
            );
            None
        }
    };
    fields.finish(|_| None, sink);
    limit
}

fn read_clear(node: &Node, direction: Direction, sink: &mut Sink) -> Option<f64> {
    let (side, limit) = read_limit(node, "clear", sink)?;
    if side == direction {
        let fitting = if direction == Direction::Above { "below" } else { "above" };
        sink.report_with(
            node.mark,
            "`clear` is on the wrong side of the limit",
            format!("here the way back is `clear: {{{fitting}: …}}`"),
        );
        return None;
    }
    Some(limit)
}

/// Whether the clear limit lies on the good side of the raise limit.
fn check_gap(step: &Step, direction: Direction, at: Mark, sink: &mut Sink) -> bool {
    let Some(clear) = step.clear else { return true };
    let side = match direction {
        Direction::Above => "above",
        Direction::Below => "below",
    };
    let fine = !has_bad_gap(step, direction);
    if !fine {
        sink.report_with(
            at,
            format!(
                "the clear limit {clear} is {side} the limit {} of `{}`: it would clear while it raises",
                step.raise, step.severity
            ),
            format!("give a clear limit of {} or on its good side", step.raise),
        );
    }
    fine
}

/// Whether a step would clear while it raises. Limits that are not known yet are fine.
fn has_bad_gap(step: &Step, direction: Direction) -> bool {
    step.clear.is_some_and(|clear| match direction {
        Direction::Above => clear > step.raise,
        Direction::Below => clear < step.raise,
    })
}

/// Whether a severer step has a milder limit, and whether it would clear later.
fn misorder(direction: Direction, mild: &Step, severe: &Step) -> (bool, bool) {
    let sign = if direction == Direction::Above { 1.0 } else { -1.0 };
    let later = severe.hold.is_some_and(|hold| mild.hold.is_none_or(|mild| hold > mild));
    let (severe_limit, mild_limit) = (sign * severe.raise, sign * mild.raise);
    let clear = |step: &Step| sign * step.clear.unwrap_or(step.raise);
    (
        severe_limit < mild_limit || (!later && severe_limit <= mild_limit),
        clear(severe) < clear(mild),
    )
}

/// Whether the limits of a ladder get worse with the severity and its clear limits lie on their
/// good sides.
pub(crate) fn is_ordered(ladder: &Ladder) -> bool {
    let direction = ladder.direction;
    ladder.steps.iter().all(|step| !has_bad_gap(step, direction))
        && ladder
            .steps
            .windows(2)
            .all(|pair| misorder(direction, &pair[0], &pair[1]) == (false, false))
}

fn check_order(steps: &[(Direction, Step, Mark)], sink: &mut Sink) {
    for pair in steps.windows(2) {
        let (direction, mild, _) = &pair[0];
        let (other, severe, at) = &pair[1];
        if direction != other {
            sink.report_with(
                *at,
                format!(
                    "`{}` and `{}` point in different directions",
                    mild.severity, severe.severity
                ),
                "use `above` in all steps or `below` in all steps",
            );
            continue;
        }
        let (milder, clears_later) = misorder(*direction, mild, severe);
        if milder {
            sink.report_with(
                *at,
                format!(
                    "the limit of `{}` ({}) must be worse than that of `{}` ({})",
                    severe.severity, severe.raise, mild.severity, mild.raise
                ),
                "swap them, remove one step, or give the worse one a longer `for`",
            );
        }
        if clears_later {
            sink.report_with(
                *at,
                format!(
                    "`{}` would clear later than `{}`: its clear limit is on the good side of the other's",
                    severe.severity, mild.severity
                ),
                "the clear limits must get worse with the severity, too",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_the_limits_neither_raise_nor_clear() {
        let high = Step { severity: Severity::High, raise: 115.0, clear: Some(100.0), hold: None };
        let ladder = Ladder { direction: Direction::Above, steps: vec![high], reaching: false };
        let bit = 1 << Severity::High as u8;
        for (value, raised, cleared) in
            [(116.0, bit, 0), (115.0, 0, 0), (100.0, 0, 0), (99.9, 0, bit)]
        {
            let verdict = ladder.judge(value);
            assert_eq!((verdict.raised, verdict.cleared & bit), (raised, cleared), "{value}");
        }
    }

    #[test]
    fn low_limits_mirror_high_ones() {
        let low = Step { severity: Severity::Low, raise: 5.0, clear: None, hold: None };
        let ladder = Ladder { direction: Direction::Below, steps: vec![low], reaching: false };
        assert_eq!(ladder.judge(4.9).raised, 1);
        assert_eq!(ladder.judge(5.0), Verdict::CLEAR);
    }
}
