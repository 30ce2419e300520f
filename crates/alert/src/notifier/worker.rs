//! One receiver's task: takes what waits for it from the outbox and tells it, in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use city_cap::Earlier;
use city_model::{SharedClock, Span, Timestamp};
use city_store::StateError;
use prometheus::IntCounterVec;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ReceiverStatus;
use crate::outbox::{Outbox, Waiting};
use crate::receivers::{Delivery, DeliveryError, Limits, Receiver};

/// Events that are read from the outbox at a time.
const BATCH: usize = 100;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How often the outbox is looked at although nobody rang: a safety net, not the normal way.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How many events that were delivered are noted in the outbox together, and for how long at most one
/// of them waits for that. The next event would wait for a note, which waits for whoever writes; a
/// crash in between tells those again, with the same keys.
const NOTED_TOGETHER: usize = 32;
const NOTED_AFTER: Duration = Duration::from_millis(50);
/// No attempt takes longer, whatever the receiver does.
const LONGEST_TRY: Duration = Duration::from_mins(2);

pub(super) struct Worker {
    pub(super) id: String,
    pub(super) receiver: Arc<dyn Receiver>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) clock: SharedClock,
    pub(super) status: Arc<Mutex<BTreeMap<String, ReceiverStatus>>>,
    /// Rings when somebody found that the receiver works again.
    pub(super) mended: Arc<Notify>,
    pub(super) delivered: IntCounterVec,
}

/// What a worker remembers between attempts.
#[derive(Default)]
struct Progress {
    /// When it last tried to tell something.
    tried: Option<Instant>,
    /// When it last repeated what fires.
    repeated: Option<Instant>,
    /// What fires, for receivers that want it repeated: alerts, and the event that told it last.
    /// Nothing until it was read from the outbox.
    firing: Option<BTreeMap<String, i64>>,
    /// What was delivered and is not noted in the outbox yet.
    unnoted: Vec<i64>,
    /// When the first of them was.
    unnoted_since: Option<Instant>,
}

/// Why nothing is delivered now: the receiver wants to be left alone for so long, if it said so.
struct Later(Option<Duration>);

