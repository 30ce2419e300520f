//! HJ 212-2025: its published frames, plain and encrypted, and what a key is for.

use super::*;

const FRAMES: &str = include_str!("../../../../testdata/hj212/hj212_2025.json");
/// Annex A.2: 16 times 0x30.
const KEY: &str = "30303030303030303030303030303030";

fn published() -> Vec<Json> {
    serde_json::from_str(FRAMES).expect("JSON")
}

fn text<'v>(vector: &'v Json, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("no {name} in {vector}"))
}

/// The ciphertext as the bytes that it is, in the frame of its notation.
fn raw(vector: &Json) -> Vec<u8> {
    let (head, rest) = text(vector, "input").split_once('{').expect("the notation");
    let crc = rest.rsplit_once("&&").expect("an end").1;
    let digits = text(vector, "ciphertext").as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).expect("text"), 16).expect("digits");
    let bytes: Vec<u8> = digits.map(byte).collect();
    [head.as_bytes(), &bytes, b"&&", crc.as_bytes()].concat()
}

#[test]
fn the_published_frames_are_read_plain_raw_and_as_they_are_printed() {
    let vectors = published();
    let (mut plain, mut encrypted) = (0, 0);
    let key = Sm4Key::from_hex(KEY).expect("a key");
    for vector in &vectors {
        let crc = u16::from_str_radix(text(vector, "crc"), 16).expect("hexadecimal");
        let printed = text(vector, "input").as_bytes();
        let Some(of) = vector["plain"].as_str() else {
            let frame = Frame::parse(printed).expect("a frame");
            assert!(frame.length_is_right());
            assert_eq!((frame.crc, frame.checksums().standard), (crc, crc));
            assert_eq!(frame.open(Some(&key)), Opened::Plain);
            assert_eq!(frame.head().expect("a head").flag.map(frame::Flag::version), Some(2));
            plain += 1;
            continue;
        };
        let original = vectors.iter().find(|vector| vector["name"] == of).expect("the plain one");
        let original = Frame::parse(text(original, "input").as_bytes()).expect("a frame");
        for sent in [printed, &raw(vector)] {
            assert_eq!(frame::next(sent), Step::Frame(sent.len()));
            let frame = Frame::parse(sent).expect("a frame");
            let opened = frame.open(Some(&key));
            assert_eq!(opened.frame(&frame), original);
            assert_eq!(frame.open(None), Opened::Locked);
        }
        assert!(Frame::parse(&raw(vector)).expect("a frame").length_is_right());
        encrypted += 1;
    }
    assert_eq!((plain, encrypted), (3, 2));
}

#[test]
fn encrypted_data_give_the_same_values_as_plain_ones() {
    let vectors = published();
    let decoder = compile(&json!({"sm4_key": KEY, "crc": "standard"}));
    let plain = decode(&*decoder, text(&vectors[3], "input").as_bytes()).expect("values");
    assert_eq!(
        described(&plain),
        [
            "stack_velocity_min_minute 1.35 m/s",
            "stack_velocity_avg_minute 1.35 m/s",
            "stack_velocity_max_minute 1.35 m/s",
            "stack_humidity_min_minute 3.2 %",
            "stack_humidity_avg_minute 3.2 %",
            "stack_humidity_max_minute 3.2 %"
        ]
    );
    for sent in [text(&vectors[4], "input").as_bytes(), &raw(&vectors[4])] {
        assert_eq!(decode(&*decoder, sent).expect("values"), plain);
        // Behind another one, as a listener puts them together.
        let both = [&raw(&vectors[2]), sent].concat();
        assert_eq!(decode(&*decoder, &both).expect("values").len(), 9 + 6);
    }
}

#[test]
fn without_its_key_a_frame_is_said_to_be_encrypted_and_with_another_that_the_key_is_wrong() {
    let vectors = published();
    for sent in [text(&vectors[4], "input").as_bytes(), &raw(&vectors[4])] {
        for crc in ["either", "ignore"] {
            let error = decode(&*compile(&json!({"crc": crc})), sent).expect_err("locked");
            assert_eq!(error.kind, DecodeErrorKind::NoCodec);
            assert!(error.message.contains("encrypted") && error.hint.contains("sm4_key"));
        }
        let other = "c0ffeec0ffeec0ffeec0ffeec0ffee00";
        let decoder = compile(&json!({"sm4_key": other}));
        let error = decode(&*decoder, sent).expect_err("another key");
        assert_eq!(error.kind, DecodeErrorKind::BadChecksum);
        assert!(error.message.contains("decrypted") && error.hint.contains("sm4_key"), "{error}");
        assert!(!format!("{error:?}").contains(other), "a key is never shown");
    }
    // A device that asks for a new key says nothing that is measured, whatever it is.
    let exchange = text(&vectors[4], "input").replace("CN=2051", "CN=1014");
    assert_eq!(decode(&*compile(&json!({})), exchange.as_bytes()).expect("understood"), []);
}

/// What a disturbance makes of it must be sent again, not kept for a key that does not exist.
#[test]
fn a_disturbed_frame_of_an_earlier_edition_is_not_taken_for_an_encrypted_one() {
    let segment = "QN=1;ST=31;CN=2051;MN=M;Flag=5;CP=&&DataTime=20261123160500;a01901-Avg=912.5&&";
    let mut disturbed = framed(segment);
    let place = 6 + segment.find("DataTime").expect("data");
    disturbed[place + 3] ^= 0x80;
    let error = decode(&*compile(&json!({})), &disturbed).expect_err("disturbed");
    assert_eq!(error.kind, DecodeErrorKind::BadChecksum);
}

#[test]
fn a_flipped_bit_in_ciphertext_is_noticed() {
    let decoder = compile(&json!({"sm4_key": KEY}));
    let mut broken = raw(&published()[4]);
    broken[100] ^= 1;
    let error = decode(&*decoder, &broken).expect_err("a flipped bit");
    assert_eq!(error.kind, DecodeErrorKind::BadChecksum);
}

#[test]
fn a_furnaces_temperature_comes_every_five_minutes() {
    let segment = "ST=31;CN=2111;MN=M;Flag=9;CP=&&DataTime=20261123160500;a01901-Avg=912.5&&";
    assert_eq!(of(&json!({}), segment), ["a01901_avg_five_minutes 912.5 -"]);
    assert_eq!(of(&json!({"plain": "minute"}), segment), ["a01901_avg_five_minutes 912.5 -"]);
    let untimed = framed("QN=20261123160501000;ST=31;CN=2111;MN=M;Flag=9;CP=&&a01901-Avg=9&&");
    let error = decode(&*compile(&json!({})), &untimed).expect_err("of when?");
    assert_eq!(error.kind, DecodeErrorKind::BadTime);
}
