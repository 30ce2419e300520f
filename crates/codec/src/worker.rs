//! A thread of each codec's own, so that a call that will not end holds up nobody else.
//!
//! The engine asks whether the time is over between the steps of a script, but one step can be
//! long: a search in a long text, a product of two numbers with a million digits. Nothing can stop
//! such a step from outside, so the caller waits for a while, and then leaves the thread behind.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use city_decode::Frame;
use city_model::Timestamp;

use crate::engine::{Engine, LOADING};
use crate::failure::Failure;
use crate::{Limits, Report};

/// What a thread needs beside the script's own stack, in bytes.
const STACK: usize = 2 << 20;

/// How long a caller waits beyond four times the limit, for machines with much else to do: the
/// limit counts the time that the thread has a core, this the time that passes.
const PATIENCE: Duration = Duration::from_millis(250);

/// The text of a codec and what goes with it.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) file: String,
    pub(crate) source: String,
    /// As JSON; `None` if there are none.
    pub(crate) variables: Option<String>,
}

/// A thread with an engine in it; it ends when this is dropped.
pub(crate) struct Worker {
    jobs: SyncSender<Job>,
    replies: Receiver<Reply>,
    thread: JoinHandle<()>,
    limits: Limits,
}

/// A frame that the thread may keep for as long as it takes.
struct Job {
    bytes: Vec<u8>,
    f_port: Option<u8>,
    received: Timestamp,
    listen: bool,
    report: Report,
}

struct Reply {
    report: Report,
    result: Result<(), Failure>,
}

impl Worker {
    /// Starts a thread that compiles the script; [`Worker::loaded`] tells what came of it.
    pub(crate) fn start(script: Arc<Script>, limits: Limits) -> Result<Self, Failure> {
        let (jobs, frames) = sync_channel(1);
        let (answers, replies) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("codec".to_owned())
            .stack_size(STACK + limits.stack)
            .spawn(move || work(&script, limits, &frames, &answers))
            .map_err(|error| Failure::Engine { why: format!("there is no thread: {error}") })?;
        Ok(Self { jobs, replies, thread, limits })
    }

    /// Waits until the script is compiled; once after the start.
    pub(crate) fn loaded(&self) -> Result<(), Failure> {
        self.wait(self.limits.time * LOADING)?.result
    }

    /// Decodes one frame. After [`Failure::Stuck`] nothing but [`Worker::leave`] makes sense.
    pub(crate) fn call(
        &self,
        frame: &Frame<'_>,
        listen: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let job = Job {
            bytes: frame.bytes.to_vec(),
            f_port: frame.f_port,
            received: frame.received,
            listen,
            report: std::mem::take(report),
        };
        self.jobs.send(job).map_err(|_| gone())?;
        let reply = self.wait(self.limits.time)?;
        *report = reply.report;
        reply.result
    }

    fn wait(&self, limit: Duration) -> Result<Reply, Failure> {
        let longest = limit + self.limits.time * 3 + PATIENCE;
        self.replies.recv_timeout(longest).map_err(|error| match error {
            RecvTimeoutError::Timeout => Failure::Stuck { limit: self.limits.time },
            RecvTimeoutError::Disconnected => gone(),
        })
    }

    /// Leaves the thread to end by itself.
    pub(crate) fn leave(self) -> JoinHandle<()> {
        self.thread
    }
}

fn gone() -> Failure {
    Failure::Engine { why: "its thread has ended".to_owned() }
}

/// What the thread does: until nobody asks any more, or nobody listens.
fn work(script: &Script, limits: Limits, jobs: &Receiver<Job>, replies: &SyncSender<Reply>) {
    let started = Engine::start(&script.file, &script.source, limits);
    let (engine, result) = match started {
        Ok(engine) => (Some(engine), Ok(())),
        Err(failure) => (None, Err(failure)),
    };
    if replies.send(Reply { report: Report::default(), result }).is_err() {
        return;
    }
    let Some(engine) = engine else { return };
    while let Ok(job) = jobs.recv() {
        let Job { bytes, f_port, received, listen, mut report } = job;
        // A script is not told which device it works for.
        let frame = Frame { device: "", bytes: &bytes, f_port, received };
        let result = engine.call(&frame, script.variables.as_deref(), listen, &mut report);
        if replies.send(Reply { report, result }).is_err() {
            return;
        }
    }
}
