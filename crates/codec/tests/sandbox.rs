//! What scripts can and cannot do: the forms that vendors' files come in, what is left of one
//! frame for the next, and scripts that are broken or mean harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use city_codec::{JsCodec, Limits, Report};
use city_decode::{Codec, CodecError, CodecOutput, Frame};
use city_model::{Timestamp, Value};
use proptest::prelude::*;
use serde_json::{Map, json};

/// Enough for a debug build; what must run into it loops for ever anyway.
fn limits() -> Limits {
    Limits { time: Duration::from_millis(20), ..Limits::default() }
}

fn compile(source: &str) -> Result<JsCodec, CodecError> {
    JsCodec::new("test.js", source, &Map::new(), limits())
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    let received = Timestamp::from_millis(1_795_422_600_250);
    Frame { device: "d1", bytes, f_port: Some(5), received }
}

fn call(codec: &JsCodec, bytes: &[u8]) -> Result<Vec<(String, Value)>, CodecError> {
    let mut out = CodecOutput::default();
    codec.decode_uplink(&frame(bytes), &mut out)?;
    Ok(out.values.into_iter().map(|value| (value.name, value.value)).collect())
}

/// Runs a script once that must give these values.
fn check(source: &str, bytes: &[u8], expected: &[(&str, Value)]) {
    let codec = compile(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    let found = call(&codec, bytes).unwrap_or_else(|error| panic!("{error}: {source}"));
    let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    assert_eq!(found, expected, "{source}");
}

/// Runs a script once that must fail.
fn fails(source: &str) -> CodecError {
    let codec = compile(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    call(&codec, &[1, 2]).expect_err(source)
}

fn report(codec: &JsCodec, bytes: &[u8]) -> Report {
    let (report, result) = codec.report(&frame(bytes));
    result.unwrap_or_else(|error| panic!("{error}"));
    report
}

#[test]
fn every_form_of_file_is_called() {
    let two = [("x", Value::from(2.0))];
    for source in [
        "function decodeUplink(input) { return {data: {x: input.bytes[1]}}; }",
        "const decodeUplink = (input) => ({data: {x: input.bytes[1]}, errors: [], warnings: []})",
        "var decodeUplink = function (i) { return {data: {x: i.bytes.slice(1).concat([])[0]}}; }",
        "function Decode(fPort, bytes, variables) { return {x: bytes[1]}; }",
        "function Decoder(bytes, port) { return {x: bytes[1]}; }",
        "module.exports = {decodeUplink: function (i) { return {data: {x: i.bytes[1]}}; }}",
        "exports.decodeUplink = function (i) { return {data: {x: i.bytes[1]}}; }",
        "module.exports.Decoder = function (b) { return {x: b[1]}; }",
        "this.decodeUplink = function (i) { return {data: {x: i.bytes[1]}}; }",
        "'use strict'; function decodeUplink(i) { return {data: {x: i.bytes[1]}}; }",
        "\u{feff}function decodeUplink(i) { return {data: {x: i.bytes.pop()}}; } // the end",
        "let module = {}, exports; function decodeUplink(i) { return {data: {x: i.bytes[1]}}; }",
        // The present form comes before the older ones.
        "function Decode() { return {x: 1}; } function Decoder() { return {x: 3}; }
         function decodeUplink(input) { return {data: {x: input.bytes[1]}}; }",
    ] {
        check(source, &[1, 2], &two);
    }
}

#[test]
fn the_input_is_what_the_interface_promises() {
    let source = "function decodeUplink(input) {
        return {data: {
            keys: Object.keys(input).join(),
            array: Array.isArray(input.bytes), port: input.fPort,
            time: input.recvTime, date: input.recvTime instanceof Date,
            millis: input.recvTime.getTime(), kind: input.variables.model,
            sum: input.bytes.reduce(function (a, b) { return a + b; }, 0),
        }};
    }";
    let mut variables = Map::new();
    variables.insert("model".to_owned(), json!("x\u{2028}\"y"));
    let codec = JsCodec::new("test.js", source, &variables, limits()).expect("a codec");
    let expected = [
        ("keys", Value::from("bytes,fPort,recvTime,variables")),
        ("array", Value::from(true)),
        ("port", Value::from(5.0)),
        ("time", Value::from("2026-11-23T08:30:00.250Z")),
        ("date", Value::from(true)),
        ("millis", Value::from(1_795_422_600_250.0)),
        ("kind", Value::from("x\u{2028}\"y")),
        ("sum", Value::from(255.0 + 128.0)),
    ];
    let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value)).to_vec();
    assert_eq!(call(&codec, &[255, 0, 128]).expect("values"), expected);
    let no_port = Frame { f_port: None, ..frame(&[]) };
    let source = "function decodeUplink(i) { return {data: {t: typeof i.fPort}}; }";
    let mut out = CodecOutput::default();
    compile(source).expect("a codec").decode_uplink(&no_port, &mut out).expect("a value");
    assert_eq!(out.values[0].value, Value::from("undefined"));
}

