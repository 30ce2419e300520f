//! `/devices/{id}` as it is registered: put, changed, taken out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use city_registry::{Change, DeviceEntry, tag};
use city_store::LedgerKey;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Role};
use crate::document::{created, merge, named};
use crate::extract::{Body, Id};
use crate::parameters::{NoParameters, Parameters, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::schema;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(put, patch, remove)).routes(routes!(show))
}

/// What is registered of a device: without what its kind gives it and without how it is now
#[utoipa::path(get, path = "/devices/{id}/entry", operation_id = "get_device_entry",
    tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    responses((status = 200, description = "The entry; its ETag is for `If-Match`",
        body = schema::DeviceEntry)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let registry = app.registry.clone();
    let entry = app.lanes.short(move || registry.entry(&id).ok_or_else(|| unknown(&id))).await?;
    Ok((etag(&tag(&entry)), Json(entry)).into_response())
}

/// Register a device, or replace what is registered of it
///
/// To replace, `If-Match` must say which entry it replaces. A position is in the coordinate system
/// that it names.
#[utoipa::path(put, path = "/devices/{id}", operation_id = "put_device", tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    request_body = schema::DeviceEntry,
    responses((status = 200, description = "It is so now", body = schema::DeviceEntry),
        (status = 201, description = "It is new", body = schema::DeviceEntry),
        (status = 409, description = "It is there already, and nothing says which entry is meant",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<Map<String, Value>>,
) -> Answer<Response> {
    let entry: DeviceEntry = named("id", &id, body)?;
    change(&app, principal, id, move |before| {
        precondition.check_replacing(before.map(tag).as_deref())?;
        Ok(entry)
    })
    .await
}

/// Change some members of what is registered of a device; `null` takes one out (RFC 7396)
///
/// To take a device out of service, send `{"life_cycle": "retired"}`.
#[utoipa::path(patch, path = "/devices/{id}", operation_id = "patch_device", tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "It is so now", body = schema::DeviceEntry),
        (status = 412, description = "It is not as you saw it",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn patch(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(patch): Body<Map<String, Value>>,
) -> Answer<Response> {
    let of = id.clone();
    change(&app, principal, id, move |before| {
        let before = before.ok_or_else(|| unknown(&of))?;
        precondition.check(Some(&tag(before)))?;
        let mut entry = serde_json::to_value(before).unwrap_or_default();
        merge(&mut entry, Value::Object(patch));
        let Value::Object(entry) = entry else { return Err(unknown(&of)) };
        named("id", &of, entry)
    })
    .await
}

async fn change(
    app: &App,
    principal: Principal,
    id: String,
    change: impl FnOnce(Option<&DeviceEntry>) -> Answer<DeviceEntry> + Send + 'static,
) -> Answer<Response> {
    let registry = app.registry.clone();
    let of = id.clone();
    let rights = principal.rights.clone();
    // Both the department that it has and the one that it gets: what the guard saw may be over.
    let change = move |before: Option<&DeviceEntry>| {
        audit::before(before);
        let entry = change(before)?;
        audit::department(&before.unwrap_or(&entry).department);
        let departments = before.map(|before| &before.department).into_iter();
        let departments = departments.chain([&entry.department]).map(String::as_str);
        rights.require_all(Role::Engineer, departments)?;
        Ok(entry)
    };
    let (entry, done) = app.lanes.short(move || registry.change_device(&of, change)).await?;
    audit::after(&entry);
    if done != Change::Unchanged {
        tracing::info!(user.name = %principal.user, device.id = id, ?done, "changed a device");
    }
    Ok((created(done == Change::Added), etag(&tag(&entry)), Json(entry)).into_response())
}

/// Take a device out that was registered by mistake and never sent anything
///
/// A device with a history is retired instead, so that its readings keep their name.
#[utoipa::path(delete, path = "/devices/{id}", operation_id = "delete_device", tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    responses((status = 204, description = "It is not registered any more"),
        (status = 409, description = "It has a history",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
) -> Answer<StatusCode> {
    let (registry, store, of) = (app.registry.clone(), app.store.clone(), id.clone());
    app.lanes
        .short(move || {
            let directory = registry.directory();
            let key = directory.device_by_id(&of).ok_or_else(|| unknown(&of))?.key;
            let silent = |counted: &(LedgerKey, city_store::Counters)| {
                counted.0 != LedgerKey::Device(key) || counted.1.received == 0
            };
            if !store.ledger().iter().all(silent) || !store.last_of_device(key).is_empty() {
                let detail = format!("The device `{}` has sent something.", short(&of));
                return Err(Problem::new(codes::HAS_HISTORY, detail).hint(
                    "Retire it: PATCH with {\"life_cycle\": \"retired\"}. Its readings stay.",
                ));
            }
            let check = |entry: &DeviceEntry| {
                audit::before(entry);
                audit::department(&entry.department);
                precondition.check(Some(&tag(entry)))
            };
            if registry.remove_device(&of, check)? { Ok(()) } else { Err(unknown(&of)) }
        })
        .await?;
    tracing::info!(user.name = %principal.user, device.id = id, "removed a device");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_DEVICE, format!("There is no device `{}`.", short(id)))
        .hint("GET /api/v1/devices lists them.")
}
