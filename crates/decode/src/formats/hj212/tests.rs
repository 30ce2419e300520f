//! HJ 212 against the published frames, and its own rules.

mod edition_2025;
mod statistics;

use city_model::{Quality, Value, unit};
use serde_json::{Value as Json, json};

use super::frame::MAX_FRAME;
use super::*;
use crate::Decoded;

const FRAMES: &str = include_str!("../../../testdata/hj212/hj212.json");

fn vectors() -> Vec<Json> {
    serde_json::from_str(FRAMES).expect("JSON")
}

fn decode<'a>(
    decoder: &'a dyn Decoder,
    payload: &'a [u8],
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let mut out = Vec::new();
    let message = Message::new("hj212/x", payload, Timestamp::from_secs(1_800_000_000));
    decoder.decode(&message, &mut out).map(|()| out)
}

fn compile(options: &Json) -> Box<dyn Decoder> {
    Hj212.compile(options).expect("valid options")
}

fn framed(segment: &str) -> Vec<u8> {
    frame::encode(segment, CrcKind::Standard)
}

/// A field or item once is a text, more often a list, as the vectors have it.
fn collected<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Json {
    let mut fields = serde_json::Map::new();
    for (name, value) in pairs {
        match fields.get_mut(name) {
            None => {
                fields.insert(name.to_owned(), json!(value));
            }
            Some(Json::Array(list)) => list.push(json!(value)),
            Some(first) => *first = json!([first.clone(), value]),
        }
    }
    Json::Object(fields)
}

/// All 33: length, both checksums apart, head and data of 32 frames, and one checksum alone.
#[test]
fn all_33_published_frames_are_read_with_both_checksums_apart() {
    let (mut frames, mut standard, mut modbus, mut neither) = (0, 0, 0, 0);
    for vector in vectors() {
        let (input, expected) = (vector["input"].as_str().expect("text"), &vector["expected"]);
        let crc = |text: &str| u16::from_str_radix(text, 16).expect("hexadecimal");
        let expected_crc = crc(expected["crc_hj212"].as_str().expect("text"));
        if vector["format"] == "hj212-crc-only" {
            assert_eq!(frame::Checksums::of(input.as_bytes()).standard, expected_crc);
            frames += 1;
            continue;
        }
        assert_eq!(frame::next(input.as_bytes()), Step::Frame(input.len()), "{input}");
        let frame = Frame::parse(input.as_bytes()).expect("a frame");
        assert_eq!(frame.declared as u64, expected["declared_length"], "{input}");
        assert_eq!(frame.segment.len() as u64, expected["actual_length"], "{input}");
        assert_eq!(frame.length_is_right(), expected["length_ok"] == true, "{input}");
        assert_eq!(frame.crc, crc(expected["crc_in_message"].as_str().expect("text")));
        let checksums = frame.checksums();
        assert_eq!(checksums.standard, expected_crc, "{input}");
        assert_eq!(checksums.standard == frame.crc, expected["crc_ok"] == true, "{input}");
        match (checksums.kind(frame.crc), expected["crc_note"].as_str()) {
            (Some(CrcKind::Standard), None) => standard += 1,
            (Some(CrcKind::Modbus), Some(note)) if note.contains("Modbus") => modbus += 1,
            (None, Some(note)) if note.contains("no known variant") => neither += 1,
            other => panic!("{other:?}: {input}"),
        }
        let head = frame.head().expect("a head");
        let number = |number: u16| number.to_string();
        let (flag, pnum) = (head.flag.map(|flag| number(flag.0.into())), head.pnum.map(number));
        let pno = head.pno.map(number);
        let fields = [
            ("QN", head.qn),
            ("ST", head.st),
            ("CN", head.cn),
            ("PW", head.pw),
            ("MN", head.mn),
            ("Flag", flag.as_deref().unwrap_or_default()),
            ("PNUM", pnum.as_deref().unwrap_or_default()),
            ("PNO", pno.as_deref().unwrap_or_default()),
        ];
        let expected_head = &expected["fields"]["head"];
        for (name, value) in fields {
            assert_eq!(value, expected_head[name].as_str().unwrap_or_default(), "{input}");
        }
        assert_eq!(collected(head.items()), expected["fields"]["cp"], "{input}");
        frames += 1;
    }
    assert_eq!((frames, standard, modbus, neither), (33, 13, 16, 3));
}

