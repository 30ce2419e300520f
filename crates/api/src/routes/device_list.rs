//! `/devices/import` and `/devices/export`: the registry as a file.

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use city_registry::{DeviceEntry, ImportReport, RegistryError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Principal;
use crate::extract::Body;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, codes};
use crate::schema;

/// A list of 100,000 devices with attributes is about 40 MB.
const LIST_LIMIT: usize = 64 << 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(import))
        .layer(DefaultBodyLimit::max(LIST_LIMIT))
        .routes(routes!(export))
}

/// What an import did.
#[derive(Serialize, ToSchema)]
struct Imported {
    /// Devices that were not there before.
    added: usize,
    /// Devices that are different now.
    changed: usize,
    /// Devices that were there already, exactly so.
    unchanged: usize,
}

/// Add devices, or change those whose id is known: all or none
#[utoipa::path(post, path = "/devices/import", operation_id = "import_devices", tag = "registry",
    request_body = Vec<schema::DeviceEntry>,
    responses((status = 200, description = "All of them are registered now", body = Imported)))]
async fn import(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
    Body(entries): Body<Vec<DeviceEntry>>,
) -> Answer<Json<Imported>> {
    let registry = app.registry.clone();
    let ImportReport { added, changed, unchanged } = app
        .lanes
        .short(move || {
            registry.import(&entries).map_err(|error| match error {
                RegistryError::Import(_) => Problem::new(codes::BAD_DEVICES, error.to_string())
                    .hint("Mend all of them and send the whole list again."),
                other => Problem::internal(&other),
            })
        })
        .await?;
    tracing::info!(user.name = %principal.user, added, changed, "imported devices");
    Ok(Json(Imported { added, changed, unchanged }))
}

/// All devices in the shape in which they can be imported
#[utoipa::path(get, path = "/devices/export", operation_id = "export_devices", tag = "registry",
    responses((status = 200, description = "All devices", body = Vec<schema::DeviceEntry>)))]
async fn export(State(app): State<App>, _: Parameters<NoParameters>) -> Json<Vec<DeviceEntry>> {
    Json(app.registry.export())
}
