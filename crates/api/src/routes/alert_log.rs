//! `/alert-log`: everything that happened to alerts, and who did what about them.

use axum::Json;
use axum::extract::State;
use city_model::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::{AlertLogItem, AlertLogKind, LogCursor, LogQuery};
use crate::app::App;
use crate::cursor;
use crate::parameters::{FromPairs, Pairs, Parameters};
use crate::problem::Answer;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
struct AlertLogPage {
    items: Vec<AlertLogItem>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which lines of the log.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AlertLogQuery {
    /// Only those of this alert.
    alert: Option<String>,
    /// Only those of alerts of this rule.
    rule: Option<String>,
    /// Only those of alerts about this device.
    device: Option<String>,
    /// Only those of alerts in this zone.
    zone: Option<String>,
    /// Only those of alerts whose rules this department owns.
    department: Option<String>,
    /// Only what this user did; `engine` and `brain` are what happened by itself.
    who: Option<String>,
    /// Only those that speak of this silence, alert, department or person.
    about: Option<String>,
    /// Only these kinds, separated by commas.
    #[param(value_type = Option<String>, example = "fired,resolved")]
    kind: Vec<AlertLogKind>,
    /// Only what happened at this instant or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only what happened before this instant, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<LogCursor>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for AlertLogQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        Ok(Self {
            alert: pairs.text("alert"),
            rule: pairs.text("rule"),
            device: pairs.text("device"),
            zone: pairs.text("zone"),
            department: pairs.text("department"),
            who: pairs.text("who"),
            about: pairs.text("about"),
            kind: pairs.some_of("kind", AlertLogKind::ALL)?,
            from,
            to,
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// Everything that happened to alerts, newest first
///
/// The lines of an alert are deleted with it, 400 days after its end.
#[utoipa::path(get, path = "/alert-log", operation_id = "list_alert_log", tag = "alerts",
    params(AlertLogQuery),
    responses((status = 200, description = "A page of the log", body = AlertLogPage)))]
async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<AlertLogQuery>,
) -> Answer<Json<AlertLogPage>> {
    let wanted = LogQuery {
        alert: query.alert,
        rule: query.rule,
        device: query.device,
        zone: query.zone,
        department: query.department,
        who: query.who,
        about: query.about,
        kinds: query.kind,
        from: query.from,
        to: query.to,
        after: query.cursor,
        limit: query.limit,
    };
    let alerts = app.alerts.clone();
    let (items, next) = app.lanes.short(move || Ok(alerts.log(&wanted)?)).await?;
    Ok(Json(AlertLogPage { items, next_cursor: next.as_ref().map(cursor::encode) }))
}
