//! Against a real Mosquitto.

use std::sync::Arc;

use city_collect::{BrokerConfig, FileMemory, MqttVersion, Phase, RefusedFilter};
use city_pipeline::{Limits, SourceKey};

use crate::harness::{Bench, NOW, VERSIONS, collector, commit, config, numbers, texts};
use crate::mosquitto::{Mosquitto, Network};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_whole_in_order_and_once_acknowledged_not_again() {
    for version in VERSIONS {
        let broker = Mosquitto::start("");
        let mut bench = Bench::start(config(broker.port, version));
        bench.subscribed(1).await;
        broker.publish(&numbers(0..2500)).await;
        let mut messages = Vec::new();
        while messages.len() < 2500 {
            let batch = bench.received.next().await.expect("running").into_messages();
            for message in batch {
                assert_eq!(
                    (&*message.topic, message.source, message.received, message.retained),
                    ("city/test", Some(SourceKey(2)), NOW, false)
                );
                messages.push(String::from_utf8_lossy(&message.payload).into_owned());
                commit(message);
            }
        }
        assert_eq!(messages, numbers(0..2500));
        bench.stop().await;

        let mut bench = Bench::start(config(broker.port, version));
        assert!(bench.subscribed(1).await.session_resumed);
        broker.publish(&["next".to_owned()]).await;
        assert_eq!(texts(&bench.take(1).await), ["next"]);
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_after_a_cut_and_late_commits_do_no_harm() {
    for version in VERSIONS {
        let broker = Mosquitto::start("max_inflight_messages 10");
        let network = Network::to(broker.port).await;
        let ours = BrokerConfig { receive_maximum: 10, ..config(network.port, version) };
        let mut bench = Bench::start(ours);
        bench.subscribed(1).await;
        broker.publish(&numbers(0..11)).await;
        let mut old = bench.take(10).await;
        commit(old.remove(0));
        // The broker lets this through once it has the acknowledgement.
        old.extend(bench.take(1).await);

        network.cut();
        bench.subscribed(2).await;
        let second = bench.take(10).await;
        assert_eq!(texts(&second), numbers(1..11));
        assert!(second.iter().all(|message| message.delivery().again), "the broker says so");
        // These were received over the first connection; their packet ids mean others now.
        old.into_iter().for_each(commit);

        network.cut();
        bench.subscribed(3).await;
        let again = bench.take(10).await;
        assert_eq!(texts(&again), numbers(1..11), "nothing was acknowledged in their place");
        again.into_iter().for_each(commit);
        drop(second);
        bench.stop().await;

        let mut bench = Bench::start(config(broker.port, version));
        bench.subscribed(1).await;
        broker.publish(&["end".to_owned()]).await;
        assert_eq!(texts(&bench.take(1).await), ["end"]);
    }
}

#[tokio::test]
async fn a_broker_stops_by_itself_at_what_we_announce_or_at_what_it_is_set_to() {
    for (version, more) in [(MqttVersion::V4, "max_inflight_messages 50"), (MqttVersion::V5, "")] {
        let broker = Mosquitto::start(more);
        let config = BrokerConfig { receive_maximum: 50, ..config(broker.port, version) };
        let mut bench = Bench::start(config);
        bench.subscribed(1).await;
        broker.publish(&numbers(0..60)).await;
        let mut held = bench.take(50).await;
        commit(held.remove(0));
        // 2.0.11 lets more out now than one; newer ones do not.
        let next = bench.received.next().await.expect("running").into_messages();
        assert_eq!(texts(&next[..1]), ["50"]);
    }
}

#[tokio::test]
async fn a_backlog_far_beyond_our_room_comes_whole_although_the_pipeline_is_slow() {
    for version in VERSIONS {
        let broker = Mosquitto::start("");
        let config = BrokerConfig { receive_maximum: 50, ..config(broker.port, version) };
        let mut bench = Bench::start(config.clone());
        bench.subscribed(1).await;
        bench.stop().await;
        broker.publish(&numbers(0..5000)).await;
        // Mosquitto 2.0.11 lets far more than 50 messages out, one round for each commit.
        let (collector, received) =
            collector(config, &["city/#"], Limits { batches: 1, bytes: 1 << 20 });
        let mut bench = Bench::run(collector, received);
        let mut came = std::collections::BTreeSet::new();
        let mut held = std::collections::VecDeque::new();
        while came.len() < 5000 {
            for message in bench.received.next().await.expect("running").into_messages() {
                came.extend(texts(std::slice::from_ref(&message)));
                held.push_back(message);
            }
            // One batch behind, and one message at a time.
            while held.len() > 20 {
                held.pop_front().into_iter().for_each(commit);
                tokio::task::yield_now().await;
            }
        }
        held.into_iter().for_each(commit);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_message_that_is_given_up_comes_again() {
    let broker = Mosquitto::start("");
    let mut bench = Bench::start(config(broker.port, MqttVersion::V5));
    bench.subscribed(1).await;
    broker.publish(&numbers(0..3)).await;
    let mut messages = bench.take(3).await;
    commit(messages.remove(0));
    drop(messages);
    let again = bench.take(2).await;
    assert_eq!(texts(&again), numbers(1..3));
    let status = bench.subscribed(2).await;
    let (_, error) = status.last_error.expect("it was reconnected for a reason");
    assert!(error.contains("could not store"), "{error}");
    again.into_iter().for_each(commit);
    bench.stop().await;
}

#[tokio::test]
async fn large_messages_pass() {
    for version in VERSIONS {
        let broker = Mosquitto::start("");
        let mut bench = Bench::start(config(broker.port, version));
        bench.subscribed(1).await;
        let large = "x".repeat(3 << 20);
        broker.publish(&["small".to_owned(), large.clone()]).await;
        let messages = bench.take(2).await;
        assert_eq!(texts(&messages)[1].len(), large.len());
        messages.into_iter().for_each(commit);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_message_over_our_limit_is_no_poison() {
    for version in VERSIONS {
        let broker = Mosquitto::start("");
        let config = config(broker.port, version);
        let mut bench = Bench::start(BrokerConfig { max_packet_size: 2000, ..config.clone() });
        bench.subscribed(1).await;
        broker.publish(&["x".repeat(3000), "small".to_owned()]).await;
        // A 3.1.1 broker cannot be told. An MQTT 5 broker keeps it from us.
        let cut = version == MqttVersion::V4;
        let mut messages = bench.take(1 + usize::from(cut)).await;
        if cut {
            let large = messages.remove(0);
            assert_eq!(large.delivery().cut_from, Some(3000));
            assert_eq!(large.payload.len(), 2000 - "city/test".len());
            commit(large);
        }
        let small = messages.remove(0);
        assert_eq!((&small.payload[..], small.delivery().cut_from), (&b"small"[..], None));
        commit(small);
        bench.stop().await;
        // Neither comes again.
        let mut bench = Bench::start(BrokerConfig { max_packet_size: 2000, ..config });
        bench.subscribed(1).await;
        broker.publish(&["next".to_owned()]).await;
        assert_eq!(texts(&bench.take(1).await), ["next"]);
        bench.stop().await;
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_broker_restarts() {
    for version in VERSIONS {
        let mut broker = Mosquitto::start("");
        let mut bench = Bench::start(config(broker.port, version));
        bench.subscribed(1).await;
        broker.publish(&numbers(0..10)).await;
        let first = bench.take(10).await;
        broker.stop();
        bench.until(|status| status.phase == Phase::Waiting).await;
        first.into_iter().for_each(commit);
        broker.start_again();
        let status = bench.subscribed(2).await;
        assert!(status.session_resumed, "the session was persistent");
        let again = bench.take(10).await;
        assert_eq!(texts(&again), numbers(0..10));
        again.into_iter().for_each(commit);
        bench.stop().await;
    }
}

#[tokio::test]
async fn what_is_published_while_we_are_away_waits_at_the_broker() {
    let broker = Mosquitto::start("");
    let mut bench = Bench::start(config(broker.port, MqttVersion::V5));
    bench.subscribed(1).await;
    bench.stop().await;
    broker.publish(&numbers(0..3000)).await;
    let mut bench = Bench::start(config(broker.port, MqttVersion::V5));
    let mut came = Vec::new();
    while came.len() < 3000 {
        for message in bench.received.next().await.expect("running").into_messages() {
            came.extend(texts(std::slice::from_ref(&message)));
            commit(message);
        }
    }
    assert_eq!(came, numbers(0..3000));
}

#[tokio::test]
async fn retained_messages_say_so_and_come_with_a_new_subscription_only() {
    let broker = Mosquitto::start("");
    broker.publish_to("city/r", true, &["kept".to_owned()]).await;
    let network = Network::to(broker.port).await;
    let mut bench = Bench::start(config(network.port, MqttVersion::V5));
    let kept = bench.take(1).await.remove(0);
    assert!(kept.retained);
    commit(kept);
    while bench.stats.snapshot().acknowledged < 1 {
        tokio::task::yield_now().await;
    }
    // A round trip through the broker: the acknowledgement is there.
    broker.publish_to("city/r", true, &["fresh".to_owned()]).await;
    let fresh = bench.take(1).await.remove(0);
    assert!(!fresh.retained, "it was published while we were subscribed");
    network.cut();
    bench.subscribed(2).await;
    let again = bench.take(1).await.remove(0);
    assert_eq!((&again.payload[..], again.retained), (&b"fresh"[..], false));
    commit(again);
    drop(fresh);
    bench.stop().await;
}

/// Lets nobody subscribe but to `city/#`.
const RIGHTS: &str = r#"{
    "defaultACLAccess": {
        "publishClientSend": true, "publishClientReceive": true,
        "subscribe": false, "unsubscribe": true
    },
    "roles": [{
        "rolename": "reader",
        "acls": [{"acltype": "subscribePattern", "topic": "city/#", "allow": true}]
    }],
    "groups": [{"groupname": "all", "roles": [{"rolename": "reader"}], "clients": []}],
    "anonymousGroup": "all"
}"#;

fn security_plugin() -> String {
    let libraries = ["/usr/lib", "/usr/local/lib", "/usr/lib64"];
    let found = libraries.iter().flat_map(|folder| {
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        inside.map(|entry| entry.path()).chain([folder.into()])
    });
    let plugin = found
        .map(|folder| folder.join("mosquitto_dynamic_security.so"))
        .find(|path| path.exists())
        .expect("mosquitto's dynamic security plugin, part of Debian's package `mosquitto`");
    plugin.display().to_string()
}

#[tokio::test]
async fn a_refused_subscription_is_shown_and_does_not_harm_the_others() {
    for (version, reason) in [(MqttVersion::V4, "refused"), (MqttVersion::V5, "NotAuthorized")] {
        let rights = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(rights.path(), RIGHTS).expect("written");
        let broker = Mosquitto::start(&format!(
            "plugin {}\nplugin_opt_config_file {}\n",
            security_plugin(),
            rights.path().display()
        ));
        let filters = ["city/a/#", "secret/#", "city/b/#"];
        let (collector, received) =
            collector(config(broker.port, version), &filters, Limits::default());
        let mut bench = Bench::run(collector, received);
        let status = bench.until(|status| !status.refused.is_empty()).await;
        let refused = RefusedFilter { filter: "secret/#".to_owned(), reason: reason.to_owned() };
        assert_eq!(status.refused, [refused]);
        assert_eq!(status.granted, 2);
        broker.publish_to("city/b/x", false, &["passes".to_owned()]).await;
        let passes = bench.take(1).await.remove(0);
        assert_eq!(&passes.payload[..], b"passes");
        commit(passes);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_subscription_that_is_no_longer_wanted_is_given_up() {
    let broker = Mosquitto::start("");
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(FileMemory(folder.path().join("subscriptions")));
    for filters in [&["city/old/#", "city/new/#"][..], &["city/new/#"]] {
        let config = config(broker.port, MqttVersion::V5);
        let (collector, received) = collector(config, filters, Limits::default());
        let mut bench = Bench::run(collector.with_memory(memory.clone()), received);
        bench.until(|status| status.granted == filters.len()).await;
        broker.publish_to("city/old/x", false, &["old".to_owned()]).await;
        broker.publish_to("city/new/x", false, &["new".to_owned()]).await;
        let messages = bench.take(filters.len()).await;
        assert_eq!(texts(&messages).last().map(String::as_str), Some("new"));
        messages.into_iter().for_each(commit);
        bench.stop().await;
    }
}

#[tokio::test]
async fn a_shared_subscription_divides_the_messages() {
    for version in VERSIONS {
        divides(version).await;
    }
}

async fn divides(version: MqttVersion) {
    let broker = Mosquitto::start("");
    let mut benches: Vec<_> = ["one", "two"]
        .map(|name| {
            Bench::start(BrokerConfig {
                client_id: name.to_owned(),
                shared_group: Some("citybrain".to_owned()),
                ..config(broker.port, version)
            })
        })
        .into();
    for bench in &mut benches {
        bench.subscribed(1).await;
    }
    broker.publish(&numbers(0..100)).await;
    let mut came = Vec::new();
    while came.len() < 100 {
        for bench in &mut benches {
            while let Some(batch) = bench.received.try_next() {
                let messages = batch.into_messages();
                came.extend(texts(&messages));
                messages.into_iter().for_each(commit);
            }
        }
        tokio::task::yield_now().await;
    }
    came.sort_by_key(|text| text.parse::<u32>().expect("a number"));
    assert_eq!(came, numbers(0..100), "each once");
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_reported_and_found_once_it_is() {
    let mut broker = Mosquitto::start("");
    broker.stop();
    let mut bench = Bench::start(config(broker.port, MqttVersion::V5));
    let status = bench.until(|status| status.phase == Phase::Waiting).await;
    let (at, error) = status.last_error.expect("there is one");
    assert_eq!(at, NOW);
    assert!(error.contains(&format!("no connection to 127.0.0.1:{}", broker.port)), "{error}");
    broker.start_again();
    bench.subscribed(1).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unreadable_file_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let passwords = folder.path().join("passwords");
    // Nobody is in it.
    std::fs::write(&passwords, "").expect("written");
    let more = format!("password_file {}\n", passwords.display());
    let broker = Mosquitto::start(&more);
    let file = folder.path().join("ours");
    let config = BrokerConfig {
        username: Some("citybrain".to_owned()),
        password_file: Some(file.clone()),
        ..config(broker.port, MqttVersion::V5)
    };
    let mut bench = Bench::start(config);
    let missing = bench.until(|status| status.last_error.is_some()).await;
    let (_, error) = missing.last_error.expect("there is one");
    assert!(error.contains("cannot read password_file") && error.contains("ours"), "{error}");
    std::fs::write(file, "hush\n").expect("written");
    let refused = bench
        .until(|status| {
            status.last_error.as_ref().is_some_and(|(_, error)| error.contains("refuses us"))
        })
        .await;
    let (_, error) = refused.last_error.expect("there is one");
    assert!(error.contains("NotAuthorized") && !error.contains("hush"), "{error}");
    bench.stop().await;
}
