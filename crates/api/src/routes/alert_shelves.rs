//! `/alerts/{id}/shelve`: one alert put aside by one person for a while.

use axum::Json;
use axum::extract::State;
use city_model::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alerts::{answer, check_note, reason};
use crate::alerts::{AlertItem, LONGEST_SHELF, Shelf};
use crate::app::App;
use crate::auth::Principal;
use crate::extract::{Body, Id};
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, ProblemBody, codes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(shelve)).routes(routes!(unshelve))
}

/// For how long and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShelveAlert {
    /// Until when, at most 24 hours from now.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Why, 1 to 2,000 characters.
    reason: String,
}

/// Put a firing alert aside for a while
///
/// It stays in the list with `shelved`. Outside receivers are not told what happens to it until it
/// comes back, by itself or by `unshelve`; if it ends, those who know of it are told.
#[utoipa::path(post, path = "/alerts/{id}/shelve", operation_id = "shelve_alert", tag = "alerts",
    request_body = ShelveAlert,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert, shelved", body = AlertItem),
        (status = 409, description = "Shelved before (`shelved` says by whom), or resolved",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn shelve(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(body): Body<ShelveAlert>,
) -> Answer<Json<AlertItem>> {
    let at = app.clock.now();
    if body.until <= at || body.until.since(at) > LONGEST_SHELF {
        let detail = format!("It cannot be shelved until {}.", body.until);
        return Err(Problem::new(codes::BAD_DEADLINE, detail)
            .hint("Say a time within the next 24 hours; for longer, make a silence."));
    }
    let reason = reason(&body.reason)?;
    let shelf = Shelf { by: principal.user.to_string(), at, until: body.until, reason };
    let alerts = app.alerts.clone();
    let stored = app.lanes.short(move || Ok(alerts.shelve(&id, &shelf)?)).await?;
    Ok(answer(&app, stored))
}

/// What somebody says when they take an alert back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UnshelveAlert {
    /// At most 2,000 characters.
    note: Option<String>,
}

/// Take an alert back from its shelf
#[utoipa::path(post, path = "/alerts/{id}/unshelve", operation_id = "unshelve_alert",
    tag = "alerts", request_body = UnshelveAlert,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertItem),
        (status = 409, description = "It is on no shelf", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn unshelve(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(body): Body<UnshelveAlert>,
) -> Answer<Json<AlertItem>> {
    let note = body.note.map(|note| check_note(&note)).transpose()?;
    let note = note.filter(|note| !note.is_empty());
    let (now, alerts) = (app.clock.now(), app.alerts.clone());
    let stored = app
        .lanes
        .short(move || Ok(alerts.unshelve(&id, &principal.user, now, note.as_deref())?))
        .await?;
    Ok(answer(&app, stored))
}
