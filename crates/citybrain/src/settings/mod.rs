//! Settings: what a configuration file can say, with defaults for everything but the city.

mod base_map;
#[cfg(feature = "bus")]
mod bus;
mod http;
mod influxdb;
mod load;
mod meaning;
mod mqtt;
mod oidc;
mod problems;

use std::collections::BTreeMap;
use std::path::PathBuf;

use city_alert::ReceiverConfig;
use city_collect::BrokerConfig;
use city_derive::AqiConfig;
use city_model::{Crs, LocalText, Span};
use city_pipeline::SourceSpec;
use city_quality::{LocationChecks, MetricChecks};
use city_registry::{Department, Kind};
use city_rules::lifecycle::{FloodConfig, InhibitRule};
use serde::Deserialize;

use crate::hj212::Hj212Settings;
use crate::logging::LogSettings;

pub use base_map::BaseLayer;
#[cfg(feature = "bus")]
pub use bus::BusSettings;
#[cfg(feature = "bus")]
pub(crate) use bus::check_roles;
pub use http::{HttpSettings, HttpTls};
pub use influxdb::{InfluxSettings, StoreBackend};
pub(crate) use load::tree;
pub use load::{LoadError, load};
pub(crate) use meaning::check_meaning;
pub use mqtt::MqttSettings;
pub use oidc::{GroupGrant, HttpOidc};
pub use problems::{Problem, Problems};

/// The complete, commented example.
pub const EXAMPLE: &str = include_str!("../../../../deploy/citybrain.example.toml");

/// Everything that a configuration file can say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The city.
    pub city: CitySettings,
    /// Where data are kept.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// The brain's HTTP side.
    #[serde(default)]
    pub http: HttpSettings,
    /// The embedded MQTT endpoint.
    #[serde(default)]
    pub mqtt: MqttSettings,
    /// The TCP listener for HJ 212.
    #[serde(default)]
    pub hj212: Hj212Settings,
    /// The store.
    #[serde(default)]
    pub store: StoreSettings,
    /// External brokers.
    #[serde(default, rename = "broker")]
    pub brokers: Vec<NamedBroker>,
    /// Sources.
    #[serde(default, rename = "source")]
    pub sources: Vec<SourceSpec>,
    /// Quality checks by metric, beside the check of the physical range that every metric has.
    #[serde(default)]
    pub quality: BTreeMap<String, MetricChecks>,
    /// Limits for the positions that messages carry.
    #[serde(default)]
    pub location: LocationChecks,
    /// Series that are derived from readings.
    #[serde(default)]
    pub derived: DerivedSettings,
    /// Who speaks in the Common Alerting Protocol; nobody if missing.
    #[serde(default)]
    pub cap: Option<city_cap::IssuerConfig>,
    /// Receivers of alert events beside the brain.
    #[serde(default, rename = "receiver")]
    pub receivers: Vec<ReceiverConfig>,
    /// Alerts that keep others from being told to outside receivers.
    #[serde(default)]
    pub inhibit: Vec<InhibitRule>,
    /// When many alerts are a flood.
    #[serde(default)]
    pub flood: FloodConfig,
    /// The program's log.
    #[serde(default)]
    pub log: LogSettings,
    /// The bus between the processes of a city on several machines.
    #[cfg(feature = "bus")]
    #[serde(default)]
    pub bus: Option<BusSettings>,
    /// The same where this program knows no bus: refused with a word on why.
    #[cfg(not(feature = "bus"))]
    #[serde(default)]
    pub bus: Option<serde::de::IgnoredAny>,
}

