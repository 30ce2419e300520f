//! `/alert-log`: everything that happened to alerts, and who did what about them.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::Timestamp;
use city_store::Cancel;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_file;
use crate::alerts::{AlertLogItem, AlertLogKind, LogCursor, LogQuery};
use crate::app::App;
use crate::cursor;
use crate::export::{self, Rows, Shape, Table};
use crate::order::LogOrder;
use crate::parameters::{FromPairs, MAX_LIMIT, Pairs, Parameters, With};
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
    /// Only those of these alerts, separated by commas.
    #[param(value_type = Option<String>)]
    alert: Option<Vec<String>>,
    /// Only those of alerts of these rules, separated by commas.
    #[param(value_type = Option<String>)]
    rule: Option<Vec<String>>,
    /// Only those of alerts about these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those of alerts in these zones, separated by commas.
    #[param(value_type = Option<String>)]
    zone: Option<Vec<String>>,
    /// Only those of alerts whose rules these departments own, separated by commas.
    #[param(value_type = Option<String>)]
    department: Option<Vec<String>>,
    /// Only what these users did, separated by commas; `engine` and `brain` are what happened by itself.
    #[param(value_type = Option<String>)]
    who: Option<Vec<String>>,
    /// Only those that speak of these silences, alerts, departments or people, separated by commas.
    #[param(value_type = Option<String>)]
    about: Option<Vec<String>>,
    /// Only these kinds, separated by commas.
    #[param(value_type = Option<String>, example = "fired,resolved")]
    kind: Vec<AlertLogKind>,
    /// Only what happened at this instant or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only what happened before this instant, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `newest`, unless given, or `oldest` first.
    #[param(inline, value_type = Option<LogOrder>)]
    sort: LogOrder,
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
            alert: pairs.list("alert"),
            rule: pairs.list("rule"),
            device: pairs.list("device"),
            zone: pairs.list("zone"),
            department: pairs.list("department"),
            who: pairs.list("who"),
            about: pairs.list("about"),
            kind: pairs.some_of("kind", AlertLogKind::ALL)?,
            from,
            to,
            sort: LogOrder::from_pairs(pairs)?,
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// Everything that happened to alerts, newest first unless sorted otherwise
///
/// The lines of an alert are deleted with it, 400 days after its end.
#[utoipa::path(get, path = "/alert-log", operation_id = "list_alert_log", tag = "alerts",
    params(Shape, AlertLogQuery),
    responses((status = 200, description = "A page of the log", body = AlertLogPage)))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(With(shape, query)): Parameters<With<Shape, AlertLogQuery>>,
) -> Answer<Response> {
    let mut wanted = LogQuery {
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
        sort: query.sort,
        after: query.cursor,
        limit: query.limit,
    };
    let alerts = app.alerts.clone();
    if let Some(file) = shape.file(&headers) {
        let table = Table::new("alert-log", alert_file::LOG_COLUMNS);
        let work = move |rows: &mut Rows, _: &Cancel| {
            wanted.limit = MAX_LIMIT;
            loop {
                let (items, next) = alerts.log(&wanted)?;
                items.iter().try_for_each(|item| rows.add(&alert_file::log_row(item)))?;
                wanted.after = next;
                if wanted.after.is_none() {
                    return Ok(());
                }
            }
        };
        return export::respond(&app, file, table, work).await;
    }
    let (items, next) = app.lanes.short(move || Ok(alerts.log(&wanted)?)).await?;
    let next_cursor = next.as_ref().map(cursor::encode);
    shape.page("AlertLogItem", AlertLogPage { items, next_cursor })
}
