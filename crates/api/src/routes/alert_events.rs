//! `/alert-events`: where alert engines push what happens, ours and others.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use city_model::{AlertEvent, AlertEventKind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::extract::Body;
use crate::parameters::{NoParameters, Parameters, short};
use crate::problem::{Answer, Problem, codes};
use crate::schema;

/// The header that repeats the event's key.
const HEADER: &str = "idempotency-key";

/// The longest id of an alert, in bytes.
const LONGEST_ID: usize = 256;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(push))
}

/// Push one step in the life of an alert; pushing it again changes nothing
#[utoipa::path(post, path = "/alert-events", operation_id = "push_alert_event", tag = "alerts",
    request_body = schema::AlertEvent,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The event's `key`; refused if it is another")),
    responses((status = 204, description = "Taken, now or before")))]
async fn push(
    State(app): State<App>,
    headers: HeaderMap,
    _: Parameters<NoParameters>,
    Body(event): Body<AlertEvent>,
) -> Answer<StatusCode> {
    check(&event, &headers)?;
    let alerts = app.alerts.clone();
    app.lanes.short(move || Ok(alerts.apply(&event)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(event: &AlertEvent, headers: &HeaderMap) -> Answer<()> {
    let expected = format!("{}/{}", event.alert.id, event.seq);
    let told_by_the_brain = event.kind == AlertEventKind::Overdue;
    if event.key != expected || event.seq == 0 || event.alert.id.is_empty() || told_by_the_brain {
        let detail = format!("The key `{}` does not fit the event.", short(&event.key));
        return Err(Problem::new(codes::BAD_KEY, detail)
            .hint("The key is `<alert id>/<seq>`, and seq counts from 1."));
    }
    // It goes into headers and addresses of others.
    if event.alert.id.len() > LONGEST_ID || event.alert.id.chars().any(char::is_control) {
        return Err(Problem::new(codes::BAD_KEY, "The alert's id cannot be an id.")
            .hint("It has 1 to 256 bytes and no control characters."));
    }
    let Some(header) = headers.get(HEADER) else { return Ok(()) };
    // Header values are bytes; ids may be in any script.
    if header.as_bytes() == event.key.as_bytes() {
        return Ok(());
    }
    Err(Problem::new(codes::BAD_KEY, "The header Idempotency-Key is not the event's key.")
        .hint("Send the event's `key` in the header, or no header."))
}
