//! Measures how many frames a second the codecs of the tests decode, by the clock and
//! by the time on a core of both threads, the codec's and its caller's:
//! `cargo run --release -p city-codec --example frames_per_second`.
#![allow(clippy::print_stdout)] // a measurement talks

use std::time::{Duration, Instant};

use city_codec::{JsCodec, Limits};
use city_decode::{Codec, CodecOutput, Frame};
use city_model::Timestamp;
use serde_json::{Map, json};

/// How long each codec is measured.
const TIME: Duration = Duration::from_secs(2);

fn main() {
    let milesight = include_str!("../testdata/codecs/milesight.js");
    let decentlab = include_str!("../testdata/codecs/decentlab.js");
    let elsys = include_str!("../testdata/codecs/elsys.js");
    let example = include_str!("../testdata/codecs/example.js");
    measure("example.js", example, &[0x15]);
    measure("elsys.js", elsys, &[1, 0, 226, 2, 41, 4, 0, 39, 5, 6, 6, 3, 8, 7, 13, 98]);
    let frame = [1, 0x75, 0x5c, 3, 0x67, 0x34, 1, 4, 0x68, 0x65, 5, 0, 0];
    measure("milesight.js", milesight, &frame);
    // Vendors' files hold the encoder of downlinks too: sixty functions that no uplink calls.
    let unused = (0..60).map(|n| format!("function encode{n}(v) {{ return [{n}, v & 0xff]; }}\n"));
    let larger = format!("{milesight}{}", unused.collect::<String>());
    measure("milesight.js with an encoder", &larger, &frame);
    // A file that cannot be run twice has a realm made for each frame.
    let once =
        "Object.defineProperty(Array.prototype, 'u8', {value: function (i) { return this[i]; }});";
    measure("milesight.js in realms of its own", &format!("{once}{milesight}"), &frame);
    let buffer = "function decodeUplink(input) {
        var b = Buffer.from(input.bytes);
        return {data: {a: b.readUInt8(0), b: b.readInt16LE(6), c: b.readUInt32BE(2),
            d: b.toString('hex')}}; }";
    measure("four values of a Buffer", buffer, &frame);
    measure("the same in realms of its own", &format!("{once}{buffer}"), &frame);
    let frame = [2, 2, 0x3b, 0, 3, 0, 0x37, 2, 0x71, 0x0c, 0x60];
    measure("decentlab.js", decentlab, &frame);
}

fn measure(file: &str, source: &str, bytes: &[u8]) {
    let mut variables = Map::new();
    if file == "decentlab.js" {
        variables.insert("model".to_owned(), json!("dl-5tm"));
    }
    let codec = match JsCodec::new(file, source, &variables, Limits::default()) {
        Ok(codec) => codec,
        Err(error) => return println!("{error}"),
    };
    let received = Timestamp::from_secs(1_795_422_600);
    let frame = Frame { device: "d", bytes, f_port: Some(85), received };
    let (mut frames, mut values) = (0_u64, 0);
    let (started, busy) = (Instant::now(), on_cpu());
    while started.elapsed() < TIME {
        for _ in 0..1_000 {
            let mut out = CodecOutput::default();
            if let Err(error) = codec.decode_uplink(&frame, &mut out) {
                return println!("{error}");
            }
            values += out.values.len();
            frames += 1;
        }
    }
    // On a busy machine only the time on a core tells what a frame costs.
    let by_clock = frames as f64 / started.elapsed().as_secs_f64();
    let by_core = frames as f64 / on_cpu().saturating_sub(busy).as_secs_f64();
    let values = values as u64 / frames;
    println!("{file}: {by_clock:.0} frames/s, {by_core:.0} on one core, {values} values each");
}

/// How long all threads together have had a core.
fn on_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
