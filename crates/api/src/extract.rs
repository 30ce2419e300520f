//! Extractors whose refusals are problems: path segments, JSON bodies, who asks.

use std::fmt;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

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
        match Json::<Object<T>>::from_request(request, state).await {
            Ok(Json(Object(body))) => Ok(Self(body)),
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

/// Something that is written as an object. Left to itself, serde takes an array of a struct's members
/// for the struct.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
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
