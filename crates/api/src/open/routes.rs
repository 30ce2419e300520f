//! The addresses under `/open/v1`. Handlers take a [`PublicView`] and never the whole state.
//!
//! Those who limit rates treat every address for which [`super::is_open`] holds as one class.

use axum::extract::{FromRequestParts, OriginalUri, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::Uri};
use city_model::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::base::Base;
use super::cache::{CACHE_CONTROL, Encoded};
use super::describe::{self, OpenCatalogue, OpenDataset};
use super::readings::{self, OpenReadingPage, OpenReadingsQuery};
use super::tables::{OpenRows, OpenTable, Table};
use super::view::PublicView;
use super::{day, dcat, page, rdf};
use crate::app::App;
use crate::extract::Id;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, codes};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";
const TURTLE: &str = "text/turtle; charset=utf-8";

/// All of them.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(catalogue))
        .routes(routes!(catalogue_json_ld))
        .routes(routes!(catalogue_turtle))
        .routes(routes!(style))
        .routes(routes!(dataset))
        .routes(routes!(table))
        .routes(routes!(readings_json))
        .routes(routes!(readings_csv))
        .routes(routes!(day))
}

/// How a catalogue is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Html,
    JsonLd,
    Turtle,
}

impl Form {
    /// The first in the header `Accept` that there is; JSON for whoever does not care.
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        let mut best = (Self::Json, 0.0);
        for part in accept.unwrap_or_default().split(',') {
            let mut words = part.split(';').map(str::trim);
            let form = match words.next().unwrap_or_default() {
                "application/json" | "*/*" | "application/*" => Self::Json,
                "text/html" | "application/xhtml+xml" | "text/*" => Self::Html,
                JSON_LD => Self::JsonLd,
                "text/turtle" | "application/x-turtle" => Self::Turtle,
                _ => continue,
            };
            let weight = words.find_map(|word| word.strip_prefix("q=")?.parse().ok());
            let weight: f64 = weight.unwrap_or(1.0);
            if weight > best.1 {
                best = (form, weight);
            }
        }
        best.0
    }
}

/// What is public, as JSON, or as the header `Accept` says as HTML page, JSON-LD or Turtle
#[utoipa::path(get, path = "", operation_id = "get_open_catalogue", tag = "open data",
    responses((status = 200, description = "All public datasets",
        content((OpenCatalogue = "application/json"), (String = "text/html"),
            (serde_json::Value = "application/ld+json"), (String = "text/turtle"))),
        (status = 304, description = "It is as you have it")))]
async fn catalogue(
    view: PublicView,
    base: Base,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    Ok(negotiated(catalogue_as(view, base, &headers, Form::accepted(&headers)).await?))
}

/// The catalogue by DCAT-AP 3.0 in JSON-LD
#[utoipa::path(get, path = "/catalog.jsonld", operation_id = "get_open_catalogue_json_ld",
    tag = "open data",
    responses((status = 200, description = "The catalogue", body = serde_json::Value,
        content_type = "application/ld+json"),
        (status = 304, description = "It is as you have it")))]
async fn catalogue_json_ld(
    view: PublicView,
    base: Base,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    catalogue_as(view, base, &headers, Form::JsonLd).await
}

/// The catalogue by DCAT-AP 3.0 in Turtle
#[utoipa::path(get, path = "/catalog.ttl", operation_id = "get_open_catalogue_turtle",
    tag = "open data",
    responses((status = 200, description = "The catalogue", body = String,
        content_type = "text/turtle"),
        (status = 304, description = "It is as you have it")))]
async fn catalogue_turtle(
    view: PublicView,
    base: Base,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    catalogue_as(view, base, &headers, Form::Turtle).await
}

