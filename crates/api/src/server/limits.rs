//! What connections and clients may cost, in all and each.

use city_model::Span;
use serde::Deserialize;

/// What connections and clients may cost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpLimits {
    /// Connections at the same time, in all.
    pub connections: usize,
    /// Connections of one address (of one /64 with IPv6); 0 for no limit. Loopback has none: a
    /// proxy there brings everybody.
    pub connections_per_address: usize,
    /// How long a TLS handshake may take.
    pub handshake: Span,
    /// How long the head of a request may take from its first byte.
    pub header: Span,
    /// How long a connection may be without a request.
    pub idle: Span,
    /// How long a client may take none of its answer.
    pub write: Span,
    /// How long the body of a request may be slower than `body_bytes_per_s`.
    pub body: Span,
    /// The slowest that the body of a request may come, in bytes a second.
    pub body_bytes_per_s: u32,
    /// The largest head of a request, in bytes.
    pub header_bytes: u32,
    /// Requests at the same time on one connection of HTTP/2.
    pub streams_per_connection: u32,
    /// Clients that follow the stream of events, in all.
    pub live_clients: usize,
    /// The same of one user.
    pub live_clients_per_user: usize,
    /// The same of one address; 0 for no limit. Loopback has none.
    pub live_clients_per_address: usize,
    /// Requests of one login (an access token, or a session).
    pub rate: RateLimit,
    /// Requests without a valid login, of one address.
    pub rate_without_login: RateLimit,
}

/// How many requests somebody may make: so many at once, and so many a second all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests a second in the long run; 0 for no limit.
    pub per_s: u32,
    /// Requests at once.
    pub burst: u32,
}

impl RateLimit {
    /// As many as anybody likes.
    pub const NONE: Self = Self { per_s: 0, burst: 0 };
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 1_000,
            handshake: Span::from_secs(10),
            header: Span::from_secs(10),
            idle: Span::from_secs(75),
            write: Span::from_secs(30),
            body: Span::from_secs(10),
            body_bytes_per_s: 1_024,
            header_bytes: 32 << 10,
            streams_per_connection: 128,
            live_clients: 2_500,
            live_clients_per_user: 250,
            live_clients_per_address: 500,
            rate: RateLimit { per_s: 100, burst: 500 },
            rate_without_login: RateLimit { per_s: 10, burst: 100 },
        }
    }
}

impl HttpLimits {
    /// What cannot be meant: the key, what is wrong with it and how to mend it.
    pub fn problems(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut problems = Vec::new();
        let spans = [
            ("handshake", self.handshake),
            ("header", self.header),
            ("idle", self.idle),
            ("write", self.write),
            ("body", self.body),
        ];
        for (key, span) in spans {
            if !(Span::from_secs(1)..=Span::from_hours(1)).contains(&span) {
                let hint = "write a span from \"1s\" to \"1h\"";
                problems.push((key, format!("{span} is no useful time to wait"), hint));
            }
        }
        if self.connections < 16 {
            let hint = "a dashboard alone opens six; leave it out for 20000";
            problems.push(("connections", format!("{} are too few", self.connections), hint));
        }
        if self.body_bytes_per_s == 0 {
            let hint = "write 1 or more bytes a second";
            problems.push(("body_bytes_per_s", "0 would let bodies take for ever".into(), hint));
        }
        if !(8_192..=1 << 20).contains(&self.header_bytes) {
            let hint = "write 8192 to 1048576 bytes";
            problems.push(("header_bytes", format!("{} is out of range", self.header_bytes), hint));
        }
        if self.streams_per_connection == 0 {
            let hint = "write 1 or more";
            problems.push(("streams_per_connection", "0 would answer nobody".into(), hint));
        }
        if self.live_clients == 0 || self.live_clients_per_user == 0 {
            let hint = "the dashboard follows the stream: write 1 or more";
            problems.push(("live_clients", "0 would let nobody follow".into(), hint));
        }
        for (key, rate) in [("rate", self.rate), ("rate_without_login", self.rate_without_login)] {
            if rate.per_s > 0 && rate.burst < rate.per_s {
                let hint = "a burst is at least the requests of one second; per_s = 0: no limit";
                problems.push((key, format!("a burst of {} is too small", rate.burst), hint));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_problems_and_nonsense_has() {
        assert_eq!(HttpLimits::default().problems(), []);
        let nonsense = HttpLimits {
            connections: 1,
            header: Span::ZERO,
            body_bytes_per_s: 0,
            header_bytes: 1,
            streams_per_connection: 0,
            live_clients: 0,
            rate: RateLimit { per_s: 5, burst: 1 },
            ..HttpLimits::default()
        };
        let keys: Vec<_> = nonsense.problems().into_iter().map(|(key, ..)| key).collect();
        let expected = [
            "header",
            "connections",
            "body_bytes_per_s",
            "header_bytes",
            "streams_per_connection",
            "live_clients",
            "rate",
        ];
        assert_eq!(keys, expected);
    }
}
