//! Births, data, deaths, gaps: what the host knows and when it asks.

use super::*;

#[test]
fn births_declare_what_the_aliases_in_data_mean() {
    let bench = Bench::new(&json!({}));
    assert_eq!(
        bench.hear("G/NBIRTH/N", &node_birth(0)),
        good(&["G/N online true", "G/N Supply Voltage 12.3"])
    );
    assert_eq!(
        bench.hear("G/DBIRTH/N/D", &device_birth(1)),
        good(&["G/N/D online true", "G/N/D Temperature 21.25"])
    );
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&["G/N/D Temperature 22.5"]));
    let voltage = sent(Some(3), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(bench.hear("G/NDATA/N", &voltage), good(&["G/N Supply Voltage 12.1"]));
    assert_eq!(bench.asked(), [""; 0]);
    let bench = Bench::born(&json!({"device": "last", "metrics": {"Temperature": "temperature"}}));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&["D temperature 22.5"]));
}

#[test]
fn deaths_put_a_device_or_a_node_with_its_devices_offline() {
    let bench = Bench::born(&json!({}));
    let death = sent(Some(2), vec![]);
    assert_eq!(bench.hear("G/DDEATH/N/D", &death), good(&["G/N/D online false"]));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(3)), Err(DecodeErrorKind::NoBirth));
    bench.asked();

    let mut bench = Bench::born(&json!({}));
    bench.wait(60);
    let will = sent(None, vec![bd_seq(3)]);
    let values = bench.full("G/NDEATH/N", &will).expect("a death");
    assert_eq!(lines(&values), ["G/N online false", "G/N/D online false"]);
    // The will's own time is that of the connect.
    assert!(values.iter().all(|value| value.time == Some(bench.now)));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), Err(DecodeErrorKind::NoBirth));
}

