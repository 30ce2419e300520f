//! The middleware in front of every API route: who asks, may they, and could it be forged.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::credentials::hash;
use super::policy::{self, Access};
use super::{Principal, Proof, SESSION_LIFETIME};
use crate::app::App;
use crate::audit;
use crate::problem::{Answer, Problem, codes};

/// The name of the session cookie.
pub(crate) const COOKIE: &str = "citybrain_session";
/// The header that state-changing calls with a cookie must carry: no other origin can send it.
pub(crate) const CSRF_HEADER: &str = "X-Citybrain-Csrf";

/// Lets a request through to its route, or answers with a problem.
pub(crate) async fn guard(
    State(app): State<App>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&app, path.as_str(), request.method(), request.headers()).await {
        Ok(principal) => {
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    app: &App,
    path: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Answer<Option<Principal>> {
    // A route that nobody wrote a policy for stays shut.
    let access = policy::find(method.as_str(), path)
        .ok_or_else(|| Problem::new(codes::FORBIDDEN, "This address has no access policy."))?;
    if access == Access::Open {
        return Ok(None);
    }
    let proof = proof(headers).ok_or_else(|| {
        Problem::new(codes::UNAUTHENTICATED, "This needs a login or an access token.")
            .hint("Send `Authorization: Bearer TOKEN`, or log in with POST /api/v1/session.")
    })?;
    let principal = identify(app, proof).await?.ok_or_else(|| {
        Problem::new(codes::UNAUTHENTICATED, "The session or token is not valid, or has ended.")
            .hint("Log in again, or ask an administrator for a new access token.")
    })?;
    audit::asked_by(&principal);
    let by_cookie = matches!(proof, Proof::Session(_));
    if by_cookie && !method.is_safe() && !has_csrf_header(headers) {
        return Err(Problem::new(
            codes::CSRF,
            format!("Changes that rely on the cookie need the header {CSRF_HEADER}."),
        )
        .hint(format!("Send `{CSRF_HEADER}: 1`.")));
    }
    if !access.allows(principal.role) {
        let detail = format!("You have the role {}.", principal.role);
        return Err(
            Problem::new(codes::FORBIDDEN, detail).hint(format!("This needs {}.", access.needs()))
        );
    }
    Ok(Some(principal))
}

/// Who shows this proof, from memory or from the database.
pub(crate) async fn identify(app: &App, proof: Proof) -> Answer<Option<Principal>> {
    let now = app.clock.now();
    if let Some(principal) = app.credentials.remembered(&proof, now) {
        return Ok(Some(principal));
    }
    let credentials = app.credentials.clone();
    app.lanes.short(move || Ok(credentials.check(proof, now)?)).await
}

/// The token if there is one, else the cookie.
fn proof(headers: &HeaderMap) -> Option<Proof> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Proof::Token(hash(token.trim())));
    }
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, session)| Proof::Session(hash(session)))
}

fn has_csrf_header(headers: &HeaderMap) -> bool {
    headers.get(CSRF_HEADER).is_some_and(|value| value == "1")
}

/// The `Set-Cookie` for a session, or with `None` the one that removes it.
///
/// `Secure` is set when a proxy in front says that it speaks TLS: over plain HTTP, as on
/// loopback, browsers other than those that trust loopback would drop the cookie.
pub(crate) fn session_cookie(secret: Option<&str>, headers: &HeaderMap) -> Option<HeaderValue> {
    let tls = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = if tls { "; Secure" } else { "" };
    let age = if secret.is_some() { SESSION_LIFETIME.secs_f64() as i64 } else { 0 };
    let value = secret.unwrap_or_default();
    format!("{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a header"));
        headers
    }

    #[test]
    fn a_token_goes_before_a_cookie() {
        let cookie = headers("cookie", "a=b; citybrain_session=s; c=d");
        assert_eq!(proof(&cookie), Some(Proof::Session(hash("s"))));
        let mut both = cookie;
        both.insert("authorization", "bearer t".parse().expect("a header"));
        assert_eq!(proof(&both), Some(Proof::Token(hash("t"))));
        assert_eq!(proof(&headers("authorization", "Basic dTpw")), None);
        assert_eq!(proof(&HeaderMap::new()), None);
    }

    #[test]
    fn the_cookie_is_secure_behind_tls() {
        let plain = session_cookie(Some("s"), &HeaderMap::new()).expect("a cookie");
        assert_eq!(plain, "citybrain_session=s; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");
        let tls = session_cookie(None, &headers("x-forwarded-proto", "https")).expect("a cookie");
        assert!(
            tls.to_str().expect("text").ends_with("Max-Age=0; HttpOnly; SameSite=Strict; Secure")
        );
    }
}
