//! `/alerts`: what fires and what fired, and what people say about it.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use city_model::{Severity, Timestamp};
use city_rules::lifecycle::Refusal;
use city_store::Cancel;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_file;
use crate::alerts::{
    Acknowledgement, AlertCursor, AlertDetail, AlertItem, AlertQuery, ChangeError, Counts, Sort,
    Stored,
};
use crate::app::App;
use crate::auth::Principal;
use crate::cursor;
use crate::export::{self, Rows, Shape, Table};
use crate::extract::{Body, Id};
use crate::parameters::{FromPairs, MAX_LIMIT, NoParameters, Pairs, Parameters, With, short};
use crate::precondition::etag;
use crate::problem::{Answer, Problem, ProblemBody, codes};

/// The longest note, in characters.
const MAX_NOTE: usize = 2_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(acknowledge))
        .routes(routes!(add_note))
}

/// A page of alerts.
#[derive(Serialize, ToSchema)]
struct AlertPage {
    items: Vec<AlertItem>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// Of all alerts that fire now, whatever was asked for.
    counts: Counts,
}

/// Which alerts by whether they fire.
#[derive(Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    #[default]
    All,
    Firing,
    Resolved,
}

/// Which alerts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AlertsQuery {
    /// `firing`, `resolved` or `all`, which is meant unless given.
    #[param(inline, value_type = Option<Wanted>)]
    state: Wanted,
    /// Only these severities, separated by commas.
    #[param(value_type = Option<String>, example = "high,critical")]
    severity: Vec<Severity>,
    /// Only those in one of these zones, separated by commas.
    #[param(value_type = Option<String>)]
    zone: Option<Vec<String>>,
    /// Only those about one of these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those of one of these rules, separated by commas.
    #[param(value_type = Option<String>)]
    rule: Option<Vec<String>>,
    /// Only those of rules that one of these departments owns, separated by commas.
    #[param(value_type = Option<String>)]
    department: Option<Vec<String>>,
    /// Only those about devices of one of these kinds, separated by commas.
    #[param(value_type = Option<String>)]
    kind: Option<Vec<String>>,
    /// Only those that are, or are not, acknowledged.
    acknowledged: Option<bool>,
    /// Only those that are, or are not, shelved.
    shelved: Option<bool>,
    /// Only those that silences keep outside receivers from being told of, or only the others.
    silenced: Option<bool>,
    /// Only those that this user was asked to take care of, or has accepted.
    who: Option<String>,
    /// Only those with this text in their summary, rule, device or id.
    q: Option<String>,
    /// Only those that fired at this instant or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those that fired before this instant, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `newest` unless given, `oldest`, `updated`: changed last first, or `urgency`: unacknowledged
    /// first, then the worst. Equals are in the order of `id`.
    #[param(inline, value_type = Option<Sort>)]
    sort: Sort,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<AlertCursor>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for AlertsQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let severities = Severity::ALL.map(|severity| (severity.name(), severity));
        let states =
            [("all", Wanted::All), ("firing", Wanted::Firing), ("resolved", Wanted::Resolved)];
        let sorts = [
            ("newest", Sort::Newest),
            ("oldest", Sort::Oldest),
            ("updated", Sort::Updated),
            ("urgency", Sort::Urgency),
        ];
        Ok(Self {
            state: pairs.one_of("state", &states)?.unwrap_or_default(),
            severity: pairs.some_of("severity", &severities)?,
            zone: pairs.list("zone"),
            device: pairs.list("device"),
            rule: pairs.list("rule"),
            department: pairs.list("department"),
            kind: pairs.list("kind"),
            acknowledged: pairs.flag("acknowledged")?,
            shelved: pairs.flag("shelved")?,
            silenced: pairs.flag("silenced")?,
            who: pairs.text("who"),
            q: pairs.text("q"),
            from,
            to,
            sort: pairs.one_of("sort", &sorts)?.unwrap_or_default(),
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// Alerts, newest first unless another order is asked for
///
/// Alerts that ended more than 400 days ago are deleted.
#[utoipa::path(get, path = "/alerts", operation_id = "list_alerts", tag = "alerts",
    params(Shape, AlertsQuery),
    responses((status = 200, description = "A page of alerts", body = AlertPage)))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(With(shape, query)): Parameters<With<Shape, AlertsQuery>>,
) -> Answer<Response> {
    if query.cursor.as_ref().is_some_and(|cursor| cursor.sort != query.sort) {
        return Err(cursor::of_another_order());
    }
    let mut wanted = AlertQuery {
        firing: match query.state {
            Wanted::All => None,
            Wanted::Firing => Some(true),
            Wanted::Resolved => Some(false),
        },
        severities: query.severity,
        zone: query.zone,
        device: query.device,
        rule: query.rule,
        department: query.department,
        kind: query.kind,
        acknowledged: query.acknowledged,
        shelved: query.shelved,
        silenced: query.silenced,
        who: query.who,
        text: query.q,
        from: query.from,
        to: query.to,
        sort: query.sort,
        after: query.cursor,
        limit: query.limit,
    };
    let alerts = app.alerts.clone();
    if let Some(file) = shape.file(&headers) {
        let table = Table::new("alerts", alert_file::COLUMNS);
        let work = move |rows: &mut Rows, _: &Cancel| {
            wanted.limit = MAX_LIMIT;
            loop {
                let page = alerts.page(&wanted)?;
                page.items.iter().try_for_each(|stored| rows.add(&alert_file::row(stored)))?;
                wanted.after = page.next;
                if wanted.after.is_none() {
                    return Ok(());
                }
            }
        };
        return export::respond(&app, file, table, work).await;
    }
    let page = app.lanes.short(move || Ok(alerts.page(&wanted)?)).await?;
    let directory = app.registry.directory();
    let item = |stored| AlertItem::new(stored, &directory);
    let page = AlertPage {
        items: page.items.into_iter().map(item).collect(),
        next_cursor: page.next.as_ref().map(cursor::encode),
        counts: app.board.counts(),
    };
    shape.page("AlertItem", page)
}

