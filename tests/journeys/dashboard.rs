//! The days of those who work with the dashboard, in real Chromium and in both languages; each in a
//! demo of its own. The steps are in `tests/browser`, screenshots go to `tests/artefacts`. Most of the
//! time they wait for what should be seen, so several run at a time, which other journeys must not.
//! They begin in the order of their names: the longest come first.

use city_tests::browser::Demo;

async fn walk(script: &str) {
    let demo = Demo::start().expect("the demo starts");
    demo.walk(script).await.expect("the journey goes through");
}

#[tokio::test]
async fn an_operator_works_through_a_shift() {
    walk("shift").await;
}

#[tokio::test]
async fn two_operators_act_on_one_alert() {
    walk("two-operators").await;
}

#[tokio::test]
async fn an_engineer_edits_tries_and_publishes_a_rule() {
    walk("engineer").await;
}

#[tokio::test]
async fn a_device_maker_finds_and_mends_what_was_not_understood() {
    walk("device-maker").await;
}

#[tokio::test]
async fn a_wall_screen_gets_through_its_day() {
    walk("wall").await;
}

#[tokio::test]
async fn a_lost_network_comes_back_and_nothing_old_looks_new() {
    walk("network").await;
}

#[tokio::test]
async fn the_map_shows_the_city_and_its_past() {
    walk("map").await;
}

#[tokio::test]
async fn a_city_of_devices_and_zones_is_found_read_and_edited() {
    walk("places").await;
}

#[tokio::test]
async fn a_full_look_at_every_screen_finds_no_fault() {
    walk("every-screen").await;
}
