//! `/login-methods` and `/setup`: what the login page asks before anybody is logged in.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::LocalText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::Visit;
use crate::app::App;
use crate::auth::{Caller, NewPassword, SameOrigin, Transport};
use crate::extract::Body;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, ProblemBody, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(methods)).routes(routes!(set_up))
}

/// How people can log in.
#[derive(Serialize, ToSchema)]
struct LoginMethods {
    /// With a user's name and password; a token always does.
    password: bool,
    /// Whether the first administrator is still to be made, with `POST /setup`.
    setup_needed: bool,
    /// Through an identity provider, with `POST /session/external`; `null` if there is none.
    oidc: Option<IdentityProvider>,
}

/// An identity provider.
#[derive(Serialize, ToSchema)]
struct IdentityProvider {
    /// What people call it.
    #[schema(value_type = crate::schema::LocalText)]
    name: LocalText,
}

/// How people can log in
#[utoipa::path(get, path = "/login-methods", operation_id = "get_login_methods", tag = "session",
    responses((status = 200, description = "How people can log in", body = LoginMethods)))]
async fn methods(State(app): State<App>, _: Parameters<NoParameters>) -> Json<LoginMethods> {
    let name = app.external_login.as_ref().map(|login| login.name().clone());
    Json(LoginMethods {
        password: true,
        setup_needed: app.setup.is_open(),
        oidc: name.map(|name| IdentityProvider { name }),
    })
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirstAdmin {
    /// The token of the set-up link that the server printed when it started.
    token: String,
    /// What they log in with: small letters, digits and `.-_@+`.
    user: String,
    /// What people call them.
    name: String,
    /// At least 12 characters, and not what everybody would guess.
    password: String,
}

/// Make the first administrator, who is logged in then
///
/// It takes the token that the server printed when it started, and works as long as nobody
/// administers the whole city.
#[utoipa::path(post, path = "/setup", operation_id = "set_up", tag = "session",
    request_body = FirstAdmin,
    responses((status = 204, description = "It is done; the cookie of a session is set"),
        (status = 403, description = "A page of another site made the request",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "There is an administrator already", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn set_up(
    State(app): State<App>,
    caller: Caller,
    transport: Transport,
    _: SameOrigin,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
    Body(first): Body<FirstAdmin>,
) -> Answer<Response> {
    let done = || {
        Problem::new(codes::SETUP_DONE, "The city has an administrator already.")
            .hint("Log in; `citybrain user add` on the server makes another one.")
    };
    if !app.setup.is_open() {
        return Err(done());
    }
    let now = app.clock.now();
    if !app.setup.is_right(&first.token) {
        app.throttle.failed(caller.0, now).map_err(|seconds| {
            Problem::new(codes::TOO_MANY_ATTEMPTS, "Too many failed attempts from this address.")
                .hint("Copy the whole link that the server printed.")
                .retry_after(seconds)
        })?;
        tracing::warn!(client.address = %caller.0, "a set-up with a bad token was refused");
        return Err(Problem::new(codes::BAD_SETUP_TOKEN, "This is not the set-up token.")
            .hint("Open the link that the server printed at its last start."));
    }
    let (users, id) = (app.credentials.users().clone(), first.user.clone());
    let added = app
        .lanes
        .password(move || {
            let password = NewPassword::new(&first.password, &first.user, &first.name)?;
            Ok(users.put_first_admin(&first.user, &first.name, password, now)?)
        })
        .await?;
    app.setup.close();
    if added.is_none() {
        return Err(done());
    }
    tracing::info!(user.name = id, client.address = %caller.0, "made the first administrator");
    Visit { caller, transport, headers }.open(&app, &id).await
}
