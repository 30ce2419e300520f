//! Readings as Observations: what a filter says of their time and of their series is asked of the
//! store, and what would look at too many of them is refused.

use std::ops::ControlFlow;

use city_model::{Span, Timestamp};
use city_sta::{Expr, Operator, Options, Value};
use city_store::{Point, TimeRange};

use super::item::{Item, Series};
use super::pages::{Page, cut, foreign_token, is_wanted, sort, top};
use super::world::World;
use crate::cursor;
use crate::problem::{Answer, Problem, codes};

/// Readings that are put in order, at most.
const MAX_SORTED: usize = 200_000;
/// The first step back from the newest reading; each further one is four times as long.
const FIRST_STEP: Span = Span::from_hours(1);
/// How far back steps go before everything that is left is looked at.
const LAST_STEP: Span = Span::from_hours(24 * 366 * 100);

/// Readings as they are asked for.
struct Wanted<'a> {
    world: &'a World,
    range: TimeRange,
    /// What must hold for each.
    rows: Vec<&'a Expr>,
    /// The range of the first series, where an earlier page ended in it.
    first: Option<TimeRange>,
}

/// In which order readings are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By series, then by time: as they are stored.
    Forth,
    /// The newest of one series first.
    Back,
    /// Any other.
    Sorted,
}

/// The page of readings of these series that is asked for.
pub(super) fn observations(
    world: &World,
    mut series: Vec<Series>,
    options: &Options,
) -> Answer<Page> {
    let conjuncts = options.filter.as_ref().map(Expr::conjuncts).unwrap_or_default();
    let (of_series, mut rows): (Vec<_>, Vec<_>) =
        conjuncts.into_iter().partition(|expr| is_about_series(expr));
    series.retain(|series| {
        // No reading is looked at by what is said of the series.
        let (time, quality) = (Timestamp::default(), city_model::Quality::default());
        let blank = Point { time, value: 0.0.into(), quality };
        let item = Item::Observation(series.clone(), blank);
        of_series.iter().all(|expr| is_wanted(world, &item, Some(expr)))
    });
    let mut range = TimeRange::ALL;
    rows.retain(|expr| !narrow(&mut range, expr));
    let way = match &options.order_by[..] {
        [] => Way::Forth,
        [by] if is_time(&by.by) && series.len() <= 1 => {
            if by.descending {
                Way::Back
            } else {
                Way::Forth
            }
        }
        _ => Way::Sorted,
    };
    let mut wanted = Wanted { world, range, rows, first: None };
    let count = if options.count { Some(wanted.count(&series)?) } else { None };
    let top = top(options);
    if top == 0 {
        return Ok(Page { items: Vec::new(), count, next: None });
    }
    if way == Way::Sorted {
        if options.skip_token.is_some() {
            return Err(foreign_token());
        }
        let mut items = wanted.take(&series, MAX_SORTED + 1)?;
        if items.len() > MAX_SORTED {
            let detail = format!("More than {MAX_SORTED} readings would have to be put in order.");
            return Err(Problem::new(codes::QUERY_TOO_LARGE, detail).hint(
                "Narrow them down by phenomenonTime, or order those of one Datastream by it.",
            ));
        }
        sort(world, &mut items, &options.order_by);
        return Ok(Page { count, ..cut(items, options) });
    }
    let mut skip = options.skip;
    if let Some(token) = &options.skip_token {
        let (device, metric, micros): (String, String, i64) = cursor::decode(token)?;
        let is_there = |series: &Series| {
            let id = world.metric(series.metric).map(|metric| &*metric.id);
            *series.device.id == *device && id == Some(metric.as_str())
        };
        let begin = series.iter().position(is_there).ok_or_else(foreign_token)?;
        series.drain(..begin);
        let at = Timestamp::from_micros(micros);
        wanted.first = Some(match way {
            Way::Back => TimeRange { from: range.from, to: range.to.min(at) },
            _ => TimeRange { from: range.from.max(at + Span::from_micros(1)), to: range.to },
        });
        skip = 0;
    }
    let limit = skip.saturating_add(top).saturating_add(1);
    let mut items = match (way, series.first()) {
        (Way::Back, Some(series)) => wanted.take_back(series, limit)?,
        _ => wanted.take(&series, limit)?,
    };
    let more = items.len() == limit;
    items.truncate(limit - 1);
    let next = items.last().filter(|_| more).and_then(|item| place(world, item));
    items.drain(..skip.min(items.len()));
    Ok(Page { items, count, next: next.map(|next| ("$skiptoken", next)) })
}

/// Where the next page begins: behind this reading.
fn place(world: &World, item: &Item) -> Option<String> {
    let Item::Observation(series, point) = item else { return None };
    let metric = world.metric(series.metric)?.id.to_string();
    Some(cursor::encode(&(series.device.id.to_string(), metric, point.time.micros())))
}

