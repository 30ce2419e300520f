//! `/rule-groups` and `/rules/reload`: where each group of rules lives, and changes of those that are
//! kept here.

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use city_model::Timestamp;
use city_registry::FieldProblem;
use city_rulebook::{Author, BookError, Change, Edited, Entry, Home, Kept, file_of};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Role, targets};
use crate::document::created;
use crate::extract::{Body, Id};
use crate::list::Part;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, bad_fields};
use crate::routes::rule_texts::{RuleFault, RuleFile, RuleReload, TEXTS_LIMIT, faults};

/// How many characters of a reason are kept.
const LONGEST_WHY: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(reload))
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
        .layer(DefaultBodyLimit::max(TEXTS_LIMIT))
}

/// Read the rule files again
///
/// All or nothing: if a file has a problem, the rules stay as they are. Rules that are the same keep
/// their state; alerts of rules that decide differently or are gone end. Groups that are kept here
/// and disabled are tried again.
#[utoipa::path(post, path = "/rules/reload", operation_id = "reload_rules", tag = "rules",
    responses(
        (status = 200, description = "The rules in force now", body = RuleReload),
        (status = 422, description = "The rules stay as they are (`problems` lists why)",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn reload(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
) -> Answer<Json<RuleReload>> {
    let book = app.rule_book.clone();
    let done = app.lanes.short(move || Ok(RuleReload::from(book.reload()?))).await?;
    audit::after(&done);
    tracing::info!(user.name = %principal.user, rules = done.rules, "reloaded the rules");
    Ok(Json(done))
}

/// Where a group lives.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RuleSource {
    /// In files, in git for example: it can be changed there only.
    Files,
    /// Here: it can be changed by this API only.
    Api,
}

/// A group of rules.
#[derive(Serialize, ToSchema)]
struct RuleGroup {
    group: String,
    source: RuleSource,
    /// Whether it cannot be changed here, because it lives in files.
    read_only: bool,
    /// How many of its rules are in force.
    rules: usize,
    /// Why none of its rules is in force; empty if all are.
    problems: Vec<RuleFault>,
    /// The files that it lives in.
    files: Vec<String>,
    /// The number of its text in its history; `null` if it lives in files, as all that follows.
    version: Option<u64>,
    /// Who changed it last.
    by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Why it was changed.
    why: Option<String>,
    /// What `If-Match` needs to change it.
    etag: String,
}

/// A group that was kept here and is deleted; its history can be restored.
#[derive(Serialize, ToSchema)]
struct DeletedRuleGroup {
    group: String,
    /// The number of the deletion in its history.
    version: u64,
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    why: String,
}

/// All groups of rules.
#[derive(Serialize, ToSchema)]
struct RuleGroupList {
    items: Vec<RuleGroup>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// Groups that were kept here and are deleted.
    deleted: Vec<DeletedRuleGroup>,
}

/// A group with its text.
#[derive(Serialize, ToSchema)]
struct RuleGroupText {
    #[serde(flatten)]
    group: RuleGroup,
    /// Its YAML texts: one for each file, exactly one if it is kept here.
    texts: Vec<RuleFile>,
}

/// All groups of rules, and where each lives
#[utoipa::path(get, path = "/rule-groups", operation_id = "list_rule_groups", tag = "rules",
    params(Part),
    responses((status = 200, description = "The groups by name", body = RuleGroupList)))]
async fn list(
    State(app): State<App>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<RuleGroupList>> {
    let book = app.rule_book.clone();
    app.lanes
        .short(move || {
            let items = book.groups().into_iter().map(|group| view(group).group).collect();
            let (items, next_cursor) = part.of(items, |group: &RuleGroup| &group.group)?;
            let deleted = book.deleted()?.into_iter().map(DeletedRuleGroup::from).collect();
            Ok(Json(RuleGroupList { items, next_cursor, deleted }))
        })
        .await
}

/// One group with its text
#[utoipa::path(get, path = "/rule-groups/{group}", operation_id = "get_rule_group", tag = "rules",
    params(("group" = String, Path, description = "The group's name")),
    responses((status = 200, description = "The group; its ETag is for `If-Match`",
        body = RuleGroupText)))]
