//! `/session/external`: on the way to the identity provider. Whoever comes back logs in with
//! `POST /session`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use city_oidc::OidcError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::Visit;
use crate::app::App;
use crate::auth::{
    Arrival, EXTERNAL_PATIENCE, ExternalLogin, SameOrigin, Transport, User, cookie, set_cookie,
};
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, ProblemBody, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(leave))
}

/// Where somebody logs in who comes back then.
#[derive(Serialize, ToSchema)]
struct Leave {
    /// The page of the identity provider.
    url: String,
}

fn external(app: &App) -> Answer<&ExternalLogin> {
    app.external_login.as_ref().ok_or_else(|| {
        Problem::new(codes::NO_PROVIDER, "There is no identity provider.")
            .hint("[http.oidc] in the configuration names one.")
    })
}

/// Go to the identity provider to log in
///
/// The browser gets a cookie, and goes to `url`; from there it comes back to the login page with
/// `state` and `code`, for `POST /session`, within ten minutes.
#[utoipa::path(post, path = "/session/external", operation_id = "leave_for_provider",
    tag = "session",
    responses((status = 200, description = "Where to go; the cookie is set", body = Leave),
        (status = 403, description = "A page of another site made the request",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "The identity provider does not answer", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no identity provider", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn leave(
    State(app): State<App>,
    transport: Transport,
    _: SameOrigin,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    let (url, state) =
        external(&app)?.begin(app.clock.now()).await.map_err(|error| failed(&error))?;
    let name = transport.external_cookie();
    let cookie = set_cookie(name, Some(&state), EXTERNAL_PATIENCE, transport);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(Leave { url })).into_response())
}

/// Why nobody can log in: the log says it, the browser learns only whom to ask.
fn failed(error: &OidcError) -> Problem {
    tracing::error!(error.cause = %error, "a login through the identity provider failed");
    match error {
        OidcError::Refused(_) => no_login(),
        OidcError::Config(..) | OidcError::Provider(_) => {
            Problem::new(codes::PROVIDER_UNAVAILABLE, "The identity provider does not answer.")
                .hint("Try again later, or log in with a name and a password that are kept here.")
        }
    }
}

fn no_login() -> Problem {
    Problem::new(codes::BAD_EXTERNAL_LOGIN, "This login did not begin here, or has ended.")
        .hint("Begin again, in the browser in which you want to log in, and within ten minutes.")
}

/// Whoever came back from the identity provider, as it says they are now.
pub(super) async fn arrived(app: &App, visit: &Visit, arrival: Arrival) -> Answer<User> {
    let (external, now) = (external(app)?, app.clock.now());
    // Only the browser that left may come back: a login that somebody else began is not its own.
    if cookie(&visit.headers, visit.transport.external_cookie()) != Some(arrival.state.as_str()) {
        tracing::warn!(client.address = %visit.caller.0, "a login that began elsewhere was refused");
        return Err(no_login());
    }
    let identity = external
        .finish(arrival, now)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(no_login)?;
    let grants = external.grants_of(&identity.groups);
    if grants.is_empty() {
        tracing::warn!(
            user.name = identity.user.as_deref().unwrap_or(&identity.subject),
            groups = ?identity.groups,
            "no group of the identity provider that [http.oidc] knows grants anything"
        );
        return Err(Problem::new(codes::NO_RIGHTS, "You may do nothing here.")
            .hint("An administrator says in [http.oidc] which groups may do what."));
    }
    let users = app.credentials.users().clone();
    let put = move || Ok(users.put_external(&identity, grants, now)?);
    app.lanes.short(put).await?.ok_or_else(|| {
        Problem::new(codes::NO_RIGHTS, "Your user is switched off here.")
            .hint("An administrator can switch it on again.")
    })
}

/// The cookie of the way there, taken away.
pub(super) fn forget(headers: &HeaderMap, transport: Transport, response: &mut Response) {
    let name = transport.external_cookie();
    if cookie(headers, name).is_some() {
        let gone = set_cookie(name, None, EXTERNAL_PATIENCE, transport);
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
}
