//! Limits of devices and addresses: connections, connects, failed logins, messages and bytes.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::Span;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Addresses, and devices, that are remembered at a time. Beyond that, those that have nothing
/// open are forgotten.
const MAX_REMEMBERED: usize = 65_536;
/// A device that was let through with a message over its rate is stopped for at most this long.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// What one device, or one address, may do. Zero means no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Connections of one device (of one name that [`Grant`](crate::Grant) gives) at a time.
    pub connections_per_device: u32,
    /// Connections from one address (IPv6: one /64) at a time. Devices behind one router share it.
    pub connections_per_address: u32,
    /// New connections from one address a minute.
    pub connects_per_minute: u32,
    /// Failed logins from one address a minute; then it has to wait.
    pub failed_logins_per_minute: u32,
    /// What a device may send; who sends more is not read from until it may again.
    pub rates: Rates,
}

/// What a device may send. Zero means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rates {
    /// Messages a second.
    pub messages_per_s: u32,
    /// Bytes of its packets a second.
    pub bytes_per_s: u64,
    /// How much of both it may save up while it is quiet, in time; at least a second's worth.
    pub burst: Span,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections_per_device: 8,
            connections_per_address: 0,
            connects_per_minute: 0,
            failed_logins_per_minute: 20,
            rates: Rates::default(),
        }
    }
}

/// Which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Met {
    #[error("this device has {0} connections already")]
    DeviceConnections(u32),
    #[error("this address has {0} connections already")]
    AddressConnections(u32),
    #[error("more than {0} connects a minute from this address")]
    Connects(u32),
    #[error("too many failed logins from this address")]
    FailedLogins,
}

/// A token bucket that may go into debt, so that what is larger than the bucket gets through.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    per_second: f64,
    most: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn full(per_second: f64, most: f64, now: Instant) -> Self {
        Self { per_second, most, level: most, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.level = (self.level + earned).min(self.most);
        self.at = now;
    }

    fn spend(&mut self, amount: f64) {
        let deepest = -self.per_second * LONGEST_STOP.as_secs_f64();
        self.level = (self.level - amount).max(deepest);
    }

    /// When there is something in it again; `None` if there is now.
    fn wait(&mut self, now: Instant) -> Option<Instant> {
        self.refill(now);
        if self.level > 0.0 || self.per_second <= 0.0 {
            return None;
        }
        // A millisecond more, so that the wait is over when it is over.
        Some(now + Duration::from_secs_f64(-self.level / self.per_second + 0.001))
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.level >= self.most
    }

    /// Whether there is a whole one in it.
    fn has_one(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.level >= 1.0
    }

    fn of_minute(count: u32, now: Instant) -> Self {
        Self::full(f64::from(count) / 60.0, f64::from(count), now)
    }
}

/// What a device has left to send.
#[derive(Debug)]
pub(crate) struct Meter(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    messages: Option<Bucket>,
    bytes: Option<Bucket>,
}

impl Meter {
    /// `None` if there is nothing to be measured.
    fn new(rates: Rates, now: Instant) -> Option<Arc<Self>> {
        let seconds = rates.burst.secs_f64().max(1.0);
        let bucket = |rate: f64| (rate > 0.0).then(|| Bucket::full(rate, rate * seconds, now));
        let messages = bucket(f64::from(rates.messages_per_s));
        let bytes = bucket(rates.bytes_per_s as f64);
        (messages.is_some() || bytes.is_some())
            .then(|| Arc::new(Self(Mutex::new(Buckets { messages, bytes }))))
    }

    /// When the next message may be taken; `None` for now.
    pub(crate) fn wait(&self, now: Instant) -> Option<Instant> {
        let mut buckets = lock(&self.0);
        let messages = buckets.messages.as_mut().and_then(|bucket| bucket.wait(now));
        let bytes = buckets.bytes.as_mut().and_then(|bucket| bucket.wait(now));
        messages.max(bytes)
    }

    /// A message of this many bytes was taken.
    pub(crate) fn spend(&self, size: usize) {
        let mut buckets = lock(&self.0);
        if let Some(bucket) = &mut buckets.messages {
            bucket.spend(1.0);
        }
        if let Some(bucket) = &mut buckets.bytes {
            bucket.spend(size as f64);
        }
    }

    fn is_full(&self, now: Instant) -> bool {
        let mut buckets = lock(&self.0);
        buckets.messages.as_mut().is_none_or(|bucket| bucket.is_full(now))
            && buckets.bytes.as_mut().is_none_or(|bucket| bucket.is_full(now))
    }
}

