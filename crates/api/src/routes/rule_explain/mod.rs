//! `/rules/{id}/explain` and `/alerts/{id}/explain`: why an alert fired, and why one did not.

mod view;

use axum::Json;
use axum::extract::State;
use city_backtest::{Explanation, Question, explain, subject_of};
use city_model::{Alert, LocalText, Span, Subject, Timestamp};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::alerts::{AlertDetail, AlertItem, AlertQuery};
use crate::app::App;
use crate::extract::Id;
use crate::parameters::{FromPairs, Pairs, Parameters};
use crate::problem::{Answer, Problem, codes};
use crate::routes::alerts::unknown as unknown_alert;
use crate::routes::late_readings::{self, LateDecided};
use crate::routes::rules::unknown as unknown_rule;

use self::view::{ExplainedSilence, RuleExplanation, view};

/// Alerts that stand beside an explanation.
const ALERTS: usize = 5;
/// Alerts among which those are looked for.
const LOOKED_AT: usize = 1_000;
/// Late readings that do.
const LATE: usize = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explain_rule)).routes(routes!(explain_alert))
}

/// About what, and when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ExplainQuery {
    /// What the alert would be about: a device and a metric as `device/metric`, a device, or a zone,
    /// each by its id. Where a rule selects one metric, the device alone will do.
    subject: String,
    /// At which instant, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// How many steps at most, the newest ones, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for ExplainQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            subject: pairs.required("subject")?,
            at: pairs.time("at")?,
            limit: pairs.limit()?,
        })
    }
}

/// When.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ExplainAlertQuery {
    /// At which instant, RFC 3339; when the alert fired unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// How many steps at most, the newest ones, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for ExplainAlertQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { at: pairs.time("at")?, limit: pairs.limit()? })
    }
}

/// Why a rule raised an alert about something at an instant, or why it did not
///
/// The rule runs over the stored readings before the instant as it would live, and the answer says
/// what was decided about each, and why. Alerts, silences and late readings that really were stand
/// beside it.
#[utoipa::path(get, path = "/rules/{id}/explain", operation_id = "explain_rule", tag = "rules",
    params(("id" = String, Path, description = "The rule's id"), ExplainQuery),
    responses((status = 200, description = "Why", body = RuleExplanation)))]
async fn explain_rule(
    State(app): State<App>,
    Id(id): Id,
    Parameters(query): Parameters<ExplainQuery>,
) -> Answer<Json<RuleExplanation>> {
    let rules = app.rules.load_full();
    let rule = rules.get(&id).ok_or_else(|| unknown_rule(&id))?;
    let directory = app.registry.directory();
    let subject = subject_of(rule, &query.subject, &directory).map_err(|why| {
        Problem::new(codes::BAD_PARAMETER, format!("The parameter `subject` fits nothing: {why}."))
            .hint("Write device/metric, a device or a zone, as the rule's alerts are about.")
            .with("parameter", "subject")
    })?;
    let answer = answer(&app, id, subject, query.at, query.limit).await?;
    Ok(Json(answer))
}

/// Why an alert fired
///
/// Its rule, as it is now, is run over the stored readings before the alert fired.
#[utoipa::path(get, path = "/alerts/{id}/explain", operation_id = "explain_alert", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id"), ExplainAlertQuery),
    responses((status = 200, description = "Why", body = RuleExplanation)))]
async fn explain_alert(
    State(app): State<App>,
    Id(id): Id,
    Parameters(query): Parameters<ExplainAlertQuery>,
) -> Answer<Json<RuleExplanation>> {
    let alerts = app.alerts.clone();
    let found = app.lanes.short(move || alerts.detail(&id)?.ok_or_else(|| unknown_alert(&id)));
    let alert = found.await?.0.alert;
    let at = query.at.unwrap_or(alert.fired_at);
    let rule = alert.rule.id.to_string();
    let mut answer = answer(&app, rule, alert.subject, Some(at), query.limit).await?;
    if *answer.version != *alert.rule.version {
        answer.caveats.push(LocalText::new(
            format!("the rule has changed: the alert is of version {}", alert.rule.version),
            format!("规则已修改：该告警由版本 {} 产生", alert.rule.version),
        ));
    }
    Ok(Json(answer))
}

