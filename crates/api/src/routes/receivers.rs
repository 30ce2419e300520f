//! `/receivers`: who is told about alerts, and how delivery is doing.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::Principal;
use crate::extract::Id;
use crate::list::Part;
use crate::parameters::{NoParameters, Parameters, short};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::receivers::{ReceiverReport, ReceiverTrial, TrialRefusal};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(try_out))
}

/// All receivers.
#[derive(Serialize, ToSchema)]
struct ReceiverList {
    items: Vec<ReceiverReport>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// The receivers of alerts, and how delivery is doing
///
/// In the order of the configuration, after `brain`, which is this program itself.
#[utoipa::path(get, path = "/receivers", operation_id = "list_receivers", tag = "alerts",
    params(Part),
    responses((status = 200, description = "The receivers", body = ReceiverList)))]
async fn list(
    State(app): State<App>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<ReceiverList>> {
    let receivers = app.receivers.clone();
    let mut items = app.lanes.short(move || Ok(receivers.report()?)).await?;
    let rules = app.rules.load();
    for receiver in &mut items {
        let wanted = receiver.route.rules.iter();
        receiver.unknown_rules = wanted.filter(|id| rules.get(id).is_none()).cloned().collect();
    }
    let (items, next_cursor) = part.of(items, |receiver| &receiver.id)?;
    Ok(Json(ReceiverList { items, next_cursor }))
}

/// Tell a receiver about a test alert
///
/// It is told that an alert began and that it ended, both marked as a test. Nothing is told to
/// anybody else. Answers when the receiver has taken both, or has not.
#[utoipa::path(post, path = "/receivers/{id}/test", operation_id = "test_receiver", tag = "alerts",
    params(("id" = String, Path, description = "The receiver's id")),
    responses(
        (status = 200, description = "What came of it", body = ReceiverTrial),
        (status = 409, description = "It is this program itself", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn try_out(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<Json<ReceiverTrial>> {
    let trial = app.receivers.try_out(&id).await.map_err(|why| refusal(&id, why))?;
    audit::after(&trial);
    tracing::info!(user.name = %principal.user, receiver = id, taken = trial.taken, "tried a receiver");
    Ok(Json(trial))
}

fn refusal(id: &str, why: TrialRefusal) -> Problem {
    let id = short(id);
    match why {
        TrialRefusal::Unknown => {
            Problem::new(codes::UNKNOWN_RECEIVER, format!("There is no receiver `{id}`."))
                .hint("GET /api/v1/receivers lists them.")
        }
        TrialRefusal::Inside => Problem::new(
            codes::OWN_RECEIVER,
            format!("`{id}` is this program itself; a test alert would stand in its list."),
        )
        .hint("Try a receiver of the configuration."),
        TrialRefusal::Busy => {
            Problem::new(codes::BUSY, "A receiver is being tried already.".to_owned())
                .hint("Wait for the answer of the other try.")
                .retry_after(5)
        }
    }
}