/// The limits, and who has used up how much of them.
#[derive(Debug)]
pub(crate) struct Limiter {
    config: LimitsConfig,
    addresses: Mutex<HashMap<IpAddr, Address>>,
    devices: Mutex<HashMap<Arc<str>, Device>>,
}

#[derive(Debug)]
struct Address {
    open: u32,
    connects: Bucket,
    failures: Bucket,
}

#[derive(Debug, Default)]
struct Device {
    open: u32,
    meter: Option<Arc<Meter>>,
}

/// A connection's share of its address's limit; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    limiter: Arc<Limiter>,
    address: IpAddr,
}

/// A connection's share of its device's limit; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    limiter: Arc<Limiter>,
    name: Arc<str>,
    pub(crate) meter: Option<Arc<Meter>>,
}

impl Limiter {
    pub(crate) fn new(config: LimitsConfig) -> Arc<Self> {
        Arc::new(Self { config, addresses: Mutex::default(), devices: Mutex::default() })
    }

    /// A connection comes in from an address.
    pub(crate) fn arrive(self: &Arc<Self>, peer: IpAddr) -> Result<Stay, Met> {
        let (address, now, config) = (network(peer), Instant::now(), &self.config);
        let mut addresses = lock(&self.addresses);
        let entry = self.address(&mut addresses, address, now);
        if config.connections_per_address > 0 && entry.open >= config.connections_per_address {
            return Err(Met::AddressConnections(config.connections_per_address));
        }
        if config.connects_per_minute > 0 {
            if !entry.connects.has_one(now) {
                return Err(Met::Connects(config.connects_per_minute));
            }
            entry.connects.spend(1.0);
        }
        entry.open += 1;
        drop(addresses);
        Ok(Stay { limiter: self.clone(), address })
    }

    /// Whether an address may try to log in.
    pub(crate) fn may_log_in(&self, peer: IpAddr) -> Result<(), Met> {
        if self.config.failed_logins_per_minute == 0 {
            return Ok(());
        }
        let mut addresses = lock(&self.addresses);
        let now = Instant::now();
        let entry = addresses.get_mut(&network(peer));
        let good = entry.is_none_or(|entry| entry.failures.has_one(now));
        if good { Ok(()) } else { Err(Met::FailedLogins) }
    }

    /// A login from an address has failed.
    pub(crate) fn login_failed(&self, peer: IpAddr) {
        let mut addresses = lock(&self.addresses);
        let now = Instant::now();
        let entry = self.address(&mut addresses, network(peer), now);
        entry.failures.refill(now);
        entry.failures.spend(1.0);
    }

    /// One more connection of a device.
    pub(crate) fn enter(
        self: &Arc<Self>,
        name: &Arc<str>,
        own: Option<Rates>,
    ) -> Result<Pass, Met> {
        let (most, now) = (self.config.connections_per_device, Instant::now());
        let mut devices = lock(&self.devices);
        make_room(&mut devices, |device| {
            device.open == 0 && device.meter.as_ref().is_none_or(|meter| meter.is_full(now))
        });
        let device = devices.entry(name.clone()).or_default();
        if most > 0 && device.open >= most {
            return Err(Met::DeviceConnections(most));
        }
        if device.meter.is_none() {
            device.meter = Meter::new(own.unwrap_or(self.config.rates), now);
        }
        device.open += 1;
        let meter = device.meter.clone();
        drop(devices);
        Ok(Pass { limiter: self.clone(), name: name.clone(), meter })
    }

    fn address<'a>(
        &self,
        addresses: &'a mut HashMap<IpAddr, Address>,
        address: IpAddr,
        now: Instant,
    ) -> &'a mut Address {
        make_room(addresses, |entry| {
            entry.open == 0 && entry.connects.is_full(now) && entry.failures.is_full(now)
        });
        addresses.entry(address).or_insert_with(|| Address {
            open: 0,
            connects: Bucket::of_minute(self.config.connects_per_minute, now),
            failures: Bucket::of_minute(self.config.failed_logins_per_minute, now),
        })
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut addresses = lock(&self.limiter.addresses);
        let now = Instant::now();
        if let Some(entry) = addresses.get_mut(&self.address) {
            entry.open = entry.open.saturating_sub(1);
            if entry.open == 0 && entry.connects.is_full(now) && entry.failures.is_full(now) {
                addresses.remove(&self.address);
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut devices = lock(&self.limiter.devices);
        if let Some(device) = devices.get_mut(&self.name) {
            device.open = device.open.saturating_sub(1);
            // A meter is kept: who connects anew has not earned anything by it.
            if device.open == 0 && device.meter.is_none() {
                devices.remove(&self.name);
            }
        }
    }
}

