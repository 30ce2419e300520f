//! `/alarm-load`: how much work alerts are for those who watch, as ISA-18.2 counts it.

use axum::Json;
use axum::extract::State;
use city_model::{Span, Timestamp};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::{AlarmLoad, MOST_ALERTS};
use crate::app::App;
use crate::parameters::{FromPairs, Pairs, Parameters, time_range};
use crate::problem::{Answer, Problem, codes};

/// The length of time that is looked at unless asked.
const DEFAULT: Span = Span::from_hours(24);
/// The longest.
const LONGEST: Span = Span::from_hours(366 * 24);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Which alerts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AlarmLoadQuery {
    /// Only those whose rules this department owns.
    department: Option<String>,
    /// Those that fired at this instant or later, RFC 3339; a day before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Those that fired before this instant, RFC 3339; now unless given. At most 366 days after
    /// `from`.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl FromPairs for AlarmLoadQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        Ok(Self { department: pairs.text("department"), from, to })
    }
}

/// The alarm load as ISA-18.2 counts it, with the rules and subjects that make the most of it
///
/// Silenced, shelved and inhibited alerts count, too: they stand in the list all the same.
#[utoipa::path(get, path = "/alarm-load", operation_id = "get_alarm_load", tag = "alerts",
    params(AlarmLoadQuery),
    responses((status = 200, description = "The load", body = AlarmLoad)))]
async fn show(
    State(app): State<App>,
    Parameters(query): Parameters<AlarmLoadQuery>,
) -> Answer<Json<AlarmLoad>> {
    let range = time_range((query.from, query.to), app.clock.now(), DEFAULT)?;
    if range.to.since(range.from) > LONGEST {
        return Err(Problem::new(codes::BAD_RANGE, "The range is longer than 366 days.")
            .hint("Ask for less at a time."));
    }
    let (alerts, flood) = (app.alerts.clone(), app.flood.clone());
    let load = app
        .lanes
        .short(move || {
            Ok(alerts.load((range.from, range.to), query.department.as_deref(), &flood)?)
        })
        .await?;
    load.map(Json).ok_or_else(|| {
        let detail = format!("More than {MOST_ALERTS} alerts fired in this range.");
        Problem::new(codes::BAD_RANGE, detail).hint("Ask for less at a time.")
    })
}
