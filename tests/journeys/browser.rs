//! The first command, seen by a person: `citybrain demo` in real Chromium.
//!
//! The steps in the browser are in `tests/browser/overview.mjs`; screenshots go to
//! `tests/artefacts/`.

use std::time::Duration;

use city_tests::browser::{Demo, demo};
use city_tests::instance::eventually;

#[tokio::test]
async fn a_stranger_sees_devices_and_an_alert_fires_and_clears_by_itself() {
    let first = Demo::start().expect("the demo starts");
    first.walk("overview").await.expect("the journey goes through");

    // The whole cycle happened at the API too, and was not only shown.
    let cleared =
        eventually("an alert that fired and resolved", Duration::from_secs(150), async || {
            let alerts = first.instance.get("/api/v1/alerts?state=resolved&limit=1").await?;
            Ok(alerts["items"].get(0).cloned())
        })
        .await
        .expect("an alert clears");
    assert_eq!(cleared["simulated"], true, "the demo's alerts are marked: {cleared}");

    let (folder, instance) = first.into_parts();
    let (took, clean) = instance.interrupt().expect("stops");
    assert!(clean, "Ctrl-C ends with success");
    assert!(took < Duration::from_secs(5), "Ctrl-C took {took:?}");

    // Started again from the same folder: history and alerts are there.
    let again = demo(&folder.path().join("data")).expect("the demo starts again");
    let id = cleared["id"].as_str().expect("an id");
    let kept = again.get(&format!("/api/v1/alerts/{id}")).await.expect("the alert is kept");
    assert_eq!(kept["state"], "resolved");
    assert_eq!(kept["fired_at"], cleared["fired_at"]);
}
