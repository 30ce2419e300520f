//! The one door to what is public. Routes without login get a [`PublicView`] and nothing else, and
//! it gives nothing that no enabled dataset selects.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use city_model::{
    Attribute, Device, DeviceKey, Directory, LifeCycle, LocalText, Marks, Metric, Placement,
    Position, Quality, SeriesKey, Span, Timestamp, Value, ZoneKey,
};
use city_store::{Bucket, Cancel, Point, StoreError, StoreErrorKind, TimeRange};

use super::cache::{Cache, Stamp};
use super::dataset::{Dataset, Positions};
use super::marked::{Kept, Snapshot};
use crate::CityInfo;
use crate::app::App;
use crate::parameters::short;
use crate::problem::{Answer, Problem, codes};

/// What is public at one moment.
#[derive(Clone)]
pub(crate) struct PublicView {
    app: App,
    marks: Arc<Snapshot>,
    directory: Arc<Directory>,
}

impl FromRequestParts<App> for PublicView {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(app))
    }
}

impl PublicView {
    fn of(app: &App) -> Self {
        let marks = app.open.marked.current();
        Self { app: app.clone(), marks, directory: app.registry.directory() }
    }

    /// What is public by now.
    pub(super) fn renewed(&self) -> Self {
        Self::of(&self.app)
    }

    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// The city as everybody may see it.
    pub(super) fn city(&self) -> &CityInfo {
        &self.app.city
    }

    /// Whether everything here is simulated or test data.
    pub(super) fn is_simulated(&self) -> bool {
        self.app.simulated
    }

    /// Answers that are kept for a while.
    pub(super) fn cache(&self) -> &Cache {
        &self.app.open.cache
    }

    /// What answers depend on beside the readings.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp { marks: self.marks.generation, directory: self.directory.version }
    }

    /// All that is public, by id. Blocks shortly.
    pub(super) fn datasets(&self) -> Answer<Vec<PublicDataset>> {
        let names = self.department_names()?;
        let enabled = self.marks.datasets.values().filter(|kept| kept.dataset.enabled);
        Ok(enabled.map(|kept| PublicDataset::new(self, kept, &names)).collect())
    }

    /// The dataset with this id, if it is public. Blocks shortly.
    pub(super) fn dataset(&self, id: &str) -> Answer<PublicDataset> {
        let kept = self.marks.datasets.get(id).filter(|kept| kept.dataset.enabled);
        let kept = kept.ok_or_else(|| {
            let detail = format!("No dataset `{}` is public.", short(id));
            Problem::new(codes::UNKNOWN_DATASET, detail).hint("GET /open/v1 lists those that are.")
        })?;
        Ok(PublicDataset::new(self, kept, &self.department_names()?))
    }

    /// Runs something short that blocks.
    pub(super) async fn short<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let view = self.clone();
        self.app.lanes.short(move || work(&view)).await
    }

    /// Runs a query over history.
    pub(super) async fn history<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Cancel) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let view = self.clone();
        self.app.lanes.history(move |cancel| work(&view, cancel)).await
    }

    fn department_names(&self) -> Answer<BTreeMap<String, LocalText>> {
        let departments = self.app.registry.departments()?.into_iter();
        Ok(departments.map(|department| (department.id, department.name)).collect())
    }
}

/// A dataset that is public.
#[derive(Clone)]
pub(super) struct PublicDataset {
    view: PublicView,
    kept: Arc<Kept>,
    publisher: LocalText,
    zones: Vec<ZoneKey>,
    metrics: Vec<Metric>,
}

/// A device as the dataset tells of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PublicDevice {
    key: DeviceKey,
    pub(super) id: Arc<str>,
    /// `None` unless the dataset tells names.
    pub(super) name: Option<LocalText>,
    pub(super) kind: Arc<str>,
    pub(super) moving: bool,
    /// Where it is, as exactly as the dataset tells.
    pub(super) position: Option<Position>,
    /// The id of the smallest zone around it.
    pub(super) zone: Option<Arc<str>>,
    /// Those attributes that the dataset tells.
    pub(super) attributes: BTreeMap<String, Attribute>,
    pub(super) simulated: bool,
}

