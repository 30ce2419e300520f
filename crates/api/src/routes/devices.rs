//! `/devices`: the things in the field, as registered and as they are now.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::{
    Attribute, DeclaredPosition, Directory, LifeCycle, LocalText, Placement, Severity, Timestamp,
};
use city_store::{Cancel, Counters, LedgerKey};
use rustc_hash::FxHashMap;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::device_order::{Place, Sort, SortName};
use super::zones::lon_lat;
use crate::app::App;
use crate::cursor;
use crate::export::{self, Cell, Column, Kind, Rows, Shape, Table, column, word};
use crate::extract::Id;
use crate::live::DeviceNow;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With};
use crate::problem::Answer;
use crate::schema;
use crate::select::{self, Choice, Selection};
use crate::status::DeviceStatus;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A thing in the field.
#[derive(Serialize, ToSchema)]
struct Device {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    kind: String,
    department: String,
    /// Longitude and latitude in WGS-84; of a moving device the last one that is known.
    #[schema(value_type = Option<schema::LonLat>)]
    position: Option<[f64; 2]>,
    /// Whether its messages carry its position.
    moving: bool,
    /// The position as declared, in its own coordinate system.
    #[schema(value_type = Option<schema::DeclaredPosition>)]
    declared: Option<DeclaredPosition>,
    /// Ids of the zones that it is in.
    zones: Vec<String>,
    /// How often it is expected to send, in seconds.
    interval_s: Option<f64>,
    /// The device through which it sends.
    gateway: Option<String>,
    #[schema(value_type = schema::LifeCycle)]
    life_cycle: LifeCycle,
    /// Whether everything it sends is simulated or test data.
    simulated: bool,
    #[schema(value_type = BTreeMap<String, schema::ReadingValue>)]
    attributes: BTreeMap<String, Attribute>,
    /// Which of all this it has from its kind, because its entry says nothing of it: `interval`,
    /// `moving`, `crs`, `attributes.NAME`.
    inherited: Vec<String>,
    status: DeviceStatus,
    /// When it was last heard.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    /// The event time of its newest reading, not counting times too far in the future to be trusted.
    #[schema(value_type = Option<String>, format = DateTime)]
    newest_reading_at: Option<Timestamp>,
    /// The worst alert that fires for it.
    #[schema(value_type = Option<schema::Severity>)]
    severity: Option<Severity>,
    counters: DeviceCounters,
}

/// What was counted of a device's readings since the store began.
#[derive(Serialize, ToSchema)]
struct DeviceCounters {
    received: u64,
    stored: u64,
    duplicate: u64,
    dead_lettered: u64,
}

/// A page of devices.
#[derive(Serialize, ToSchema)]
struct DevicePage {
    items: Vec<Device>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// How many devices match in all.
    total: usize,
}

/// Which devices.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct DevicesQuery {
    /// Only those with this text in their id or name, in any case.
    q: Option<String>,
    /// Only those with one of these statuses, separated by commas.
    #[param(value_type = Option<String>, example = "late,offline")]
    status: Vec<DeviceStatus>,
    /// Only those in one of these stages of life, separated by commas.
    #[param(value_type = Option<String>, example = "active,maintenance")]
    life_cycle: Vec<LifeCycle>,
    /// The order: `id` unless given, `name`, `kind`, `department`, `last_seen_at` or
    /// `newest_reading_at`; with `-` before it the other way round. Equals are in the order of `id`.
    #[param(inline, value_type = Option<SortName>)]
    sort: Sort,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<Place>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

const LIVES: &[(&str, LifeCycle)] = &[
    ("planned", LifeCycle::Planned),
    ("active", LifeCycle::Active),
    ("maintenance", LifeCycle::Maintenance),
    ("retired", LifeCycle::Retired),
];

