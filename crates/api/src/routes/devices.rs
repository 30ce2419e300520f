//! `/devices`: the things in the field, as registered and as they are now.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use city_model::{
    Attribute, DeclaredPosition, Directory, LifeCycle, LocalText, Placement, Severity, Timestamp,
};
use city_store::{Counters, LedgerKey};
use rustc_hash::FxHashMap;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::zones::lon_lat;
use crate::app::App;
use crate::cursor;
use crate::extract::Id;
use crate::live::DeviceNow;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters};
use crate::problem::Answer;
use crate::schema;
use crate::select::{self, Selection};
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
#[allow(dead_code, reason = "`sort` has one value")]
struct DevicesQuery {
    /// Only those in this zone.
    zone: Option<String>,
    /// Only this kind.
    kind: Option<String>,
    /// Only this department's.
    department: Option<String>,
    /// Only those with this text in their id or name, in any case.
    q: Option<String>,
    /// Only those with this status.
    #[param(inline)]
    status: Option<DeviceStatus>,
    /// Only those in this stage of life.
    #[param(inline, value_type = Option<schema::LifeCycle>)]
    life_cycle: Option<LifeCycle>,
    /// The order; `id` is the only one.
    #[param(pattern = "^id$")]
    sort: Option<String>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
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
        Ok(Self {
            zone: pairs.text("zone"),
            kind: pairs.text("kind"),
            department: pairs.text("department"),
            q: pairs.text("q"),
            status: pairs.one_of("status", &DeviceStatus::ALL)?,
            life_cycle: pairs.one_of("life_cycle", LIVES)?,
            sort: pairs.one_of("sort", &[("id", ())])?.map(|()| "id".to_owned()),
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// Devices by id, filtered
#[utoipa::path(get, path = "/devices", operation_id = "list_devices", tag = "registry",
    params(DevicesQuery),
    responses((status = 200, description = "A page of devices", body = DevicePage)))]
async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<DevicesQuery>,
) -> Answer<Json<DevicePage>> {
    let reader = app.clone();
    app.lanes.short(move || page(&reader, query).map(Json)).await
}

fn page(app: &App, query: DevicesQuery) -> Answer<DevicePage> {
    let directory = app.registry.directory();
    let chosen = Selection::new(&directory, query.zone.as_deref(), query.kind, query.department)?;
    let words = query.q.map(|q| q.to_lowercase());
    let now = app.clock.now();
    let states = app.hub.devices();
    let state =
        |device: &city_model::Device| states.get(device.key.index()).cloned().unwrap_or_default();
    let mut found: Vec<&Arc<city_model::Device>> = directory
        .devices()
        .filter(|device| {
            let state = state(device);
            chosen.has(device, &state)
                && query.life_cycle.is_none_or(|wanted| wanted == device.life_cycle)
                && words.as_deref().is_none_or(|words| is_named(device, words))
                && query.status.is_none_or(|wanted| {
                    wanted == DeviceStatus::of(state.heard, device.interval, now)
                })
        })
        .collect();
    let total = found.len();
    found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let start = query.cursor.map_or(0, |last| found.partition_point(|device| *device.id <= *last));
    let page: Vec<_> = found.iter().skip(start).take(query.limit).collect();
    let more = start + page.len() < total;
    let next_cursor = page.last().filter(|_| more).map(|last| cursor::encode(&&*last.id));
    let counters: FxHashMap<LedgerKey, Counters> = app.store.ledger().into_iter().collect();
    let items = page
        .into_iter()
        .map(|device| {
            let counted = counters.get(&LedgerKey::Device(device.key)).copied();
            view(app, &directory, device, &state(device), counted.unwrap_or_default())
        })
        .collect();
    Ok(DevicePage { items, next_cursor, total })
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
