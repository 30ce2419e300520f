//! What does not need several servers.

use std::time::{Duration, Instant};

use bytes::Bytes;
use city_bus::{AppendError, Bus, BusConfig, BusError, Changes, Entry, Follow, Origin, Topic};

use crate::nats::NatsCluster;
use crate::{PATIENCE, append_all, check_log, config, connect, entry, payloads, read, wait_until};

#[test]
fn publishing_again_doubles_nothing_and_topics_are_read_in_order() {
    let Some(cluster) = NatsCluster::start("publishing_again_doubles_nothing", 1) else { return };
    let bus = connect(&cluster, "n1");
    let entries: Vec<Entry> = (0..600).map(|n| entry(Topic::Readings(n as u16 % 4), n)).collect();
    let first = bus.publish(&entries, PATIENCE).unwrap();
    assert_eq!(first, (1..=600).collect::<Vec<u64>>());
    assert_eq!(bus.publish(&entries, PATIENCE).unwrap(), first, "the same numbers again");
    assert_eq!(bus.readings_end().unwrap(), 600);
    assert_eq!(bus.topic_end(Topic::Readings(1)).unwrap(), 598);
    assert_eq!(bus.topic_end(Topic::Letters).unwrap(), 0);

    let letter = Entry { topic: Topic::Letters, id: "l".to_owned(), payload: Bytes::new() };
    bus.publish(&[letter, entry(Topic::Alerts(3), 0)], PATIENCE).unwrap();
    let all = read(&mut bus.follow(Follow::AllReadings, 0).unwrap(), 601);
    assert_eq!(payloads(&all[..600]), (0..600).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(all[600].origin, Origin::Topic(Topic::Letters));
    assert!(all.iter().map(|m| m.number).eq(1..=601));

    let topics = vec![Topic::Readings(1), Topic::Letters];
    let mut following = bus.follow(Follow::Topics(topics), 300).unwrap();
    let some = read(&mut following, 76);
    assert_eq!(some[0].payload, "301");
    assert_eq!(some[75].origin, Origin::Topic(Topic::Letters));
    assert_eq!(following.next(Duration::from_millis(50)).unwrap(), None);
    assert_eq!(following.position(), 601);
    let alerts = read(&mut bus.follow(Follow::Alerts, 0).unwrap(), 1);
    assert_eq!(alerts[0].origin, Origin::Topic(Topic::Alerts(3)));
}

#[test]
fn what_cannot_be_is_refused() {
    let Some(cluster) = NatsCluster::start("what_cannot_be_is_refused", 1) else { return };
    let bus = connect(&cluster, "n1");
    let none = bus.publish(&[entry(Topic::Readings(4), 0)], PATIENCE);
    assert!(matches!(none, Err(BusError::Partition { partition: 4, partitions: 4 })), "{none:?}");
    let blank = Entry { id: "a b".to_owned(), ..entry(Topic::Letters, 0) };
    assert!(matches!(bus.publish(&[blank], PATIENCE), Err(BusError::Name { .. })));
    let large = Entry { payload: vec![0; 2 << 20].into(), ..entry(Topic::Letters, 0) };
    let large = bus.publish(&[large], PATIENCE);
    assert!(matches!(large, Err(BusError::TooLarge { .. })), "{large:?}");
    assert!(matches!(bus.log_end("a.b"), Err(BusError::Name { .. })));
    let mixed = Follow::Topics(vec![Topic::Letters, Topic::Alerts(0)]);
    assert!(matches!(bus.follow(mixed, 0), Err(BusError::Topics)));

    // The bus ends before what was seen.
    let mut following = bus.follow(Follow::AllReadings, 7).unwrap();
    let lost = following.next(PATIENCE);
    assert!(matches!(lost, Err(BusError::Lost { after: 7, last: 0 })), "{lost:?}");
}

#[test]
fn another_number_of_partitions_is_refused() {
    let Some(cluster) = NatsCluster::start("another_number_of_partitions", 1) else { return };
    let bus = connect(&cluster, "n1");
    assert_eq!(bus.partitions(), 4);
    let other = BusConfig { partitions: 8, ..config(&cluster) };
    let refused = Bus::connect(&other, "n2", PATIENCE).expect_err("it is refused");
    assert!(matches!(refused, BusError::Partitions { configured: 8, kept: 4, .. }), "{refused:?}");
    assert!(refused.to_string().contains("docs/cluster.md"), "{refused}");
    // What may change does.
    let changed = BusConfig { max_bytes: 1 << 20, ..config(&cluster) };
    drop(Bus::connect(&changed, "n2", PATIENCE).unwrap());
    let many =
        (0..2000).map(|n| Entry { payload: vec![0; 1024].into(), ..entry(Topic::Letters, n) });
    let full = bus.publish(&many.collect::<Vec<_>>(), PATIENCE);
    assert!(matches!(full, Err(BusError::Full { .. })), "{full:?}");
    assert_eq!(read(&mut bus.follow(Follow::AllReadings, 0).unwrap(), 500).len(), 500);
}

#[test]
fn nodes_that_start_together_agree() {
    let Some(cluster) = NatsCluster::start("nodes_that_start_together_agree", 1) else { return };
    let agreed: Vec<u16> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..6)
            .map(|number| {
                let partitions = if number % 2 == 0 { 4 } else { 8 };
                let config = BusConfig { partitions, ..config(&cluster) };
                let node = format!("n{number}");
                scope.spawn(move || match Bus::connect(&config, &node, PATIENCE) {
                    Ok(bus) => Some(bus.partitions()),
                    Err(BusError::Partitions { configured, kept, .. }) => {
                        assert_eq!((configured, configured + kept), (partitions, 12));
                        None
                    }
                    Err(error) => panic!("{error}"),
                })
            })
            .collect();
        starting.into_iter().filter_map(|starting| starting.join().unwrap()).collect()
    });
    assert_eq!(agreed.len(), 3, "half of them wanted what is kept: {agreed:?}");
    assert!(agreed.iter().all(|partitions| *partitions == agreed[0]), "{agreed:?}");
}

