//! `/last-values`: the newest value of each series, with its age.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::{Device, Directory, Marks, MetricKey, Quality, SeriesKey, Span, Timestamp, Value};
use city_store::Cancel;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::zones::lon_lat;
use crate::app::App;
use crate::cursor;
use crate::export::{self, Cell, Column, Kind, Rows, Shape, Table, column};
use crate::live::DeviceNow;
use crate::parameters::{FromPairs, Pairs, Parameters, With};
use crate::problem::Answer;
use crate::schema;
use crate::select::{self, Choice, Selection};
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
    /// Only those of these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those of these metrics, separated by commas.
    #[param(value_type = Option<String>)]
    metric: Option<Vec<String>>,
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
            device: pairs.list("device"),
            metric: pairs.list("metric"),
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// The newest value of each series, by device and metric
#[utoipa::path(get, path = "/last-values", operation_id = "list_last_values", tag = "readings",
    params(Shape, Choice, LastValuesQuery),
    responses((status = 200, description = "A page of last values", body = LastValuePage)))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(query): Parameters<With<Shape, With<Choice, LastValuesQuery>>>,
) -> Answer<Response> {
    let With(shape, With(choice, query)) = query;
    let search = Search::new(&app, choice, &query)?;
    if let Some(wanted) = shape.file(&headers) {
        let table = Table::new("last-values", COLUMNS);
        let of = app.clone();
        let work = move |rows: &mut Rows, _: &Cancel| {
            search.each(&of, &mut |found| rows.add(&found.row(&search.directory)))
        };
        return export::respond(&app, wanted, table, work).await;
    }
    let reader = app.clone();
    let page = app.lanes.short(move || Ok(search.page(&reader, query.limit))).await?;
    shape.page("LastValue", page)
}

/// What is looked for.
struct Search {
    directory: Arc<Directory>,
    chosen: Selection,
    metrics: Option<Vec<MetricKey>>,
    after: Option<SeriesKey>,
    now: Timestamp,
}

/// One that was found.
struct Found<'a> {
    device: &'a Device,
    state: &'a DeviceNow,
    series: SeriesKey,
    last: city_store::LastValue,
    now: Timestamp,
}

impl Search {
    fn new(app: &App, choice: Choice, query: &LastValuesQuery) -> Answer<Self> {
        let directory = app.registry.directory();
        let chosen = Selection::new(&directory, choice)?;
        let chosen = chosen.only(&directory, query.device.as_deref())?;
        let metrics = query.metric.as_deref().map(|ids| select::metrics(&directory, ids));
        let metrics = metrics.transpose()?;
        Ok(Self { directory, chosen, metrics, after: query.cursor, now: app.clock.now() })
    }

    /// Calls `each` with those that are wanted, by device and metric, until it fails.
    fn each<E>(
        &self,
        app: &App,
        each: &mut dyn FnMut(Found<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let states = app.hub.devices();
        let first = self.after.map(|after| after.device);
        for (device, state) in self.chosen.devices(&self.directory, &states) {
            if first.is_some_and(|first| device.key < first) {
                continue;
            }
            let mut values = app.store.last_of_device(device.key);
            values.sort_unstable_by_key(|(metric, _)| *metric);
            for (metric, last) in values {
                let series = SeriesKey { device: device.key, metric };
                if self.metrics.as_ref().is_none_or(|metrics| metrics.contains(&metric))
                    && self.after.is_none_or(|after| series > after)
                {
                    each(Found { device, state: &state, series, last, now: self.now })?;
                }
            }
        }
        Ok(())
    }

    fn page(&self, app: &App, limit: usize) -> LastValuePage {
        let mut items = Vec::new();
        let mut last_key = None;
        // An error says that there are more than fit.
        let whole = self.each(app, &mut |found| {
            if items.len() == limit {
                return Err(());
            }
            last_key = Some(found.series);
            items.extend(found.item(&self.directory));
            Ok(())
        });
        let next_cursor = last_key.filter(|_| whole.is_err()).as_ref().map(cursor::encode);
        LastValuePage { items, next_cursor }
    }
}

impl Found<'_> {
    /// From which age on it is stale.
    fn max_age(&self) -> Span {
        let is_derived = self.last.marks.has(Marks::DERIVED);
        max_age(if is_derived { Some(DERIVED_EVERY) } else { self.device.interval })
    }

    fn is_stale(&self) -> bool {
        // What a broker had retained without a time may be of any age.
        let unknown_age = self.last.marks.has(Marks::RETAINED.with(Marks::UNTIMED));
        unknown_age || self.now.since(self.last.time) > self.max_age()
    }

    fn is_simulated(&self) -> bool {
        self.device.simulated || self.last.marks.has(Marks::SIMULATED)
    }

    fn item(self, directory: &Directory) -> Option<LastValue> {
        Some(LastValue {
            device: self.device.id.to_string(),
            metric: directory.metrics.get(self.series.metric)?.id.to_string(),
            quality: self.last.quality,
            time: self.last.time,
            received: self.last.received,
            age_s: self.now.since(self.last.time).secs_f64(),
            max_age_s: self.max_age().secs_f64(),
            stale: self.is_stale(),
            position: self.last.position.as_deref().copied().map(lon_lat),
            simulated: self.is_simulated(),
            marks: mark_names(self.last.marks),
            value: self.last.value,
        })
    }

    fn row<'a>(&'a self, directory: &'a Directory) -> [Cell<'a>; 14] {
        let metric = directory.metrics.get(self.series.metric);
        let position = self.last.position.as_deref().copied();
        let [lon, lat] = export::lon_lat(position.or_else(|| self.state.position(self.device)));
        [
            Cell::from(&*self.device.id),
            metric.map(|metric| &*metric.id).into(),
            Cell::from(&self.last.value),
            metric.map(|metric| &*metric.unit).into(),
            export::word(self.last.quality),
            self.last.time.into(),
            self.last.received.into(),
            self.now.since(self.last.time).secs_f64().into(),
            self.max_age().secs_f64().into(),
            self.is_stale().into(),
            self.is_simulated().into(),
            mark_names(self.last.marks).join(" ").into(),
            lon,
            lat,
        ]
    }
}

/// The columns of a file of last values; the unit is a UCUM code.
static COLUMNS: &[Column] = &[
    column("device", Kind::Text),
    column("metric", Kind::Text),
    column("value", Kind::Value),
    column("unit", Kind::Text),
    column("quality", Kind::Text),
    column("time", Kind::Time),
    column("received", Kind::Time),
    column("age_s", Kind::Number),
    column("max_age_s", Kind::Number),
    column("stale", Kind::Flag),
    column("simulated", Kind::Flag),
    column("marks", Kind::Text),
    column("lon", Kind::Number),
    column("lat", Kind::Number),
];

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