impl Worker {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut progress = Progress::default();
        let mut wait = FIRST_WAIT;
        // A failure was logged; then it is only not known when the receiver was last told something.
        if let Ok(last) = self.on_outbox(Outbox::last_delivery).await {
            self.note(|status| status.last_delivery = last);
        }
        loop {
            // Registered before looking, so that an event put in between still rings.
            let news = self.outbox.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            match self.deliver_waiting(&mut progress, &stop).await {
                Ok(()) => {
                    wait = FIRST_WAIT;
                    let note = progress.unnoted_since.map(|since| since + NOTED_AFTER);
                    let look = note.unwrap_or_else(|| Instant::now() + LOOK_AGAIN);
                    tokio::select! {
                        () = stop.cancelled() => {
                            // What cannot be noted now is told once more after the next start.
                            let _ = self.note_delivered(&mut progress).await;
                            return;
                        }
                        () = &mut news => {}
                        () = tokio::time::sleep_until(look) => {}
                    }
                }
                Err(Later(after)) => {
                    let pause = after.unwrap_or(wait).max(jittered(wait));
                    wait = (wait * 2).min(LONGEST_WAIT);
                    let next = self.clock.now() + Span::from_micros(pause.as_micros() as i64);
                    self.note(|status| status.next_try = Some(next));
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = self.mended.notified() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    self.note(|status| status.next_try = None);
                }
            }
        }
    }

    /// Delivers what waits, oldest first; stops at the first that must be tried again.
    async fn deliver_waiting(
        &self,
        progress: &mut Progress,
        stop: &CancellationToken,
    ) -> Result<(), Later> {
        let limits = self.receiver.limits();
        // A receiver that wants pauses is told together of what came meanwhile.
        let at_once = if limits.apart.is_zero() { BATCH } else { limits.together };
        loop {
            self.keep_apart(progress, limits.apart, stop).await;
            if stop.is_cancelled() {
                return Ok(());
            }
            if progress.must_be_noted() {
                self.note_delivered(progress).await?;
            }
            // Those that were delivered and are not noted yet stand there, too, before the others.
            let most = at_once + progress.unnoted.len();
            let mut waiting = self.on_outbox(move |outbox, id| outbox.waiting(id, most)).await?;
            waiting.retain(|event| !progress.unnoted.contains(&event.id));
            if waiting.is_empty() {
                self.repeat(progress, &limits, stop).await?;
                self.note(|status| {
                    status.waiting = 0;
                    status.works();
                });
                return Ok(());
            }
            let backlog = if waiting.len() < at_once {
                waiting.len() as u64
            } else {
                self.on_outbox(Outbox::backlog).await?.saturating_sub(progress.unnoted.len() as u64)
            };
            self.note(|status| status.waiting = backlog);
            let (rows, events): (Vec<Row>, Vec<Delivery>) = waiting.into_iter().map(split).unzip();
            let together = if limits.history { 1 } else { limits.together.max(1) };
            for (rows, events) in rows.chunks(together).zip(events.chunks(together)) {
                if stop.is_cancelled() {
                    return Ok(());
                }
                let done = self.deliver(rows, events, progress).await;
                if done.is_err() {
                    self.note_delivered(progress).await?;
                }
                done?;
            }
            self.repeat(progress, &limits, stop).await?;
        }
    }

    /// Waits until the receiver may be spoken to again.
    async fn keep_apart(&self, progress: &Progress, apart: Duration, stop: &CancellationToken) {
        let Some(tried) = progress.tried.filter(|_| !apart.is_zero()) else { return };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep_until(tried + apart) => {}
        }
    }

    async fn deliver(
        &self,
        rows: &[Row],
        events: &[Delivery],
        progress: &mut Progress,
    ) -> Result<(), Later> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let earlier = match rows.first().filter(|_| self.receiver.limits().history) {
            Some(&Row { id, ref alert, .. }) => {
                let alert = alert.clone();
                self.on_outbox(move |outbox, receiver| outbox.told_before(receiver, &alert, id))
                    .await?
            }
            None => Vec::new(),
        };
        let (now, result) = self.attempt(events, &earlier, progress).await;
        match result {
            Ok(()) => {
                self.count("delivered", events.len());
                progress.unnoted.extend(&ids);
                progress.unnoted_since.get_or_insert_with(Instant::now);
                let limits = self.receiver.limits();
                // Those with history read the notes; with others there is time between two events.
                if limits.history || !limits.apart.is_zero() || progress.must_be_noted() {
                    self.note_delivered(progress).await?;
                }
                self.note(|status| {
                    status.waiting = status.waiting.saturating_sub(events.len() as u64);
                    status.last_delivery = Some(now);
                    status.works();
                });
                progress.note(rows, events);
                Ok(())
            }
            Err(error) if error.retry => {
                self.count("failed", events.len());
                let attempts = rows.first().map_or(0, |row| row.attempts);
                tracing::warn!(receiver = %self.id, attempts, error.cause = %error, "an alert event was not taken; it is tried again");
                self.note(|status| status.fails(now, &error.message));
                self.on_outbox(move |outbox, _| outbox.failed(&ids, &error.message)).await?;
                let backlog = self.on_outbox(Outbox::backlog).await?;
                self.note(|status| status.waiting = backlog);
                Err(Later(error.after))
            }
            Err(_) if events.len() > 1 => {
                // One of them is not wanted; which, is seen when each is told alone.
                let apart = self.receiver.limits().apart;
                for (row, event) in rows.iter().zip(events) {
                    tokio::time::sleep(apart).await;
                    let alone = (std::slice::from_ref(row), std::slice::from_ref(event));
                    Box::pin(self.deliver(alone.0, alone.1, progress)).await?;
                }
                Ok(())
            }
            Err(error) => {
                self.count("refused", events.len());
                let key = events.first().map_or("", |event| &event.key);
                tracing::error!(receiver = %self.id, key, error.cause = %error, "an alert event was refused for good");
                self.on_outbox(move |outbox, _| outbox.given_up(&ids, &error.message, now)).await?;
                self.note(|status| {
                    status.waiting = status.waiting.saturating_sub(events.len() as u64);
                });
                progress.forget_ended(rows, events);
                Ok(())
            }
        }
    }

    /// Notes in the outbox what was delivered. What cannot be noted stays to be noted, and nothing
    /// more is told until it is.
    async fn note_delivered(&self, progress: &mut Progress) -> Result<(), Later> {
        if progress.unnoted.is_empty() {
            return Ok(());
        }
        let (ids, now) = (progress.unnoted.clone(), self.clock.now());
        self.on_outbox(move |outbox, _| outbox.delivered(&ids, now)).await?;
        progress.unnoted.clear();
        progress.unnoted_since = None;
        Ok(())
    }

    /// Tells of all that fires again, for receivers that want that, if it is time.
    async fn repeat(
        &self,
        progress: &mut Progress,
        limits: &Limits,
        stop: &CancellationToken,
    ) -> Result<(), Later> {
        let Some(every) = limits.repeat else { return Ok(()) };
        if progress.firing.is_none() {
            self.note_delivered(progress).await?;
            let firing = self.on_outbox(Outbox::firing).await?;
            progress.firing = Some(firing.into_iter().collect());
        }
        if progress.repeated.is_some_and(|at| at.elapsed() < every) {
            return Ok(());
        }
        let ids: Vec<i64> = progress.firing.iter().flat_map(BTreeMap::values).copied().collect();
        for page in ids.chunks(limits.together.max(1)) {
            if stop.is_cancelled() {
                return Ok(());
            }
            let page = page.to_vec();
            let events = self.on_outbox(move |outbox, _| outbox.again(&page)).await?;
            let (now, result) = self.attempt(&events, &[], progress).await;
            match result {
                Ok(()) => self.count("repeated", events.len()),
                Err(error) => {
                    self.count("failed", events.len());
                    tracing::warn!(receiver = %self.id, error.cause = %error, "alerts that fire could not be repeated");
                    self.note(|status| status.fails(now, &error.message));
                    if error.retry {
                        return Err(Later(error.after));
                    }
                }
            }
        }
        progress.repeated = Some(Instant::now());
        Ok(())
    }

    async fn attempt(
        &self,
        events: &[Delivery],
        earlier: &[Earlier],
        progress: &mut Progress,
    ) -> (Timestamp, Result<(), DeliveryError>) {
        let now = self.clock.now();
        let attempt = self.receiver.deliver_after(events, earlier, now);
        let result = match tokio::time::timeout(LONGEST_TRY, attempt).await {
            Ok(result) => result,
            Err(_) => Err(DeliveryError::again("the attempt was given up after two minutes")),
        };
        progress.tried = Some(Instant::now());
        (now, result)
    }

    fn count(&self, outcome: &str, events: usize) {
        self.delivered.with_label_values(&[self.id.as_str(), outcome]).inc_by(events as u64);
    }

    fn note(&self, change: impl FnOnce(&mut ReceiverStatus)) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        change(status.entry(self.id.clone()).or_default());
    }

    /// Runs a call on the database off the async threads; a failure is logged and tried later.
    async fn on_outbox<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Outbox, &str) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, Later> {
        let (outbox, id) = (self.outbox.clone(), self.id.clone());
        let result = tokio::task::spawn_blocking(move || call(&outbox, &id)).await;
        let result = result.map_err(|_| Later(None))?;
        result.map_err(|error| {
            tracing::error!(error.cause = %error, "the outbox cannot be used");
            Later(None)
        })
    }
}