impl FromPairs for DevicesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let sort = Sort::from_pairs(pairs)?;
        let cursor: Option<Place> = pairs.cursor()?;
        if cursor.as_ref().is_some_and(|place| place.sort != sort) {
            return Err(cursor::of_another_order());
        }
        Ok(Self {
            q: pairs.text("q"),
            status: pairs.some_of("status", &DeviceStatus::ALL)?,
            life_cycle: pairs.some_of("life_cycle", LIVES)?,
            sort,
            cursor,
            limit: pairs.limit()?,
        })
    }
}

/// Devices, filtered and in order
#[utoipa::path(get, path = "/devices", operation_id = "list_devices", tag = "registry",
    params(Shape, Choice, DevicesQuery),
    responses((status = 200, description = "A page of devices", body = DevicePage)))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(query): Parameters<With<Shape, With<Choice, DevicesQuery>>>,
) -> Answer<Response> {
    let With(shape, With(choice, query)) = query;
    let directory = app.registry.directory();
    let chosen = Selection::new(&directory, choice)?;
    let reader = app.clone();
    if let Some(wanted) = shape.file(&headers) {
        let table = Table::new("devices", COLUMNS);
        let work = move |rows: &mut Rows, _: &Cancel| {
            let states = reader.hub.devices();
            let (found, _) = find(&reader, &directory, &chosen, &states, &query);
            let counters = counters(&reader);
            for (device, state) in &found {
                let counted = counters.get(&LedgerKey::Device(device.key)).copied();
                let device = view(&reader, &directory, device, state, counted.unwrap_or_default());
                rows.add(&row(&device))?;
            }
            Ok(())
        };
        return export::respond(&app, wanted, table, work).await;
    }
    let work = move || {
        let states = reader.hub.devices();
        let (found, total) = find(&reader, &directory, &chosen, &states, &query);
        let page = &found[..found.len().min(query.limit)];
        let next = page.last().filter(|_| page.len() < found.len());
        let next = next.map(|(device, state)| Place::of(query.sort, device, state));
        let counters = counters(&reader);
        let item = |(device, state): &(&Arc<city_model::Device>, DeviceNow)| {
            let counted = counters.get(&LedgerKey::Device(device.key)).copied();
            view(&reader, &directory, device, state, counted.unwrap_or_default())
        };
        let items = page.iter().map(item).collect();
        Ok(DevicePage { items, next_cursor: next.as_ref().map(cursor::encode), total })
    };
    let page = app.lanes.short(work).await?;
    shape.page("Device", page)
}

fn counters(app: &App) -> FxHashMap<LedgerKey, Counters> {
    app.store.ledger().into_iter().collect()
}