/// Forgets what is of no use once too much is remembered; at worst, half of all that is unused.
fn make_room<K: Hash + Eq, V>(
    table: &mut HashMap<K, V>,
    mut is_useless: impl FnMut(&mut V) -> bool,
) {
    if table.len() < MAX_REMEMBERED {
        return;
    }
    table.retain(|_, value| !is_useless(value));
    if table.len() >= MAX_REMEMBERED {
        let mut keep = false;
        table.retain(|_, _| {
            keep = !keep;
            keep
        });
    }
}

/// Who has an IPv6 address has a whole /64 of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        old @ IpAddr::V4(_) => old,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test(start_paused = true)]
    async fn an_address_has_so_many_connections_and_so_many_connects_a_minute() {
        let limiter = Limiter::new(LimitsConfig {
            connections_per_address: 2,
            connects_per_minute: 3,
            ..LimitsConfig::default()
        });
        let first = limiter.arrive(PEER).expect("room");
        let second = limiter.arrive(PEER).expect("room");
        assert_eq!(limiter.arrive(PEER).err(), Some(Met::AddressConnections(2)));
        drop(first);
        let third = limiter.arrive(PEER).expect("room again");
        drop((second, third));
        assert_eq!(limiter.arrive(PEER).err(), Some(Met::Connects(3)));
        advance(Duration::from_secs(21)).await;
        drop(limiter.arrive(PEER).expect("one more"));
        assert_eq!(limiter.arrive(PEER).err(), Some(Met::Connects(3)));
        advance(Duration::from_secs(100)).await;
        drop(limiter.arrive(PEER).expect("all"));
    }

    #[tokio::test(start_paused = true)]
    async fn failed_logins_are_slowed_down_and_forgiven() {
        let limiter =
            Limiter::new(LimitsConfig { failed_logins_per_minute: 6, ..LimitsConfig::default() });
        for _ in 0..6 {
            limiter.may_log_in(PEER).expect("not yet");
            limiter.login_failed(PEER);
        }
        assert_eq!(limiter.may_log_in(PEER), Err(Met::FailedLogins));
        let neighbour = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
        limiter.may_log_in(neighbour).expect("another address");
        advance(Duration::from_secs(11)).await;
        limiter.may_log_in(PEER).expect("one more try");
        limiter.login_failed(PEER);
        assert_eq!(limiter.may_log_in(PEER), Err(Met::FailedLogins));
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_keeps_its_debt_over_a_reconnect() {
        let rates = Rates { messages_per_s: 10, bytes_per_s: 1000, burst: Span::from_secs(2) };
        let limiter = Limiter::new(LimitsConfig {
            connections_per_device: 1,
            rates,
            ..LimitsConfig::default()
        });
        let name: Arc<str> = "d1".into();
        let pass = limiter.enter(&name, None).expect("the first");
        assert_eq!(limiter.enter(&name, None).err(), Some(Met::DeviceConnections(1)));
        let meter = pass.meter.clone().expect("measured");
        for _ in 0..20 {
            assert_eq!(meter.wait(Instant::now()), None);
            meter.spend(10);
        }
        let until = meter.wait(Instant::now()).expect("used up");
        assert!(until - Instant::now() <= Duration::from_millis(2));
        meter.spend(5_000_000);
        drop(pass);
        let meter = limiter.enter(&name, None).expect("again").meter.clone().expect("measured");
        let until = meter.wait(Instant::now()).expect("still in debt");
        assert_eq!((until - Instant::now()).as_secs(), 10, "but not for ever");
        advance(Duration::from_secs(11)).await;
        assert_eq!(meter.wait(Instant::now()), None);
        let free = limiter.enter(&"d2".into(), Some(Rates::default())).expect("another");
        assert!(free.meter.is_none(), "its own rates: none");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let limiter = Limiter::new(LimitsConfig::default());
        let failing = |number: u32| IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
        for number in 0..2 * MAX_REMEMBERED as u32 {
            limiter.login_failed(failing(number));
        }
        assert!(lock(&limiter.addresses).len() <= MAX_REMEMBERED);
        advance(Duration::from_secs(61)).await;
        drop(limiter.arrive(PEER).expect("room"));
        let one = network("2001:db8:0:1::1".parse().expect("an address"));
        assert_eq!(one, network("2001:db8:0:1:ffff::2".parse().expect("an address")));
        assert_eq!(network("::ffff:192.0.2.1".parse().expect("an address")), PEER);
    }
}
