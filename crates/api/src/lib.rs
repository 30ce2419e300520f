//! The brain's HTTP side: REST, the live stream, the alert list, logins, and the embedded web app.
//!
//! [`Brain::new`] puts it together, [`Brain::live`] follows committed readings, [`Brain::serve`]
//! answers. It knows nothing of MQTT, of how readings are decoded, or of how rules are evaluated.

mod admission;
mod alerts;
mod app;
mod assets;
mod audit;
mod auth;
mod base_map;
mod connection;
mod cursor;
mod document;
mod encoding;
mod export;
mod extract;
mod headers;
mod lanes;
mod lines;
mod list;
mod live;
mod metrics;
mod open;
mod openapi;
mod order;
mod parameters;
mod parts;
mod precondition;
mod problem;
mod receivers;
mod request_id;
mod routes;
mod schema;
mod select;
mod server;
mod silences;
mod sta;
mod status;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use city_audit::AuditLog;
use city_pipeline::Follower;
use city_rules::lifecycle::{Inhibitions, Place};
use city_store::{Accounts, StateError};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::admission::Admission;
use crate::alerts::{AlertItem, AlertList, Board, Floods, Holds, LoadMetrics};
use crate::app::{App, Inner};
use crate::audit::Recorder;
use crate::auth::{Credentials, LoginFailures, Setup, Throttle};
use crate::lanes::Lanes;
use crate::live::{Hub, Seats};
use crate::metrics::HttpMetrics;
use crate::problem::{Problem, codes};
use crate::request_id::RequestLog;
use crate::server::{Figures, Server};

pub use crate::alerts::ends_of_unknown;
pub use crate::auth::{
    AccessToken, CITY, ExternalLogin, Grant, GrantProblem, Grants, NewPassword, NewToken,
    OWN_TOKEN, ParseRoleError, PasswordState, Role, SHORTEST_USER_PASSWORD, SessionLimits, Tokens,
    User, UserEntry, UserError, Users, check_user_id,
};
pub use crate::base_map::{BaseMap, LayerAbout, LayerKind, TileCoordinates};
pub use crate::parts::{
    BrokerStatus, CityInfo, CommandDelivery, CommandKeep, CommandRefusal, CommandSent,
    DeviceCommand, Ingest, IngestStatus, Mode, Notices, Parts, Pushing, ReceiverState, ZoneFiles,
    ZoneReload,
};
pub use crate::receivers::{
    ReceiverFailure, ReceiverReport, ReceiverRoute, ReceiverTrial, Receivers, TrialRefusal, Trying,
};
pub use crate::server::{Doors, Encryption, HttpLimits, PROTOCOLS, RateLimit};
pub use crate::silences::Silences;

/// The largest body that a request may have, in bytes.
pub(crate) const BODY_LIMIT: usize = 256 << 10;
/// How long requests that are under way may take after the stop signal.
const DRAIN: Duration = Duration::from_secs(3);

/// Why the brain cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BrainError {
    /// The state database failed.
    #[error("the brain's tables cannot be used: {0}")]
    State(#[from] StateError),
    /// The city's time zone has no meaning.
    #[error("`{0}` is no time zone; write an IANA name, such as \"Asia/Shanghai\"")]
    TimeZone(String),
    /// A figure of the same name is registered already.
    #[error("the brain's metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// The brain: make one, follow the pipeline with [`Brain::live`], then [`Brain::serve`].
#[derive(Clone)]
pub struct Brain {
    app: App,
}

impl std::fmt::Debug for Brain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Brain").finish_non_exhaustive()
    }
}

impl Brain {
    /// Puts the brain together; makes its tables in the state database. Blocks shortly.
    pub fn new(parts: Parts) -> Result<Self, BrainError> {
        alerts::migrate(&parts.state)?;
        let board = Arc::new(Board::load(&parts.state)?);
        let credentials = Arc::new(Credentials::open(parts.state.clone(), parts.sessions)?);
        let time_zone = TimeZone::get(&parts.city.time_zone)
            .map_err(|_| BrainError::TimeZone(parts.city.time_zone.clone()))?;
        let accounts =
            Accounts::open(parts.store.clone(), parts.state.clone(), time_zone, parts.clock.now())?;
        let http = HttpMetrics::register(&parts.metrics)?;
        let connections = Figures::register(&parts.metrics)?;
        let audit = AuditLog::open(parts.state.clone())?;
        audit.adopt(parts.clock.now())?;
        let audit = Arc::new(Recorder::new(Arc::new(audit), &parts.metrics)?);
        let open = open::Open::new(parts.state.clone())?;
        let admission = Admission::new(&parts.limits, &parts.metrics)?;
        let load_metrics = LoadMetrics::register(&parts.metrics)?;
        let hub = Arc::new(Hub::new(
            parts.registry.clone(),
            &*parts.store,
            board.clone(),
            parts.clock.clone(),
            http.stream_clients.clone(),
            Seats::new(&parts.limits),
        ));
        let (news, registry) = (hub.clone(), parts.registry.clone());
        let tell = move |stored: &alerts::Stored| {
            news.alert(AlertItem::new(stored.clone(), &registry.directory()));
        };
        let places = parts.registry.clone();
        let holds = Holds::new(
            parts.silences.clone(),
            Inhibitions::new(parts.inhibit),
            Box::new(move |alert| Place::of(alert, &places.directory())),
            parts.clock.clone(),
            parts.notices,
        );
        let flood = Arc::new(parts.flood);
        let floods = Floods::load(&parts.state, flood.clone(), parts.clock.now())?;
        let alerts =
            AlertList::new(parts.state.clone(), board.clone(), holds, floods, Box::new(tell));
        // What silences hold may be other than when the brain stopped.
        alerts.review()?;
        Ok(Self {
            app: App(Arc::new(Inner {
                started_at: parts.clock.now(),
                registry: parts.registry,
                clients: parts.clients,
                store: parts.store,
                accounts: Arc::new(accounts),
                state: parts.state,
                rules: parts.rule_book.in_force(),
                late_readings: parts.late_readings,
                ingest: parts.ingest,
                zone_files: parts.zone_files,
                rule_book: parts.rule_book,
                receivers: parts.receivers,
                city: parts.city,
                cap: parts.cap,
                mode: parts.mode,
                simulated: parts.simulated,
                metrics: parts.metrics,
                clock: parts.clock,
                version: parts.version,
                hub,
                board,
                alerts: Arc::new(alerts),
                silences: parts.silences,
                flood,
                load_metrics,
                audit,
                credentials,
                throttle: Throttle::default(),
                login_failures: LoginFailures::default(),
                setup: Setup::default(),
                external_login: parts.external_login,
                base_map: parts.base_map,
                lanes: Lanes::new(),
                limits: Arc::new(parts.limits),
                admission,
                connections,
                http,
                zones: routes::zones::Drawn::default(),
                open,
                map: routes::map::Drawn::default(),
            })),
        })
    }

