//! Places for connections: so many in all, and so many for one address.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

/// How many have a place now.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    /// 0 for no limit.
    most_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: FxHashMap<IpAddr, usize>,
}

/// Somebody's place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// There are as many as there may be.
    All,
    /// This address has as many as it may have.
    Address,
}

impl Full {
    /// Its name as a label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Address => "address",
        }
    }
}

impl Places {
    /// So many places, and so many for one address (0: no limit; loopback has none).
    pub(crate) fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, taken: Mutex::default() })
    }

    /// A place for somebody from this address.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.most {
            return Err(Full::All);
        }
        let of_address = taken.by_address.entry(address).or_default();
        if self.most_per_address > 0
            && *of_address >= self.most_per_address
            && !address.is_loopback()
        {
            return Err(Full::Address);
        }
        *of_address += 1;
        taken.all += 1;
        Ok(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: one host holds a whole IPv6 /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_address_and_in_all_and_are_given_back() {
        let places = Places::new(4, 2);
        let take = |address: &str| places.take(address.parse().expect("an address"));
        let one = take("192.0.2.1").expect("a place");
        let _two = take("::ffff:192.0.2.1").expect("a place");
        assert_eq!(take("192.0.2.1").expect_err("its third"), Full::Address);
        let _v6 = take("2001:db8::1").expect("a place");
        let _same = take("2001:db8::2").expect("a place");
        assert_eq!(take("198.51.100.1").expect_err("the fifth"), Full::All);
        drop(one);
        assert_eq!(take("2001:db8::ffff").expect_err("its third"), Full::Address);
        let _again = take("192.0.2.1").expect("it is free again");
        assert_eq!(places.taken.lock().expect("not poisoned").all, 4);
    }

    #[test]
    fn loopback_brings_as_many_as_there_are_places() {
        let places = Places::new(3, 1);
        let taken: Vec<_> = (0..4).map(|_| places.take([127, 0, 0, 1].into())).collect();
        assert_eq!(taken.iter().filter(|place| place.is_ok()).count(), 3);
        drop(taken);
        let taken = places.taken.lock().expect("not poisoned");
        assert!(taken.all == 0 && taken.by_address.is_empty(), "{taken:?}");
    }
}
