//! Figures of the connections, for Prometheus.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use super::places::Full;

/// The figures.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(super) open: IntGauge,
    pub(super) accepted: IntCounter,
    refused: IntCounterVec,
    ended: IntCounterVec,
}

/// Why a connection was ended from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The TLS handshake failed or took too long.
    Handshake,
    /// The head of a request took too long.
    Header,
    /// There was no request for too long.
    Idle,
    /// The client did not take its answer.
    Write,
}

impl Figures {
    /// Makes and registers them.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let figures = Self {
            open: IntGauge::new("citybrain_http_connections", "Connections that are open now.")?,
            accepted: IntCounter::new(
                "citybrain_http_connections_accepted_total",
                "Connections that were taken in.",
            )?,
            refused: IntCounterVec::new(
                Opts::new(
                    "citybrain_http_connections_refused_total",
                    "Connections that found no place, by what was full: all places or those of \
                     their address.",
                ),
                &["full"],
            )?,
            ended: IntCounterVec::new(
                Opts::new(
                    "citybrain_http_connections_ended_total",
                    "Connections ended because their client kept them waiting, by what was waited \
                     for: handshake, header, idle (the next request), write (taking the answer).",
                ),
                &["waited_for"],
            )?,
        };
        registry.register(Box::new(figures.open.clone()))?;
        registry.register(Box::new(figures.accepted.clone()))?;
        registry.register(Box::new(figures.refused.clone()))?;
        registry.register(Box::new(figures.ended.clone()))?;
        // A rate begins with the first one only if there was a figure before it.
        for full in [Full::All, Full::Address] {
            figures.refused.with_label_values(&[full.name()]);
        }
        for ended in [Ended::Handshake, Ended::Header, Ended::Idle, Ended::Write] {
            figures.ended.with_label_values(&[ended.name()]);
        }
        Ok(figures)
    }

    pub(super) fn refused(&self, full: Full) {
        self.refused.with_label_values(&[full.name()]).inc();
    }

    pub(super) fn ended(&self, ended: Ended) {
        self.ended.with_label_values(&[ended.name()]).inc();
    }
}

impl Ended {
    /// Its name as a label.
    fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Header => "header",
            Self::Idle => "idle",
            Self::Write => "write",
        }
    }
}
