//! Device codecs in JavaScript: the `decodeUplink` files that vendors publish for The Things
//! Stack and ChirpStack, run unchanged in a sandboxed engine.
//!
//! ```js
//! function decodeUplink(input) {            // {bytes, fPort, recvTime, variables}
//!   return {data: {temperature: (input.bytes[0] << 8 | input.bytes[1]) / 10}};
//! }
//! ```
//!
//! The sandbox has the language, npm's `Buffer` and nothing else: no files, no network, no timers, no
//! modules, no time zone but UTC. A call has a limit of time, memory and stack ([`Limits`]); a codec
//! that passes one starts afresh, and one that keeps doing so rests, so that it harms only its own
//! kind of device.
//!
//! The engine is QuickJS-ng, one for each codec, on a thread of its own. The caller waits for the
//! answer, but not longer than some times the limit: what a script does in one step (a search in a
//! long text) nothing can stop, and the pipeline, which decodes on one thread, has other devices to
//! serve. A thread that is left behind for that reason is the only one: until it has ended, the
//! codec's frames are refused.

mod busy;
mod engine;
mod failure;
mod flatten;
mod realm;
mod remarks;
mod rest;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use city_decode::{Codec, CodecError, CodecOutput, Frame};

use failure::Failure;
use remarks::Remarks;
use rest::Rest;
use worker::{Script, Worker};

/// What one call of a codec may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest that it may run, as time on a core where the system tells that (Linux, macOS).
    pub time: Duration,
    /// The most memory that the codec's engine may hold, in bytes; the engine itself takes about
    /// 300 KB of it.
    pub memory: usize,
    /// The most stack, in bytes.
    pub stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_millis(50), memory: 8 << 20, stack: 256 << 10 }
    }
}

/// A clock that only counts up, from any moment.
pub type Ticks = Box<dyn Fn() -> Duration + Send + Sync>;

/// What a call gave, for people who test a codec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The values.
    pub output: CodecOutput,
    /// The names of values that are left out because they are NaN or infinite.
    pub not_finite: Vec<String>,
    /// What the codec warned of.
    pub warnings: Vec<String>,
    /// What it wrote to the console, at most [`Report::MAX_CONSOLE`] lines.
    pub console: Vec<String>,
}

impl Report {
    /// The most lines of the console that are kept.
    pub const MAX_CONSOLE: usize = 100;
}

/// A codec file, compiled.
///
/// Everything at the top of the file is made anew for each frame, so a variable there cannot
/// carry one device's values into another's. What the file changes in the language's own objects
/// (a method that it adds to `Array.prototype`) stays until the codec starts afresh, if the file can
/// be run again after it; if not, those objects are made anew for each frame too.
pub struct JsCodec {
    script: Arc<Script>,
    limits: Limits,
    ticks: Ticks,
    state: Mutex<State>,
    remarks: Mutex<Remarks>,
}

struct State {
    /// `None` after a call that passed a limit.
    worker: Option<Worker>,
    /// The thread of a call that did not end.
    stuck: Option<JoinHandle<()>>,
    rest: Rest,
}

impl std::fmt::Debug for JsCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsCodec").field("file", &self.script.file).finish_non_exhaustive()
    }
}

impl JsCodec {
    /// Compiles the text of a codec file. `file` is what errors call it, `variables` is what the
    /// script gets as `input.variables`.
    ///
    /// # Errors
    /// If the file is not valid JavaScript, or has none of the functions that a codec can have, or
    /// already passes the limits while it is loaded.
    pub fn new(
        file: &str,
        source: &str,
        variables: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
    ) -> Result<Self, CodecError> {
        let started = Instant::now();
        Self::with_ticks(file, source, variables, limits, Box::new(move || started.elapsed()))
    }

