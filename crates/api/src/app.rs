//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;
use city_model::{SharedClock, Timestamp};
use city_registry::Registry;
use city_rulebook::Book;
use city_rules::lifecycle::FloodConfig;
use city_rules::{LateLog, RuleSet};
use city_store::{Accounts, SharedStore, StateDb};

use crate::admission::Admission;
use crate::alerts::{AlertList, Board, LoadMetrics};
use crate::audit::Recorder;
use crate::auth::{Credentials, ExternalLogin, LoginFailures, Setup, Throttle};
use crate::base_map::BaseMap;
use crate::lanes::Lanes;
use crate::live::Hub;
use crate::metrics::HttpMetrics;
use crate::server::Figures;
use crate::silences::Silences;
use crate::{CityInfo, HttpLimits, Ingest, Mode, Receivers, ZoneFiles};

/// A cheap handle to the state of the API.
#[derive(Clone)]
pub(crate) struct App(pub(crate) Arc<Inner>);

/// The state of the API.
pub(crate) struct Inner {
    pub(crate) registry: Arc<Registry>,
    pub(crate) clients: Arc<city_registry::credentials::Credentials>,
    pub(crate) store: SharedStore,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) state: Arc<StateDb>,
    pub(crate) rules: Arc<ArcSwap<RuleSet>>,
    pub(crate) late_readings: LateLog,
    pub(crate) ingest: Arc<dyn Ingest>,
    pub(crate) zone_files: Arc<dyn ZoneFiles>,
    pub(crate) rule_book: Arc<Book>,
    pub(crate) receivers: Arc<dyn Receivers>,
    pub(crate) city: CityInfo,
    pub(crate) cap: Option<city_cap::Issuer>,
    pub(crate) mode: Mode,
    pub(crate) simulated: bool,
    pub(crate) metrics: prometheus::Registry,
    pub(crate) clock: SharedClock,
    pub(crate) version: String,
    pub(crate) started_at: Timestamp,
    pub(crate) hub: Arc<Hub>,
    pub(crate) board: Arc<Board>,
    pub(crate) alerts: Arc<AlertList>,
    pub(crate) silences: Arc<Silences>,
    pub(crate) flood: Arc<FloodConfig>,
    pub(crate) load_metrics: LoadMetrics,
    pub(crate) audit: Arc<Recorder>,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) throttle: Throttle,
    pub(crate) login_failures: LoginFailures,
    pub(crate) setup: Setup,
    pub(crate) external_login: Option<ExternalLogin>,
    pub(crate) base_map: BaseMap,
    pub(crate) lanes: Lanes,
    pub(crate) limits: Arc<HttpLimits>,
    pub(crate) admission: Admission,
    pub(crate) connections: Figures,
    pub(crate) http: HttpMetrics,
    pub(crate) zones: crate::routes::zones::Drawn,
    pub(crate) open: crate::open::Open,
    pub(crate) map: crate::routes::map::Drawn,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
