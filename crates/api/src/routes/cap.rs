//! `/cap`: alerts in the Common Alerting Protocol 1.2, and an Atom feed of them.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use city_cap::{Earlier, Entry, Issuer, Places};
use city_model::{AlertEvent, AlertEventKind, EndReason, Span};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::{Step, Stored};
use crate::app::App;
use crate::extract::Id;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::{Answer, Problem, codes};

/// How long alerts that ended stay in the feed.
const RECENT: Span = Span::from_hours(24);

/// Alerts in the feed, at most.
const MOST: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// An Atom feed of what fires and what ended within a day, each with a link to its CAP message
///
/// Last changed first, at most 1,000. Entries of simulated data have the status `Exercise`. There is
/// a feed where the configuration says in `[cap]` who speaks.
#[utoipa::path(get, path = "/cap", operation_id = "get_cap_feed", tag = "alerts",
    responses(
        (status = 200, description = "The feed", body = String,
            content_type = "application/atom+xml"),
        (status = 404, description = "Nobody speaks CAP here", body = crate::problem::ProblemBody,
            content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    _: Parameters<NoParameters>,
) -> Answer<impl IntoResponse + use<>> {
    let issuer = speaking(&app)?;
    let (alerts, now) = (app.alerts.clone(), app.clock.now());
    let current = app.lanes.short(move || Ok(alerts.current(now - RECENT, MOST)?)).await?;
    let entries: Vec<Entry> =
        current.into_iter().map(|(stored, reason)| entry(stored, reason)).collect();
    let feed = city_cap::feed(&issuer, &entries, "/api/v1/cap", now);
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed))
}

/// The newest CAP 1.2 message of an alert
///
/// An `Alert`, an `Update` or a `Cancel` that refers to the messages of all earlier events.
#[utoipa::path(get, path = "/cap/{alert}", operation_id = "get_cap_message", tag = "alerts",
    params(("alert" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The message", body = String,
        content_type = "application/cap+xml")))]
async fn show(
    State(app): State<App>,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<impl IntoResponse + use<>> {
    let issuer = speaking(&app)?;
    let alerts = app.alerts.clone();
    let (stored, mut steps) = app
        .lanes
        .short(move || alerts.steps(&id)?.ok_or_else(|| super::alerts::unknown(&id)))
        .await?;
    let newest = steps.pop();
    let event = match newest {
        Some(step) => {
            let key = format!("{}/{}", stored.alert.id, step.seq);
            let Step { seq, at, kind, reason } = step;
            AlertEvent { key, seq, at, kind, ..event(stored, reason) }
        }
        None => event(stored, None),
    };
    let earlier: Vec<Earlier> =
        steps.into_iter().map(|step| Earlier { step: step.seq.to_string(), at: step.at }).collect();
    let places =
        Places { zones: Some(app.registry.zones()), directory: Some(app.registry.directory()) };
    let message = city_cap::message(&issuer, &event, &earlier, &places);
    Ok(([(header::CONTENT_TYPE, city_cap::MEDIA_TYPE)], message.xml))
}

fn speaking(app: &App) -> Answer<Issuer> {
    app.cap.clone().ok_or_else(|| {
        Problem::new(codes::NO_CAP, "The configuration does not say who speaks for the city.")
            .hint("Add a [cap] with `sender`; `citybrain config example` shows it.")
    })
}

fn entry(stored: Stored, reason: Option<EndReason>) -> Entry {
    Entry { updated: stored.updated_at, event: event(stored, reason) }
}

/// The newest event of an alert, as far as the alert itself tells.
fn event(stored: Stored, reason: Option<EndReason>) -> AlertEvent {
    let Stored { alert, events, .. } = stored;
    let kind = match alert.resolved_at {
        Some(_) => AlertEventKind::Resolved,
        None => AlertEventKind::Fired,
    };
    AlertEvent {
        key: format!("{}/{events}", alert.id),
        seq: events,
        kind,
        at: alert.resolved_at.unwrap_or(alert.fired_at),
        reason,
        alert,
    }
}
