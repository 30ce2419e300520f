//! `/users`: people who log in, and what they may do where.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use city_model::Timestamp;
use city_registry::FieldProblem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{
    self, CITY, Grant, Grants, NewPassword, PasswordState, Principal, Rights, Role, UserEntry,
    targets,
};
use crate::document::created;
use crate::extract::{Body, Id};
use crate::list::{Page, Words};
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, bad_fields, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
        .routes(routes!(end_sessions))
}

/// Somebody who logs in; never with the password.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "a document, in which each has its name")]
struct User {
    /// What they log in with, and what stands in logs.
    id: String,
    /// What people call them.
    name: String,
    email: Option<String>,
    /// Which role where.
    grants: Vec<Grant>,
    /// Whether they may log in.
    enabled: bool,
    /// Whether they have a password.
    has_password: bool,
    /// Whether they must choose another password before anything else.
    password_change_needed: bool,
    /// Whether they log in through the identity provider.
    external: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who added them.
    created_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login_at: Option<Timestamp>,
}

impl From<auth::User> for User {
    fn from(user: auth::User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            grants: user.grants.to_vec(),
            enabled: user.enabled,
            has_password: user.password != PasswordState::None,
            password_change_needed: user.password == PasswordState::MustChange,
            external: user.external,
            created_at: user.created_at,
            created_by: user.created_by,
            last_login_at: user.last_login_at,
        }
    }
}

/// A page of users.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<User>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// How many match in all.
    total: usize,
}

/// Which users.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct UsersQuery {
    /// Only those with a grant in one of these departments, separated by commas; `*` for the whole city.
    #[param(value_type = Option<String>)]
    department: Option<Vec<String>>,
}

impl FromPairs for UsersQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { department: pairs.list("department") })
    }
}

/// Users by id, unless sorted otherwise: those with a grant in a department that you administer
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "access",
    params(UsersQuery, Words, Page),
    responses((status = 200, description = "A page of users", body = UserPage)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Parameters(With(query, With(words, page))): Parameters<With<UsersQuery, With<Words, Page>>>,
) -> Answer<Json<UserPage>> {
    let users = app.credentials.users().clone();
    let mut found = app.lanes.short(move || Ok(users.list()?)).await?;
    found.retain(|user| {
        administers_some(&principal.rights, &user.grants)
            && query.department.as_ref().is_none_or(|departments| {
                user.grants.iter().any(|grant| departments.contains(&grant.department))
            })
            && words.are_in(&[&user.id, &user.name])
    });
    let total = found.len();
    let found = found.into_iter().map(User::from).collect();
    let (items, next_cursor) = page.or_by("id")?.of(found, |user: &User| &user.id)?;
    Ok(Json(UserPage { items, next_cursor, total }))
}

/// Says in the audit log whose an account is, if it is of one department alone.
pub(super) fn note_department(grants: &Grants) {
    if let [department] = targets::of_grants(grants).as_slice()
        && department != CITY
    {
        audit::department(department);
    }
}

/// Whether somebody administers a department that these grants are of.
pub(super) fn administers_some(rights: &Rights, grants: &Grants) -> bool {
    let departments = targets::of_grants(grants);
    departments.iter().any(|department| rights.grants().has(Role::Admin, department))
}

/// One user
#[utoipa::path(get, path = "/users/{id}", operation_id = "get_user", tag = "access",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user; the ETag is for `If-Match`", body = User)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let users = app.credentials.users().clone();
    let user = app.lanes.short(move || users.get(&id)?.ok_or_else(|| unknown(&id))).await?;
    Ok((etag(&user.tag()), Json(User::from(user))).into_response())
}

/// What is to be written about a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserEntry)]
struct NewUser {
    /// What people call them.
    name: String,
    email: Option<String>,
    /// Which role where: at most one for each department, `*` for the whole city.
    grants: Vec<Grant>,
    /// Whether they may log in.
    enabled: bool,
    /// A password that they must change at their next login, at least 12 characters; without it they
    /// keep theirs.
    password: Option<String>,
}

/// A user after a change, as the audit log keeps it: of the same shape as before, so that the two can
/// be compared name by name.
#[derive(Serialize)]
struct Changed {
    #[serde(flatten)]
    user: User,
    /// Whether a password was given.
    sets_password: bool,
}

