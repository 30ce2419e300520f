//! The routes under `/api/v1`: one file per resource, one line per file.

mod aggregates;
mod alert_events;
mod alerts;
mod commands;
mod credentials;
mod dead_letters;
mod departments;
mod device_entry;
mod device_list;
mod devices;
mod documents;
pub(crate) mod health;
mod kinds;
mod last_values;
mod late_readings;
mod loss;
mod map;
mod mappings;
mod metrics_catalogue;
mod provisioning;
mod push;
mod readings;
#[cfg(test)]
pub(crate) use readings::MAX_RAW;
pub(crate) mod report;
mod rule_trials;
mod rules;
mod session;
mod stream;
pub(crate) mod system;
mod track;
pub(crate) mod zones;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Every resource, in the order of the documentation.
static RESOURCES: &[fn() -> OpenApiRouter<App>] = &[
    session::routes,
    system::routes,
    metrics_catalogue::routes,
    mappings::routes,
    kinds::routes,
    departments::routes,
    zones::routes,
    device_list::routes,
    devices::routes,
    device_entry::routes,
    commands::routes,
    provisioning::routes,
    credentials::routes,
    map::routes,
    last_values::routes,
    readings::routes,
    aggregates::routes,
    track::routes,
    alerts::routes,
    alert_events::routes,
    rules::routes,
    rule_trials::routes,
    late_readings::routes,
    dead_letters::routes,
    loss::routes,
    report::routes,
    push::routes,
    stream::routes,
    documents::routes,
];

/// All routes, with what the OpenAPI document says of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    let resources =
        RESOURCES.iter().fold(OpenApiRouter::default(), |all, routes| all.merge(routes()));
    OpenApiRouter::with_openapi(crate::openapi::head()).nest("/api/v1", resources)
}