#[test]
fn an_unreachable_server_is_told_of_in_time() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = BusConfig { servers: vec![format!("nats://{free}")], ..BusConfig::default() };
    let begun = Instant::now();
    let error = Bus::connect(&config, "n1", Duration::from_millis(300)).expect_err("an error");
    assert!(matches!(error, BusError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn of_two_that_append_one_succeeds_and_the_other_is_told() {
    let Some(cluster) = NatsCluster::start("of_two_that_append", 1) else { return };
    let bus = connect(&cluster, "n1");
    assert_eq!(bus.log_end("rules").unwrap(), 0);
    let one = bus.append("rules", 0, "a".into(), PATIENCE).unwrap();
    assert_eq!(bus.log_end("rules").unwrap(), one);
    let late = bus.append("rules", 0, "b".into(), PATIENCE);
    assert!(matches!(late, Err(AppendError::Conflict)), "{late:?}");
    let ahead = bus.append("rules", one + 5, "b".into(), Duration::from_secs(1));
    assert!(matches!(ahead, Err(AppendError::Conflict)), "{ahead:?}");
    // Another log has numbers of its own, though the stream's.
    let other = bus.append("zones", 0, "c".into(), PATIENCE).unwrap();
    assert!(other > one);
    let two = bus.append("rules", one, "d".into(), PATIENCE).unwrap();
    assert!(two > other);
    let log = read(&mut bus.follow(Follow::Log("rules".to_owned()), 0).unwrap(), 2);
    assert_eq!(payloads(&log), ["a", "d"]);
    assert_eq!(log[0].origin, Origin::Log);
    let large = bus.append("rules", two, vec![0; 2 << 20].into(), PATIENCE);
    assert!(matches!(large, Err(AppendError::Refused(BusError::TooLarge { .. }))), "{large:?}");
}

#[test]
fn two_that_race_leave_one_order() {
    let Some(cluster) = NatsCluster::start("two_that_race_leave_one_order", 1) else { return };
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let bus = connect(&cluster, &format!("n{writer}"));
            scope.spawn(move || append_all(&bus, "race", writer, 200, |_| ()));
        }
    });
    check_log(&connect(&cluster, "n3"), "race", 2, 200);
}

#[test]
fn following_goes_on_after_a_server_was_killed() {
    let Some(mut cluster) = NatsCluster::start("following_goes_on", 1) else { return };
    let bus = connect(&cluster, "n1");
    let mut following = bus.follow(Follow::AllReadings, 0).unwrap();
    let mut log = bus.follow(Follow::Log("l".to_owned()), 0).unwrap();
    let mut end = 0;
    for round in 0..3 {
        let entries: Vec<_> = (round * 100..round * 100 + 100)
            .map(|n| entry(Topic::Readings(n as u16 % 4), n))
            .collect();
        bus.publish(&entries, PATIENCE).unwrap();
        end = bus.append("l", end, round.to_string().into(), PATIENCE).unwrap();
        // Some are read before, some after.
        let mut read_in_round = read(&mut following, 50);
        cluster.kill(0);
        cluster.restart(0);
        read_in_round.extend(read(&mut following, 50));
        let wanted: Vec<_> = (round * 100..round * 100 + 100).map(|n| n.to_string()).collect();
        assert_eq!(payloads(&read_in_round), wanted);
        assert_eq!(payloads(&read(&mut log, 1)), [round.to_string()]);
    }
    assert_eq!(following.next(Duration::from_millis(50)).unwrap(), None);
}

