//! Turns away whoever guesses tokens: a number of failed logins a minute per client address. Only
//! failures count and only failures are refused, so nobody can lock out somebody with a token.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

/// Failed logins per address in [`WINDOW`].
const ATTEMPTS: usize = 10;
const WINDOW: Span = Span::from_secs(60);
/// How many addresses are watched.
const ADDRESSES: usize = 10_000;

/// Failed logins of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<FxHashMap<IpAddr, VecDeque<Timestamp>>>);

impl Throttle {
    /// Counts a failed login. If there were too many before it, the error is the number of seconds
    /// until the next one is counted.
    pub(crate) fn failed(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= ADDRESSES {
            attempts.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < WINDOW));
            if attempts.len() >= ADDRESSES {
                return Err(WINDOW.secs_f64() as u32);
            }
        }
        let times = attempts.entry(network(address)).or_default();
        while times.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            times.pop_front();
        }
        if times.len() >= ATTEMPTS {
            let first = times.front().copied().unwrap_or(now);
            return Err((first + WINDOW).since(now).secs_f64().ceil().max(1.0) as u32);
        }
        times.push_back(now);
        Ok(())
    }

    /// Whether an address has to wait before anything costly is done for it: the seconds until
    /// then. Counts nothing.
    pub(crate) fn refuses(&self, address: IpAddr, now: Timestamp) -> Option<u32> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &&Timestamp| now.since(**at) < WINDOW;
        let mut times = attempts.get(&network(address))?.iter().filter(recent);
        let first = *times.next()?;
        let wait = (first + WINDOW).since(now).secs_f64().ceil().max(1.0) as u32;
        (times.count() + 1 >= ATTEMPTS).then_some(wait)
    }

    /// Forgets the failures of an address that has shown a valid token.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&network(address));
    }
}

/// One host holds a whole IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_failure_in_a_minute_has_to_wait() {
        let throttle = Throttle::default();
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        let start = Timestamp::from_secs(100);
        for second in 0..10 {
            assert_eq!(throttle.failed(address, start + Span::from_secs(second)), Ok(()));
        }
        assert_eq!(throttle.failed(address, start + Span::from_secs(20)), Err(40));
        assert_eq!(throttle.refuses(address, start + Span::from_secs(20)), Some(40));
        assert_eq!(throttle.refuses(address, start + Span::from_secs(60)), None);
        let other = "192.0.2.2".parse().expect("an address");
        assert_eq!(throttle.failed(other, start + Span::from_secs(20)), Ok(()));
        assert_eq!(throttle.failed(address, start + Span::from_secs(60)), Ok(()));
        throttle.succeeded(address);
        for _ in 0..10 {
            assert_eq!(throttle.failed(address, start + Span::from_secs(61)), Ok(()));
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    }
}