/// One alert with its log
#[utoipa::path(get, path = "/alerts/{id}", operation_id = "get_alert", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert; its ETag is for `If-Match`",
        body = AlertDetail)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let alerts = app.alerts.clone();
    let (stored, log) =
        app.lanes.short(move || alerts.detail(&id)?.ok_or_else(|| unknown(&id))).await?;
    let tag = stored.tag();
    let item = AlertItem::new(stored, &app.registry.directory());
    Ok((etag(&tag), Json(AlertDetail { item, log })).into_response())
}

/// What somebody says with an acknowledgement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acknowledge {
    /// At most 2,000 characters.
    note: Option<String>,
}

/// Say that you know of a firing alert
#[utoipa::path(post, path = "/alerts/{id}/acknowledge", operation_id = "acknowledge_alert",
    tag = "alerts", request_body = Acknowledge,
    params(("id" = String, Path, description = "The alert's id")),
    responses(
        (status = 200, description = "The alert, acknowledged", body = AlertItem),
        (status = 409, description = "Acknowledged before (`acknowledged` says by whom and \
            when), or resolved", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn acknowledge(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(body): Body<Acknowledge>,
) -> Answer<Json<AlertItem>> {
    let acknowledgement = Acknowledgement {
        by: principal.user.to_string(),
        at: app.clock.now(),
        note: body.note.map(|note| check_note(&note)).transpose()?.filter(|note| !note.is_empty()),
    };
    let alerts = app.alerts.clone();
    let stored = app.lanes.short(move || Ok(alerts.acknowledge(&id, &acknowledgement)?)).await?;
    Ok(answer(&app, stored))
}

/// What somebody notes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNote {
    /// 1 to 2,000 characters.
    note: String,
}

/// Write a note into an alert's log
#[utoipa::path(post, path = "/alerts/{id}/notes", operation_id = "add_alert_note",
    tag = "alerts", request_body = NewNote,
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertItem)))]
async fn add_note(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(body): Body<NewNote>,
) -> Answer<Json<AlertItem>> {
    let note = check_note(&body.note)?;
    if note.is_empty() {
        return Err(Problem::new(codes::BAD_BODY, "The note is empty.").hint("Write something."));
    }
    let now = app.clock.now();
    let alerts = app.alerts.clone();
    let stored =
        app.lanes.short(move || Ok(alerts.note(&id, &principal.user, now, &note)?)).await?;
    Ok(answer(&app, stored))
}

