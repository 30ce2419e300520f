use super::*;
use crate::rule::RuleSet;

const CALENDARS: &str = "
calendars:
  - id: workdays
    name: {en: Working days, zh: 工作日}
    holidays:
      - {from: 2026-02-15, to: 2026-02-23, name: {en: Spring Festival, zh: 春节}}
      - {from: 2026-10-01, to: 2026-10-07, name: {en: National Day, zh: 国庆节}}
    workdays:
      - {date: 2026-02-14, name: {en: Made up for, zh: 春节调休}}
      - {date: 2026-10-10, like: Fri, name: {en: Made up for, zh: 国庆节调休}}
";

fn parse(schedule: &str) -> Result<Schedule, String> {
    let text = format!(
        "group: g\ndepartment: d\nrules:\n  - id: r\n    kind: threshold\n    \
         select: {{metric: pm25}}\n    severity: low\n    raise: {{above: 1}}\n    \
         schedule: {schedule}\n"
    );
    let files = [("calendars.yaml", CALENDARS.to_owned()), ("r.yaml", text)];
    let city = Setting::in_zone("Asia/Shanghai").expect("known");
    let rules = RuleSet::parse_in(&files, &city).map_err(|problems| problems.to_string())?;
    Ok(rules.rules()[0].schedule.clone().expect("it has one"))
}

/// The changes of a schedule between two instants, as they are in its zone.
fn changes(schedule: &str, from: &str, to: &str) -> Vec<String> {
    let schedule = parse(schedule).expect("valid");
    let (mut now, end) = (from.parse::<Timestamp>().expect("time"), to.parse().expect("time"));
    let mut shift = schedule.at(now);
    let mut found = vec![if shift.on { "on" } else { "off" }.to_owned()];
    while shift.until < end {
        now = shift.until;
        let before = std::mem::replace(&mut shift, schedule.at(now));
        if shift.on != before.on {
            let instant = jiff::Timestamp::from_microsecond(now.micros()).expect("in range");
            let local = instant.to_zoned_datetime(schedule.time_zone.clone());
            let what = if shift.on { "on" } else { "off" };
            found.push(local.strftime(&format!("%a %d %H:%M%:z {what}")).to_string());
        }
    }
    found
}

#[test]
fn days_and_hours() {
    assert_eq!(
        changes(
            "{times: ['Thu,Fri 07:00-19:00', 'Fri 19:00-20:30', 'Mon 08:15-24:00']}",
            "2026-06-04T00:00:00+08:00",
            "2026-06-10T00:00:00+08:00"
        ),
        [
            "off",
            "Thu 04 07:00+08:00 on",
            "Thu 04 19:00+08:00 off",
            "Fri 05 07:00+08:00 on",
            "Fri 05 20:30+08:00 off",
            "Mon 08 08:15+08:00 on",
            "Tue 09 00:00+08:00 off",
        ]
    );
    // Days that touch are one time, and Fri-Mon goes over the end of the week.
    assert_eq!(
        changes("{times: Fri-Mon}", "2026-06-04T12:00:00+08:00", "2026-06-11T12:00:00+08:00"),
        ["off", "Fri 05 00:00+08:00 on", "Tue 09 00:00+08:00 off"]
    );
    assert_eq!(
        changes("{times: 00:00-24:00}", "2026-06-04T12:00:00Z", "2026-12-31T12:00:00Z"),
        ["on"]
    );
}

#[test]
fn a_time_over_midnight_belongs_to_the_day_on_which_it_begins() {
    assert_eq!(
        changes(
            "{times: 'Fri 22:00-06:00'}",
            "2026-06-05T00:00:00+08:00",
            "2026-06-10T00:00:00+08:00"
        ),
        ["off", "Fri 05 22:00+08:00 on", "Sat 06 06:00+08:00 off"]
    );
}

#[test]
fn holidays_are_off_and_days_made_up_for_are_on() {
    assert_eq!(
        changes(
            "{times: 'Mon-Fri 07:00-19:00', calendar: workdays}",
            "2026-02-13T00:00:00+08:00",
            "2026-02-25T00:00:00+08:00"
        ),
        [
            "off",
            "Fri 13 07:00+08:00 on",
            "Fri 13 19:00+08:00 off",
            "Sat 14 07:00+08:00 on",
            "Sat 14 19:00+08:00 off",
            "Tue 24 07:00+08:00 on",
            "Tue 24 19:00+08:00 off",
        ]
    );
    // A Saturday that counts as a Friday.
    assert_eq!(
        changes(
            "{times: ['Mon-Thu 07:00-19:00', 'Fri 07:00-15:00'], calendar: workdays}",
            "2026-10-09T16:00:00+08:00",
            "2026-10-12T00:00:00+08:00"
        ),
        ["off", "Sat 10 07:00+08:00 on", "Sat 10 15:00+08:00 off"]
    );
    assert_eq!(
        changes(
            "{times: restday, calendar: workdays}",
            "2026-09-30T00:00:00+08:00",
            "2026-10-12T00:00:00+08:00"
        ),
        ["off", "Thu 01 00:00+08:00 on", "Thu 08 00:00+08:00 off", "Sun 11 00:00+08:00 on",]
    );
    assert_eq!(
        changes("{calendar: workdays}", "2026-02-14T00:00:00+08:00", "2026-02-26T00:00:00+08:00"),
        ["on", "Sun 15 00:00+08:00 off", "Tue 24 00:00+08:00 on"]
    );
    let calendar = parse("{calendar: workdays}").expect("valid").calendar.expect("named");
    let day = |text: &str| text.parse::<Date>().expect("a date");
    assert_eq!(calendar.occasion(day("2026-02-17")).map(|name| &*name.zh), Some("春节"));
    assert_eq!(calendar.occasion(day("2026-02-14")).map(|name| &*name.en), Some("Made up for"));
    assert_eq!(calendar.occasion(day("2026-03-02")), None);
}