/// Add a user, or say anew what is written about one
///
/// To replace, `If-Match` must say which entry it replaces. Grants are given and taken by
/// administrators of their departments; all else takes an administrator of every department in which
/// the user has a grant. A user who may do something else afterwards, may not log in any more, or gets
/// a password, is logged out everywhere.
#[utoipa::path(put, path = "/users/{id}", operation_id = "put_user", tag = "access",
    params(("id" = String, Path,
        description = "The user's id: small letters, digits and `.-_@+`")),
    request_body = NewUser,
    responses((status = 200, description = "So it is", body = User),
        (status = 201, description = "The user is new", body = User),
        (status = 409, description = "There already, and nothing says which entry is meant; or the \
            last administrator", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(new): Body<NewUser>,
) -> Answer<Response> {
    let NewUser { name, email, grants, enabled, password } = new;
    let grants = read_grants(grants)?;
    let sets_password = password.is_some();
    let password = match password {
        Some(password) => {
            let (of, name) = (id.clone(), name.clone());
            let judged = move || Ok(NewPassword::new(&password, &of, &name)?);
            Some(app.lanes.password(judged).await?)
        }
        None => None,
    };
    let entry = UserEntry { name, email, grants, enabled, password };
    let (doing, now, by) = (app.clone(), app.clock.now(), principal.user.clone());
    let (rights, of) = (principal.rights.clone(), id.clone());
    let wanted = entry.clone();
    let change = move |before: Option<&auth::User>| {
        audit::before(before.cloned().map(User::from));
        // Once more: the user may have got more since the lines below looked.
        may_write(&rights, before, &entry)?;
        precondition.check_replacing(before.map(auth::User::tag).as_deref())?;
        Ok::<_, Problem>(entry)
    };
    let rights = principal.rights.clone();
    let put = move || {
        let users = doing.credentials.users();
        let before = users.get(&of)?;
        may_write(&rights, before.as_ref(), &wanted)?;
        let had = before.map(|before| before.grants).unwrap_or_default();
        check_departments(&doing, wanted.grants.differences(&had))?;
        users.put(&of, &by, now, change)
    };
    let (user, new) = app.lanes.short(put).await?;
    note_department(&user.grants);
    audit::after(Changed { user: User::from(user.clone()), sets_password });
    tracing::info!(
        user.name = %principal.user, user.changed = id, grants = %user.grants, user.enabled,
        sets_password, "changed a user"
    );
    Ok((created(new), etag(&user.tag()), Json(User::from(user))).into_response())
}

/// Refuses whoever would give what he has not, or change somebody who may do more than he
/// administers: a password given to an administrator of another department is that department.
fn may_write(rights: &Rights, before: Option<&auth::User>, entry: &UserEntry) -> Answer<()> {
    let Some(before) = before else {
        let departments = targets::of_grants(&entry.grants);
        return rights.require_all(Role::Admin, departments.iter().map(String::as_str));
    };
    rights.require_all(Role::Admin, entry.grants.differences(&before.grants))?;
    let same = before.name == entry.name.trim()
        && before.email.as_deref() == entry.email.as_deref()
        && before.enabled == entry.enabled
        && entry.password.is_none();
    if same && entry.grants != before.grants {
        return Ok(());
    }
    let departments = targets::of_grants(&before.grants);
    rights.require_all(Role::Admin, departments.iter().map(String::as_str))
}

/// Grants as sent, if they go together.
pub(super) fn read_grants(grants: Vec<Grant>) -> Answer<Grants> {
    Grants::new(grants).map_err(|problem| {
        let field = "grants".to_owned();
        bad_fields(&[FieldProblem { field, message: problem.message, hint: problem.hint }])
    })
}

/// Refuses departments that nothing belongs to and nobody named: a typo would grant nothing.
pub(super) fn check_departments<'a>(
    app: &App,
    departments: impl IntoIterator<Item = &'a str>,
) -> Answer<()> {
    let (directory, rules) = (app.registry.directory(), app.rules.load());
    let named = app.registry.departments()?;
    let is_known = |id: &str| {
        id == CITY
            || named.iter().any(|known| known.id == id)
            || directory.devices().any(|device| *device.department == *id)
            || rules.rules().iter().any(|rule| *rule.department == *id)
    };
    let unknown = departments.into_iter().find(|id| !is_known(id));
    let Some(id) = unknown else { return Ok(()) };
    Err(bad_fields(&[FieldProblem {
        field: "grants".to_owned(),
        message: format!("there is no department `{}`", short(id)),
        hint: "GET /api/v1/departments lists those that have a name; `*` is the whole city",
    }]))
}

/// Forget a user, with sessions and access tokens
#[utoipa::path(delete, path = "/users/{id}", operation_id = "delete_user", tag = "access",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 204, description = "Forgotten"),
        (status = 409, description = "The last administrator", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
) -> Answer<StatusCode> {
    let (users, now, of) = (app.credentials.users().clone(), app.clock.now(), id.clone());
    let check = move |user: &auth::User| {
        note_department(&user.grants);
        audit::before(User::from(user.clone()));
        precondition.check(Some(&user.tag()))
    };
    app.lanes.short(move || users.remove::<Problem>(&of, now, check)).await?;
    tracing::info!(user.name = %principal.user, user.changed = id, "removed a user");
    Ok(StatusCode::NO_CONTENT)
}

/// Log a user out everywhere
#[utoipa::path(delete, path = "/users/{id}/sessions", operation_id = "end_user_sessions",
    tag = "access",
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 204, description = "Logged out")))]
async fn end_sessions(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<StatusCode> {
    let (users, of) = (app.credentials.users().clone(), id.clone());
    let ended = app
        .lanes
        .short(move || {
            let user = users.get(&of)?.ok_or_else(|| unknown(&of))?;
            note_department(&user.grants);
            Ok(users.end_sessions(&of)?)
        })
        .await?;
    audit::after(json!({ "ended": ended }));
    tracing::info!(user.name = %principal.user, user.changed = id, ended, "logged a user out");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_USER, format!("There is no user `{}`.", short(id)))
        .hint("GET /api/v1/users lists them.")
}
