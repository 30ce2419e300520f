//! Entities as our model has them, their ids, and what is related to them.
//!
//! Things are devices; Locations where they are; HistoricalLocations where moving ones were;
//! Datastreams series; Sensors kinds of devices; ObservedProperties metrics; Observations readings;
//! FeaturesOfInterest the places that devices observe, which are their own.

use std::sync::Arc;

use city_model::{Device, MetricKey, Placement, Position, SeriesKey, Span, Timestamp};
use city_sta::EntityType;
use city_store::{Point, TimeRange};

use super::world::World;
use crate::problem::Answer;

/// An entity.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Thing(Arc<Device>),
    /// Where a device is, or with an instant where a moving one was.
    Location(Arc<Device>, Option<Timestamp>, Position),
    HistoricalLocation(Arc<Device>, Timestamp, Position),
    Datastream(Series),
    Sensor(Arc<str>),
    ObservedProperty(MetricKey),
    Observation(Series, Point),
    FeatureOfInterest(Arc<Device>),
}

/// A series with its device.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) device: Arc<Device>,
    pub(super) metric: MetricKey,
}

impl Series {
    pub(super) fn key(&self) -> SeriesKey {
        SeriesKey { device: self.device.key, metric: self.metric }
    }

    /// The id of the datastream: of the device and of the metric.
    pub(super) fn id(&self, world: &World) -> String {
        let metric = world.metric(self.metric).map_or("", |metric| &metric.id);
        format!("{}:{metric}", self.device.id)
    }
}

/// Entities that are asked for.
pub(super) enum Set {
    /// Those that are there, few enough to be listed.
    Listed(Vec<Item>),
    /// Readings of series.
    Observations(Vec<Series>),
    /// Where devices were.
    HistoricalLocations(Vec<Arc<Device>>),
}

impl Item {
    pub(super) fn kind(&self) -> EntityType {
        match self {
            Self::Thing(_) => EntityType::Thing,
            Self::Location(..) => EntityType::Location,
            Self::HistoricalLocation(..) => EntityType::HistoricalLocation,
            Self::Datastream(_) => EntityType::Datastream,
            Self::Sensor(_) => EntityType::Sensor,
            Self::ObservedProperty(_) => EntityType::ObservedProperty,
            Self::Observation(..) => EntityType::Observation,
            Self::FeatureOfInterest(_) => EntityType::FeatureOfInterest,
        }
    }

    /// Its id, unique among its kind.
    pub(super) fn id(&self, world: &World) -> String {
        match self {
            Self::Thing(device)
            | Self::FeatureOfInterest(device)
            | Self::Location(device, None, _) => device.id.to_string(),
            Self::Location(device, Some(at), _) | Self::HistoricalLocation(device, at, _) => {
                format!("{}:{}", device.id, at.micros())
            }
            Self::Datastream(series) => series.id(world),
            Self::Sensor(kind) => kind.to_string(),
            Self::ObservedProperty(metric) => {
                world.metric(*metric).map_or_else(String::new, |metric| metric.id.to_string())
            }
            Self::Observation(series, point) => {
                format!("{}:{}", series.id(world), point.time.micros())
            }
        }
    }

    /// The entity of a kind with this id.
    pub(super) fn find(world: &World, kind: EntityType, id: &str) -> Answer<Option<Self>> {
        let device = |id: &str| world.directory.device_by_id(id).cloned();
        Ok(match kind {
            EntityType::Thing => device(id).map(Self::Thing),
            EntityType::FeatureOfInterest => device(id).map(Self::FeatureOfInterest),
            EntityType::Location => match device(id) {
                Some(device) => location(world, &device),
                None => was_at(world, id)?
                    .map(|(device, at, position)| Self::Location(device, Some(at), position)),
            },
            EntityType::HistoricalLocation => was_at(world, id)?
                .map(|(device, at, position)| Self::HistoricalLocation(device, at, position)),
            EntityType::Datastream => series(world, id).map(Self::Datastream),
            EntityType::Sensor => world.kind(id).map(|(kind, _)| Self::Sensor(kind.clone())),
            EntityType::ObservedProperty => {
                world.directory.metrics.by_id(id).map(|metric| Self::ObservedProperty(metric.key))
            }
            EntityType::Observation => observation(world, id)?,
        })
    }

