//! `/tokens`: access tokens for programs, with what each may do where.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use city_model::Timestamp;
use city_registry::FieldProblem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::users::{administers_some, check_departments, note_department, read_grants};
use crate::app::App;
use crate::audit;
use crate::auth::{self, Grant, Maker, NewToken, OWN_TOKEN, Principal, Role, targets};
use crate::extract::{Body, Id};
use crate::list::Page;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::problem::{Answer, Problem, ProblemBody, bad_fields, codes};

/// The longest note, in characters.
const LONGEST_NOTE: usize = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// An access token; never the secret.
#[derive(Serialize, ToSchema)]
struct AccessToken {
    id: String,
    /// The name in logs of what is done with it.
    user: String,
    /// What it was made for.
    note: String,
    /// Which role where.
    grants: Vec<Grant>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who made it; `null` if that was done on the server itself.
    created_by: Option<String>,
    /// The user whose rights bound those of the token, and with whom it ends.
    owner: Option<String>,
    /// Whether the program made it for itself, and cannot do without it; the next start makes another.
    own: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to five minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The address that it was used from then.
    last_used_from: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<auth::AccessToken> for AccessToken {
    fn from(token: auth::AccessToken) -> Self {
        Self {
            id: token.id.to_string(),
            own: token.note == OWN_TOKEN,
            user: token.user,
            note: token.note,
            grants: token.grants.to_vec(),
            created_at: token.created_at,
            created_by: Some(token.created_by).filter(|by| !by.is_empty()),
            owner: token.owner,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            last_used_from: token.last_used_from,
            revoked_at: token.revoked_at,
        }
    }
}

/// A page of access tokens.
#[derive(Serialize, ToSchema)]
struct AccessTokenPage {
    items: Vec<AccessToken>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// How many match in all.
    total: usize,
}

/// Which access tokens.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct TokensQuery {
    /// `true`: only those that are valid now; `false`: only the others.
    valid: Option<bool>,
    /// Only those with this text in their user or note, in any case.
    q: Option<String>,
}

impl FromPairs for TokensQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { valid: pairs.flag("valid")?, q: pairs.text("q") })
    }
}

/// Access tokens, newest first unless sorted otherwise: those with a grant in a department that you administer
#[utoipa::path(get, path = "/tokens", operation_id = "list_tokens", tag = "access",
    params(TokensQuery, Page),
    responses((status = 200, description = "A page of access tokens", body = AccessTokenPage)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Parameters(With(query, page)): Parameters<With<TokensQuery, Page>>,
) -> Answer<Json<AccessTokenPage>> {
    let (tokens, now) = (app.credentials.tokens().clone(), app.clock.now());
    let mut found = app.lanes.short(move || Ok(tokens.list()?)).await?;
    let words = query.q.map(|q| q.to_lowercase());
    found.retain(|token| {
        let valid =
            token.revoked_at.is_none() && token.expires_at.is_none_or(|expires| now < expires);
        administers_some(&principal.rights, &token.grants)
            && query.valid.is_none_or(|wanted| wanted == valid)
            && words.as_ref().is_none_or(|words| {
                [&token.user, &token.note].iter().any(|text| text.to_lowercase().contains(words))
            })
    });
    let total = found.len();
    let found = found.into_iter().map(|token| (token.id.to_string(), AccessToken::from(token)));
    let part = page.or_by("-id")?;
    let (found, next_cursor) =
        part.of_told(found.collect(), |(id, _)| id, |(_, token)| serde_json::to_value(token))?;
    let items = found.into_iter().map(|(_, token)| token).collect();
    Ok(Json(AccessTokenPage { items, next_cursor, total }))
}