#[test]
fn results_are_flattened_by_path() {
    check(
        "function decodeUplink() { return {data: {
            a: {b: [1, {c: true}], empty: {}, none: null}, u: undefined, f: function () {},
            text: 'on', day: new Date(0), big: 12n, negative: -0.5, symbol: Symbol('s'),
            level: {value: 3, unit: 'm', displayName: 'Level'}, plain: {value: 4},
            'a.b': 5, list: [], typed: new Uint8Array([7])}}; }",
        &[],
        &[
            ("a.b[0]", Value::from(1.0)),
            ("a.b[1].c", Value::from(true)),
            ("text", Value::from("on")),
            ("day", Value::from("1970-01-01T00:00:00.000Z")),
            ("big", Value::from(12.0)),
            ("negative", Value::from(-0.5)),
            ("level", Value::from(3.0)),
            ("plain.value", Value::from(4.0)),
            ("a.b", Value::from(5.0)),
            ("typed.0", Value::from(7.0)),
        ],
    );
    check(
        "function Decoder(b) { return [{t: 1}, {t: 2}]; }",
        &[],
        &[("[0].t", Value::from(1.0)), ("[1].t", Value::from(2.0))],
    );
}

#[test]
fn what_is_not_finite_is_left_out_and_reported() {
    let source = "function decodeUplink(input) {
        console.log('bytes', input.bytes, {a: 1}); console.error(undefined);
        return {data: {ok: 1, short: input.bytes[9] * 2, out: [1 / 0], day: new Date(NaN)},
                warnings: ['low battery', 7]};
    }";
    let codec = compile(source).expect("a codec");
    let report = report(&codec, &[1]);
    assert_eq!(report.output.values.len(), 1);
    assert_eq!(report.not_finite, ["short", "out[0]", "day"]);
    assert_eq!(report.warnings, ["low battery", "7"]);
    assert_eq!(report.console, ["bytes [1] {\"a\":1}", "undefined"]);
}

/// A variable at the top of a file, one that was never declared, and properties of the global
/// object: none of them carries one device's values to another.
#[test]
fn nothing_of_a_frame_is_left_for_the_next() {
    let source = "var seen = {}; let count = 0; const list = [];
        function decodeUplink(input) {
            seen['k' + input.bytes[0]] = 1; count++; list.push(1);
            undeclared = (typeof undeclared === 'undefined' ? 0 : undeclared) + 1;
            globalThis.shared = (globalThis.shared || 0) + 1;
            input.variables.n = (input.variables.n || 0) + 1;
            return {data: {keys: Object.keys(seen).length, count: count, list: list.length,
                undeclared: undeclared, shared: globalThis.shared, n: input.variables.n}};
        }";
    let mut variables = Map::new();
    variables.insert("m".to_owned(), json!(1));
    let codec = JsCodec::new("test.js", source, &variables, limits()).expect("a codec");
    for byte in 0..5 {
        for (name, value) in call(&codec, &[byte]).expect("values") {
            assert_eq!(value, Value::from(1.0), "{name} in frame {byte}");
        }
    }
}

/// What a script changes in the language's own objects stays: vendors' files bring replacements for
/// methods with them.
#[test]
fn changes_of_the_languages_own_objects_stay_until_a_fresh_start() {
    let source = "Array.prototype.n = (Array.prototype.n || 0) + 1;
        function decodeUplink(input) {
            if (input.bytes[0]) for (;;);
            return {data: {n: Array.prototype.n}};
        }";
    let codec = compile(source).expect("a codec");
    // Twice when it is loaded, once for each frame.
    let n = |codec| call(codec, &[0]).expect("values")[0].1.as_f64().expect("a number");
    assert_eq!((n(&codec), n(&codec)), (3.0, 4.0));
    assert!(call(&codec, &[1]).is_err(), "it runs out of time");
    assert_eq!(n(&codec), 3.0, "and starts afresh");
}

