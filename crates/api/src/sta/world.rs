//! What SensorThings requests can reach: the city's devices, series and readings, within a budget.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{
    Device, Directory, LocalText, Metric, MetricKey, Placement, Position, SeriesKey, Timestamp,
};
use city_store::{Cancel, LastValue};
use rustc_hash::FxHashMap;

use super::item::Series;
use crate::app::App;
use crate::problem::{Answer, Problem, codes};

/// Readings that a request may look at.
const MAX_ROWS: usize = 5_000_000;
/// What the beginning of a look at a series costs, in readings.
const SERIES_COST: usize = 100;
/// Entities that may be looked at for filters, orders and pages.
const MAX_VISITS: usize = 5_000_000;
/// Entities that an answer may hold, those that are told along included.
const MAX_ENTITIES: usize = 50_000;

/// The city for one request.
pub(super) struct World {
    pub(super) app: App,
    pub(super) directory: Arc<Directory>,
    pub(super) now: Timestamp,
    /// Where the service is: scheme, host and path.
    pub(super) root: String,
    /// Whether names are told in Chinese.
    chinese: bool,
    kinds: BTreeMap<Arc<str>, LocalText>,
    pub(super) cancel: Cancel,
    rows: Cell<usize>,
    visits: Cell<usize>,
    entities: Cell<usize>,
    series: OnceCell<AllSeries>,
}

/// All series, and which of them are of a metric or of devices of a kind.
#[derive(Default)]
pub(super) struct AllSeries {
    pub(super) list: Vec<Series>,
    pub(super) by_metric: FxHashMap<MetricKey, Vec<Series>>,
    pub(super) by_kind: FxHashMap<Arc<str>, Vec<Series>>,
}

impl World {
    pub(super) fn new(app: &App, root: String, chinese: bool, cancel: Cancel) -> Self {
        let directory = app.registry.directory();
        let used = directory.devices().map(|device| device.kind.clone());
        let mut kinds: BTreeMap<Arc<str>, LocalText> =
            used.map(|id| (id.clone(), LocalText::same(&*id))).collect();
        let described = app.registry.kinds().into_iter();
        kinds.extend(described.map(|kind| (Arc::from(kind.id), kind.name)));
        Self {
            now: app.clock.now(),
            app: app.clone(),
            directory,
            root,
            chinese,
            kinds,
            cancel,
            rows: Cell::new(0),
            visits: Cell::new(0),
            entities: Cell::new(0),
            series: OnceCell::new(),
        }
    }

    /// A text in the language of whoever asks.
    pub(super) fn told<'a>(&self, text: &'a LocalText) -> &'a str {
        if self.chinese { &text.zh } else { &text.en }
    }

    /// The kinds of devices, by id.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &Arc<str>> {
        self.kinds.keys()
    }

    /// A kind by its id.
    pub(super) fn kind(&self, id: &str) -> Option<(&Arc<str>, &LocalText)> {
        self.kinds.get_key_value(id)
    }

    /// A metric.
    pub(super) fn metric(&self, key: MetricKey) -> Option<&Metric> {
        self.directory.metrics.get(key)
    }

    /// Where a device is, moving or not.
    pub(super) fn position(&self, device: &Device) -> Option<Position> {
        match device.placement {
            Placement::Fixed(position) => Some(position),
            Placement::Moving => self.app.hub.device(device.key).position(device),
            Placement::Unknown => None,
        }
    }

    /// The metrics of which a device has readings, by key.
    pub(super) fn metrics_of(&self, device: &Device) -> Vec<MetricKey> {
        let mut metrics: Vec<_> = self
            .app
            .store
            .last_of_device(device.key)
            .into_iter()
            .map(|(metric, _)| metric)
            .filter(|metric| self.metric(*metric).is_some())
            .collect();
        metrics.sort_unstable();
        metrics
    }

    /// All series of which there are readings, by device and metric.
    pub(super) fn series(&self) -> &AllSeries {
        self.series.get_or_init(|| {
            let mut all = AllSeries::default();
            for device in self.directory.devices() {
                for metric in self.metrics_of(device) {
                    let series = Series { device: device.clone(), metric };
                    all.by_metric.entry(metric).or_default().push(series.clone());
                    all.by_kind.entry(device.kind.clone()).or_default().push(series.clone());
                    all.list.push(series);
                }
            }
            all
        })
    }

    /// The newest reading of a series.
    pub(super) fn last(&self, series: SeriesKey) -> Option<LastValue> {
        self.app.store.last(series)
    }

    /// Notes that readings are looked at, and refuses what would be too many.
    pub(super) fn spend(&self, rows: usize) -> Answer<()> {
        self.cancel.check()?;
        self.rows.set(self.rows.get() + rows);
        if self.rows.get() > MAX_ROWS {
            let detail = format!("This would look at more than {MAX_ROWS} readings.");
            return Err(Problem::new(codes::QUERY_TOO_LARGE, detail).hint(
                "Ask for the Observations of one Datastream, and say phenomenonTime ge … and lt ….",
            ));
        }
        Ok(())
    }

    /// Notes that a series is looked at.
    pub(super) fn spend_series(&self) -> Answer<()> {
        self.spend(SERIES_COST)
    }

    /// Notes that entities are looked at; `false` once they are too many, and then
    /// [`World::check_visits`] fails.
    pub(super) fn visit(&self, entities: usize) -> bool {
        self.visits.set(self.visits.get().saturating_add(entities));
        self.visits.get() <= MAX_VISITS
    }

    /// Refuses what looked at too many entities.
    pub(super) fn check_visits(&self) -> Answer<()> {
        if self.visits.get() > MAX_VISITS {
            let detail = format!("This would look at more than {MAX_VISITS} entities.");
            return Err(Problem::new(codes::QUERY_TOO_LARGE, detail)
                .hint("Name the Thing or the Datastream in the path, and lead filters less far."));
        }
        Ok(())
    }

    /// Notes that an entity is told, and refuses answers that would be too large.
    pub(super) fn tell(&self) -> Answer<()> {
        self.entities.set(self.entities.get() + 1);
        if self.entities.get() > MAX_ENTITIES {
            let detail = format!("The answer would hold more than {MAX_ENTITIES} entities.");
            return Err(Problem::new(codes::QUERY_TOO_LARGE, detail)
                .hint("Ask for fewer with $top, also inside $expand."));
        }
        Ok(())
    }
}
