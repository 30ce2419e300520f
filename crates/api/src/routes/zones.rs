//! `/zones`: the named areas of the city, drawn and in figures.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use city_model::{
    Device, Directory, LifeCycle, LocalText, Marks, Position, Span, Timestamp, Zone, ZoneKey,
};
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::assets::etag;
use crate::audit;
use crate::auth::Principal;
use crate::encoding::{Effort, Encoded};
use crate::extract::Id;
use crate::list::{Part, Words};
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With};
use crate::parts::ZoneReload;
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::schema;
use crate::select::{has, zone_key};
use crate::status::{DERIVED_EVERY, DeviceStatus, max_age};

/// How far borders may be simplified, in degrees: about five metres.
const TOLERANCE_DEG: f64 = 5e-5;
/// Up to which age last values count for a zone's figures.
const FRESH: Span = Span::from_mins(15);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(draw)).routes(routes!(reload)).routes(routes!(show))
}

/// The collection as last drawn, for one version of the directory.
#[derive(Debug, Default)]
pub(crate) struct Drawn(Mutex<Option<(u64, Drawing)>>);

/// The collection as text, and where in it each zone is.
#[derive(Clone, Debug)]
struct Drawing {
    whole: Arc<Encoded>,
    body: Bytes,
    zones: Arc<[DrawnZone]>,
}

/// A zone in a drawing.
#[derive(Debug)]
struct DrawnZone {
    id: Arc<str>,
    layer: Arc<str>,
    name: LocalText,
    feature: Range<usize>,
}

/// The zones as GeoJSON.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is made as JSON values")]
struct ZoneCollection {
    #[schema(inline)]
    r#type: schema::CollectionType,
    features: Vec<ZoneFeature>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// A zone as a GeoJSON feature.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is made as JSON values")]
struct ZoneFeature {
    #[schema(inline)]
    r#type: schema::FeatureType,
    properties: ZoneProperties,
    geometry: ZoneGeometry,
}

/// The border of a zone, simplified for maps, as a GeoJSON geometry.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is made as JSON values")]
struct ZoneGeometry {
    #[schema(inline)]
    r#type: schema::MultiPolygonType,
    /// Polygons of rings of longitudes and latitudes.
    #[schema(value_type = Vec<Vec<Vec<schema::LonLat>>>)]
    coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}

/// What is known of a zone.
#[derive(Serialize, ToSchema)]
struct ZoneProperties {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// The layer, such as `neighbourhood`.
    layer: String,
    /// A place inside, for the name: longitude and latitude.
    #[schema(value_type = schema::LonLat)]
    label: [f64; 2],
    /// West, south, east, north.
    #[schema(value_type = schema::Bounds)]
    bounds: [f64; 4],
    /// The zone above it in the hierarchy; `null` if there is none.
    parent: Option<String>,
    /// Its area in square kilometres, on a sphere.
    area_km2: f64,
    /// How many devices stand in it.
    devices: u64,
}

/// Which zones.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ZonesQuery {
    /// Only those of these layers, separated by commas.
    #[param(value_type = Option<String>)]
    layer: Option<Vec<String>>,
}

impl FromPairs for ZonesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { layer: pairs.list("layer") })
    }
}

/// The zones with their borders, as GeoJSON
#[utoipa::path(get, path = "/zones", operation_id = "list_zones", tag = "registry",
    params(ZonesQuery, Words, Part),
    responses(
        (status = 200, description = "The zones", body = ZoneCollection,
            content_type = "application/geo+json"),
        (status = 304, description = "Nothing changed since the ETag that was sent")))]
async fn draw(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(query): Parameters<With<ZonesQuery, With<Words, Part>>>,
) -> Answer<Response> {
    let With(query, With(words, part)) = query;
    let drawing = app.clone();
    let drawn = app.lanes.short(move || Ok(drawn(&drawing))).await?;
    let wanted = |zone: &&DrawnZone| {
        has(query.layer.as_ref(), &zone.layer)
            && words.are_in(&[&zone.id, &zone.name.en, &zone.name.zh])
    };
    let found: Vec<&DrawnZone> = drawn.zones.iter().filter(wanted).collect();
    let sorted = part.is_sorted();
    let told = |zone: &&DrawnZone| {
        let feature: Value = serde_json::from_slice(&drawn.body[zone.feature.clone()])?;
        Ok(feature["properties"].clone())
    };
    let (found, next_cursor) = part.of_told(found, |zone| &zone.id, told)?;
    if found.len() == drawn.zones.len() && !sorted {
        return Ok(drawn.whole.answer(&headers));
    }
    let body = collection(
        found.iter().map(|zone| &drawn.body[zone.feature.clone()]),
        next_cursor.as_deref(),
    );
    Ok(encoded(body).answer(&headers))
}

