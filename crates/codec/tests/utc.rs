//! Dates in codecs are in UTC, wherever the machine is.
#![cfg(unix)] // elsewhere the variable TZ says nothing
#![allow(clippy::print_stdout)] // how a test in another zone tells what it found

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use city_codec::{JsCodec, Limits};
use city_decode::{Codec, CodecOutput, Frame};
use city_model::{Timestamp, Value};
use rquickjs::{Context, Runtime};
use serde_json::{Map, json};

/// What depends on the zone, or did once, or must not have changed.
const EXPRESSIONS: &[&str] = &[
    "new Date(2000, 0, 1).toISOString()",
    "new Date(99, 11, 31, 23, 59, 59, 999).getTime()",
    "new Date(0, 0).getTime()",
    "new Date(-1, 0).getTime()",
    "new Date(2024, 1, 29, 12).getTime()",
    "new Date(2024, 12, 0, 25, 61).getTime()",
    "new Date(2024, NaN).getTime()",
    "new Date(1e20, 0).getTime()",
    "new Date('2020', '5').getTime()",
    "new Date(undefined).getTime()",
    "new Date(null).getTime()",
    "new Date(true).getTime()",
    "new Date(1e15).getTime()",
    "new Date(new Date(2020, 5, 1)).getTime()",
    "new Date(new String('2020-06-01T00:00')).getTime()",
    "new Date(new Number(5)).getTime()",
    "new Date(['2020-06-01 00:00']).getTime()",
    "new Date({[Symbol.toPrimitive](hint) { return hint === 'default' ? 7 : 8; }}).getTime()",
    "new Date({valueOf() { return {}; }, toString() { return '2020-06-01T00:00'; }}).getTime()",
    "new Date(Symbol('s'))",
    "new Date(5n)",
    "Date.prototype.getHours.call({})",
    "Date.prototype.toString.call(5)",
    "new Date.prototype.getHours()",
    // Texts: ISO 8601 with and without time and zone, and the others.
    "Date.parse('2020')",
    "Date.parse('2020-03')",
    "Date.parse('2020-03-08')",
    "Date.parse('2020-03-08T02:30')", // a time that New York does not have
    "Date.parse('2020-03-08T02:30:15')",
    "Date.parse('2020-03-08T02:30:15.123456')",
    "Date.parse('2020-03-08T02:30:15,5')",
    "Date.parse('2020T01:02')",
    "Date.parse('+002020-03-08T02:30')",
    "Date.parse('-000001-03-08T02:30')",
    "Date.parse('2020-03-08T02:30Z')",
    "Date.parse('2020-03-08T02:30:15.5+08:00')",
    "Date.parse('2020-03-08T02:30-0330')",
    "Date.parse('2020-03-08T02:30+08')",
    "Date.parse('2020-03-08+08:00')",
    "Date.parse('2020-03-08Z')",
    "Date.parse('2020-03-08T24:00')",
    "Date.parse('2020-03-08T25:00')",
    "Date.parse('2020-03-08T2:30')",
    "Date.parse('2020-03-08T')",
    "Date.parse('2020-00-01')",
    "Date.parse('2020-13-01')",
    "Date.parse('2020-3-8')",
    "Date.parse('2020-03-08 02:30')",
    "Date.parse('2020-03-08 02:30:15 +0800')",
    "Date.parse('2020/03/08 02:30')",
    "Date.parse('3/8/2020')",
    "Date.parse('Mar 8, 2020')",
    "Date.parse('8 March 2020 02:30 PM')",
    "Date.parse('Sun Mar 08 2020 02:30:15')",
    "Date.parse('Sun, 08 Mar 2020 02:30:15 GMT')",
    "Date.parse('Sun Mar 08 2020 02:30:15 GMT+0200 (CEST)')",
    "Date.parse('Mar 8 2020 02:30 EST')",
    "Date.parse('Mar 8 2020 02:30 Z')",
    "Date.parse('no date')",
    "Date.parse('')",
    "Date.parse()",
    "Date.parse(2020)",
    "Date.parse(new Date(0).toString())",
    "Date.parse(new Date(0).toLocaleString())",
    "new Date('2020-03-08T02:30').toISOString()",
    // As texts.
    "typeof Date() + Date().length + / GMT\\+0000$/.test(Date())",
    "typeof Date(0) + isNaN(Date.parse(Date('x')))",
    "Math.abs(Date.parse(Date()) - Date.now()) < 60000",
    "Math.abs(new Date() - Date.now()) < 60000",
    "'' + new Date(1e12)",
    "new Date(1e12) + 1",
    "`${new Date(NaN)}`",
    "new Date(1e12) - 0",
    "JSON.stringify([new Date(1e12), new Date(NaN)])",
    "Object.prototype.toString.call(new Date())",
    // What the whole of it looks like.
    "Date.name + Date.length + typeof Date",
    "Object.getOwnPropertyNames(Date).sort().join()",
    "Object.getOwnPropertyNames(Date.prototype).sort().join()",
    "Object.entries({...Object.getOwnPropertyDescriptor(Date, 'prototype'), value: 0}).join()",
    "Object.entries({...Object.getOwnPropertyDescriptor(globalThis, 'Date'), value: 0}).join()",
    "Object.keys(Date).length + Object.keys(Date.prototype).length",
    "Date.prototype.constructor === Date",
    "new Date(0).constructor === Date",
    "new Date() instanceof Date",
    "Object.getPrototypeOf(new Date()) === Date.prototype",
    "(class extends Date { x() { return this.getHours(); } }).name",
    "new (class D extends Date { hour() { return this.getHours(); } })(2020, 5, 1, 7).hour()",
    "new (class D extends Date {})(5) instanceof Date",
    "Reflect.construct(Date, [2020, 5], Array) instanceof Array",
    "Date.UTC(2020, 5) === new Date(2020, 5).getTime()",
];

