//! Who is connected, and which absent clients have a session.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::Stay;
use crate::post::Post;
use crate::remembered::Remembered;

/// Messages at QoS 2 that came in and are not released: packet id, and whether it is durable.
pub(crate) type Unreleased = HashMap<u16, bool>;

/// A connection's hold on its client id.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) client: Arc<str>,
    number: u64,
    /// Cancelled when the client connects anew, or has to leave.
    pub(crate) takeover: CancellationToken,
    /// Whether it has to leave because its rights have changed.
    pub(crate) revoked: Arc<AtomicBool>,
    /// Cancelled when the session is free for the next connection.
    released: CancellationToken,
}

/// What a connection finds.
#[derive(Debug)]
pub(crate) enum Attach {
    /// The client id is its own now.
    Done {
        hold: Hold,
        /// Whether the client has a session.
        present: bool,
        unreleased: Unreleased,
    },
    /// Another connection has it; it was told, and this is cancelled once it has let go.
    Busy(CancellationToken),
}

/// All sessions.
pub(crate) struct Sessions {
    table: Mutex<Table>,
    max_kept: usize,
}

#[derive(Default)]
struct Table {
    live: HashMap<Arc<str>, Live>,
    kept: HashMap<Arc<str>, Kept>,
    /// Kept sessions by age. An entry whose number is not the session's is out of date.
    order: VecDeque<(Arc<str>, u64)>,
    next: u64,
    remembered: Option<Remembered>,
    /// Told when a session ends.
    post: Option<Arc<Post>>,
}

/// A client that is connected.
#[derive(Debug)]
struct Live {
    number: u64,
    stay: Stay,
    takeover: CancellationToken,
    revoked: Arc<AtomicBool>,
    released: CancellationToken,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    expires: Instant,
    unreleased: Unreleased,
    /// Cancelled when the client is back: its delayed will is not published.
    back: CancellationToken,
}

impl Sessions {
    /// No connections; the sessions that the file holds, if there is one, for at most
    /// `max_expiry` from now.
    pub(crate) fn open(
        file: Option<&Path>,
        max_kept: usize,
        max_expiry: Duration,
    ) -> io::Result<Self> {
        let mut table = Table::default();
        if let Some(path) = file {
            let remembered = Remembered::open(path)?;
            let clients: Vec<(Arc<str>, Unreleased)> = remembered
                .clients()
                .map(|(client, ids)| (client.into(), ids.iter().map(|id| (*id, true)).collect()))
                .collect();
            table.remembered = Some(remembered);
            for (client, unreleased) in clients {
                table.keep(client, max_expiry, unreleased);
            }
            table.forget_over(max_kept);
        }
        Ok(Self { table: Mutex::new(table), max_kept })
    }

    /// The post office is told from now on when a session ends.
    pub(crate) fn tell(&self, post: Arc<Post>) {
        self.lock().post = Some(post);
    }

    /// Whether an absent client has a session.
    pub(crate) fn is_kept(&self, client: &str) -> bool {
        self.lock().kept.contains_key(client)
    }

    /// Ends the connections of the clients that may stay no longer; returns how many.
    pub(crate) fn revoke(&self) -> usize {
        let table = self.lock();
        let theirs = table.live.values().filter(|live| !live.stay.holds());
        theirs
            .map(|live| {
                live.revoked.store(true, Ordering::Release);
                live.takeover.cancel();
            })
            .count()
    }

    /// Takes a client id, or asks the connection that has it to let go. `clean` forgets the
    /// session that there was; `lasting` says that the new one outlives its connection.
    pub(crate) fn attach(
        &self,
        client: &Arc<str>,
        stay: &Stay,
        clean: bool,
        lasting: bool,
    ) -> Attach {
        let mut table = self.lock();
        if let Some(live) = table.live.get(client) {
            live.takeover.cancel();
            return Attach::Busy(live.released.clone());
        }
        let kept = table.kept.remove(client);
        if let Some(kept) = &kept {
            kept.back.cancel();
        }
        let session = kept.filter(|kept| !clean && kept.expires > Instant::now());
        let hold = Hold {
            client: client.clone(),
            number: table.number(),
            takeover: CancellationToken::new(),
            revoked: Arc::default(),
            released: CancellationToken::new(),
        };
        let live = Live {
            number: hold.number,
            stay: stay.clone(),
            takeover: hold.takeover.clone(),
            revoked: hold.revoked.clone(),
            released: hold.released.clone(),
        };
        table.live.insert(client.clone(), live);
        let present = session.is_some();
        if !present {
            table.ended(client);
        }
        table.remember(client, lasting);
        // From here on it is the connection that knows; what is written would soon be untrue.
        table.remember_unreleased(client, &Unreleased::new());
        let unreleased = session.map(|kept| kept.unreleased).unwrap_or_default();
        Attach::Done { hold, present, unreleased }
    }