fn encoded(body: Bytes) -> Encoded {
    let tag = etag(&body);
    Encoded::new(body, "application/geo+json", tag, "private, no-cache", Effort::Little)
}

const HEAD: &str = r#"{"type":"FeatureCollection","features":["#;

/// A collection of features that are text already.
fn collection<'a>(features: impl Iterator<Item = &'a [u8]>, next_cursor: Option<&str>) -> Bytes {
    let mut body = HEAD.as_bytes().to_vec();
    for feature in features {
        if body.len() > HEAD.len() {
            body.push(b',');
        }
        body.extend_from_slice(feature);
    }
    body.extend_from_slice(format!("],\"next_cursor\":{}}}", json!(next_cursor)).as_bytes());
    body.into()
}

fn drawn(app: &App) -> Drawing {
    let directory = app.registry.directory();
    let mut cache = app.zones.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((version, drawing)) = &*cache
        && *version == directory.version
    {
        return drawing.clone();
    }
    let mut devices: FxHashMap<ZoneKey, u64> = FxHashMap::default();
    for zone in directory.devices().flat_map(|device| device.zones.iter()) {
        *devices.entry(*zone).or_default() += 1;
    }
    let zones = app.registry.zones();
    let mut geojson = zones.map_geojson(TOLERANCE_DEG);
    let mut features = Vec::new();
    let mut drawn_zones = Vec::new();
    let mut place = HEAD.len();
    if let Some(Value::Array(drawn)) = geojson.get_mut("features") {
        for (feature, zone) in drawn.iter_mut().zip(zones.zones()) {
            let above = zone.parent.and_then(|key| zones.zone(key));
            feature["properties"] = json!(ZoneProperties {
                id: zone.id.to_string(),
                name: zone.name.clone(),
                layer: zone.layer.to_string(),
                label: lon_lat(zone.label),
                bounds: zone.bounds,
                parent: above.map(|zone| zone.id.to_string()),
                area_km2: zone.area_km2,
                devices: devices.get(&zone.key).copied().unwrap_or_default(),
            });
            let text = feature.take().to_string();
            let end = place + text.len();
            drawn_zones.push(DrawnZone {
                id: zone.id.clone(),
                layer: zone.layer.clone(),
                name: zone.name.clone(),
                feature: place..end,
            });
            // After a comma.
            place = end + 1;
            features.push(text);
        }
    }
    let body = collection(features.iter().map(String::as_bytes), None);
    let whole = Arc::new(encoded(body.clone()));
    let drawing = Drawing { whole, body, zones: drawn_zones.into() };
    *cache = Some((directory.version, drawing.clone()));
    drawing
}

/// Read the zone files again
///
/// All or nothing: if a file cannot be read or a rule names a zone that would be gone, the zones
/// stay as they are. Zones whose id stays keep their place in rules, alerts and streams.
#[utoipa::path(post, path = "/zones/reload", operation_id = "reload_zones", tag = "registry",
    responses(
        (status = 200, description = "The zones in force now", body = ZoneReload),
        (status = 422, description = "The zones stay as they are", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn reload(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
) -> Answer<Json<ZoneReload>> {
    let files = app.zone_files.clone();
    let done = app
        .lanes
        .short(move || {
            files.reload().map_err(|problems| {
                Problem::new(codes::BAD_ZONES, problems.join("\n"))
                    .hint("`citybrain zones check` says what is wrong with each feature.")
            })
        })
        .await?;
    audit::after(&done);
    tracing::info!(user.name = %principal.user, zones = done.zones, "reloaded the zones");
    Ok(Json(done))
}

/// A metric over the devices of a zone.
#[derive(Debug, Serialize, ToSchema)]
struct ZoneMetric {
    metric: String,
    mean: f64,
    min: f64,
    max: f64,
    /// How many devices count.
    devices: u64,
    /// The event time of the newest value that counts.
    #[schema(value_type = String, format = DateTime)]
    newest_at: Timestamp,
}

/// A zone in figures.
#[derive(Serialize, ToSchema)]
struct ZoneDetail {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    layer: String,
    /// A place inside, for the name: longitude and latitude.
    #[schema(value_type = schema::LonLat)]
    label: [f64; 2],
    /// West, south, east, north.
    #[schema(value_type = schema::Bounds)]
    bounds: [f64; 4],
    /// The zones above it in the hierarchy, the nearest first.
    above: Vec<String>,
    /// The zones right below it.
    below: Vec<String>,
    /// Its area in square kilometres, on a sphere.
    area_km2: f64,
    /// How many devices are in it now, moving ones included.
    devices: u64,
    devices_by_kind: BTreeMap<String, u64>,
    /// How many of them are offline.
    offline: u64,
    alerts_firing: u64,
    /// Trusted last values that are at most 15 minutes old.
    metrics: Vec<ZoneMetric>,
}

/// One zone in figures
#[utoipa::path(get, path = "/zones/{id}", operation_id = "get_zone", tag = "registry",
    params(("id" = String, Path, description = "The zone's id")),
    responses((status = 200, description = "The zone now", body = ZoneDetail)))]
