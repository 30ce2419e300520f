//! `/departments`: the owners of devices and rules.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use city_model::LocalText;
use city_registry::tag;
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::Principal;
use crate::document::{created, named};
use crate::extract::{Body, Id};
use crate::list::{Part, Words, fresh};
use crate::parameters::{NoParameters, Parameters, With, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::schema;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
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
    /// By id.
    items: Vec<Department>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// The departments, with how many devices they own
#[utoipa::path(get, path = "/departments", operation_id = "list_departments", tag = "registry",
    params(Words, Part),
    responses((status = 200, description = "The departments", body = DepartmentList),
        (status = 304, description = "Nothing changed since the ETag that was sent")))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(With(words, part)): Parameters<With<Words, Part>>,
) -> Answer<Response> {
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            let mut devices: FxHashMap<String, u64> = FxHashMap::default();
            for device in registry.directory().devices() {
                *devices.entry(device.department.to_string()).or_default() += 1;
            }
            let mut departments = registry.departments()?;
            departments.retain(|of| words.are_in(&[&of.id, &of.name.en, &of.name.zh]));
            let departments = departments.into_iter().map(|department| Department {
                devices: devices.get(&department.id).copied().unwrap_or(0),
                configured: registry.is_configured("department", &department.id),
                id: department.id,
                name: department.name,
            });
            let (items, next_cursor) =
                part.of_sorted(departments.collect(), |of: &Department| &of.id)?;
            fresh(&headers, &DepartmentList { items, next_cursor })
        })
        .await
}

/// A department as it is named.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes city_registry::Department")]
struct DepartmentEntry {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
}

/// One department as it is named
#[utoipa::path(get, path = "/departments/{id}", operation_id = "get_department", tag = "registry",
    params(("id" = String, Path, description = "The department's id")),
    responses((status = 200, description = "Its name; its ETag is for `If-Match`",
        body = DepartmentEntry)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let (registry, of) = (app.registry.clone(), id.clone());
    let found = app.lanes.short(move || Ok(registry.department(&of)?)).await?;
    let department = found.ok_or_else(|| unknown(&id))?;
    Ok((etag(&tag(&department)), Json(department)).into_response())
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
///
/// To replace, `If-Match` must say which name it replaces.
#[utoipa::path(put, path = "/departments/{id}", operation_id = "put_department", tag = "registry",
    params(("id" = String, Path, description = "The department's id")),
    request_body = DepartmentName,
    responses((status = 200, description = "It is called so now", body = DepartmentEntry),
        (status = 201, description = "It is new", body = DepartmentEntry),
        (status = 409, description = "It is there already, and nothing says which is meant; or \
            the configuration names it", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<Map<String, Value>>,
) -> Answer<Response> {
    let department: city_registry::Department = named("id", &id, body)?;
    let (registry, of) = (app.registry.clone(), id.clone());
    let change = move |before: Option<&city_registry::Department>| {
        audit::before(before);
        if !registry.is_configured("department", &of) {
            precondition.check_replacing(before.map(tag).as_deref())?;
        }
        audit::after(&department);
        Ok::<_, Problem>(department)
    };
    let (registry, of) = (app.registry.clone(), id.clone());
    let (named, new) = app.lanes.short(move || registry.change_department(&of, change)).await?;
    tracing::info!(user.name = %principal.user, department.id = id, "named a department");
    Ok((created(new), etag(&tag(&named)), Json(named)).into_response())
}

/// Forget a department that owns no device
#[utoipa::path(delete, path = "/departments/{id}", operation_id = "delete_department",
    tag = "registry",
    params(("id" = String, Path, description = "The department's id")),
    responses((status = 204, description = "It is forgotten"),
        (status = 409, description = "It owns devices, or the configuration names it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
) -> Answer<StatusCode> {
    let (registry, of) = (app.registry.clone(), id.clone());
    let check = move |named: &city_registry::Department| {
        audit::before(named);
        precondition.check(Some(&tag(named)))
    };
    let found = app.lanes.short(move || registry.remove_department(&of, check)).await?;
    if !found {
        return Err(unknown(&id));
    }
    tracing::info!(user.name = %principal.user, department.id = id, "removed a department");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Problem {
    let detail = format!("Nobody named a department `{}`.", short(id));
    Problem::new(codes::UNKNOWN_DEPARTMENT, detail).hint("GET /api/v1/departments lists them.")
}