/// What the outbox knows of an event beside what is delivered.
struct Row {
    id: i64,
    attempts: u32,
    alert: String,
}

fn split(waiting: Waiting) -> (Row, Delivery) {
    let Waiting { id, attempts, alert, delivery } = waiting;
    (Row { id, attempts, alert }, delivery)
}

impl Progress {
    /// Whether what was delivered must be noted now.
    fn must_be_noted(&self) -> bool {
        self.unnoted.len() >= NOTED_TOGETHER
            || self.unnoted_since.is_some_and(|since| since.elapsed() >= NOTED_AFTER)
    }

    /// Notes what fires now that these events are told.
    fn note(&mut self, rows: &[Row], events: &[Delivery]) {
        let Some(firing) = &mut self.firing else { return };
        for (row, event) in rows.iter().zip(events) {
            if event.ends() {
                firing.remove(&row.alert);
            } else {
                firing.insert(row.alert.clone(), row.id);
            }
        }
    }

    /// An end that the receiver will not hear of is an end all the same.
    fn forget_ended(&mut self, rows: &[Row], events: &[Delivery]) {
        let Some(firing) = &mut self.firing else { return };
        for (row, _) in rows.iter().zip(events).filter(|(_, event)| event.ends()) {
            firing.remove(&row.alert);
        }
    }
}

/// Between half of the wait and all of it, so that receivers are not all tried at once.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.5..=1.0))
}