/// What an access token is to be for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccessToken)]
struct NewAccessToken {
    /// What it is for, 1 to 200 characters.
    note: String,
    /// Which role where: at most one for each department, `*` for the whole city.
    grants: Vec<Grant>,
    /// When it ends by itself; if missing, when it is revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// An access token just made: the only time that it can be seen.
#[derive(Serialize, ToSchema)]
struct AccessTokenMade {
    id: String,
    /// For `Authorization: Bearer`.
    token: String,
}

/// Make an access token; it is shown this once
///
/// It grants no more than whoever makes it may give: roles in departments that they administer. What a
/// user makes grants no more than the user has at any time, and ends with the user; what is made with a
/// token ends with it at the latest.
#[utoipa::path(post, path = "/tokens", operation_id = "make_token", tag = "access",
    request_body = NewAccessToken,
    responses((status = 201, description = "It is valid now", body = AccessTokenMade)))]
async fn make(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
    Body(new): Body<NewAccessToken>,
) -> Answer<(StatusCode, Json<AccessTokenMade>)> {
    let grants = read_grants(new.grants)?;
    let departments = targets::of_grants(&grants);
    principal.rights.require_all(Role::Admin, departments.iter().map(String::as_str))?;
    let now = app.clock.now();
    let note = new.note.trim().to_owned();
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: String, hint| {
        problems.push(FieldProblem { field: field.to_owned(), message, hint });
    };
    if note.is_empty() || note.chars().count() > LONGEST_NOTE || note.contains(char::is_control) {
        let message = "it is missing or too long".to_owned();
        problem("note", message, "say in 1 to 200 characters what the token is for");
    }
    if grants.is_empty() {
        problem("grants", "there is none".to_owned(), "say what the token may do where");
    }
    let bound = principal.token.and(principal.expires_at);
    let expires = match (new.expires_at, bound) {
        (Some(at), _) if at <= now => {
            problem("expires_at", format!("{at} is over"), "give a time to come");
            None
        }
        (Some(at), Some(bound)) if at > bound => {
            let message = format!("the token that makes it ends before, at {bound}");
            problem("expires_at", message, "log in as a user to make a token that lives longer");
            None
        }
        (wanted, bound) => wanted.or(bound),
    };
    if !problems.is_empty() {
        return Err(bad_fields(&problems));
    }
    note_department(&grants);
    audit::after(json!({ "note": note, "grants": grants, "expires_at": expires }));
    let (making, who) = (app.clone(), principal.clone());
    let (id, token) = app
        .lanes
        .short(move || {
            check_departments(&making, departments.iter().map(String::as_str))?;
            let lifetime = expires.map(|at| at.since(now));
            let token = NewToken { user: &who.user, grants, note: &note, lifetime };
            let maker = Maker { by: &who.user, owner: who.account.as_deref() };
            Ok(making.credentials.tokens().make(&token, &maker, now)?)
        })
        .await?;
    audit::target(id.to_string());
    tracing::info!(user.name = %principal.user, token.id = id, "made an access token");
    Ok((StatusCode::CREATED, Json(AccessTokenMade { id: id.to_string(), token })))
}

/// Make an access token worthless, with the sessions that were opened with it
#[utoipa::path(delete, path = "/tokens/{id}", operation_id = "revoke_token", tag = "access",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It is worthless now"),
        (status = 409, description = "The program made it for itself", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn revoke(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<StatusCode> {
    let number: i64 = id.parse().map_err(|_| unknown(&id))?;
    let (tokens, now) = (app.credentials.tokens().clone(), app.clock.now());
    app.lanes
        .short(move || {
            let token = tokens.get(number)?.ok_or_else(|| unknown(&id))?;
            if token.note == OWN_TOKEN && token.revoked_at.is_none() {
                let detail = "The program made this token for itself and needs it.";
                return Err(Problem::new(codes::OWN_TOKEN, detail)
                    .hint("A restart makes it worthless, and makes another."));
            }
            note_department(&token.grants);
            audit::before(AccessToken::from(token));
            Ok(tokens.revoke(number, now)?)
        })
        .await?;
    tracing::info!(user.name = %principal.user, token.id = number, "revoked an access token");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_TOKEN, format!("There is no access token `{}`.", short(id)))
        .hint("GET /api/v1/tokens lists them.")
}
