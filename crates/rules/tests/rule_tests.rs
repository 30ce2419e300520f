//! Runs all rule tests of `testdata/rules`.

use std::fmt::Write as _;
use std::path::Path;

use city_rules::testing::run_tests;

#[test]
fn all_rule_tests_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
    let load = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string());
    let mut passed = 0;
    let mut failures = String::new();
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.yaml") {
            let report = run_tests(&name, &load(&name).expect("readable"), &load);
            passed += report.passed.len();
            if !report.is_ok() {
                let _ = writeln!(failures, "{report}");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(passed >= 30, "only {passed} tests were found");
}

#[test]
fn a_failing_test_says_where_and_what_came_instead() {
    let text = "\
inline: |
  group: g
  department: d
  rules:
    - {id: hot, kind: threshold, select: {metric: pm25}, severity: high, raise: {above: 10}}
devices: [{id: a}]
tests:
  - name: wrong
    input: [{series: pm25 of a, at: 5s, value: 11}]
    expect:
      - {at: 6s, event: fired, subject: pm25 of a}
  - name: value
    input: [{series: pm25 of a, at: 5s, value: 11}]
    expect:
      - {at: 5s, event: fired, subject: pm25 of a, value: 12}
";
    let report = run_tests("t.yaml", text, &|_| Err("no files here".to_owned()));
    assert_eq!(report.failed, ["wrong", "value"]);
    let text = report.to_string();
    for expected in [
        "t.yaml:11:9: test `wrong`: expected pm25 of a fired at 6s, which did not come\n  hint: events that came: pm25 of a fired high at 5s by `hot` with value 11",
        "t.yaml:8:5: test `wrong`: unexpected pm25 of a fired high at 5s",
        "t.yaml:15:9: test `value`: pm25 of a fired at 5s: value is Some(11.0), expected 12",
    ] {
        assert!(text.contains(expected), "{text}\nlacks\n{expected}");
    }
}

#[test]
fn mistakes_in_test_files_are_located() {
    let text = "\
rules: nowhere.yaml
devices: [{id: a, lifecycle: retired}]
tests:
  - name: t
    input: [{series: pm52 of a, every: 5s, values: 1 2 x}]
    expect: [{at: 5s, event: fire, subject: s}]
";
    let report = run_tests("t.yaml", text, &|_| Err("no such file".to_owned()));
    let text = report.to_string();
    for expected in [
        "t.yaml:1:8: the rule file `nowhere.yaml` cannot be read: no such file",
        "t.yaml:2:19: unknown key `lifecycle`\n  hint: did you mean `life_cycle`?",
        "t.yaml:5:22: unknown metric `pm52`\n  hint: did you mean `pm25`?",
        "`x` is no step of a series",
        "unknown event `fire`\n  hint: did you mean `fired`?",
    ] {
        assert!(text.contains(expected), "{text}\nlacks\n{expected}");
    }
    assert!(!report.is_ok());
}