#[test]
fn clocks_that_are_set_leave_nothing_unwatched() {
    // Spring: at 2:00 it is 3:00.
    let spring = |times: &str| {
        changes(
            &format!("{{times: '{times}', time_zone: America/Chicago}}"),
            "2026-03-08T00:30:00-06:00",
            "2026-03-08T12:00:00-05:00",
        )
    };
    assert_eq!(spring("02:30-06:00"), ["off", "Sun 08 03:00-05:00 on", "Sun 08 06:00-05:00 off"]);
    assert_eq!(spring("01:00-02:30"), ["off", "Sun 08 01:00-06:00 on", "Sun 08 03:00-05:00 off"]);
    assert_eq!(spring("02:10-02:50"), ["off"]);
    // Autumn: at 2:00 it is 1:00 again.
    let autumn = |times: &str| {
        changes(
            &format!("{{times: '{times}', time_zone: America/Chicago}}"),
            "2026-11-01T00:15:00-05:00",
            "2026-11-01T12:00:00-06:00",
        )
    };
    assert_eq!(autumn("01:30-06:00"), ["off", "Sun 01 01:30-05:00 on", "Sun 01 06:00-06:00 off"]);
    assert_eq!(autumn("00:30-01:30"), ["off", "Sun 01 00:30-05:00 on", "Sun 01 01:30-06:00 off"]);
    // A day of 25 hours.
    assert_eq!(
        changes(
            "{times: Sun, time_zone: America/Chicago}",
            "2026-10-31T12:00:00-05:00",
            "2026-11-03T12:00:00-06:00"
        ),
        ["off", "Sun 01 00:00-05:00 on", "Mon 02 00:00-06:00 off"]
    );
}

#[test]
fn mistakes_are_located() {
    for (schedule, expected) in [
        (
            "{times: 'Mon-Fri 07:00-19:00', calendar: workday}",
            "r.yaml:9:56: rule `r`: unknown calendar `workday`\n  hint: did you mean `workdays`?",
        ),
        (
            "{times: ['Mon 8:00-19:00']}",
            "r.yaml:9:24: rule `r`: `Mon 8:00-19:00` is no time of a schedule: `8:00` is no time of day",
        ),
        ("{times: 'Mo 08:00-19:00'}", "`Mo` is no day of the week"),
        ("{times: 08:00}", "`08:00` has no end"),
        ("{times: 08:00-08:00}", "a whole day is 00:00-24:00"),
        ("{times: 24:00-08:00}", "cannot begin at 24:00"),
        ("{times: 'Mon Tue 08:00-09:00'}", "days, times of day, or both"),
        ("{times: workday}", "only a calendar knows"),
        ("{}", "the schedule has no times"),
        ("{times: Mon, outside: stop}", "unknown outside `stop`"),
        ("{times: Mon, time_zone: Asia/Beijing}", "`Asia/Beijing` is no time zone"),
        ("{time: Mon, times: Mon}", "unknown key `time`"),
    ] {
        let found = parse(schedule).expect_err(schedule);
        assert!(found.contains(expected), "{schedule}: {found}");
    }
}

#[test]
fn calendars_are_checked() {
    for (calendars, expected) in [
        ("- {id: a, holidays: [{date: 2026-13-01}]}", "c.yaml:2:29: `date` must be a date"),
        (
            "- {id: a, holidays: [{from: 2026-05-03, to: 2026-05-01}]}",
            "a `to` that is not before it",
        ),
        (
            "- {id: a, holidays: [{date: 2026-05-01}], workdays: [{date: 2026-05-01}]}",
            "2026-05-01 is there twice",
        ),
        (
            "- {id: a, workdays: [{date: 2026-05-01, like: Someday}]}",
            "`Someday` is no day of the week",
        ),
        ("- {id: a, days: Mon-Foo}", "`Mon-Foo` is no day of the week"),
        ("- {id: a, holyday: x}", "unknown key `holyday`"),
        ("- {id: a}\n- {id: a}", "the calendar `a` is defined twice"),
        ("- {days: Mon}", "`id` is missing"),
    ] {
        let text = format!("calendars:\n{calendars}\n");
        let found = RuleSet::parse(&[("c.yaml", text)]).expect_err(calendars).to_string();
        assert!(found.contains(expected), "{calendars}: {found}");
    }
}
