//! `/stream`: everything that changes, as server-sent events.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::system::System;
use crate::alerts::AlertItem;
use crate::app::App;
use crate::auth::{Principal, identify};
use crate::live::{self, ClientFilter, HelloEvent, MapChange, ResyncEvent, Start};
use crate::parameters::{FromPairs, Pairs, Parameters};
use crate::problem::{Answer, Problem, codes};
use crate::select;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// The data of `map`: devices that changed, at most five times a second.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what the stream writes")]
struct MapEvent {
    #[schema(format = DateTime)]
    at: String,
    devices: Vec<MapChange>,
}

/// The data of `values`: the newest value of each series since the last such event, as
/// `[device, metric, time_ms, value, quality_code]`.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what the stream writes")]
struct ValuesEvent {
    #[schema(format = DateTime)]
    at: String,
    values: Vec<Vec<serde_json::Value>>,
}

/// What the stream writes: one of these as the data of the event of that name.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what the stream writes")]
enum StreamEvent {
    Hello(HelloEvent),
    Map(MapEvent),
    Values(ValuesEvent),
    Alert(Box<AlertItem>),
    System(Box<System>),
    Resync(ResyncEvent),
}

/// What to follow.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Only devices and alerts in this zone.
    zone: Option<String>,
    /// Only devices of this kind and their alerts.
    kind: Option<String>,
    /// Values of this device too.
    device: Option<String>,
    /// Whether to send values of all devices; `true` or `1`.
    values: Option<bool>,
    /// The `cursor` of `/map` or `hello`: events follow from there. `Last-Event-ID` goes before.
    after: Option<String>,
}

impl FromPairs for StreamQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            zone: pairs.text("zone"),
            kind: pairs.text("kind"),
            device: pairs.text("device"),
            values: pairs.flag("values")?,
            after: pairs.text("after"),
        })
    }
}

/// Everything that changes, as server-sent events
///
/// Events are `hello`, `map`, `values`, `alert`, `system` and `resync`, each with an id that can
/// be resumed from; a comment every ten seconds shows that the server is alive.
#[utoipa::path(get, path = "/stream", operation_id = "follow_stream", tag = "live",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "Where to go on")),
    responses((status = 200, description = "The stream", body = StreamEvent,
        content_type = "text/event-stream")))]
async fn follow(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Parameters(query): Parameters<StreamQuery>,
) -> Answer<Response> {
    let directory = app.registry.directory();
    let zone = match query.zone {
        Some(id) => Some((select::zone_key(&directory, &id)?, id)),
        None => None,
    };
    let device = query.device.as_deref().map(|id| select::device(&directory, id)).transpose()?;
    let filter = ClientFilter {
        zone,
        kind: query.kind,
        device: device.filter(|_| query.values != Some(true)).map(|device| device.key),
        values: query.values == Some(true) || device.is_some(),
    };
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let start = match last_id.or(query.after.as_deref()) {
        None | Some("") => Start::Now,
        Some(id) => id.parse().map_or(Start::Lost, Start::After),
    };
    let asking = app.clone();
    // Whoever logs out or whose token is revoked hears no more.
    let admitted = move || {
        let (app, proof) = (asking.clone(), principal.proof);
        async move { matches!(identify(&app, proof).await, Ok(Some(_))) }
    };
    let Some(stream) = live::stream(&app.hub, filter, start, admitted) else {
        return Err(Problem::new(codes::TOO_MANY_STREAMS, "No more clients can follow.")
            .hint("Share one stream between tabs; try again later.")
            .retry_after(30));
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that collect answers would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