async fn show(State(app): State<App>, Id(id): Id, _: Parameters<NoParameters>) -> Answer<Response> {
    let book = app.rule_book.clone();
    let found = app.lanes.short(move || {
        let group = book.group(&id).ok_or(BookError::Unknown(id))?;
        Ok(view(group))
    });
    let group = found.await?;
    Ok((etag(&group.group.etag), Json(group)).into_response())
}

/// A text for a group, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRuleGroup {
    /// The YAML text; it names the group as the address does.
    text: String,
    /// Why; needed unless it is only tried. It stays in the history.
    why: Option<String>,
}

/// Whether to change anything.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CheckQuery {
    /// `true` only tells what is wrong with it, and what it would do.
    pub(super) check: Option<bool>,
}

impl FromPairs for CheckQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { check: pairs.flag("check")? })
    }
}

/// What a change did, or would do.
#[derive(Serialize, ToSchema)]
pub(super) struct RuleGroupChange {
    /// Whether it was made; `false` if it was only tried.
    done: bool,
    /// The number of the group's text in its history; `null` if it has none.
    version: Option<u64>,
    /// What is wrong with a change that was only tried; it would be refused.
    problems: Vec<RuleFault>,
    /// What becomes of the rules in force; `null` if there are problems.
    reload: Option<RuleReload>,
}

/// Put a text in the place of a group's, or make the group
///
/// It is in force at once, together with all other groups, or nothing changes: ids are unique among
/// all of them. Rules that decide the same keep their state and their alerts. A group that lives in
/// files cannot be changed here; once its file is taken away, this puts it here without ending an
/// alert.
#[utoipa::path(put, path = "/rule-groups/{group}", operation_id = "put_rule_group", tag = "rules",
    params(("group" = String, Path, description = "The group's name"), CheckQuery),
    request_body = NewRuleGroup,
    responses((status = 200, description = "It is so now, or could be", body = RuleGroupChange),
        (status = 201, description = "It is new", body = RuleGroupChange),
        (status = 409, description = "It is there already, and nothing says which is meant; or it \
            lives in files", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The rules have problems (`problems` lists them)",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Id(group): Id,
    Parameters(query): Parameters<CheckQuery>,
    precondition: Precondition,
    Body(body): Body<NewRuleGroup>,
) -> Answer<Response> {
    let order = Order { group, what: What::Write(body.text), why: body.why, query, precondition };
    order.carry_out(&app, &principal).await
}

/// Why to delete.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// Why; needed unless it is only tried. It stays in the history.
    why: Option<String>,
    /// `true` only tells what it would do.
    check: Option<bool>,
}

impl FromPairs for DeleteQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { why: pairs.text("why"), check: pairs.flag("check")? })
    }
}