async fn catalogue_as(
    view: PublicView,
    Base(base): Base,
    headers: &HeaderMap,
    form: Form,
) -> Answer<Response> {
    let (stamp, now, worker) = (view.stamp(), view.now(), view.clone());
    let key = format!("{form:?} catalogue {base}");
    let encode = || async move {
        worker
            .short(move |view| {
                let about = describe::catalogue(view, &base)?;
                let newest =
                    |dataset: &OpenDataset| Some(dataset.described_at).max(dataset.updated_at);
                let modified = about.datasets.iter().filter_map(newest).max().unwrap_or(now);
                let bytes = match form {
                    Form::Json => json(&about)?,
                    Form::Html => page::catalogue(&about).into_bytes(),
                    Form::JsonLd => json(&rdf::json_ld(&dcat::catalogue(&about)))?,
                    Form::Turtle => rdf::turtle(&dcat::catalogue(&about)).into_bytes(),
                };
                Ok(encoded(form, bytes, modified))
            })
            .await
    };
    view.cache().answer(key, (stamp, now), headers, encode).await
}

/// The style sheet of the pages
#[utoipa::path(get, path = "/open.css", operation_id = "get_open_style", tag = "open data",
    responses((status = 200, description = "The style sheet", body = String,
        content_type = "text/css")))]
async fn style(_: Parameters<NoParameters>) -> impl IntoResponse {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE_CONTROL)], page::CSS)
}

/// A public dataset: licence, provenance, coverage and where to get it; also as HTML page
#[utoipa::path(get, path = "/datasets/{id}", operation_id = "get_open_dataset", tag = "open data",
    params(("id" = String, Path, description = "The dataset's id")),
    responses((status = 200, description = "The dataset",
        content((OpenDataset = "application/json"), (String = "text/html"))),
        (status = 304, description = "It is as you have it")))]
async fn dataset(
    view: PublicView,
    Base(base): Base,
    Id(id): Id,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    let form = match Form::accepted(&headers) {
        Form::Html => Form::Html,
        _ => Form::Json,
    };
    // Only what is public is kept, so that nobody fills the cache with what is not.
    let of = id.clone();
    view.short(move |view| view.dataset(&of).map(drop)).await?;
    let (stamp, now, worker) = (view.stamp(), view.now(), view.clone());
    let key = format!("{form:?} {id} {base}");
    let encode = || async move {
        worker
            .short(move |view| {
                let about = describe::describe(&view.dataset(&id)?, &base);
                let modified = Some(about.described_at).max(about.updated_at).unwrap_or(now);
                let bytes = match form {
                    Form::Html => page::dataset(&about).into_bytes(),
                    _ => json(&about)?,
                };
                Ok(encoded(form, bytes, modified))
            })
            .await
    };
    Ok(negotiated(view.cache().answer(key, (stamp, now), &headers, encode).await?))
}

/// Devices or newest readings of a dataset as JSON, CSV or GeoJSON
#[utoipa::path(get, path = "/datasets/{id}/{file}", operation_id = "get_open_table",
    tag = "open data",
    params(("id" = String, Path, description = "The dataset's id"),
        ("file" = inline(OpenTable), Path, description = "Which rows and which format")),
    responses((status = 200, description = "The table",
        content((OpenRows = "application/json"), (String = "text/csv"),
            (serde_json::Value = "application/geo+json"))),
        (status = 304, description = "It is as you have it")))]
async fn table(
    view: PublicView,
    Ids(id, file): Ids,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    let table = Table::named(&file)?;
    let of = id.clone();
    view.short(move |view| view.dataset(&of).map(drop)).await?;
    let (stamp, now, worker) = (view.stamp(), view.now(), view.clone());
    let key = format!("{file} {id}");
    let encode =
        || async move { worker.short(move |view| table.encode(&view.dataset(&id)?)).await };
    view.cache().answer(key, (stamp, now), &headers, encode).await
}

/// Readings of a dataset, page by page
#[utoipa::path(get, path = "/datasets/{id}/readings.json", operation_id = "get_open_readings",
    tag = "open data",
    params(("id" = String, Path, description = "The dataset's id"), OpenReadingsQuery),
    responses((status = 200, description = "A page of readings", body = OpenReadingPage)))]