    /// The same with another clock for the rests and for how often the log is written to.
    pub fn with_ticks(
        file: &str,
        source: &str,
        variables: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        ticks: Ticks,
    ) -> Result<Self, CodecError> {
        let variables = (!variables.is_empty())
            .then(|| serde_json::Value::Object(variables.clone()).to_string());
        let script = Script { file: file.to_owned(), source: source.to_owned(), variables };
        let mut codec = Self {
            script: Arc::new(script),
            limits,
            ticks,
            state: Mutex::new(State { worker: None, stuck: None, rest: Rest::default() }),
            remarks: Mutex::default(),
        };
        let worker = codec.start().and_then(|worker| worker.loaded().map(|()| worker));
        let worker = worker.map_err(|failure| failure.into_error(file))?;
        codec.state.get_mut().unwrap_or_else(PoisonError::into_inner).worker = Some(worker);
        Ok(codec)
    }

    /// The name that errors call the file by.
    pub fn file(&self) -> &str {
        &self.script.file
    }

    /// Decodes a frame and keeps what else the codec said, before it failed too.
    pub fn report(&self, frame: &Frame<'_>) -> (Report, Result<(), CodecError>) {
        let mut told = (Report::default(), Ok(()));
        self.call(&[*frame], true, |_, report, result| {
            told = (report, result.map_err(|failure| failure.into_error(&self.script.file)));
        });
        told
    }

    /// Decodes frames one after the other and hands over what became of each.
    fn call<'f>(
        &self,
        frames: &'f [Frame<'f>],
        listen: bool,
        mut each: impl FnMut(&Frame<'f>, Report, Result<(), Failure>),
    ) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = frames;
        while let [first, rest @ ..] = left {
            match state.ready(self) {
                Ok(worker) => {
                    let outcomes = worker.call(left, listen);
                    let (now, after) = left.split_at(outcomes.len().min(left.len()));
                    left = after;
                    for (frame, (report, result)) in now.iter().zip(outcomes) {
                        state.note(&result, (self.ticks)());
                        each(frame, report, result);
                    }
                }
                Err(failure) => {
                    left = rest;
                    each(first, Report::default(), Err(failure));
                }
            }
        }
    }

    fn start(&self) -> Result<Worker, Failure> {
        Worker::start(self.script.clone(), self.limits)
    }
}

impl State {
    /// A worker that takes frames.
    fn ready(&mut self, codec: &JsCodec) -> Result<&Worker, Failure> {
        if let Some(left) = self.rest.left((codec.ticks)()) {
            return Err(Failure::Rests { left });
        }
        if self.stuck.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Err(Failure::Occupied);
        }
        self.stuck = None;
        if self.worker.is_none() {
            let started = codec.start().and_then(|worker| self.worker.insert(worker).loaded());
            if let Err(failure) = started {
                let failed = Err(failure);
                self.note(&failed, (codec.ticks)());
                self.worker = None;
                failed?;
            }
        }
        self.worker.as_ref().ok_or(Failure::NoFunction)
    }

    /// Notes what became of a frame.
    fn note(&mut self, result: &Result<(), Failure>, now: Duration) {
        match result {
            Err(Failure::Stuck { .. }) => {
                self.stuck = self.worker.take().map(Worker::leave);
                self.rest.stuck(now);
            }
            // The engine may be in any state: the next call makes a new one.
            Err(failure) if failure.is_a_limit() => {
                self.worker = None;
                self.rest.struck(now);
            }
            // It answered, if only that it cannot decode this frame.
            _ => self.rest.worked(),
        }
    }
}

impl Codec for JsCodec {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        let mut all = Vec::with_capacity(1);
        self.decode_uplinks(&[*frame], &mut all);
        *out = all.pop().unwrap_or_else(|| Ok(CodecOutput::default()))?;
        Ok(())
    }

    fn decode_uplinks(&self, frames: &[Frame<'_>], out: &mut Vec<Result<CodecOutput, CodecError>>) {
        self.call(frames, false, |frame, report, result| {
            if result.is_ok() && !(report.not_finite.is_empty() && report.warnings.is_empty()) {
                let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
                remarks.tell(&self.script.file, frame.device, &report, (self.ticks)());
            }
            let file = &self.script.file;
            out.push(result.map(|()| report.output).map_err(|failure| failure.into_error(file)));
        });
    }

    fn takes_many(&self) -> bool {
        true
    }
}
