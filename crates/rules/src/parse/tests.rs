//! What rule files may say, and how each mistake in one is told.

use super::*;

fn problems(text: &str) -> Vec<String> {
    let result = RuleSet::parse(&[("rules.yaml", text)]);
    result.err().map(|all| all.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

const GOOD: &str = "\
group: air
department: environment
rules:
  # why it is there
  - id: pm25-high
    name: {en: PM2.5 high, zh: PM2.5 超标}
    kind: threshold
    select: {metric: pm25, kind: [air_station], attributes: {roadside: true}}
    severity:
      medium: {above: 75, clear_below: 65}
      high: {above: 115, clear_below: 100}
    for: 30s
    trust: [pass, suspect]
    lateness: 2m
    summary: {en: \"{device}: {value} {unit}\", zh: \"{device}：{value}{unit}\"}
    labels: {team: air}
    runbook: https://example.org/pm25
  - {id: second, kind: absence, severity: low, for: 3x}
";

#[test]
fn a_good_file_becomes_rules() {
    let rules = RuleSet::parse(&[("air.yaml", GOOD)]).expect("valid");
    let rule = rules.get("pm25-high").expect("there");
    assert_eq!((&*rule.group, &*rule.department, rule.kind), ("air", "environment", "threshold"));
    assert_eq!((&*rule.file, rule.line, rule.version.len()), ("air.yaml", 5, 12));
    assert_eq!(rule.severities().len(), 2);
    assert_eq!(rule.trust.flags().collect::<Vec<_>>(), [Quality::Pass, Quality::Suspect]);
    assert_eq!(rule.lateness, Some(Span::from_mins(2)));
    assert!(rule.source.starts_with("id: pm25-high\nname:"), "{}", rule.source);
    assert!(rule.source.ends_with("runbook: https://example.org/pm25\n"), "{}", rule.source);
    assert_eq!(rules.rules()[1].name.en, "second");
}

#[test]
fn the_version_follows_the_meaning_and_not_the_style() {
    let version =
        |text: &str| RuleSet::parse(&[("f", text)]).expect("valid").rules()[0].version.clone();
    let styled = GOOD.replace("{above: 75, clear_below: 65}", "{clear_below: 65.0, above: 75} # !");
    assert_eq!(version(GOOD), version(&styled));
    for (from, to) in [("above: 75", "above: 76"), ("environment", "health")] {
        assert_ne!(version(GOOD), version(&GOOD.replace(from, to)), "{to}");
    }
}

#[test]
fn five_mistakes_give_five_located_problems() {
    let text = "\
group: air
department: environment
rules:
  - id: one
    kind: threshold
    select: {metric: pm25}
    sevrity: high
    severity: {medium: {above: 75, clear_below: 80}, high: {above: 70}}
    for: 30
  - id: two
    kind: treshold
  - id: one
    kind: absence
    severity: low
    for: 3x
    summary: \"{devise} is gone\"
";
    let got = problems(text);
    let expected = [
        ("7:5: rule `one`: unknown key `sevrity`", "did you mean `severity`?"),
        (
            "8:24: rule `one`: the clear limit 80 is above the limit 75 of `medium`",
            "clear limit of 75",
        ),
        ("9:10: rule `one`: `for` must be a length of time, found `30`", "`30s`"),
        ("11:11: rule `two`: unknown kind `treshold`", "did you mean `threshold`?"),
        (
            "12:9: rule `one`: the id `one` is used twice: rules.yaml:12:9 and rules.yaml:4:9",
            "another id",
        ),
        ("16:14: rule `one`: unknown placeholder `{devise}`", "did you mean `device`?"),
    ];
    assert_eq!(got.len(), expected.len(), "{got:#?}");
    for (got, (message, hint)) in got.iter().zip(expected) {
        assert!(got.starts_with(&format!("rules.yaml:{message}")), "{got}\nshould be\n{message}");
        assert!(got.contains("\n  hint: ") && got.contains(hint), "{got} lacks {hint}");
    }
}

/// One bad rule body per line: what must be found in the only problem.
#[test]
fn each_mistake_is_explained() {
    let threshold = "kind: threshold, select: {metric: pm25}";
    let cases = [
            ("kind: threshold, severity: high, raise: {above: 1}".to_owned(), "selects no metric"),
            (format!("{threshold}, severity: high"), "`raise` is missing"),
            (format!("{threshold}, severity: hihg, raise: {{above: 1}}"), "did you mean `high`?"),
            (format!("{threshold}, severity: {{high: {{}}}}"), "has no limit"),
            (format!("{threshold}, severity: {{}}"), "no steps"),
            (format!("{threshold}, severity: {{high: {{above: '1'}}}}"), "remove the quotes"),
            (format!("{threshold}, severity: {{high: {{above: 1, below: 0}}}}"), "exclude each other"),
            (format!("{threshold}, severity: {{high: {{above: 1, clear_above: 2}}}}"), "`clear_below`"),
            (format!("{threshold}, severity: {{low: {{above: 1}}, high: {{below: 9}}}}"), "different directions"),
            (format!("{threshold}, severity: {{low: {{above: 5}}, high: {{above: 5}}}}"), "must be worse"),
            (format!("{threshold}, severity: {{low: {{above: 5}}, high: {{above: 6, clear_below: 4}}}}"), "clear later"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, clear: {{above: 0}}"), "wrong side"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, window: {{}}"), "is for rules of kind window"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, trust: [good]"), "unknown quality flag"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, select_: 1"), "did you mean `select`?"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, runbook: 'javascript:x'"), "web address"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, for: -5s"), "not be negative"),
            (format!("{threshold}, severity: high, raise: {{above: 1}}, summary: '{{devices}}'"), "no meaning"),
            ("kind: window, select: {metric: pm25}, severity: high, raise: {above: 1}".to_owned(), "`window` is missing"),
            ("kind: window, select: {metric: pm25}, severity: high, raise: {above: 1}, window: {function: men, over: 1m}".to_owned(), "did you mean `mean`?"),
            ("kind: window, select: {metric: pm25}, severity: high, raise: {above: 1}, window: {function: mean, over: 0s}".to_owned(), "more than nothing"),
            ("kind: absence, severity: high, for: x".to_owned(), "cannot be"),
            ("kind: absence, severity: high".to_owned(), "`for` is missing"),
            ("kind: absence, severity: high, for: 3x, share: 0.5".to_owned(), "without grouping"),
            ("kind: absence, severity: high, for: 3x, group_by: gateway, share: 80".to_owned(), "part of the devices"),
            ("kind: absence, severity: high, for: 3x, subject: series".to_owned(), "which metrics"),
            ("kind: absence, severity: high, for: 3x, group_by: gateway, select: {metric: pm25}".to_owned(), "whole devices"),
            ("kind: zone_aggregate, select: {metric: [pm25, no2]}, severity: high, raise: {above: 1}, aggregate: {function: mean, over: 1m}".to_owned(), "selects 2"),
            ("severity: high".to_owned(), "`kind` is missing"),
            ("kind: k_of_n, select: {metric: pm25}, severity: high, devices: 3, of: 2, over: 5m, each: {above: 1}".to_owned(), "3 of 2 devices"),
            ("kind: k_of_n, select: {metric: pm25}, severity: high, share: 80, over: 5m, each: {above: 1}".to_owned(), "more than 0, at most 1"),
            ("kind: k_of_n, select: {metric: pm25}, severity: high, devices: 3, over: 5m, each: {above: 1, for: 5m}".to_owned(), "at once"),
            ("kind: aqi, standard: hj633_2026, severity: high, category: unhealthy".to_owned(), "has no class `unhealthy`"),
            ("kind: aqi, standard: hj633_2026, severity: high, category: excellent".to_owned(), "always fire"),
            ("kind: aqi, standard: hj633_2026, severity: high, category: good, select: {metric: pm25}".to_owned(), "know their metrics"),
            ("kind: forecast, select: {metric: pm25}, forecast: {limit: 1, over: 1h}, severity: {low: {within: 1h}, high: {within: 2h}}".to_owned(), "nearer to the limit"),
            ("kind: forecast, select: {metric: pm25}, forecast: {limit: 1, over: 1h}, severity: high, within: 1h, clear_beyond: 10m".to_owned(), "shorter than"),
            ("kind: dependency, when: r, suppress: r, via: device, schedule: {times: '08:00-09:00'}".to_owned(), "has no schedule"),
            ("kind: geofence, fence: {zone: park, when: insid}, severity: high".to_owned(), "did you mean `inside`?"),
            ("kind: expression, expression: 'pm25 >', severity: high".to_owned(), "cannot be read at character"),
            ("kind: expression, expression: 'pm25 > 1', severity: high, raise: {above: 1}".to_owned(), "true or false"),
            ("kind: expression, expression: 'pm25 + pm10', severity: high".to_owned(), "`raise` is missing"),
        ];
    for (body, expected) in cases {
        let text = format!("group: g\ndepartment: d\nrules:\n  - {{id: r, {body}}}\n");
        let got = problems(&text);
        assert_eq!(got.len(), 1, "{body}: {got:#?}");
        assert!(got[0].contains(expected), "{body}: {} lacks {expected}", got[0]);
    }
}

