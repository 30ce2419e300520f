//! `/rules`: what raises alerts, as loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use city_model::{Attribute, LocalText, Severity, Span};
use city_rules::Direction;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::extract::Id;
use crate::list::{Part, Words, fresh};
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::problem::{Answer, Problem, codes};
use crate::schema;
use crate::select::has;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A rule as loaded.
#[derive(Serialize, ToSchema)]
struct Rule {
    id: String,
    /// The group of its file.
    group: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// The department that owns it.
    department: String,
    /// What it does, such as `threshold`.
    kind: &'static str,
    /// The first 12 hexadecimal digits of the SHA-256 of its definition.
    version: String,
    /// Its severities, mildest first.
    severities: Vec<RuleStep>,
    /// `above` if high values are bad, `below` if low ones are; `null` without limits.
    direction: Option<&'static str>,
    /// For how many seconds a limit must be passed before the alert fires.
    for_s: f64,
    /// For how many seconds the alert goes on firing after the condition has cleared.
    keep_firing_for_s: f64,
    select: RuleSelector,
    /// Where to read what to do.
    runbook: Option<String>,
    /// Routing labels.
    labels: BTreeMap<String, String>,
    /// The part of the file that defines it, as written.
    text: String,
    file: String,
    /// The line on which it begins, from 1.
    line: usize,
    /// How many of its alerts fire.
    firing: u64,
}

/// One severity of a rule.
#[derive(Serialize, ToSchema)]
struct RuleStep {
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    /// The limit that raises it; that of devices without a limit of their own where the rule takes
    /// it from the device. `null` for rules that judge no value, or if there is no such limit.
    limit: Option<f64>,
    /// The limit that clears it again, if it is another one.
    clear: Option<f64>,
    /// For how long the limit must be passed, in seconds.
    for_s: f64,
}

/// What a rule selects; what is empty matches everything.
#[derive(Serialize, ToSchema)]
struct RuleSelector {
    #[schema(value_type = Vec<String>)]
    metric: Vec<Arc<str>>,
    #[schema(value_type = Vec<String>)]
    kind: Vec<Arc<str>>,
    #[schema(value_type = Vec<String>)]
    department: Vec<Arc<str>>,
    #[schema(value_type = Vec<String>)]
    zone: Vec<Arc<str>>,
    #[schema(value_type = Vec<String>)]
    device: Vec<Arc<str>>,
    /// Attributes with the values that match.
    #[schema(value_type = BTreeMap<String, Vec<schema::ReadingValue>>)]
    attributes: BTreeMap<String, Vec<Attribute>>,
}

/// All rules.
#[derive(Serialize, ToSchema)]
struct RuleList {
    items: Vec<Rule>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which rules.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RulesQuery {
    /// Only those of these groups, separated by commas.
    #[param(value_type = Option<String>)]
    group: Option<Vec<String>>,
    /// Only those of these kinds, such as `threshold`, separated by commas.
    #[param(value_type = Option<String>)]
    kind: Option<Vec<String>>,
    /// Only those that these departments own, separated by commas.
    #[param(value_type = Option<String>)]
    department: Option<Vec<String>>,
}

impl FromPairs for RulesQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            group: pairs.list("group"),
            kind: pairs.list("kind"),
            department: pairs.list("department"),
        })
    }
}

/// All rules, in the order of their files
#[utoipa::path(get, path = "/rules", operation_id = "list_rules", tag = "rules",
    params(RulesQuery, Words, Part),
    responses((status = 200, description = "The rules in force", body = RuleList),
        (status = 304, description = "Nothing changed since the ETag that was sent")))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(query): Parameters<With<RulesQuery, With<Words, Part>>>,
) -> Answer<Response> {
    let With(query, With(words, part)) = query;
    let firing = app.board.firing_by_rule();
    let count = |id: &Arc<str>| firing.get(id).copied().unwrap_or(0);
    let rules = app.rules.load();
    let wanted = |rule: &&Arc<city_rules::Rule>| {
        has(query.group.as_ref(), &rule.group)
            && has(query.kind.as_ref(), rule.kind)
            && has(query.department.as_ref(), &rule.department)
            && words.are_in(&[&rule.id, &rule.name.en, &rule.name.zh])
    };
    let found = rules.rules().iter().filter(wanted);
    let items = found.map(|rule| view(rule, count(&rule.id))).collect();
    let (items, next_cursor) = part.of(items, |rule: &Rule| &rule.id)?;
    fresh(&headers, &RuleList { items, next_cursor })
}

/// One rule
#[utoipa::path(get, path = "/rules/{id}", operation_id = "get_rule", tag = "rules",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 200, description = "The rule", body = Rule)))]
async fn show(
    State(app): State<App>,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<Json<Rule>> {
    let rules = app.rules.load();
    let rule = rules.get(&id).ok_or_else(|| unknown(&id))?;
    let firing = app.board.firing_by_rule().get(&rule.id).copied().unwrap_or(0);
    Ok(Json(view(rule, firing)))
}

pub(super) fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_RULE, format!("There is no rule `{}`.", short(id)))
        .hint("GET /api/v1/rules lists the rules.")
}

fn view(rule: &city_rules::Rule, firing: u64) -> Rule {
    let severities = rule.severities().into_iter().map(|(severity, step)| RuleStep {
        severity,
        limit: step.map(|step| step.raise).filter(|limit| limit.is_finite()),
        clear: step.and_then(|step| step.clear).filter(|limit| limit.is_finite()),
        for_s: rule.hold_of(severity).secs_f64(),
    });
    let select = &rule.select;
    Rule {
        id: rule.id.to_string(),
        group: rule.group.to_string(),
        name: rule.name.clone(),
        department: rule.department.to_string(),
        kind: rule.kind,
        version: rule.version.to_string(),
        severities: severities.collect(),
        direction: rule.ladder.as_ref().map(|ladder| match ladder.direction {
            Direction::Above => "above",
            Direction::Below => "below",
        }),
        for_s: Span::secs_f64(rule.hold),
        keep_firing_for_s: Span::secs_f64(rule.keep_firing_for),
        select: RuleSelector {
            metric: select.metric.clone(),
            kind: select.kind.clone(),
            department: select.department.clone(),
            zone: select.zone.clone(),
            device: select.device.clone(),
            attributes: select.attributes.clone(),
        },
        runbook: rule.runbook.clone(),
        labels: rule.labels.clone(),
        text: rule.source.clone(),
        file: rule.file.to_string(),
        line: rule.line,
        firing,
    }
}