#[test]
fn what_is_gone_is_told() {
    let Some(cluster) = NatsCluster::start("what_is_gone_is_told", 1) else { return };
    let bus = connect(&cluster, "n1");
    let entries: Vec<Entry> = (1..=100).map(|n| entry(Topic::Readings(n as u16 % 4), n)).collect();
    bus.publish(&entries, PATIENCE).unwrap();
    // As the retention does it, and as somebody might with a tool.
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = async_nats::connect(cluster.urls()).await.unwrap();
        let context = async_nats::jetstream::new(client);
        let stream = context.get_stream("citybrain_readings").await.unwrap();
        stream.purge().sequence(51).await.unwrap();
        stream.delete_message(60).await.unwrap();
    });
    let one = Follow::Topics(vec![Topic::Readings(3)]);
    for what in [Follow::AllReadings, one.clone()] {
        for after in [0, 49] {
            let mut following = bus.follow(what.clone(), after).unwrap();
            for _ in 0..2 {
                let gone = following.next(PATIENCE);
                assert!(matches!(gone, Err(BusError::Gone { first: 51 })), "{gone:?}");
            }
        }
    }
    assert_eq!(payloads(&read(&mut bus.follow(one, 50).unwrap(), 2)), ["51", "55"]);
    let mut all = bus.follow(Follow::AllReadings, 50).unwrap();
    assert_eq!(read(&mut all, 9).len(), 9, "those before the hole");
    let hole = all.next(PATIENCE);
    assert!(matches!(hole, Err(BusError::Gone { first: 61 })), "{hole:?}");
    assert_eq!(all.position(), 59);
    assert_eq!(read(&mut bus.follow(Follow::AllReadings, 60).unwrap(), 40).len(), 40);
}

#[test]
fn a_late_answer_makes_no_second_entry() {
    let Some(mut cluster) = NatsCluster::start("a_late_answer_makes_no_second_entry", 1) else {
        return;
    };
    let bus = connect(&cluster, "n1");
    let first = bus.append("l", 0, "a".into(), PATIENCE).unwrap();
    cluster.pause(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| bus.append("l", first, "b".into(), PATIENCE));
        let publishing = scope.spawn(|| bus.publish(&[entry(Topic::Letters, 0)], PATIENCE));
        // Until each was sent more than once; an attempt waits two seconds for its answer.
        wait_until("a second attempt", || begun.elapsed() > Duration::from_secs(3));
        cluster.resume(0);
        assert_eq!(appending.join().unwrap().unwrap(), first + 1);
        assert_eq!(publishing.join().unwrap().unwrap(), [1]);
    });
    assert_eq!(bus.append("l", first + 1, "c".into(), PATIENCE).unwrap(), first + 2);
    let log = read(&mut bus.follow(Follow::Log("l".to_owned()), 0).unwrap(), 3);
    assert_eq!(payloads(&log), ["a", "b", "c"]);
    assert_eq!(bus.readings_end().unwrap(), 1);

    // While nothing is known, it says so in time.
    cluster.pause(0);
    let begun = Instant::now();
    let unknown = bus.append("l", first + 2, "d".into(), Duration::from_millis(200));
    assert!(matches!(unknown, Err(AppendError::Unavailable(_))), "{unknown:?}");
    let late = bus.publish(&[entry(Topic::Letters, 1)], Duration::from_millis(200));
    assert!(matches!(late, Err(BusError::TimedOut { .. })), "{late:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    cluster.resume(0);
}

