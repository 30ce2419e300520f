//! What a codec says beside its values reaches the log, but does not flood it.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use city_codec::{JsCodec, Limits};
use city_decode::{Codec, CodecOutput, Frame};
use city_model::Timestamp;
use serde_json::Map;

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The lines since the last time.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("a log"));
        String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect()
    }
}

#[test]
fn values_that_are_left_out_and_warnings_are_logged_once_an_hour() {
    let source = "function decodeUplink(i) {
        return {data: {ok: 1, level: i.bytes[9] / 10}, warnings: ['low battery']}; }";
    let secs = Arc::new(AtomicU64::new(0));
    let clock = secs.clone();
    let ticks = Box::new(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let codec = JsCodec::with_ticks("level.js", source, &Map::new(), limits, ticks);
    let codec = codec.expect("a codec");
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let frame = |device| {
            let received = Timestamp::from_secs(1_795_422_600);
            let frame = Frame { device, bytes: &[1], f_port: Some(1), received };
            let mut out = CodecOutput::default();
            codec.decode_uplink(&frame, &mut out).expect("a value");
            assert_eq!(out.values.len(), 1);
        };
        frame("d1");
        let lines = log.take();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for part in ["WARN", "codec=\"level.js\"", "device=\"d1\"", "value=\"level\"", "count=1"] {
            assert!(lines[0].contains(part), "{part} in {}", lines[0]);
        }
        for part in ["INFO", "codec=\"level.js\"", "warning=\"low battery\"", "count=1"] {
            assert!(lines[1].contains(part), "{part} in {}", lines[1]);
        }
        (0..20).for_each(|_| frame("d2"));
        assert_eq!(log.take(), [""; 0]);
        secs.store(3_600, Ordering::Relaxed);
        frame("d3");
        let lines = log.take();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("device=\"d3\"") && lines[0].contains("count=21"), "{lines:?}");
    });
}