#[test]
fn errors_name_file_and_line() {
    let thrown = fails("// one\nfunction decodeUplink(input) {\n  return input.nothing.x;\n}");
    assert_eq!(thrown.at, "test.js:3");
    assert!(thrown.message.starts_with("TypeError"), "{thrown}");
    let error = compile("function decodeUplink(input) {\n  return {;\n}").expect_err("no script");
    assert_eq!(error.at, "test.js:2");
    assert!(error.message.starts_with("SyntaxError"), "{error}");
    let error = compile("\n\nthrow new Error('at once');").expect_err("it throws");
    assert_eq!((&*error.at, &*error.message), ("test.js:3", "Error: at once"));
    let error = compile("function decode() {}").expect_err("no function");
    assert!(error.message.contains("decodeUplink"), "{error}");
    let error = compile("export function decodeUplink() {}").expect_err("a module");
    assert!(error.at.starts_with("test.js"), "{error}");
    for (what, text) in [
        ("throw 'plain text'", "plain text"),
        ("throw {code: 7}", "{\"code\":7}"),
        ("throw undefined", "undefined"),
        ("throw Symbol('s')", "Symbol(s)"),
        ("require('fs')", "a codec is one file"),
        ("return {errors: ['unknown port', 7]}", "it says: unknown port; 7"),
        ("return {errors: 'one text'}", "it says: one text"),
        ("return 5", "a number"),
        ("return", "nothing"),
        ("return {}", "nothing as `data`"),
        ("return {data: 5}", "a number as `data`"),
        ("return {data: null, errors: []}", "null as `data`"),
        ("return Promise.resolve({data: {x: 1}})", "a promise"),
    ] {
        let error = fails(&format!("function decodeUplink() {{ {what}; }}"));
        assert!(error.message.contains(text), "{what}: {error}");
        assert!(!error.hint.is_empty());
    }
}

#[test]
fn there_is_nothing_but_the_language() {
    for name in [
        "setTimeout",
        "setInterval",
        "fetch",
        "XMLHttpRequest",
        "process",
        "Deno",
        "std",
        "os",
        "print",
        "load",
        "scriptArgs",
        "navigator",
        "WebAssembly",
        "Worker",
    ] {
        let source =
            format!("function decodeUplink() {{ return {{data: {{t: typeof {name}}}}}; }}");
        check(&source, &[], &[("t", Value::from("undefined"))]);
    }
    let waits = "function decodeUplink() {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); return {data: {}}; }";
    assert!(fails(waits).message.contains("TypeError"), "it may not block");
    let imports = "function decodeUplink() { import('fs'); return {data: {x: 1}}; }";
    check(imports, &[], &[("x", Value::from(1.0))]);
}

/// A codec with a hand-driven clock for its rests.
fn resting(source: &str) -> (JsCodec, Arc<AtomicU64>) {
    let secs = Arc::new(AtomicU64::new(0));
    let clock = secs.clone();
    let ticks = Box::new(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
    let limits = Limits { time: Duration::from_millis(5), ..Limits::default() };
    let codec = JsCodec::with_ticks("test.js", source, &Map::new(), limits, ticks);
    (codec.expect("a codec"), secs)
}

#[test]
fn a_codec_that_keeps_running_out_of_time_rests_and_is_tried_again() {
    let source = "function decodeUplink(i) { while (i.bytes[0]); return {data: {x: 1}}; }";
    let (codec, secs) = resting(source);
    for _ in 0..3 {
        let error = call(&codec, &[1]).expect_err("an endless loop");
        assert_eq!(error.message, "it ran longer than 5 ms");
    }
    let error = call(&codec, &[0]).expect_err("it rests");
    assert!(error.message.contains("rests for another 10 s"), "{error}");
    secs.store(9, Ordering::Relaxed);
    assert!(call(&codec, &[0]).is_err());
    secs.store(10, Ordering::Relaxed);
    assert_eq!(call(&codec, &[0]).expect("a value").len(), 1);
    // A good frame between bad ones: no rest.
    for byte in [1, 1, 0, 1, 1, 0] {
        assert_eq!(call(&codec, &[byte]).is_ok(), byte == 0);
    }
}

#[test]
fn a_codec_that_uses_up_memory_starts_afresh() {
    let source = "function decodeUplink(i) {
        var all = []; while (i.bytes[0]) all.push(new Array(1000).fill(i)); return {data: {x: 1}}; }";
    // Memory is to be what it runs out of first.
    let limits = Limits { time: Duration::from_millis(500), ..limits() };
    let codec = JsCodec::new("test.js", source, &Map::new(), limits).expect("a codec");
    assert_eq!(call(&codec, &[1]).expect_err("a bomb").message, "it used more than 8 MiB");
    assert_eq!(call(&codec, &[0]).expect("a value").len(), 1);
}