/// Those that match after the cursor, in order, and how many match in all.
fn find<'a>(
    app: &App,
    directory: &'a Directory,
    chosen: &'a Selection,
    states: &'a [DeviceNow],
    query: &DevicesQuery,
) -> (Vec<(&'a Arc<city_model::Device>, DeviceNow)>, usize) {
    let words = query.q.as_ref().map(|q| q.to_lowercase());
    let now = app.clock.now();
    let mut found: Vec<_> = chosen
        .devices(directory, states)
        .filter(|(device, state)| {
            (query.life_cycle.is_empty() || query.life_cycle.contains(&device.life_cycle))
                && words.as_deref().is_none_or(|words| is_named(device, words))
                && (query.status.is_empty()
                    || query.status.contains(&DeviceStatus::of(state.heard, device.interval, now)))
        })
        .collect();
    let total = found.len();
    found.sort_unstable_by(|(a, of_a), (b, of_b)| query.sort.compare((a, of_a), (b, of_b)));
    if let Some(place) = &query.cursor {
        let seen = found.partition_point(|(device, state)| place.is_at_or_after(device, state));
        found.drain(..seen);
    }
    (found, total)
}

fn is_named(device: &city_model::Device, words: &str) -> bool {
    [&*device.id, &device.name.en, &device.name.zh]
        .into_iter()
        .any(|text| text.to_lowercase().contains(words))
}

/// One device
#[utoipa::path(get, path = "/devices/{id}", operation_id = "get_device", tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    responses((status = 200, description = "The device now", body = Device)))]
async fn show(
    State(app): State<App>,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<Json<Device>> {
    let reader = app.clone();
    app.lanes
        .short(move || {
            let directory = reader.registry.directory();
            let device = select::device(&directory, &id)?;
            let wanted = LedgerKey::Device(device.key);
            let ledger = reader.store.ledger();
            let counted = ledger.into_iter().find(|(key, _)| *key == wanted).map(|(_, c)| c);
            let state = reader.hub.device(device.key);
            let counted = counted.unwrap_or_default();
            Ok(Json(view(&reader, &directory, device, &state, counted)))
        })
        .await
}

fn view(
    app: &App,
    directory: &Directory,
    device: &city_model::Device,
    state: &DeviceNow,
    counted: Counters,
) -> Device {
    let zones = state.zones(device);
    let zone_id = |key: &city_model::ZoneKey| directory.zone(*key).map(|zone| zone.id.to_string());
    Device {
        id: device.id.to_string(),
        name: device.name.clone(),
        kind: device.kind.to_string(),
        department: device.department.to_string(),
        position: state.position(device).map(lon_lat),
        moving: device.placement == Placement::Moving,
        declared: device.declared,
        zones: zones.iter().filter_map(zone_id).collect(),
        interval_s: device.interval.map(city_model::Span::secs_f64),
        gateway: device.gateway.as_ref().map(ToString::to_string),
        life_cycle: device.life_cycle,
        simulated: device.simulated,
        attributes: device.attributes.clone(),
        inherited: app.registry.inherited(&device.id),
        status: DeviceStatus::of(state.heard, device.interval, app.clock.now()),
        last_seen_at: state.heard,
        newest_reading_at: state.newest,
        severity: app.board.severity_of(&device.id),
        counters: DeviceCounters {
            received: counted.received,
            stored: counted.stored,
            duplicate: counted.duplicate,
            dead_lettered: counted.dead_lettered,
        },
    }
}

/// The columns of a file of devices. Zones are separated by spaces.
static COLUMNS: &[Column] = &[
    column("id", Kind::Text),
    column("name_en", Kind::Text),
    column("name_zh", Kind::Text),
    column("kind", Kind::Text),
    column("department", Kind::Text),
    column("lon", Kind::Number),
    column("lat", Kind::Number),
    column("moving", Kind::Flag),
    column("zones", Kind::Text),
    column("interval_s", Kind::Number),
    column("gateway", Kind::Text),
    column("life_cycle", Kind::Text),
    column("simulated", Kind::Flag),
    column("status", Kind::Text),
    column("last_seen_at", Kind::Time),
    column("newest_reading_at", Kind::Time),
    column("severity", Kind::Text),
    column("received", Kind::Integer),
    column("stored", Kind::Integer),
    column("duplicate", Kind::Integer),
    column("dead_lettered", Kind::Integer),
];

fn row(device: &Device) -> [Cell<'_>; 21] {
    let [lon, lat] = device.position.map_or([None, None], |at| at.map(Some));
    [
        Cell::from(&*device.id),
        Cell::from(&*device.name.en),
        Cell::from(&*device.name.zh),
        Cell::from(&*device.kind),
        Cell::from(&*device.department),
        lon.into(),
        lat.into(),
        device.moving.into(),
        device.zones.join(" ").into(),
        device.interval_s.into(),
        device.gateway.as_deref().into(),
        word(device.life_cycle),
        device.simulated.into(),
        word(device.status),
        device.last_seen_at.into(),
        device.newest_reading_at.into(),
        device.severity.map_or(Cell::Empty, word),
        device.counters.received.into(),
        device.counters.stored.into(),
        device.counters.duplicate.into(),
        device.counters.dead_lettered.into(),
    ]
}
