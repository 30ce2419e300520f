//! `/audit-log`: who changed what, when, from where; exported whole, and checked.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use city_audit::{CSV_COLUMNS, Departments, Entry, Filter, Verification};
use city_model::Timestamp;
use futures_util::stream::try_unfold;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{CITY, Grants, Principal, Role};
use crate::cursor;
use crate::order::LogOrder;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters};
use crate::problem::{Answer, Problem, codes};

/// Entries of an export that are read at once.
const CHUNK: usize = 500;

const CSV: &str = "text/csv";
const JSON_LINES: &str = "application/x-ndjson";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verification))
}

/// Somebody changed something, or tried to.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes city_audit::Entry")]
struct AuditEntry {
    /// Counts from 1 without gaps.
    number: u64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who; `null` if nobody proved who they are.
    user: Option<String>,
    /// How that was proven: `session`, `token`, `cli` (an account of the server), `system` (nobody
    /// asked), `anonymous` (not at all).
    #[schema(pattern = "^(session|token|cli|system|anonymous)$")]
    via: String,
    /// The network address that it came from; `null` on the server itself.
    address: Option<String>,
    /// What was done: in the API, the operation's id.
    action: String,
    /// To what, most often an id.
    target: Option<String>,
    /// The department that owns that; `null` if it is the whole city's, or is not known.
    department: Option<String>,
    /// What it was before. Secrets read `(secret)`; of texts over 16 KiB the beginning, the length
    /// and the SHA-256 are kept.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it is after.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// The HTTP status of the answer.
    status: Option<u16>,
    /// `done`, the code of the problem that it was refused with, or `unknown` if the program ended
    /// before.
    outcome: String,
    /// How often; more than 1 for refusals of one minute that are counted together.
    times: u64,
    /// The hash of the entry before; zeros for the first.
    previous: String,
    /// The SHA-256 over all of this.
    hash: String,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
struct AuditPage {
    #[schema(value_type = Vec<AuditEntry>)]
    items: Vec<Entry>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// How the log is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AuditFormat {
    Json,
    Csv,
    Jsonl,
}

/// Which entries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only those at this instant or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those before this instant, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only those of these users, separated by commas.
    #[param(value_type = Option<String>)]
    user: Option<Vec<String>>,
    /// Only these actions, separated by commas.
    #[param(value_type = Option<String>)]
    action: Option<Vec<String>>,
    /// Only those about what these departments own, separated by commas.
    #[param(value_type = Option<String>)]
    department: Option<Vec<String>>,
    /// Only those with this text in user, address, action, target, before or after.
    q: Option<String>,
    /// `json`: a page; `csv` and `jsonl`: all of them, oldest first. As the header
    /// `Accept` says if missing.
    #[param(inline)]
    format: Option<AuditFormat>,
    /// `newest`, unless given, or `oldest` first. Exports are oldest first.
    #[param(inline, value_type = Option<LogOrder>)]
    sort: LogOrder,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<u64>,
    /// How many at most, 1 to 1,000; 100 unless given. An export takes all.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for AuditQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let formats =
            [("json", AuditFormat::Json), ("csv", AuditFormat::Csv), ("jsonl", AuditFormat::Jsonl)];
        Ok(Self {
            from,
            to,
            user: pairs.list("user"),
            action: pairs.list("action"),
            department: pairs.list("department"),
            q: pairs.text("q"),
            format: pairs.one_of("format", &formats)?,
            sort: LogOrder::from_pairs(pairs)?,
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

/// The audit log, newest first unless sorted otherwise; or all of it as CSV or lines of JSON, oldest first
///
/// Administrators of departments see the entries about these; administrators of the city see all.
/// Nothing is ever deleted from it. A page may have fewer entries than `limit`, or none, and yet
/// have a `next_cursor`, when what is searched for is rare. An export in lines of JSON can be
/// checked with `citybrain audit verify --export FILE`; in CSV, texts that a spreadsheet would take
/// for formulas begin with an apostrophe.
#[utoipa::path(get, path = "/audit-log", operation_id = "list_audit_log", tag = "audit",
    params(AuditQuery),
    responses((status = 200, description = "A page of the log, or all of it", content(
        (AuditPage = "application/json"), (String = "text/csv"),
        (String = "application/x-ndjson")))))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Parameters(query): Parameters<AuditQuery>,
) -> Answer<Response> {
    let format = query.format.unwrap_or_else(|| accepted(&headers));
    let (sort, cursor, limit) = (query.sort, query.cursor, query.limit);
    let filter = Filter {
        from: query.from,
        to: query.to,
        user: query.user,
        action: query.action,
        department: query.department,
        q: query.q,
        visible: visible(principal.rights.grants()),
    };
    if format != AuditFormat::Json {
        return Ok(export(&app, filter, format));
    }
    let log = app.audit.log().clone();
    let page = app.lanes.short(move || {
        Ok(match sort {
            LogOrder::Newest => log.newest(&filter, cursor, limit)?,
            LogOrder::Oldest => log.oldest(&filter, cursor.unwrap_or(0), limit)?,
        })
    });
    let page = page.await?;
    let next_cursor = page.next.as_ref().map(cursor::encode);
    Ok(Json(AuditPage { items: page.items, next_cursor }).into_response())
}

/// What somebody administers: entries about anything else are not for them.
fn visible(grants: &Grants) -> Departments {
    if grants.has(Role::Admin, CITY) {
        return Departments::All;
    }
    let administered = grants.iter().filter(|grant| grant.role == Role::Admin);
    Departments::Only(administered.map(|grant| grant.department.clone()).collect())
}

/// The first of our formats that the client names.
fn accepted(headers: &HeaderMap) -> AuditFormat {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut kinds = accept.unwrap_or_default().split(',');
    let known = |kind: &str| match kind.split(';').next().unwrap_or_default().trim() {
        CSV => Some(AuditFormat::Csv),
        JSON_LINES => Some(AuditFormat::Jsonl),
        "application/json" => Some(AuditFormat::Json),
        _ => None,
    };
    kinds.find_map(known).unwrap_or(AuditFormat::Json)
}

/// All entries, a chunk at a time: each is read when the client has taken the one before. An error
/// cuts the answer off, so that nobody takes a part for the whole.
fn export(app: &App, filter: Filter, format: AuditFormat) -> Response {
    let (media, name) = match format {
        AuditFormat::Csv => ("text/csv; charset=utf-8; header=present", "audit-log.csv"),
        AuditFormat::Json | AuditFormat::Jsonl => (JSON_LINES, "audit-log.jsonl"),
    };
    let app = app.clone();
    let start = (format == AuditFormat::Csv).then(|| format!("{}\r\n", CSV_COLUMNS.join(",")));
    let chunks = try_unfold((Some(0), start), move |(after, header)| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(after) = after else { return Ok::<_, io::Error>(None) };
            let log = app.audit.log().clone();
            let read = move || {
                let page = log.oldest(&filter, after, CHUNK)?;
                let mut text = header.unwrap_or_default().into_bytes();
                for entry in &page.items {
                    text.extend(written(entry, format)?);
                }
                Ok((Bytes::from(text), page.next))
            };
            let read = app.lanes.short(read).await;
            let (text, next) = read.map_err(|problem| io::Error::other(problem.code().name))?;
            Ok(Some((text, (next, None))))
        }
    });
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (
            header::CONTENT_DISPOSITION,
            disposition.unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

fn written(entry: &Entry, format: AuditFormat) -> Answer<Vec<u8>> {
    match format {
        AuditFormat::Csv => Ok(city_audit::to_csv(entry)),
        AuditFormat::Json | AuditFormat::Jsonl => city_audit::to_json_line(entry)
            .map(String::into_bytes)
            .map_err(|error| Problem::internal(&error)),
    }
}

/// Whether the log is as it was written.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes city_audit::Verification")]
struct AuditVerification {
    /// How many entries are as they were written, from the first one on.
    entries: u64,
    /// The number of the first of them.
    first: Option<u64>,
    /// The number of the last of them.
    last: Option<u64>,
    /// The hash of the last of them: note it elsewhere to tell later that nothing before it was
    /// written anew.
    hash: Option<String>,
    /// Whether nothing is wrong.
    intact: bool,
    /// The number of the first entry that is not as it should be, if it is about one.
    broken_at: Option<u64>,
    /// How it is not: `missing`, `changed`, `moved`, `unchained`, `cut_off`, `replaced`, `no_head`
    /// (the file with the last number is gone) or `unguarded` (a trigger of the database is).
    #[schema(pattern = "^(missing|changed|moved|unchained|cut_off|replaced|no_head|unguarded)$")]
    broken: Option<String>,
    /// The same in a sentence.
    detail: Option<String>,
}

/// Check that no entry was changed, removed, moved or cut off
///
/// It reads the whole log: a million entries take some seconds.
#[utoipa::path(get, path = "/audit-log/verification", operation_id = "verify_audit_log",
    tag = "audit",
    responses((status = 200, description = "What was found", body = AuditVerification)))]
async fn verification(
    State(app): State<App>,
    _: Parameters<NoParameters>,
) -> Answer<Json<Verification>> {
    let log = app.audit.log().clone();
    let work = move |cancel: &city_store::Cancel| {
        log.verify(|_| cancel.check().is_ok())?.ok_or_else(|| {
            // Nobody is there to read it.
            Problem::new(codes::STORE_UNAVAILABLE, "The check was stopped.")
        })
    };
    Ok(Json(app.lanes.history(work).await?))
}