/// A series that the dataset selects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PublicSeries(SeriesKey);

/// The newest reading of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PublicValue<'a> {
    pub(super) metric: &'a Metric,
    pub(super) time: Timestamp,
    pub(super) value: Value,
    pub(super) quality: Quality,
    pub(super) simulated: bool,
}

impl PublicDataset {
    fn new(view: &PublicView, kept: &Arc<Kept>, names: &BTreeMap<String, LocalText>) -> Self {
        let (directory, dataset) = (&view.directory, &kept.dataset);
        let zone = |id: &String| directory.zone_by_id(id).map(|zone| zone.key);
        let own_name = || names.get(&dataset.department).cloned();
        let publisher = dataset.publisher.clone().or_else(own_name);
        let select = &dataset.select;
        let metric = |id: &String| directory.metrics.by_id(id).cloned();
        let mut metrics: Vec<Metric> = select.metrics.iter().filter_map(metric).collect();
        metrics.sort_by_key(|metric| metric.key);
        Self {
            view: view.clone(),
            kept: kept.clone(),
            publisher: publisher.unwrap_or_else(|| LocalText::same(&dataset.department)),
            zones: select.zones.iter().filter_map(zone).collect(),
            metrics,
        }
    }

    /// What its department says of it.
    pub(super) fn about(&self) -> &Dataset {
        &self.kept.dataset
    }

    /// When it was first described.
    pub(super) fn created_at(&self) -> Timestamp {
        self.kept.created_at
    }

    /// When what is said of it was changed last.
    pub(super) fn described_at(&self) -> Timestamp {
        self.kept.updated_at
    }

    /// Who publishes it.
    pub(super) fn publisher(&self) -> &LocalText {
        &self.publisher
    }

    /// The metrics that it selects, by key.
    pub(super) fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Everything else that is public at this moment.
    pub(super) fn view(&self) -> &PublicView {
        &self.view
    }

    /// The names of the zones that it is limited to.
    pub(super) fn zone_names(&self) -> Vec<&LocalText> {
        let zone = |key: &ZoneKey| self.view.directory.zone(*key).map(|zone| &zone.name);
        self.zones.iter().filter_map(zone).collect()
    }

    /// The devices that it selects, by key.
    pub(super) fn devices(&self) -> Vec<PublicDevice> {
        let chosen = self.view.directory.devices().filter(|device| self.selects(device));
        chosen.map(|device| self.show(device)).collect()
    }

    /// The device with this id, if it is selected.
    pub(super) fn device(&self, id: &str) -> Option<PublicDevice> {
        let device = self.view.directory.device_by_id(id)?;
        self.selects(device).then(|| self.show(device))
    }

    /// Whether a device is a part of it: the one place that decides.
    fn selects(&self, device: &Device) -> bool {
        let dataset = self.about();
        let in_use = matches!(device.life_cycle, LifeCycle::Active | LifeCycle::Maintenance);
        let in_zone = || match device.placement {
            // Where else it was would be a part of its history.
            Placement::Moving => false,
            _ => device.zones.iter().any(|zone| self.zones.contains(zone)),
        };
        in_use
            && *device.department == *dataset.department
            && dataset.select.kinds.iter().any(|kind| **kind == *device.kind)
            && (dataset.select.zones.is_empty() || in_zone())
    }

