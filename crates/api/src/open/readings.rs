//! Readings of a dataset, page by page.

use std::ops::ControlFlow;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use city_model::{Metric, Span, Timestamp, Value};
use city_store::{Cancel, TimeRange};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cache::CACHE_CONTROL;
use super::csv::{self, Line};
use super::tables::{quality_name, value_cell};
use super::view::{PublicDataset, PublicDevice, PublicView};
use crate::cursor;
use crate::parameters::{FromPairs, Pairs, Step, bad, short, time_range};
use crate::problem::{Answer, Problem, codes};
use crate::schema;
use crate::select::has;

/// Rows of a page, at most.
pub(super) const MAX_ROWS: usize = 10_000;
/// What is given without `from`.
const DEFAULT_RANGE: Span = Span::from_hours(24);
/// The longest range of a request; more is read in several.
const MAX_RANGE: Span = Span::from_hours(24 * 31);

/// Which readings.
#[derive(Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OpenReadingsQuery {
    /// The first instant, RFC 3339; a day before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given. At most 31 days after `from`.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only these metrics, separated by commas.
    #[param(value_type = Option<String>)]
    metric: Option<Vec<String>>,
    /// Only these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// The width of steps: seconds, `15m`, `1h`; every reading unless given.
    #[param(value_type = Option<String>)]
    step: Option<Step>,
    /// Where to go on, from `next_cursor` or the `Link` header.
    #[param(value_type = Option<String>)]
    cursor: Option<Place>,
    /// How many rows at most, 1 to 10,000; 10,000 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10000)]
    limit: usize,
}

/// The last row of a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    device: String,
    metric: String,
    /// The event time or the beginning of the step, in microseconds.
    after: i64,
    /// The range of the first page, which must not wander with the clock.
    range: (i64, i64),
}

impl FromPairs for OpenReadingsQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let limit = pairs.parse("limit", "1000")?.unwrap_or(MAX_ROWS);
        if !(1..=MAX_ROWS).contains(&limit) {
            let why = format!("it must be 1 to {MAX_ROWS}");
            return Err(bad("limit", &limit.to_string(), &why, "1000"));
        }
        let (metric, device) = (pairs.list("metric"), pairs.list("device"));
        Ok(Self { from, to, metric, device, step: pairs.step()?, cursor: pairs.cursor()?, limit })
    }
}

impl OpenReadingsQuery {
    /// All readings of a range.
    pub(super) fn all_of(range: TimeRange) -> Self {
        Self {
            from: Some(range.from),
            to: Some(range.to),
            metric: None,
            device: None,
            step: None,
            cursor: None,
            limit: MAX_ROWS,
        }
    }

    /// The page behind this one.
    pub(super) fn go_on(&mut self, next_cursor: Option<&str>) -> Answer<()> {
        self.cursor = next_cursor.map(cursor::decode).transpose()?;
        Ok(())
    }

    /// Whether steps are asked for, and not readings.
    pub(super) fn has_steps(&self) -> bool {
        matches!(self.step, Some(Step::Every(_)))
    }
}

/// A page of readings, by device, metric and event time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenReadingPage {
    pub(super) items: Vec<OpenReading>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    pub(super) next_cursor: Option<String>,
}

/// A reading, or with `step` a step in short, whose `value` is the mean of what counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenReading {
    device: String,
    metric: String,
    /// Event time, or the beginning of the step.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    #[schema(value_type = Option<schema::ReadingValue>)]
    value: Option<Value>,
    /// UCUM code.
    unit: String,
    /// The flag of a reading; `null` for steps.
    #[schema(value_type = Option<schema::Quality>)]
    quality: Option<&'static str>,
    simulated: bool,
    /// Of a step: how many readings count; those that failed or are missing do not.
    count: Option<u64>,
    /// Of a step: the lowest value.
    min: Option<f64>,
    /// Of a step: the highest value.
    max: Option<f64>,
    /// Of a step: how many readings are suspect, failed or missing.
    flagged: Option<u64>,
}