async fn answer(
    app: &App,
    rule: String,
    subject: Subject,
    at: Option<Timestamp>,
    limit: usize,
) -> Answer<RuleExplanation> {
    let now = app.clock.now();
    // What has not happened yet cannot be explained.
    let at = at.unwrap_or(now).min(now);
    let (store, registry) = (app.store.clone(), app.registry.clone());
    let rules = app.rules.load_full();
    let explanation = app
        .lanes
        .history(move |cancel| {
            let rule = rules.get(&rule).ok_or_else(|| unknown_rule(&rule))?;
            let (zones, directory) = (registry.zones(), registry.directory());
            let locate = |position| zones.locate(position);
            let question = Question { rules: &rules, rule, subject, at };
            Ok(explain(&*store, &directory, &locate, &question, cancel)?)
        })
        .await?;
    let beside = beside(app, &explanation).await?;
    let directory = app.registry.directory();
    Ok(view(explanation, beside, &directory, limit))
}

/// What really was, beside what a run over stored readings finds.
struct Beside {
    alerts: Vec<AlertDetail>,
    silences: Vec<ExplainedSilence>,
    late: Vec<LateDecided>,
}

async fn beside(app: &App, explanation: &Explanation) -> Answer<Beside> {
    let (at, from) = (explanation.at, explanation.from);
    let subject = explanation.subject.clone();
    let zone = match &subject {
        Subject::Zone { zone } => Some(zone.to_string()),
        _ => None,
    };
    let wanted = AlertQuery {
        rule: Some(vec![explanation.rule.to_string()]),
        device: subject.device().map(|id| vec![id.to_string()]),
        zone: zone.map(|id| vec![id]),
        to: Some(at + Span::from_micros(1)),
        limit: LOOKED_AT,
        ..AlertQuery::default()
    };
    let directory = app.registry.directory();
    let late = app.late_readings.newest(LATE, |late| {
        let name = directory.device(late.series.device).map(|device| &device.id);
        let metric = directory.metrics.get(late.series.metric).map(|metric| &metric.id);
        let is_it = match &subject {
            Subject::Series { device, metric: wanted } => {
                name == Some(device) && metric == Some(wanted)
            }
            Subject::Device { device } => name == Some(device),
            Subject::Zone { .. } => false,
        };
        is_it && late.received >= from && late.time <= at
    });
    let late = late.iter().map(|late| late_readings::view(late, &directory)).collect();
    let raised = explanation.alert.clone();
    let (alerts, silences) = (app.alerts.clone(), app.silences.clone());
    app.lanes
        .short(move || {
            let stood = alerts.page(&wanted)?.items.into_iter().filter(|stored| {
                stored.alert.subject == subject
                    && stored.alert.resolved_at.is_none_or(|end| end >= from)
            });
            let mut found = Vec::new();
            for stored in stood.take(ALERTS) {
                let Some((stored, log)) = alerts.detail(&stored.alert.id)? else { continue };
                found.push(AlertDetail { item: AlertItem::new(stored, &directory), log });
            }
            let real = found.first().map(|detail| &detail.item.alert);
            let alert = real
                .filter(|alert| alert.resolved_at.is_none_or(|end| end > at))
                .or(raised.as_deref());
            let silences = match alert {
                Some(alert) => silences_of(&silences, alert, at)?,
                None => Vec::new(),
            };
            Ok(Beside { alerts: found, silences, late })
        })
        .await
}

/// The silences that held an alert back at a time, also those that are over.
fn silences_of(
    silences: &crate::silences::Silences,
    alert: &Alert,
    at: Timestamp,
) -> Answer<Vec<ExplainedSilence>> {
    let records = silences.list(None, at)?;
    let held = records.into_iter().filter(|record| {
        record.created_at <= at
            && record.ended.as_ref().is_none_or(|ended| at < ended.at)
            && record.silence.holds(alert, at)
    });
    Ok(held
        .map(|record| ExplainedSilence {
            id: record.silence.id.to_string(),
            owner: record.owner,
            reason: record.reason,
            ends_at: record.silence.ends_at,
        })
        .collect())
}
