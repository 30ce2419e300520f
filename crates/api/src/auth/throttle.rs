//! Turns away whoever guesses: failed logins are counted per client address, per account, and per
//! browser that the account is known on. Only failures count, and nobody who guesses can lock out
//! somebody with a token, or a user on a browser that he has used before.

use std::collections::VecDeque;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

/// How many keys are watched at a time.
const WATCHED: usize = 10_000;

/// Failures by key in a window of time.
#[derive(Debug)]
pub(crate) struct Failures<K> {
    most: usize,
    window: Span,
    times: Mutex<FxHashMap<K, VecDeque<Timestamp>>>,
}

impl<K: Copy + Eq + Hash> Failures<K> {
    pub(crate) fn new(most: usize, window: Span) -> Self {
        Self { most, window, times: Mutex::default() }
    }

    /// Counts a failure. If there were too many before it, the error is the number of seconds
    /// until the next one is counted.
    pub(crate) fn failed(&self, key: K, now: Timestamp) -> Result<(), u32> {
        let mut all = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= WATCHED {
            all.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < self.window));
        }
        if all.len() >= WATCHED && !all.contains_key(&key) {
            // Whoever makes up keys to have others forgotten has few failures with each.
            let least = |key: &K| all.get(key).map(|times| (times.len(), times.back().copied()));
            let weakest = all.keys().copied().min_by_key(least);
            weakest.map(|key| all.remove(&key));
        }
        let times = all.entry(key).or_default();
        while times.front().is_some_and(|first| now.since(*first) >= self.window) {
            times.pop_front();
        }
        if times.len() >= self.most {
            let first = times.front().copied().unwrap_or(now);
            return Err(self.wait(first, now));
        }
        times.push_back(now);
        Ok(())
    }

    /// Whether one more failure would be too many: the seconds until it would not. Counts nothing.
    pub(crate) fn refuses(&self, key: K, now: Timestamp) -> Option<u32> {
        let all = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times = all.get(&key)?.iter().filter(|at| now.since(**at) < self.window);
        let first = *times.next()?;
        (times.count() + 1 >= self.most).then(|| self.wait(first, now))
    }

    fn wait(&self, first: Timestamp, now: Timestamp) -> u32 {
        (first + self.window).since(now).secs_f64().ceil().max(1.0) as u32
    }

    /// Forgets the failures of a key.
    pub(crate) fn succeeded(&self, key: K) {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// Failed logins by address: ten a minute.
#[derive(Debug)]
pub(crate) struct Throttle(Failures<IpAddr>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Failures::new(10, Span::from_secs(60)))
    }
}

impl Throttle {
    /// Counts a failed login. If there were too many before it, the error is the number of seconds
    /// until the next one is counted.
    pub(crate) fn failed(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        self.0.failed(network(address), now)
    }

    /// Whether an address has to wait before anything costly is done for it: the seconds until
    /// then. Counts nothing.
    pub(crate) fn refuses(&self, address: IpAddr, now: Timestamp) -> Option<u32> {
        self.0.refuses(network(address), now)
    }

    /// Forgets the failures of an address that has shown a valid token.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        self.0.succeeded(network(address));
    }
}

/// The SHA-256 of what somebody calls himself, or of the cookie of a browser: names that strangers
/// make up are no longer than others.
pub(crate) type Named = [u8; 32];

/// Failed logins with passwords, by account. NIST SP 800-63B-4, clause 3.2.2, allows no more than
/// 100 in a row.
#[derive(Debug)]
pub(crate) struct LoginFailures {
    /// From everywhere but browsers that are known: that is what strangers can use up.
    strangers: Failures<Named>,
    /// On a browser that is known, by its cookie.
    browsers: Failures<Named>,
}

impl Default for LoginFailures {
    fn default() -> Self {
        Self {
            strangers: Failures::new(20, Span::from_mins(15)),
            browsers: Failures::new(10, Span::from_mins(15)),
        }
    }
}

impl LoginFailures {
    /// Whether a login has to wait before the password is looked at: the seconds until then.
    pub(crate) fn refuses(
        &self,
        user: Named,
        browser: Option<Named>,
        now: Timestamp,
    ) -> Option<u32> {
        match browser {
            Some(browser) => self.browsers.refuses(browser, now),
            None => self.strangers.refuses(user, now),
        }
    }

    /// Counts a wrong password.
    pub(crate) fn failed(&self, user: Named, browser: Option<Named>, now: Timestamp) {
        // What is refused was refused before.
        let _ = match browser {
            Some(browser) => self.browsers.failed(browser, now),
            None => self.strangers.failed(user, now),
        };
    }

    /// Forgets the failures on a browser that is known. Those of strangers stay: they may guess on.
    pub(crate) fn succeeded(&self, browser: Option<Named>) {
        if let Some(browser) = browser {
            self.browsers.succeeded(browser);
        }
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
    fn strangers_use_up_what_strangers_have_and_leave_known_browsers_alone() {
        let accounts = LoginFailures::default();
        let (user, browser, other) = ([1; 32], [2; 32], [3; 32]);
        let now = Timestamp::from_secs(100);
        for _ in 0..20 {
            assert_eq!(accounts.refuses(user, None, now), None);
            accounts.failed(user, None, now);
        }
        assert_eq!(accounts.refuses(user, None, now), Some(900));
        assert_eq!(accounts.refuses(user, Some(browser), now), None);
        assert_eq!(accounts.refuses([9; 32], None, now), None, "another account");
        for _ in 0..10 {
            accounts.failed(user, Some(browser), now);
        }
        assert_eq!(accounts.refuses(user, Some(browser), now), Some(900));
        assert_eq!(accounts.refuses(user, Some(other), now), None);
        accounts.succeeded(Some(browser));
        assert_eq!(accounts.refuses(user, Some(browser), now), None);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    }
}
