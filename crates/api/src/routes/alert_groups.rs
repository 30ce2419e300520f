//! `/alerts/groups`: what fires, by where it is and what made it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::PositionGroups;
use crate::app::App;
use crate::list::Part;
use crate::parameters::Parameters;
use crate::problem::Answer;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What fires, by operator position, zone and cause.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertGroups)]
struct Groups {
    /// Those positions at which something fires.
    items: Vec<PositionGroups>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// What fires, grouped by zone and cause, with the floods that go on
///
/// The members of a group share the smallest zone, and the gateway if something is wrong with it, or
/// else the rule.
#[utoipa::path(get, path = "/alerts/groups", operation_id = "list_alert_groups", tag = "alerts",
    params(Part),
    responses((status = 200, description = "The groups", body = Groups)))]
async fn list(State(app): State<App>, Parameters(part): Parameters<Part>) -> Answer<Json<Groups>> {
    let (alerts, directory) = (app.alerts.clone(), app.registry.directory());
    let items = app.lanes.short(move || Ok(alerts.groups(&directory))).await?;
    let (items, next_cursor) = part.of(items, |of| &of.position)?;
    Ok(Json(Groups { items, next_cursor }))
}
