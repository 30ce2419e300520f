//! `/late-readings`: what the alert engine decided about readings that came late.

use axum::Json;
use axum::extract::State;
use city_model::{Directory, SeriesKey, Timestamp};
use city_rules::{LateDecision, LateReading};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::list::Page;
use crate::parameters::{FromPairs, Pairs, Parameters, With};
use crate::problem::Answer;
use crate::select::has;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What was decided about a late reading.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decision {
    /// Later than rules allow: stored, not evaluated by them.
    Backfill,
    /// A newer reading had been evaluated, and no window or zone had a place for it.
    OutOfOrder,
    /// A newer reading had been evaluated, but windows or zones took it and were judged anew.
    Inserted,
}

/// A late reading and what was decided.
#[derive(Serialize, ToSchema)]
pub(super) struct LateDecided {
    /// The device; `null` if the registry no longer knows it.
    device: Option<String>,
    /// The metric.
    metric: Option<String>,
    /// When it was measured.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// When it reached us.
    #[schema(value_type = String, format = DateTime)]
    received: Timestamp,
    decision: Decision,
    /// For `backfill`: the first rule for which it was too late.
    rule: Option<String>,
    /// For `backfill` and `inserted`: how many rules that were.
    rules: Option<u32>,
    /// For `out_of_order`: the time of the newer reading.
    #[schema(value_type = Option<String>, format = DateTime)]
    newest: Option<Timestamp>,
}

/// The last late readings.
#[derive(Serialize, ToSchema)]
struct LateReadings {
    /// Newest first, unless sorted otherwise.
    items: Vec<LateDecided>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which ones.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct LateQuery {
    /// Only those of these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those of these metrics, separated by commas.
    #[param(value_type = Option<String>)]
    metric: Option<Vec<String>>,
}

impl FromPairs for LateQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { device: pairs.list("device"), metric: pairs.list("metric") })
    }
}

/// What was decided about late readings
///
/// The last 10,000 decisions since the program started. Every reading is stored, however late; this
/// says what alert rules made of it.
#[utoipa::path(get, path = "/late-readings", operation_id = "list_late_readings", tag = "rules",
    params(LateQuery, Page),
    responses((status = 200, description = "The decisions, newest first", body = LateReadings)))]
async fn list(
    State(app): State<App>,
    Parameters(With(query, page)): Parameters<With<LateQuery, Page>>,
) -> Answer<Json<LateReadings>> {
    let directory = app.registry.directory();
    let fits = |late: &LateReading| {
        let named = |wanted: &Option<Vec<String>>, found: Option<String>| {
            wanted.is_none() || found.is_some_and(|found| has(wanted.as_ref(), &found))
        };
        named(&query.device, device(late, &directory))
            && named(&query.metric, metric(late, &directory))
    };
    // They are few.
    let found = app.late_readings.newest(usize::MAX, fits);
    let keyed = found.iter().map(|late| (key(late), view(late, &directory))).collect();
    let part = page.or_as_it_is()?;
    let (items, next_cursor) =
        part.of_told(keyed, |(key, _)| key, |(_, late)| serde_json::to_value(late))?;
    let items = items.into_iter().map(|(_, late)| late).collect();
    Ok(Json(LateReadings { items, next_cursor }))
}

/// What tells decisions apart.
fn key(late: &LateReading) -> String {
    let SeriesKey { device, metric } = late.series;
    format!("{device:?} {metric:?} {} {}", late.time.micros(), late.received.micros())
}

fn device(late: &LateReading, directory: &Directory) -> Option<String> {
    Some(directory.device(late.series.device)?.id.to_string())
}

fn metric(late: &LateReading, directory: &Directory) -> Option<String> {
    Some(directory.metrics.get(late.series.metric)?.id.to_string())
}

pub(super) fn view(late: &LateReading, directory: &Directory) -> LateDecided {
    let (decision, rule, rules, newest) = match &late.decision {
        LateDecision::Backfill { rule, rules } => {
            (Decision::Backfill, Some(rule.to_string()), Some(*rules), None)
        }
        LateDecision::OutOfOrder { newest } => (Decision::OutOfOrder, None, None, Some(*newest)),
        LateDecision::Inserted { rules } => (Decision::Inserted, None, Some(*rules), None),
    };
    LateDecided {
        device: device(late, directory),
        metric: metric(late, directory),
        time: late.time,
        received: late.received,
        decision,
        rule,
        rules,
        newest,
    }
}