/// The city: its name, its files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CitySettings {
    /// What people call it.
    pub name: LocalText,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// Whether all data here are simulated or test data: alerts then reach no outside receiver.
    #[serde(default)]
    pub simulated: bool,
    /// West, south, east, north in degrees; from the zones if missing.
    #[serde(default)]
    pub bounds: Option<[f64; 4]>,
    /// Zone files.
    #[serde(default)]
    pub zones: Vec<ZoneFile>,
    /// A grid of H3 cells; made by itself where there are bounds and no zone files.
    #[serde(default)]
    pub grid: Option<GridSettings>,
    /// What lies under the zones on the map, lowest first.
    #[serde(default)]
    pub base_map: Vec<BaseLayer>,
    /// A list of devices that is imported at every start.
    #[serde(default)]
    pub devices: Option<PathBuf>,
    /// Metrics beside those that citybrain knows.
    #[serde(default)]
    pub metrics: Option<PathBuf>,
    /// A directory with rule files (`*.yaml`).
    #[serde(default)]
    pub rules: Option<PathBuf>,
    /// A folder with codec files (`*.js`) of devices.
    #[serde(default)]
    pub codecs: Option<PathBuf>,
    /// Kinds of devices: their names, and what holds for all devices of the kind.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// Names of departments.
    #[serde(default)]
    pub departments: Vec<Department>,
}

/// A GeoJSON file of zones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneFile {
    /// The file.
    pub file: PathBuf,
    /// The layer, such as `district`.
    pub layer: String,
    /// The property that holds a stable id; made from the name if missing.
    #[serde(default)]
    pub id_property: Option<String>,
    /// The property that holds the name.
    #[serde(default = "name_property")]
    pub name_property: String,
    /// The property that holds the Chinese name.
    #[serde(default)]
    pub name_zh_property: Option<String>,
    /// The property that holds the id or the name of the zone above; without it the zone above is
    /// the smallest larger one of another layer around it.
    #[serde(default)]
    pub parent_property: Option<String>,
    /// The layer of the zones above.
    #[serde(default)]
    pub parent_layer: Option<String>,
    /// The coordinate system of the file.
    #[serde(default)]
    pub crs: Crs,
}

/// A grid of H3 cells over the city's bounds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridSettings {
    /// Whether there is one.
    pub enabled: bool,
    /// The resolution of H3, 0 (coarse) to 15 (fine); with it there is a grid beside zone files
    /// too. Without it a grid has at most about 10,000 cells.
    pub resolution: Option<u8>,
}

impl Default for GridSettings {
    fn default() -> Self {
        Self { enabled: true, resolution: None }
    }
}

fn name_property() -> String {
    "name".to_owned()
}

/// The store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// What holds the readings.
    pub backend: StoreBackend,
    /// The InfluxDB server, if that holds them.
    pub influxdb: Option<InfluxSettings>,
    /// How long readings are kept, in whole days; for ever if missing.
    pub retention: Option<Span>,
    /// The same for metrics that are kept for less, by id.
    pub metric_retention: BTreeMap<String, Span>,
    /// How long summaries of readings are kept, in whole months; for ever if missing.
    pub summaries: SummarySettings,
    /// How long dead letters are kept.
    pub dead_letter_retention: Span,
    /// How many bytes of dead letters are kept; past that the oldest are dropped.
    pub dead_letter_bytes: u64,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let store = city_store::Options::default();
        Self {
            backend: StoreBackend::default(),
            influxdb: None,
            retention: store.retention,
            metric_retention: BTreeMap::new(),
            summaries: SummarySettings::default(),
            dead_letter_retention: store.dead_letter_retention,
            dead_letter_bytes: store.dead_letter_bytes,
        }
    }
}

/// Summaries of readings, by the length of their steps.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SummarySettings {
    /// Those of a minute.
    pub minute: Option<Span>,
    /// Those of a quarter of an hour.
    pub quarter_hour: Option<Span>,
    /// Those of an hour.
    pub hour: Option<Span>,
}

/// Series that are derived from readings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DerivedSettings {
    /// Air quality indices; several standards at once are possible.
    pub aqi: Vec<AqiConfig>,
}

/// An external broker with the name that sources call it by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedBroker {
    /// The name.
    pub name: String,
    /// How to reach it.
    pub connect: BrokerConfig,
}

/// The directory for a person's data, such as `~/.local/share/citybrain`.
pub fn default_data_dir() -> PathBuf {
    use etcetera::BaseStrategy as _;
    match etcetera::choose_base_strategy() {
        Ok(strategy) => strategy.data_dir().join("citybrain"),
        Err(_) => PathBuf::from("citybrain-data"),
    }
}
