//! `/health/live` and `/health/ready`, for whoever restarts or balances.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::app::App;

/// Whether one part works; what is wrong stands in the log and in `GET /api/v1/system`, because
/// anybody may ask this.
#[derive(Serialize)]
struct Part {
    ok: bool,
    detail: &'static str,
}

#[derive(Serialize)]
struct Parts {
    pipeline: Part,
    store: Part,
    state: Part,
    brokers: Part,
    alerts: Part,
    rules: Part,
    receivers: Part,
}

/// The answer of `/health/ready`.
#[derive(Serialize)]
pub(crate) struct Ready {
    status: &'static str,
    parts: Parts,
}

/// The process answers.
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "live" }))
}

/// The process can do its work.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Ready>) {
    let status = app.ingest.status();
    let failing = status.failing.is_some();
    let alerts_ok = status.engine_failing.is_none();
    let brokers_ok = status.brokers.iter().all(|broker| broker.ok);
    let receivers_ok = status.receivers.iter().all(|receiver| receiver.error.is_none());
    let rules_ok = app.rule_book.problems().is_empty();
    let (state, store) = (app.state.clone(), app.store.clone());
    let checked = app.lanes.short(move || {
        store.head_seq();
        Ok(state.read(|conn| conn.query_row("SELECT 1", [], |row| row.get::<_, i64>(0))).is_ok())
    });
    let state_ok = matches!(checked.await, Ok(true));
    let part = |ok, bad| Part { ok, detail: if ok { "works" } else { bad } };
    let parts = Parts {
        pipeline: part(!failing, "commits fail, so acknowledgements are withheld"),
        store: part(!failing, "the store refuses commits"),
        state: part(state_ok, "the state database does not answer"),
        // Readings wait at the broker meanwhile, so that alone does not make us unready.
        brokers: part(brokers_ok, "a broker is away, or refuses a subscription"),
        alerts: part(alerts_ok, "the alert engine fails, so no alert can fire or end"),
        // The others are evaluated; restarting us would not mend these.
        rules: part(rules_ok, "rule files were refused, or a rule group is disabled"),
        // Events wait in our outbox meanwhile; restarting us would not mend the other side.
        receivers: part(receivers_ok, "a receiver of alerts does not take them"),
    };
    let ok = !failing && state_ok && alerts_ok;
    let code = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Ready { status: if ok { "ready" } else { "not_ready" }, parts }))
}