/// Moments that the methods are tried with: about the changes of summer time, and far away.
const MOMENTS: &[&str] =
    &["0", "-1", "1583649000250", "1604199600000", "-62198755200000", "8.64e15", "NaN"];

const GETTERS: &[&str] = &[
    "getDate",
    "getDay",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "getTime",
    "getTimezoneOffset",
    "getYear",
    "toDateString",
    "toJSON",
    "toLocaleDateString",
    "toLocaleString",
    "toLocaleTimeString",
    "toString",
    "toTimeString",
    "toUTCString",
    "valueOf",
];

const SETTERS: &[&str] = &[
    "setDate(31)",
    "setDate()",
    "setDate(NaN)",
    "setFullYear(2021)",
    "setFullYear(2021, 1, 29)",
    "setHours(2, 30, 1, 5)",
    "setHours('3')",
    "setMilliseconds(1001)",
    "setMinutes(-1)",
    "setMinutes(5, 6, 7)",
    "setMonth(0)",
    "setMonth(5, 31)",
    "setSeconds(61, 2)",
    "setTime(5)",
    "setYear(70)",
    "setYear(2070)",
    "setYear(NaN)",
    "setYear(-1)",
];

/// Texts are put together from these.
const DAYS: &[&str] =
    &["2020-03-08", "2020-3-8", "2020/03/08", "Mar 8 2020", "8 March 20", "3/8/2020", "20200308"];
const TIMES: &[&str] = &["", "T02:30", " 02:30", " 02:30:15.5", " 2:30 PM", "T02:30:15,25"];
const ZONES: &[&str] =
    &["", "Z", " Z", " GMT", "+08:00", " +0800", "-3", " EST", " (a zone)", " GMT+0100 (CET)"];

fn expressions() -> Vec<String> {
    let mut all: Vec<String> = EXPRESSIONS.iter().map(|text| (*text).to_owned()).collect();
    for (day, time) in DAYS.iter().flat_map(|day| TIMES.iter().map(move |time| (day, time))) {
        all.extend(ZONES.iter().map(|zone| format!("Date.parse('{day}{time}{zone}')")));
    }
    for moment in MOMENTS {
        all.extend(GETTERS.iter().map(|getter| format!("new Date({moment}).{getter}()")));
        all.extend(SETTERS.iter().map(|setter| {
            format!(
                "(function (d) {{ return d.{setter} + ' ' + d.getTime(); }})(new Date({moment}))"
            )
        }));
    }
    let methods = GETTERS.iter().chain(SETTERS).map(|method| method.split('(').next());
    all.extend(
        methods
            .flatten()
            .map(|method| format!("Date.prototype.{method}.name + Date.prototype.{method}.length")),
    );
    all
}

fn list(expressions: &[String]) -> String {
    let items = expressions.iter().map(|text| format!("() => {text}"));
    let tried = "try { return String(f()); } catch (error) { return String(error); }";
    format!("[{}].map((f) => {{ {tried} }})", items.collect::<Vec<_>>().join(",\n"))
}

