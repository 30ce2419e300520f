//! Extractors whose refusals are problems: path segments, JSON bodies, who asks.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::auth::Principal;
use crate::problem::{Answer, Problem, codes};
use crate::server::TooSlow;

/// The id in the path.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|error| {
            Problem::new(codes::BAD_PARAMETER, error.body_text())
                .hint("Percent-encode the id as UTF-8.")
        })?;
        Ok(Self(id))
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

/// Whether the body could not be read because it came too slowly.
pub(crate) fn is_too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<TooSlow>)
}

/// Says that a body came too slowly.
pub(crate) fn too_slow() -> Problem {
    Problem::new(codes::BODY_TOO_SLOW, "The body stopped coming, or came by drops.")
        .hint("Send it again, over a better line; [http.limits] says how slow it may be.")
}

fn refusal(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    match rejection {
        other if is_too_slow(other) => too_slow(),
        JsonRejection::JsonDataError(_) => Problem::new(codes::BAD_BODY, text)
            .hint("The document at /api/v1/openapi.json describes the body of each call."),
        JsonRejection::JsonSyntaxError(_) => Problem::new(codes::BAD_JSON, text),
        JsonRejection::MissingJsonContentType(_) => {
            Problem::new(codes::UNSUPPORTED_MEDIA_TYPE, "The body is not declared as JSON.")
                .hint("Send the header `Content-Type: application/json`.")
        }
        other if other.status().as_u16() == 413 => Problem::new(
            codes::BODY_TOO_LARGE,
            format!("The body is larger than {} KiB.", crate::BODY_LIMIT / 1024),
        ),
        _ => Problem::new(codes::BAD_JSON, text),
    }
}

/// Who asks; only behind routes whose policy requires a role.
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(codes::UNAUTHENTICATED, "This needs a login or an access token.")
        })
    }
}
