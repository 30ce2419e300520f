//! How vendors write their files, as far as it asks something of the engine that the language's
//! books do not: `Buffer`, changes that can be made once only, functions found by their names.

use std::time::{Duration, Instant};

use city_codec::{JsCodec, Limits};
use city_decode::{Codec, CodecError, CodecOutput, Frame};
use city_model::{Timestamp, Value};
use serde_json::Map;

/// Enough for a debug build, which makes a realm in some milliseconds.
fn limits() -> Limits {
    Limits { time: Duration::from_millis(100), ..Limits::default() }
}

fn compile(source: &str) -> Result<JsCodec, CodecError> {
    JsCodec::new("test.js", source, &Map::new(), limits())
}

fn call(codec: &JsCodec, bytes: &[u8]) -> Result<Vec<(String, Value)>, CodecError> {
    let received = Timestamp::from_millis(1_795_422_600_250);
    let frame = Frame { device: "d1", bytes, f_port: Some(5), received };
    let mut out = CodecOutput::default();
    codec.decode_uplink(&frame, &mut out)?;
    Ok(out.values.into_iter().map(|value| (value.name, value.value)).collect())
}

/// Runs a script three times, because some of them work once; each must give these values.
fn check(source: &str, bytes: &[u8], expected: &[(&str, Value)]) {
    let codec = compile(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    for frame in 1..=3 {
        let found = call(&codec, bytes).unwrap_or_else(|error| panic!("{error}: {source}"));
        assert_eq!(found, expected, "frame {frame}: {source}");
    }
}

#[test]
fn a_buffer_reads_and_writes_as_in_chirpstack() {
    let source = "function decodeUplink(input) {
        var b = Buffer.from(input.bytes);
        return {data: {
            u16: b.readUInt16BE(0), i16: b.readInt16LE(2), u32: b.readUInt32BE(0),
            u24: b.readUIntBE(0, 3), u64: Number(b.readBigUInt64BE(0)), f: b.readFloatBE(8),
            hex: b.toString('hex'), base64: b.slice(0, 3).toString('base64'),
            text: Buffer.from('aGk=', 'base64').toString('ascii'), utf8: Buffer.from('é').length,
            list: Array.from(b.subarray(2, 4)).join(), is: Buffer.isBuffer(b),
            swapped: Buffer.from(input.bytes.slice(0, 4)).swap16().readUInt32BE(0),
            joined: Buffer.concat([Buffer.alloc(1, 7), new Buffer([8])]).toJSON().data.join(),
        }};
    }";
    let bytes = [0x12, 0x34, 0xfe, 0xff, 0, 0, 0, 1, 0x41, 0x48, 0, 0];
    let expected = [
        ("u16", 4660.0.into()),
        ("i16", Value::from(-2.0)),
        ("u32", 305_463_039.0.into()),
        ("u24", 1_193_214.0.into()),
        ("u64", 1_311_953_762_641_772_545.0.into()),
        ("f", 12.5.into()),
        ("hex", "1234feff0000000141480000".into()),
        ("base64", "EjT+".into()),
        ("text", "hi".into()),
        ("utf8", 2.0.into()),
        ("list", "254,255".into()),
        ("is", true.into()),
        ("swapped", 873_660_414.0.into()),
        ("joined", "7,8".into()),
    ];
    check(source, &bytes, &expected);
    let short =
        "function decodeUplink(i) {\n return {data: {x: Buffer.from(i.bytes).readUInt8(4)}}; }";
    let error = call(&compile(short).expect("a codec"), &[1]).expect_err("a short frame");
    assert_eq!(error.at, "test.js:2");
    assert!(error.message.starts_with("RangeError"), "{error}");
}

#[test]
fn a_files_own_buffer_comes_first() {
    for own in [
        "function Buffer(n) { this.n = n; }",
        "var Buffer = function (n) { this.n = n; };",
        "class Buffer { constructor(n) { this.n = n; } }",
        "const Buffer = function (n) { this.n = n; }; globalThis['x'] = 1;",
        "function Buffer(n) { this.n = n; } globalThis['x'] = 1;",
    ] {
        let source = format!(
            "{own} function decodeUplink(i) {{ var b = new Buffer(4);
                return {{data: {{n: b.n, from: typeof Buffer.from}}}}; }}"
        );
        check(&source, &[], &[("n", 4.0.into()), ("from", "undefined".into())]);
    }
}