/// The texts that a codec gives for a frame of 2026-11-23, 08:30:00.250 in UTC.
fn texts(source: &str) -> Vec<String> {
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let codec = JsCodec::new("dates.js", source, &Map::new(), limits).expect("a codec");
    let received = Timestamp::from_millis(1_795_422_600_250);
    let frame = Frame { device: "d1", bytes: &[], f_port: None, received };
    let mut out = CodecOutput::default();
    codec.decode_uplink(&frame, &mut out).expect("values");
    let text = |value| match value {
        Value::Text(text) => text.to_string(),
        other => panic!("no text: {other:?}"),
    };
    out.values.into_iter().map(|value| text(value.value)).collect()
}

/// What a codec finds.
fn in_a_codec(expressions: &[String]) -> Vec<String> {
    let all = list(expressions);
    texts(&format!("function decodeUplink() {{ return {{data: {{all: {all}}}}}; }}"))
}

/// What the engine finds by itself.
fn in_the_engine(expressions: &[String]) -> Vec<String> {
    let context = Context::full(&Runtime::new().expect("an engine")).expect("a context");
    context.with(|ctx| ctx.eval(list(expressions)).expect("texts"))
}

#[test]
fn the_time_of_a_frame_is_such_a_date() {
    let source = "function decodeUplink(input) { var time = input.recvTime;
        return {data: {is: [time instanceof Date, time.constructor === Date].join(),
            hour: '' + time.getHours(), text: '' + time, itself: time}}; }";
    let expected =
        ["true,true", "8", "Mon Nov 23 2026 08:30:00 GMT+0000", "2026-11-23T08:30:00.250Z"];
    assert_eq!(texts(source), expected);
}

#[test]
fn dates_do_not_need_what_a_script_can_take_away() {
    let source = "Date.UTC = Date.now = Date.parse = RegExp.prototype.exec = null;
        Reflect.construct = Reflect.apply = Function.prototype.call = String = Math = null;
        Date.prototype.toUTCString = Date.prototype.getUTCHours = Date.prototype.getTime = null;
        function decodeUplink(input) { var day = new Date('2020-06-01 07:00');
            return {data: {a: new Date(2020, 5, 1), b: day.toString(), c: day.toLocaleString()}}; }";
    let expected = [
        "2020-06-01T00:00:00.000Z",
        "Mon Jun 01 2020 07:00:00 GMT+0000",
        "06/01/2020, 07:00:00 AM",
    ];
    assert_eq!(texts(source), expected);
}

/// One line for each expression: what a codec finds, and what the engine.
#[test]
#[ignore = "the other test runs it in several zones"]
fn dates_in_this_zone() {
    let expressions = expressions();
    let (ours, engine) = (in_a_codec(&expressions), in_the_engine(&expressions));
    for (index, (ours, engine)) in ours.iter().zip(&engine).enumerate() {
        println!("\n{}", json!([index, ours, engine]));
    }
}

fn dates_in(zone: &str) -> BTreeMap<usize, (String, String)> {
    let tests = std::env::current_exe().expect("this test");
    let arguments = ["--exact", "--ignored", "--nocapture", "dates_in_this_zone"];
    let done = Command::new(tests).args(arguments).env("TZ", zone).output().expect("a process");
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{zone}: {text} {}", String::from_utf8_lossy(&done.stderr));
    let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    lines.map(|(index, ours, engine): (usize, String, String)| (index, (ours, engine))).collect()
}

/// Zones written out, so that the machine need not know them: China, New York with its summer time,
/// and half an hour off.
#[test]
fn dates_are_in_utc_in_every_zone() {
    let expressions = expressions();
    let expected = dates_in("UTC0");
    assert_eq!(expected.len(), expressions.len());
    for zone in ["UTC0", "CST-8", "EST5EDT,M3.2.0,M11.1.0", "NST3:30"] {
        let found = dates_in(zone);
        let mut dependent = 0;
        for (index, text) in expressions.iter().enumerate() {
            let (ours, engine) = &found[&index];
            assert_eq!(*ours, expected[&index].1, "{text} in {zone}");
            dependent += usize::from(*engine != expected[&index].1);
        }
        assert_eq!(dependent > 50, zone != "UTC0", "{zone}: {dependent} depend on the zone");
    }
}
