//! The city's time zone and the calendars beside its rules reach the rules.

use city_model::Timestamp;
use city_rules::RuleSet;
use citybrain::city::City;
use citybrain::settings::load;

const CITY: &str = r#"
[city]
name = "Test"
time_zone = "America/Chicago"
rules = "rules"
[http]
listen = "127.0.0.1:0"
"#;

const CALENDARS: &str = "
calendars:
  - id: workdays
    holidays: [{date: 2026-07-03, name: {en: Independence Day, zh: 独立日}}]
";

const RULES: &str = "
group: air
department: environment
rules:
  - id: office-hours
    kind: threshold
    select: {metric: pm25}
    severity: high
    raise: {above: 75}
    schedule: {times: '08:00-17:00', calendar: workdays}
";

fn read(calendars: &str) -> Result<RuleSet, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("citybrain.toml");
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).expect("made");
    std::fs::write(rules.join("calendars.yaml"), calendars).expect("written");
    std::fs::write(rules.join("air.yaml"), RULES).expect("written");
    std::fs::write(&file, CITY).expect("written");
    let settings = load(&file).map_err(|error| error.to_string())?;
    City::read(settings).map(|city| city.rules).map_err(|error| error.to_string())
}

#[test]
fn a_rule_has_its_hours_by_the_clocks_and_holidays_of_the_city() {
    let rules = read(CALENDARS).expect("a good city");
    let rule = rules.get("office-hours").expect("it is there");
    let schedule = rule.schedule.as_ref().expect("it has one");
    for (time, on) in [
        ("2026-07-02T07:59:59-05:00", false),
        ("2026-07-02T08:00:00-05:00", true),
        ("2026-07-02T17:00:00-05:00", false),
        // A Friday, but a holiday.
        ("2026-07-03T12:00:00-05:00", false),
        ("2026-07-06T12:00:00-05:00", true),
        // In winter the clocks are an hour behind.
        ("2026-12-01T13:30:00Z", false),
        ("2026-12-01T14:00:00Z", true),
    ] {
        let instant: Timestamp = time.parse().expect("a time");
        assert_eq!(schedule.at(instant).on, on, "{time}");
    }
}

#[test]
fn a_calendar_that_is_not_there_stops_the_start_with_its_place() {
    let error = read("calendars: [{id: workday}]").expect_err("the rule names another");
    assert!(error.contains("air.yaml:10:48"), "{error}");
    assert!(error.contains("unknown calendar `workdays`"), "{error}");
    assert!(error.contains("did you mean `workday`?"), "{error}");
}
