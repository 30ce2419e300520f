//! Decodes the frames of a batch ahead, for codecs that take many at a time much more cheaply than
//! one after the other.
//!
//! Which frame a message holds is known only once its envelope is read. So the envelopes of such a
//! batch are read twice: first for their frames, which then go to their codecs together, and later,
//! in order, for everything else, when each frame's values are there already. Reading an envelope
//! takes about a microsecond, handing a single frame to another thread ten.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use city_decode::{Codec, CodecError, CodecOutput, Codecs, Frame, Message};
use city_model::Timestamp;

use crate::{RawMessage, Source, SourceKey};

/// How many envelopes of a source may be read in vain before it is looked at as they come again.
const CREDIT: u32 = 100;

/// What codecs made of the frames of a batch, before its messages are taken one by one.
#[derive(Default)]
pub(crate) struct Ahead {
    /// By source, how many envelopes may still be read in vain; 0 for sources whose messages no
    /// codec decodes that takes many frames.
    worth: Vec<u32>,
    /// By message of the batch.
    ready: Vec<Option<Ready>>,
}

/// What a codec made of a frame.
struct Ready {
    codec: Arc<dyn Codec>,
    device: Box<str>,
    result: Result<CodecOutput, CodecError>,
}

/// A frame that waits for its codec.
struct Waiting {
    message: usize,
    codec: Arc<dyn Codec>,
    device: Box<str>,
    bytes: Vec<u8>,
    f_port: Option<u8>,
    received: Timestamp,
}

impl Ahead {
    /// Decodes the frames of a batch, as far as that is worth it. `source` says where a message is
    /// from, if it is one that may be decoded at all.
    pub(crate) fn decode<'s>(
        &mut self,
        messages: &[RawMessage],
        codecs: &dyn Codecs,
        source: impl Fn(&RawMessage) -> Option<&'s Source>,
    ) {
        self.ready.clear();
        if messages.len() < 2 || self.worth.iter().all(|credit| *credit == 0) {
            return;
        }
        let mut waiting = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let credit = message.source.and_then(|key| self.worth.get_mut(usize::from(key.0)));
            let Some(credit) = credit.filter(|credit| **credit > 0) else { continue };
            let Some(source) = source(message) else { continue };
            let frames = Frames { codecs, index, found: Arc::default() };
            let input = Message {
                codecs: Some(&frames),
                ..Message::new(&message.topic, &message.payload, message.received)
            };
            // It fails at the frame at the latest; what it says is said again later.
            let _ = source.decoder.decode(&input, &mut Vec::new());
            match lock(&frames.found).take() {
                Some(frame) => waiting.push(frame),
                None => *credit -= 1,
            }
        }
        self.ready.resize_with(messages.len(), || None);
        waiting.sort_by_key(|frame: &Waiting| address(&frame.codec));
        for of_one in waiting.chunk_by(|a, b| is_same(&a.codec, &b.codec)) {
            let frames: Vec<Frame<'_>> = of_one.iter().map(Waiting::frame).collect();
            let mut results = Vec::with_capacity(frames.len());
            of_one[0].codec.decode_uplinks(&frames, &mut results);
            for (frame, result) in of_one.iter().zip(results) {
                let (codec, device) = (frame.codec.clone(), frame.device.clone());
                self.ready[frame.message] = Some(Ready { codec, device, result });
            }
        }
    }

    /// The codecs for a message of the batch, with what is ready for it.
    pub(crate) fn codecs<'c>(&mut self, message: usize, codecs: &'c dyn Codecs) -> Prepared<'c> {
        let ready = self.ready.get_mut(message).and_then(Option::take);
        Prepared { codecs, ready: Mutex::new(ready), many: AtomicBool::new(false) }
    }

    /// Learns from a message that looking ahead is worth it for its source.
    pub(crate) fn learn(&mut self, source: SourceKey, used: &Prepared<'_>) {
        if !used.many.load(Ordering::Relaxed) {
            return;
        }
        let index = usize::from(source.0);
        if self.worth.len() <= index {
            self.worth.resize(index + 1, 0);
        }
        self.worth[index] = CREDIT;
    }
}

impl Waiting {
    fn frame(&self) -> Frame<'_> {
        let Self { device, bytes, f_port, received, .. } = self;
        Frame { device, bytes, f_port: *f_port, received: *received }
    }
}

fn address(codec: &Arc<dyn Codec>) -> *const () {
    Arc::as_ptr(codec).cast()
}

fn is_same(a: &Arc<dyn Codec>, b: &Arc<dyn Codec>) -> bool {
    address(a) == address(b)
}

/// Codecs that decode nothing, and note what they were to decode.
struct Frames<'c> {
    codecs: &'c dyn Codecs,
    index: usize,
    found: Arc<Mutex<Option<Waiting>>>,
}

impl Codecs for Frames<'_> {
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>> {
        let codec = self.codecs.codec(device).filter(|codec| codec.takes_many())?;
        Some(Arc::new(Note { codec, message: self.index, found: self.found.clone() }))
    }
}

/// Notes the frame that it is to decode.
struct Note {
    codec: Arc<dyn Codec>,
    message: usize,
    found: Arc<Mutex<Option<Waiting>>>,
}

impl Codec for Note {
    fn decode_uplink(&self, frame: &Frame<'_>, _out: &mut CodecOutput) -> Result<(), CodecError> {
        *lock(&self.found) = Some(Waiting {
            message: self.message,
            codec: self.codec.clone(),
            device: frame.device.into(),
            bytes: frame.bytes.to_vec(),
            f_port: frame.f_port,
            received: frame.received,
        });
        Err(CodecError { at: String::new(), message: String::new(), hint: "" })
    }
}

/// The codecs for one message, whose frame may have been decoded before.
pub(crate) struct Prepared<'c> {
    codecs: &'c dyn Codecs,
    ready: Mutex<Option<Ready>>,
    /// Whether a codec was asked for that takes many frames.
    many: AtomicBool,
}

impl Codecs for Prepared<'_> {
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>> {
        let codec = self.codecs.codec(device)?;
        if codec.takes_many() {
            self.many.store(true, Ordering::Relaxed);
        }
        // The device may have got another codec meanwhile.
        let is_its = |ready: &Ready| *ready.device == *device && is_same(&ready.codec, &codec);
        match lock(&self.ready).take().filter(is_its) {
            Some(Ready { result, .. }) => Some(Arc::new(Given(Mutex::new(Some(result)), codec))),
            None => Some(codec),
        }
    }
}

/// Gives what was decoded before.
struct Given(Mutex<Option<Result<CodecOutput, CodecError>>>, Arc<dyn Codec>);

impl Codec for Given {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        match lock(&self.0).take() {
            Some(result) => result.map(|output| *out = output),
            None => self.1.decode_uplink(frame, out),
        }
    }
}

/// Nothing here can be left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
