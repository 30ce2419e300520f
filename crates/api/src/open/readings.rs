//! Readings of a dataset: page by page, or a day as one file that is written while it is read.

use std::ops::ControlFlow;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use city_model::{Metric, Span, Timestamp, Value};
use city_store::{Cancel, TimeRange};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
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

/// Rows of a page, at most.
const MAX_ROWS: usize = 10_000;
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
    /// Only this metric.
    metric: Option<String>,
    /// Only this device.
    device: Option<String>,
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
        let (metric, device) = (pairs.text("metric"), pairs.text("device"));
        Ok(Self { from, to, metric, device, step: pairs.step()?, cursor: pairs.cursor()?, limit })
    }
}

impl OpenReadingsQuery {
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

fn no_history() -> Problem {
    Problem::new(codes::NOT_FOUND, "Of this dataset only the newest readings are public.")
        .hint("Get latest.csv or latest.json.")
}

fn chosen(
    dataset: &PublicDataset,
    query: &OpenReadingsQuery,
) -> Answer<(Vec<PublicDevice>, Vec<Metric>)> {
    let devices = match &query.device {
        None => dataset.devices(),
        Some(id) => vec![dataset.device(id).ok_or_else(|| {
            let detail = format!("The dataset has no device `{}`.", short(id));
            Problem::new(codes::UNKNOWN_DEVICE, detail).hint("devices.json lists its devices.")
        })?],
    };
    let metrics = dataset.metrics();
    let metrics = match &query.metric {
        None => metrics.to_vec(),
        Some(id) => {
            let found = metrics.iter().find(|metric| *metric.id == **id).cloned();
            vec![found.ok_or_else(|| {
                let detail = format!("The dataset has no metric `{}`.", short(id));
                Problem::new(codes::UNKNOWN_METRIC, detail)
                    .hint("The dataset's description lists its metrics.")
            })?]
        }
    };
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

fn head(out: &mut String, steps: bool) {
    let line = Line::new(out).text("device").text("metric").text("time").text("value").text("unit");
    let line = if steps {
        line.text("count").text("min").text("max").text("flagged")
    } else {
        line.text("quality")
    };
    line.text("simulated").end();
}

fn lines(out: &mut String, page: &OpenReadingPage, steps: bool) {
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

/// The day that a file is named after, by UTC.
pub(super) fn day_of(file: &str) -> Answer<TimeRange> {
    let day = file.strip_suffix(".csv").and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let range = day.and_then(|day| {
        let from =
            day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond();
        let from = Timestamp::from_micros(from);
        Some(TimeRange { from, to: from + Span::from_hours(24) })
    });
    range.ok_or_else(|| {
        let detail = format!("`{}` is no file of a day.", short(file));
        Problem::new(codes::NOT_FOUND, detail).hint("Write it like readings/2026-11-28.csv.")
    })
}

/// All readings of a day as lines of cells, read page by page as the client takes them, so that
/// a slow one holds no thread and no turn, and what is withdrawn meanwhile is not sent.
pub(super) async fn day_file(view: PublicView, id: String, file: String) -> Answer<Response> {
    let day = day_of(&file)?;
    let (of, name) = (id.clone(), file.trim_end_matches(".csv").to_owned());
    let dataset = view.short(move |view| view.dataset(&of)).await?;
    if dataset.history().is_none() {
        return Err(no_history());
    }
    if dataset.clip(day).is_none() {
        let detail = format!("Readings of {name} are not public.");
        return Err(Problem::new(codes::NOT_FOUND, detail)
            .hint("The dataset's description says of which time they are."));
    }
    let disposition = format!("attachment; filename=\"{id}-{name}.csv\"");
    let query = OpenReadingsQuery {
        from: Some(day.from),
        to: Some(day.to),
        metric: None,
        device: None,
        step: None,
        cursor: None,
        limit: MAX_ROWS,
    };
    let file = DayFile { view, id, query, begun: false };
    let body = unfold(Some(file), async |file| {
        let mut file = file?;
        match file.next().await {
            Ok((piece, more)) => Some((Ok(piece), more.then_some(file))),
            Err(problem) => {
                tracing::warn!(error.cause = ?problem, "a file of a day was cut off");
                // Whoever reads must not take what is there for the whole day.
                Some((Err(Cut), None))
            }
        }
    });
    // Whoever sends it may ask once more after the end.
    let body = body.fuse();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(csv::TYPE)),
        (header::CACHE_CONTROL, CACHE_CONTROL),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(disposition)
                .unwrap_or(HeaderValue::from_static("attachment; filename=\"day.csv\"")),
        ),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The file ends before its end.
#[derive(Debug, thiserror::Error)]
#[error("the readings could not be read to the end")]
struct Cut;

/// A file under way.
struct DayFile {
    view: PublicView,
    id: String,
    query: OpenReadingsQuery,
    begun: bool,
}

impl DayFile {
    /// The next lines, and whether there are more.
    async fn next(&mut self) -> Answer<(Bytes, bool)> {
        let (id, query) = (self.id.clone(), self.query.clone());
        let work = move |view: &PublicView, cancel: &Cancel| page(view, &id, &query, cancel);
        let page = self.view.renewed().history(work).await?;
        let mut out = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            head(&mut out, false);
        }
        lines(&mut out, &page, false);
        let more = page.next_cursor.is_some();
        self.query.cursor = page.next_cursor.as_deref().map(cursor::decode).transpose()?;
        Ok((out.into(), more))
    }
}
