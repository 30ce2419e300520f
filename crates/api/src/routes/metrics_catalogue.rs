//! `/metrics-catalogue`: what can be measured, in which units.

use axum::Json;
use axum::extract::State;
use city_model::{LocalText, Range};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::parameters::{NoParameters, Parameters};
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
    items: Vec<Metric>,
}

/// All metrics with their units and ranges
#[utoipa::path(get, path = "/metrics-catalogue", operation_id = "list_metrics", tag = "registry",
    responses((status = 200, description = "The catalogue", body = MetricList)))]
async fn list(State(app): State<App>, _: Parameters<NoParameters>) -> Json<MetricList> {
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
    Json(MetricList { items: directory.metrics.iter().map(metric).collect() })
}
