//! `/track`: where a moving device was.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use city_model::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::readings::DEFAULT_RANGE;
use super::zones::lon_lat;
use crate::app::App;
use crate::parameters::{FromPairs, Pairs, Parameters, time_range};
use crate::problem::Answer;
use crate::schema;
use crate::select;

/// The most positions in one answer.
const MAX_POSITIONS: usize = 10_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// A GeoJSON feature: the line along which a device moved.
#[derive(Serialize, ToSchema)]
struct Track {
    #[schema(inline)]
    r#type: schema::FeatureType,
    properties: TrackProperties,
    /// `null` if fewer than two positions are known.
    geometry: Option<TrackLine>,
}

/// What belongs to the line.
#[derive(Serialize, ToSchema)]
struct TrackProperties {
    device: String,
    /// When it was at each position, in the same order.
    #[schema(value_type = Vec<String>)]
    times: Vec<Timestamp>,
    /// Whether there are more positions than are given.
    truncated: bool,
}

/// A GeoJSON geometry.
#[derive(Serialize, ToSchema)]
struct TrackLine {
    #[schema(inline)]
    r#type: schema::LineStringType,
    /// Longitude and latitude of each position.
    #[schema(value_type = Vec<schema::LonLat>)]
    coordinates: Vec<[f64; 2]>,
}

/// Whose track and when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct TrackQuery {
    /// The device's id.
    device: String,
    /// The first instant, RFC 3339; six hours before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl FromPairs for TrackQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        Ok(Self { device: pairs.required("device")?, from, to })
    }
}

/// Where a moving device was, as GeoJSON
#[utoipa::path(get, path = "/track", operation_id = "get_track", tag = "readings",
    params(TrackQuery),
    responses((status = 200, description = "The track", body = Track,
        content_type = "application/geo+json")))]
async fn show(
    State(app): State<App>,
    Parameters(query): Parameters<TrackQuery>,
) -> Answer<Response> {
    let directory = app.registry.directory();
    let device = select::device(&directory, &query.device)?.key;
    let range = time_range((query.from, query.to), app.clock.now(), DEFAULT_RANGE)?;
    let store = app.store.clone();
    let mut positions =
        app.lanes.history(move |_| Ok(store.track(device, range, MAX_POSITIONS + 1)?)).await?;
    let truncated = positions.len() > MAX_POSITIONS;
    positions.truncate(MAX_POSITIONS);
    let coordinates: Vec<_> = positions.iter().map(|(_, position)| lon_lat(*position)).collect();
    let track = Track {
        r#type: schema::FeatureType::Feature,
        properties: TrackProperties {
            device: query.device,
            times: positions.iter().map(|(time, _)| *time).collect(),
            truncated,
        },
        // A line has at least two positions (RFC 7946, section 3.1.4).
        geometry: (coordinates.len() >= 2)
            .then_some(TrackLine { r#type: schema::LineStringType::LineString, coordinates }),
    };
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], Json(track)).into_response())
}
