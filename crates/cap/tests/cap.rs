//! Messages against the rules of the CAP 1.2 schema, written down here from the standard: which
//! elements, in which order, how often, with which words.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_cap::{Earlier, Entry, Issuer, IssuerConfig, Places, feed, message};
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{
    Alert, AlertEvent, AlertEventKind, Catalogue, Directory, EndReason, LocalText, Position,
    RuleRef, Severity, Span, Subject, Timestamp,
};
use jiff::tz::TimeZone;
use quick_xml::Reader;
use quick_xml::events::Event;

const AT: Timestamp = Timestamp::from_secs(1_790_000_000);

const ZONES: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"name":"Haidian","name_zh":"海淀区"},
     "geometry":{"type":"Polygon","coordinates":[[[116,39],[117,39],[117,40],[116,40],[116,39]],
        [[116.4,39.4],[116.6,39.4],[116.6,39.6],[116.4,39.4]]]}}]}"#;

/// An element as it stands in a document.
#[derive(Debug, Default)]
struct Element {
    name: String,
    namespace: Option<String>,
    text: String,
    inside: Vec<Element>,
}

impl Element {
    fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.inside.iter().filter(move |element| element.name == name)
    }

    /// The text of the only element of this name.
    #[track_caller]
    fn one(&self, name: &str) -> &str {
        let found: Vec<_> = self.all(name).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        &found[0].text
    }

    fn maybe(&self, name: &str) -> Option<&str> {
        self.all(name).next().map(|element| element.text.as_str())
    }
}

/// Reads a document; fails if it is not well-formed.
#[track_caller]
fn parse(xml: &str) -> Element {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                let namespace = start.try_get_attribute("xmlns").expect("attributes");
                open.push(Element {
                    name: start.name().as_ref().to_owned(),
                    namespace: namespace.map(|found| found.value.into_owned()),
                    ..Element::default()
                });
            }
            Event::Text(text) => {
                open.last_mut().expect("inside").text += text.as_ref();
            }
            Event::GeneralRef(reference) => {
                let char = match reference.as_ref() {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    other => {
                        let known = reference.resolve_char_ref().expect("a number");
                        known.unwrap_or_else(|| panic!("&{other};"))
                    }
                };
                open.last_mut().expect("inside").text.push(char);
            }
            Event::End(_) => {
                let mut done = open.pop().expect("open");
                if !done.inside.is_empty() {
                    done.text.clear();
                }
                open.last_mut().expect("inside").inside.push(done);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let mut root = open.pop().expect("the document");
    assert!(open.is_empty() && root.inside.len() == 1);
    root.inside.remove(0)
}

