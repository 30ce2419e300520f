//! The middleware in front of every API route: who asks, may they, and could it be forged.

use std::net::IpAddr;

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use city_model::Span;

use super::policy::{self, Access, Place, Target};
use super::targets::{Owners, owners};
use super::tokens::hash;
use super::transport::{Transport, check_origin};
use super::{CITY, Caller, Principal, Proof, Role};
use crate::app::App;
use crate::audit;
use crate::problem::{Answer, Problem, codes};

/// The header that state-changing calls with a cookie must carry: no other origin can send it.
pub(crate) const CSRF_HEADER: &str = "X-Citybrain-Csrf";

/// Lets a request through to its route, or answers with a problem.
pub(crate) async fn guard(
    State(app): State<App>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let (access, principal) = match admit(&app, path.as_str(), &mut parts).await {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    let rights = principal.as_ref().map(|principal| principal.rights.clone());
    if let Some(principal) = principal {
        parts.extensions.insert(principal);
    }
    let response = next.run(Request::from_parts(parts, body)).await;
    let asked = rights.is_none_or(|rights| rights.were_asked());
    if access.is_told() && response.status().is_success() && !asked {
        tracing::error!(http.route = path.as_str(), "a route has not asked whose its target is");
        return Problem::new(codes::INTERNAL, "The route has not asked who may do this.")
            .into_response();
    }
    response
}

async fn admit(app: &App, path: &str, parts: &mut Parts) -> Answer<(Access, Option<Principal>)> {
    // A route that nobody wrote a policy for stays shut.
    let access = policy::find(parts.method.as_str(), path)
        .ok_or_else(|| Problem::new(codes::FORBIDDEN, "This address has no access policy."))?;
    if access == Access::Open {
        return Ok((access, None));
    }
    let transport = Transport::of(parts);
    let proof = proof(&parts.headers, transport).ok_or_else(|| {
        Problem::new(codes::UNAUTHENTICATED, "This needs a login or an access token.")
            .hint("Send `Authorization: Bearer TOKEN`, or log in with POST /api/v1/session.")
    })?;
    let from = Some(Caller::of(parts).0);
    let principal = identify_from(app, proof, from).await?.ok_or_else(|| {
        Problem::new(codes::UNAUTHENTICATED, "The session or token is not valid, or has ended.")
            .hint("Log in again, or ask an administrator for a new access token.")
    })?;
    audit::asked_by(&principal);
    if matches!(proof, Proof::Session(_)) && !parts.method.is_safe() {
        if !has_csrf_header(&parts.headers) {
            let detail = format!("Changes that rely on the cookie need the header {CSRF_HEADER}.");
            return Err(Problem::new(codes::CSRF, detail).hint(format!("Send `{CSRF_HEADER}: 1`.")));
        }
        check_origin(&parts.headers, &parts.uri, transport)?;
    }
    if principal.must_change_password && access != Access::Known {
        let detail = "Your password was given by somebody else.";
        return Err(Problem::new(codes::PASSWORD_CHANGE, detail)
            .hint("Choose one of your own first, with PUT /api/v1/session/password."));
    }
    allow(app, access, &principal, parts).await?;
    Ok((access, Some(principal)))
}

/// Refuses whoever has not got the role that the policy asks for, where it asks for it.
async fn allow(app: &App, access: Access, who: &Principal, parts: &mut Parts) -> Answer<()> {
    let rights = &who.rights;
    let (role, place) = match access {
        Access::Open | Access::Known => return Ok(()),
        Access::Push if rights.grants().has_engine() => return Ok(()),
        Access::Push => (Role::Admin, Place::City),
        Access::Needs(role, place) => (role, place),
    };
    rights.require_somewhere(role)?;
    match place {
        // What is told is for the handler to ask.
        Place::Anywhere | Place::Told => Ok(()),
        Place::City => rights.anew().require(role, CITY),
        Place::Owner(target) | Place::OwnerAndTold(target) => {
            match resolve(app, target, parts).await? {
                Owners::Nobody => Ok(()),
                Owners::All(departments) => {
                    rights.anew().require_all(role, departments.iter().map(String::as_str))
                }
                Owners::Any(departments) => {
                    let departments: Vec<&str> = departments.iter().map(String::as_str).collect();
                    rights.anew().require_any(role, &departments)
                }
            }
        }
    }
}

/// Whose the thing is that the path names: by its first parameter.
async fn resolve(app: &App, target: Target, parts: &mut Parts) -> Answer<Owners> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|error| {
        Problem::new(codes::BAD_PARAMETER, error.body_text())
            .hint("Percent-encode the id as UTF-8.")
    })?;
    let Some(id) = params.iter().next().map(|(_, id)| id.to_owned()) else {
        return Err(Problem::new(codes::FORBIDDEN, "The path names nothing."));
    };
    let asking = app.clone();
    app.lanes.short(move || owners(&asking, target, &id)).await
}

