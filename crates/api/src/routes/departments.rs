//! `/departments`: the owners of devices and rules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use city_model::LocalText;
use city_registry::Registry;
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::Principal;
use crate::document::named;
use crate::extract::{Body, Id};
use crate::parameters::{NoParameters, Parameters, short};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::schema;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, remove))
}

/// An owner of devices and rules.
#[derive(Serialize, ToSchema)]
struct Department {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// How many devices it owns.
    devices: u64,
    /// Whether the configuration names it, so that it can be changed there only.
    configured: bool,
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
                configured: registry.is_configured("department", &department.id),
                id: department.id,
                name: department.name,
            });
            Ok(Json(DepartmentList { items: items.collect() }))
        })
        .await
}

/// What people call a department.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes the body")]
struct DepartmentName {
    /// As one text for both languages or one for each.
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
}

/// Name a department, anew or for the first time
#[utoipa::path(put, path = "/departments/{id}", operation_id = "put_department", tag = "registry",
    params(("id" = String, Path, description = "The department's id")),
    request_body = DepartmentName,
    responses((status = 204, description = "It is called so now"),
        (status = 409, description = "The configuration names it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(body): Body<Map<String, Value>>,
) -> Answer<StatusCode> {
    let department: city_registry::Department = named("id", &id, body)?;
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            audit::before(named_before(&registry, &department.id)?);
            registry.put_department(&department)?;
            audit::after(&department);
            Ok(())
        })
        .await?;
    tracing::info!(user.name = %principal.user, department.id = id, "named a department");
    Ok(StatusCode::NO_CONTENT)
}

/// A department as it is named now.
fn named_before(registry: &Registry, id: &str) -> Answer<Option<city_registry::Department>> {
    Ok(registry.departments()?.into_iter().find(|department| department.id == id))
}

/// Forget a department that owns no device
#[utoipa::path(delete, path = "/departments/{id}", operation_id = "delete_department",
    tag = "registry",
    params(("id" = String, Path, description = "The department's id")),
    responses((status = 204, description = "It is forgotten"),
        (status = 409, description = "It owns devices, or the configuration names it",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<StatusCode> {
    let (registry, of) = (app.registry.clone(), id.clone());
    let remove = move || {
        audit::before(named_before(&registry, &of)?);
        Ok(registry.remove_department(&of)?)
    };
    let found = app.lanes.short(remove).await?;
    if !found {
        let detail = format!("Nobody named a department `{}`.", short(&id));
        return Err(Problem::new(codes::UNKNOWN_DEPARTMENT, detail)
            .hint("GET /api/v1/departments lists them."));
    }
    tracing::info!(user.name = %principal.user, department.id = id, "removed a department");
    Ok(StatusCode::NO_CONTENT)
}