/// It takes memory that a codec without it has for itself, and it is no way round the limits.
#[test]
fn a_buffer_costs_those_who_name_it() {
    let absent = "function decodeUplink(i) {
        return {data: {x: typeof globalThis['Buf' + 'fer'], y: new ArrayBuffer(2).byteLength}}; }";
    check(absent, &[], &[("x", "undefined".into()), ("y", 2.0.into())]);
    let listed = "function decodeUplink(i) { var names = [];
        for (var name in this) names.push(name);
        return {data: {names: names.join(), x: typeof Buffer}}; }";
    check(listed, &[], &[("names", "".into()), ("x", "function".into())]);
    for body in [
        "Buffer.alloc(1e9)",
        "Buffer.from({length: 1e9})",
        "for (;;) Buffer.from('ff', 'hex')",
        "Buffer.alloc(4e6).fill('abc').indexOf('abcd')",
    ] {
        let source = format!(
            "function decodeUplink(i) {{ if (i.bytes[0]) {{ {body}; }} return {{data: {{x: 1}}}}; }}"
        );
        let limits = Limits { time: Duration::from_millis(10), ..limits() };
        let codec = JsCodec::new("test.js", &source, &Map::new(), limits).expect("a codec");
        let started = Instant::now();
        let error = call(&codec, &[1]).expect_err(body);
        assert!(error.message.starts_with("it "), "{body}: {error}");
        assert!(started.elapsed() < Duration::from_secs(20), "{body}: {:?}", started.elapsed());
        assert_eq!(call(&codec, &[0]).map(|values| values.len()), Ok(1), "after {body}");
    }
}

#[test]
fn what_a_file_can_do_once_only_it_does_for_each_frame() {
    let decode = "function decodeUplink(input) { n = (typeof n === 'number' ? n : 0) + 1;
        return {data: {a: input.bytes.u16(0), n: n}}; }";
    for top in [
        "Object.defineProperty(Array.prototype, 'u16', {value: function (i) {
            return this[i] << 8 | this[i + 1]; }});",
        "Array.prototype.u16 = function (i) { return this[i] << 8 | this[i + 1]; };
         Object.freeze(Array.prototype); (function () { 'use strict'; Array.prototype.x = 1; })",
        "(function () { 'use strict';
            Array.prototype.u16 = function (i) { return this[i] << 8 | this[i + 1]; };
            Object.freeze(Array.prototype); })();",
        "Object.defineProperty(globalThis, 'kept', {value: 1, enumerable: true});
         Array.prototype.u16 = function (i) { return this[i] << 8 | this[i + 1]; };",
    ] {
        let source = format!("{top}\n{decode}");
        check(&source, &[1, 2], &[("a", 258.0.into()), ("n", 1.0.into())]);
    }
    let strict = "'use strict';
        Array.prototype.u16 = function (i) { return this[i] << 8 | this[i + 1]; };
        Object.freeze(Array.prototype);
        exports.decodeUplink = function (input) { return {data: {a: input.bytes.u16(0)}}; };";
    check(strict, &[1, 2], &[("a", 258.0.into())]);
}

/// Realms are circular garbage: they must be found, and the limits are what they are elsewhere.
#[test]
fn realms_of_their_own_keep_to_the_limits() {
    let source = "Object.defineProperty(Array.prototype, 'once', {value: {}});\n\
        function decodeUplink(i) {\n for (; i.bytes[0] === 1;);\n\
        if (i.bytes[0] === 2) i.nothing.x;\n\
        if (i.bytes[0] === 3) { var a = []; for (;;) a.push(new Array(1000).fill(i)); }\n\
        (Array.prototype.kept = Array.prototype.kept || []).push(new Array(10000).fill(i));\n\
        return {data: {x: Array.prototype.kept.length}}; }";
    // Memory is to be what the third runs out of first.
    let limits = Limits { time: Duration::from_secs(1), ..limits() };
    let codec = JsCodec::new("test.js", source, &Map::new(), limits).expect("a codec");
    let one = vec![("x".to_owned(), Value::from(1.0))];
    for _ in 0..200 {
        assert_eq!(call(&codec, &[0]), Ok(one.clone()), "nothing is left of the frame before");
    }
    let error = call(&codec, &[1]).expect_err("an endless loop");
    assert_eq!(error.message, "it ran longer than 1000 ms");
    let error = call(&codec, &[2]).expect_err("a mistake");
    assert_eq!(error.at, "test.js:4");
    assert!(error.message.starts_with("TypeError"), "{error}");
    let error = call(&codec, &[3]).expect_err("a bomb");
    assert_eq!(error.message, "it used more than 8 MiB");
    assert_eq!(call(&codec, &[0]), Ok(one));
}

