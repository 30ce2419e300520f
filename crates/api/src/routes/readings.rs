//! `/readings`: the history of one series, raw or in steps.

use axum::Json;
use axum::extract::State;
use city_model::{Device, Metric, SeriesKey, Span, Timestamp, Value};
use city_store::{Bucket, Cancel, Point, Store, TimeRange};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::parameters::{FromPairs, Pairs, Parameters, Step, time_range};
use crate::problem::{Answer, Problem, codes};
use crate::schema;
use crate::select;

/// The most raw readings in one answer.
pub(crate) const MAX_RAW: usize = 5_000;
/// The most steps in one answer.
const MAX_STEPS: i64 = 20_000;
/// The most steps in one answer whose step nobody chose: enough for a wide chart.
const AUTO_STEPS: i64 = 1_500;
/// What is given without `from`.
pub(super) const DEFAULT_RANGE: Span = Span::from_hours(6);
/// Steps that are chosen by themselves, in seconds.
const LADDER: [i64; 14] =
    [1, 5, 10, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800];

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The history of a series. Either `raw` or `buckets` is there.
#[derive(Serialize, ToSchema)]
pub(super) struct Readings {
    device: String,
    metric: String,
    /// UCUM code.
    unit: String,
    /// The unit as people write it.
    symbol: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// The width of the buckets in seconds; `null` if raw.
    step_s: Option<i64>,
    raw: Option<RawReadings>,
    buckets: Option<Buckets>,
    /// Whether there are more raw readings than are given.
    truncated: bool,
}

impl Readings {
    /// How many readings or steps there are.
    pub(super) fn len(&self) -> usize {
        let raw = self.raw.as_ref().map_or(0, |raw| raw.time.len());
        raw + self.buckets.as_ref().map_or(0, |buckets| buckets.start.len())
    }
}

/// Readings in columns, by event time.
#[derive(Serialize, ToSchema)]
struct RawReadings {
    /// Event times in milliseconds since 1970.
    time: Vec<i64>,
    #[schema(value_type = Vec<schema::ReadingValue>)]
    value: Vec<Value>,
    /// QARTOD codes: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing.
    quality: Vec<u8>,
}

/// Steps in columns; those without readings are left out. Readings that failed or are missing
/// count only in `flagged`; a step that holds nothing else has `null` for its statistics.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Buckets {
    /// The first instants in milliseconds since 1970: multiples of the step.
    pub(super) start: Vec<i64>,
    pub(super) count: Vec<u64>,
    pub(super) min: Vec<Option<f64>>,
    pub(super) mean: Vec<Option<f64>>,
    pub(super) max: Vec<Option<f64>>,
    pub(super) sum: Vec<Option<f64>>,
    /// The newest value of each step.
    pub(super) last: Vec<Option<f64>>,
    /// How many readings are suspect, failed or missing.
    pub(super) flagged: Vec<u64>,
}

/// Which readings.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ReadingsQuery {
    /// The device's id.
    device: String,
    /// The metric's id.
    metric: String,
    /// The first instant, RFC 3339; six hours before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// The width of the steps: seconds, `1m`, `15m`, `1h`, or `raw`. Without it every reading if
    /// there are at most 5,000, else steps that fit a chart.
    #[param(value_type = Option<String>)]
    step: Option<Step>,
}

impl FromPairs for ReadingsQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        Ok(Self {
            device: pairs.required("device")?,
            metric: pairs.required("metric")?,
            from,
            to,
            step: pairs.step()?,
        })
    }
}

/// The history of one series, raw or in steps
#[utoipa::path(get, path = "/readings", operation_id = "get_readings", tag = "readings",
    params(ReadingsQuery),
    responses((status = 200, description = "The readings", body = Readings)))]
async fn show(
    State(app): State<App>,
    Parameters(query): Parameters<ReadingsQuery>,
) -> Answer<Json<Readings>> {
    let directory = app.registry.directory();
    let device = select::device(&directory, &query.device)?;
    let metric = select::metric(&directory, &query.metric)?;
    let range = time_range((query.from, query.to), app.clock.now(), DEFAULT_RANGE)?;
    let steps = Steps::new(query.step, range)?;
    let (device, metric) = (device.clone(), metric.clone());
    let store = app.store.clone();
    app.lanes
        .history(move |cancel| Ok(Json(steps.read(&*store, (&device, &metric), range, cancel)?)))
        .await
}

/// How readings of a range are to be put together.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    /// What was asked for, if anything was.
    wanted: Option<Step>,
}

impl Steps {
    /// Checks that a step that was asked for suits the range.
    pub(super) fn new(wanted: Option<Step>, range: TimeRange) -> Answer<Self> {
        if let Some(Step::Every(step)) = wanted {
            check_step(range, step)?;
        }
        Ok(Self { wanted })
    }

