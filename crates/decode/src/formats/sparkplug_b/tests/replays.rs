//! Dead letters that are tried again: with the aliases of their time, or not at all.

use super::*;

/// A birth of the device after which alias 17 is another metric of the same type.
fn other_device_birth(seq: u64) -> Vec<u8> {
    let pressure = SentMetric { alias: Some(17), ..metric("Pressure", 10, double(1013.0)) };
    sent(Some(seq), vec![pressure])
}

fn births(bench: &Bench, device: &[u8]) {
    bench.hear("G/NBIRTH/N", &node_birth(0)).expect("a birth");
    bench.hear("G/DBIRTH/N/D", device).expect("a birth");
}

const TEMPERATURE: &str = "G/N/D Temperature 22.5";

#[test]
fn a_letter_is_read_with_the_first_birth_after_it() {
    let mut bench = Bench::new(&json!({}));
    let arrived = bench.now;
    assert_eq!(bench.hear("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    bench.wait(1);
    births(&bench, &device_birth(1));
    bench.wait(1);
    assert_eq!(bench.letter(arrived, "G/DDATA/N/D", &data(9)), good(&[TEMPERATURE]));
}

#[test]
fn a_letter_is_read_with_the_birth_that_was_in_force() {
    let mut bench = Bench::new(&json!({}));
    births(&bench, &device_birth(1));
    bench.wait(1);
    // Refused by others, such as for a device that was not registered.
    let arrived = bench.now;
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&[TEMPERATURE]));
    bench.wait(1);
    assert_eq!(bench.letter(arrived, "G/DDATA/N/D", &data(2)), good(&[TEMPERATURE]));
    bench.hear("G/DBIRTH/N/D", &other_device_birth(3)).expect("a birth");
    let error = bench.letter(arrived, "G/DDATA/N/D", &data(2));
    assert_eq!(error, Err(DecodeErrorKind::NoBirth), "the alias has another meaning now");
    assert_eq!(bench.asked(), [""; 0]);
}

#[test]
fn a_letter_that_did_not_fit_is_read_with_the_next_birth() {
    for node_too in [false, true] {
        let mut bench = Bench::new(&json!({}));
        births(&bench, &sent(Some(1), vec![metric("Level", 10, double(1.0))]));
        bench.wait(1);
        let earlier = bench.now;
        bench.wait(1);
        let arrived = bench.now;
        assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), Err(DecodeErrorKind::NoBirth));
        bench.wait(1);
        if node_too {
            bench.hear("G/NBIRTH/N", &node_birth(1)).expect("a birth");
        }
        bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
        assert_eq!(bench.letter(arrived, "G/DDATA/N/D", &data(2)), good(&[TEMPERATURE]));
        let error = bench.letter(earlier, "G/DDATA/N/D", &data(2));
        assert_eq!(error, Err(DecodeErrorKind::NoBirth), "that one had the other names");
    }
}

#[test]
fn a_letter_from_before_another_birth_a_death_or_a_restart_is_refused() {
    type Between = fn(&Bench);
    let cases: [(&str, Between); 6] = [
        ("the device is born twice", |bench| {
            births(bench, &device_birth(1));
            bench.hear("G/DBIRTH/N/D", &other_device_birth(2)).expect("a birth");
        }),
        ("the node is born twice", |bench| {
            births(bench, &device_birth(1));
            births(bench, &other_device_birth(1));
        }),
        ("the device's birth is missed", |bench| {
            bench.hear("G/NBIRTH/N", &node_birth(0)).expect("a birth");
            bench.hear("G/DDEATH/N/D", &sent(Some(2), vec![])).expect("a death");
            births(bench, &other_device_birth(1));
        }),
        ("the device dies", |bench| {
            births(bench, &device_birth(1));
            bench.hear("G/DDEATH/N/D", &sent(Some(2), vec![])).expect("a death");
            bench.hear("G/DBIRTH/N/D", &other_device_birth(3)).expect("a birth");
        }),
        ("the node dies", |bench| {
            births(bench, &device_birth(1));
            bench.hear("G/NDEATH/N", &sent(None, vec![bd_seq(0)])).expect("a death");
            births(bench, &other_device_birth(1));
        }),
        ("the node dies unborn", |bench| {
            bench.hear("G/NDEATH/N", &sent(None, vec![bd_seq(0)])).expect("a death");
            births(bench, &other_device_birth(1));
        }),
    ];
    for (case, between) in cases {
        let mut bench = Bench::new(&json!({}));
        let arrived = bench.now;
        assert_eq!(bench.hear("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
        bench.wait(1);
        between(&bench);
        bench.wait(1);
        let refused = bench.letter(arrived, "G/DDATA/N/D", &data(9));
        assert_eq!(refused, Err(DecodeErrorKind::NoBirth), "{case}");
    }

    let mut bench = Bench::new(&json!({}));
    let arrived = bench.now;
    bench.wait(1);
    births(&bench, &other_device_birth(1));
    bench.now = arrived;
    let error = bench.message("G/DDATA/N/D", &data(9), true).expect_err("before the restart");
    assert_eq!(error.kind, DecodeErrorKind::NoBirth);
    assert!(error.message.contains("we were restarted"), "{error}");
    // What needs no birth is read all the same.
    let named = sent(Some(9), vec![metric("Level", 10, double(1.5))]);
    assert_eq!(bench.replay("G/DDATA/N/D", &named), good(&["G/N/D Level 1.5"]));
}

#[test]
fn a_letter_of_the_node_itself_is_read_by_the_same_rule() {
    let mut bench = Bench::new(&json!({}));
    let arrived = bench.now;
    let voltage = sent(Some(3), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(bench.hear("G/NDATA/N", &voltage), Err(DecodeErrorKind::NoBirth));
    bench.wait(1);
    bench.hear("G/NBIRTH/N", &node_birth(0)).expect("a birth");
    let read = good(&["G/N Supply Voltage 12.1"]);
    assert_eq!(bench.letter(arrived, "G/NDATA/N", &voltage), read);
    bench.wait(1);
    bench.hear("G/NBIRTH/N", &node_birth(0)).expect("a birth");
    assert_eq!(bench.letter(arrived, "G/NDATA/N", &voltage), Err(DecodeErrorKind::NoBirth));
    let now = bench.now;
    assert_eq!(bench.letter(now, "G/NDATA/N", &voltage), read);
}
