//! `/datasets`: what departments make public under `/open/v1`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Role};
use crate::document::{created, named};
use crate::extract::{Body, Id};
use crate::list::Part;
use crate::open::{Dataset, Kept};
use crate::parameters::{NoParameters, Parameters, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, bad_fields, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
}

/// All datasets that you may look after.
#[derive(Serialize, ToSchema)]
struct DatasetList {
    items: Vec<Dataset>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// What departments make public
#[utoipa::path(get, path = "/datasets", operation_id = "list_datasets", tag = "open data",
    params(Part),
    responses((status = 200, description = "The datasets by id", body = DatasetList)))]
async fn list(
    State(app): State<App>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<DatasetList>> {
    let marks = app.open.marked.current();
    let datasets = marks.datasets.values().map(|kept| kept.dataset.clone()).collect();
    let (items, next_cursor) = part.of_sorted(datasets, |dataset: &Dataset| &dataset.id)?;
    Ok(Json(DatasetList { items, next_cursor }))
}

/// One dataset
#[utoipa::path(get, path = "/datasets/{id}", operation_id = "get_dataset", tag = "open data",
    params(("id" = String, Path, description = "The dataset's id")),
    responses((status = 200, description = "The dataset; its ETag is for `If-Match`",
        body = Dataset)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let marks = app.open.marked.current();
    let kept = marks.datasets.get(&id).ok_or_else(|| unknown(&id))?;
    Ok((etag(&kept.tag()), Json(&kept.dataset)).into_response())
}

/// Say what is public of a department: it holds at once
#[utoipa::path(put, path = "/datasets/{id}", operation_id = "put_dataset", tag = "open data",
    params(("id" = String, Path, description = "The dataset's id")),
    request_body = Dataset,
    responses((status = 200, description = "It is so now", body = Dataset),
        (status = 201, description = "It is new", body = Dataset),
        (status = 409, description = "It is there already, and nothing says which is meant",
            body = ProblemBody, content_type = "application/problem+json"),
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
    let dataset: Dataset = named("id", &id, body)?;
    principal.rights.require(Role::Engineer, &dataset.department)?;
    let (worker, of, user) = (app.clone(), id.clone(), principal.user.clone());
    let (kept, new) = app
        .lanes
        .short(move || {
            let problems = dataset.problems(&worker.registry)?;
            if !problems.is_empty() {
                return Err(bad_fields(&problems));
            }
            audit::department(&dataset.department);
            audit::after(&dataset);
            let change = |before: Option<&Kept>| {
                audit::before(before.map(|kept| &kept.dataset));
                precondition.check_replacing(before.map(Kept::tag).as_deref())?;
                Ok(dataset)
            };
            worker.open.marked.change(&of, (&user, worker.clock.now()), change)
        })
        .await?;
    tracing::info!(
        user.name = %principal.user, dataset.id = id, dataset.enabled = kept.dataset.enabled,
        "described a dataset"
    );
    Ok((created(new), etag(&kept.tag()), Json(&kept.dataset)).into_response())
}

/// Forget a dataset: what it selected is not public any more, at once
#[utoipa::path(delete, path = "/datasets/{id}", operation_id = "delete_dataset", tag = "open data",
    params(("id" = String, Path, description = "The dataset's id")),
    responses((status = 204, description = "It is forgotten"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
) -> Answer<StatusCode> {
    let (worker, of) = (app.clone(), id.clone());
    let check = move |kept: &Kept| {
        audit::department(&kept.dataset.department);
        audit::before(&kept.dataset);
        precondition.check(Some(&kept.tag()))
    };
    let found = app.lanes.short(move || worker.open.marked.remove(&of, check)).await?;
    if !found {
        return Err(unknown(&id));
    }
    tracing::info!(user.name = %principal.user, dataset.id = id, "removed a dataset");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_DATASET, format!("There is no dataset `{}`.", short(id)))
        .hint("GET /api/v1/datasets lists them; PUT describes one.")
}
