//! `/silences`: alerts that outside receivers are not told of for a while, by whom and why.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use city_model::Timestamp;
use city_rules::lifecycle::{AlertMatch, Silence, SilenceState, Weekly};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alerts::{check_note, reason};
use crate::app::App;
use crate::audit;
use crate::auth::{CITY, Principal, Role, targets};
use crate::extract::{Body, Id};
use crate::list::Page;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::schema;
use crate::silences::{EndError, EndedEarly, SilenceRecord};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show)).routes(routes!(end))
}

/// A silence: alerts that outside receivers are not told of for a while.
#[derive(Serialize, ToSchema)]
#[schema(as = Silence)]
struct SilenceItem {
    id: String,
    /// `pending`: it has not begun, or it recurs and rests between its spans; `active`: it holds
    /// back what it matches; `expired`: it is over.
    #[schema(value_type = StateName)]
    state: SilenceState,
    /// Which alerts.
    #[schema(value_type = schema::AlertMatch)]
    r#match: AlertMatch,
    /// Who made it.
    owner: String,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends, or ended.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// The spans of the week in which it holds; `null` if it holds all the time.
    #[schema(value_type = Option<schema::Weekly>)]
    weekly: Option<Weekly>,
    /// When its state next changes; `null` if it is over.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_change_at: Option<Timestamp>,
    /// Whether it will be over within an hour.
    expires_soon: bool,
    /// Who ended it before its time; `null` if nobody did.
    ended: Option<EndedEarly>,
    /// How many alerts it has held back.
    hid: u64,
    /// How many of them came and went without any outside receiver hearing of them.
    unsaid: u64,
}

/// How far a silence is.
#[derive(ToSchema)]
#[schema(as = SilenceState)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes city_rules::lifecycle::SilenceState")]
enum StateName {
    Pending,
    Active,
    Expired,
}

impl SilenceItem {
    fn new(record: SilenceRecord, now: Timestamp) -> Self {
        let silence = record.silence;
        Self {
            state: silence.state(now),
            next_change_at: silence.next_change(now),
            expires_soon: silence.expires_soon(now),
            id: silence.id.to_string(),
            r#match: silence.matches,
            owner: record.owner,
            reason: record.reason,
            created_at: record.created_at,
            starts_at: silence.starts_at,
            ends_at: silence.ends_at,
            weekly: silence.weekly,
            ended: record.ended,
            hid: record.hid,
            unsaid: record.unsaid,
        }
    }
}

/// A page of silences.
#[derive(Serialize, ToSchema)]
struct SilencePage {
    items: Vec<SilenceItem>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which silences.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SilencesQuery {
    /// Only those in this state now.
    #[param(inline, value_type = Option<StateName>)]
    state: Option<SilenceState>,
}

impl FromPairs for SilencesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        use SilenceState::{Active, Expired, Pending};
        let states = [("pending", Pending), ("active", Active), ("expired", Expired)];
        Ok(Self { state: pairs.one_of("state", &states)? })
    }
}

/// Silences, those that were made last first unless sorted otherwise
///
/// Those that ended more than 400 days ago are deleted.
#[utoipa::path(get, path = "/silences", operation_id = "list_silences", tag = "alerts",
    params(SilencesQuery, Page),
    responses((status = 200, description = "A page of silences", body = SilencePage)))]
async fn list(
    State(app): State<App>,
    Parameters(With(query, page)): Parameters<With<SilencesQuery, Page>>,
) -> Answer<Json<SilencePage>> {
    let now = app.clock.now();
    let silences = app.silences.clone();
    let work = move || {
        let found = silences.list(query.state, now)?.into_iter();
        let items = found.map(|record| SilenceItem::new(record, now)).collect();
        page.or_by("-created_at")?.of(items, |silence: &SilenceItem| &silence.id)
    };
    let (items, next_cursor) = app.lanes.short(work).await?;
    Ok(Json(SilencePage { items, next_cursor }))
}

/// One silence
#[utoipa::path(get, path = "/silences/{id}", operation_id = "get_silence", tag = "alerts",
    params(("id" = String, Path, description = "The silence's id")),
    responses((status = 200, description = "The silence; its ETag is for `If-Match`",
        body = SilenceItem)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let silences = app.silences.clone();
    let record = app.lanes.short(move || silences.get(&id)?.ok_or_else(|| unknown(&id))).await?;
    Ok(answer(StatusCode::OK, record, app.clock.now()))
}

/// What somebody wants silenced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSilence {
    /// Which alerts; at least one part must be given.
    #[schema(value_type = schema::AlertMatch)]
    r#match: AlertMatch,
    /// Why, 1 to 2,000 characters.
    reason: String,
    /// From when on; now if missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// Until when: at most 30 days, or 366 days if it recurs.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// Only in these spans of the week.
    #[schema(value_type = Option<schema::Weekly>)]
    weekly: Option<Weekly>,
}

