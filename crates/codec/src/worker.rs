//! A thread of each codec's own, so that a call that will not end holds up nobody else.
//!
//! The engine asks whether the time is over between the steps of a script, but one step can be
//! long: a search in a long text, a product of two numbers with a million digits. Nothing can stop
//! such a step from outside, so the caller waits for a while, and then leaves the thread behind.
//!
//! Waking up another thread costs as much as decoding a frame, so the thread takes many at a time
//! and puts down what it made of each as it goes: what is done is not lost when it gets stuck.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
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

/// What became of a frame.
pub(crate) type Outcome = (Report, Result<(), Failure>);

/// A thread with an engine in it; it ends when this is dropped.
pub(crate) struct Worker {
    jobs: SyncSender<Job>,
    /// The start, then the end of each job.
    replies: Receiver<Result<(), Failure>>,
    done: Arc<Mutex<Vec<Outcome>>>,
    thread: JoinHandle<()>,
    limits: Limits,
}

/// Frames that the thread may keep for as long as it takes.
struct Job {
    bytes: Vec<u8>,
    frames: Vec<Head>,
    /// Whether people read what the script writes to the console.
    listen: bool,
}

struct Head {
    /// Where its bytes end; they begin where those of the frame before end.
    end: usize,
    f_port: Option<u8>,
    received: Timestamp,
}

impl Worker {
    /// Starts a thread that compiles the script; [`Worker::loaded`] tells what came of it.
    pub(crate) fn start(script: Arc<Script>, limits: Limits) -> Result<Self, Failure> {
        let (jobs, frames) = sync_channel(1);
        let (answers, replies) = sync_channel(1);
        let done = Arc::default();
        let doing = Arc::clone(&done);
        let thread = thread::Builder::new()
            .name("codec".to_owned())
            .stack_size(STACK + limits.stack)
            .spawn(move || work(&script, limits, &frames, &doing, &answers))
            .map_err(|error| Failure::Engine { why: format!("there is no thread: {error}") })?;
        Ok(Self { jobs, replies, done, thread, limits })
    }

    /// Waits until the script is compiled; once after the start.
    pub(crate) fn loaded(&self) -> Result<(), Failure> {
        let longest = self.limits.time * (LOADING + 3) + PATIENCE;
        self.replies.recv_timeout(longest).map_err(|error| self.left(error))?
    }

    /// Decodes frames up to the first that passes a limit, after which the engine is not to be used
    /// any more. After [`Failure::Stuck`] nothing but [`Worker::leave`] makes sense.
    pub(crate) fn call(&self, frames: &[Frame<'_>], listen: bool) -> Vec<Outcome> {
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| frame.bytes.len()).sum());
        let heads = frames.iter().map(|frame| {
            bytes.extend_from_slice(frame.bytes);
            Head { end: bytes.len(), f_port: frame.f_port, received: frame.received }
        });
        let job = Job { frames: heads.collect(), bytes, listen };
        let ended = match self.jobs.send(job) {
            Ok(()) => self.wait(),
            Err(_) => Err(gone()),
        };
        outcomes(std::mem::take(&mut *self.done()), ended, frames.len())
    }

    /// Waits for the end of a job, as long as a frame gets done now and then.
    fn wait(&self) -> Result<(), Failure> {
        let longest = self.limits.time * 4 + PATIENCE;
        let mut before = 0;
        loop {
            match self.replies.recv_timeout(longest) {
                Ok(ended) => return ended,
                Err(error) => {
                    let done = self.done().len();
                    if error == RecvTimeoutError::Disconnected || done == before {
                        return Err(self.left(error));
                    }
                    before = done;
                }
            }
        }
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Vec<Outcome>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self, error: RecvTimeoutError) -> Failure {
        match error {
            RecvTimeoutError::Timeout => Failure::Stuck { limit: self.limits.time },
            RecvTimeoutError::Disconnected => gone(),
        }
    }

    /// Leaves the thread to end by itself.
    pub(crate) fn leave(self) -> JoinHandle<()> {
        self.thread
    }
}

/// What became of `frames` frames, or of the first of them: those that are done, and then what ended
/// the job before its time. If the last one was done just then, the end counts: whoever reads this
/// must hear that the thread is not to be asked again.
fn outcomes(mut done: Vec<Outcome>, ended: Result<(), Failure>, frames: usize) -> Vec<Outcome> {
    if let Err(failure) = ended {
        done.truncate(frames.saturating_sub(1));
        done.push((Report::default(), Err(failure)));
    }
    done
}

fn gone() -> Failure {
    Failure::Engine { why: "its thread has ended".to_owned() }
}

/// What the thread does: until nobody asks any more, or nobody listens.
fn work(
    script: &Script,
    limits: Limits,
    jobs: &Receiver<Job>,
    done: &Mutex<Vec<Outcome>>,
    replies: &SyncSender<Result<(), Failure>>,
) {
    let started = Engine::start(&script.file, &script.source, limits);
    let (engine, result) = match started {
        Ok(engine) => (Some(engine), Ok(())),
        Err(failure) => (None, Err(failure)),
    };
    if replies.send(result).is_err() {
        return;
    }
    let Some(engine) = engine else { return };
    while let Ok(Job { bytes, frames, listen }) = jobs.recv() {
        let mut start = 0;
        for Head { end, f_port, received } in frames {
            // A script is not told which device it works for.
            let bytes = bytes.get(start..end).unwrap_or_default();
            let frame = Frame { device: "", bytes, f_port, received };
            let mut report = Report::default();
            let result = engine.call(&frame, script.variables.as_deref(), listen, &mut report);
            let is_over = result.as_ref().is_err_and(Failure::is_a_limit);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((report, result));
            if is_over {
                break;
            }
            start = end;
        }
        if replies.send(Ok(())).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_before_its_time_is_told_even_if_all_is_done_by_then() {
        for (done, expected) in [(0, 1), (1, 2), (2, 3), (3, 3)] {
            let done = std::iter::repeat_with(|| (Report::default(), Ok(()))).take(done).collect();
            let told = outcomes(done, Err(gone()), 3);
            assert_eq!(told.len(), expected);
            let (last, before) = told.split_last().expect("at least one");
            assert!(last.1.is_err() && before.iter().all(|(_, result)| result.is_ok()));
        }
        assert!(outcomes(vec![(Report::default(), Ok(()))], Ok(()), 1)[0].1.is_ok());
    }
}