    /// The history of a series: every reading, or steps.
    pub(super) fn read(
        self,
        store: &dyn Store,
        (device, metric): (&Device, &Metric),
        range: TimeRange,
        cancel: &Cancel,
    ) -> Answer<Readings> {
        let series = SeriesKey { device: device.key, metric: metric.key };
        let mut readings = Readings {
            device: device.id.to_string(),
            metric: metric.id.to_string(),
            unit: metric.unit.to_string(),
            symbol: metric.symbol.to_string(),
            from: range.from,
            to: range.to,
            step_s: None,
            raw: None,
            buckets: None,
            truncated: false,
        };
        let step = if let Some(Step::Every(step)) = self.wanted {
            step
        } else {
            let mut points = store.raw(series, range, MAX_RAW + 1)?;
            let too_many = points.len() > MAX_RAW;
            if self.wanted == Some(Step::Raw) || !too_many {
                points.truncate(MAX_RAW);
                readings.truncated = too_many;
                readings.raw = Some(raw_columns(points));
                return Ok(readings);
            }
            auto_step(range)
        };
        readings.step_s = Some(step.micros() / 1_000_000);
        let buckets = store.buckets(&[series], range, step, cancel)?;
        readings.buckets = Some(bucket_columns(&buckets));
        Ok(readings)
    }
}

/// A step that gives no more buckets than fit into one answer.
pub(super) fn check_step(range: TimeRange, step: Span) -> Answer<Span> {
    let steps = range.to.since(range.from).micros() / step.micros();
    if steps <= MAX_STEPS {
        return Ok(step);
    }
    let detail = format!("A step of {step} makes {steps} steps; {MAX_STEPS} are allowed.");
    let hint = format!("Ask for step={} or a shorter range.", auto_step(range));
    Err(Problem::new(codes::TOO_MANY_STEPS, detail).hint(hint))
}

/// The step that suits a chart of this range.
pub(super) fn auto_step(range: TimeRange) -> Span {
    let micros = range.to.since(range.from).micros();
    let fits = |step: &Span| micros / step.micros() <= AUTO_STEPS;
    let found = LADDER.into_iter().map(Span::from_secs).find(fits);
    // Longer than the ladder: whole weeks.
    found.unwrap_or_else(|| {
        let week = Span::from_hours(7 * 24).micros();
        Span::from_micros((micros / AUTO_STEPS / week + 1) * week)
    })
}

fn raw_columns(points: Vec<Point>) -> RawReadings {
    let mut columns = RawReadings {
        time: Vec::with_capacity(points.len()),
        value: Vec::with_capacity(points.len()),
        quality: Vec::with_capacity(points.len()),
    };
    for point in points {
        columns.time.push(point.time.millis());
        columns.value.push(point.value);
        columns.quality.push(point.quality.code());
    }
    columns
}

/// Buckets in columns.
pub(super) fn bucket_columns(buckets: &[Bucket]) -> Buckets {
    let mut columns = Buckets::default();
    for bucket in buckets {
        let statistic = |number: f64| (bucket.count > 0).then_some(number);
        columns.start.push(bucket.start.millis());
        columns.count.push(bucket.count);
        columns.min.push(statistic(bucket.min));
        columns.mean.push(statistic(bucket.sum / bucket.count as f64));
        columns.max.push(statistic(bucket.max));
        columns.sum.push(statistic(bucket.sum));
        columns.last.push(statistic(bucket.last));
        columns.flagged.push(bucket.flagged);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: i64) -> TimeRange {
        let from = Timestamp::from_secs(1_000_000);
        TimeRange { from, to: from + Span::from_hours(hours) }
    }

    #[test]
    fn the_step_that_is_chosen_fits_a_chart() {
        for (range, step) in [
            (hours(6), Span::from_secs(30)),
            (hours(24), Span::from_mins(1)),
            (hours(24 * 30), Span::from_mins(30)),
            (hours(24 * 365), Span::from_hours(6)),
        ] {
            assert_eq!(auto_step(range), step);
        }
        let century = hours(24 * 365 * 100);
        let steps = century.to.since(century.from).micros() / auto_step(century).micros();
        assert!((1..=AUTO_STEPS).contains(&steps), "{steps}");
    }

    #[test]
    fn too_many_steps_are_refused_with_one_that_fits() {
        assert!(check_step(hours(5), Span::from_secs(1)).is_ok());
        let problem = check_step(hours(6), Span::from_secs(1)).expect_err("21,600 steps");
        assert_eq!(problem.code(), codes::TOO_MANY_STEPS);
    }
}
