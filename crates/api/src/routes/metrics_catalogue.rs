//! `/metrics-catalogue`: what can be measured, in which units.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::{LocalText, Range};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::list::{Part, Words, fresh};
use crate::parameters::{Parameters, With};
use crate::problem::Answer;
use crate::schema;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A named quantity.
#[derive(Serialize, ToSchema)]
struct Metric {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// UCUM code of its unit; `1` for counts and ratios, empty if unknown.
    unit: String,
    /// The unit as people write it.
    symbol: String,
    /// What is physically possible, in the unit.
    #[schema(value_type = Option<schema::Range>)]
    range: Option<Range>,
    /// How many decimals people want to see.
    decimals: u8,
    /// Whether it came with an unknown name and waits to be mapped.
    unmapped: bool,
}

/// The catalogue.
#[derive(Serialize, ToSchema)]
struct MetricList {
    /// In the order in which they came to be known.
    items: Vec<Metric>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// All metrics with their units and ranges
#[utoipa::path(get, path = "/metrics-catalogue", operation_id = "list_metrics", tag = "registry",
    params(Words, Part),
    responses((status = 200, description = "The catalogue", body = MetricList),
        (status = 304, description = "Nothing changed since the ETag that was sent")))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(With(words, part)): Parameters<With<Words, Part>>,
) -> Answer<Response> {
    let directory = app.registry.directory();
    let metric = |metric: &city_model::Metric| Metric {
        id: metric.id.to_string(),
        name: metric.name.clone(),
        unit: metric.unit.to_string(),
        symbol: metric.symbol.to_string(),
        range: metric.range,
        decimals: metric.decimals,
        unmapped: metric.unmapped,
    };
    let named = |metric: &&city_model::Metric| {
        words.are_in(&[&metric.id, &metric.name.en, &metric.name.zh])
    };
    let items = directory.metrics.iter().filter(named).map(metric).collect();
    let (items, next_cursor) = part.of(items, |metric: &Metric| &metric.id)?;
    fresh(&headers, &MetricList { items, next_cursor })
}
