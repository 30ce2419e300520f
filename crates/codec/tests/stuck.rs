//! Scripts whose single steps take longer than anybody waits: nobody does. They have a file of their
//! own, because their threads still keep the machine busy while other tests measure time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use city_codec::{JsCodec, Limits};
use city_decode::{Codec, CodecError, CodecOutput, Frame};
use city_model::Timestamp;
use serde_json::Map;

/// How many values the codec makes of a frame.
fn call(codec: &JsCodec, bytes: &[u8]) -> Result<usize, CodecError> {
    let received = Timestamp::from_secs(1_795_422_600);
    let frame = Frame { device: "d1", bytes, f_port: Some(5), received };
    let mut out = CodecOutput::default();
    codec.decode_uplink(&frame, &mut out).map(|()| out.values.len())
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

/// Single steps that would take from seconds to hours, between which the engine does not ask for the
/// time: the caller does not wait for them, and each counts towards a rest.
#[test]
fn a_step_that_takes_for_ever_is_left_behind() {
    for body in [
        "return {data: {x: (1n << 1000000n).toString().length}}",
        "var n = 3n ** 300000n; for (;;) n * n",
        "var a = new String('a'.repeat(60000)); a.indexOf(new String('a'.repeat(30000) + 'b'))",
        "var s = 'a'.repeat(1e6), p = s + 1, q = s + 2, l = [];
            for (var i = 0; i < 9000; i++) l.push(i % 2 ? p : q);
            l.sort()",
    ] {
        let source = format!(
            "function decodeUplink(input) {{ if (!input.bytes[0]) return {{data: {{x: 1}}}}; {body} }}"
        );
        let (codec, _) = resting(&source);
        let started = Instant::now();
        for _ in 0..3 {
            let error = call(&codec, &[1]).expect_err(body);
            let expected = ["it ran longer than 5 ms", "rests for another"];
            assert!(expected.iter().any(|text| error.message.contains(text)), "{body}: {error}");
        }
        let error = call(&codec, &[0]).expect_err(body);
        assert!(error.message.contains("rests for another 10 s"), "{body}: {error}");
        assert!(started.elapsed() < Duration::from_secs(20), "{body}: {:?}", started.elapsed());
    }
}

/// A step that ends after the time but before anybody gives up: the answer does not count.
#[test]
fn an_answer_after_the_time_is_a_strike() {
    let source = "function decodeUplink(i) {
        return {data: {x: i.bytes[0] ? (1n << 100000n).toString().length : 1}}; }";
    let (codec, _) = resting(source);
    for _ in 0..3 {
        let error = call(&codec, &[1]).expect_err("late");
        assert_eq!(error.message, "it ran longer than 5 ms");
    }
    let error = call(&codec, &[0]).expect_err("it rests");
    assert!(error.message.contains("rests for another 10 s"), "{error}");
}

/// There is one thread at most that nobody waits for; the codec is back when it has ended.
#[test]
fn a_codec_that_was_stuck_comes_back_when_its_thread_has_ended() {
    let source = "function decodeUplink(i) {
        return {data: {x: i.bytes[0] ? (1n << 700000n).toString().length : 1}}; }";
    let (codec, secs) = resting(source);
    let error = call(&codec, &[1]).expect_err("it takes too long");
    assert_eq!(error.message, "it ran longer than 5 ms, and is still running");
    assert!(call(&codec, &[0]).expect_err("it rests at once").message.contains("another 10 s"));
    secs.store(10, Ordering::Relaxed);
    let started = Instant::now();
    let values = loop {
        match call(&codec, &[0]) {
            Ok(values) => break values,
            Err(error) => {
                assert_eq!(error.message, "a frame before this one is still running in it");
                assert!(started.elapsed() < Duration::from_mins(2));
                std::thread::yield_now();
            }
        }
    };
    assert_eq!(values, 1);
}
