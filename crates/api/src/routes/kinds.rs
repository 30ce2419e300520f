//! `/kinds`: the kinds of devices, and what their devices have in common.

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

/// A kind of device.
#[derive(Serialize, ToSchema)]
struct Kind {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// How many devices are of this kind.
    devices: u64,
    /// Whether the configuration describes it, so that it can be changed there only.
    configured: bool,
    /// What its devices have in common.
    #[schema(value_type = schema::KindEntry)]
    template: city_registry::Kind,
}

/// All kinds.
#[derive(Serialize, ToSchema)]
struct KindList {
    /// By id.
    items: Vec<Kind>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// The kinds of devices, with how many there are
#[utoipa::path(get, path = "/kinds", operation_id = "list_kinds", tag = "registry",
    params(Words, Part),
    responses((status = 200, description = "The kinds", body = KindList),
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
                *devices.entry(device.kind.to_string()).or_default() += 1;
            }
            let mut kinds = registry.kinds();
            kinds.retain(|kind| words.are_in(&[&kind.id, &kind.name.en, &kind.name.zh]));
            let kinds = kinds.into_iter().map(|kind| Kind {
                devices: devices.get(&kind.id).copied().unwrap_or(0),
                configured: registry.is_configured("kind", &kind.id),
                id: kind.id.clone(),
                name: kind.name.clone(),
                template: kind,
            });
            let (items, next_cursor) = part.of_sorted(kinds.collect(), |kind: &Kind| &kind.id)?;
            fresh(&headers, &KindList { items, next_cursor })
        })
        .await
}

/// One kind as a template
#[utoipa::path(get, path = "/kinds/{id}", operation_id = "get_kind", tag = "registry",
    params(("id" = String, Path, description = "The kind's id")),
    responses((status = 200, description = "The template; its ETag is for `If-Match`",
        body = schema::KindEntry)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let kind = app.registry.kind(&id).ok_or_else(|| unknown(&id))?;
    Ok((etag(&tag(&kind)), Json(kind)).into_response())
}

/// Describe a kind: what holds for its devices where they say nothing themselves, from now on
#[utoipa::path(put, path = "/kinds/{id}", operation_id = "put_kind", tag = "registry",
    params(("id" = String, Path, description = "The kind's id")),
    request_body = schema::KindEntry,
    responses((status = 200, description = "It is so now", body = schema::KindEntry),
        (status = 201, description = "It is new", body = schema::KindEntry),
        (status = 409, description = "It is there already, and nothing says which is meant; or \
            the configuration describes it", body = ProblemBody,
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
    let kind: city_registry::Kind = named("id", &id, body)?;
    let (registry, of) = (app.registry.clone(), id.clone());
    let change = move |before: Option<&city_registry::Kind>| {
        audit::before(before);
        if !registry.is_configured("kind", &of) {
            precondition.check_replacing(before.map(tag).as_deref())?;
        }
        Ok::<_, Problem>(kind)
    };
    let (registry, of) = (app.registry.clone(), id.clone());
    let (kind, new) = app.lanes.short(move || registry.change_kind(&of, change)).await?;
    audit::after(&kind);
    tracing::info!(user.name = %principal.user, kind.id = id, "described a kind");
    Ok((created(new), etag(&tag(&kind)), Json(kind)).into_response())
}

/// Forget a kind that no device is of
#[utoipa::path(delete, path = "/kinds/{id}", operation_id = "delete_kind", tag = "registry",
    params(("id" = String, Path, description = "The kind's id")),
    responses((status = 204, description = "It is forgotten"),
        (status = 409, description = "Devices are of it, or the configuration describes it",
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
    audit::before(app.registry.kind(&id));
    let (registry, of) = (app.registry.clone(), id.clone());
    let check = move |kind: &city_registry::Kind| precondition.check(Some(&tag(kind)));
    let found = app.lanes.short(move || registry.remove_kind(&of, check)).await?;
    if !found {
        return Err(unknown(&id));
    }
    tracing::info!(user.name = %principal.user, kind.id = id, "removed a kind");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_KIND, format!("Nobody described a kind `{}`.", short(id)))
        .hint("GET /api/v1/kinds lists them; PUT describes one.")
}
