//! `/stream`: everything that changes, as server-sent events.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::system::System;
use crate::alerts::AlertItem;
use crate::app::App;
use crate::auth::{Caller, Principal, identify};
use crate::live::{
    self, ClientFilter, EventKind, Follower, HelloEvent, MapChange, ResyncEvent, Start, Taking,
};
use crate::parameters::{FromPairs, Pairs, Parameters};
use crate::problem::{Answer, Problem, codes};
use crate::select;

/// The events that a client may choose, by name.
const EVENTS: &[(&str, EventKind)] = &[
    ("map", EventKind::Map),
    ("values", EventKind::Values),
    ("alert", EventKind::Alert),
    ("system", EventKind::System),
];
/// How many devices may be named one by one.
const DEVICES: usize = 100;

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

/// An event of the stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what the stream writes")]
struct StreamEvent {
    /// `hello`, `map`, `values`, `alert`, `system` or `resync`.
    event: String,
    /// Where to go on after it, for `Last-Event-ID`.
    id: String,
    /// The data of the event of that name, a `StreamData`, as JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// The data of an event, by its name.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what the stream writes")]
enum StreamData {
    Hello(HelloEvent),
    Map(MapEvent),
    Values(ValuesEvent),
    Alert(Box<AlertItem>),
    System(Box<System>),
    Resync(ResyncEvent),
}

/// The schemas of the data of events: the document names them in words alone, for they stand as text
/// in the events.
pub(crate) fn data_schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(StreamData::name().into_owned(), StreamData::schema())];
    StreamData::schemas(&mut schemas);
    schemas
}

/// What to follow.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Only devices and alerts in these zones, separated by commas.
    zone: Option<String>,
    /// Only devices of these kinds and their alerts, separated by commas.
    kind: Option<String>,
    /// Values of these devices too, separated by commas; at most 100.
    device: Option<String>,
    /// Whether to send values of all devices; `true` or `1`.
    values: Option<bool>,
    /// Only these events, separated by commas: `map`, `values`, `alert`, `system`. `hello` and
    /// `resync` always come.
    #[param(value_type = Option<String>)]
    events: Vec<EventKind>,
    /// The `cursor` of `/map` or `hello`: events follow from there. `Last-Event-ID` goes before.
    after: Option<String>,
    /// End after so many events, `hello` and heartbeats among them: 1 to 1,000. Without it the
    /// stream goes on.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl FromPairs for StreamQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            zone: pairs.text("zone"),
            kind: pairs.text("kind"),
            device: pairs.text("device"),
            values: pairs.flag("values")?,
            events: pairs.some_of("events", EVENTS)?,
            after: pairs.text("after"),
            limit: pairs.given_limit()?,
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
    Caller(caller): Caller,
    headers: HeaderMap,
    Parameters(query): Parameters<StreamQuery>,
) -> Answer<Response> {
    let directory = app.registry.directory();
    let zones = list(query.zone.as_deref());
    let zones = zones.into_iter().map(|id| Ok((select::zone_key(&directory, id)?, id.to_owned())));
    let devices = list(query.device.as_deref());
    if devices.len() > DEVICES {
        let detail = format!("{} devices are too many to be named one by one.", devices.len());
        return Err(Problem::new(codes::BAD_PARAMETER, detail)
            .hint("Name at most 100, or follow a zone or a kind with `values=true`."));
    }
    let devices = devices.into_iter().map(|id| Ok(select::device(&directory, id)?.key));
    let devices: Vec<_> = devices.collect::<Answer<_>>()?;
    let all = query.values == Some(true);
    let kinds = list(query.kind.as_deref()).into_iter().map(str::to_owned).collect();
    let filter = ClientFilter {
        values: all || !devices.is_empty(),
        devices: if all { Vec::new() } else { devices },
        events: query.events,
        ..ClientFilter::new(zones.collect::<Answer<_>>()?, kinds)
    };
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let start = match last_id.or(query.after.as_deref()) {
        None | Some("") => Start::Now,
        Some(id) => id.parse().map_or(Start::Lost, Start::After),
    };
    let follower = Follower { user: principal.user.clone(), address: caller };
    let asking = app.clone();
    // Whoever logs out or whose token is revoked hears no more.
    let admitted = move || {
        let (app, proof) = (asking.clone(), principal.proof);
        async move { matches!(identify(&app, proof).await, Ok(Some(_))) }
    };
    let stream = live::stream(&app.hub, follower, filter, start, admitted).map_err(full)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that collect answers would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let stream = stream.take(query.limit.unwrap_or(usize::MAX));
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// The parts of a list.
fn list(text: Option<&str>) -> Vec<&str> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn full(taking: Taking) -> Problem {
    let (detail, hint) = match taking {
        Taking::All => ("No more clients can follow.", "Try again later."),
        Taking::User => (
            "This user follows as often as it may.",
            "Share one stream between tabs, and close those that nobody looks at.",
        ),
        Taking::Address => (
            "This address follows as often as it may.",
            "Share one stream between tabs; a proxy on another machine should be told of, see \
             [http.limits].",
        ),
    };
    Problem::new(codes::TOO_MANY_STREAMS, detail).hint(hint).retry_after(30)
}
