use city_model::Value;
use serde_json::json;

use super::*;
use crate::testing::{self, Expected, RECEIVED, decode, number};
use crate::{At, DecodeErrorKind};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    Csv.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&Csv, options, topic, payload, expected);
}

fn at(place: &str) -> At {
    At::Path(place.to_owned())
}

#[test]
fn a_cell_is_a_value() {
    let decoder = compile(&json!({"delimiter": ";", "device": "id", "time": "t",
        "time_offset": "Z", "lon": "lon", "lat": "lat", "sequence": "n",
        "values": {"P1": "pm10", "P2": {"metric": "pm25", "unit": "ug/m3"}, "P9": "no2"}}));
    let table = "\u{feff}id;lat;lon;t;P1;P2;n\r\n7;45.5;11.6;2026-02-22T00:00:44;47.40;;1\r\n\
                 8;;;2016-07-14T13:02:46.949036+00:00;7.71;5.03;\r\n9;45.6;11.7;;;;\r\n";
    let values = decode(&*decoder, "t", table).expect("values");
    let got: Vec<_> = values
        .iter()
        .map(|v| (v.device.as_deref(), v.metric.as_ref(), v.value.clone(), v.position, v.sequence))
        .collect();
    assert_eq!(
        got,
        [
            (Some("7"), "pm10", number(47.4), Some((11.6, 45.5)), Some(1)),
            (Some("8"), "pm10", number(7.71), None, None),
            (Some("8"), "pm25", number(5.03), None, None),
            (Some("9"), "position_fix", Value::Bool(true), Some((11.7, 45.6)), None),
        ]
    );
    assert_eq!(values[1].time.expect("a time").to_string(), "2016-07-14T13:02:46.949036Z");
    assert_eq!((values[2].unit.as_deref(), values[3].time), (Some("ug/m3"), None));
}

#[test]
fn a_row_is_a_value() {
    let options = json!({"device": "location", "parameter": "parameter", "value": "value",
        "unit": "unit", "metrics": {"o3": "ozone"}});
    let table = "location,parameter,value,unit,note\n\"Rd., \"\"Thon\"\" Buri\",o3,0.006,ppm,\n\
                 b,bc,1.2,µg/m³,x\nb,co,,ppm,\n";
    let expected = [
        (Some("Rd., \"Thon\" Buri"), "ozone", Some("ppm"), number(0.006)),
        (Some("b"), "bc", Some("µg/m³"), number(1.2)),
    ];
    check(&options, "t", table, &expected);
}

#[test]
fn without_values_all_other_columns_count() {
    let table = "id,temp,open,note,flag\na,21.5,true,fine,nan\n";
    let expected =
        [(Some("a"), "temp", None, number(21.5)), (Some("a"), "open", None, Value::Bool(true))];
    check(&json!({"device": "id"}), "t", table, &expected);
    let named = json!({"device": "id", "metrics": {"note": "remark"}, "unmapped": "ignore"});
    let expected = [(Some("a"), "remark", None, Value::from("fine"))];
    check(&named, "t", table, &expected);
}

#[test]
fn tables_without_a_header() {
    let table = "# made today\na|21,5|2026-11-23 08:30\nb|-1|2026-11-23 08:31\n";
    let expected = [
        (Some("a"), "temperature", None, number(21.5)),
        (Some("b"), "temperature", None, number(-1.0)),
    ];
    let numbered = json!({"header": false, "delimiter": "|", "decimal": ",", "comment": "#",
        "device": 1, "time": 3, "time_format": "%Y-%m-%d %H:%M", "time_offset": "Z",
        "values": {"2": "temperature"}});
    check(&numbered, "t", table, &expected);
    let named = json!({"header": false, "columns": ["who", "t", "when"], "delimiter": "|",
        "decimal": ",", "comment": "#", "device": "who", "values": {"t": "temperature"}});
    check(&named, "t", table, &expected);
    let open = json!({"header": false, "delimiter": "|", "decimal": ",", "comment": "#",
        "metrics": {"1": {"ignore": true}, "2": "x"}});
    let expected = [(None, "x", None, number(21.5)), (None, "x", None, number(-1.0))];
    check(&open, "t", table, &expected);
}