/// Scripts that mean harm: each is refused, soon, and the codec answers the next frame.
#[test]
fn hostile_scripts_are_refused_and_survived() {
    for body in [
        "(function f() { return 1 + f(); })()",
        "var s = 'x'; for (;;) s += s",
        "for (;;) { try { for (;;); } catch (e) {} }",
        "try { for (;;); } finally { for (;;); }",
        "new Array(4294967295).fill(0)",
        "new Array(4294967295).indexOf(1)",
        "Array.prototype.indexOf.call({length: 9007199254740991}, 1)",
        "Array.prototype.join.call({length: 4294967295}, 'xxxxxxxx')",
        "'' + new Array(4294967295)",
        "[].concat(new Array(4294967295))",
        "Array.prototype.slice.call({length: 4294967295})",
        "Array.from({length: 4294967295})",
        "var a = new Array(4294967295); a.shift()",
        "new Array(4294967295).sort()",
        "new Array(4294967295).forEach(function () {})",
        "new Array(4294967295).reverse()",
        "'x'.repeat(1 << 29)",
        "/(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')",
        "JSON.parse('['.repeat(1000000))",
        "throw {toString: function () { for (;;); }}",
        "throw {get stack() { for (;;); }}",
        "throw new Proxy({}, {get: function () { for (;;); }})",
        "var e = new Error('x'); Object.defineProperty(e, 'message', {get() { for (;;); }}); throw e",
        "var p = Promise.resolve(); (function f() { p = p.then(f); })(); return {data: {x: 1}}",
        "return {data: new Proxy({}, {ownKeys: function () { for (;;); }})}",
        "return {data: new Proxy({}, {get: function () { throw 1; }, ownKeys: function () {
            return ['a']; }, getOwnPropertyDescriptor: function () {
            return {enumerable: true, configurable: true}; }})}",
        "return {data: new Proxy([], {get: function (t, k) { return k === 'length' ? 1e15 : 1; }})}",
        "return {data: new Proxy([], {get: function (t, k) {
            return k === 'length' ? {valueOf: function () { for (;;); }} : 1; }})}",
        "return {data: {get x() { for (;;); }}}",
        "return {get data() { for (;;); }}",
        "return {errors: {length: 1e9, get 0() { for (;;); }}}",
        "var d = {x: 1}; for (var i = 0; i < 1000; i++) d = {d: d}; return {data: d}",
        "var d = []; for (var i = 0; i < 1000; i++) d = [d]; return {data: {d: d}}",
        "var d = {}; d.d = d; return {data: d}",
        "var d = []; d.push(d, d); return {data: {d: d}}",
        "var d = {}; for (var i = 0; i < 1e6; i++) d['k' + i] = i; return {data: d}",
        "return {data: {x: new Array(1000000).fill(1)}}",
        "return {data: {x: new Array(4294967295)}}",
        "var d = {}; d['k'.repeat(100000)] = {x: 1}; return {data: d}",
        "return {data: {x: '\\ud800'}}",
        "var d = {}; d['\\ud800'] = 1; return {data: d}",
        "return {data: {x: 123456789012345678901234567890n, get y() { throw 2; }}}",
        "Object.defineProperty(globalThis, 'x', {value: 1, enumerable: true}); for (;;);",
        "Date = null; JSON = null; Array.isArray = null; Object.keys = null;
            Symbol.hasInstance = null; String = null; Error = null; throw 'still here'",
        "Object.prototype.toString = function () { for (;;); }; throw {}",
        "Array.prototype.push = null; Function.prototype.call = null; throw [1]",
    ] {
        let decode = format!(
            "function decodeUplink(input) {{ if (!input.bytes[0]) return {{data: {{x: 1}}}}; {body} }}"
        );
        survives(&decode, body);
        // The same in a realm of its own.
        survives(&format!("Object.defineProperty(Math, 'once', {{value: {{}}}}); {decode}"), body);
    }
}