/// Keep outside receivers from being told of some alerts for a while
///
/// The alerts still fire and stand in the list, with `silenced_by`. What still fires when the silence
/// ends is told then. Whoever was told of an alert before hears when it ends, also meanwhile.
#[utoipa::path(post, path = "/silences", operation_id = "create_silence", tag = "alerts",
    request_body = NewSilence,
    responses((status = 201, description = "The silence", body = SilenceItem)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
    Body(body): Body<NewSilence>,
) -> Answer<Response> {
    let now = app.clock.now();
    let silence = Silence {
        id: format!("{:016x}", rand::random::<u64>()).into(),
        matches: body.r#match,
        starts_at: body.starts_at.unwrap_or(now),
        ends_at: body.ends_at,
        weekly: body.weekly,
    };
    if let Some(problem) = silence.problem(now) {
        return Err(Problem::new(codes::BAD_SILENCE, format!("Not like this: {problem}."))
            .hint("A silence says which alerts it means, and ends after 30 days at the latest."));
    }
    let meant = targets::of_match(&app.rules.load(), &silence.matches);
    let all = meant.iter().map(String::as_str);
    principal.rights.require_all(Role::Operator, all).map_err(|problem| match &*meant {
        [one] if one == CITY => problem.hint(
            "It can silence alerts of every department, so this needs the role operator in the whole \
             city; `department` in the match leaves the others out.",
        ),
        _ => problem,
    })?;
    let record = SilenceRecord {
        silence,
        owner: principal.user.to_string(),
        reason: reason(&body.reason)?,
        created_at: now,
        ended: None,
        hid: 0,
        unsaid: 0,
    };
    let (silences, alerts, mut kept) = (app.silences.clone(), app.alerts.clone(), record.clone());
    let kept = app
        .lanes
        .short(move || {
            silences.add(&kept)?;
            alerts.review()?;
            // It may hide something already.
            if let Some(now) = silences.get(&kept.silence.id)? {
                kept = now;
            }
            Ok(kept)
        })
        .await?;
    audit::target(&*kept.silence.id);
    audit::after(SilenceItem::new(kept.clone(), now));
    tracing::info!(user.name = %principal.user, silence.id = %kept.silence.id, "made a silence");
    Ok(answer(StatusCode::CREATED, kept, now))
}

/// What somebody says when they end a silence.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndSilence {
    /// At most 2,000 characters.
    reason: Option<String>,
}

/// End a silence before its time
#[utoipa::path(post, path = "/silences/{id}/end", operation_id = "end_silence", tag = "alerts",
    params(("id" = String, Path, description = "The silence's id")),
    request_body = EndSilence,
    responses((status = 200, description = "The silence, over", body = SilenceItem),
        (status = 409, description = "It is over already", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn end(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(body): Body<EndSilence>,
) -> Answer<Response> {
    let now = app.clock.now();
    let reason = body.reason.map(|reason| check_note(&reason)).transpose()?;
    let reason = reason.filter(|reason| !reason.is_empty());
    let ended = EndedEarly { by: principal.user.to_string(), at: now, reason };
    let (silences, alerts, of) = (app.silences.clone(), app.alerts.clone(), id.clone());
    let record = app
        .lanes
        .short(move || {
            let check = |before: &SilenceRecord| {
                audit::before(SilenceItem::new(before.clone(), now));
                precondition.check(Some(&tag(before)))
            };
            let record = silences.end(&of, &ended, check).map_err(|error| match error {
                EndError::Unknown => unknown(&of),
                EndError::Over(at) => {
                    Problem::new(codes::SILENCE_OVER, format!("It ended at {at}."))
                        .hint("Nothing is left to do.")
                }
                EndError::Changed(problem) => *problem,
                EndError::State(error) => error.into(),
            })?;
            alerts.review()?;
            Ok(record)
        })
        .await?;
    audit::after(SilenceItem::new(record.clone(), now));
    tracing::info!(user.name = %principal.user, silence.id = id, "ended a silence");
    Ok(answer(StatusCode::OK, record, now))
}

fn tag(record: &SilenceRecord) -> String {
    record.silence.ends_at.micros().to_string()
}

fn answer(status: StatusCode, record: SilenceRecord, now: Timestamp) -> Response {
    (status, etag(&tag(&record)), Json(SilenceItem::new(record, now))).into_response()
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_SILENCE, format!("There is no silence `{}`.", short(id)))
        .hint("GET /api/v1/silences lists them.")
}
