//! `/rules/check` and `/rules/backtest`: rules that are not in force yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use city_backtest::{Caveat, Label, Request, backtest};
use city_model::{Directory, LocalText, Severity, Span, Subject, Timestamp};
use city_rules::{RuleProblems, RuleSet};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::extract::Body;
use crate::lines;
use crate::parameters::{NoParameters, Parameters, time_range};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::routes::rule_texts::{RuleFault, RuleFile, TEXTS_LIMIT, faults};
use crate::schema;

/// The range of a backtest unless one is given.
const DEFAULT_RANGE: Span = Span::from_hours(7 * 24);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(check))
        .routes(routes!(run))
        .layer(DefaultBodyLimit::max(TEXTS_LIMIT))
}

/// Rule files to be checked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleFiles {
    files: Vec<RuleFile>,
}

/// What is wrong with rule files.
#[derive(Serialize, ToSchema)]
struct RuleCheck {
    /// How many rules there are; 0 if there are problems.
    rules: usize,
    /// All problems, in the order of files and lines.
    problems: Vec<RuleFault>,
    /// Devices that good rules select and cannot judge, because the registry has no limits for them.
    not_judged: Vec<NotJudged>,
}

/// Devices that a rule cannot judge.
#[derive(Serialize, ToSchema)]
struct NotJudged {
    /// The rule.
    rule: String,
    /// Why: the devices are …
    #[schema(value_type = schema::LocalText)]
    reason: LocalText,
    /// How many there are.
    devices: usize,
    /// The ids of the first 20.
    first: Vec<String>,
}

/// What to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBacktest {
    /// The rules; those in force if there are no files.
    #[serde(default)]
    files: Vec<RuleFile>,
    /// Only rules with these ids; all if there are none.
    #[serde(default)]
    only: Vec<String>,
    /// The first instant, RFC 3339; a week before `to` unless given.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many operators share the alerts; 1 unless given.
    #[serde(default)]
    #[schema(minimum = 1)]
    operators: Option<u32>,
    /// Whether to compare with what rules of the same ids do that are in force.
    #[serde(default)]
    compare: bool,
    /// Incidents that are known to have happened.
    #[serde(default)]
    #[schema(value_type = Vec<KnownIncident>)]
    incidents: Vec<Label>,
}

/// An incident that is known to have happened.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes `city_backtest::Label`")]
struct KnownIncident {
    /// What it was.
    name: Option<String>,
    /// The rule that should have seen it; any if it is not given.
    rule: Option<String>,
    /// The device or zone at which it was; any if it is not given.
    place: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
}

/// What would have happened.
#[derive(Serialize, ToSchema)]
struct Backtest {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// From when on readings were looked at, so that the rules knew what came before.
    #[schema(value_type = String, format = DateTime)]
    warmed_up_from: Timestamp,
    /// How many series the rules select.
    series: usize,
    /// How many readings were evaluated.
    readings: u64,
    /// The alerts that would have fired, in order of time; at most 10,000.
    alerts: Vec<WouldBe>,
    load: BacktestLoad,
    /// How many there were on each day of UTC.
    per_day: BTreeMap<String, u64>,
    /// What rules of the same ids that are in force do differently.
    difference: Option<Difference>,
    /// How they agree with the incidents.
    incidents: Option<IncidentScore>,
    /// Where it may differ from what really would have happened.
    #[schema(value_type = Vec<schema::LocalText>)]
    caveats: Vec<LocalText>,
}

/// An alert that would have fired.
#[derive(Serialize, ToSchema)]
struct WouldBe {
    /// The rule's id.
    #[schema(value_type = String)]
    rule: Arc<str>,
    #[schema(value_type = schema::Subject)]
    subject: Subject,
    /// The worst that it had.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    fired_at: Timestamp,
    /// `null` if it fires at the end of the range.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// The value that decided.
    value: Option<f64>,
    /// The limit that it passed.
    limit: Option<f64>,
    #[schema(value_type = schema::LocalText)]
    summary: LocalText,
}

/// How much work alerts are, as ISA-18.2 counts it.
#[derive(Serialize, ToSchema)]
struct BacktestLoad {
    /// How many there are.
    alerts: u64,
    /// Alerts a day and operator. Up to 144 is acceptable, up to 288 manageable.
    per_operator_day: f64,
    /// The most of one operator within ten minutes.
    peak_ten_minutes: f64,
    /// More than 10 in 10 minutes, until fewer than 5.
    floods: u64,
    /// Minutes in flood.
    flood_minutes: f64,
    /// The part of all hours with more than 30.
    hours_over_30: f64,
    /// The part of all ten minutes with more than 10.
    ten_minutes_over_10: f64,
    /// Pairs of rule and subject with 3 or more within a minute.
    chattering: u64,
    /// Over within a minute.
    fleeting: u64,
    /// Standing for more than a day.
    stale: u64,
    /// Each rule's part, the largest first.
    rules: Vec<RuleLoad>,
}