async fn readings_json(
    view: PublicView,
    Id(id): Id,
    Parameters(query): Parameters<OpenReadingsQuery>,
) -> Answer<Response> {
    let page = view.history(move |view, cancel| readings::page(view, &id, &query, cancel)).await?;
    Ok(([(header::CACHE_CONTROL, CACHE_CONTROL)], Json(page)).into_response())
}

/// Readings of a dataset as lines of cells, page by page: the header `Link` has the next one
#[utoipa::path(get, path = "/datasets/{id}/readings.csv", operation_id = "get_open_readings_csv",
    tag = "open data",
    params(("id" = String, Path, description = "The dataset's id"), OpenReadingsQuery),
    responses((status = 200, description = "A page of readings", body = String,
        content_type = "text/csv")))]
async fn readings_csv(
    view: PublicView,
    Id(id): Id,
    OriginalUri(uri): OriginalUri,
    Parameters(query): Parameters<OpenReadingsQuery>,
) -> Answer<Response> {
    let steps = query.has_steps();
    let page = view.history(move |view, cancel| readings::page(view, &id, &query, cancel)).await?;
    let next = page.next_cursor.as_deref().map(|cursor| next_address(&uri, cursor));
    Ok(readings::csv_page(&page, steps, next))
}

/// All readings of a day by UTC as one file
#[utoipa::path(get, path = "/datasets/{id}/readings/{day}", operation_id = "get_open_day",
    tag = "open data",
    params(("id" = String, Path, description = "The dataset's id"),
        ("day" = String, Path, description = "The day, such as 2026-11-28.csv",
            pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[.]csv$")),
    responses((status = 200, description = "The readings of the day", body = String,
        content_type = "text/csv")))]
async fn day(view: PublicView, Ids(id, day): Ids, _: Parameters<NoParameters>) -> Answer<Response> {
    day::day_file(view, id, day).await
}

/// `GET /robots.txt`: what is public may be found, the rest needs a login anyway (RFC 9309).
pub(crate) async fn robots() -> impl IntoResponse {
    let text = "User-agent: *\nAllow: /open/\nDisallow: /\n";
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE_CONTROL)], text)
}

/// Two parts of the path.
struct Ids(String, String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((first, second)) = path.map_err(|error| {
            Problem::new(codes::BAD_PARAMETER, error.body_text())
                .hint("Percent-encode the parts of the path as UTF-8.")
        })?;
        Ok(Self(first, second))
    }
}

/// The address of the next page: the same query with another cursor.
fn next_address(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&');
    let mut query: Vec<&str> =
        kept.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=")).collect();
    let cursor = format!("cursor={cursor}");
    query.push(&cursor);
    format!("{}?{}", uri.path(), query.join("&"))
}

fn negotiated(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn json(value: &impl serde::Serialize) -> Answer<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Problem::internal(&error))
}

fn encoded(form: Form, bytes: Vec<u8>, modified: Timestamp) -> Encoded {
    let content_type = match form {
        Form::Json => JSON,
        Form::Html => HTML,
        Form::JsonLd => JSON_LD,
        Form::Turtle => TURTLE,
    };
    Encoded { content_type, bytes: bytes.into(), modified }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_form_that_there_is_is_taken() {
        for (accept, form) in [
            ("", Form::Json),
            ("*/*", Form::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Html),
            ("text/turtle;q=0.9, application/ld+json", Form::JsonLd),
            ("application/rdf+xml, text/turtle;q=0.5", Form::Turtle),
            ("image/png", Form::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().expect("a header"));
            assert_eq!(Form::accepted(&headers), form, "{accept}");
        }
    }

    #[test]
    fn the_next_page_has_the_same_query_with_another_cursor() {
        let uri: Uri = "/open/v1/x.csv?metric=pm25&cursor=a&limit=5".parse().expect("an address");
        assert_eq!(next_address(&uri, "b"), "/open/v1/x.csv?metric=pm25&limit=5&cursor=b");
        let uri: Uri = "/open/v1/x.csv".parse().expect("an address");
        assert_eq!(next_address(&uri, "b"), "/open/v1/x.csv?cursor=b");
    }
}
