//! A disk that is full: ingest pauses and acknowledges nothing, reads go on, and when there is room
//! again everything goes on by itself. Nothing is lost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use city_tests::disk::SmallDisk;
use city_tests::faults::{City, PATIENCE, settled, sums};
use city_tests::fleet::{Address, Load, Sender, check_store};
use city_tests::instance::{Instance, binary, eventually};

/// Room enough for the journey, little enough to fill at once.
const MEBIBYTES: u32 = 64;

#[tokio::test]
async fn a_full_disk_pauses_ingest_and_nothing_is_lost() {
    let city = City::new(&[]).expect("a city");
    let place = city.folder().join("disk");
    std::fs::create_dir(&place).expect("a folder");
    let disk = match SmallDisk::mount(&place, MEBIBYTES) {
        Ok(disk) => disk,
        Err(why) => {
            eprintln!("SKIPPED: a full disk was not tested, because {why:#}");
            return;
        }
    };
    let mut command = disk.command(&binary().expect("built"));
    let instance = Instance::launch(command.args(city.arguments(&place.join("data"))))
        .expect("starts on the small disk");
    let endpoint = instance.ready.mqtt.expect("an endpoint");
    let address: Address = Arc::new(move || Some(endpoint));
    // Large messages, so that what is left in files that are there already is used up soon.
    let load = Load { filling: 2_000, ..Load::steady("d", "mqtt", 1000.0) };
    let sender = Sender::start(load, address);
    sender.more(2000, PATIENCE).expect("published");

    for _ in 0..2 {
        fills_up_and_recovers(&instance, &disk, &sender).await;
    }

    let sent = [sender.stop().expect("all sent")];
    let sums = settled(&instance, &sent).await.expect("all is stored");
    assert!(sums.duplicate <= sent[0].again, "{sums:?}");
    assert!(instance.interrupt().expect("stops").1);
    let copy = city.folder().join("copy");
    disk.copy("data", &copy).expect("copied");
    check_store(Path::new(&copy), &sent).expect("each once");
}

async fn fills_up_and_recovers(instance: &Instance, disk: &SmallDisk, sender: &Sender) {
    let taken = disk.fill().expect("filled");
    assert!(taken > 0, "there was room to take");
    eventually("readiness to be taken back", PATIENCE, async || {
        let (code, health) = instance.health().await?;
        Ok((code == 503 && health["parts"]["pipeline"]["ok"] == false).then_some(()))
    })
    .await
    .expect("it says that it is not ready");
    // What is acknowledged no longer grows, though it is sent on.
    let acknowledged = sender.acknowledged();
    let system = instance.get("/api/v1/system").await.expect("reads go on");
    let why = system["commits_failing"].as_str().expect("it says why").to_owned();
    assert!(why.contains("free some space"), "{why}");
    for path in [
        "/api/v1/devices",
        "/api/v1/readings?device=d-0&metric=number&step=raw",
        "/api/v1/last-values?device=d-0",
        "/api/v1/dead-letters",
        "/api/v1/alerts",
    ] {
        instance.get(path).await.expect("reads go on while the disk is full");
    }
    sums(instance).await.expect("the books balance meanwhile");
    assert_eq!(sender.acknowledged(), acknowledged, "nothing is acknowledged that is not durable");

    disk.free().expect("freed");
    eventually(
        "recovery",
        PATIENCE,
        async || Ok((instance.health().await?.0 == 200).then_some(())),
    )
    .await
    .expect("it goes on by itself");
    sender.more(1000, Duration::from_mins(1)).expect("acknowledged again");
}
