//! `/rule-groups/{group}/history`: what the groups that are kept here ever were, and how it comes
//! back.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use city_model::Timestamp;
use city_rulebook::{BookError, Entry, EntryKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Principal;
use crate::cursor;
use crate::extract::{Body, Id};
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, short};
use crate::precondition::Precondition;
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::routes::rule_groups::{CheckQuery, Order, RuleGroupChange, What};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(restore))
}

/// What was done to a group.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RuleGroupStep {
    /// It got another text, or its first.
    Written,
    /// It got the text of an earlier version again.
    Restored,
    /// It was deleted.
    Deleted,
}

/// A version of a group.
#[derive(Serialize, ToSchema)]
struct RuleGroupVersion {
    /// From 1, counted on when a group that was deleted comes back.
    version: u64,
    step: RuleGroupStep,
    /// The version whose text it got again.
    restored_from: Option<u64>,
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    why: String,
}

/// A version of a group with its text.
#[derive(Serialize, ToSchema)]
struct RuleGroupVersionText {
    #[serde(flatten)]
    version: RuleGroupVersion,
    /// The YAML text; `null` if the group was deleted.
    text: Option<String>,
}

/// A page of a group's history.
#[derive(Serialize, ToSchema)]
struct RuleGroupHistory {
    items: Vec<RuleGroupVersion>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which versions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<u64>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for HistoryQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { cursor: pairs.cursor()?, limit: pairs.limit()? })
    }
}

/// The history of a group that is kept here, or was, newest first
///
/// It is empty for a group that has always lived in files.
#[utoipa::path(get, path = "/rule-groups/{group}/history", operation_id = "list_rule_group_versions",
    tag = "rules",
    params(("group" = String, Path, description = "The group's name"), HistoryQuery),
    responses((status = 200, description = "A page of versions", body = RuleGroupHistory)))]
async fn list(
    State(app): State<App>,
    Id(group): Id,
    Parameters(HistoryQuery { cursor, limit }): Parameters<HistoryQuery>,
) -> Answer<Json<RuleGroupHistory>> {
    let book = app.rule_book.clone();
    app.lanes
        .short(move || {
            let mut entries = book.history(&group, cursor, limit + 1)?;
            if entries.is_empty() && cursor.is_none() && book.group(&group).is_none() {
                return Err(BookError::Unknown(group).into());
            }
            let more = entries.len() > limit;
            entries.truncate(limit);
            let last = entries.last().map(|entry| entry.number);
            Ok(Json(RuleGroupHistory {
                items: entries.iter().map(view).collect(),
                next_cursor: last.filter(|_| more).as_ref().map(cursor::encode),
            }))
        })
        .await
}

/// One version of a group with its text
#[utoipa::path(get, path = "/rule-groups/{group}/history/{version}",
    operation_id = "get_rule_group_version", tag = "rules",
    params(("group" = String, Path, description = "The group's name"),
        ("version" = u64, Path, description = "The number of the version")),
    responses((status = 200, description = "The version", body = RuleGroupVersionText)))]
async fn show(
    State(app): State<App>,
    Path((group, version)): Path<(String, String)>,
    _: Parameters<NoParameters>,
) -> Answer<Json<RuleGroupVersionText>> {
    let number = number(&group, &version)?;
    let book = app.rule_book.clone();
    app.lanes
        .short(move || {
            let entry = book.entry(&group, number)?;
            let text = entry.text.as_ref().map(ToString::to_string);
            Ok(Json(RuleGroupVersionText { version: view(&entry), text }))
        })
        .await
}

/// Why a version is restored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleGroupRestoration {
    /// Why; needed unless it is only tried. It stays in the history.
    why: Option<String>,
}

/// Give a group the text of one of its versions again
///
/// As putting that text does. A group that was deleted comes back.
#[utoipa::path(post, path = "/rule-groups/{group}/history/{version}/restore",
    operation_id = "restore_rule_group_version", tag = "rules",
    params(("group" = String, Path, description = "The group's name"),
        ("version" = u64, Path, description = "The number of the version"), CheckQuery),
    request_body = RuleGroupRestoration,
    responses((status = 200, description = "It is so now, or could be", body = RuleGroupChange),
        (status = 201, description = "The group is back", body = RuleGroupChange),
        (status = 409, description = "It is there already, and nothing says which is meant; or it \
            lives in files", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The rules have problems (`problems` lists them)",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn restore(
    State(app): State<App>,
    principal: Principal,
    Path((group, version)): Path<(String, String)>,
    Parameters(query): Parameters<CheckQuery>,
    precondition: Precondition,
    Body(body): Body<RuleGroupRestoration>,
) -> Answer<Response> {
    let what = What::Restore(number(&group, &version)?);
    let order = Order { group, what, why: body.why, query, precondition };
    order.carry_out(&app, &principal).await
}

fn number(group: &str, version: &str) -> Answer<u64> {
    version.parse().map_err(|_| {
        let detail = format!("`{}` has no version {}.", short(group), short(version));
        Problem::new(codes::UNKNOWN_VERSION, detail)
            .hint("GET /api/v1/rule-groups/{group}/history lists the versions.")
    })
}

fn view(entry: &Entry) -> RuleGroupVersion {
    let (step, restored_from) = match entry.kind {
        EntryKind::Written => (RuleGroupStep::Written, None),
        EntryKind::Restored { from } => (RuleGroupStep::Restored, Some(from)),
        EntryKind::Deleted => (RuleGroupStep::Deleted, None),
    };
    RuleGroupVersion {
        version: entry.number,
        step,
        restored_from,
        by: entry.by.clone(),
        at: entry.at,
        why: entry.why.clone(),
    }
}