/// What each of the 32 frames gives with the default options: values, nothing on purpose, or why not.
#[test]
fn the_published_frames_give_readings_or_say_why_not() {
    let decoder = compile(&json!({}));
    let (mut with_values, mut values, mut without, mut refused, mut bare) = (0, 0, 0, 0, 0);
    for vector in vectors().iter().filter(|vector| vector["format"] == "hj212") {
        let input = vector["input"].as_str().expect("text");
        match decode(&*decoder, input.as_bytes()) {
            Ok(found) if found.is_empty() => without += 1,
            Ok(found) => {
                with_values += 1;
                values += found.len();
                assert!(found.iter().all(|value| value.time.is_some()), "{input}");
            }
            Err(error) if error.kind == DecodeErrorKind::BadChecksum => {
                let standard = vector["expected"]["crc_hj212"].as_str().expect("text");
                assert!(error.message.contains(standard), "{error}");
                assert_eq!(vector["expected"]["crc_ok"], false);
                refused += 1;
            }
            // Requests for data by a host, which carry none.
            Err(error) => {
                assert!(
                    matches!(error.kind, DecodeErrorKind::NoValues | DecodeErrorKind::BadTime),
                    "{error}: {input}"
                );
                bare += 1;
            }
        }
    }
    assert_eq!((with_values + without + refused + bare, refused), (32, 3));
    assert_eq!((with_values, values, without, bare), (11, 192, 15, 3));
}

fn described(values: &[Decoded<'_>]) -> Vec<String> {
    let show = |value: &Decoded<'_>| {
        let unit = value.unit.as_deref().unwrap_or("-");
        let quality = value.quality.map(|quality| format!(" {quality:?}")).unwrap_or_default();
        let number = match &value.value {
            Value::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        format!("{} {number} {unit}{quality}", value.metric)
    };
    values.iter().map(show).collect()
}

fn of(options: &Json, segment: &str) -> Vec<String> {
    let frame = framed(segment);
    let decoder = compile(options);
    described(&decode(&*decoder, &frame).expect("values"))
}

#[test]
fn an_air_stations_values_have_names_units_and_the_devices_verdict() {
    let segment = "QN=1;ST=22;CN=2011;PW=1;MN=M-1;Flag=4;CP=&&DataTime=20261123163000;\
        a34004-Rtd=14,a34004-Flag=N;a21004-Rtd=4,a21004-Flag=T;a21005-Rtd=0.4,a21005-Flag=D;\
        a01006-Rtd=98.7,a01006-Flag=B;a01008-Rtd=11;a01002-Flag=M;a01002-Rtd=85;\
        a99999-Rtd=1,a99999-Flag=?;SB1-RS=1;i11001-Info=//washed, refilled//&&";
    let expected = [
        "pm25 14 ug/m3",
        "no2 4 ug/m3 Suspect",
        "co 0.4 mg/m3 Fail",
        "pressure 98.7 kPa Missing",
        "wind_direction 11 deg",
        "humidity 85 % Fail",
        "a99999 1 - Suspect",
        "SB1-RS 1 -",
        "i11001-Info Text(\"washed, refilled\") -",
    ];
    assert_eq!(of(&json!({}), segment), expected);
    let frame = framed(segment);
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, &frame).expect("values");
    assert!(values[3].missing, "out of reach: the number is not measured");
    for value in values {
        assert_eq!(value.device.as_deref(), Some("M-1"));
        assert_eq!(value.time, Some(Timestamp::from_secs(1_795_422_600)));
    }
}

#[test]
fn every_known_factor_has_a_metric_of_the_catalogue_in_a_unit_that_converts() {
    let catalogue = city_model::Catalogue::embedded();
    let codes = "a34004 a34002 a34001 a21026 a21004 a21003 a21002 a05024 a21005 a01001 a01002 \
        a01006 a01007 a01008 a00000 a19001 a01011 a01012 a01013 a01014 a34013 w00000 w01001 w01009 \
        w01010 w01012 w01014 w01018 w21003 w21011 w21001 LA Leq L10 L50 L90 LMx LMn";
    // These have names and a unit; the catalogue says nothing about them.
    for code in ["L5", "L95", "Ld", "Ln", "Ldn"] {
        let name = format!("noise_{}", code.to_lowercase());
        assert_eq!(factors::metric(code, "23"), Some((name.as_str(), "dB")));
    }
    for st in ["22", "31", "32"] {
        for code in codes.split_whitespace() {
            let Some((metric, unit)) = factors::metric(code, st) else {
                assert_eq!((code, st == "31"), ("a34013", false), "{code}");
                continue;
            };
            let metric = catalogue.by_id(metric).unwrap_or_else(|| panic!("no metric {metric}"));
            unit::conversion(unit, &metric.unit).unwrap_or_else(|error| panic!("{code}: {error}"));
        }
    }
}

