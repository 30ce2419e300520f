//! The routes under `/api/v1`: one file per resource, one line per file.

mod aggregates;
mod alarm_load;
mod alert_events;
mod alert_file;
mod alert_groups;
mod alert_handling;
mod alert_log;
mod alert_shelves;
mod alerts;
mod audit_log;
mod base_map;
mod cap;
mod commands;
mod credentials;
mod datasets;
mod dead_letters;
mod departments;
mod device_entry;
mod device_list;
mod device_order;
mod devices;
mod documents;
mod external;
pub(crate) mod health;
mod kinds;
mod last_values;
mod late_readings;
mod login;
mod loss;
pub(crate) mod map;
mod mappings;
mod metrics_catalogue;
mod provisioning;
mod push;
mod readings;
mod readings_delete;
mod readings_file;
mod receivers;
#[cfg(test)]
pub(crate) use readings::MAX_RAW;
pub(crate) use stream::data_schemas as stream_data;
pub(crate) mod report;
mod rule_explain;
mod rule_groups;
mod rule_history;
mod rule_tests;
mod rule_texts;
mod rule_trials;
mod rules;
mod series;
mod session;
mod silences;
mod stream;
pub(crate) mod system;
mod tokens;
mod top;
mod track;
mod users;
pub(crate) mod zones;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Every resource, in the order of the documentation.
static RESOURCES: &[fn() -> OpenApiRouter<App>] = &[
    session::routes,
    external::routes,
    login::routes,
    users::routes,
    tokens::routes,
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
    base_map::routes,
    last_values::routes,
    readings::routes,
    series::routes,
    readings_file::routes,
    readings_delete::routes,
    aggregates::routes,
    top::routes,
    track::routes,
    alerts::routes,
    alert_groups::routes,
    alert_events::routes,
    cap::routes,
    receivers::routes,
    alert_shelves::routes,
    alert_handling::routes,
    alert_log::routes,
    alarm_load::routes,
    audit_log::routes,
    silences::routes,
    rules::routes,
    rule_explain::routes,
    rule_trials::routes,
    rule_tests::routes,
    rule_groups::routes,
    rule_history::routes,
    late_readings::routes,
    dead_letters::routes,
    loss::routes,
    report::routes,
    push::routes,
    datasets::routes,
    stream::routes,
    documents::routes,
];

/// All routes, with what the OpenAPI document says of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    let resources =
        RESOURCES.iter().fold(OpenApiRouter::default(), |all, routes| all.merge(routes()));
    OpenApiRouter::with_openapi(crate::openapi::head())
        .nest("/api/v1", resources)
        .nest("/open/v1", crate::open::routes())
        .nest("/sta/v1.1", crate::sta::routes())
}