/// Element, how often at least, how often at most.
type Rule = (&'static str, usize, usize);
const MANY: usize = usize::MAX;

const ALERT: &[Rule] = &[
    ("identifier", 1, 1),
    ("sender", 1, 1),
    ("sent", 1, 1),
    ("status", 1, 1),
    ("msgType", 1, 1),
    ("source", 0, 1),
    ("scope", 1, 1),
    ("restriction", 0, 1),
    ("addresses", 0, 1),
    ("code", 0, MANY),
    ("note", 0, 1),
    ("references", 0, 1),
    ("incidents", 0, 1),
    ("info", 0, MANY),
];
const INFO: &[Rule] = &[
    ("language", 0, 1),
    ("category", 1, MANY),
    ("event", 1, 1),
    ("responseType", 0, MANY),
    ("urgency", 1, 1),
    ("severity", 1, 1),
    ("certainty", 1, 1),
    ("audience", 0, 1),
    ("eventCode", 0, MANY),
    ("effective", 0, 1),
    ("onset", 0, 1),
    ("expires", 0, 1),
    ("senderName", 0, 1),
    ("headline", 0, 1),
    ("description", 0, 1),
    ("instruction", 0, 1),
    ("web", 0, 1),
    ("contact", 0, 1),
    ("parameter", 0, MANY),
    ("resource", 0, MANY),
    ("area", 0, MANY),
];
const AREA: &[Rule] = &[
    ("areaDesc", 1, 1),
    ("polygon", 0, MANY),
    ("circle", 0, MANY),
    ("geocode", 0, MANY),
    ("altitude", 0, 1),
    ("ceiling", 0, 1),
];
const PAIR: &[Rule] = &[("valueName", 1, 1), ("value", 1, 1)];

const WORDS: &[(&str, &[&str])] = &[
    ("status", &["Actual", "Exercise", "System", "Test", "Draft"]),
    ("msgType", &["Alert", "Update", "Cancel", "Ack", "Error"]),
    ("scope", &["Public", "Restricted", "Private"]),
    (
        "category",
        &[
            "Geo",
            "Met",
            "Safety",
            "Security",
            "Rescue",
            "Fire",
            "Health",
            "Env",
            "Transport",
            "Infra",
            "CBRNE",
            "Other",
        ],
    ),
    (
        "responseType",
        &[
            "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear",
            "None",
        ],
    ),
    ("urgency", &["Immediate", "Expected", "Future", "Past", "Unknown"]),
    ("severity", &["Extreme", "Severe", "Moderate", "Minor", "Unknown"]),
    ("certainty", &["Observed", "Likely", "Possible", "Unlikely", "Unknown"]),
];

/// `\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[-,+]\d\d:\d\d`, as the schema has it; so never a `Z`.
fn is_time(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd±dd:dd";
    text.chars().count() == pattern.chars().count()
        && text.chars().zip(pattern.chars()).all(|(char, wanted)| match wanted {
            'd' => char.is_ascii_digit(),
            '±' => matches!(char, '+' | '-'),
            other => char == other,
        })
}

#[track_caller]
fn obeys(element: &Element, rules: &[Rule]) {
    let mut place = 0;
    for child in &element.inside {
        let found = rules[place..].iter().position(|(name, ..)| *name == child.name);
        let found = found.unwrap_or_else(|| panic!("{} does not come there", child.name));
        place += found;
    }
    for (name, least, most) in rules {
        let count = element.all(name).count();
        assert!((*least..=*most).contains(&count), "{name} stands there {count} times");
    }
    for child in &element.inside {
        let known = WORDS.iter().find(|(name, _)| *name == child.name);
        if let Some((name, words)) = known {
            assert!(words.contains(&child.text.as_str()), "{name}: {}", child.text);
        }
        if matches!(&*child.name, "sent" | "onset" | "expires" | "effective") {
            assert!(is_time(&child.text), "{}: {}", child.name, child.text);
        }
        if matches!(&*child.name, "identifier" | "sender") {
            assert!(!child.text.is_empty() && !child.text.contains([' ', ',', '<', '&']));
        }
    }
}

/// Checks all that the schema, and the prose of the standard beside it, demand.
#[track_caller]
fn valid(xml: &str) -> Element {
    let alert = parse(xml);
    assert_eq!(alert.name, "alert");
    assert_eq!(alert.namespace.as_deref(), Some("urn:oasis:names:tc:emergency:cap:1.2"));
    obeys(&alert, ALERT);
    match alert.one("scope") {
        "Restricted" => assert!(alert.maybe("restriction").is_some()),
        "Private" => assert!(alert.maybe("addresses").is_some()),
        _ => assert!(alert.maybe("restriction").or(alert.maybe("addresses")).is_none()),
    }
    for reference in alert.maybe("references").unwrap_or_default().split_whitespace() {
        let parts: Vec<_> = reference.split(',').collect();
        assert!(parts.len() == 3 && is_time(parts[2]), "{reference}");
    }
    if matches!(alert.one("msgType"), "Update" | "Cancel") {
        assert!(alert.maybe("references").is_some(), "an update of nothing");
    }
    for info in alert.all("info") {
        obeys(info, INFO);
        assert!(info.maybe("headline").unwrap_or_default().chars().count() <= 160);
        info.all("parameter").for_each(|parameter| obeys(parameter, PAIR));
        for area in info.all("area") {
            obeys(area, AREA);
            area.all("geocode").for_each(|geocode| obeys(geocode, PAIR));
            for polygon in area.all("polygon") {
                let corners: Vec<_> = polygon.text.split(' ').collect();
                assert!(corners.len() >= 4 && corners.first() == corners.last());
                for corner in corners {
                    is_place(corner);
                }
            }
            for circle in area.all("circle") {
                let (place, radius) = circle.text.split_once(' ').expect("a radius");
                is_place(place);
                assert!(radius.parse::<f64>().expect("a number") >= 0.0);
            }
        }
    }
    alert
}

/// WGS 84, latitude first.
#[track_caller]
fn is_place(text: &str) {
    let (lat, lon) = text.split_once(',').expect("two numbers");
    let (lat, lon): (f64, f64) = (lat.parse().expect("a number"), lon.parse().expect("a number"));
    assert!(Position::new(lon, lat).is_some(), "{text}");
}

fn issuer(more: &str) -> Issuer {
    let text = format!("sender = \"alerts@city.example\"\n{more}");
    let config: IssuerConfig = toml::from_str(&text).expect("the right shape");
    let zone = TimeZone::get("Asia/Shanghai").expect("known");
    Issuer::new(&config, LocalText::new("Beijing", "北京"), zone).expect("good")
}

fn places() -> Places {
    let options = ZoneOptions {
        layer: "district".to_owned(),
        name_property: Some("name".to_owned()),
        name_zh_property: Some("name_zh".to_owned()),
        ..ZoneOptions::default()
    };
    let index = ZoneIndex::from_geojson(ZONES, &options).expect("zones").index;
    let directory = Directory::new([], Catalogue::embedded(), index.zones().to_vec(), 0);
    Places { zones: Some(Arc::new(index)), directory: Some(Arc::new(directory)) }
}

fn event(seq: u32, kind: AlertEventKind) -> AlertEvent {
    let at = AT + Span::from_mins(i64::from(seq) - 1);
    AlertEvent {
        key: format!("0123456789abcdef/{seq}"),
        seq,
        kind,
        at,
        reason: None,
        alert: Alert {
            id: "0123456789abcdef".into(),
            rule: RuleRef {
                id: "pm25-high".into(),
                version: "000000000000".into(),
                name: LocalText::new("PM2.5 high", "PM2.5 超标"),
                department: "environment".into(),
            },
            subject: Subject::Series { device: "air_1".into(), metric: "pm25".into() },
            severity: Severity::Critical,
            started_at: AT - Span::from_mins(5),
            fired_at: AT,
            resolved_at: (kind == AlertEventKind::Resolved).then_some(at),
            metric: Some("pm25".into()),
            unit: Some("µg/m³".into()),
            value: Some(160.5),
            limit: Some(150.0),
            reading_time: Some(at),
            summary: LocalText::new("air_1: 160.5 µg/m³", "air_1：160.5 µg/m³"),
            zones: vec!["haidian".into()],
            kind: Some("air_station".into()),
            position: Position::new(116.3, 39.9),
            simulated: false,
            runbook: None,
            labels: BTreeMap::new(),
        },
    }
}

fn earlier(seqs: std::ops::Range<u32>) -> Vec<Earlier> {
    seqs.map(|seq| Earlier::of(&format!("a/{seq}"), AT + Span::from_mins(i64::from(seq) - 1)))
        .collect()
}

#[test]
fn the_first_message_says_who_what_how_bad_when_and_where_in_both_languages() {
    let event = event(1, AlertEventKind::Fired);
    let message = message(&issuer("dashboard = \"https://city.example/\""), &event, &[], &places());
    assert_eq!(message.identifier, "0123456789abcdef.1");
    let alert = valid(&message.xml);
    for (name, value) in [
        ("identifier", "0123456789abcdef.1"),
        ("sender", "alerts@city.example"),
        ("sent", "2026-09-21T22:13:20+08:00"),
        ("status", "Actual"),
        ("msgType", "Alert"),
        ("scope", "Restricted"),
        ("source", "series:air_1/pm25"),
    ] {
        assert_eq!(alert.one(name), value, "{name}");
    }
    assert_eq!(alert.maybe("references"), None);
    assert_eq!(alert.maybe("note"), None);
    let infos: Vec<_> = alert.all("info").collect();
    for (info, language, event, headline, sender, area) in [
        (infos[0], "zh-CN", "PM2.5 超标", "PM2.5 超标（紧急）", "北京", "air_1，海淀区"),
        (infos[1], "en-US", "PM2.5 high", "PM2.5 high (critical)", "Beijing", "air_1, Haidian"),
    ] {
        for (name, value) in [
            ("language", language),
            ("category", "Env"),
            ("event", event),
            ("urgency", "Immediate"),
            ("severity", "Extreme"),
            ("certainty", "Observed"),
            ("onset", "2026-09-21T22:08:20+08:00"),
            ("senderName", sender),
            ("headline", headline),
            ("web", "https://city.example/alerts/0123456789abcdef"),
        ] {
            assert_eq!(info.one(name), value, "{name}");
        }
        assert_eq!(info.maybe("expires"), None);
        let place = info.all("area").next().expect("an area");
        assert_eq!((place.one("areaDesc"), place.one("circle")), (area, "39.9,116.3 0.5"));
        let zone = place.all("geocode").next().expect("the zone");
        assert_eq!((zone.one("valueName"), zone.one("value")), ("citybrain:zone", "haidian"));
        let value = info.all("parameter").find(|p| p.one("valueName") == "citybrain:value");
        assert_eq!(value.expect("the value").one("value"), "160.5 µg/m³");
    }
    assert_eq!(infos.len(), 2);
}

#[test]
fn what_follows_refers_to_all_before_it_and_the_end_cancels_them() {
    let (issuer, places) = (issuer("expires = \"24h\""), places());
    let mut worse = event(3, AlertEventKind::Escalated);
    worse.alert.severity = Severity::High;
    let update = valid(&message(&issuer, &worse, &earlier(1..3), &places).xml);
    assert_eq!(update.one("msgType"), "Update");
    assert_eq!(
        update.one("references"),
        "alerts@city.example,0123456789abcdef.1,2026-09-21T22:13:20+08:00 \
         alerts@city.example,0123456789abcdef.2,2026-09-21T22:14:20+08:00"
    );
    let info = update.all("info").next().expect("an info");
    assert_eq!(
        (info.one("severity"), info.one("expires")),
        ("Severe", "2026-09-22T22:15:20+08:00")
    );

    let over = event(4, AlertEventKind::Resolved);
    let cancel = valid(&message(&issuer, &over, &earlier(1..4), &places).xml);
    assert_eq!(cancel.one("msgType"), "Cancel");
    assert_eq!(cancel.one("references").split(' ').count(), 3);
    let info = cancel.all("info").next().expect("an info");
    assert_eq!((info.one("urgency"), info.one("responseType")), ("Past", "AllClear"));
    assert_eq!(info.one("headline"), "已解除：PM2.5 超标");

    // What nobody measured is not clear.
    let dropped = AlertEvent { reason: Some(EndReason::RuleRemoved), ..over };
    let cancel = valid(&message(&issuer, &dropped, &earlier(1..4), &places).xml);
    let info = cancel.all("info").nth(1).expect("the English one");
    assert_eq!((info.one("urgency"), info.maybe("responseType")), ("Unknown", None));
    assert!(info.one("description").ends_with("Ended because the rule was removed"));

    // A message to one receiver refers to what that one was told, by names that only it has.
    let own = valid(&message(&issuer.to("desk"), &worse, &earlier(2..3), &places).xml);
    assert_eq!(own.one("identifier"), "0123456789abcdef.3.desk");
    let wanted = "alerts@city.example,0123456789abcdef.2.desk,2026-09-21T22:14:20+08:00";
    assert_eq!(own.one("references"), wanted);
    // Of an alert that flapped for ages, the newest are named.
    let told = AlertEvent { key: "0123456789abcdef/h1".to_owned(), ..worse.clone() };
    let told = valid(&message(&issuer, &told, &earlier(1..4), &places).xml);
    assert_eq!(told.one("identifier"), "0123456789abcdef.h1", "as its key, not as another event");
    let long = valid(
        &message(&issuer, &event(900, AlertEventKind::Escalated), &earlier(1..900), &places).xml,
    );
    assert_eq!(long.one("references").split(' ').count(), 100);
    assert!(long.one("references").ends_with(",2026-09-22T13:11:20+08:00"));
}

#[test]
fn an_alert_of_a_zone_has_its_border() {
    let mut event = event(1, AlertEventKind::Fired);
    event.alert.subject = Subject::Zone { zone: "haidian".into() };
    let alert = valid(&message(&issuer(""), &event, &[], &places()).xml);
    let area = alert.all("info").next().and_then(|info| info.all("area").next()).expect("an area");
    assert_eq!(area.one("areaDesc"), "海淀区");
    assert_eq!(area.one("polygon"), "39,116 39,117 40,117 40,116 39,116", "without its hole");
    assert_eq!(area.maybe("circle"), None);
    // Nothing is known of where it is: the label's place is better than nothing.
    let alert = valid(&message(&issuer(""), &event, &[], &Places::default()).xml);
    let area = alert.all("info").next().and_then(|info| info.all("area").next()).expect("an area");
    assert_eq!((area.one("areaDesc"), area.one("circle")), ("haidian", "39.9,116.3 0.5"));
}

#[test]
fn what_is_not_real_says_so() {
    let mut event = event(1, AlertEventKind::Fired);
    event.alert.simulated = true;
    let alert = valid(&message(&issuer(""), &event, &[], &places()).xml);
    assert_eq!(alert.one("status"), "Exercise");
    assert!(alert.one("note").contains("模拟"));
    event.alert.labels.insert("test".to_owned(), "true".to_owned());
    assert_eq!(valid(&message(&issuer(""), &event, &[], &places()).xml).one("status"), "Test");
    // A label alone makes nothing unreal.
    event.alert.simulated = false;
    assert_eq!(valid(&message(&issuer(""), &event, &[], &places()).xml).one("status"), "Actual");
}

#[test]
fn severities_labels_scopes_and_instructions_find_their_words() {
    for (severity, word, urgency) in [
        (Severity::Critical, "Extreme", "Immediate"),
        (Severity::High, "Severe", "Immediate"),
        (Severity::Medium, "Moderate", "Expected"),
        (Severity::Low, "Minor", "Expected"),
    ] {
        let mut event = event(1, AlertEventKind::Fired);
        event.alert.severity = severity;
        let alert = valid(&message(&issuer("scope = \"public\""), &event, &[], &places()).xml);
        let info = alert.all("info").next().expect("an info");
        assert_eq!((info.one("severity"), info.one("urgency")), (word, urgency));
    }
    let mut event = event(1, AlertEventKind::Fired);
    event.alert.labels =
        [("cap_category", "health"), ("cap_urgency", "FUTURE"), ("cap_certainty", "sure")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    event.alert.runbook = Some("https://city.example/smog".to_owned());
    let private = "scope = \"private\"\naddresses = [\"desk@x.example\", \"Duty Desk\"]";
    let alert = valid(&message(&issuer(private), &event, &[], &places()).xml);
    assert_eq!(alert.one("addresses"), "desk@x.example \"Duty Desk\"");
    let info = alert.all("info").nth(1).expect("the English one");
    for (name, value) in [
        ("category", "Health"),
        ("urgency", "Future"),
        ("certainty", "Observed"),
        ("instruction", "See https://city.example/smog"),
        ("web", "https://city.example/smog"),
    ] {
        assert_eq!(info.one(name), value, "{name}");
    }
    event.alert.metric = None;
    event.alert.labels.clear();
    event.alert.runbook = Some("Close the windows".to_owned());
    let alert = valid(&message(&issuer(""), &event, &[], &places()).xml);
    let info = alert.all("info").next().expect("an info");
    assert_eq!((info.one("category"), info.one("instruction")), ("Infra", "Close the windows"));
    assert_eq!(info.maybe("web"), None);
}

proptest::proptest! {
    /// Whatever rules, devices and zones are called.
    #[test]
    fn every_message_is_valid(text in ".{0,40}", id in ".{1,20}", at in 0_i64..4_000_000_000) {
        let mut event = event(2, AlertEventKind::Escalated);
        let alert = &mut event.alert;
        alert.id = id.as_str().into();
        alert.rule.id = id.as_str().into();
        alert.rule.name = LocalText::same(text.clone());
        alert.summary = LocalText::new(text.clone(), format!("<{text}&]]>\u{1}\u{fffe}"));
        alert.subject = Subject::Device { device: text.as_str().into() };
        alert.runbook = Some(text.clone());
        event.at = Timestamp::from_secs(at);
        let read = valid(&message(&issuer("").to(&text), &event, &earlier(1..2), &places()).xml);
        let summary = read.all("info").nth(1).and_then(|info| info.maybe("description"));
        let control = |char: char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}');
        if !text.is_empty() && !text.contains(control) && text.trim() == text {
            proptest::prop_assert_eq!(summary, Some(text.as_str()));
        }
    }
}

#[test]
fn the_feed_lists_alerts_with_links_to_their_messages() {
    let mut over = event(2, AlertEventKind::Resolved);
    over.alert.id = "a/b".into();
    let entries = [
        Entry { event: event(1, AlertEventKind::Fired), updated: AT },
        Entry { event: over, updated: AT + Span::from_mins(1) },
    ];
    let xml = feed(&issuer(""), &entries, "/api/v1/cap", AT);
    let root = parse(&xml);
    assert_eq!(
        (root.name.as_str(), root.namespace.as_deref()),
        ("feed", Some("http://www.w3.org/2005/Atom"))
    );
    assert_eq!(root.one("updated"), "2026-09-21T14:14:20Z");
    assert_eq!(root.one("title"), "北京 Beijing 告警 Alerts");
    let found: Vec<_> = root.all("entry").collect();
    assert_eq!(found.len(), 2);
    for name in ["id", "title", "updated"] {
        assert!(!found[0].one(name).is_empty() && !root.one(name).is_empty(), "RFC 4287, 4.1");
    }
    assert_eq!(found[0].one("title"), "PM2.5 超标（紧急） PM2.5 high (critical)");
    assert_eq!((found[0].one("cap:severity"), found[1].one("cap:urgency")), ("Extreme", "Past"));
    assert!(xml.contains("href=\"/api/v1/cap/0123456789abcdef\""), "{xml}");
    assert!(xml.contains("href=\"/api/v1/cap/a%2Fb\""), "{xml}");
    let empty = parse(&feed(&issuer(""), &[], "/api/v1/cap", AT));
    assert_eq!((empty.one("updated"), empty.all("entry").count()), ("2026-09-21T14:13:20Z", 0));
}