#[test]
fn a_nan_is_a_missing_value_and_none_about_the_others() {
    let segment = "ST=22;CN=2011;MN=M;CP=&&DataTime=20261123160000;\
        a34004-Rtd=NaN,a34004-Flag=N;a34002-Rtd=inf;a21005-Rtd=0.4;a21004-Rtd=-nan,a21004-Flag=D&&";
    let frame = framed(segment);
    for options in [json!({}), json!({"metrics": {"a34004": "pm25", "pm10": "pm10"}})] {
        let decoder = compile(&options);
        let values = decode(&*decoder, &frame).expect("values");
        let got: Vec<_> = values.iter().map(|v| (&*v.metric, v.missing, v.quality)).collect();
        let missing = Some(Quality::Missing);
        assert_eq!(
            got,
            [
                ("pm25", true, missing),
                ("pm10", true, missing),
                ("co", false, None),
                ("no2", true, missing)
            ]
        );
        assert_eq!(values[0].value, Value::from("NaN"), "as it was sent");
        assert_eq!(values[0].unit.as_deref(), Some("ug/m3"));
    }
}

#[test]
fn the_checksum_that_a_source_asks_for_is_the_one_that_counts() {
    let segment = "ST=22;CN=2011;MN=M;CP=&&DataTime=20261123160000;a34004-Rtd=1&&";
    let standard = frame::encode(segment, CrcKind::Standard);
    let modbus = frame::encode(segment, CrcKind::Modbus);
    let mut broken = standard.clone();
    let place = broken.windows(4).position(|four| four == b"Rtd=").expect("a value");
    broken[place + 4] = b'7';
    let good = |crc: &str, frame: &[u8]| decode(&*compile(&json!({"crc": crc})), frame).is_ok();
    for (crc, expected) in [
        ("either", [true, true, false]),
        ("standard", [true, false, false]),
        ("modbus", [false, true, false]),
        ("ignore", [true, true, true]),
    ] {
        let got = [good(crc, &standard), good(crc, &modbus), good(crc, &broken)];
        assert_eq!(got, expected, "{crc}");
    }
    let decoder = compile(&json!({}));
    let error = decode(&*decoder, &broken).expect_err("a flipped bit");
    assert_eq!(error.kind, DecodeErrorKind::BadChecksum);
    let checksums = Frame::parse(&broken).expect("a frame").checksums();
    for crc in [checksums.standard, checksums.modbus] {
        assert!(error.message.contains(&format!("{crc:04X}")), "{error}");
    }
    let long = [b"##9000", &standard[6..]].concat();
    assert!(decode(&*decoder, &long).is_ok(), "the checksum says that it is whole");
}

#[test]
fn packets_of_one_transmission_share_their_time() {
    let head = "QN=1;ST=22;CN=2051;PW=1;MN=M;Flag=6;PNUM=3";
    let first = framed(&format!("{head};PNO=1;CP=&&DataTime=20261123163000;a34004-Avg=1&&"));
    let second = framed(&format!("{head};PNO=2;CP=&&a34002-Avg=2&&"));
    let third = framed(&format!("{head};PNO=3;CP=&&a21005-Avg=2&&"));
    let decoder = compile(&json!({}));
    for packets in [vec![&first, &second, &third], vec![&first, &third]] {
        let together: Vec<u8> = packets.iter().copied().flatten().copied().collect();
        let values = decode(&*decoder, &together).expect("values");
        assert_eq!(values.len(), packets.len());
        assert!(values.iter().all(|v| v.time == Some(Timestamp::from_secs(1_795_422_600))));
    }
    let error = decode(&*decoder, &second).expect_err("alone");
    assert_eq!(error.kind, DecodeErrorKind::BadTime);
    assert!(error.message.contains("packet 2"), "{error}");
    assert_eq!(decode(&*decoder, &first).expect("whole in itself").len(), 1);
    let other = framed("ST=22;CN=2051;MN=X;Flag=6;PNUM=3;PNO=2;CP=&&a34002-Avg=2&&");
    assert!(decode(&*decoder, &[first.clone(), other].concat()).is_err(), "another device's");
    let longer = framed("ST=22;CN=2051;MN=M;Flag=6;PNUM=4;PNO=2;CP=&&a34002-Avg=2&&");
    assert!(decode(&*decoder, &[first.clone(), longer].concat()).is_err(), "another one's");
    // Behind the last packet the next transmission begins, whose first one was lost here.
    let next = [first, second.clone(), third, second].concat();
    assert_eq!(decode(&*decoder, &next).expect_err("lost").kind, DecodeErrorKind::BadTime);
}