#[test]
fn errors_are_those_of_the_first_run() {
    for (source, at, text) in [
        ("Object.freeze(Array.prototype);\nthrow new Error('at once');", "test.js:2", "at once"),
        ("var x = globalThis['a'];\nthrow new Error('at once');", "test.js:2", "at once"),
        ("// this[\"x\"]\nfunction decodeUplink() {\n return {; }", "test.js:3", "SyntaxError"),
        ("Object.defineProperty(Math, 'x', {value: 1});", "test.js", "no function decodeUplink"),
    ] {
        let error = compile(source).expect_err(source);
        assert_eq!(error.at, at, "{source}");
        assert!(error.message.contains(text), "{source}: {error}");
    }
}

#[test]
fn functions_are_found_by_their_names() {
    for source in [
        "function port5(b) { return {a: b[0]}; }
         function decodeUplink(input) { return {data: this['port' + input.fPort](input.bytes)}; }",
        "function port5(b) { return {a: b[0]}; }
         function decodeUplink(i) { return {data: globalThis[\"port\" + i.fPort](i.bytes)}; }",
        "function first(b) { return b[0]; }
         function decodeUplink(i) { return {data: {a: new Function('b', 'return first(b)')(i.bytes)}}; }",
        "const first = (b) => b[0]; module.exports.decodeUplink = function (i) {
            return {data: {a: new Function('b', 'return first(b)')(i.bytes)}}; }",
        // With a `return` at its top, it is no script for itself.
        "if (globalThis['never']) return;
         function decodeUplink(i) { return {data: {a: i.bytes[0]}}; }",
    ] {
        check(source, &[7], &[("a", 7.0.into())]);
    }
}

#[test]
fn this_is_the_global_object_in_strict_files_too() {
    for source in [
        "'use strict'; (function (root) { root.decodeUplink = function (i) {
            return {data: {a: i.bytes[0]}}; }; })(this);",
        "\"use strict\";\nthis.decodeUplink = function (i) { return {data: {a: i.bytes[0]}}; };",
        "(function (root) { root.Decoder = function (b) { return {a: b[0]}; }; })(this);",
    ] {
        check(source, &[7], &[("a", 7.0.into())]);
    }
}

#[test]
fn big_integers_are_numbers_of_any_size() {
    let source = "Number = function () { return 1; };
        function decodeUplink(input) {
        var v = new DataView(Uint8Array.from(input.bytes).buffer);
        return {data: {unsigned: v.getBigUint64(0), signed: v.getBigInt64(0), i: 2n ** 63n,
            large: 12345678901234567890123n, negative: -(2n ** 70n), small: -5n, zero: 0n,
            measured: {value: 2n ** 64n, unit: 'Wh'}}}; }";
    let expected = [
        ("unsigned", 18_446_744_073_709_551_615.0.into()),
        ("signed", Value::from(-1.0)),
        ("i", 9_223_372_036_854_775_808.0.into()),
        ("large", 12_345_678_901_234_567_890_123.0.into()),
        ("negative", Value::from(-1_180_591_620_717_411_303_424.0)),
        ("small", Value::from(-5.0)),
        ("zero", 0.0.into()),
        ("measured", 18_446_744_073_709_551_616.0.into()),
    ];
    check(source, &[255; 8], &expected);
    let source = "function decodeUplink() { return {data: {far: 10n ** 400n, near: 1n}}; }";
    let received = Timestamp::from_secs(1_795_422_600);
    let frame = Frame { device: "d1", bytes: &[], f_port: Some(5), received };
    let (report, result) = compile(source).expect("a codec").report(&frame);
    assert_eq!(result, Ok(()));
    assert_eq!((report.output.values.len(), &*report.not_finite), (1, &["far".to_owned()][..]));
}

#[test]
fn a_class_is_no_function_to_call() {
    for source in [
        "class Decoder { decode(b) { return {x: b[0]}; } } module.exports = {Decoder};",
        "class Decoder{}",
        "exports.Decode = class extends Object {};",
    ] {
        let error = compile(source).expect_err(source);
        assert!(error.message.contains("no function decodeUplink"), "{source}: {error}");
    }
    for source in [
        "class Decoder { a(b) { return b[0]; } }
         function decodeUplink(i) { return {data: {a: new Decoder().a(i.bytes)}}; }",
        "class Decode { a(b) { return b[0]; } }
         function Decoder(bytes) { return {a: new Decode().a(bytes)}; }",
        "exports.Decode = (classes, bytes) => ({a: bytes[0]});",
        "exports.Decoder = class$ => ({a: class$[0]});",
    ] {
        check(source, &[7], &[("a", 7.0.into())]);
    }
}
