//! `/map`: all devices in columns, consistent with a position of the stream.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use city_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::live::MapColumns;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::Answer;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// All devices that are not retired, as the map shows them.
#[derive(Serialize, ToSchema)]
struct MapSnapshot {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Pass it as `after` to `/stream`: changes follow exactly from here.
    cursor: String,
    devices: MapColumns,
    /// The ids of the kinds, by index.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<Arc<str>>,
}

/// All devices on the map, in columns
#[utoipa::path(get, path = "/map", operation_id = "get_map", tag = "live",
    responses((status = 200, description = "The map now", body = MapSnapshot)))]
async fn show(State(app): State<App>, _: Parameters<NoParameters>) -> Answer<Json<MapSnapshot>> {
    let hub = app.hub.clone();
    app.lanes
        .short(move || {
            let (at, position, devices, kinds) = hub.map();
            Ok(Json(MapSnapshot { at, cursor: position.to_string(), devices, kinds }))
        })
        .await
}
