//! Device codecs in JavaScript: the `decodeUplink` files that vendors publish for The Things
//! Stack and ChirpStack, run unchanged in a sandboxed engine.
//!
//! ```js
//! function decodeUplink(input) {            // {bytes, fPort, recvTime, variables}
//!   return {data: {temperature: (input.bytes[0] << 8 | input.bytes[1]) / 10}};
//! }
//! ```
//!
//! The sandbox has the language and nothing else: no files, no network, no timers, no modules.
//! A call has a limit of time, memory and stack ([`Limits`]); a codec that passes one starts
//! afresh, and one that keeps doing so rests, so that it harms only its own kind of device.
//!
//! The engine is QuickJS-ng. It must not be shared by threads at the same time, so each codec has
//! one of its own behind a lock; the pipeline, which decodes on one thread, never waits for it.

mod engine;
mod failure;
mod flatten;
mod rest;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use city_decode::{Codec, CodecError, CodecOutput, Frame};

use engine::Engine;
use failure::Failure;
use rest::Rest;

/// What one call of a codec may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest that it may run.
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
/// (a method that it adds to `Array.prototype`) stays until the codec starts afresh.
pub struct JsCodec {
    file: String,
    source: String,
    /// As JSON; `None` if there are none.
    variables: Option<String>,
    limits: Limits,
    ticks: Ticks,
    state: Mutex<State>,
}

struct State {
    /// `None` after a call that passed a limit.
    engine: Option<Engine>,
    rest: Rest,
}

impl std::fmt::Debug for JsCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsCodec").field("file", &self.file).finish_non_exhaustive()
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

    /// The same with another clock for the rests.
    pub fn with_ticks(
        file: &str,
        source: &str,
        variables: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        ticks: Ticks,
    ) -> Result<Self, CodecError> {
        let variables = (!variables.is_empty())
            .then(|| serde_json::Value::Object(variables.clone()).to_string());
        let engine =
            Engine::start(file, source, limits).map_err(|failure| failure.into_error(file))?;
        Ok(Self {
            file: file.to_owned(),
            source: source.to_owned(),
            variables,
            limits,
            ticks,
            state: Mutex::new(State { engine: Some(engine), rest: Rest::default() }),
        })
    }

    /// The name that errors call the file by.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Decodes a frame and keeps what else the codec said, before it failed too.
    pub fn report(&self, frame: &Frame<'_>) -> (Report, Result<(), CodecError>) {
        let mut report = Report::default();
        let called = self.call(frame, true, &mut report);
        match called {
            Ok(()) => (report, Ok(())),
            Err(failure) => (report, Err(failure.into_error(&self.file))),
        }
    }

    fn call(&self, frame: &Frame<'_>, listen: bool, report: &mut Report) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { engine, rest } = &mut *state;
        if let Some(left) = rest.left((self.ticks)()) {
            return Err(Failure::Rests { left });
        }
        let result = self.run(engine, frame, listen, report);
        match &result {
            // The engine may be in any state: the next call makes a new one.
            Err(failure) if failure.is_a_limit() => {
                *engine = None;
                rest.struck((self.ticks)());
            }
            // It answered, if only that it cannot decode this frame.
            _ => rest.worked(),
        }
        result
    }

    fn run(
        &self,
        engine: &mut Option<Engine>,
        frame: &Frame<'_>,
        listen: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let engine = match engine {
            Some(engine) => engine,
            None => engine.insert(Engine::start(&self.file, &self.source, self.limits)?),
        };
        engine.call(frame, self.variables.as_deref(), listen, report)
    }
}

impl Codec for JsCodec {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        let mut report = Report { output: std::mem::take(out), ..Report::default() };
        let result = self.call(frame, false, &mut report);
        *out = report.output;
        result.map_err(|failure| failure.into_error(&self.file))
    }
}