/// A rule's part of the load.
#[derive(Serialize, ToSchema)]
struct RuleLoad {
    /// The rule's id.
    #[schema(value_type = String)]
    rule: Arc<str>,
    alerts: u64,
    /// Its part of all.
    share: f64,
    chattering: u64,
    fleeting: u64,
    stale: u64,
}

/// Alerts of the same rule and subject that overlap in time are the same.
#[derive(Serialize, ToSchema)]
struct Difference {
    /// How many both have.
    both: u64,
    /// How many only the tried rules have.
    only_here: u64,
    /// How many only the rules in force have.
    only_there: u64,
    /// Those that would be lost; at most 1,000.
    lost: Vec<WouldBe>,
    /// Those that would be gained; at most 1,000.
    gained: Vec<WouldBe>,
}

/// How well alerts agree with incidents.
#[derive(Serialize, ToSchema)]
struct IncidentScore {
    /// The part of the alerts that belong to an incident.
    precision: Option<f64>,
    /// The part of the incidents that were seen.
    recall: Option<f64>,
    /// From the beginning of an incident to its first alert, in seconds: the median.
    delay_s: Option<f64>,
    /// How many alerts belong to none.
    false_alarms: u64,
    /// Each one, in order of time.
    incidents: Vec<IncidentFound>,
}

/// What became of an incident.
#[derive(Serialize, ToSchema)]
struct IncidentFound {
    name: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When the first alert for it fired.
    #[schema(value_type = Option<String>, format = DateTime)]
    fired_at: Option<Timestamp>,
}

/// Check rule files
///
/// They are read, and checked against the metrics, zones and layers that there are.
#[utoipa::path(post, path = "/rules/check", operation_id = "check_rules", tag = "rules",
    request_body = RuleFiles,
    responses((status = 200, description = "What is wrong with them, if anything is",
        body = RuleCheck)))]
async fn check(
    State(app): State<App>,
    _: Parameters<NoParameters>,
    Body(body): Body<RuleFiles>,
) -> Answer<Json<RuleCheck>> {
    app.lanes
        .short({
            let app = app.clone();
            move || {
                Ok(Json(match read(&app, &body.files) {
                    Ok(rules) => RuleCheck {
                        rules: rules.len(),
                        problems: Vec::new(),
                        not_judged: not_judged(&rules, &app.registry.directory()),
                    },
                    Err(problems) => {
                        let problems = faults(problems);
                        RuleCheck { rules: 0, problems, not_judged: Vec::new() }
                    }
                }))
            }
        })
        .await
}

