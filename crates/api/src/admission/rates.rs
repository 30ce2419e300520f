//! How often clients may ask: a bucket for each login and for each address without one.
//!
//! The buckets are those of the generic cell rate algorithm: one time each, at which the bucket
//! would be full again. A login is known once the guard has let it through; until then its
//! requests count for its address, so that inventing tokens wins nothing.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

use crate::problem::{Problem, codes};
use crate::server::{HttpLimits, RateLimit, network};

/// How many logins and how many addresses have buckets; the rest share one.
const MOST: usize = 50_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Rates {
    login: RateLimit,
    address: RateLimit,
    hasher: RandomState,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    logins: FxHashMap<Login, Timestamp>,
    addresses: FxHashMap<IpAddr, Timestamp>,
    /// Of addresses for which there is no room.
    others: Timestamp,
}

/// A token or a session, as a hash of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Login(u64);

/// Whose bucket a request was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payer {
    /// A login that the guard has let through before.
    Login(Login),
    /// An address.
    Address(IpAddr),
}

/// How it stands with a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    policy: &'static str,
    limit: RateLimit,
    /// Requests that may be made at once.
    remaining: u32,
    /// Seconds until the bucket is full again, or after a refusal until there is a request in it.
    wait_s: u32,
}

impl Rates {
    pub(crate) fn new(limits: &HttpLimits) -> Self {
        Self {
            login: limits.rate,
            address: limits.rate_without_login,
            hasher: RandomState::new(),
            buckets: Mutex::default(),
        }
    }

    /// The login that a request shows, good or not.
    pub(crate) fn login(&self, headers: &HeaderMap) -> Option<Login> {
        let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let shown = shown.or_else(|| session(headers));
        shown.map(|shown| Login(self.hasher.hash_one(shown)))
    }

    /// Takes a request from the bucket of a known login, or of the address. `None`: there is no
    /// limit. The error is a refusal.
    pub(crate) fn take(
        &self,
        login: Option<Login>,
        address: IpAddr,
        now: Timestamp,
    ) -> (Payer, Result<Option<Standing>, Standing>) {
        let mut buckets = self.buckets();
        if let Some(login) = login
            && let Some(bucket) = buckets.logins.get_mut(&login)
        {
            return (Payer::Login(login), take(bucket, "login", self.login, now));
        }
        let address = network(address);
        let bucket = buckets.of_address(address, now);
        (Payer::Address(address), take(bucket, "address", self.address, now))
    }

    /// The guard has let this login through: from now on it has a bucket of its own, and what its
    /// address has paid for it is paid back.
    pub(crate) fn known(&self, login: Login, payer: Payer, now: Timestamp) {
        let mut buckets = self.buckets();
        if buckets.logins.contains_key(&login) {
            return;
        }
        if buckets.logins.len() >= MOST {
            buckets.logins.retain(|_, full_at| *full_at > now);
        }
        if buckets.logins.len() >= MOST {
            return;
        }
        let mut bucket = now;
        let _first = take(&mut bucket, "login", self.login, now);
        buckets.logins.insert(login, bucket);
        if let Payer::Address(address) = payer {
            let back = interval(self.address);
            if let Some(full_at) = buckets.addresses.get_mut(&address) {
                *full_at = *full_at - back;
            }
        }
    }

    /// The guard has turned this login away: it is none any more.
    pub(crate) fn forget(&self, login: Login) {
        self.buckets().logins.remove(&login);
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buckets {
    fn of_address(&mut self, address: IpAddr, now: Timestamp) -> &mut Timestamp {
        if self.addresses.len() >= MOST && !self.addresses.contains_key(&address) {
            self.addresses.retain(|_, full_at| *full_at > now);
            if self.addresses.len() >= MOST {
                return &mut self.others;
            }
        }
        self.addresses.entry(address).or_insert(now)
    }
}

/// A clock that goes back by more was put back.
const PUT_BACK: Span = Span::from_secs(1);

/// The time that one request costs.
fn interval(limit: RateLimit) -> Span {
    Span::from_micros(1_000_000 / i64::from(limit.per_s.max(1)))
}

fn take(
    full_at: &mut Timestamp,
    policy: &'static str,
    limit: RateLimit,
    now: Timestamp,
) -> Result<Option<Standing>, Standing> {
    if limit.per_s == 0 {
        return Ok(None);
    }
    let cost = interval(limit);
    let depth = Span::from_micros(cost.micros() * i64::from(limit.burst));
    let last = now + depth;
    // A clock that was put back must lock nobody out: then the bucket is full. Requests that come at
    // the same time read the clock in another order than they come here; that is no such step.
    let was_put_back = full_at.since(last) > PUT_BACK;
    *full_at = if was_put_back { now } else { (*full_at).clamp(now, last) };
    let after = *full_at + cost;
    if after > last {
        let wait_s = seconds(after.since(last));
        return Err(Standing { policy, limit, remaining: 0, wait_s });
    }
    *full_at = after;
    let remaining = (last.since(after).micros() / cost.micros()) as u32;
    Ok(Some(Standing { policy, limit, remaining, wait_s: seconds(after.since(now)) }))
}

fn seconds(span: Span) -> u32 {
    span.secs_f64().ceil().max(1.0) as u32
}

/// The session that a cookie shows.
fn session(headers: &HeaderMap) -> Option<&[u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| name.ends_with("citybrain_session"))
        .map(|(_, session)| session.as_bytes())
}

impl Standing {
    /// The refusal.
    pub(crate) fn refusal(self) -> Problem {
        let (per_s, who) = (self.limit.per_s, self.policy);
        let detail = format!("More than {per_s} requests a second of this {who}.");
        let hint = match self.policy {
            "login" => {
                "Ask less often, or follow /api/v1/stream instead of asking again and again."
            }
            _ => "Ask less often, or show a login: those that are valid may ask more often.",
        };
        Problem::new(codes::RATE_LIMITED, detail)
            .hint(hint)
            .with("violated-policies", [self.policy])
            .retry_after(self.wait_s)
    }