/// Who shows this proof, from memory or from the database.
pub(crate) async fn identify(app: &App, proof: Proof) -> Answer<Option<Principal>> {
    identify_from(app, proof, None).await
}

async fn identify_from(app: &App, proof: Proof, from: Option<IpAddr>) -> Answer<Option<Principal>> {
    let now = app.clock.now();
    let remembered = app.credentials.remembered(&proof, now);
    let found = if remembered.is_some() {
        remembered
    } else {
        let credentials = app.credentials.clone();
        app.lanes.short(move || Ok(credentials.check(proof, now, from)?)).await?
    };
    // Each request has rights of its own to be asked about.
    Ok(found.map(|found| Principal { rights: found.rights.anew(), ..found }))
}

/// The token if there is one, else the cookie.
fn proof(headers: &HeaderMap, transport: Transport) -> Option<Proof> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Proof::Token(hash(token.trim())));
    }
    cookie(headers, transport.cookie()).map(|session| Proof::Session(hash(session)))
}

/// The value of a cookie. If it stands there twice nobody knows which of them is ours, so neither
/// is.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(given, _)| *given == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    found.next().is_none().then_some(value)
}

fn has_csrf_header(headers: &HeaderMap) -> bool {
    headers.get(CSRF_HEADER).is_some_and(|value| value == "1")
}

/// A `Set-Cookie` that no script reads and no other site sends; with `None` the one that removes
/// it.
///
/// `Secure` is set over TLS: over plain HTTP browsers would drop the cookie, except on loopback.
pub(crate) fn set_cookie(
    name: &str,
    secret: Option<&str>,
    age: Span,
    transport: Transport,
) -> HeaderValue {
    let secure = if transport.tls { "; Secure" } else { "" };
    let age = if secret.is_some() { age.secs_f64() as i64 } else { 0 };
    let value = secret.unwrap_or_default();
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
        .parse()
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use axum::http::Request as Builder;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Builder::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn shown(headers: &[(&str, &str)]) -> Option<Proof> {
        let parts = parts(headers);
        proof(&parts.headers, Transport::of(&parts))
    }

    #[test]
    fn a_token_goes_before_a_cookie() {
        let cookie = ("cookie", "a=b; citybrain_session=s; c=d");
        assert_eq!(shown(&[cookie]), Some(Proof::Session(hash("s"))));
        let both = [cookie, ("authorization", "bearer t")];
        assert_eq!(shown(&both), Some(Proof::Token(hash("t"))));
        assert_eq!(shown(&[("authorization", "Basic dTpw")]), None);
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn with_tls_only_the_cookie_counts_that_nobody_else_can_set() {
        let tls = ("x-forwarded-proto", "https");
        let (plain, secure) = ("citybrain_session=planted", "__Host-citybrain_session=s");
        assert_eq!(shown(&[tls, ("cookie", plain)]), None);
        let both = [tls, ("cookie", plain), ("cookie", secure)];
        assert_eq!(shown(&both), Some(Proof::Session(hash("s"))));
        assert_eq!(shown(&[("cookie", secure)]), None, "it is not sent without TLS");
        let twice = "citybrain_session=planted; citybrain_session=s";
        assert_eq!(shown(&[("cookie", twice)]), None, "one of them is not ours");
    }

    #[test]
    fn the_cookie_is_secure_over_tls() {
        let week = Span::from_hours(7 * 24);
        let plain = Transport::of(&parts(&[]));
        let set = set_cookie(plain.cookie(), Some("s"), week, plain);
        assert_eq!(set, "citybrain_session=s; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");
        let tls = Transport::of(&parts(&[("x-forwarded-proto", "https")]));
        let set = set_cookie(tls.cookie(), None, week, tls);
        let expected = "__Host-citybrain_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; \
                        Secure";
        assert_eq!(set, expected);
    }
}