    fn show(&self, device: &Device) -> PublicDevice {
        let (dataset, directory) = (self.about(), &self.view.directory);
        let moving = device.placement == Placement::Moving;
        let (place, zones) = if moving {
            let now = self.view.app.hub.device(device.key);
            (now.position(device), now.zones(device))
        } else if let Placement::Fixed(position) = device.placement {
            (Some(position), device.zones.clone())
        } else {
            (None, device.zones.clone())
        };
        let around = zones.iter().filter_map(|key| directory.zone(*key));
        let smallest = around.min_by(|a, b| a.area_km2.total_cmp(&b.area_km2));
        let position = match dataset.positions {
            Positions::Exact => place,
            Positions::Zone => smallest.map(|zone| zone.label),
        };
        let told = |name: &String| Some((name.clone(), device.attributes.get(name)?.clone()));
        PublicDevice {
            key: device.key,
            id: device.id.clone(),
            name: dataset.names.then(|| device.name.clone()),
            kind: device.kind.clone(),
            moving,
            position,
            zone: smallest.map(|zone| zone.id.clone()),
            attributes: dataset.attributes.iter().filter_map(told).collect(),
            simulated: device.simulated || self.view.app.simulated,
        }
    }

    /// The newest readings of a device, of the metrics that are selected, by metric.
    pub(super) fn latest(&self, device: &PublicDevice) -> Vec<PublicValue<'_>> {
        let mut values = self.view.app.store.last_of_device(device.key);
        values.sort_unstable_by_key(|(metric, _)| *metric);
        let told = |(key, last): (_, city_store::LastValue)| {
            let metric = self.metrics.iter().find(|metric| metric.key == key)?;
            // A time that cannot be trusted says nothing about now.
            let trusted = !last.marks.has(Marks::FUTURE);
            trusted.then(|| PublicValue {
                metric,
                time: last.time,
                value: last.value,
                quality: last.quality,
                simulated: device.simulated || last.marks.has(Marks::SIMULATED),
            })
        };
        values.into_iter().filter_map(told).collect()
    }

    /// The span of time of which readings are public now; `None` if only the newest are.
    pub(super) fn history(&self) -> Option<TimeRange> {
        let days = i64::from(self.about().history_days);
        let now = self.view.now();
        let range = TimeRange { from: now - Span::from_hours(24 * days), to: now };
        (days > 0).then_some(range)
    }

    /// The public part of a span of time; `None` if nothing of it is.
    pub(super) fn clip(&self, range: TimeRange) -> Option<TimeRange> {
        let public = self.history()?;
        let clipped = TimeRange { from: range.from.max(public.from), to: range.to.min(public.to) };
        (clipped.from < clipped.to).then_some(clipped)
    }

    /// A series, if its metric is selected.
    pub(super) fn series(&self, device: &PublicDevice, metric: &Metric) -> Option<PublicSeries> {
        let selected = self.metrics.iter().any(|own| own.key == metric.key);
        selected.then_some(PublicSeries(SeriesKey { device: device.key, metric: metric.key }))
    }

    /// Whether readings of a series are marked as simulated. Of older ones no mark is stored: they
    /// are as the newest is.
    pub(super) fn is_simulated(&self, device: &PublicDevice, series: PublicSeries) -> bool {
        let marked = |last: city_store::LastValue| last.marks.has(Marks::SIMULATED);
        device.simulated || self.view.app.store.last(series.0).is_some_and(marked)
    }

    /// Readings in order of event time, page by page, no further than what is public, and only as
    /// long as it is.
    pub(super) fn scan(
        &self,
        series: PublicSeries,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some(range) = self.clip(range) else { return Ok(()) };
        let mut withdrawn = false;
        self.view.app.store.scan(series.0, range, &mut |page| {
            withdrawn = !self.is_still_public();
            if withdrawn { ControlFlow::Break(()) } else { each(page) }
        })?;
        if withdrawn {
            let message = "the dataset was changed while it was read";
            return Err(StoreError::new(StoreErrorKind::Cancelled, message));
        }
        Ok(())
    }

    /// Readings of a series in steps, no further than what is public.
    pub(super) fn buckets(
        &self,
        series: PublicSeries,
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        let Some(range) = self.clip(range) else { return Ok(Vec::new()) };
        self.view.app.store.buckets(&[series.0], range, step, cancel)
    }

    /// Whether what is said of the dataset is what it was when the view was made.
    fn is_still_public(&self) -> bool {
        let now = self.view.app.open.marked.current();
        now.datasets.get(&self.about().id).is_some_and(|kept| Arc::ptr_eq(kept, &self.kept))
    }
}