    /// Writes it into the headers of an answer (draft-ietf-httpapi-ratelimit-headers-10): the policy
    /// with its quota `q` in a window of `w` seconds, and the requests `r` that remain of it, with
    /// the seconds `t` until there are all or, after a refusal, one.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
        const STANDING: HeaderName = HeaderName::from_static("ratelimit");
        let Self { policy, limit, remaining, wait_s } = self;
        let window = limit.burst.div_ceil(limit.per_s.max(1));
        let policies = format!(r#""{policy}";q={};w={window}"#, limit.burst);
        let standing = format!(r#""{policy}";r={remaining};t={wait_s}"#);
        for (name, text) in [(POLICY, policies), (STANDING, standing)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn rates() -> Rates {
        Rates::new(&HttpLimits {
            rate: RateLimit { per_s: 10, burst: 20 },
            rate_without_login: RateLimit { per_s: 1, burst: 2 },
            ..HttpLimits::default()
        })
    }

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().expect("a value"))])
    }

    #[test]
    fn a_bucket_has_a_burst_and_fills_again() {
        let rates = rates();
        let ask = |millis| rates.take(None, HOME, NOW + Span::from_millis(millis)).1;
        let first = ask(0).expect("allowed").expect("a limit");
        assert_eq!((first.remaining, first.wait_s), (1, 1));
        assert_eq!(ask(0).expect("allowed").expect("a limit").remaining, 0);
        let refused = ask(100).expect_err("empty");
        assert_eq!((refused.remaining, refused.wait_s), (0, 1));
        assert!(ask(999).is_err());
        assert!(ask(1_000).is_ok(), "one a second");
        assert!(ask(1_001).is_err());
        assert_eq!(ask(60_000).expect("allowed").expect("a limit").remaining, 1, "never more");
        assert!(ask(60_000).is_ok() && ask(60_000).is_err());
        assert!(ask(59_990).is_err(), "a clock read a little earlier fills nothing");
        assert!(ask(-3_600_000).is_ok(), "a clock that was put back locks out nobody");
    }

    #[test]
    fn a_login_counts_for_its_address_until_it_is_known() {
        let rates = rates();
        let login = rates.login(&headers("authorization", "Bearer a")).expect("a login");
        let (payer, taken) = rates.take(Some(login), HOME, NOW);
        assert!(matches!(payer, Payer::Address(_)) && taken.is_ok());
        rates.known(login, payer, NOW);
        for _ in 0..19 {
            let (payer, taken) = rates.take(Some(login), HOME, NOW);
            assert!(matches!(payer, Payer::Login(_)) && taken.is_ok());
        }
        assert!(rates.take(Some(login), HOME, NOW).1.is_err());
        for _ in 0..2 {
            assert!(rates.take(None, HOME, NOW).1.is_ok(), "its address has paid nothing");
        }
        assert!(rates.take(None, HOME, NOW).1.is_err());
        rates.forget(login);
        assert!(matches!(rates.take(Some(login), HOME, NOW), (Payer::Address(_), Err(_))));
    }

    #[test]
    fn other_cookies_do_not_make_another_login() {
        let rates = rates();
        let of = |cookies: &str| rates.login(&headers("cookie", cookies));
        assert_eq!(of("citybrain_session=s"), of("a=b; citybrain_session=s; c=d"));
        assert_eq!(of("__Host-citybrain_session=s"), of("citybrain_session=s"));
        assert_ne!(of("citybrain_session=s"), of("citybrain_session=t"));
        assert_eq!(of("a=b"), None);
    }

    #[test]
    fn headers_are_those_of_the_draft() {
        let rates = rates();
        let standing = rates.take(None, HOME, NOW).1.expect("allowed").expect("a limit");
        let mut headers = HeaderMap::new();
        standing.write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], r#""address";q=2;w=2"#);
        assert_eq!(headers["ratelimit"], r#""address";r=1;t=1"#);
    }
}