/// Delete a group that is kept here
///
/// Its alerts end, unless a file that brings the group lies ready: then the group lives there from
/// now on, and rules that stay the same keep their state. Its history stays and can be restored.
#[utoipa::path(delete, path = "/rule-groups/{group}", operation_id = "delete_rule_group",
    tag = "rules",
    params(("group" = String, Path, description = "The group's name"), DeleteQuery),
    responses((status = 200, description = "It is deleted, or could be", body = RuleGroupChange),
        (status = 422, description = "Nothing says why", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "It lives in files", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(group): Id,
    Parameters(DeleteQuery { why, check }): Parameters<DeleteQuery>,
    precondition: Precondition,
) -> Answer<Response> {
    let query = CheckQuery { check };
    Order { group, what: What::Delete, why, query, precondition }.carry_out(&app, &principal).await
}

/// What is to become of a group.
pub(super) enum What {
    Write(String),
    Restore(u64),
    Delete,
}

/// A change that somebody wants.
pub(super) struct Order {
    pub(super) group: String,
    pub(super) what: What,
    pub(super) why: Option<String>,
    pub(super) query: CheckQuery,
    pub(super) precondition: Precondition,
}

/// Why a change is refused.
enum Refusal {
    Precondition(Problem),
    Book(BookError),
}

impl From<BookError> for Refusal {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

impl Order {
    /// Makes the change, or only tries it.
    pub(super) async fn carry_out(self, app: &App, principal: &Principal) -> Answer<Response> {
        let Self { group, what, why, query, precondition } = self;
        let tried = query.check == Some(true);
        if tried {
            audit::only_tried();
        }
        let why = if tried { String::new() } else { reason(why)? };
        let (book, board, by) = (app.rule_book.clone(), app.board.clone(), principal.user.clone());
        let (rights, in_force) = (principal.rights.clone(), app.rules.load_full());
        let name = group.clone();
        let work = move || {
            audit::before(book.group(&name).map(|group| view(group).texts));
            // Whose the group is now was asked before; whose it becomes, only the text says.
            let text = match &what {
                What::Write(text) => Some(text.clone()),
                What::Restore(version) => book.entry(&name, *version)?.text.map(|t| t.to_string()),
                What::Delete => None,
            };
            let departments =
                text.map(|text| targets::of_rule_text(&in_force, &text)).unwrap_or_default();
            rights.require_all(Role::Engineer, departments.iter().map(String::as_str))?;
            let change = match &what {
                What::Write(text) => Change::Write(text),
                What::Restore(version) => Change::Restore(*version),
                What::Delete => Change::Delete,
            };
            let check = |present: Option<&str>| {
                let held = match &what {
                    What::Delete => precondition.check(present),
                    What::Write(_) | What::Restore(_) => precondition.check_replacing(present),
                };
                held.map_err(Refusal::Precondition)
            };
            let made = if tried {
                book.preview(&name, change, check)
            } else {
                book.edit(&name, change, Author { by: &by, why: &why }, check)
            };
            match made {
                Ok(Edited { created, kept, reloaded }) => {
                    let reload = Some(if tried {
                        RuleReload::tried(reloaded, &board)
                    } else {
                        RuleReload::from(reloaded)
                    });
                    let version = kept.as_ref().map(|kept| kept.number);
                    let text = kept.as_ref().map(|kept| &kept.text);
                    audit::after(json!({ "version": version, "text": text, "why": why }));
                    let change =
                        RuleGroupChange { done: !tried, version, problems: Vec::new(), reload };
                    Ok((created && !tried, kept, change, why))
                }
                Err(Refusal::Book(BookError::Rules(problems))) if tried => {
                    let problems = faults(problems);
                    let change =
                        RuleGroupChange { done: false, version: None, problems, reload: None };
                    Ok((false, None, change, why))
                }
                Err(Refusal::Book(error)) => Err(error.into()),
                Err(Refusal::Precondition(problem)) => Err(problem),
            }
        };
        let (new, kept, change, why) = app.lanes.short(work).await?;
        if change.done {
            tracing::info!(
                user.name = %principal.user, rule.group = group, version = change.version, why,
                "changed a group of rules"
            );
        }
        let answer = (created(new), Json(change));
        Ok(match kept.as_ref().map(Kept::tag) {
            Some(tag) => (etag(&tag), answer).into_response(),
            None => answer.into_response(),
        })
    }
}

/// The reason, which must be one.
fn reason(why: Option<String>) -> Answer<String> {
    let why = why.unwrap_or_default().trim().to_owned();
    let message = if why.is_empty() {
        "it is missing"
    } else if why.chars().count() > LONGEST_WHY {
        "it is longer than 1,000 characters"
    } else {
        return Ok(why);
    };
    Err(bad_fields(&[FieldProblem {
        field: "why".to_owned(),
        message: message.to_owned(),
        hint: "say in a sentence why the rules change; it stays in the history",
    }]))
}

fn view(group: city_rulebook::RuleGroup) -> RuleGroupText {
    let etag = group.tag();
    let mut view = RuleGroup {
        source: RuleSource::Files,
        read_only: true,
        rules: group.rules,
        problems: group.problems.map(faults).unwrap_or_default(),
        files: Vec::new(),
        version: None,
        by: None,
        at: None,
        why: None,
        etag,
        group: group.name,
    };
    let texts = match group.home {
        Home::Files(files) => {
            view.files = files.iter().map(|(name, _)| name.clone()).collect();
            files.into_iter().map(|(name, text)| RuleFile { name, text }).collect()
        }
        Home::Kept(kept) => {
            (view.source, view.read_only) = (RuleSource::Api, false);
            (view.version, view.at) = (Some(kept.number), Some(kept.at));
            (view.by, view.why) = (Some(kept.by), Some(kept.why));
            vec![RuleFile { name: file_of(&kept.name), text: kept.text.to_string() }]
        }
    };
    RuleGroupText { group: view, texts }
}

impl From<Entry> for DeletedRuleGroup {
    fn from(entry: Entry) -> Self {
        let Entry { name, number, by, at, why, .. } = entry;
        Self { group: name.to_string(), version: number, by, at, why }
    }
}
