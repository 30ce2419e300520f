//! The first command, seen by a person: `citybrain demo` in real Chromium.
//!
//! The steps in the browser are in `tests/browser/overview.mjs`; screenshots go to
//! `tests/artefacts/`.

use std::process::Command;
use std::time::Duration;

use city_tests::instance::{Instance, eventually};

#[tokio::test]
async fn a_stranger_sees_devices_and_an_alert_fires_and_clears_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_string_lossy().into_owned();
    let instance = Instance::start(&[
        "demo",
        "--data-dir",
        &data,
        "--http",
        "127.0.0.1:0",
        "--mqtt",
        "127.0.0.1:0",
        "--no-color",
    ])
    .expect("the demo starts");
    let url = format!("http://{}", instance.ready.http);
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let status = tokio::task::spawn_blocking({
        let token = instance.ready.token.clone();
        move || {
            Command::new("node")
                .args(["tests/browser/overview.mjs", &url, &token, "tests/artefacts"])
                .current_dir(top)
                .status()
        }
    })
    .await
    .expect("joins")
    .expect("node starts");
    assert!(status.success(), "the browser journey failed; see tests/artefacts");

    // The whole cycle happened at the API too, and was not only shown.
    let cleared =
        eventually("an alert that fired and resolved", Duration::from_secs(150), async || {
            let alerts = instance.get("/api/v1/alerts?state=resolved&limit=1").await?;
            Ok(alerts["items"].get(0).cloned())
        })
        .await
        .expect("an alert clears");
    assert_eq!(cleared["simulated"], true, "the demo's alerts are marked: {cleared}");

    let (took, clean) = instance.interrupt().expect("stops");
    assert!(clean, "Ctrl-C ends with success");
    assert!(took < Duration::from_secs(5), "Ctrl-C took {took:?}");

    // Started again from the same folder: history and alerts are there.
    let again = Instance::start(&[
        "demo",
        "--data-dir",
        &data,
        "--http",
        "127.0.0.1:0",
        "--mqtt",
        "127.0.0.1:0",
        "--no-color",
    ])
    .expect("the demo starts again");
    let id = cleared["id"].as_str().expect("an id");
    let kept = again.get(&format!("/api/v1/alerts/{id}")).await.expect("the alert is kept");
    assert_eq!(kept["state"], "resolved");
    assert_eq!(kept["fired_at"], cleared["fired_at"]);
}
