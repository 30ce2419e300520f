//! `/session`: logging in and out, who is logged in, and the password.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use city_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::external;
use crate::app::App;
use crate::audit;
use crate::auth::{
    Arrival, BROWSER_KNOWN, CSRF_HEADER, Caller, Grant, NewPassword, Opener, PasswordLogin,
    Principal, Proof, Refused, Role, SameOrigin, Transport, User, Via, cookie, hash, know_browser,
    set_cookie,
};
use crate::extract::Body;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters};
use crate::problem::{Answer, Problem, ProblemBody, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(log_in, show, log_out)).routes(routes!(change_password))
}

/// What a login shows: `token` alone, or `user` and `password`, or `state` and `code` of an identity
/// provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// An access token, as the server printed it or an administrator gave it.
    token: Option<String>,
    /// The user's id.
    user: Option<String>,
    password: Option<String>,
    /// What the browser came back with from the identity provider, which `POST /session/external`
    /// sent it to.
    state: Option<String>,
    /// The same.
    code: Option<String>,
    /// The same: `iss`, if the provider sends it (RFC 9207).
    issuer: Option<String>,
}

/// The ways to log in.
enum Way {
    Token(String),
    Password(String, String),
    External(Arrival),
}

impl Login {
    fn way(self) -> Answer<Way> {
        match self {
            Self {
                token: Some(token),
                user: None,
                password: None,
                state: None,
                code: None,
                issuer: None,
            } => Ok(Way::Token(token)),
            Self {
                token: None,
                user: Some(user),
                password: Some(password),
                state: None,
                code: None,
                issuer: None,
            } => Ok(Way::Password(user.trim().to_lowercase(), password)),
            Self {
                token: None,
                user: None,
                password: None,
                state: Some(state),
                code: Some(code),
                issuer,
            } => Ok(Way::External(Arrival { state, code, issuer })),
            _ => Err(Problem::new(codes::BAD_BODY, "This is no login.").hint(
                "Give `token` alone, or `user` and `password`, or `state` and `code` of the \
                 identity provider.",
            )),
        }
    }
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct Session {
    /// The user's id, or what the access token was made for.
    user: String,
    /// What people call the user.
    name: String,
    /// The highest role of `grants`; `null` if there is none.
    role: Option<Role>,
    /// Which role where.
    grants: Vec<Grant>,
    /// The header that changes need beside the cookie, with the value 1.
    csrf_header: &'static str,
    /// What the request showed: `session` or `token`.
    #[schema(value_type = String, pattern = "^(session|token)$")]
    via: &'static str,
    /// When the session or token ends at the latest; `null` if it does not by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Whether nothing else can be done before the password is changed.
    password_change_needed: bool,
    /// Whether the password can be changed: it is a session of a user who has one.
    password_changeable: bool,
}

/// What a request brings that logs somebody in.
pub(super) struct Visit {
    pub(super) caller: Caller,
    pub(super) transport: Transport,
    pub(super) headers: HeaderMap,
}

impl Visit {
    fn session(&self) -> Option<[u8; 32]> {
        cookie(&self.headers, self.transport.cookie()).map(hash)
    }

    fn browser(&self) -> Option<&str> {
        cookie(&self.headers, self.transport.browser_cookie())
    }

    /// The answer to a login: the cookies of a new session and of the browser.
    fn logged_in(&self, app: &App, session: &str, browser: Option<&str>) -> Response {
        let lifetime = app.credentials.limits().lifetime;
        let transport = self.transport;
        let session = set_cookie(transport.cookie(), Some(session), lifetime, transport);
        let browser = browser.map(|browser| {
            set_cookie(transport.browser_cookie(), Some(browser), BROWSER_KNOWN, transport)
        });
        let cookies = std::iter::once(session).chain(browser);
        let cookies: Vec<_> = cookies.map(|cookie| (header::SET_COOKIE, cookie)).collect();
        (StatusCode::NO_CONTENT, AppendHeaders(cookies)).into_response()
    }

