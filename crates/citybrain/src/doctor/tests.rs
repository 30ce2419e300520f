//! The doctor as a whole.

use std::sync::Arc;

use city_model::{ManualClock, Timestamp};

use super::*;

fn clock() -> SharedClock {
    Arc::new(ManualClock::new(Timestamp::from_secs(1_795_435_200)))
}

#[test]
fn checks_have_names_of_their_own() {
    let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CHECKS.len());
}

#[tokio::test]
async fn every_finding_is_told_in_both_languages_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("citybrain.toml");
    // Much is wrong with it, so that there is much to tell.
    let text = r#"
        data_dir = "data"
        city = { name = "x", time_zone = "Asia/Shanghai" }
        http = { listen = "127.0.0.1:0" }
        mqtt = { listen = "0.0.0.0:0", expose = true, anonymous = true }
        [[broker]]
        name = "far"
        connect = { host = "127.0.0.1", port = 1, client_id = "c" }
        [[receiver]]
        id = "desk"
        type = "webhook"
        options = { url = "http://127.0.0.1:1/" }
        "#;
    std::fs::write(&config, text).expect("written");
    let context = Context::read(Some(&config), None, true, clock());
    assert!(context.city.is_ok(), "{:?}", context.city.as_ref().err());
    let report = examine(&context).await;
    let json = report.to_json();
    let mut seen = 0;
    for (id, findings) in &report.checks {
        for finding in findings {
            seen += 1;
            let Finding { level, what, why, todo } = finding;
            assert_eq!(why.is_some() && todo.is_some(), *level != Level::Ok, "{id}: {finding:?}");
            for words in [Some(what), why.as_ref(), todo.as_ref()].into_iter().flatten() {
                assert!(!words.en.trim().is_empty() && !words.zh.trim().is_empty(), "{id}");
                assert_ne!(words.en, words.zh, "{id}: is told in one language only");
            }
        }
    }
    assert!(seen >= CHECKS.len() - 2, "{seen} findings");
    let of =
        |id: &str| report.checks.iter().find(|(check, _)| *check == id).expect("checked").1.clone();
    assert_eq!(of("brokers")[0].level, Level::Fail);
    assert_eq!(of("receivers")[0].level, Level::Fail);
    assert_eq!(of("exposure").len(), 2);
    assert_eq!((report.level(), report.exit_code()), (Level::Fail, 2));
    assert_eq!(json["level"], "fail");
    let (en, zh) = (report.to_text(Lang::En), report.to_text(Lang::Zh));
    assert!(en.contains("FAIL brokers") && en.contains("     do : "), "{en}");
    assert!(zh.contains("故障 brokers") && zh.contains("处理: "), "{zh}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_one_finding_and_the_rest_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("citybrain.toml");
    std::fs::write(&config, "city = { name = \"x\", time_zone = \"Mars\" }\nnonsense = 1")
        .expect("ok");
    let data = folder.path().join("data");
    let report = examine(&Context::read(Some(&config), Some(data), false, clock())).await;
    let (id, findings) = &report.checks[0];
    assert_eq!((*id, findings[0].level), ("configuration", Level::Fail));
    assert!(findings[0].what.en.contains("nonsense"), "{findings:?}");
    assert_eq!(report.checks.len(), CHECKS.len());
}

#[test]
fn without_a_configuration_the_defaults_hold() {
    let context = Context::read(None, Some("/nowhere".into()), false, clock());
    assert!(context.city.is_ok());
    assert_eq!(context.data_dir(), Path::new("/nowhere"));
}

#[test]
fn the_worst_finding_decides_the_exit_code() {
    let code = |levels: &[Level]| {
        let finding = |level: &Level| Finding::ok(words!("a", "甲")).at(*level);
        Report { checks: vec![("x", levels.iter().map(finding).collect())] }.exit_code()
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&[Level::Ok, Level::Ok]), 0);
    assert_eq!(code(&[Level::Warn, Level::Ok]), 1);
    assert_eq!(code(&[Level::Ok, Level::Fail, Level::Warn]), 2);
}
