//! `/system`: what this instance is and how it is doing.

use axum::Json;
use axum::extract::State;
use city_model::{LifeCycle, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::Counts;
use crate::app::App;
use crate::parameters::{NoParameters, Parameters};
use crate::status::DeviceStatus;
use crate::{BrokerStatus, CityInfo, Mode, ReceiverState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What this instance is and how it is doing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct System {
    version: String,
    mode: Mode,
    /// Whether everything here is simulated.
    simulated: bool,
    #[schema(value_type = CityInfo)]
    city: CityInfo,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// The server's clock.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// Devices that are not retired.
    devices: u64,
    /// Those of them that were heard within 1.5 of their intervals.
    devices_online: u64,
    /// Readings committed a second, over the last ten seconds.
    readings_per_s: f64,
    /// When anything was last received.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_reading_at: Option<Timestamp>,
    alerts_firing: u64,
    alerts: Counts,
    /// Messages that were taken and are not yet durable.
    in_flight: u64,
    /// Why readings cannot be stored now; `null` while they can.
    commits_failing: Option<String>,
    /// The sessions with external brokers.
    brokers: Vec<BrokerStatus>,
    /// The receivers of alerts.
    receivers: Vec<ReceiverState>,
    /// Why alerts cannot be evaluated now; `null` while they can.
    alerts_failing: Option<String>,
    /// What is wrong with the rules, while the others are in force: files that were refused, groups
    /// that are disabled.
    rule_problems: Vec<String>,
}

/// The present state of the system.
pub(crate) fn system(app: &App) -> System {
    let now = app.clock.now();
    let status = app.ingest.status();
    let counts = app.board.counts();
    let (mut devices, mut online) = (0, 0);
    let states = app.hub.devices();
    for device in app.registry.directory().devices() {
        if device.life_cycle != LifeCycle::Retired {
            devices += 1;
            let heard = states.get(device.key.index()).and_then(|state| state.heard);
            let is_online = DeviceStatus::of(heard, device.interval, now) == DeviceStatus::Online;
            online += u64::from(is_online);
        }
    }
    System {
        version: app.version.clone(),
        mode: app.mode,
        simulated: app.simulated,
        city: app.city.clone(),
        started_at: app.started_at,
        now,
        devices,
        devices_online: online,
        readings_per_s: status.readings_per_s,
        last_reading_at: app.hub.newest_received(),
        alerts_firing: counts.firing,
        alerts: counts,
        in_flight: status.in_flight,
        commits_failing: status.failing,
        brokers: status.brokers,
        receivers: status.receivers,
        alerts_failing: status.engine_failing,
        rule_problems: app.rule_book.problems(),
    }
}

/// What this instance is and how it is doing
#[utoipa::path(get, path = "/system", operation_id = "get_system", tag = "system",
    responses((status = 200, description = "The system now", body = System)))]
async fn show(State(app): State<App>, _: Parameters<NoParameters>) -> Json<System> {
    Json(system(&app))
}