    /// Opens a session for a user who has proved who he is, on a browser that is known from now on.
    pub(super) async fn open(&self, app: &App, user: &str) -> Answer<Response> {
        let (credentials, now) = (app.credentials.clone(), app.clock.now());
        let (before, browser) = (self.session(), self.browser().map(str::to_owned));
        let of = user.to_owned();
        let opening = move || {
            let secret = credentials.open_session(Opener::User(&of), now, before)?;
            let browser = know_browser(&credentials, &of, browser.as_deref(), now)?;
            Ok((secret, browser))
        };
        let (secret, browser) = app.lanes.short(opening).await?;
        audit::logged_in(user);
        Ok(self.logged_in(app, &secret, Some(&browser)))
    }
}

/// Log in: exchange an access token, a user's name and password, or what the identity provider gave
/// for a session cookie
///
/// The cookie is new at every login, and ends the session that the browser had. It is called
/// `__Host-citybrain_session` over TLS and `citybrain_session` without.
#[utoipa::path(post, path = "/session", operation_id = "log_in", tag = "session",
    request_body = Login,
    responses((status = 204, description = "Logged in; the cookie is set"),
        (status = 403, description = "A page of another site made the request, or who came from the \
            identity provider may do nothing here",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "The identity provider does not answer", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no identity provider", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn log_in(
    State(app): State<App>,
    caller: Caller,
    transport: Transport,
    _: SameOrigin,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
    Body(login): Body<Login>,
) -> Answer<Response> {
    let visit = Visit { caller, transport, headers };
    match login.way()? {
        Way::Token(token) => by_token(&app, &visit, token).await,
        Way::Password(user, password) => {
            let login = PasswordLogin {
                user,
                password,
                from: visit.caller.0,
                browser: visit.browser().map(str::to_owned),
            };
            let user = verified(&app, login).await?;
            tracing::info!(user.name = user.id, client.address = %visit.caller.0, "logged in");
            visit.open(&app, &user.id).await
        }
        Way::External(arrival) => {
            let user = external::arrived(&app, &visit, arrival).await?;
            tracing::info!(
                user.name = user.id, client.address = %visit.caller.0, "logged in externally"
            );
            let mut response = visit.open(&app, &user.id).await?;
            external::forget(&visit.headers, transport, &mut response);
            Ok(response)
        }
    }
}

async fn by_token(app: &App, visit: &Visit, token: String) -> Answer<Response> {
    let (now, caller) = (app.clock.now(), visit.caller.0);
    let (credentials, before) = (app.credentials.clone(), visit.session());
    // The token is looked at first: whoever has one gets in, also while somebody else guesses from
    // the same address.
    let log_in = move || Ok(credentials.log_in(token.trim(), now, before)?);
    let Some((secret, user)) = app.lanes.short(log_in).await? else {
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
    Ok(visit.logged_in(app, &secret, None))
}

/// The user, if the password is right; strangers learn nothing but that it is not, or that they must
/// wait.
async fn verified(app: &App, login: PasswordLogin) -> Answer<User> {
    let now = app.clock.now();
    let refusal = |refused: Refused| match refused {
        Refused::Wrong => Problem::new(codes::BAD_LOGIN, "The name or the password is not right.")
            .hint("An administrator can give you another password."),
        Refused::Wait(seconds) => {
            Problem::new(codes::TOO_MANY_ATTEMPTS, "Too many logins have failed.")
                .hint("Wait; on a browser that you have used before, others cannot hold you up.")
                .retry_after(seconds)
        }
    };
    let (asking, credentials) = (login.clone(), app.credentials.clone());
    let known = app.lanes.short(move || Ok(asking.known_browser(&credentials, now)?)).await?;
    let throttles = (&app.login_failures, &app.throttle);
    login.must_wait(known, throttles, now).map_err(refusal)?;
    let (asking, credentials) = (login.clone(), app.credentials.clone());
    let Some(user) = app.lanes.password(move || Ok(asking.verify(&credentials)?)).await? else {
        let refused = login.failed(known, throttles, now);
        // Not the name: people type passwords there.
        tracing::warn!(client.address = %login.from, "a login with a bad password was refused");
        return Err(refusal(refused));
    };
    app.login_failures.succeeded(known);
    Ok(user)
}

/// Who is logged in
#[utoipa::path(get, path = "/session", operation_id = "get_session", tag = "session",
    responses((status = 200, description = "Who is logged in", body = Session)))]
async fn show(principal: Principal, _: Parameters<NoParameters>) -> Json<Session> {
    let grants = principal.rights.grants();
    Json(Session {
        user: principal.user.to_string(),
        name: principal.name.to_string(),
        role: grants.highest(),
        grants: grants.to_vec(),
        csrf_header: CSRF_HEADER,
        via: match principal.via {
            Via::Session(_) => "session",
            Via::Token(_) => "token",
        },
        expires_at: principal.expires_at,
        password_change_needed: principal.must_change_password,
        password_changeable: own_account(&principal).is_some() && principal.has_password,
    })
}

/// The user who logged in himself, not by a token.
fn own_account(principal: &Principal) -> Option<&str> {
    principal.account.as_deref().filter(|_| principal.token.is_none())
}

/// Which sessions end.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct LogOutQuery {
    /// `true`: all sessions of the user end, on other computers too.
    #[param(value_type = Option<bool>)]
    everywhere: bool,
}

