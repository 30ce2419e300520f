//! `/readings/series`: the history of several series at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use city_model::{Device, Directory, Metric, MetricKey, SeriesKey, Timestamp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::readings::{DEFAULT_RANGE, Readings, Steps};
use crate::app::App;
use crate::cursor;
use crate::parameters::{FromPairs, Pairs, Parameters, Step, With, bad, time_range};
use crate::problem::Answer;
use crate::select::{self, Choice, Selection};

/// The most series in one answer.
const MAX_SERIES: usize = 100;
/// A page ends with the series that brings it to so many readings or steps.
const MAX_POINTS: usize = 200_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A page of histories.
#[derive(Serialize, ToSchema)]
struct SeriesPage {
    /// By device and metric; all of the same range.
    items: Vec<Readings>,
    /// Pass it as `cursor` to get the next page; `null` at the end. Keep `from` and `to` the same.
    next_cursor: Option<String>,
}

/// Which series, and when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SeriesQuery {
    /// Only those of these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those of these metrics, separated by commas.
    #[param(value_type = Option<String>)]
    metric: Option<Vec<String>>,
    /// The first instant, RFC 3339; six hours before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// The width of the steps: seconds, `1m`, `15m`, `1h`, or `raw`. Without it every reading of a
    /// series if there are at most 5,000, else steps that fit a chart.
    #[param(value_type = Option<String>)]
    step: Option<Step>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<SeriesKey>,
    /// How many series at most, 1 to 100; 20 unless given. A page may hold fewer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: usize,
}

impl FromPairs for SeriesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let limit = pairs.parse("limit", "20")?.unwrap_or(20);
        if !(1..=MAX_SERIES).contains(&limit) {
            let why = format!("it must be 1 to {MAX_SERIES}");
            return Err(bad("limit", &limit.to_string(), &why, "20"));
        }
        Ok(Self {
            device: pairs.list("device"),
            metric: pairs.list("metric"),
            from,
            to,
            step: pairs.step()?,
            cursor: pairs.cursor()?,
            limit,
        })
    }
}

/// The series of these devices that ever had a reading, after a cursor, in order.
fn series<'a>(
    app: &App,
    directory: &'a Directory,
    chosen: &Selection,
    metrics: Option<&Vec<MetricKey>>,
    after: Option<SeriesKey>,
) -> Vec<(&'a Arc<Device>, &'a Metric)> {
    let states = app.hub.devices();
    let mut found = Vec::new();
    for (device, _) in chosen.devices(directory, &states) {
        let mut keys: Vec<MetricKey> =
            app.store.last_of_device(device.key).into_iter().map(|(metric, _)| metric).collect();
        keys.sort_unstable();
        found.extend(
            keys.into_iter()
                .filter(|metric| metrics.is_none_or(|metrics| metrics.contains(metric)))
                .filter(|metric| {
                    let series = SeriesKey { device: device.key, metric: *metric };
                    after.is_none_or(|after| series > after)
                })
                .filter_map(|metric| Some((device, directory.metrics.get(metric)?))),
        );
    }
    found
}

/// The history of several series, raw or in steps
#[utoipa::path(get, path = "/readings/series", operation_id = "list_series_readings",
    tag = "readings", params(Choice, SeriesQuery),
    responses((status = 200, description = "A page of histories", body = SeriesPage)))]
async fn list(
    State(app): State<App>,
    Parameters(With(choice, query)): Parameters<With<Choice, SeriesQuery>>,
) -> Answer<Json<SeriesPage>> {
    let directory = app.registry.directory();
    let range = time_range((query.from, query.to), app.clock.now(), DEFAULT_RANGE)?;
    let steps = Steps::new(query.step, range)?;
    let chosen = Selection::new(&directory, choice)?.only(&directory, query.device.as_deref())?;
    let metrics =
        query.metric.as_deref().map(|ids| select::metrics(&directory, ids)).transpose()?;
    let reader = app.clone();
    app.lanes
        .history(move |cancel| {
            let found = series(&reader, &directory, &chosen, metrics.as_ref(), query.cursor);
            let mut items = Vec::new();
            let mut points = 0;
            let mut last = None;
            for (device, metric) in &found {
                if items.len() == query.limit || points >= MAX_POINTS {
                    break;
                }
                cancel.check()?;
                let readings = steps.read(&*reader.store, (device, metric), range, cancel)?;
                points += readings.len();
                last = Some(SeriesKey { device: device.key, metric: metric.key });
                items.push(readings);
            }
            let more = items.len() < found.len();
            let next_cursor = last.filter(|_| more).as_ref().map(cursor::encode);
            Ok(Json(SeriesPage { items, next_cursor }))
        })
        .await
}