    /// What follows the committed readings; never blocks.
    pub fn live(&self) -> Arc<dyn Follower> {
        self.app.hub.clone()
    }

    /// Closes the books of the day if it is over. [`Brain::serve`] does it every few seconds.
    pub fn close_books(&self) -> Result<(), StateError> {
        self.app.accounts.tick(self.app.clock.now())
    }

    /// All routes with their middleware.
    pub fn router(&self) -> Router {
        let (api, _) = routes::all().split_for_parts();
        let app = self.app.clone();
        // The last one is asked first: what is shed is nobody's deed, so the audit log has none of it.
        api.route("/sta/v1.1/{resource}/{*rest}", get(sta::deeper))
            .route_layer(from_fn_with_state(app.clone(), audit::begin))
            .route_layer(from_fn_with_state(app.clone(), admission::note))
            .route_layer(from_fn_with_state(app.clone(), auth::guard))
            .route_layer(from_fn_with_state(app.clone(), audit::record))
            .route_layer(from_fn_with_state(app.clone(), admission::admit))
            .route("/metrics", get(metrics::metrics))
            .route("/health/live", get(routes::health::live))
            .route("/health/ready", get(routes::health::ready))
            .route("/robots.txt", get(open::robots))
            .method_not_allowed_fallback(method_not_allowed)
            .fallback(assets::fallback)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(from_fn(problem::name_instance))
            .layer(from_fn(open::share))
            .layer(from_fn_with_state(app.clone(), metrics::measure))
            .layer(
                CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(
                    // Parquet is compressed in itself.
                    DefaultPredicate::new()
                        .and(NotForContentType::const_new("application/vnd.apache.parquet")),
                ),
            )
            .layer(from_fn(headers::secure))
            .layer(from_fn_with_state(RequestLog::new(), request_id::trace))
            .with_state(app)
    }

    /// Answers at the doors and feeds the live stream until `shutdown`; then ends the streams,
    /// lets requests that are under way finish for at most three seconds, and returns.
    pub async fn serve(
        self,
        doors: impl Into<Doors>,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let hub = self.app.hub.clone();
        let ticker = {
            let app = self.app.clone();
            async move {
                tokio::select! {
                    () = app.hub.run(|| routes::system::system(&app)) => {}
                    () = alerts::upkeep(&app.alerts, &app.lanes, &app.clock) => {}
                    () = alerts::watch(&app.alerts, &app.lanes) => {}
                    () = alerts::show_load(&app.alerts, &app.lanes, &app.clock, &app.flood,
                        &app.load_metrics) => {}
                    () = routes::report::upkeep(&app) => {}
                    () = audit::upkeep(&app) => {}
                }
            }
        };
        let patience = async {
            shutdown.cancelled().await;
            // The streams end first: they would go on for ever.
            hub.close();
            tokio::time::sleep(DRAIN).await;
        };
        let (limits, figures) = (self.app.limits.clone(), self.app.connections.clone());
        let server = Server::new(self.router(), &limits, figures, shutdown.clone());
        let result = tokio::select! {
            (result, ()) = async { tokio::join!(server.run(doors.into(), &limits), ticker) } => {
                result
            }
            () = patience => {
                tracing::warn!("some requests did not finish in time and were cut off");
                Ok(())
            }
        };
        hub.close();
        result
    }

    /// The access tokens, for the login link.
    pub fn tokens(&self) -> Result<Tokens, StateError> {
        Ok(self.app.credentials.tokens().clone())
    }

    /// Makes an access token that is valid until it is revoked; what is returned is the only copy
    /// of the secret. Blocks.
    pub fn mint(&self, user: &str, role: Role, note: &str) -> Result<String, StateError> {
        let token = NewToken::city(user, role, note, None);
        self.tokens()?.mint(&token, self.app.clock.now())
    }

    /// While nobody administers the city: lets the first administrator be made, and gives the token
    /// that this takes, the only copy of it. Blocks.
    pub fn open_setup(&self) -> Result<Option<String>, StateError> {
        let needed = !self.app.credentials.users().has_admin()?;
        Ok(needed.then(|| self.app.setup.open()))
    }
}

/// The OpenAPI 3.1 document of the API, as JSON.
pub fn openapi_json() -> &'static str {
    &openapi::JSON
}

async fn method_not_allowed() -> Problem {
    Problem::new(codes::METHOD_NOT_ALLOWED, "This address does not take this method.")
        .hint("The header Allow lists those that it takes.")
}

#[cfg(test)]
mod tests;
