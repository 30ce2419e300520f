//! `/alerts/{id}/assign`, `accept`, `hand-over`, `return`: who takes care of an alert until when.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use city_model::Timestamp;
use city_rules::lifecycle::{Act, Stage};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alerts::{answer, check_note};
use crate::alerts::{AlertItem, Deed, Stored};
use crate::app::App;
use crate::auth::Principal;
use crate::extract::{Body, Id};
use crate::parameters::{NoParameters, Parameters, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, codes};

/// The longest name of somebody, in bytes.
const LONGEST_NAME: usize = 128;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(assign))
        .routes(routes!(accept))
        .routes(routes!(hand_over))
        .routes(routes!(give_back))
}

/// Who is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssignAlert {
    /// The user who is asked.
    who: String,
    /// Until when they must accept, at most 30 days from now.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// At most 2,000 characters.
    note: Option<String>,
}

/// Ask somebody to take care of a firing alert
///
/// If they do not accept in time, that is noted and receivers outside are told (`overdue`). To take it
/// from somebody who was asked or has accepted, `If-Match` must say that you know.
#[utoipa::path(post, path = "/alerts/{id}/assign", operation_id = "assign_alert", tag = "alerts",
    request_body = AssignAlert,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertItem),
        (status = 409, description = "Somebody has it, or it has ended", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn assign(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<AssignAlert>,
) -> Answer<Response> {
    let who = name("who", &body.who)?;
    let act = Act::Assign { who, until: body.until };
    let check = move |before: &Stored| match before.handling.stage() {
        Stage::Unassigned => precondition.check(Some(&before.tag())),
        _ => precondition.check_replacing(Some(&before.tag())),
    };
    handle(&app, &principal, id, (act, body.note), check).await
}

/// Until when somebody means to be done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptAlert {
    /// Until when it will be over or handed on, at most 30 days from now; open if missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// At most 2,000 characters.
    note: Option<String>,
}

/// Take care of a firing alert: one that you were asked to, your department was, or nobody was
#[utoipa::path(post, path = "/alerts/{id}/accept", operation_id = "accept_alert", tag = "alerts",
    request_body = AcceptAlert,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertItem),
        (status = 409, description = "Somebody else has it, or it has ended", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn accept(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<AcceptAlert>,
) -> Answer<Response> {
    let act = Act::Accept { who: principal.user.to_string(), until: body.until };
    let check = move |before: &Stored| precondition.check(Some(&before.tag()));
    handle(&app, &principal, id, (act, body.note), check).await
}

/// Which department is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOverAlert {
    department: String,
    /// Until when somebody there must accept, at most 30 days from now.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// At most 2,000 characters.
    note: Option<String>,
}

/// Ask another department to take care of a firing alert
#[utoipa::path(post, path = "/alerts/{id}/hand-over", operation_id = "hand_over_alert",
    tag = "alerts", request_body = HandOverAlert,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertItem),
        (status = 409, description = "It is somebody else's, or it has ended", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn hand_over(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<HandOverAlert>,
) -> Answer<Response> {
    let department = name("department", &body.department)?;
    let (registry, rules, asked) =
        (app.registry.clone(), app.rules.load_full(), department.clone());
    app.lanes
        .short(move || {
            let named = registry.departments()?.iter().any(|known| known.id == asked);
            let owns = |department: &str| department == asked;
            let known = named
                || registry.directory().devices().any(|device| owns(&device.department))
                || rules.rules().iter().any(|rule| owns(&rule.department));
            if known {
                return Ok(());
            }
            let detail = format!("There is no department `{}`.", short(&asked));
            Err(Problem::new(codes::UNKNOWN_DEPARTMENT, detail)
                .hint("GET /api/v1/departments lists those that have a name."))
        })
        .await?;
    let act = Act::HandOver { by: principal.user.to_string(), department, until: body.until };
    let check = move |before: &Stored| precondition.check(Some(&before.tag()));
    handle(&app, &principal, id, (act, body.note), check).await
}

/// Until when whoever gets it back must accept it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReturnAlert {
    /// At most 30 days from now.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// At most 2,000 characters.
    note: Option<String>,
}

/// Give a firing alert back to whoever handed it over, or decline what you were asked
#[utoipa::path(post, path = "/alerts/{id}/return", operation_id = "return_alert", tag = "alerts",
    request_body = ReturnAlert,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertItem),
        (status = 409, description = "It is somebody else's, came from nobody, or has ended",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn give_back(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<ReturnAlert>,
) -> Answer<Response> {
    let act = Act::Return { by: principal.user.to_string(), until: body.until };
    let check = move |before: &Stored| precondition.check(Some(&before.tag()));
    handle(&app, &principal, id, (act, body.note), check).await
}

async fn handle(
    app: &App,
    principal: &Principal,
    id: String,
    (act, note): (Act, Option<String>),
    check: impl FnOnce(&Stored) -> Answer<()> + Send + 'static,
) -> Answer<Response> {
    let note = note.map(|note| check_note(&note)).transpose()?.filter(|note| !note.is_empty());
    let deed = Deed { act, by: principal.user.to_string(), at: app.clock.now(), note };
    let alerts = app.alerts.clone();
    let stored = app.lanes.short(move || Ok(alerts.handle(&id, &deed, check)?)).await?;
    let tag = stored.tag();
    let item: Json<AlertItem> = answer(app, stored);
    Ok((etag(&tag), item).into_response())
}

fn name(member: &str, text: &str) -> Answer<String> {
    let name = text.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let detail = format!("`{member}` is no name.");
        let hint = format!("A name has 1 to {LONGEST_NAME} bytes and no control characters.");
        return Err(Problem::new(codes::BAD_BODY, detail).hint(hint));
    }
    Ok(name.to_owned())
}
