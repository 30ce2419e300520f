//! What metrics become.

use super::*;

/// The data types' table with values that signed and unsigned integers share on the wire.
#[test]
fn every_data_type_is_a_reading_or_none() {
    let bench = Bench::new(&json!({}));
    let minus_one = u64::MAX;
    let cases = [
        (1, SentValue::Int(u32::MAX), Some("-1")),
        (1, SentValue::Int(0x80), Some("-128")),
        (2, SentValue::Int(0xffff_8000), Some("-32768")),
        (3, SentValue::Int(0x8000_0000), Some("-2147483648")),
        (4, SentValue::Long(minus_one), Some("-1")),
        (5, SentValue::Int(255), Some("255")),
        (7, SentValue::Int(u32::MAX), Some("4294967295")),
        (7, SentValue::Long(4_294_967_295), Some("4294967295")),
        (8, SentValue::Long(u64::MAX), Some("18446744073709552000")),
        (9, SentValue::Float(36.6), Some("36.6")),
        (9, SentValue::Float(f32::NAN), None),
        (10, double(-0.1), Some("-0.1")),
        (10, double(f64::INFINITY), None),
        (11, SentValue::Boolean(true), Some("true")),
        (12, SentValue::Text("on".into()), Some("\"on\"")),
        (13, SentValue::Long(1_486_144_502_122), Some("\"2017-02-03T17:55:02.122Z\"")),
        (14, SentValue::Text("note".into()), Some("\"note\"")),
        (15, SentValue::Text("6ba7b810".into()), Some("\"6ba7b810\"")),
        (17, SentValue::Bytes(vec![1, 2]), None),
        (22, SentValue::Bytes(vec![1, 2]), None),
    ];
    for (datatype, value, expected) in cases {
        let birth = sent(Some(0), vec![metric("x", datatype, value.clone())]);
        let mut expected_lines = vec!["G/N online true".to_owned()];
        expected_lines.extend(expected.map(|expected| format!("G/N x {expected}")));
        assert_eq!(bench.hear("G/NBIRTH/N", &birth), Ok(expected_lines), "{datatype} {value:?}");
    }
    for (datatype, value) in [(1, double(1.0)), (11, SentValue::Int(1)), (12, double(1.0))] {
        let birth = sent(Some(0), vec![metric("x", datatype, value)]);
        assert_eq!(bench.hear("G/NBIRTH/N", &birth), Err(DecodeErrorKind::BadValue));
        // What is wrong with one value does not make the node unborn.
        let known = sent(Some(1), vec![metric("y", 10, double(1.0))]);
        assert_eq!(bench.hear("G/NDATA/N", &known), good(&["G/N y 1"]));
        assert_eq!(bench.asked(), [""; 0]);
    }
}

#[test]
fn null_and_transient_values_are_none_and_historical_ones_have_their_time() {
    let bench = Bench::born(&json!({}));
    let earlier = (START as u64 - 3_600) * 1_000;
    let historical = SentMetric {
        timestamp: Some(earlier),
        is_historical: Some(true),
        ..aliased(17, double(19.0))
    };
    let null = SentMetric { is_null: Some(true), value: None, ..aliased(17, double(0.0)) };
    let transient = SentMetric { is_transient: Some(true), ..aliased(17, double(5.0)) };
    let payload = sent(Some(2), vec![historical, null.clone(), transient]);
    let values = bench.full("G/DDATA/N/D", &payload).expect("values");
    assert_eq!(lines(&values), ["G/N/D Temperature 19"]);
    assert_eq!(values[0].time, Some(Timestamp::from_secs(START - 3_600)));
    assert_eq!(bench.hear("G/DDATA/N/D", &sent(Some(3), vec![null])), good(&[]));
}

#[test]
fn properties_give_unit_and_quality() {
    let with = |unit: Option<&str>, quality: Option<u32>| {
        let mut properties = SentProperties { keys: vec!["Low".into()], values: vec![] };
        properties.values.push(SentProperty { int: Some(3), ..SentProperty::default() });
        if let Some(quality) = quality {
            properties.keys.push("Quality".into());
            properties.values.push(SentProperty {
                datatype: Some(3),
                int: Some(quality),
                text: None,
            });
        }
        if let Some(unit) = unit {
            properties.keys.push("engUnit".into());
            properties.values.push(SentProperty {
                datatype: Some(12),
                int: None,
                text: Some(unit.into()),
            });
        }
        Some(properties)
    };
    let bench = Bench::new(&json!({}));
    let level = SentMetric {
        alias: Some(1),
        properties: with(Some("cm"), Some(192)),
        ..metric("Level", 10, double(1.0))
    };
    let values = bench.full("G/NBIRTH/N", &sent(Some(0), vec![level])).expect("values");
    assert_eq!((values[1].unit.as_deref(), values[1].quality), (Some("cm"), None));
    for (seq, (code, expected)) in (1..).zip([
        (None, None),
        (Some(192), None),
        (Some(0), Some(Quality::Fail)),
        (Some(500), Some(Quality::Suspect)),
        (Some(64), Some(Quality::Suspect)),
    ]) {
        let level = SentMetric { properties: with(None, code), ..aliased(1, double(2.0)) };
        let values = bench.full("G/NDATA/N", &sent(Some(seq), vec![level])).expect("values");
        assert_eq!((values[0].unit.as_deref(), values[0].quality), (Some("cm"), expected));
    }
}

#[test]
fn members_of_templates_are_metrics_and_definitions_are_not() {
    let bench = Bench::new(&json!({}));
    let members =
        vec![metric("rpm", 3, SentValue::Int(900)), metric("hot", 11, SentValue::Boolean(false))];
    let motor = |definition| {
        let template = SentTemplate { metrics: members.clone(), is_definition: Some(definition) };
        SentValue::Template(template)
    };
    let outer = SentTemplate {
        metrics: vec![metric("motor", 19, motor(false))],
        is_definition: Some(false),
    };
    let birth = sent(
        Some(0),
        vec![metric("Motor", 19, motor(true)), metric("Pump", 19, SentValue::Template(outer))],
    );
    assert_eq!(
        bench.hear("G/NBIRTH/N", &birth),
        good(&["G/N online true", "G/N Pump/motor/rpm 900", "G/N Pump/motor/hot false"])
    );
    let mut deep = motor(false);
    for _ in 0..MAX_TEMPLATES {
        let metrics = vec![metric("x", 19, deep)];
        deep = SentValue::Template(SentTemplate { metrics, is_definition: None });
    }
    let birth = sent(Some(0), vec![metric("Deep", 19, deep)]);
    assert_eq!(bench.hear("G/NBIRTH/N", &birth), Err(DecodeErrorKind::TooDeep));
}
