//! How many wrong passwords one address may try.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use city_model::{Span, Timestamp};

/// Wrong passwords of an address in [`WINDOW`], after which none of it is looked up any more: a
/// password of six digits then holds out for years.
const ATTEMPTS: u32 = 10;
const WINDOW: Span = Span::from_mins(15);
/// One line of the log for an address in this time.
const LOG_AGAIN: Span = Span::from_mins(1);
/// How many addresses are watched.
const ADDRESSES: usize = 10_000;

/// The wrong passwords by address. Only those count that had to be looked up: a logger that keeps
/// sending the same wrong one locks nobody out who is behind the same address.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<IpAddr, Address>>);

#[derive(Debug)]
struct Address {
    since: Timestamp,
    wrong: u32,
    logged: Option<Timestamp>,
}

impl Failures {
    /// Whether a password from this address may still be looked up.
    pub(crate) fn may_try(&self, address: IpAddr, now: Timestamp) -> bool {
        self.with(address, now, |found| found.wrong < ATTEMPTS).unwrap_or(false)
    }

    /// Counts a wrong password.
    pub(crate) fn wrong(&self, address: IpAddr, now: Timestamp) {
        self.with(address, now, |found| found.wrong += 1);
    }

    /// Whether the log has not spoken of this address for a while.
    pub(crate) fn may_log(&self, address: IpAddr, now: Timestamp) -> bool {
        let may = |found: &mut Address| {
            let due = found.logged.is_none_or(|at| now < at || now.since(at) >= LOG_AGAIN);
            if due {
                found.logged = Some(now);
            }
            due
        };
        self.with(address, now, may).unwrap_or(false)
    }

    /// `None` if too many addresses are watched already.
    fn with<T>(
        &self,
        address: IpAddr,
        now: Timestamp,
        look: impl FnOnce(&mut Address) -> T,
    ) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        let over = |found: &Address| now < found.since || now.since(found.since) >= WINDOW;
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, found| !over(found));
            if all.len() >= ADDRESSES {
                return None;
            }
        }
        let fresh = || Address { since: now, wrong: 0, logged: None };
        let found = all.entry(address).or_insert_with(fresh);
        if over(found) {
            (found.since, found.wrong) = (now, 0);
        }
        Some(look(found))
    }
}

/// One host holds a whole IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    #[test]
    fn an_address_has_ten_wrong_passwords_in_a_quarter_of_an_hour() {
        let failures = Failures::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
        for _ in 0..10 {
            assert!(failures.may_try(one, at(0)));
            failures.wrong(one, at(0));
        }
        assert!(!failures.may_try(one, at(899)));
        assert!(failures.may_try(other, at(899)), "another address");
        assert!(failures.may_try(one, at(900)));
    }

    #[test]
    fn the_log_speaks_of_an_address_once_a_minute() {
        let failures = Failures::default();
        let one = "2001:db8::1".parse().expect("an address");
        let same = "2001:db8::2".parse().expect("an address");
        let spoken = [(one, 0), (same, 1), (one, 59), (one, 60), (one, 61)];
        assert_eq!(
            spoken.map(|(address, secs)| failures.may_log(address, at(secs))),
            [true, false, false, true, false]
        );
    }

    #[test]
    fn addresses_that_are_watched_are_bounded() {
        let failures = Failures::default();
        for number in 0..12_000_u32 {
            failures.wrong(IpAddr::V4(number.into()), at(0));
        }
        let next = IpAddr::V4(99_999.into());
        assert!(!failures.may_try(next, at(0)), "better one refused than all let in");
        assert!(failures.may_try(next, at(900)));
    }
}