async fn show(
    State(app): State<App>,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<Json<ZoneDetail>> {
    let directory = app.registry.directory();
    zone_key(&directory, &id)?;
    let reader = app.clone();
    app.lanes.short(move || detail(&reader, &directory, &id).map(Json)).await
}

fn detail(app: &App, directory: &Directory, id: &str) -> Answer<ZoneDetail> {
    let key = zone_key(directory, id)?;
    let now = app.clock.now();
    let states = app.hub.devices();
    let mut figures = FxHashMap::default();
    let mut by_kind = BTreeMap::new();
    let (mut devices, mut offline) = (0, 0);
    for device in directory.devices().filter(|device| device.life_cycle != LifeCycle::Retired) {
        let state = states.get(device.key.index()).cloned().unwrap_or_default();
        if !state.zones(device).contains(&key) {
            continue;
        }
        devices += 1;
        *by_kind.entry(device.kind.to_string()).or_default() += 1;
        let status = DeviceStatus::of(state.heard, device.interval, now);
        offline += u64::from(status == DeviceStatus::Offline);
        add_values(app, directory, device, now, &mut figures);
    }
    let mut metrics: Vec<ZoneMetric> = figures.into_values().collect();
    metrics.sort_by(|a, b| a.metric.cmp(&b.metric));
    for metric in &mut metrics {
        metric.mean /= metric.devices as f64;
    }
    let zone = directory.zone(key);
    let parent = |zone: &&Zone| zone.parent.and_then(|key| directory.zone(key));
    let above = std::iter::successors(zone.and_then(|zone| parent(&zone)), parent);
    let below = directory.zones().iter().filter(|zone| zone.parent == Some(key));
    Ok(ZoneDetail {
        id: id.to_owned(),
        name: zone.map(|zone| zone.name.clone()).unwrap_or_default(),
        layer: zone.map(|zone| zone.layer.to_string()).unwrap_or_default(),
        label: zone.map(|zone| lon_lat(zone.label)).unwrap_or_default(),
        bounds: zone.map(|zone| zone.bounds).unwrap_or_default(),
        above: above.map(|zone| zone.id.to_string()).collect(),
        below: below.map(|zone| zone.id.to_string()).collect(),
        area_km2: zone.map(|zone| zone.area_km2).unwrap_or_default(),
        devices,
        devices_by_kind: by_kind,
        offline,
        alerts_firing: app.board.firing_in(id),
        metrics,
    })
}

/// Adds a device's last values; `mean` holds the sum until all are added.
fn add_values(
    app: &App,
    directory: &Directory,
    device: &Arc<Device>,
    now: Timestamp,
    figures: &mut FxHashMap<city_model::MetricKey, ZoneMetric>,
) {
    for (key, last) in app.store.last_of_device(device.key) {
        let Some(metric) = directory.metrics.get(key) else { continue };
        let Some(value) = last.value.as_f64() else { continue };
        let fresh =
            if last.marks.has(Marks::DERIVED) { max_age(Some(DERIVED_EVERY)) } else { FRESH };
        if !last.quality.is_trusted() || now.since(last.time) > fresh {
            continue;
        }
        let figure = figures.entry(key).or_insert_with(|| ZoneMetric {
            metric: metric.id.to_string(),
            mean: 0.0,
            min: value,
            max: value,
            devices: 0,
            newest_at: last.time,
        });
        figure.mean += value;
        figure.min = figure.min.min(value);
        figure.max = figure.max.max(value);
        figure.devices += 1;
        figure.newest_at = figure.newest_at.max(last.time);
    }
}

/// A position as GeoJSON writes it.
pub(super) fn lon_lat(position: Position) -> [f64; 2] {
    [position.lon, position.lat]
}
