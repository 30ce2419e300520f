//! Classes of requests: each has a share of what can be done at the same time, so that one kind of
//! work never takes the place of another.

/// A class of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// What is there now: devices, last values, the map, alerts; and changes.
    State,
    /// Questions about history.
    History,
    /// Files, as long as they are written.
    Export,
    /// The stream of events, until it begins.
    Live,
    /// Messages from devices.
    Ingest,
    /// Alert events of an engine.
    Alerts,
}

impl Class {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::State, Self::History, Self::Export, Self::Live, Self::Ingest, Self::Alerts];

    /// The class of a route, by its method and template.
    pub(crate) fn of(method: &str, path: &str) -> Self {
        match path {
            "/api/v1/ingest/{source}" => return Self::Ingest,
            "/api/v1/alert-events" => return Self::Alerts,
            "/api/v1/stream" => return Self::Live,
            _ => {}
        }
        let rest = path.strip_prefix("/api/v1").unwrap_or(path);
        let first = rest.split('/').nth(1).unwrap_or_default();
        let last = rest.rsplit('/').next().unwrap_or_default();
        match (first, last) {
            (_, "export") => Self::Export,
            (_, "backtest" | "test" | "explain")
            | (
                "readings" | "aggregates" | "track" | "alert-log" | "audit-log" | "alarm-load"
                | "late-readings" | "dead-letters" | "loss" | "reports" | "open" | "sta",
                _,
            ) if method == "GET" || matches!(last, "backtest" | "test") => Self::History,
            _ => Self::State,
        }
    }

    /// Its name as a label.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::History => "history",
            Self::Export => "export",
            Self::Live => "live",
            Self::Ingest => "ingest",
            Self::Alerts => "alerts",
        }
    }

    /// How many requests of it are worked on or wait at the same time; the next is refused. What
    /// waits has its answer within about a second on two cores, or gives up its place
    /// (`lanes.rs`).
    pub(super) const fn share(self) -> usize {
        match self {
            Self::State => 128,
            Self::History => 32,
            Self::Export => 8,
            Self::Live | Self::Alerts => 64,
            Self::Ingest => 512,
        }
    }

    /// Whether its requests count for the rates of clients. Devices and engines have limits of their
    /// own, and are not to lose messages because of them.
    pub(super) const fn is_rated(self) -> bool {
        !matches!(self, Self::Ingest | Self::Alerts)
    }

    /// Whether a place is held until the end of the answer, not only until its head.
    pub(super) const fn is_held(self) -> bool {
        matches!(self, Self::Export)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_in_the_class_of_their_work() {
        for (method, path, class) in [
            ("POST", "/api/v1/ingest/{source}", Class::Ingest),
            ("POST", "/api/v1/alert-events", Class::Alerts),
            ("GET", "/api/v1/stream", Class::Live),
            ("GET", "/api/v1/map", Class::State),
            ("GET", "/api/v1/alerts", Class::State),
            ("PUT", "/api/v1/rule-groups/{group}", Class::State),
            ("GET", "/api/v1/readings", Class::History),
            ("DELETE", "/api/v1/readings", Class::State),
            ("GET", "/api/v1/aggregates", Class::History),
            ("GET", "/api/v1/reports/ingest", Class::History),
            ("GET", "/api/v1/alerts/{id}/explain", Class::History),
            ("POST", "/api/v1/rules/backtest", Class::History),
            ("GET", "/api/v1/devices/export", Class::Export),
            ("GET", "/open/v1/datasets/{id}", Class::History),
            ("GET", "/sta/v1.1/Things", Class::History),
        ] {
            assert_eq!(Class::of(method, path), class, "{method} {path}");
        }
    }
}
