//! `/readings/export`: readings of any range as a file, raw or in steps.

use std::ops::ControlFlow;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::{
    Device, Directory, Metric, MetricKey, Placement, Position, Quality, SeriesKey, Span, Timestamp,
    Value,
};
use city_store::{Bucket, Cancel, Store, TimeRange};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::export::{self, Cell, Column, Kind, Rows, Shape, Stop, Table, column, lon_lat};
use crate::parameters::{FromPairs, Pairs, Parameters, Step, With, bad, time_range};
use crate::problem::{Answer, Problem, codes};
use crate::select::{self, Choice, Selection};

/// How many steps of a series are put together at a time.
const STEPS: i64 = 10_000;
/// 2000-01-01: no reading is older, for the pipeline takes none that is.
const EARLIEST: Timestamp = Timestamp::from_secs(946_684_800);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export_readings))
}

/// The columns of a file of readings; the unit is a UCUM code.
static RAW: &[Column] = &[
    column("time", Kind::Time),
    column("device", Kind::Text),
    column("metric", Kind::Text),
    column("value", Kind::Value),
    column("unit", Kind::Text),
    column("quality", Kind::Text),
    column("lon", Kind::Number),
    column("lat", Kind::Number),
];

/// The columns of a file of steps; `time` is the first instant of each. Readings that failed or are
/// missing count only in `flagged`.
static STEPPED: &[Column] = &[
    column("time", Kind::Time),
    column("device", Kind::Text),
    column("metric", Kind::Text),
    column("count", Kind::Integer),
    column("min", Kind::Number),
    column("mean", Kind::Number),
    column("max", Kind::Number),
    column("sum", Kind::Number),
    column("last", Kind::Number),
    column("flagged", Kind::Integer),
    column("unit", Kind::Text),
    column("lon", Kind::Number),
    column("lat", Kind::Number),
];

/// The columns that are in the unit of the metric.
const MEASURED: [&str; 6] = ["value", "min", "mean", "max", "sum", "last"];

/// Which readings.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "`limit` is read with the shape of the file")]
struct ReadingsFileQuery {
    /// Only those of these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those of these metrics, separated by commas. With one, the header of CSV says its unit.
    #[param(value_type = Option<String>)]
    metric: Option<Vec<String>>,
    /// The first instant, RFC 3339.
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The first instant after the range, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// The width of the steps: seconds, `1m`, `15m` or `1h`; every reading unless given, or `raw`.
    #[param(value_type = Option<String>)]
    step: Option<Step>,
    /// How many rows at most; all unless given.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<u64>,
}

impl FromPairs for ReadingsFileQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let missing = || {
            Problem::new(codes::MISSING_PARAMETER, "The parameter `from` is missing.")
                .hint("Say from when on, RFC 3339: from=2026-11-23T08:30:00Z")
                .with("parameter", "from")
        };
        let limit = pairs.parse("limit", "1000")?;
        if limit == Some(0) {
            return Err(bad("limit", "0", &"it must be 1 or more", "1000"));
        }
        Ok(Self {
            device: pairs.list("device"),
            metric: pairs.list("metric"),
            from: from.ok_or_else(missing)?,
            to,
            step: pairs.step()?,
            limit,
        })
    }
}

/// Readings as a file, device by device and in order of time
///
/// As many as there are: what is in memory does not grow with it. `format` is CSV unless it or `Accept`
/// says otherwise; `json` means `ndjson` here. A file that could not be finished ends without the end
/// of the chunked body (RFC 9112, section 7.1), so that HTTP clients report an error.
#[utoipa::path(get, path = "/readings/export", operation_id = "export_readings", tag = "readings",
    params(Shape, Choice, ReadingsFileQuery),
    responses((status = 200, description = "The readings, as a file")))]
async fn export_readings(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(query): Parameters<With<Shape, With<Choice, ReadingsFileQuery>>>,
) -> Answer<Response> {
    let With(shape, With(choice, query)) = query;
    let directory = app.registry.directory();
    let range = time_range((Some(query.from), query.to), app.clock.now(), Span::from_secs(0))?;
    let chosen = Selection::new(&directory, choice)?.only(&directory, query.device.as_deref())?;
    let metrics =
        query.metric.as_deref().map(|ids| select::metrics(&directory, ids)).transpose()?;
    let step = match query.step {
        Some(Step::Every(step)) => Some(step),
        _ => None,
    };
    let mut table = Table::new("readings", if step.is_some() { STEPPED } else { RAW });
    if let Some([metric]) = metrics.as_deref()
        && let Some(metric) = directory.metrics.get(*metric)
    {
        let measured = |column: &&mut Column| MEASURED.contains(&&*column.name);
        for column in table.columns.iter_mut().filter(measured) {
            column.unit = (!metric.unit.is_empty()).then(|| metric.unit.to_string().into());
        }
    }
    let reader = app.clone();
    let work = move |rows: &mut Rows, cancel: &Cancel| {
        let states = reader.hub.devices();
        let source = Source {
            store: &*reader.store,
            directory: &directory,
            metrics: metrics.as_deref(),
            range,
        };
        for (device, state) in chosen.devices(&directory, &states) {
            cancel.check()?;
            let place = state.position(device);
            match step {
                None => source.raw(device, place, rows)?,
                Some(step) => source.steps(device, place, step, rows, cancel)?,
            }
        }
        Ok(())
    };
    export::respond(&app, shape.only_file(&headers), table, work).await
}

