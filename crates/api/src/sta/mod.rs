//! OGC SensorThings API 1.1 (OGC 18-088), sensing profile, read side, under `/sta/v1.1`.
//!
//! The language is that of `city-sta`; what its entities are in our model stands in [`item`].

mod answers;
mod history;
mod item;
mod links;
mod observations;
mod pages;
mod properties;
mod world;

use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::Uri};
use city_sta::{EntityType, Expand, Options, ResourcePath, SyntaxError};
use city_store::Cancel;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::open::Base;
use crate::problem::{Answer, Problem, codes};
use answers::Found;
use world::World;

/// The addresses of the service begin so.
const ROOT: &str = "/sta/v1.1";

/// The addresses that a document can tell; what is below them is answered by [`deeper`].
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(service)).routes(routes!(resources))
}

/// What can be asked for, as OGC SensorThings API 1.1 says
#[utoipa::path(get, path = "", operation_id = "get_sensor_things", tag = "interoperability",
    responses((status = 200, description = "The sets of entities, and the requirements that are met",
        body = serde_json::Value)))]
async fn service(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    base: Base,
    headers: HeaderMap,
) -> Answer<Response> {
    respond(app, &uri, base, &headers).await
}

/// Entities of OGC SensorThings API 1.1: Things, Locations, Datastreams, Observations and the others
///
/// Addresses go on as the standard says, such as `/sta/v1.1/Things('air-1')/Datastreams`. Query
/// options are `$filter`, `$expand`, `$select`, `$orderby`, `$top`, `$skip`, `$count` and for
/// Observations `$resultFormat=dataArray`. Text is in Chinese where `Accept-Language` begins with it.
#[utoipa::path(get, path = "/{resource}", operation_id = "get_sensor_things_resource",
    tag = "interoperability",
    params(("resource" = String, Path, description = "A set or an entity, such as `Things('air-1')`")),
    responses((status = 200, description = "What is there", body = serde_json::Value),
        (status = 204, description = "A property that has no value")))]
async fn resources(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    base: Base,
    headers: HeaderMap,
) -> Answer<Response> {
    respond(app, &uri, base, &headers).await
}

/// Everything further below.
pub(crate) async fn deeper(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    base: Base,
    headers: HeaderMap,
) -> Answer<Response> {
    respond(app, &uri, base, &headers).await
}

async fn respond(app: App, uri: &Uri, Base(base): Base, headers: &HeaderMap) -> Answer<Response> {
    let below = uri.path().strip_prefix(ROOT).unwrap_or_default().trim_start_matches('/');
    let path = links::decode(below).ok_or_else(|| {
        Problem::new(codes::BAD_PARAMETER, "The path is not UTF-8.")
            .hint("Percent-encode it as UTF-8.")
    })?;
    let path = ResourcePath::parse(&path).map_err(|error| problem(codes::NOT_FOUND, &error))?;
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| Problem::new(codes::BAD_PARAMETER, error.body_text()))?;
    let kind = path.steps.last().map_or(EntityType::Thing, |step| step.target);
    let options = Options::parse(kind, &pairs);
    let options = options.map_err(|error| problem(codes::BAD_PARAMETER, &error))?;
    if path.steps.is_empty() && !pairs.is_empty() {
        return Err(Problem::new(codes::UNKNOWN_PARAMETER, "The service itself has no options.")
            .hint("They are for sets and entities, such as /sta/v1.1/Things?$top=5."));
    }
    let root = format!("{base}{ROOT}");
    let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let chinese = language.is_some_and(|language| language.starts_with("zh"));
    let worker = app.clone();
    let looks_back = path.steps.iter().any(|step| is_history(step.target))
        || options.expand.iter().any(expands_history);
    let work = move |cancel: &Cancel| {
        let world = World::new(&worker, root, chinese, cancel.clone());
        answers::answer(&world, &path, &options)
    };
    let found = if looks_back {
        app.lanes.history(work).await?
    } else {
        app.lanes.short(move || work(&Cancel::never())).await?
    };
    let mut response = match found {
        Found::Json(json) => Json(json).into_response(),
        Found::Text(text) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        Found::Nothing => StatusCode::NO_CONTENT.into_response(),
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-language"));
    Ok(response)
}

const fn is_history(kind: EntityType) -> bool {
    matches!(kind, EntityType::Observation | EntityType::HistoricalLocation)
}

fn expands_history(expand: &Expand) -> bool {
    is_history(expand.relation.target) || expand.options.expand.iter().any(expands_history)
}

fn problem(code: &'static crate::problem::Code, error: &SyntaxError) -> Problem {
    Problem::new(code, format!("{error}."))
        .hint(format!("{}.", error.hint))
        .with("option", &error.option)
        .with("at", error.at)
}
