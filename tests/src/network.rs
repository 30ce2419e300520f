//! A network between two programs that can be cut, made to swallow everything, or slowed down.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A way through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From those who connect to where it leads.
    Up,
    /// Back.
    Down,
}

/// What happens on it now.
#[derive(Clone, Debug, Default)]
struct State {
    /// Nothing passes on these ways, and nobody is told: as if a cable were pulled.
    stalled: [bool; 2],
    /// Connections are ended, and new ones too.
    cut: bool,
    /// What passes waits so long.
    delay: Duration,
    /// Grows with each cut: connections of an earlier one are over.
    epoch: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A network that leads to one address.
pub struct Network {
    /// Connect here instead.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Network {
    /// A network that works.
    pub fn to(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let all = shared.clone();
        // Threads of the test process: they end with it.
        std::thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let shared = all.clone();
                std::thread::spawn(move || {
                    // An error ends this connection, as networks do.
                    let _ended = connect(near, target, &shared);
                });
            }
        });
        Ok(Self { address, shared })
    }

    /// Swallows what goes this way: nothing arrives, and nobody is told. What is swallowed arrives
    /// late, when it is mended; who connects meanwhile gets nowhere.
    pub fn stall(&self, way: Way) {
        self.change(|state| state.stalled[way as usize] = true);
    }

    /// Ends all connections and lets nobody in.
    pub fn cut(&self) {
        self.change(|state| {
            state.cut = true;
            state.epoch += 1;
        });
    }

    /// Makes everything that passes wait.
    pub fn delay(&self, delay: Duration) {
        self.change(|state| state.delay = delay);
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.change(|state| *state = State { epoch: state.epoch, ..State::default() });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may pass that way; returns how long it takes then, or nothing if the
    /// connection of this epoch is over.
    fn pass(&self, way: Way, epoch: u64) -> Option<Duration> {
        let state = self.lock();
        let closed = |state: &mut State| state.stalled[way as usize] && state.epoch == epoch;
        let state = self.changed.wait_while(state, closed).unwrap_or_else(PoisonError::into_inner);
        (state.epoch == epoch && !state.cut).then_some(state.delay)
    }
}

fn connect(near: TcpStream, target: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    let epoch = {
        let state = shared.lock();
        if state.cut {
            return Ok(());
        }
        if state.stalled != [false; 2] {
            // Its first packet never arrives. It learns of it when everything works again.
            let stalled = |state: &mut State| state.stalled != [false; 2];
            let over = shared.changed.wait_while(state, stalled);
            drop(over);
            return near.shutdown(Shutdown::Both);
        }
        state.epoch
    };
    let far = TcpStream::connect(target)?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    let watched = (near.try_clone()?, far.try_clone()?);
    let watcher = shared.clone();
    std::thread::spawn(move || {
        let state = watcher.lock();
        let same = |state: &mut State| state.epoch == epoch;
        let over = watcher.changed.wait_while(state, same);
        drop(over);
        for stream in [watched.0, watched.1] {
            let _gone_already = stream.shutdown(Shutdown::Both);
        }
    });
    let (back, up) = (shared.clone(), shared.clone());
    let (near_reads, far_writes) = (near.try_clone()?, far.try_clone()?);
    std::thread::spawn(move || pump(far, near, Way::Down, epoch, &back));
    pump(near_reads, far_writes, Way::Up, epoch, &up);
    Ok(())
}

/// Carries bytes one way until that side ends, then ends the other.
fn pump(mut from: TcpStream, mut to: TcpStream, way: Way, epoch: u64, shared: &Shared) {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        let Some(delay) = shared.pass(way, epoch) else { break };
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    // The end of a connection is news that has to travel too.
    let _over = shared.pass(way, epoch);
    let _gone_already = to.shutdown(Shutdown::Both);
}
