//! `/last-values`: the newest value of each series, with its age.

use axum::Json;
use axum::extract::State;
use city_model::{Device, Directory, Marks, MetricKey, Quality, SeriesKey, Timestamp, Value};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::zones::lon_lat;
use crate::app::App;
use crate::cursor;
use crate::parameters::{FromPairs, Pairs, Parameters};
use crate::problem::Answer;
use crate::schema;
use crate::select::{self, Selection};
use crate::status::{DERIVED_EVERY, max_age};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The newest reading of a series by event time.
#[derive(Serialize, ToSchema)]
struct LastValue {
    device: String,
    metric: String,
    #[schema(value_type = schema::ReadingValue)]
    value: Value,
    #[schema(value_type = schema::Quality)]
    quality: Quality,
    /// Event time.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// When it reached us.
    #[schema(value_type = String, format = DateTime)]
    received: Timestamp,
    /// Seconds since the event time.
    age_s: f64,
    /// From this age on the value is stale, in seconds: three intervals of the device, three
    /// hours for what is derived.
    max_age_s: f64,
    /// Whether it is too old to stand for the present, or of unknown age.
    stale: bool,
    /// Where a moving device was.
    #[schema(value_type = Option<schema::LonLat>)]
    position: Option<[f64; 2]>,
    simulated: bool,
    /// What is special: `retained`, `future`, `untimed`, `bad_position`, `derived`.
    marks: Vec<&'static str>,
}

/// A page of last values.
#[derive(Serialize, ToSchema)]
struct LastValuePage {
    items: Vec<LastValue>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which last values.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct LastValuesQuery {
    /// Only this device's.
    device: Option<String>,
    /// Only of devices in this zone.
    zone: Option<String>,
    /// Only of this metric.
    metric: Option<String>,
    /// Only of devices of this kind.
    kind: Option<String>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<SeriesKey>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for LastValuesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            device: pairs.text("device"),
            zone: pairs.text("zone"),
            metric: pairs.text("metric"),
            kind: pairs.text("kind"),
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// The newest value of each series
#[utoipa::path(get, path = "/last-values", operation_id = "list_last_values", tag = "readings",
    params(LastValuesQuery),
    responses((status = 200, description = "A page of last values", body = LastValuePage)))]
async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<LastValuesQuery>,
) -> Answer<Json<LastValuePage>> {
    let reader = app.clone();
    app.lanes.short(move || page(&reader, query).map(Json)).await
}

fn page(app: &App, query: LastValuesQuery) -> Answer<LastValuePage> {
    let directory = app.registry.directory();
    let chosen = Selection::new(&directory, query.zone.as_deref(), query.kind, None)?;
    let metric = query.metric.as_deref().map(|id| select::metric(&directory, id)).transpose()?;
    let one = query.device.as_deref().map(|id| select::device(&directory, id)).transpose()?;
    let states = app.hub.devices();
    let first = query.cursor.map(|cursor| cursor.device);
    let devices = directory
        .devices()
        .filter(|device| one.is_none_or(|one| one.key == device.key))
        .filter(|device| first.is_none_or(|first| device.key >= first))
        .filter(|device| {
            let state = states.get(device.key.index()).cloned().unwrap_or_default();
            chosen.has(device, &state)
        });
    let now = app.clock.now();
    let mut items = Vec::new();
    let mut last_key = None;
    for device in devices {
        let mut values = app.store.last_of_device(device.key);
        values.sort_unstable_by_key(|(metric, _)| *metric);
        for (key, last) in values {
            let series = SeriesKey { device: device.key, metric: key };
            let is_wanted = metric.is_none_or(|metric| metric.key == key)
                && query.cursor.is_none_or(|cursor| series > cursor);
            if !is_wanted {
                continue;
            }
            if items.len() == query.limit {
                let next_cursor = last_key.map(|series| cursor::encode(&series));
                return Ok(LastValuePage { items, next_cursor });
            }
            items.extend(view(&directory, device, key, last, now));
            last_key = Some(series);
        }
    }
    Ok(LastValuePage { items, next_cursor: None })
}

fn view(
    directory: &Directory,
    device: &Device,
    metric: MetricKey,
    last: city_store::LastValue,
    now: Timestamp,
) -> Option<LastValue> {
    let age = now.since(last.time);
    let interval =
        if last.marks.has(Marks::DERIVED) { Some(DERIVED_EVERY) } else { device.interval };
    let max_age = max_age(interval);
    // What a broker had retained without a time may be of any age.
    let unknown_age = last.marks.has(Marks::RETAINED.with(Marks::UNTIMED));
    Some(LastValue {
        device: device.id.to_string(),
        metric: directory.metrics.get(metric)?.id.to_string(),
        quality: last.quality,
        time: last.time,
        received: last.received,
        age_s: age.secs_f64(),
        max_age_s: max_age.secs_f64(),
        stale: unknown_age || age > max_age,
        position: last.position.as_deref().copied().map(lon_lat),
        simulated: device.simulated || last.marks.has(Marks::SIMULATED),
        marks: mark_names(last.marks),
        value: last.value,
    })
}

fn mark_names(marks: Marks) -> Vec<&'static str> {
    [
        (Marks::RETAINED, "retained"),
        (Marks::FUTURE, "future"),
        (Marks::UNTIMED, "untimed"),
        (Marks::BAD_POSITION, "bad_position"),
        (Marks::DERIVED, "derived"),
    ]
    .into_iter()
    .filter_map(|(mark, name)| marks.has(mark).then_some(name))
    .collect()
}
