//! The other end of webhooks, which notes when they come, and an exporter for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::Notify;

/// A webhook that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The path to which it came, without the slash: who sent it.
    pub from: String,
    /// What it said.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    gauges: Mutex<BTreeMap<String, f64>>,
    news: Notify,
}

/// Takes webhooks by POST at `/{who}`, and shows gauges at `/metrics`.
#[derive(Debug)]
pub struct Hook {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path(from): Path<String>,
    Json(body): Json<Value>,
) {
    let at = Instant::now();
    held(&shared.received).push(Received { at, from, body });
    shared.news.notify_waiters();
}

async fn page(State(shared): State<Arc<Shared>>) -> String {
    let mut page = String::new();
    for (name, value) in held(&shared.gauges).iter() {
        // Writing to a text cannot fail.
        let _ = writeln!(page, "{name} {value}");
    }
    page
}

impl Hook {
    /// Starts it on a free port; it ends with the runtime.
    ///
    /// # Errors
    ///
    /// If there is no port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let app = Router::new()
            .route("/metrics", get(page))
            .route("/{from}", post(take))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { address, shared })
    }

    /// Shows a gauge, with its labels in its name, from now on.
    pub fn show(&self, gauge: &str, value: f64) {
        held(&self.shared.gauges).insert(gauge.to_owned(), value);
    }

    /// The first webhook that is wanted, once it is there.
    ///
    /// # Errors
    ///
    /// If it does not come within this time.
    pub async fn first(
        &self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Received) -> bool,
    ) -> anyhow::Result<Received> {
        let find = async {
            loop {
                let news = self.shared.news.notified();
                tokio::pin!(news);
                // From here on nothing is missed.
                news.as_mut().enable();
                let found = held(&self.shared.received).iter().find(|one| wanted(one)).cloned();
                if let Some(found) = found {
                    return found;
                }
                news.await;
            }
        };
        let found = tokio::time::timeout(within, find).await;
        found.with_context(|| format!("{what} did not come within {within:?}"))
    }
}