#[test]
fn times_are_local_and_a_factor_may_have_its_own() {
    let segment = "QN=20261123163001123;ST=32;CN=2011;MN=M;CP=&&w01018-Rtd=1,\
        w01018-SampleTime=20261123160000;w01001-Rtd=7&&";
    let frame = framed(segment);
    let decoder = compile(&json!({"time_offset": "+07:00"}));
    let times: Vec<_> =
        decode(&*decoder, &frame).expect("values").iter().map(|value| value.time).collect();
    let later = Timestamp::from_micros((1_795_426_201) * 1_000_000 + 123_000);
    assert_eq!(times, [Some(Timestamp::from_secs(1_795_424_400)), Some(later)]);
    let bad = framed("ST=32;CN=2011;MN=M;CP=&&DataTime=20261323160000;w01018-Rtd=1&&");
    assert_eq!(decode(&*decoder, &bad).expect_err("month 13").kind, DecodeErrorKind::BadTime);
}

#[test]
fn what_has_no_values_on_purpose_is_no_dead_letter_and_garbage_is() {
    let decoder = compile(&json!({}));
    for segment in [
        "QN=1;ST=91;CN=9014;MN=M;Flag=4;CP=&&&&",
        "QN=1;ST=91;CN=9015;MN=M;Flag=9;CP=&&&&",
        "QN=1;ST=91;CN=1001;MN=M;Flag=9;CP=&&CPUID=1&&",
        "QN=1;ST=22;CN=2081;MN=M;Flag=5;CP=&&DataTime=20261123160000;RestartTime=20261123155900&&",
        "QN=1;ST=22;CN=3019;MN=M;Flag=5;CP=&&PolId=a34004,SN=17&&",
    ] {
        let frame = framed(segment);
        assert_eq!(decode(&*decoder, &frame).expect("understood"), [], "{segment}");
    }
    let empty = framed("QN=20261123163001123;ST=22;CN=2011;MN=M;Flag=5;CP=&&&&");
    let error = decode(&*decoder, &empty).expect_err("no data in data");
    assert_eq!(error.kind, DecodeErrorKind::NoValues);
    for garbage in [&b""[..], b" \r\n", b"hello", b"##", b"##00", b"##0001", b"##0004CP=&1234\r\n"]
    {
        let error = decode(&*decoder, garbage).expect_err("no frame");
        assert!(matches!(error.kind, DecodeErrorKind::Malformed | DecodeErrorKind::BadChecksum));
    }
}

#[test]
fn bad_options_name_the_key() {
    for (options, key) in [
        (json!({"crc": "xor"}), "crc"),
        (json!({"time_offset": "8"}), "time_offset"),
        (json!({"plain": "week"}), "plain"),
        (json!({"units": {"a34004": "furlong"}}), "units.a34004"),
        (json!({"units": {"a34004": 3}}), "units.a34004"),
        (json!({"sm4_key": 30}), "sm4_key"),
        (json!({"sm4_key": "c0ffee"}), "sm4_key"),
        (json!({"sm4_key": "c0ffeec0ffeec0ffeec0ffeec0ffee!!"}), "sm4_key"),
    ] {
        let Err(error) = Hj212.compile(&options) else { panic!("{options}") };
        assert_eq!(error.key(), Some(key), "{error}");
        assert!(!format!("{error} {error:?}").contains("c0ffee"), "a key is never shown: {error}");
    }
}

/// Somebody else's frame between hashes, or longer than frames are: a listener finds no frame in
/// either, so nobody has looked at its password.
#[test]
fn what_is_no_frame_on_the_line_is_none_here_though_its_checksum_is_right() {
    let decoder = compile(&json!({}));
    let data = "DataTime=20261123163000;a34004-Rtd=35.2,".to_owned() + &"x".repeat(MAX_FRAME);
    let segment = format!("QN=1;ST=22;CN=2011;PW=1;MN=victim;Flag=4;CP=&&{data}&&");
    let crc = frame::Checksums::of(segment.as_bytes()).standard;
    let long = format!("##0001{segment}{crc:04X}");
    assert_eq!(frame::next(long.as_bytes()), Step::Garbage(long.len()));
    let error = decode(&*decoder, long.as_bytes()).expect_err("no frame");
    assert_eq!(error.kind, DecodeErrorKind::Malformed, "{error}");
    assert!(error.message.contains("at most 10011 bytes"), "{error}");
}
