//! The receivers of alerts as the brain and the command line show them.

use std::sync::Arc;
use std::time::Instant;

use city_alert::{Failure, Notifier, ReceiverConfig, Route, TrialError};
use city_api::{
    ReceiverFailure, ReceiverReport, ReceiverRoute, ReceiverTrial, Receivers, TrialRefusal, Trying,
};
use city_registry::{Registry, RegistryError};
use city_rules::RuleSet;
use city_store::StateError;
use tokio::sync::Semaphore;

use crate::settings::{Problem, Problems, Settings};

/// Receivers that are tried at the same time.
const TRIALS: usize = 4;

/// What the brain may ask of the notifier.
pub(crate) struct Told {
    notifier: Arc<Notifier>,
    trials: Semaphore,
}

impl Told {
    pub(crate) fn new(notifier: Arc<Notifier>) -> Self {
        Self { notifier, trials: Semaphore::new(TRIALS) }
    }
}

impl Receivers for Told {
    fn report(&self) -> Result<Vec<ReceiverReport>, StateError> {
        Ok(self.notifier.report()?.into_iter().map(report).collect())
    }

    fn try_out<'a>(&'a self, id: &'a str) -> Trying<'a> {
        Box::pin(async move {
            let config = self.notifier.config(id).ok_or(TrialRefusal::Unknown)?;
            if config.inside {
                return Err(TrialRefusal::Inside);
            }
            let _turn = self.trials.try_acquire().map_err(|_| TrialRefusal::Busy)?;
            let began = Instant::now();
            let error = self.notifier.try_out(config).await.err();
            Ok(ReceiverTrial {
                taken: error.is_none(),
                took_ms: began.elapsed().as_millis() as u64,
                hint: error.as_ref().map(|error| hint(config, error)),
                error: error.map(|error| error.to_string()),
            })
        })
    }
}

fn report(report: city_alert::ReceiverReport) -> ReceiverReport {
    let city_alert::ReceiverReport { kind, route, status, .. } = report;
    ReceiverReport {
        id: route.receiver.clone(),
        r#type: kind,
        inside: route.inside,
        ok: status.error.is_none(),
        error: status.error,
        failing_since: status.failing_since,
        next_try_at: status.next_try,
        last_failure: status.last_failure.map(failure),
        last_delivery: status.last_delivery,
        waiting: status.waiting,
        oldest_waiting_at: report.oldest_waiting,
        given_up: report.given_up,
        last_given_up: report.last_given_up.map(failure),
        route: shown(route),
        unknown_rules: Vec::new(),
    }
}

fn failure(failure: Failure) -> ReceiverFailure {
    ReceiverFailure { at: failure.at, message: failure.message }
}

fn shown(route: Route) -> ReceiverRoute {
    let labels = route.labels.into_iter();
    ReceiverRoute {
        severity: route.severity,
        departments: route.departments,
        zones: route.zones,
        rules: route.rules,
        labels: labels.map(|(name, values)| (name, values.values().to_vec())).collect(),
        device_kinds: route.device_kinds,
        resolved: route.resolved,
    }
}

/// How to mend a receiver that did not take a test alert.
pub(crate) fn hint(receiver: &ReceiverConfig, error: &TrialError) -> String {
    let id = &receiver.id;
    match error {
        TrialError::Options(_) => {
            format!("see the [[receiver]]s of `citybrain config example`, and mend that of `{id}`")
        }
        TrialError::Delivery(error) | TrialError::End(error) if error.retry => format!(
            "check the address and the secrets in the options of `{id}`, and whether this machine \
             reaches it; alerts wait for it and are told in order once it takes them"
        ),
        TrialError::Delivery(_) | TrialError::End(_) => format!(
            "`{id}` is reached, but will never take such an alert; see whether it is what its type \
             says, and its own log"
        ),
    }
}

/// Rules that receivers ask for and that there are not: no reason to refuse, because rules come and
/// go while the city runs.
pub(crate) fn unknown_rules(settings: &Settings, rules: &RuleSet) -> Vec<String> {
    let named = settings.receivers.iter().enumerate().flat_map(|(index, receiver)| {
        let key = move || format!("receiver[{index}].rules (`{}`)", receiver.id);
        receiver.rules.iter().map(move |rule| (key(), rule))
    });
    named
        .filter(|(_, rule)| rules.get(rule).is_none())
        .map(|(key, rule)| {
            format!("{key}: there is no rule `{rule}`; until there is, it brings no alert")
        })
        .collect()
}

/// Zones that receivers ask for must be there.
pub(crate) fn check_zones(
    settings: &Settings,
    is_zone: impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) {
    for (index, receiver) in settings.receivers.iter().enumerate() {
        for zone in receiver.zones.iter().filter(|zone| !is_zone(zone)) {
            problems.push(Problem::new(
                format!("receiver[{index}].zones (`{}`)", receiver.id),
                format!("there is no zone `{zone}`"),
                "`citybrain zones check` lists the ids of a zone file",
            ));
        }
    }
}

