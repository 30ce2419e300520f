//! Open data: what departments make public, served without login under `/open/v1`.
//!
//! The routes reach nothing but a [`view::PublicView`], which gives only what an enabled dataset
//! selects. Answers that are the same for everybody are encoded once a minute.

mod base;
mod cache;
mod csv;
mod dataset;
mod day;
mod dcat;
mod describe;
mod licence;
mod marked;
mod page;
mod rdf;
mod readings;
mod routes;
mod tables;
mod view;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use city_store::{StateDb, StateError};

pub(crate) use base::Base;
pub(crate) use dataset::Dataset;
pub(crate) use marked::Kept;
pub(crate) use routes::{robots, routes};

/// The part of the brain that is public.
pub(crate) struct Open {
    /// The datasets, for those who look after them.
    pub(crate) marked: marked::Marked,
    cache: cache::Cache,
}

impl Open {
    /// Over the datasets of this database. Blocks shortly.
    pub(crate) fn new(state: Arc<StateDb>) -> Result<Self, StateError> {
        Ok(Self { marked: marked::Marked::open(state)?, cache: cache::Cache::default() })
    }
}

/// Whether an address is one of open data.
pub(crate) fn is_open(path: &str) -> bool {
    path == "/open" || path.starts_with("/open/")
}

/// Lets pages of other origins read open data (Fetch standard, "CORS protocol"). Nothing here
/// depends on who asks, so any origin may, without credentials.
pub(crate) async fn share(request: Request, next: Next) -> Response {
    if !is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let mut response = if request.method() == Method::OPTIONS {
        let headers = [
            (header::ALLOW, "GET, HEAD, OPTIONS"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match, If-Modified-Since, Range"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    } else {
        next.run(request).await
    };
    let shared: [(HeaderName, &str); 2] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Last-Modified, Link, Retry-After"),
    ];
    for (name, value) in shared {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
