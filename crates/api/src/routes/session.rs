//! `/session`: logging in and out, and who is logged in.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{CSRF_HEADER, Caller, Principal, Proof, Role, session_cookie};
use crate::extract::Body;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(log_in, show, log_out))
}

/// What a login shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// An access token, as the server printed it or an administrator gave it.
    token: String,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct Session {
    user: String,
    role: Role,
    /// The header that changes need beside the cookie, with the value 1.
    csrf_header: &'static str,
}

type Cookie = [(HeaderName, HeaderValue); 1];

/// Log in: exchange an access token for a session cookie
#[utoipa::path(post, path = "/session", operation_id = "log_in", tag = "session",
    request_body = Login,
    responses((status = 204, description = "Logged in; the cookie is set")))]
async fn log_in(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
    Body(login): Body<Login>,
) -> Answer<(StatusCode, Cookie)> {
    let now = app.clock.now();
    let credentials = app.credentials.clone();
    // The token is looked at first: whoever has one gets in, also while somebody else guesses from
    // the same address.
    let opened = app.lanes.short(move || Ok(credentials.log_in(login.token.trim(), now)?)).await?;
    let Some((secret, user)) = opened else {
        app.throttle.failed(caller, now).map_err(|seconds| {
            Problem::new(codes::TOO_MANY_ATTEMPTS, "Too many failed logins from this address.")
                .hint("Copy the whole token; a valid one gets in at once.")
                .retry_after(seconds)
        })?;
        tracing::warn!(client.address = %caller, "a login with a bad token was refused");
        return Err(Problem::new(codes::BAD_TOKEN, "No such access token is valid.")
            .hint("Copy the whole token; the server prints a login link when it starts."));
    };
    app.throttle.succeeded(caller);
    audit::logged_in(&user);
    tracing::info!(user.name = user, client.address = %caller, "logged in");
    Ok((StatusCode::NO_CONTENT, cookie(Some(&secret), &headers)))
}

/// Who is logged in
#[utoipa::path(get, path = "/session", operation_id = "get_session", tag = "session",
    responses((status = 200, description = "Who is logged in", body = Session)))]
async fn show(principal: Principal, _: Parameters<NoParameters>) -> Json<Session> {
    Json(Session {
        user: principal.user.to_string(),
        role: principal.role,
        csrf_header: CSRF_HEADER,
    })
}

/// Log out: end the session and remove the cookie
#[utoipa::path(delete, path = "/session", operation_id = "log_out", tag = "session",
    responses((status = 204, description = "Logged out")))]
async fn log_out(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<(StatusCode, Cookie)> {
    if let Proof::Session(hash) = principal.proof {
        let credentials = app.credentials.clone();
        app.lanes.short(move || Ok(credentials.log_out(&hash)?)).await?;
        tracing::info!(user.name = %principal.user, "logged out");
    }
    Ok((StatusCode::NO_CONTENT, cookie(None, &headers)))
}

fn cookie(secret: Option<&str>, headers: &HeaderMap) -> Cookie {
    let empty = HeaderValue::from_static("");
    [(header::SET_COOKIE, session_cookie(secret, headers).unwrap_or(empty))]
}