fn survives(source: &str, body: &str) {
    let codec = compile(source).unwrap_or_else(|error| panic!("{error}: {body}"));
    let started = Instant::now();
    // Promises end with the call; a proxy of a list is an object without names.
    let harmless = body.contains("Promise") || body.contains("Proxy([]");
    match call(&codec, &[1]) {
        Ok(values) => assert!(harmless, "{body}: {values:?}"),
        Err(error) => {
            assert!(!error.message.is_empty() && error.message.len() < 2_000, "{body}");
        }
    }
    assert!(started.elapsed() < Duration::from_mins(1), "{body}: {:?}", started.elapsed());
    let after = call(&codec, &[0]);
    assert_eq!(after.map(|values| values.len()), Ok(1), "after {body}");
}

/// What comes of an accident with the functions of texts is refused before it starts.
#[test]
fn searches_in_very_long_texts_are_refused() {
    for body in [
        "var a = 'a'.repeat(200000); a.indexOf('a'.repeat(90000) + 'b')",
        "var a = 'a'.repeat(200000); a.lastIndexOf('b' + 'a'.repeat(90000))",
        "var a = 'a'.repeat(200000); a.includes('a'.repeat(90000) + 'b')",
        "var a = 'a'.repeat(200000); a.split('a'.repeat(90000) + 'b')",
        "var a = 'a'.repeat(200000); a.replace('a'.repeat(90000) + 'b', '')",
        "var a = 'a'.repeat(200000); a.replaceAll('a'.repeat(90000) + 'b', '')",
    ] {
        let error = fails(&format!("function decodeUplink() {{ {body} }}"));
        assert!(error.message.starts_with("RangeError: a text of 200000 characters"), "{error}");
    }
    let source = "function decodeUplink(i) { return {data: {x: 'a,b'.split(/,/).length,
        y: 'a-b'.replace('-', '+'), z: 'abc'.indexOf('c'), w: 'abc'.includes('d')}}; }";
    let values =
        [("x", 2.0.into()), ("y", "a+b".into()), ("z", 2.0.into()), ("w", Value::from(false))];
    check(source, &[], &values);
}

/// A million frames' worth of garbage must not add up; neither may what a script keeps.
#[test]
fn memory_does_not_grow_with_the_frames() {
    let source = "function decodeUplink(i) {
        (Array.prototype.kept = Array.prototype.kept || []).push(new Array(100).fill(i));
        return {data: {x: 1}}; }";
    let limits = Limits { memory: 2 << 20, ..limits() };
    let codec = JsCodec::new("test.js", source, &Map::new(), limits).expect("a codec");
    let failed = (0..10_000).filter(|_| call(&codec, &[1]).is_err()).count();
    assert!((1..200).contains(&failed), "it starts afresh now and then: {failed} of 10,000");
}

#[test]
fn codecs_may_be_called_from_any_thread() {
    let source = "function decodeUplink(i) { return {data: {x: i.bytes[0]}}; }";
    let codec = Arc::new(compile(source).expect("a codec"));
    let threads: Vec<_> = (0..4)
        .map(|byte| {
            let codec = codec.clone();
            std::thread::spawn(move || {
                for _ in 0..200 {
                    let values = call(&codec, &[byte]).expect("values");
                    assert_eq!(values[0].1, Value::from(f64::from(byte)));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Any bytes through a codec in the manner of vendors' files: an answer or an error.
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for source in [
            include_str!("../testdata/codecs/milesight.js"),
            include_str!("../testdata/codecs/elsys.js"),
            include_str!("../testdata/codecs/browan.js"),
        ] {
            let _ = call(&compile(source).expect("a codec"), &bytes);
        }
    }

    /// Any text as a codec file: nearly never one, but never a panic.
    #[test]
    fn arbitrary_files_never_panic(source in ".{0,200}") {
        let limits = Limits { time: Duration::from_millis(5), ..Limits::default() };
        if let Ok(codec) = JsCodec::new("test.js", &source, &Map::new(), limits) {
            let _ = call(&codec, &[1, 2, 3]);
        }
    }
}