    /// What is related to it that way; for a way that leads to one, that one or nothing.
    pub(super) fn related(&self, world: &World, target: EntityType) -> Set {
        let listed = |items: Vec<Self>| Set::Listed(items);
        let thing = |device: &Arc<Device>| listed(vec![Self::Thing(device.clone())]);
        match (self, target) {
            (Self::Thing(device), EntityType::Location) => {
                listed(location(world, device).into_iter().collect())
            }
            (Self::Thing(device) | Self::Location(device, ..), EntityType::HistoricalLocation) => {
                Set::HistoricalLocations(vec![device.clone()])
            }
            (Self::Thing(device), EntityType::Datastream) => {
                listed(streams(world, device).map(Self::Datastream).collect())
            }
            (
                Self::Location(device, ..) | Self::HistoricalLocation(device, ..),
                EntityType::Thing,
            ) => thing(device),
            (Self::HistoricalLocation(device, at, position), EntityType::Location) => {
                listed(vec![Self::Location(device.clone(), Some(*at), *position)])
            }
            (Self::Datastream(series), EntityType::Thing) => thing(&series.device),
            (Self::Datastream(series), EntityType::Sensor) => {
                listed(vec![Self::Sensor(series.device.kind.clone())])
            }
            (Self::Datastream(series), EntityType::ObservedProperty) => {
                listed(vec![Self::ObservedProperty(series.metric)])
            }
            (Self::Datastream(series), EntityType::Observation) => {
                Set::Observations(vec![series.clone()])
            }
            (Self::Sensor(kind), EntityType::Datastream) => {
                let of_kind = world.series().by_kind.get(kind).into_iter().flatten().cloned();
                listed(of_kind.map(Self::Datastream).collect())
            }
            (Self::ObservedProperty(metric), EntityType::Datastream) => {
                let of_metric = world.series().by_metric.get(metric).into_iter().flatten();
                listed(of_metric.cloned().map(Self::Datastream).collect())
            }
            (Self::Observation(series, _), EntityType::Datastream) => {
                listed(vec![Self::Datastream(series.clone())])
            }
            (Self::Observation(series, _), EntityType::FeatureOfInterest) => {
                listed(vec![Self::FeatureOfInterest(series.device.clone())])
            }
            (Self::FeatureOfInterest(device), EntityType::Observation) => {
                Set::Observations(streams(world, device).collect())
            }
            // The standard has no other ways, and addresses with them are not read.
            _ => listed(Vec::new()),
        }
    }

    /// All entities of a kind.
    pub(super) fn all(world: &World, kind: EntityType) -> Set {
        let devices = || world.directory.devices();
        let series = || world.series().list.iter().cloned();
        Set::Listed(match kind {
            EntityType::Thing => devices().cloned().map(Self::Thing).collect(),
            EntityType::Location => {
                devices().filter_map(|device| location(world, device)).collect()
            }
            EntityType::FeatureOfInterest => {
                devices().cloned().map(Self::FeatureOfInterest).collect()
            }
            EntityType::Datastream => series().map(Self::Datastream).collect(),
            EntityType::Sensor => world.kinds().cloned().map(Self::Sensor).collect(),
            EntityType::ObservedProperty => {
                let metrics = world.directory.metrics.iter();
                metrics.map(|metric| Self::ObservedProperty(metric.key)).collect()
            }
            EntityType::Observation => return Set::Observations(series().collect()),
            EntityType::HistoricalLocation => {
                let moving = devices().filter(|device| device.placement == Placement::Moving);
                return Set::HistoricalLocations(moving.cloned().collect());
            }
        })
    }
}

/// The series of a device of which there are readings.
fn streams<'a>(world: &World, device: &'a Arc<Device>) -> impl Iterator<Item = Series> + use<'a> {
    let metrics = world.metrics_of(device);
    metrics.into_iter().map(|metric| Series { device: device.clone(), metric })
}

fn location(world: &World, device: &Arc<Device>) -> Option<Item> {
    let position = world.position(device)?;
    Some(Item::Location(device.clone(), None, position))
}

/// The device and the metric of a datastream's id; both may hold colons.
fn series(world: &World, id: &str) -> Option<Series> {
    id.rmatch_indices(':').find_map(|(at, _)| {
        let device = world.directory.device_by_id(&id[..at])?.clone();
        let metric = world.directory.metrics.by_id(&id[at + 1..])?.key;
        let series = Series { device, metric };
        world.last(series.key()).map(|_| series)
    })
}

fn split_time(id: &str) -> Option<(&str, Timestamp)> {
    let (rest, micros) = id.rsplit_once(':')?;
    Some((rest, Timestamp::from_micros(micros.parse().ok()?)))
}

/// The range that holds one instant.
fn only(at: Timestamp) -> TimeRange {
    TimeRange { from: at, to: at + Span::from_micros(1) }
}

fn observation(world: &World, id: &str) -> Answer<Option<Item>> {
    let Some((stream, at)) = split_time(id) else { return Ok(None) };
    let Some(series) = series(world, stream) else { return Ok(None) };
    world.spend_series()?;
    let point = world.app.store.raw(series.key(), only(at), 1)?.pop();
    Ok(point.map(|point| Item::Observation(series, point)))
}

fn was_at(world: &World, id: &str) -> Answer<Option<(Arc<Device>, Timestamp, Position)>> {
    let Some((device, at)) = split_time(id) else { return Ok(None) };
    let Some(device) = world.directory.device_by_id(device) else { return Ok(None) };
    world.spend_series()?;
    let found = world.app.store.track(device.key, only(at), 1)?.pop();
    Ok(found.map(|(at, position)| (device.clone(), at, position)))
}