/// The page that a query asks for. Blocks.
pub(super) fn page(
    view: &PublicView,
    id: &str,
    query: &OpenReadingsQuery,
    cancel: &Cancel,
) -> Answer<OpenReadingPage> {
    let dataset = view.dataset(id)?;
    let range = wanted_range(&dataset, query)?;
    let (devices, metrics) = chosen(&dataset, query)?;
    let mut rows = Rows { dataset: &dataset, items: Vec::new(), limit: query.limit, range };
    let start = query.cursor.as_ref();
    let mut reached = start.is_none();
    for device in &devices {
        for metric in &metrics {
            let is_start =
                start.is_some_and(|at| *at.device == *device.id && *at.metric == *metric.id);
            reached |= is_start;
            if !reached {
                continue;
            }
            let after = start.filter(|_| is_start).map(|at| at.after);
            let more = match query.step {
                Some(Step::Every(step)) => rows.add_steps(device, metric, (step, after), cancel)?,
                _ => rows.add_readings(device, metric, after)?,
            };
            if more {
                let next_cursor = rows.place().map(|place| cursor::encode(&place));
                return Ok(OpenReadingPage { items: rows.items, next_cursor });
            }
        }
    }
    if !reached {
        return Err(Problem::new(
            codes::BAD_CURSOR,
            "The series of the cursor is not public here.",
        )
        .hint("Start over without `cursor`."));
    }
    Ok(OpenReadingPage { items: rows.items, next_cursor: None })
}

/// What of the range is public; the range of the first page counts.
fn wanted_range(dataset: &PublicDataset, query: &OpenReadingsQuery) -> Answer<TimeRange> {
    let range = match &query.cursor {
        Some(Place { range: (from, to), .. }) => {
            TimeRange { from: Timestamp::from_micros(*from), to: Timestamp::from_micros(*to) }
        }
        None => time_range((query.from, query.to), dataset.view().now(), DEFAULT_RANGE)?,
    };
    if range.to.since(range.from) > MAX_RANGE {
        return Err(Problem::new(codes::BAD_RANGE, "The range is longer than 31 days.").hint(
            "Ask for a month at a time, or fetch the file of each day: readings/YYYY-MM-DD.csv.",
        ));
    }
    if dataset.history().is_none() {
        return Err(no_history());
    }
    if let Some(Step::Every(step)) = query.step {
        let steps = range.to.since(range.from).micros() / step.micros();
        if steps > MAX_ROWS as i64 {
            let detail = format!("The step makes {steps} steps; {MAX_ROWS} are allowed.");
            return Err(Problem::new(codes::TOO_MANY_STEPS, detail)
                .hint("Ask for a longer step or a shorter range."));
        }
    }
    Ok(range)
}

pub(super) fn no_history() -> Problem {
    Problem::new(codes::NOT_FOUND, "Of this dataset only the newest readings are public.")
        .hint("Get latest.csv or latest.json.")
}

fn chosen(
    dataset: &PublicDataset,
    query: &OpenReadingsQuery,
) -> Answer<(Vec<PublicDevice>, Vec<Metric>)> {
    for id in query.device.iter().flatten() {
        if dataset.device(id).is_none() {
            let detail = format!("The dataset has no device `{}`.", short(id));
            return Err(
                Problem::new(codes::UNKNOWN_DEVICE, detail).hint("devices.json lists its devices.")
            );
        }
    }
    for id in query.metric.iter().flatten() {
        if !dataset.metrics().iter().any(|metric| *metric.id == **id) {
            let detail = format!("The dataset has no metric `{}`.", short(id));
            return Err(Problem::new(codes::UNKNOWN_METRIC, detail)
                .hint("The dataset's description lists its metrics."));
        }
    }
    // In the order of the dataset, which is that of pages.
    let mut devices = dataset.devices();
    devices.retain(|device| has(query.device.as_ref(), &device.id));
    let mut metrics = dataset.metrics().to_vec();
    metrics.retain(|metric| has(query.metric.as_ref(), &metric.id));
    Ok((devices, metrics))
}

/// A page under way.
struct Rows<'a> {
    dataset: &'a PublicDataset,
    items: Vec<OpenReading>,
    limit: usize,
    range: TimeRange,
}

