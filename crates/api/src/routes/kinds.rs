//! `/kinds`: the kinds of devices.

use axum::Json;
use axum::extract::State;
use city_model::LocalText;
use rustc_hash::FxHashMap;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::Answer;
use crate::schema;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A kind of device.
#[derive(Serialize, ToSchema)]
struct Kind {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// How many devices are of this kind.
    devices: u64,
}

/// All kinds.
#[derive(Serialize, ToSchema)]
struct KindList {
    items: Vec<Kind>,
}

/// The kinds of devices, with how many there are
#[utoipa::path(get, path = "/kinds", operation_id = "list_kinds", tag = "registry",
    responses((status = 200, description = "All kinds", body = KindList)))]
async fn list(State(app): State<App>, _: Parameters<NoParameters>) -> Answer<Json<KindList>> {
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            let mut devices: FxHashMap<String, u64> = FxHashMap::default();
            for device in registry.directory().devices() {
                *devices.entry(device.kind.to_string()).or_default() += 1;
            }
            let kinds = registry.kinds().into_iter();
            let items = kinds.map(|kind| Kind {
                devices: devices.get(&kind.id).copied().unwrap_or(0),
                id: kind.id,
                name: kind.name,
            });
            Ok(Json(KindList { items: items.collect() }))
        })
        .await
}