/// Where readings come from.
struct Source<'a> {
    store: &'a dyn Store,
    directory: &'a Directory,
    metrics: Option<&'a [MetricKey]>,
    range: TimeRange,
}

impl Source<'_> {
    /// Every reading of a device. One that stands still is where it is now.
    fn raw(&self, device: &Device, place: Option<Position>, rows: &mut Rows) -> Result<(), Stop> {
        let mut done = Ok(());
        let mut goes_on = |result: Result<(), Stop>| match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(stop) => {
                done = Err(stop);
                ControlFlow::Break(())
            }
        };
        let is_moving = device.placement == Placement::Moving;
        if let (Some([key]), false) = (self.metrics, is_moving) {
            // The other metrics need not be read.
            let Some(metric) = self.directory.metrics.get(*key) else { return Ok(()) };
            let series = SeriesKey { device: device.key, metric: *key };
            self.store.scan(series, self.range, &mut |page| {
                goes_on(page.iter().try_for_each(|point| {
                    rows.add(&row(device, metric, point.time, &point.value, point.quality, place))
                }))
            })?;
            return done;
        }
        self.store.export(device.key, self.range, &mut |page| {
            goes_on(page.iter().try_for_each(|reading| {
                let key = reading.series.metric;
                let is_wanted = self.metrics.is_none_or(|metrics| metrics.contains(&key));
                let Some(metric) = self.directory.metrics.get(key).filter(|_| is_wanted) else {
                    return Ok(());
                };
                let place = if is_moving { reading.position } else { place };
                rows.add(&row(device, metric, reading.time, &reading.value, reading.quality, place))
            }))
        })?;
        done
    }

    /// The steps of a device, metric by metric.
    fn steps(
        &self,
        device: &Device,
        place: Option<Position>,
        step: Span,
        rows: &mut Rows,
        cancel: &Cancel,
    ) -> Result<(), Stop> {
        let mut metrics: Vec<MetricKey> =
            self.store.last_of_device(device.key).into_iter().map(|(metric, _)| metric).collect();
        metrics.sort_unstable();
        metrics.retain(|key| self.metrics.is_none_or(|metrics| metrics.contains(key)));
        for metric in metrics {
            let series = [SeriesKey { device: device.key, metric }];
            let Some(metric) = self.directory.metrics.get(metric) else { continue };
            let mut from = self.range.from.max(EARLIEST);
            while from < self.range.to {
                // Parts end where steps end.
                let width = step.micros().saturating_mul(STEPS);
                let end = (from.micros().div_euclid(width) + 1).saturating_mul(width);
                let to = self.range.to.min(Timestamp::from_micros(end));
                let buckets = self.store.buckets(&series, TimeRange { from, to }, step, cancel)?;
                for bucket in &buckets {
                    rows.add(&step_row(device, metric, bucket, place))?;
                }
                from = to;
            }
        }
        Ok(())
    }
}

fn row<'a>(
    device: &'a Device,
    metric: &'a Metric,
    time: Timestamp,
    value: &'a Value,
    quality: Quality,
    place: Option<Position>,
) -> [Cell<'a>; 8] {
    let [lon, lat] = lon_lat(place);
    [
        time.into(),
        Cell::from(&*device.id),
        Cell::from(&*metric.id),
        value.into(),
        Cell::from(&*metric.unit),
        Cell::from(quality_name(quality)),
        lon,
        lat,
    ]
}

/// The name of a quality flag in JSON, too.
const fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Pass => "pass",
        Quality::NotEvaluated => "not_evaluated",
        Quality::Suspect => "suspect",
        Quality::Fail => "fail",
        Quality::Missing => "missing",
    }
}

fn step_row<'a>(
    device: &'a Device,
    metric: &'a Metric,
    bucket: &Bucket,
    place: Option<Position>,
) -> [Cell<'a>; 13] {
    let [lon, lat] = lon_lat(place);
    let statistic = |number: f64| (bucket.count > 0).then_some(number);
    [
        bucket.start.into(),
        Cell::from(&*device.id),
        Cell::from(&*metric.id),
        bucket.count.into(),
        statistic(bucket.min).into(),
        statistic(bucket.sum / bucket.count as f64).into(),
        statistic(bucket.max).into(),
        statistic(bucket.sum).into(),
        statistic(bucket.last).into(),
        bucket.flagged.into(),
        Cell::from(&*metric.unit),
        lon,
        lat,
    ]
}
