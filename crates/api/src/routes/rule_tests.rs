//! `/rules/test`: rule tests as data, for rules that are not in force yet.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use city_rules::RuleProblems;
use city_rules::testing::{Limits, run_tests_within};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::extract::Body;
use crate::parameters::{NoParameters, Parameters};
use crate::problem::Answer;
use crate::routes::rule_texts::{RuleFault, RuleFile, TEXTS_LIMIT, faults};

/// How long all tests of a request may run.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many readings they may have together.
const MOST_READINGS: usize = 200_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(run)).layer(DefaultBodyLimit::max(TEXTS_LIMIT))
}

/// Tests, and the rules that they test.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRuleTest {
    /// The file with the tests; those that `citybrain rules test` runs.
    tests: RuleFile,
    /// The rule files that its `rules:` names.
    #[serde(default)]
    files: Vec<RuleFile>,
}

/// What came of the tests.
#[derive(Serialize, ToSchema)]
struct RuleTestReport {
    /// Whether there were tests and all of them passed.
    ok: bool,
    /// The names of the tests that passed.
    passed: Vec<String>,
    /// The names of those that did not.
    failed: Vec<String>,
    /// What is wrong, in tests, in rules, or with what came out.
    problems: Vec<RuleFault>,
}

/// Run rule tests
///
/// Input series go through the evaluator under virtual time, and must raise exactly the alerts that
/// are expected. Together the tests may have 200,000 readings and take 20 seconds.
#[utoipa::path(post, path = "/rules/test", operation_id = "test_rules", tag = "rules",
    request_body = NewRuleTest,
    responses((status = 200, description = "What came of them", body = RuleTestReport)))]
async fn run(
    State(app): State<App>,
    _: Parameters<NoParameters>,
    Body(body): Body<NewRuleTest>,
) -> Answer<Json<RuleTestReport>> {
    app.lanes
        .history(move |cancel| {
            let NewRuleTest { tests, files } = body;
            let load = |name: &str| {
                let file = files.iter().find(|file| file.name == name);
                file.map(|file| file.text.clone()).ok_or_else(|| "it was not sent along".to_owned())
            };
            let until = Instant::now() + PATIENCE;
            let go_on = || cancel.check().is_ok() && Instant::now() < until;
            let report = run_tests_within(
                &tests.name,
                &tests.text,
                &load,
                &Limits { readings: MOST_READINGS, go_on: &go_on },
            );
            Ok(Json(RuleTestReport {
                ok: report.is_ok(),
                passed: report.passed,
                failed: report.failed,
                problems: faults(RuleProblems(report.problems)),
            }))
        })
        .await
}