/// Departments that receivers ask for must own a rule or a device, or be named.
pub(crate) fn check_departments(
    receivers: &[ReceiverConfig],
    registry: &Registry,
    rules: &RuleSet,
) -> Result<Result<(), Problems>, RegistryError> {
    let mut known: Vec<String> =
        registry.departments()?.into_iter().map(|department| department.id).collect();
    known.extend(rules.rules().iter().map(|rule| rule.department.to_string()));
    known.sort_unstable();
    known.dedup();
    let mut problems = Problems::default();
    for (index, receiver) in receivers.iter().enumerate() {
        for id in receiver.departments.iter().filter(|id| !known.contains(id)) {
            problems.0.push(Problem::new(
                format!("receiver[{index}].departments (`{}`)", receiver.id),
                format!("there is no department `{id}`"),
                format!("name it in city.departments; the departments are {}", known.join(", ")),
            ));
        }
    }
    Ok(problems.into_result())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use city_alert::LabelValues;
    use city_model::LocalText;
    use city_registry::{Department, Seed};
    use city_store::StateDb;

    use super::*;

    const RULES: &str = "
group: air
department: environment
rules:
  - id: pm25-high
    name: {en: PM2.5 high, zh: PM2.5 超标}
    kind: threshold
    select: {metric: pm25}
    severity: {medium: {above: 75, clear_below: 65}}
    summary: {en: '{device} {value}', zh: '{device} {value}'}
";

    fn settings() -> Settings {
        toml::from_str(
            r#"
            [city]
            name = "Test"
            time_zone = "UTC"
            [[receiver]]
            id = "all"
            type = "webhook"
            [[receiver]]
            id = "desk"
            type = "webhook"
            departments = ["environment", "water", "works"]
            zones = ["harbour", "old-town"]
            rules = ["pm25-high", "pm25-hihg"]
            "#,
        )
        .expect("settings")
    }

    #[tokio::test]
    async fn the_brain_is_shown_as_inside_and_tried_by_nobody() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let options = serde_json::json!({"url": "http://127.0.0.1:9/"});
        let brain = ReceiverConfig::new("brain", "webhook", options.clone());
        let mut desk = ReceiverConfig::new("desk", "webhook", options);
        desk.labels.insert("team".to_owned(), LabelValues::One("air".to_owned()));
        let configs = vec![ReceiverConfig { inside: true, ..brain }, desk];
        let metrics = prometheus::Registry::new();
        let notifier = Notifier::new(state, configs, Arc::new(crate::clock::SystemClock), &metrics);
        let told = Told::new(Arc::new(notifier.expect("good receivers")));
        let shown = told.report().expect("read");
        let short: Vec<_> =
            shown.iter().map(|r| (r.id.as_str(), &*r.r#type, r.inside, r.ok)).collect();
        assert_eq!(short, [("brain", "webhook", true, true), ("desk", "webhook", false, true)]);
        assert_eq!(shown[1].route.labels["team"], ["air"]);

        assert_eq!(told.try_out("brain").await, Err(TrialRefusal::Inside));
        assert_eq!(told.try_out("nobody").await, Err(TrialRefusal::Unknown));
        let trial = told.try_out("desk").await.expect("tried");
        assert!(!trial.taken && trial.error.is_some_and(|why| why.contains("cannot reach it")));
        assert!(trial.hint.is_some_and(|hint| hint.contains("`desk`")));
        let _all = told.trials.acquire_many(TRIALS as u32).await.expect("open");
        assert_eq!(told.try_out("desk").await, Err(TrialRefusal::Busy));
    }

    #[test]
    fn what_a_route_names_must_be_there_and_rules_are_warned_of() {
        let settings = settings();
        let rules = RuleSet::parse(&[("air.yaml", RULES)]).expect("good rules");
        let found = unknown_rules(&settings, &rules);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("receiver[1].rules (`desk`)"), "{found:?}");
        assert!(found[0].contains("`pm25-hihg`"), "{found:?}");

        let mut problems = Vec::new();
        check_zones(&settings, |zone| zone == "harbour", &mut problems);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().contains("no zone `old-town`"), "{problems:?}");

        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let water = Department { id: "water".to_owned(), name: LocalText::same("Water") };
        let seed = Seed { departments: vec![water], ..Seed::default() };
        let registry = Registry::open(state, seed).expect("a registry");
        let found = check_departments(&settings.receivers, &registry, &rules).expect("read");
        let problems = found.expect_err("one is unknown").0;
        assert_eq!(problems.len(), 1, "{problems:?}");
        let said = problems[0].to_string();
        assert!(said.contains("no department `works`"), "{said}");
        assert!(said.contains("the departments are environment, water"), "{said}");
    }
}