#[test]
fn an_image_takes_the_place_of_entries() {
    let Some(cluster) = NatsCluster::start("an_image_takes_the_place_of_entries", 1) else {
        return;
    };
    let bus = connect(&cluster, "n1");
    assert_eq!(bus.image("l").unwrap(), None);
    let mut numbers = vec![0];
    for text in ["a", "b", "c", "d", "e"] {
        let number = bus.append("l", numbers[numbers.len() - 1], text.into(), PATIENCE).unwrap();
        numbers.push(number);
        bus.append("other", bus.log_end("other").unwrap(), "x".into(), PATIENCE).unwrap();
    }
    let early = bus.drop_before("l", numbers[3]);
    assert!(matches!(early, Err(BusError::NoImage { image: 0, .. })), "{early:?}");
    // More than one window of pieces.
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    bus.put_image("l", numbers[2], b"ab").unwrap();
    assert_eq!(bus.image("l").unwrap(), Some((numbers[2], b"ab".to_vec())));
    bus.put_image("l", numbers[3], &bytes).unwrap();
    bus.put_image("l", numbers[2], b"late").unwrap();
    let (number, read_back) = bus.image("l").unwrap().unwrap();
    assert_eq!(number, numbers[3], "the newest counts");
    assert!(read_back == bytes);
    assert_eq!(bus.image("other").unwrap(), None);

    bus.drop_before("l", numbers[3] + 1).unwrap();
    let mut following = bus.follow(Follow::Log("l".to_owned()), number).unwrap();
    assert_eq!(payloads(&read(&mut following, 2)), ["d", "e"]);
    // From before the image it cannot be followed, not by anybody who does not know it.
    for after in [0, numbers[2]] {
        let gone = bus.follow(Follow::Log("l".to_owned()), after).unwrap().next(PATIENCE);
        assert!(matches!(gone, Err(BusError::Gone { first }) if first == numbers[4]), "{gone:?}");
    }
    // The last entry stays, and the log goes on after it.
    bus.put_image("l", numbers[5], b"").unwrap();
    bus.drop_before("l", numbers[5] + 1).unwrap();
    assert_eq!(bus.image("l").unwrap(), Some((numbers[5], Vec::new())));
    assert_eq!(bus.log_end("l").unwrap(), numbers[5]);
    let next = bus.append("l", numbers[5], "f".into(), PATIENCE).unwrap();
    assert_eq!(read(&mut following, 1)[0].number, next);
    assert_eq!(read(&mut bus.follow(Follow::Log("other".to_owned()), 0).unwrap(), 5).len(), 5);
}

#[test]
fn a_lease_is_of_one_node_at_a_time() {
    let Some(cluster) = NatsCluster::start("a_lease_is_of_one_node_at_a_time", 1) else { return };
    let ttl = Duration::from_secs(2);
    let wanted = vec!["partition.0".to_owned(), "partition.1".to_owned()];
    let (bus_a, bus_b) = (connect(&cluster, "a"), connect(&cluster, "b.city.example"));
    let (mut a, mut b) = (bus_a.leases(ttl), bus_b.leases(ttl));
    a.announce("workers").unwrap();
    b.announce("workers").unwrap();
    let holding = a.holding();
    let mut gained = a.turn(&wanted).unwrap().gained;
    gained.sort();
    assert_eq!(gained, wanted);
    assert_eq!(b.turn(&wanted).unwrap(), Changes::default());
    assert_eq!(b.holders()["partition.0"], "a");
    assert_eq!(b.live("workers"), ["a", "b.city.example"]);
    assert_eq!(b.live("others"), [""; 0]);
    assert!(holding.holds("partition.0") && !b.holding().holds("partition.0"));

    // Renewed, it stays, for longer than its time.
    let begun = Instant::now();
    while begun.elapsed() < ttl * 3 / 2 {
        assert_eq!(a.turn(&wanted).unwrap(), Changes::default());
        assert_eq!(b.turn(&wanted).unwrap(), Changes::default());
        assert!(holding.holds("partition.1"));
        std::thread::sleep(ttl / 10);
    }

    // Released, it can be taken at once.
    a.release("partition.1");
    assert!(!holding.holds("partition.1"));
    assert_eq!(b.turn(&wanted).unwrap().gained, ["partition.1"]);
    assert_eq!(a.turn(&wanted).unwrap(), Changes::default(), "now it is the other's");

    // The holder turns no more: another takes over, when the holder has given up for long.
    let stopped = Instant::now();
    let mut gained = Vec::new();
    wait_until("the other takes over", || {
        let held = holding.holds("partition.0");
        gained.extend(b.turn(&wanted).unwrap().gained);
        assert!(gained.is_empty() || !held, "both held it");
        !gained.is_empty()
    });
    assert!(stopped.elapsed() >= ttl * 3 / 4, "only after {:?}", stopped.elapsed());
    assert_eq!(gained, ["partition.0"]);
    assert_eq!(b.live("workers"), ["b.city.example"]);
    assert_eq!(a.turn(&[]).unwrap().lost, ["partition.0"]);

    b.leave();
    let mut gained = a.turn(&wanted).unwrap().gained;
    gained.sort();
    assert_eq!(gained, wanted);
    assert_eq!(a.live("workers"), ["a"]);
}

