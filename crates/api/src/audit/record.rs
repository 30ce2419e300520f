//! The two layers around the guard: one that writes the entry, one that notes what is begun.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use city_audit::{NewEntry, Outcome, Via};
use tracing::Instrument as _;

use super::{CURRENT, Draft, actions};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::{Problem, codes};

/// Changes of which nobody has anything before the answer is there: they need not be noted first.
/// A session is worth nothing without the cookie, and strangers must not make the disk work twice.
const ENTRY_AFTER: &[&str] = &["log_in"];

/// Answers a request and writes its entry. It is answered to its end and recorded also when the
/// client goes away meanwhile.
pub(crate) async fn record(
    State(app): State<App>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let Some(action) = actions::action(request.method().as_str(), path.as_str()) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    let mut entry = NewEntry::new(app.clock.now(), Via::Anonymous, action);
    let Ok(Caller(address)) = Caller::from_request_parts(&mut parts, &()).await;
    entry.address = Some(address.to_string());
    entry.target = target(&mut parts).await;
    let draft = Arc::new(Draft::new(entry));
    let request = Request::from_parts(parts, body);
    let work = {
        let (app, draft) = (app.clone(), draft.clone());
        let answer = CURRENT.scope(draft.clone(), async move { next.run(request).await });
        async move {
            let response = answer.await;
            let (status, outcome) = (response.status(), outcome(&response));
            app.audit.settle(&draft, status, outcome).await;
            response
        }
    };
    match tokio::spawn(work.in_current_span()).await {
        Ok(response) => response,
        Err(error) => {
            let response = Problem::internal(&error).into_response();
            app.audit.settle(&draft, response.status(), outcome(&response)).await;
            response
        }
    }
}

/// Notes what is about to be done, now that the guard let it through. What cannot be noted is not
/// done.
pub(crate) async fn begin(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(draft) = CURRENT.try_with(Arc::clone) else { return next.run(request).await };
    let entry = draft.lock().entry.clone();
    if ENTRY_AFTER.contains(&entry.action.as_str()) {
        return next.run(request).await;
    }
    match app.audit.begin(entry).await {
        Ok(begun) => {
            draft.lock().begun = Some(begun);
            next.run(request).await
        }
        Err(()) => Problem::new(
            codes::NOT_RECORDED,
            "The audit log cannot be written, so nothing is changed.",
        )
        .hint(
            "The server's log says why; most often its disk is full. Try again when it is mended.",
        )
        .retry_after(30)
        .into_response(),
    }
}

/// What the address names: the values in the path, several separated by slashes.
async fn target(parts: &mut Parts) -> Option<String> {
    let values = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    let values: Vec<&str> = values.iter().map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.join("/"))
}

/// What became of a request.
fn outcome(response: &Response) -> Outcome {
    let status = response.status();
    if status.is_success() || status.is_redirection() {
        return Outcome::Done;
    }
    let problem = response.extensions().get::<Problem>();
    Outcome::Refused(problem.map_or_else(
        || format!("status_{}", status.as_u16()),
        |problem| problem.code().name.to_owned(),
    ))
}
