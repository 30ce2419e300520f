//! `/aggregates`: one metric over many devices, in steps.

use axum::Json;
use axum::extract::State;
use city_model::{SeriesKey, Timestamp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::readings::{Buckets, DEFAULT_RANGE, auto_step, bucket_columns, check_step};
use crate::app::App;
use crate::parameters::{FromPairs, Pairs, Parameters, Step, With, bad, time_range};
use crate::problem::Answer;
use crate::select::{self, Choice, Selection};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// One metric over many devices.
#[derive(Serialize, ToSchema)]
struct Aggregates {
    metric: String,
    /// UCUM code.
    unit: String,
    /// The unit as people write it.
    symbol: String,
    /// The zone that was asked for; of several all, separated by commas.
    zone: Option<String>,
    /// How many devices have values of this metric.
    devices: usize,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// The width of the buckets in seconds.
    step_s: i64,
    buckets: Buckets,
}

/// What to put together.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AggregatesQuery {
    /// The metric's id.
    metric: String,
    /// The first instant, RFC 3339; six hours before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// The width of the steps: seconds, `1m`, `15m` or `1h`; one that fits a chart unless given.
    #[param(value_type = Option<String>)]
    step: Option<Step>,
}

impl FromPairs for AggregatesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        Ok(Self { metric: pairs.required("metric")?, from, to, step: pairs.step()? })
    }
}

/// One metric over many devices, in steps
#[utoipa::path(get, path = "/aggregates", operation_id = "get_aggregates", tag = "readings",
    params(Choice, AggregatesQuery),
    responses((status = 200, description = "The steps", body = Aggregates)))]
async fn show(
    State(app): State<App>,
    Parameters(With(choice, query)): Parameters<With<Choice, AggregatesQuery>>,
) -> Answer<Json<Aggregates>> {
    let directory = app.registry.directory();
    let range = time_range((query.from, query.to), app.clock.now(), DEFAULT_RANGE)?;
    let step = match query.step {
        Some(Step::Every(step)) => check_step(range, step)?,
        Some(Step::Raw) => return Err(bad("step", "raw", &"it must be a length of time", "5m")),
        None => auto_step(range),
    };
    let zones = choice.zone.clone().unwrap_or_default();
    let chosen = Selection::new(&directory, choice)?;
    select::metric(&directory, &query.metric)?;
    let reader = app.clone();
    app.lanes
        .history(move |cancel| {
            let metric = select::metric(&directory, &query.metric)?;
            let states = reader.hub.devices();
            let series: Vec<SeriesKey> = chosen
                .devices(&directory, &states)
                .map(|(device, _)| SeriesKey { device: device.key, metric: metric.key })
                .filter(|series| reader.store.last(*series).is_some())
                .collect();
            let buckets = reader.store.buckets(&series, range, step, cancel)?;
            Ok(Json(Aggregates {
                metric: metric.id.to_string(),
                unit: metric.unit.to_string(),
                symbol: metric.symbol.to_string(),
                zone: (!zones.is_empty()).then(|| zones.join(",")),
                devices: series.len(),
                from: range.from,
                to: range.to,
                step_s: step.micros() / 1_000_000,
                buckets: bucket_columns(&buckets),
            }))
        })
        .await
}