#[test]
fn a_death_of_an_earlier_session_says_nothing() {
    let bench = Bench::born(&json!({}));
    assert_eq!(bench.hear("G/NBIRTH/N", &node_birth(4)).map(|lines| lines.len()), Ok(2));
    let late = sent(None, vec![bd_seq(3)]);
    assert_eq!(bench.hear("G/NDEATH/N", &late), good(&[]));
    let voltage = sent(Some(1), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(bench.hear("G/NDATA/N", &voltage), good(&["G/N Supply Voltage 12.1"]));
    // A device that was online is so until it is born again or dies with its node.
    let death = sent(None, vec![bd_seq(4)]);
    assert_eq!(bench.hear("G/NDEATH/N", &death), good(&["G/N online false", "G/N/D online false"]));
}

#[test]
fn data_before_a_birth_ask_for_it_once_in_a_while_and_can_be_replayed() {
    let mut bench = Bench::new(&json!({"rebirth_interval": "30s"}));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    bench.wait(29);
    assert_eq!(bench.hear("G/DDATA/N/D", &data(10)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.hear("G/DDATA/N/D", &data(11)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    assert_eq!(bench.replay("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    bench.wait(60);
    assert_eq!(bench.replay("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), [""; 0], "a replay is no news");
    bench.hear("G/NBIRTH/N", &node_birth(0)).expect("a birth");
    bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
    assert_eq!(bench.replay("G/DDATA/N/D", &data(9)), good(&["G/N/D Temperature 22.5"]));
    bench.wait(60);
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&["G/N/D Temperature 22.5"]));
    assert_eq!(bench.asked(), [""; 0], "the replay did not count as message 9");
}

#[test]
fn data_that_say_everything_themselves_are_read_without_a_birth() {
    let bench = Bench::new(&json!({}));
    let named = sent(Some(5), vec![metric("Level", 10, double(1.5))]);
    assert_eq!(bench.hear("G/NDATA/N", &named), good(&["G/N Level 1.5"]));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    let untyped = SentMetric { datatype: None, ..metric("Count", 1, SentValue::Int(4)) };
    assert_eq!(
        bench.hear("G/NDATA/N", &sent(Some(6), vec![untyped])),
        Err(DecodeErrorKind::NoBirth),
        "signed or not?"
    );
}

#[test]
fn an_unknown_alias_or_another_data_type_asks_for_a_birth() {
    let bench = Bench::born(&json!({}));
    let unknown = sent(Some(2), vec![aliased(17, double(1.0)), aliased(99, double(1.0))]);
    assert_eq!(bench.hear("G/DDATA/N/D", &unknown), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    let bench = Bench::born(&json!({}));
    let other = SentMetric { datatype: Some(9), ..aliased(17, SentValue::Float(1.0)) };
    let error = bench.full("G/DDATA/N/D", &sent(Some(2), vec![other])).expect_err("another type");
    assert_eq!(error.kind, DecodeErrorKind::NoBirth);
    assert!(error.message.contains("`Temperature` has data type 9, and 10"), "{error}");
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
}

#[test]
fn a_gap_asks_for_a_birth_when_the_reorder_timeout_is_over() {
    let mut bench = Bench::born(&json!({"reorder_timeout": "2s"}));
    assert!(bench.hear("G/DDATA/N/D", &data(3)).is_ok(), "2 is missing; each has its own time");
    bench.wait(1);
    assert!(bench.hear("G/DDATA/N/D", &data(4)).is_ok());
    assert_eq!(bench.asked(), [""; 0]);
    bench.wait(1);
    // The clock is that of the messages, whoever sends them.
    assert!(bench.hear("G/NBIRTH/Other", &node_birth(0)).is_ok());
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    // Until the birth comes it is asked again, but not too often.
    bench.wait(29);
    assert!(bench.hear("G/DDATA/N/D", &data(5)).is_ok());
    assert_eq!(bench.asked(), [""; 0]);
    bench.wait(1);
    assert!(bench.hear("G/DDATA/N/D", &data(6)).is_ok());
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    bench.hear("G/NBIRTH/N", &node_birth(3)).expect("a birth");
    bench.wait(60);
    bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
    assert_eq!(bench.asked(), [""; 0]);
}

#[test]
fn a_gap_that_closes_in_time_asks_for_nothing() {
    let mut bench = Bench::born(&json!({"reorder_timeout": "2s"}));
    for seq in [4, 3, 2] {
        assert!(bench.hear("G/DDATA/N/D", &data(seq)).is_ok());
    }
    bench.wait(60);
    assert!(bench.hear("G/DDATA/N/D", &data(5)).is_ok());
    for seq in (6..=255).chain(0..=3) {
        assert!(bench.hear("G/DDATA/N/D", &data(seq)).is_ok());
    }
    bench.wait(60);
    assert!(bench.hear("G/DDATA/N/D", &data(4)).is_ok());
    assert_eq!(bench.asked(), [""; 0]);
}

#[test]
fn after_a_restart_of_the_host_everything_is_asked_for_again() {
    let before = Bench::born(&json!({}));
    assert!(before.hear("G/DDATA/N/D", &data(2)).is_ok());
    let after = Bench::new(&json!({}));
    assert_eq!(after.hear("G/DDATA/N/D", &data(3)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(after.asked(), ["spBv1.0/G/NCMD/N"]);
    // A device that is born meanwhile is understood, though its node is not.
    assert!(after.hear("G/DBIRTH/N/E", &device_birth(4)).is_ok());
    assert_eq!(after.hear("G/DDATA/N/E", &data(5)), good(&["G/N/E Temperature 22.5"]));
    let voltage = sent(Some(6), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(after.hear("G/NDATA/N", &voltage), Err(DecodeErrorKind::NoBirth));
    let death = sent(None, vec![bd_seq(8)]);
    assert_eq!(after.hear("G/NDEATH/N", &death), good(&["G/N online false", "G/N/E online false"]));
}

#[test]
fn what_is_kept_is_bounded_and_idle_nodes_make_room() {
    let bench = Bench::new(&json!({"max_nodes": 2, "max_metrics": 7}));
    assert!(bench.hear("G/NDATA/A", &data(0)).is_err());
    assert!(bench.hear("G/NDATA/B", &data(0)).is_err());
    assert!(bench.hear("G/NBIRTH/C", &node_birth(0)).is_ok(), "an unborn one makes room");
    assert!(bench.hear("G/NBIRTH/D", &node_birth(0)).is_ok());
    assert_eq!(bench.hear("G/NBIRTH/E", &node_birth(0)), Err(DecodeErrorKind::TooManyValues));
    assert_eq!(bench.hear("G/DBIRTH/C/X", &device_birth(1)), Err(DecodeErrorKind::TooManyValues));
    bench.hear("G/NDEATH/C", &sent(None, vec![bd_seq(0)])).expect("a death");
    assert!(bench.hear("G/NBIRTH/E", &node_birth(0)).is_ok());
    for _ in 0..5 {
        assert!(bench.hear("G/NBIRTH/E", &node_birth(0)).is_ok(), "its own place is reused");
    }
    bench.hear("G/NDEATH/D", &sent(None, vec![bd_seq(0)])).expect("a death");
    for seq in 1..5 {
        assert!(bench.hear("G/DBIRTH/E/X", &device_birth(seq)).is_ok());
    }
}

/// The time of the one `online` in a message.
fn online_at(bench: &Bench, topic: &str, payload: &[u8]) -> Timestamp {
    let values = bench.full(topic, payload).expect("a message");
    let mut found = values.iter().filter(|value| value.metric == ONLINE);
    let time = found.next().and_then(|value| value.time).expect("a time");
    assert!(found.all(|value| value.time == Some(time)));
    time
}

/// The edge node's clock shows `START` all the time: it is slow, and, at first, fast.
#[test]
fn births_and_deaths_are_in_the_order_of_arrival_whatever_the_clock_of_the_edge_node() {
    for wait in [-10, 10] {
        let mut bench = Bench::new(&json!({}));
        bench.wait(wait);
        let mut times = vec![
            online_at(&bench, "G/NBIRTH/N", &node_birth(3)),
            online_at(&bench, "G/DBIRTH/N/D", &device_birth(1)),
        ];
        assert_eq!(times[0], bench.now);
        bench.wait(1);
        times.push(online_at(&bench, "G/DDEATH/N/D", &sent(Some(2), vec![])));
        assert_eq!(times[2], bench.now);
        // Another connection takes over: the will, and the birth at the same time.
        bench.wait(1);
        times.push(online_at(&bench, "G/NDEATH/N", &sent(None, vec![bd_seq(3)])));
        assert_eq!(times[3], bench.now);
        times.push(online_at(&bench, "G/NBIRTH/N", &node_birth(4)));
        times.push(online_at(&bench, "G/DBIRTH/N/D", &device_birth(1)));
        // Our own clock may be set back.
        bench.wait(-1);
        times.push(online_at(&bench, "G/NDEATH/N", &sent(None, vec![bd_seq(4)])));
        assert!(times.is_sorted_by(|earlier, later| earlier < later), "{times:?}");
        let values = bench.full("G/NBIRTH/N", &node_birth(5)).expect("a birth");
        assert_eq!(values[1].time, Some(Timestamp::from_secs(START)), "a value has its own");
    }
}

#[test]
fn a_death_that_is_delivered_again_says_nothing() {
    let mut bench = Bench::born(&json!({}));
    let will = sent(None, vec![bd_seq(3)]);
    assert_eq!(bench.hear("G/NDEATH/N", &will).map(|lines| lines.len()), Ok(2));
    bench.wait(1);
    assert_eq!(bench.hear("G/NDEATH/N", &will), good(&[]));
    assert_eq!(bench.asked(), [""; 0]);
    // Whoever counts no sessions dies again after being born again.
    bench.hear("G/NBIRTH/N", &node_birth(3)).expect("a birth");
    assert_eq!(bench.hear("G/NDEATH/N", &will), good(&["G/N online false"]));
    assert_eq!(bench.hear("G/NDEATH/N", &will), good(&[]));
    // After a birth that was missed.
    let next = sent(None, vec![bd_seq(4)]);
    assert_eq!(bench.hear("G/NDEATH/N", &next), good(&["G/N online false"]));
    bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
    assert_eq!(bench.hear("G/NDEATH/N", &next), good(&["G/N online false", "G/N/D online false"]));
    // Without a number none is like another.
    for _ in 0..2 {
        let death = sent(None, vec![]);
        assert_eq!(bench.hear("G/NDEATH/M", &death), good(&["G/M online false"]));
    }
}

#[test]
fn after_a_restart_whoever_speaks_first_without_a_birth_is_asked_for_it() {
    let named = || sent(Some(5), vec![metric("Level", 10, double(1.5))]);
    for (topic, payload) in [
        ("G/NDATA/N", named()),
        ("G/DDATA/N/D", named()),
        ("G/DBIRTH/N/D", device_birth(5)),
        ("G/DDEATH/N/D", sent(Some(5), vec![])),
        ("G/NDEATH/N", sent(None, vec![bd_seq(3)])),
    ] {
        let mut bench = Bench::new(&json!({"rebirth_interval": "30s"}));
        assert!(bench.hear(topic, &payload).is_ok(), "{topic}");
        assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"], "{topic}");
        bench.wait(29);
        assert!(bench.hear("G/DDEATH/N/E", &sent(Some(6), vec![])).is_ok());
        assert_eq!(bench.asked(), [""; 0], "{topic}");
        bench.wait(1);
        assert!(bench.hear("G/DDEATH/N/E", &sent(Some(7), vec![])).is_ok());
        assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"], "{topic}");
        bench.hear("G/NBIRTH/N", &node_birth(4)).expect("a birth");
        bench.wait(60);
        assert!(bench.hear("G/DDEATH/N/E", &sent(Some(1), vec![])).is_ok());
        assert_eq!(bench.asked(), [""; 0], "{topic}");
    }
}

#[test]
fn a_message_that_is_delivered_twice_leaves_no_gap() {
    let mut bench = Bench::born(&json!({"reorder_timeout": "2s"}));
    for _ in 0..2 {
        assert!(bench.hear("G/DDATA/N/D", &data(2)).is_ok());
    }
    bench.wait(60);
    assert!(bench.hear("G/NBIRTH/Other", &node_birth(0)).is_ok());
    assert!(bench.hear("G/DDATA/N/D", &data(3)).is_ok());
    assert_eq!(bench.asked(), [""; 0], "the node is slow, nothing is lost");
}
