//! Deleting readings for good: a device that was somebody's, a sensor that told nonsense.

use std::ops::ControlFlow;

use axum::Json;
use axum::extract::State;
use city_model::{DeviceKey, MetricKey, SeriesKey, Timestamp};
use city_store::{Cancel, Deletion, Store, TimeRange};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alerts::reason;
use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Role};
use crate::parameters::{FromPairs, Pairs, Parameters, time_range};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::select;

/// The most devices of one call.
const MAX_DEVICES: usize = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(delete_readings))
}

/// What was deleted, or would be.
#[derive(Serialize, ToSchema)]
struct DeletedReadings {
    /// How many readings.
    readings: u64,
    /// Whether they are gone.
    deleted: bool,
}

/// Which readings.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// The devices' ids, separated by commas; at most 100.
    #[param(value_type = String)]
    device: Vec<String>,
    /// Only those of these metrics, separated by commas; all of them, and where the device was, unless
    /// given.
    #[param(value_type = Option<String>)]
    metric: Option<Vec<String>>,
    /// The first instant by event time, RFC 3339.
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The first instant after the range, RFC 3339.
    #[param(value_type = String, format = DateTime)]
    to: Timestamp,
    /// How many readings are to go, as the same call without this said. Without it nothing is deleted.
    expect: Option<u64>,
    /// Why, 1 to 2,000 characters; needed to delete.
    why: Option<String>,
}

impl FromPairs for DeleteQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let given = |time: Option<Timestamp>, name: &str| {
            time.ok_or_else(|| {
                let detail = format!("The parameter `{name}` is missing.");
                Problem::new(codes::MISSING_PARAMETER, detail)
                    .hint("Say the whole range, RFC 3339: from=2026-11-23T08:30:00Z")
                    .with("parameter", name)
            })
        };
        Ok(Self {
            device: pairs.required_list("device")?,
            metric: pairs.list("metric"),
            from: given(from, "from")?,
            to: given(to, "to")?,
            expect: pairs.parse("expect", "1440")?,
            why: pairs.text("why"),
        })
    }
}

/// Delete readings of devices for good, with their summaries
///
/// In two steps: a call without `expect` says how many there are, the same call with that number
/// deletes them, if it still is that many. The ledger goes on counting them as stored.
#[utoipa::path(delete, path = "/readings", operation_id = "delete_readings", tag = "readings",
    params(DeleteQuery),
    responses((status = 200, description = "They are gone, or how many there are",
        body = DeletedReadings),
        (status = 412, description = "It is another number of readings now (`readings` says it)",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "There is no reason", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn delete_readings(
    State(app): State<App>,
    principal: Principal,
    Parameters(query): Parameters<DeleteQuery>,
) -> Answer<Json<DeletedReadings>> {
    let directory = app.registry.directory();
    let range = time_range((Some(query.from), Some(query.to)), query.to, city_model::Span::ZERO)?;
    if query.device.len() > MAX_DEVICES {
        let detail = format!("{} devices are named.", query.device.len());
        return Err(Problem::new(codes::BAD_PARAMETER, detail)
            .hint(format!("Name at most {MAX_DEVICES} at a time."))
            .with("parameter", "device"));
    }
    let found = query.device.iter().map(|id| select::device(&directory, id));
    let found = found.collect::<Answer<Vec<_>>>()?;
    let departments = found.iter().map(|device| &*device.department);
    principal.rights.require_all(Role::Engineer, departments)?;
    if let Some(first) = found.first()
        && found.iter().all(|device| device.department == first.department)
    {
        audit::department(&first.department);
    }
    let mut devices: Vec<DeviceKey> = found.iter().map(|device| device.key).collect();
    devices.sort_unstable();
    devices.dedup();
    let metrics =
        query.metric.as_deref().map(|ids| select::metrics(&directory, ids)).transpose()?;
    let why = query.expect.map(|_| reason(query.why.as_deref().unwrap_or_default())).transpose()?;
    audit::target(query.device.join(","));
    let what = What { devices, metrics, range };
    let (store, counted) = (app.store.clone(), what.clone());
    let readings = app.lanes.history(move |cancel| counted.count(&*store, cancel)).await?;
    let Some(why) = why else {
        audit::only_tried();
        return Ok(Json(DeletedReadings { readings, deleted: false }));
    };
    if query.expect != Some(readings) {
        let detail = format!("There are {readings} readings, and others are expected to go.");
        return Err(Problem::new(codes::CHANGED_MEANWHILE, detail)
            .hint("Look at what is there now, and send the number that is right.")
            .with("readings", readings));
    }
    let store = app.store.clone();
    // Not in a lane that ends with its client: what is begun is gone through with.
    let readings = app.lanes.short(move || what.delete(&*store)).await?;
    audit::after(json!({ "readings": readings, "metrics": query.metric, "from": query.from,
        "to": query.to, "why": why }));
    tracing::info!(
        user.name = %principal.user, device.id = query.device.join(","), %query.from, %query.to,
        readings, why, "deleted readings"
    );
    Ok(Json(DeletedReadings { readings, deleted: true }))
}

/// What is to be deleted.
#[derive(Clone)]
struct What {
    devices: Vec<DeviceKey>,
    metrics: Option<Vec<MetricKey>>,
    range: TimeRange,
}

impl What {
    fn count(&self, store: &dyn Store, cancel: &Cancel) -> Answer<u64> {
        let mut count = 0;
        for device in self.devices.iter().copied() {
            let Some(metrics) = &self.metrics else {
                cancel.check()?;
                count += store.count(Some(device), self.range)?;
                continue;
            };
            for metric in metrics.iter().copied() {
                let series = SeriesKey { device, metric };
                store.scan(series, self.range, &mut |page| {
                    count += page.len() as u64;
                    cancel.check().map_or(ControlFlow::Break(()), ControlFlow::Continue)
                })?;
                cancel.check()?;
            }
        }
        Ok(count)
    }

    fn delete(&self, store: &dyn Store) -> Answer<u64> {
        let metrics: Vec<Option<MetricKey>> = match &self.metrics {
            Some(metrics) => metrics.iter().copied().map(Some).collect(),
            None => vec![None],
        };
        let mut gone = 0;
        for device in self.devices.iter().copied() {
            for metric in metrics.iter().copied() {
                gone += store.delete(&Deletion { device, metric, range: self.range })?;
            }
        }
        Ok(gone)
    }
}
