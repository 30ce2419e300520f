//! `/map`: all devices in columns, consistent with a position of the stream.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use city_model::{Span, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::encoding::{Effort, Encoded};
use crate::live::{Hub, MapColumns};
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem};

/// For how long a snapshot is good for those who ask after changes: the stream that follows tells
/// them anyway, and brings changes no more often.
const FRESH: Span = Span::from_millis(200);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// All devices that are not retired, as the map shows them.
#[derive(Serialize, ToSchema)]
struct MapSnapshot {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Pass it as `after` to `/stream`: changes follow exactly from here.
    cursor: String,
    devices: MapColumns,
    /// The ids of the kinds, by index.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<Arc<str>>,
}

/// The snapshot that was written last.
#[derive(Debug, Default)]
pub(crate) struct Drawn(Mutex<Option<Shot>>);

#[derive(Debug)]
struct Shot {
    at: Timestamp,
    position: u64,
    written: Arc<Encoded>,
}

impl Drawn {
    /// The snapshot now: written anew if something has changed since the last one. Whoever asks
    /// meanwhile waits for the same.
    fn now(&self, hub: &Hub) -> Answer<Arc<Encoded>> {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = hub.now();
        let good = |shot: &&Shot| {
            shot.position == hub.position() || (now >= shot.at && now.since(shot.at) < FRESH)
        };
        if let Some(shot) = drawn.as_ref().filter(good) {
            return Ok(shot.written.clone());
        }
        let (at, position, devices, kinds) = hub.map();
        let snapshot = MapSnapshot { at, cursor: position.to_string(), devices, kinds };
        let text = serde_json::to_vec(&snapshot).map_err(|error| Problem::internal(&error))?;
        let etag = HeaderValue::try_from(format!("W/\"{position}\""));
        let etag = etag.unwrap_or(HeaderValue::from_static("W/\"\""));
        let written = Encoded::new(
            text.into(),
            "application/json",
            etag,
            "private, no-cache",
            Effort::Little,
        );
        let written = Arc::new(written);
        *drawn = Some(Shot { at, position, written: written.clone() });
        Ok(written)
    }
}

/// All devices on the map, in columns
///
/// At most a fifth of a second old. `ETag` with `If-None-Match` saves what has not changed.
#[utoipa::path(get, path = "/map", operation_id = "get_map", tag = "live",
    params(("If-None-Match" = Option<String>, Header,
        description = "The ETag of the map that is known already")),
    responses(
        (status = 200, description = "The map now", body = MapSnapshot),
        (status = 304, description = "It is the map that is known already")))]
async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    let asked = app.clone();
    app.lanes.short(move || Ok(asked.map.now(&asked.hub)?.answer(&headers))).await
}
