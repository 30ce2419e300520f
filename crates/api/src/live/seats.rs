//! Seats for the clients of the stream: so many in all, of one user, and of one address.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use crate::HttpLimits;
use crate::server::network;

/// Who follows.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    /// The user, or what a machine's token was made for.
    pub(crate) user: Arc<str>,
    /// The address that it comes from.
    pub(crate) address: IpAddr,
}

/// How many follow, and may.
#[derive(Debug)]
pub(crate) struct Seats {
    most: usize,
    most_per_user: usize,
    /// 0 for no limit.
    most_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_user: FxHashMap<Arc<str>, usize>,
    by_address: FxHashMap<IpAddr, usize>,
}

/// Which seats are all taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    All,
    User,
    Address,
}

impl Seats {
    pub(crate) fn new(limits: &HttpLimits) -> Self {
        Self {
            most: limits.live_clients,
            most_per_user: limits.live_clients_per_user,
            most_per_address: limits.live_clients_per_address,
            taken: Mutex::default(),
        }
    }

    /// Takes a seat, to be given back by [`Seats::leave`].
    pub(super) fn take(&self, follower: &Follower) -> Result<(), Taking> {
        let address = network(follower.address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.most {
            return Err(Taking::All);
        }
        if count(&taken.by_user, &follower.user) >= self.most_per_user {
            return Err(Taking::User);
        }
        let limited = self.most_per_address > 0 && !address.is_loopback();
        if limited && count(&taken.by_address, &address) >= self.most_per_address {
            return Err(Taking::Address);
        }
        taken.all += 1;
        *taken.by_user.entry(follower.user.clone()).or_default() += 1;
        *taken.by_address.entry(address).or_default() += 1;
        Ok(())
    }

    pub(super) fn leave(&self, follower: &Follower) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        give_back(&mut taken.by_user, &follower.user);
        give_back(&mut taken.by_address, &network(follower.address));
    }
}

fn count<K: Hash + Eq>(counts: &FxHashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or_default()
}

fn give_back<K: Hash + Eq>(counts: &mut FxHashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_in_all_by_user_and_by_address_and_are_given_back() {
        let seats = Seats::new(&HttpLimits {
            live_clients: 4,
            live_clients_per_user: 2,
            live_clients_per_address: 2,
            ..HttpLimits::default()
        });
        let of = |user: &str, address: &str| Follower {
            user: user.into(),
            address: address.parse().expect("an address"),
        };
        let take = |user: &str, address: &str| seats.take(&of(user, address));
        assert_eq!(take("ada", "192.0.2.1"), Ok(()));
        assert_eq!(take("bo", "192.0.2.1"), Ok(()));
        assert_eq!(take("cy", "192.0.2.1"), Err(Taking::Address));
        assert_eq!(take("ada", "127.0.0.1"), Ok(()));
        assert_eq!(take("ada", "127.0.0.1"), Err(Taking::User));
        assert_eq!(take("cy", "127.0.0.1"), Ok(()));
        assert_eq!(take("di", "127.0.0.1"), Err(Taking::All));
        seats.leave(&of("ada", "192.0.2.1"));
        assert_eq!(take("cy", "192.0.2.1"), Ok(()), "the place of ada is free");
        for (user, address) in
            [("bo", "192.0.2.1"), ("ada", "127.0.0.1"), ("cy", "127.0.0.1"), ("cy", "192.0.2.1")]
        {
            seats.leave(&of(user, address));
        }
        let taken = seats.taken.lock().expect("not poisoned");
        assert!(taken.all == 0 && taken.by_user.is_empty() && taken.by_address.is_empty());
    }
}
