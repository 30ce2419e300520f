//! The rules of the tests' city.

const RULES: &str = "group: air
department: environment
rules:
  - id: pm25_high
    name: {en: Fine dust, zh: 细颗粒物}
    kind: threshold
    select: {metric: pm25, kind: air_station, attributes: {pole: P7}}
    severity:
      high: {above: 75, clear_below: 70}
      critical: {above: 150, clear_below: 140}
    for: 5m
    keep_firing_for: 1m
    runbook: https://example.org/dust
    labels: {team: air}
";

/// One threshold rule with a ladder, as a file.
pub(super) fn file() -> (String, String) {
    ("air.yaml".to_owned(), RULES.to_owned())
}