#[test]
fn files_that_are_no_rule_files_say_so() {
    for (text, expected) in [
        ("", "the file is empty"),
        ("- a\n", "a rule file must be a mapping"),
        ("group: g\n", "`rules` is missing"),
        ("rules: []\n", "`group` is missing"),
        ("group: g\nrules: {a: 1}\n", "must be a list, found a mapping"),
        (
            "group: g\nrules:\n  - {id: A b, kind: absence, severity: low, for: 3x}\n",
            "cannot be an id",
        ),
        ("group: g\nrules:\n  - {id: a, kind: absence, severity: low, for: 3x}\n", "no department"),
    ] {
        let got = problems(text);
        assert!(got.iter().any(|problem| problem.contains(expected)), "{text}: {got:#?}");
    }
}

#[test]
fn the_directory_knows_metrics_zones_and_layers() {
    let rules = RuleSet::parse(&[(
        "f.yaml",
        "\
group: g
department: d
rules:
  - id: r
    kind: zone_aggregate
    select: {metric: pm52, zone: [loop]}
    layer: district
    aggregate: {function: mean, over: 5m}
    severity: high
    raise: {above: 1}
",
    )])
    .expect("valid by itself");
    let catalogue = city_model::Catalogue::embedded();
    let directory = city_model::Directory::new([], catalogue, Vec::new(), 1);
    let problems = rules.check_against(&directory).expect_err("unknown names").to_string();
    assert!(
        problems
            .contains("f.yaml:6:22: rule `r`: unknown metric `pm52`\n  hint: did you mean `pm25`?"),
        "{problems}"
    );
    assert!(
        problems
            .contains("f.yaml:6:35: rule `r`: unknown zone `loop`\n  hint: no zones are loaded"),
        "{problems}"
    );
    assert!(problems.contains("f.yaml:7:12: rule `r`: unknown layer `district`"), "{problems}");
}