/// Try rules on stored history
///
/// The rules run over the readings of the range as they would live, and the answer says what would
/// have fired, how much work that is, and how it compares. One runs at a time; it ends when the
/// client goes away. With `Accept: application/x-ndjson` the answer comes in lines while it runs:
/// `{"done": 3600, "of": 86400}` in seconds of the range, and at the end `{"result": …}` or
/// `{"problem": …}`.
#[utoipa::path(post, path = "/rules/backtest", operation_id = "backtest_rules", tag = "rules",
    request_body = NewBacktest,
    responses(
        (status = 200, description = "What would have happened", body = Backtest),
        (status = 404, description = "`only` names a rule that is not there", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The rules have problems (`problems` lists them)",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn run(
    State(app): State<App>,
    _: Parameters<NoParameters>,
    headers: HeaderMap,
    Body(body): Body<NewBacktest>,
) -> Answer<Response> {
    let now = app.clock.now();
    // What has not happened yet cannot be tried, and devices are not silent in it.
    let to = body.to.map(|to| to.min(now));
    let range = time_range((body.from, to), now, DEFAULT_RANGE)?;
    let in_force = app.rules.load_full();
    let rules = if body.files.is_empty() {
        in_force.clone()
    } else {
        Arc::new(read(&app, &body.files).map_err(|problems| {
            Problem::new(codes::BAD_RULES, problems.to_string()).with("problems", faults(problems))
        })?)
    };
    let only = |rules: Arc<RuleSet>| {
        if body.only.is_empty() { rules } else { Arc::new(rules.only(&body.only)) }
    };
    if let Some(unknown) = body.only.iter().find(|id| rules.get(id).is_none()) {
        return Err(Problem::new(codes::UNKNOWN_RULE, format!("There is no rule `{unknown}`."))
            .hint("`only` names rules of the files, or, without files, of those in force."));
    }
    let rules = only(rules);
    let against = body.compare.then(|| {
        let ids: Vec<String> = rules.rules().iter().map(|rule| rule.id.to_string()).collect();
        Arc::new(in_force.only(&ids))
    });
    let request = Request {
        rules,
        against,
        range,
        operators: body.operators.unwrap_or(1).max(1),
        labels: body.incidents,
    };
    if lines::are_asked_for(&headers) {
        return Ok(lines::answer(|progress| async move {
            trial(&app, request, move |done, of| progress.tell(done, of)).await
        }));
    }
    Ok(Json(trial(&app, request, |_, _| ()).await?).into_response())
}

/// Runs it; `progress` hears how many seconds of how many are done.
async fn trial(
    app: &App,
    request: Request,
    progress: impl Fn(u64, u64) + Send + 'static,
) -> Answer<Backtest> {
    let (store, registry) = (app.store.clone(), app.registry.clone());
    app.lanes
        .backtest(move |cancel| {
            let zones = registry.zones();
            let locate = |position| zones.locate(position);
            let directory = registry.directory();
            let seconds = |until: Timestamp| {
                u64::try_from(until.since(request.range.from).micros() / 1_000_000).unwrap_or(0)
            };
            let all = seconds(request.range.to);
            let told = |at: city_backtest::Progress| progress(seconds(at.until), all);
            let report = backtest(&*store, &directory, &locate, &request, cancel, told)?;
            Ok(report.into())
        })
        .await
}

fn read(app: &App, files: &[RuleFile]) -> Result<RuleSet, RuleProblems> {
    let files: Vec<(String, String)> =
        files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    // Files that name a calendar of the city need not bring it along.
    let rules = RuleSet::parse_in(&files, app.rules.load().setting())?;
    rules.check_against(&app.registry.directory())?;
    Ok(rules)
}

fn not_judged(rules: &RuleSet, directory: &Directory) -> Vec<NotJudged> {
    let found = rules.not_judged(directory).into_iter().map(|found| NotJudged {
        rule: found.rule.to_string(),
        reason: found.reason,
        devices: found.devices.len(),
        first: found.devices.iter().take(20).map(ToString::to_string).collect(),
    });
    found.collect()
}

impl From<city_backtest::Report> for Backtest {
    fn from(report: city_backtest::Report) -> Self {
        Self {
            from: report.from,
            to: report.to,
            warmed_up_from: report.warmed_up_from,
            series: report.series,
            readings: report.readings,
            alerts: report.alerts.into_iter().map(WouldBe::from).collect(),
            load: report.load.into(),
            per_day: report.per_day,
            difference: report.difference.map(Difference::from),
            incidents: report.labelled.map(IncidentScore::from),
            caveats: report.caveats.into_iter().map(Caveat::text).collect(),
        }
    }
}

impl From<city_backtest::WouldBe> for WouldBe {
    fn from(alert: city_backtest::WouldBe) -> Self {
        Self {
            rule: alert.rule,
            subject: alert.subject,
            severity: alert.severity,
            started_at: alert.started_at,
            fired_at: alert.fired_at,
            resolved_at: alert.resolved_at,
            value: alert.value,
            limit: alert.limit,
            summary: alert.summary,
        }
    }
}

impl From<city_backtest::Load> for BacktestLoad {
    fn from(load: city_backtest::Load) -> Self {
        let rule = |rule: city_backtest::RuleLoad| RuleLoad {
            rule: rule.rule,
            alerts: rule.alerts,
            share: rule.share,
            chattering: rule.chattering,
            fleeting: rule.fleeting,
            stale: rule.stale,
        };
        Self {
            alerts: load.alerts,
            per_operator_day: load.per_operator_day,
            peak_ten_minutes: load.peak_ten_minutes,
            floods: load.floods,
            flood_minutes: load.flood_minutes,
            hours_over_30: load.hours_over_30,
            ten_minutes_over_10: load.ten_minutes_over_10,
            chattering: load.chattering,
            fleeting: load.fleeting,
            stale: load.stale,
            rules: load.rules.into_iter().map(rule).collect(),
        }
    }
}

impl From<city_backtest::Difference> for Difference {
    fn from(difference: city_backtest::Difference) -> Self {
        let list = |alerts: Vec<city_backtest::WouldBe>| {
            alerts.into_iter().map(WouldBe::from).collect::<Vec<_>>()
        };
        Self {
            both: difference.both,
            only_here: difference.only_here,
            only_there: difference.only_there,
            lost: list(difference.lost),
            gained: list(difference.gained),
        }
    }
}

impl From<city_backtest::Labelled> for IncidentScore {
    fn from(score: city_backtest::Labelled) -> Self {
        let found = |found: city_backtest::Found| IncidentFound {
            name: found.name,
            from: found.from,
            fired_at: found.fired_at,
        };
        Self {
            precision: score.precision,
            recall: score.recall,
            delay_s: score.delay_s,
            false_alarms: score.false_alarms,
            incidents: score.incidents.into_iter().map(found).collect(),
        }
    }
}