#[test]
fn leases_are_lost_when_the_bus_is_away() {
    let Some(mut cluster) = NatsCluster::start("leases_are_lost", 1) else { return };
    let wanted = vec!["p".to_owned()];
    let bus = connect(&cluster, "a");
    let mut leases = bus.leases(Duration::from_secs(1));
    assert_eq!(leases.turn(&wanted).unwrap().gained, wanted);
    cluster.kill(0);
    let mut lost = Vec::new();
    wait_until("it is lost", || {
        if let Ok(changes) = leases.turn(&wanted) {
            lost = changes.lost;
        }
        !lost.is_empty()
    });
    assert_eq!(lost, wanted);
    assert!(!leases.holding().holds("p"));
    cluster.restart(0);
    let mut gained = Vec::new();
    wait_until("it is taken again", || {
        if let Ok(changes) = leases.turn(&wanted) {
            gained = changes.gained;
        }
        !gained.is_empty()
    });
    assert_eq!(gained, wanted);
}

/// A block of the configuration that is shipped, its comment signs taken away.
fn shipped(block: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/nats/citybrain.conf");
    let text = std::fs::read_to_string(path).unwrap();
    let begin = format!("#{block} {{");
    let lines = text.lines().skip_while(|line| *line != begin);
    let lines = lines.map_while(|line| line.strip_prefix('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_configuration_that_is_shipped_is_valid() {
    let Some(server) = crate::nats::find() else { return };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/nats/citybrain.conf");
    let checked =
        std::process::Command::new(server).args(["--config", path, "-t"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn servers_with_certificates_and_passwords_are_reached() {
    let folder = tempfile::tempdir().unwrap();
    let authority = rcgen::CertifiedIssuer::self_signed(
        {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
        },
        rcgen::KeyPair::generate().unwrap(),
    )
    .unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca_file = file("ca.pem", authority.pem());
    let settings = format!(
        "{}\ntls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        shipped("authorization").replace("$2a$11$...", "hidden"),
        file("cert.pem", certificate.pem()).display(),
        file("key.pem", key.serialize_pem()).display(),
    );
    let test = "servers_with_certificates_and_passwords_are_reached";
    let password_file = file("password", "hidden\n".to_owned());
    let Some(cluster) = NatsCluster::start_with(test, 1, &settings, "tls://") else { return };
    let user = Some("citybrain".to_owned());
    let good = BusConfig {
        user,
        password_file: Some(password_file.clone()),
        ca_file: Some(ca_file),
        ..config(&cluster)
    };
    let bus = Bus::connect(&good, "n1", PATIENCE).unwrap();
    // The rights are enough for all that the bus does.
    bus.publish(&[entry(Topic::Letters, 0), entry(Topic::Alerts(0), 0)], PATIENCE).unwrap();
    assert_eq!(read(&mut bus.follow(Follow::AllReadings, 0).unwrap(), 1).len(), 1);
    let number = bus.append("l", 0, "a".into(), PATIENCE).unwrap();
    bus.put_image("l", number, b"a").unwrap();
    bus.drop_before("l", number).unwrap();
    assert_eq!(bus.image("l").unwrap(), Some((number, b"a".to_vec())));
    let mut leases = bus.leases(Duration::from_secs(10));
    leases.announce("workers").unwrap();
    assert_eq!(leases.turn(&["p".to_owned()]).unwrap().gained, ["p"]);
    leases.leave();

    let short = Duration::from_secs(1);
    let error = Bus::connect(&BusConfig { ca_file: None, ..good.clone() }, "n2", short);
    let error = error.expect_err("of no known authority");
    assert!(error.to_string().contains("certificate"), "{error}");
    std::fs::write(password_file, "another").unwrap();
    let error = Bus::connect(&good, "n2", short).expect_err("no entry").to_string();
    assert!(error.contains("authorization") && !error.contains("another"), "{error}");

    let missing = folder.path().join("none.pem");
    let none = BusConfig { ca_file: Some(missing.clone()), ..config(&cluster) };
    let error = Bus::connect(&none, "n2", short).expect_err("no file").to_string();
    assert!(
        error.contains("bus.nats.ca_file") && error.contains(missing.to_str().unwrap()),
        "{error}"
    );
    let none = BusConfig { ca_file: None, credentials_file: Some(missing), ..config(&cluster) };
    let error = Bus::connect(&none, "n2", short).expect_err("no file").to_string();
    assert!(error.contains("bus.nats.credentials_file"), "{error}");
}