#[test]
fn with_a_decimal_comma_a_point_parts_thousands() {
    let options = json!({"delimiter": ";", "decimal": ",", "device": "id", "lat": "y", "lon": "x"});
    let table = "id;y;x;t;p;day\na;45.528;11,56;21,5;1.013,25;23.11.2026\n";
    let expected = [(Some("a"), "t", None, number(21.5)), (Some("a"), "p", None, number(1_013.25))];
    check(&options, "t", table, &expected);
    let decoder = compile(&options);
    let values = decode(&*decoder, "t", table).expect("values");
    assert_eq!(values[0].position, Some((11.56, 45.528)));
    let named = json!({"delimiter": ";", "decimal": ",", "device": "id", "values": {"t": "dust"}});
    check(&named, "t", "id;t\na;1.234\n", &[(Some("a"), "dust", None, number(1_234.0))]);
    let long = json!({"delimiter": ";", "decimal": ",", "device": "id", "parameter": "what",
        "value": "v"});
    check(&long, "t", "id;what;v\na;p;1.234,5\n", &[(Some("a"), "p", None, number(1_234.5))]);
    for (options, table, place) in [
        (&options, "id;t\na;1\nb;12.5\n", "line 3, column t"),
        (&named, "id;t\na;12.5\n", "line 2, column t"),
        (&long, "id;what;v\na;p;1.23,4\n", "line 2, column v"),
    ] {
        let decoder = compile(options);
        let error = decode(&*decoder, "t", table).expect_err(table);
        assert_eq!((error.kind, error.at), (DecodeErrorKind::BadValue, at(place)), "{table}");
        assert!(error.hint.contains("decimal"), "{}", error.hint);
    }
    // A column that nobody asked for says nothing, whatever it holds.
    for more in [
        json!({"metrics": {"version": {"ignore": true}}}),
        json!({"metrics": {"t": "t"}, "unmapped": "ignore"}),
    ] {
        let mut options = json!({"delimiter": ";", "decimal": ",", "device": "id"});
        options.as_object_mut().expect("a table").extend(more.as_object().expect("one").clone());
        let expected = [(Some("a"), "t", None, number(1.5))];
        check(&options, "t", "id;t;version\na;1,5;1.2\n", &expected);
    }
}

#[test]
fn errors_name_row_and_column() {
    use DecodeErrorKind::{BadDevice, BadTime, BadValue, Malformed, NoValues, WrongShape};
    let decoder = compile(&json!({"device": "id", "time": "t", "lon": "x", "lat": "y",
        "sequence": "n", "values": {"v": "pm25"}}));
    let long = "y".repeat(129);
    for (rows, kind, place) in [
        ("id,t,v\na,2026-11-23T08:30:00Z,1\nb,soon,2", BadTime, at("line 3, column t")),
        ("id,t,v\na,2026-11-23T08:30:00Z\n", Malformed, at("line 2")),
        ("id,t,v\na,,1,5\n", Malformed, at("line 2")),
        ("id,t,x,y\na,,east,2", BadValue, at("line 2, column x")),
        ("id,t,n,v\na,,-1,2", BadValue, at("line 2, column n")),
        ("id,t,v\na\u{7},,1", BadDevice, at("line 2, column id")),
        (&*format!("id,t,v\n{long},,1"), BadDevice, at("line 2, column id")),
        ("id,v\na,1", WrongShape, at("line 1")),
        ("id;t;v\na;;1", WrongShape, at("line 1")),
        ("id,t,v\n", NoValues, At::Message),
        ("id,t,w\na,,1", NoValues, At::Message),
        ("", NoValues, At::Message),
    ] {
        let error = decode(&*decoder, "t", rows).expect_err(rows);
        assert_eq!((error.kind, &error.at), (kind, &place), "{rows:?}: {error}");
    }
    let mut out = Vec::new();
    let message = Message::new("t", b"id,t,v\na,,\xff", RECEIVED);
    let error = decoder.decode(&message, &mut out).expect_err("bytes");
    assert_eq!((error.kind, error.at), (Malformed, at("line 2, column v")));
}

#[test]
fn hostile_tables_stay_within_the_limits() {
    let open = compile(&json!({}));
    let many = format!("v\n{}", "1\n".repeat(100_001));
    let error = decode(&*open, "t", &many).expect_err("many");
    assert_eq!(error.kind, DecodeErrorKind::TooManyValues);
    let wide = format!("{}\n{}", "a,".repeat(200_000), "1,".repeat(200_000));
    assert!(decode(&*open, "t", &wide).is_err());
    let quoted = format!("a\n\"{}", "x".repeat(500_000));
    let metrics = compile(&json!({"metrics": {"a": "note"}}));
    assert_eq!(decode(&*metrics, "t", &quoted).expect_err("long").kind, DecodeErrorKind::BadValue);
}

#[test]
fn bad_options_are_refused() {
    for (options, key) in [
        (json!({"delimiter": ";;"}), "delimiter"),
        (json!({"delimiter": ""}), "delimiter"),
        (json!({"delimiter": "、"}), "delimiter"),
        (json!({"delimiter": "\""}), "delimiter"),
        (json!({"decimal": "·"}), "decimal"),
        (json!({"device": 0}), "device"),
        (json!({"device": true}), "device"),
        (json!({"lat": "y"}), "lon"),
        (json!({"values": {}}), "values"),
        (json!({"values": {"a": "x"}, "value": "v"}), "values"),
        (json!({"parameter": "p"}), "value"),
        (json!({"unit": "u"}), "value"),
        (json!({"columns": ["a"]}), "columns"),
        (json!({"header": false, "columns": [1]}), "columns"),
        (json!({"header": "no"}), "header"),
    ] {
        let error = Csv.compile(&options).err().expect("refused");
        assert_eq!(error.key(), Some(key), "{error}");
    }
}