pub(super) fn answer(app: &App, stored: Stored) -> Json<AlertItem> {
    Json(AlertItem::new(stored, &app.registry.directory()))
}

/// A reason, which must be there.
pub(super) fn reason(text: &str) -> Answer<String> {
    let reason = check_note(text)?;
    if reason.is_empty() {
        return Err(Problem::new(codes::BAD_BODY, "The reason is empty.")
            .hint("Say why: whoever comes after you needs to know."));
    }
    Ok(reason)
}

pub(super) fn check_note(note: &str) -> Answer<String> {
    let note = note.trim();
    let length = note.chars().count();
    if length <= MAX_NOTE {
        return Ok(note.to_owned());
    }
    let detail = format!("The note has {length} characters; {MAX_NOTE} are allowed.");
    Err(Problem::new(codes::BAD_BODY, detail).hint("Shorten it, or write two notes."))
}

pub(super) fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_ALERT, format!("There is no alert `{}`.", short(id)))
        .hint("GET /api/v1/alerts lists the alerts.")
}

/// Why somebody cannot do something with an alert.
fn refused(refusal: &Refusal) -> Problem {
    let (code, hint) = match refusal {
        Refusal::Deadline => {
            (codes::BAD_DEADLINE, "Say a time after now, within the next 30 days, in RFC 3339.")
        }
        Refusal::NotYours(_) => (codes::NOT_YOURS, "Assign it to yourself first."),
        Refusal::NotAccepted(_) => {
            (codes::NOT_YOURS, "Accept it if you are of that department, or return it.")
        }
        Refusal::Accepted => (codes::NOTHING_TO_DO, "Nothing is left to do."),
        Refusal::FromNobody => (codes::NOTHING_TO_DO, "Hand it over or assign it instead."),
        Refusal::TooManySteps => (codes::NOTHING_TO_DO, "Assign it to somebody who decides."),
        Refusal::Closed => (codes::ALREADY_RESOLVED, "Add a note if you have something to say."),
    };
    Problem::new(code, format!("This cannot be done: {refusal}.")).hint(hint)
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown(id) => unknown(&id),
            ChangeError::AlreadyAcknowledged(earlier) => Self::new(
                codes::ALREADY_ACKNOWLEDGED,
                format!("{} acknowledged it at {}.", earlier.by, earlier.at),
            )
            .hint("Add a note if you have something to say.")
            .with("acknowledged", earlier),
            ChangeError::AlreadyResolved(at) => {
                Self::new(codes::ALREADY_RESOLVED, format!("It ended by itself at {at}."))
                    .hint("Add a note if you have something to say.")
                    .with("resolved_at", at)
            }
            ChangeError::AlreadyShelved(earlier) => Self::new(
                codes::ALREADY_SHELVED,
                format!("{} shelved it until {}.", earlier.by, earlier.until),
            )
            .hint("To shelve it for another time, take it back first.")
            .with("shelved", earlier),
            ChangeError::NotShelved => Self::new(codes::NOT_SHELVED, "It is on no shelf.")
                .hint("Its time may be over; GET the alert to see how it is."),
            ChangeError::Refused(refusal) => refused(&refusal),
            ChangeError::Seen(problem) => *problem,
            ChangeError::State(error) => error.into(),
        }
    }
}
