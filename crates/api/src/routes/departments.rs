//! `/departments`: the owners of devices and rules.

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

/// An owner of devices and rules.
#[derive(Serialize, ToSchema)]
struct Department {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// How many devices it owns.
    devices: u64,
}

/// All departments.
#[derive(Serialize, ToSchema)]
struct DepartmentList {
    items: Vec<Department>,
}

/// The departments, with how many devices they own
#[utoipa::path(get, path = "/departments", operation_id = "list_departments", tag = "registry",
    responses((status = 200, description = "All departments", body = DepartmentList)))]
async fn list(State(app): State<App>, _: Parameters<NoParameters>) -> Answer<Json<DepartmentList>> {
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            let mut devices: FxHashMap<String, u64> = FxHashMap::default();
            for device in registry.directory().devices() {
                *devices.entry(device.department.to_string()).or_default() += 1;
            }
            let departments = registry.departments()?.into_iter();
            let items = departments.map(|department| Department {
                devices: devices.get(&department.id).copied().unwrap_or(0),
                id: department.id,
                name: department.name,
            });
            Ok(Json(DepartmentList { items: items.collect() }))
        })
        .await
}