    /// Lets go of a client id, keeping its session for `expiry`. Returns what is cancelled when
    /// the client is back.
    pub(crate) fn detach(
        &self,
        hold: &Hold,
        expiry: Duration,
        mut unreleased: Unreleased,
    ) -> CancellationToken {
        let mut table = self.lock();
        let mut back = CancellationToken::new();
        if table.live.get(&hold.client).is_some_and(|live| live.number == hold.number) {
            table.live.remove(&hold.client);
            if let Some(post) = &table.post {
                post.detach(&hold.client, !expiry.is_zero());
            }
            if expiry.is_zero() {
                table.remember(&hold.client, false);
            } else {
                // What is not known to be durable is taken again: a redelivery is harmless.
                unreleased.retain(|_, durable| *durable);
                table.remember_unreleased(&hold.client, &unreleased);
                back = table.keep(hold.client.clone(), expiry, unreleased);
                table.forget_over(self.max_kept);
            }
        }
        hold.released.cancel();
        back
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn keep(
        &mut self,
        client: Arc<str>,
        expiry: Duration,
        unreleased: Unreleased,
    ) -> CancellationToken {
        let back = CancellationToken::new();
        let number = self.number();
        let kept =
            Kept { number, expires: Instant::now() + expiry, unreleased, back: back.clone() };
        self.kept.insert(client.clone(), kept);
        self.order.push_back((client, number));
        if self.order.len() > 2 * self.kept.len() + 16 {
            // Clients that come and go leave entries behind those of clients that stay away.
            let kept = &self.kept;
            let current = |(client, number): &(Arc<str>, u64)| {
                kept.get(client).is_some_and(|kept| kept.number == *number)
            };
            self.order.retain(current);
        }
        back
    }

    /// Forgets the oldest sessions over the limit, and those that have expired before them.
    fn forget_over(&mut self, max_kept: usize) {
        let now = Instant::now();
        while let Some((client, number)) = self.order.front() {
            let current = self.kept.get(client).filter(|kept| kept.number == *number);
            let over = self.kept.len() > max_kept;
            if current.is_some_and(|kept| kept.expires > now && !over) {
                break;
            }
            let stale = current.is_none();
            let Some((client, _)) = self.order.pop_front() else { break };
            if !stale {
                self.kept.remove(&client);
                self.ended(&client);
                self.remember(&client, false);
            }
        }
    }

    /// A session has ended, and with it its subscriptions.
    fn ended(&self, client: &str) {
        if let Some(post) = &self.post {
            post.forget(client);
        }
    }

    fn remember(&mut self, client: &str, has: bool) {
        let Some(remembered) = &mut self.remembered else { return };
        if let Err(error) = remembered.set(client, has) {
            cannot_write(client, &error);
        }
    }

    fn remember_unreleased(&mut self, client: &str, unreleased: &Unreleased) {
        let Some(remembered) = &mut self.remembered else { return };
        let ids: Vec<u16> = unreleased.keys().copied().collect();
        if let Err(error) = remembered.set_unreleased(client, &ids) {
            cannot_write(client, &error);
        }
    }
}

fn cannot_write(client: &str, error: &io::Error) {
    tracing::warn!(
        mqtt.client = client,
        error = error as &dyn std::error::Error,
        "cannot write the sessions file; this session will not outlive a restart"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(1000);

    fn sessions(max_kept: usize) -> Sessions {
        Sessions::open(None, max_kept, LONG).expect("no file")
    }

    fn attach(sessions: &Sessions, client: &str, clean: bool) -> (Hold, bool, Unreleased) {
        match sessions.attach(&client.into(), &Stay::default(), clean, true) {
            Attach::Done { hold, present, unreleased } => (hold, present, unreleased),
            Attach::Busy(_) => panic!("busy"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_present_until_it_expires_or_is_cleaned() {
        let sessions = sessions(10);
        let (hold, present, _) = attach(&sessions, "d", false);
        assert!(!present);
        sessions.detach(&hold, LONG, [(1, true), (2, false)].into());
        let (hold, present, unreleased) = attach(&sessions, "d", false);
        assert!(present);
        assert_eq!(unreleased, [(1, true)].into(), "only what is durable");
        sessions.detach(&hold, LONG, Unreleased::new());
        tokio::time::advance(LONG).await;
        let (hold, present, _) = attach(&sessions, "d", false);
        assert!(!present, "expired");
        sessions.detach(&hold, LONG, Unreleased::new());
        let (hold, present, _) = attach(&sessions, "d", true);
        assert!(!present, "cleaned");
        sessions.detach(&hold, Duration::ZERO, Unreleased::new());
        assert!(!attach(&sessions, "d", false).1, "not kept");
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_connection_waits_for_the_first_to_let_go() {
        let sessions = sessions(10);
        let (first, ..) = attach(&sessions, "d", false);
        let Attach::Busy(released) = sessions.attach(&"d".into(), &Stay::default(), false, true)
        else {
            panic!("the first still has it")
        };
        assert!(first.takeover.is_cancelled() && !released.is_cancelled());
        let back = sessions.detach(&first, LONG, Unreleased::new());
        assert!(released.is_cancelled() && !back.is_cancelled());
        let (_second, present, _) = attach(&sessions, "d", false);
        assert!(present && back.is_cancelled());
        sessions.detach(&first, LONG, Unreleased::new());
        let again = sessions.attach(&"d".into(), &Stay::default(), false, true);
        assert!(matches!(again, Attach::Busy(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded_and_forgets_the_oldest() {
        let sessions = sessions(2);
        for client in ["a", "b", "a", "c"] {
            let (hold, ..) = attach(&sessions, client, false);
            sessions.detach(&hold, LONG, Unreleased::new());
        }
        assert_eq!(sessions.lock().kept.len(), 2);
        for _ in 0..100 {
            let (hold, ..) = attach(&sessions, "c", false);
            sessions.detach(&hold, LONG, Unreleased::new());
        }
        assert!(sessions.lock().order.len() <= 20, "entries out of date are swept");
        assert!(!attach(&sessions, "b", false).1, "the oldest");
        assert!(attach(&sessions, "a", false).1 && attach(&sessions, "c", false).1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_loses_its_rights_is_asked_to_leave() {
        let sessions = sessions(2);
        let valid = Arc::new(AtomicBool::new(true));
        let asked = valid.clone();
        let stay = Stay::as_long_as(move || asked.load(Ordering::Acquire));
        let Attach::Done { hold, .. } = sessions.attach(&"a".into(), &stay, true, false) else {
            panic!("free")
        };
        let (other, ..) = attach(&sessions, "b", false);
        assert_eq!(sessions.revoke(), 0);
        valid.store(false, Ordering::Release);
        assert_eq!(sessions.revoke(), 1);
        assert!(hold.takeover.is_cancelled() && hold.revoked.load(Ordering::Acquire));
        assert!(!other.takeover.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_absent_client_has_to_release_outlives_a_restart_but_not_its_return() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        let open = || Sessions::open(Some(&path), 10, LONG).expect("a file");
        let sessions = open();
        let (hold, ..) = attach(&sessions, "d", false);
        sessions.detach(&hold, LONG, [(7, true), (8, false)].into());
        drop(sessions);
        let sessions = open();
        assert_eq!(attach(&sessions, "d", false).2, [(7, true)].into());
        // The program is killed while the client is connected: its ids mean nothing any more.
        drop(sessions);
        assert!(attach(&open(), "d", false).2.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_outlive_a_restart_in_their_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        let open = || Sessions::open(Some(&path), 10, LONG).expect("a file");
        let sessions = open();
        let (_lasting, ..) = attach(&sessions, "lasting", false);
        let Attach::Done { hold, .. } =
            sessions.attach(&"fleeting".into(), &Stay::default(), true, false)
        else {
            panic!("free")
        };
        drop((hold, sessions));
        let sessions = open();
        assert!(attach(&sessions, "lasting", false).1);
        assert!(!attach(&sessions, "fleeting", false).1);
    }
}
