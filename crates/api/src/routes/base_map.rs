//! `/base-map`: what lies under the zones and the devices.

use std::io;
use std::path::Path;

use axum::Json;
use axum::extract::{Path as InPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use city_model::{LocalText, Timestamp};
use serde::Serialize;
use tower_http::services::ServeFile;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::base_map::{Content, Layer, LayerKind, TileCoordinates};
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, ProblemBody, codes};

/// How long a browser may keep a tile without asking, in seconds: an hour.
const KEEP: HeaderValue = HeaderValue::from_static("private, max-age=3600");
const VECTOR_TILE: HeaderValue = HeaderValue::from_static("application/vnd.mapbox-vector-tile");

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(file)).routes(routes!(tile))
}

/// What lies under the zones and the devices.
#[derive(Serialize, ToSchema)]
struct BaseMap {
    /// Lowest first.
    layers: Vec<BaseLayer>,
    /// When the newest of their files was changed; `null` if there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

/// One layer of the base map.
#[derive(Serialize, ToSchema)]
struct BaseLayer {
    id: String,
    kind: LayerKind,
    format: LayerFormat,
    /// Where it is; `{z}`, `{x}` and `{y}` stand for those of a tile.
    url: String,
    /// Where tiles are drawn; GeoJSON is in WGS-84 always.
    coordinates: TileCoordinates,
    /// Whose work it is.
    #[schema(value_type = crate::schema::LocalText)]
    attribution: LocalText,
    /// From which zoom on it is shown.
    min_zoom: u8,
    /// Up to which zoom there are tiles, or it is shown.
    max_zoom: u8,
}

/// How a layer is written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum LayerFormat {
    /// One file of features (RFC 7946).
    GeoJson,
    /// One archive of tiles, read by ranges.
    PmTiles,
    /// Tiles one by one.
    Tiles,
}

impl From<&Layer> for BaseLayer {
    fn from(layer: &Layer) -> Self {
        let (about, base) = (layer.about.clone(), "/api/v1/base-map");
        let (format, coordinates, url) = match &layer.content {
            Content::GeoJson(_) => (
                LayerFormat::GeoJson,
                TileCoordinates::Wgs84,
                format!("{base}/{}.geojson", about.id),
            ),
            Content::PmTiles(_) => (
                LayerFormat::PmTiles,
                TileCoordinates::Wgs84,
                format!("{base}/{}.pmtiles", about.id),
            ),
            Content::Tiles { ending, coordinates, .. } => {
                let url = format!("{base}/{}/{{z}}/{{x}}/{{y}}.{ending}", about.id);
                (LayerFormat::Tiles, *coordinates, url)
            }
        };
        Self {
            id: about.id,
            kind: about.kind,
            format,
            url,
            coordinates,
            attribution: about.attribution,
            min_zoom: about.min_zoom,
            max_zoom: about.max_zoom,
        }
    }
}

/// The layers of the base map
///
/// They are files of the city, which the configuration names; without any the list is empty.
#[utoipa::path(get, path = "/base-map", operation_id = "get_base_map", tag = "map",
    responses((status = 200, description = "The layers", body = BaseMap)))]
async fn show(State(app): State<App>, _: Parameters<NoParameters>) -> Json<BaseMap> {
    let map = &app.base_map;
    Json(BaseMap {
        layers: map.layers.iter().map(BaseLayer::from).collect(),
        updated_at: map.updated_at,
    })
}

fn unknown(what: &str) -> Problem {
    Problem::new(codes::NOT_FOUND, format!("The base map has no {what}."))
        .hint("GET /api/v1/base-map lists its layers, each with its address.")
}

/// The file of a layer of the base map
///
/// GeoJSON, or an archive of tiles in the format PMTiles 3, which is read by ranges (RFC 9110,
/// section 14).
#[utoipa::path(get, path = "/base-map/{file}", operation_id = "get_base_map_file", tag = "map",
    params(("file" = String, Path, description = "The id of the layer with its ending")),
    responses((status = 200, description = "The file", content(
            (String = "application/geo+json"), (Vec<u8> = "application/octet-stream"))),
        (status = 206, description = "The part that was asked for",
            content((Vec<u8> = "application/octet-stream"))),
        (status = 304, description = "It has not changed"),
        (status = 416, description = "There is no such part", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn file(
    State(app): State<App>,
    InPath(name): InPath<String>,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
    request: Request,
) -> Answer<Response> {
    let (id, ending) = name.rsplit_once('.').ok_or_else(|| unknown("such file"))?;
    let layer = app.base_map.layer(id).ok_or_else(|| unknown("such layer"))?;
    match (&layer.content, ending) {
        (Content::GeoJson(encoded), "geojson") => Ok(encoded.answer(&headers)),
        (Content::PmTiles(path), "pmtiles") => sent(path, request).await,
        _ => Err(unknown("such file")),
    }
}

/// A tile of a layer of the base map
#[utoipa::path(get, path = "/base-map/{layer}/{z}/{x}/{y}", operation_id = "get_base_map_tile",
    tag = "map",
    params(("layer" = String, Path, description = "The id of the layer"),
        ("z" = u8, Path, description = "The zoom"),
        ("x" = u32, Path, description = "The column, counted from the west"),
        ("y" = String, Path, description = "The row, counted from the north, with the ending")),
    responses((status = 200, description = "The tile", content(
            (Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"),
            (Vec<u8> = "application/vnd.mapbox-vector-tile"))),
        (status = 206, description = "The part that was asked for",
            content((Vec<u8> = "image/png"))),
        (status = 304, description = "It has not changed"),
        (status = 416, description = "There is no such part", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn tile(
    State(app): State<App>,
    InPath((id, zoom, column, row)): InPath<(String, String, String, String)>,
    _: Parameters<NoParameters>,
    request: Request,
) -> Answer<Response> {
    let layer = app.base_map.layer(&id).ok_or_else(|| unknown("such layer"))?;
    let Content::Tiles { folder, ending, .. } = &layer.content else {
        return Err(unknown("such tile"));
    };
    // Numbers alone: nothing in an address leads out of the folder.
    let number = |text: &str| text.parse::<u32>().map_err(|_| unknown("such tile"));
    let row = row.strip_suffix(ending.as_str()).and_then(|row| row.strip_suffix('.'));
    let row = number(row.ok_or_else(|| unknown("such tile"))?)?;
    let (zoom, column) = (number(&zoom)?, number(&column)?);
    sent(&folder.join(format!("{zoom}/{column}/{row}.{ending}")), request).await
}

/// A file or the part of it that was asked for.
async fn sent(path: &Path, mut request: Request) -> Answer<Response> {
    // Nobody changes a map through this address, so nothing can be in the way.
    request.headers_mut().remove(header::IF_UNMODIFIED_SINCE);
    let answer = match ServeFile::new(path).try_call(request).await {
        Ok(answer) => answer,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown("such tile")),
        Err(error) => {
            tracing::error!(error.cause = %error, file = %path.display(), "a base map is unreadable");
            let detail = "The file of the base map cannot be read.";
            return Err(Problem::new(codes::INTERNAL, detail));
        }
    };
    match answer.status() {
        StatusCode::NOT_FOUND => return Err(unknown("such tile")),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            return Err(Problem::new(codes::NO_SUCH_PART, "The file has no such part.")
                .hint("Ask for one that begins before its end, such as `Range: bytes=0-99`."));
        }
        _ => {}
    }
    let mut answer = answer.into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, KEEP);
    if path.extension().is_some_and(|ending| ending == "pbf") {
        answer.headers_mut().insert(header::CONTENT_TYPE, VECTOR_TILE);
    }
    Ok(answer)
}