impl FromPairs for LogOutQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { everywhere: pairs.flag("everywhere")?.unwrap_or(false) })
    }
}

/// Log out: end the session and remove the cookie
#[utoipa::path(delete, path = "/session", operation_id = "log_out", tag = "session",
    params(LogOutQuery),
    responses((status = 204, description = "Logged out")))]
async fn log_out(
    State(app): State<App>,
    principal: Principal,
    transport: Transport,
    Parameters(query): Parameters<LogOutQuery>,
) -> Answer<(StatusCode, [(header::HeaderName, HeaderValue); 1])> {
    if let Some(user) = own_account(&principal).filter(|_| query.everywhere).map(str::to_owned) {
        let users = app.credentials.users().clone();
        let ended = app.lanes.short(move || Ok(users.end_sessions(&user)?)).await?;
        tracing::info!(user.name = %principal.user, ended, "logged out everywhere");
    }
    if let Proof::Session(hash) = principal.proof {
        let credentials = app.credentials.clone();
        app.lanes.short(move || Ok(credentials.log_out(&hash)?)).await?;
        tracing::info!(user.name = %principal.user, "logged out");
    }
    let lifetime = app.credentials.limits().lifetime;
    let cookie = set_cookie(transport.cookie(), None, lifetime, transport);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// A password in place of the present one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    current: String,
    /// At least 12 characters, and not what everybody would guess.
    new: String,
}

/// Change the password of who is logged in
///
/// All sessions of the user end; the answer sets the cookie of a new one.
#[utoipa::path(put, path = "/session/password", operation_id = "change_password", tag = "session",
    request_body = ChangePassword,
    responses((status = 204, description = "Changed; the cookie of a new session is set"),
        (status = 409, description = "It is no session of a user with a password",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn change_password(
    State(app): State<App>,
    principal: Principal,
    caller: Caller,
    transport: Transport,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
    Body(change): Body<ChangePassword>,
) -> Answer<Response> {
    let Some(user) = own_account(&principal).filter(|_| principal.has_password) else {
        return Err(Problem::new(codes::NO_PASSWORD, "You did not log in with a password.")
            .hint("Log in as a user who has one."));
    };
    let visit = Visit { caller, transport, headers };
    let login = PasswordLogin {
        user: user.to_owned(),
        password: change.current,
        from: caller.0,
        browser: visit.browser().map(str::to_owned),
    };
    let user = verified(&app, login).await?;
    let (credentials, id) = (app.credentials.clone(), user.id.clone());
    app.lanes
        .password(move || {
            let password = NewPassword::new(&change.new, &user.id, &user.name)?;
            Ok(credentials.users().set_password(&user.id, &password, false)?)
        })
        .await?;
    tracing::info!(user.name = id, "changed the password");
    visit.open(&app, &id).await
}