impl Rows<'_> {
    /// Where the page ends.
    fn place(&self) -> Option<Place> {
        let last = self.items.last()?;
        Some(Place {
            device: last.device.clone(),
            metric: last.metric.clone(),
            after: last.time.micros(),
            range: (self.range.from.micros(), self.range.to.micros()),
        })
    }

    /// The range behind the last row of the page before.
    fn rest(&self, after: Option<i64>) -> TimeRange {
        let from = after.map(|micros| Timestamp::from_micros(micros.saturating_add(1)));
        TimeRange { from: from.unwrap_or(self.range.from).max(self.range.from), ..self.range }
    }

    /// Adds readings of a series; says whether there are more than fit.
    fn add_readings(
        &mut self,
        device: &PublicDevice,
        metric: &Metric,
        after: Option<i64>,
    ) -> Answer<bool> {
        let Some(series) = self.dataset.series(device, metric) else { return Ok(false) };
        let (dataset, range) = (self.dataset, self.rest(after));
        if range.from >= range.to {
            return Ok(false);
        }
        let simulated = dataset.is_simulated(device, series);
        let mut more = false;
        dataset.scan(series, range, &mut |points| {
            for point in points {
                if self.items.len() == self.limit {
                    more = true;
                    return ControlFlow::Break(());
                }
                self.items.push(OpenReading {
                    quality: Some(quality_name(point.quality)),
                    ..row(device, metric, point.time, Some(point.value.clone()), simulated)
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok(more)
    }

    /// Adds steps of a series; says whether there are more than fit.
    fn add_steps(
        &mut self,
        device: &PublicDevice,
        metric: &Metric,
        (step, after): (Span, Option<i64>),
        cancel: &Cancel,
    ) -> Answer<bool> {
        let Some(series) = self.dataset.series(device, metric) else { return Ok(false) };
        let simulated = self.dataset.is_simulated(device, series);
        // Whole steps, so that the first one after a page is not counted from its middle.
        for bucket in self.dataset.buckets(series, self.range, step, cancel)? {
            if after.is_some_and(|after| bucket.start.micros() <= after) {
                continue;
            }
            if self.items.len() == self.limit {
                return Ok(true);
            }
            let counts = bucket.count > 0;
            let mean = counts.then(|| Value::Number(bucket.sum / bucket.count as f64));
            self.items.push(OpenReading {
                count: Some(bucket.count),
                min: counts.then_some(bucket.min),
                max: counts.then_some(bucket.max),
                flagged: Some(bucket.flagged),
                ..row(device, metric, bucket.start, mean, simulated)
            });
        }
        Ok(false)
    }
}

fn row(
    device: &PublicDevice,
    metric: &Metric,
    time: Timestamp,
    value: Option<Value>,
    simulated: bool,
) -> OpenReading {
    OpenReading {
        device: device.id.to_string(),
        metric: metric.id.to_string(),
        time,
        value,
        unit: metric.unit.to_string(),
        quality: None,
        simulated,
        count: None,
        min: None,
        max: None,
        flagged: None,
    }
}

/// A page as lines of cells; the address of the next page is in the header `Link` (RFC 8288).
pub(super) fn csv_page(page: &OpenReadingPage, steps: bool, next: Option<String>) -> Response {
    let mut out = String::new();
    head(&mut out, steps);
    lines(&mut out, page, steps);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(csv::TYPE)),
        (header::CACHE_CONTROL, CACHE_CONTROL),
    ];
    let mut response = (headers, out).into_response();
    let link = next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

pub(super) fn head(out: &mut String, steps: bool) {
    let line = Line::new(out).text("device").text("metric").text("time").text("value").text("unit");
    let line = if steps {
        line.text("count").text("min").text("max").text("flagged")
    } else {
        line.text("quality")
    };
    line.text("simulated").end();
}

pub(super) fn lines(out: &mut String, page: &OpenReadingPage, steps: bool) {
    for item in &page.items {
        let line = Line::new(out).text(&item.device).text(&item.metric).plain(Some(item.time));
        let line = match &item.value {
            Some(value) => value_cell(line, value),
            None => line.plain(None::<f64>),
        };
        let line = line.text(&item.unit);
        let line = if steps {
            line.plain(item.count).plain(item.min).plain(item.max).plain(item.flagged)
        } else {
            line.plain(item.quality)
        };
        line.plain(Some(item.simulated)).end();
    }
}