impl Wanted<'_> {
    /// Looks at the readings of a series in a range until `each` has enough.
    fn look(
        &self,
        series: &Series,
        range: TimeRange,
        each: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Answer<()> {
        self.world.spend_series()?;
        if range.from >= range.to {
            return Ok(());
        }
        let mut failed = Ok(());
        self.world.app.store.scan(series.key(), range, &mut |points| {
            failed = self.world.spend(points.len());
            if failed.is_err() {
                return ControlFlow::Break(());
            }
            for point in points {
                let item = Item::Observation(series.clone(), point.clone());
                let meant = self.rows.iter().all(|expr| is_wanted(self.world, &item, Some(expr)));
                if meant {
                    each(item)?;
                }
            }
            ControlFlow::Continue(())
        })?;
        failed
    }

    fn range_of(&self, nth: usize) -> TimeRange {
        self.first.filter(|_| nth == 0).unwrap_or(self.range)
    }

    /// How many there are, wherever a page begins.
    fn count(&self, all: &[Series]) -> Answer<usize> {
        let mut count = 0;
        for series in all {
            self.look(series, self.range, &mut |_| {
                count += 1;
                ControlFlow::Continue(())
            })?;
        }
        Ok(count)
    }

    /// The first ones, by series and time.
    fn take(&self, all: &[Series], limit: usize) -> Answer<Vec<Item>> {
        let mut items = Vec::new();
        for (nth, series) in all.iter().enumerate() {
            if items.len() >= limit {
                break;
            }
            self.look(series, self.range_of(nth), &mut |item| {
                items.push(item);
                if items.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(items)
    }

    /// The newest ones of a series, the newest first: in steps back that grow, because the store
    /// reads forth.
    fn take_back(&self, series: &Series, limit: usize) -> Answer<Vec<Item>> {
        let range = self.range_of(0);
        let Some(newest) = self.world.last(series.key()) else { return Ok(Vec::new()) };
        // One whose time cannot be trusted may be newer.
        let ahead = self.world.now + Span::from_hours(24 * 366);
        let mut to = range.to.min(newest.time.max(ahead) + Span::from_micros(1));
        let mut step = FIRST_STEP;
        let mut begin = newest.time.min(to);
        let mut items = Vec::new();
        while to > range.from {
            let all = step > LAST_STEP;
            let from = if all { range.from } else { range.from.max(begin - step) };
            let mut part = Vec::new();
            self.look(series, TimeRange { from, to }, &mut |item| {
                part.push(item);
                ControlFlow::Continue(())
            })?;
            items.extend(part.into_iter().rev());
            if items.len() >= limit {
                items.truncate(limit);
                break;
            }
            (to, begin) = (from, from);
            step = Span::from_micros(step.micros().saturating_mul(4));
            if all {
                break;
            }
        }
        Ok(items)
    }
}

/// Whether an expression asks only of which series a reading is.
fn is_about_series(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) => true,
        Expr::Path(path) => {
            path.first().is_some_and(|step| step == "Datastream" || step == "FeatureOfInterest")
        }
        Expr::Not(inner) | Expr::Negative(inner) => is_about_series(inner),
        Expr::Binary(_, left, right) => is_about_series(left) && is_about_series(right),
        Expr::In(inner, list) => is_about_series(inner) && list.iter().all(is_about_series),
        Expr::Call(_, arguments) => arguments.iter().all(is_about_series),
    }
}

/// Whether an expression is the time of a reading.
fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path)
        if matches!(&path[..], [step] if step == "phenomenonTime" || step == "resultTime"))
}

/// Takes what an expression says of the time into the range; `false` if it says something else.
fn narrow(range: &mut TimeRange, expr: &Expr) -> bool {
    let Expr::Binary(operator, left, right) = expr else { return false };
    let (operator, time) = match (&**left, &**right) {
        (path, Expr::Literal(Value::Time(time))) if is_time(path) => (*operator, *time),
        (Expr::Literal(Value::Time(time)), path) if is_time(path) => {
            let turned = match operator {
                Operator::Gt => Operator::Lt,
                Operator::Ge => Operator::Le,
                Operator::Lt => Operator::Gt,
                Operator::Le => Operator::Ge,
                other => *other,
            };
            (turned, *time)
        }
        _ => return false,
    };
    let after = time + Span::from_micros(1);
    match operator {
        Operator::Gt => range.from = range.from.max(after),
        Operator::Ge => range.from = range.from.max(time),
        Operator::Lt => range.to = range.to.min(time),
        Operator::Le => range.to = range.to.min(after),
        Operator::Eq => {
            range.from = range.from.max(time);
            range.to = range.to.min(after);
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use city_sta::EntityType;

    use super::*;

    fn narrowed(filter: &str) -> (TimeRange, usize) {
        let options = Options::parse(EntityType::Observation, &[("$filter", filter)]);
        let filter = options.expect("good").filter.expect("given");
        let mut range = TimeRange::ALL;
        let rest = filter.conjuncts().into_iter().filter(|expr| !narrow(&mut range, expr)).count();
        (range, rest)
    }

    #[test]
    fn what_is_said_of_the_time_is_asked_of_the_store() {
        let at = |secs: i64| Timestamp::from_secs(secs);
        let (range, rest) = narrowed(
            "phenomenonTime ge 1970-01-01T00:00:10Z and result gt 5 and 1970-01-01T00:00:20Z gt resultTime",
        );
        assert_eq!((range.from, range.to, rest), (at(10), at(20), 1));
        let (range, rest) = narrowed("phenomenonTime eq 1970-01-01T00:00:10Z");
        assert_eq!((range.from, range.to, rest), (at(10), at(10) + Span::from_micros(1), 0));
        let (range, rest) = narrowed("phenomenonTime gt 1970-01-01T00:00:10Z or result gt 5");
        assert_eq!((range, rest), (TimeRange::ALL, 1));
        let (range, rest) = narrowed("not (phenomenonTime gt 1970-01-01T00:00:10Z)");
        assert_eq!((range, rest), (TimeRange::ALL, 1));
        let (range, rest) = narrowed("phenomenonTime ne 1970-01-01T00:00:10Z");
        assert_eq!((range, rest), (TimeRange::ALL, 1));
    }
}
