//! `/openapi.json` and `/docs`: what this API is, for programs and for people.

use std::sync::LazyLock;

use axum::http::{HeaderName, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::openapi;
use crate::parameters::{NoParameters, Parameters};

static PAGE: LazyLock<String> =
    LazyLock::new(|| openapi::page(&serde_json::to_value(&*openapi::DOCUMENT).unwrap_or_default()));

type Typed = ([(HeaderName, &'static str); 1], &'static str);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(document)).routes(routes!(docs)).routes(routes!(style))
}

/// This document
#[utoipa::path(get, path = "/openapi.json", operation_id = "get_openapi", tag = "system",
    responses((status = 200, description = "The OpenAPI 3.1 document", body = serde_json::Value)))]
async fn document(_: Parameters<NoParameters>) -> Typed {
    ([(header::CONTENT_TYPE, "application/json")], &openapi::JSON)
}

/// This document as a page
#[utoipa::path(get, path = "/docs", operation_id = "get_docs", tag = "system",
    responses((status = 200, description = "The page", body = String,
        content_type = "text/html")))]
async fn docs(_: Parameters<NoParameters>) -> Typed {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], &PAGE)
}

/// The page's style sheet
#[utoipa::path(get, path = "/docs.css", operation_id = "get_docs_style", tag = "system",
    responses((status = 200, description = "The style sheet", body = String,
        content_type = "text/css")))]
async fn style(_: Parameters<NoParameters>) -> Typed {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], openapi::CSS)
}
