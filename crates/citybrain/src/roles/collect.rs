//! The role `collect`: the ways in and the pipeline, with the bus as the store.

use std::sync::Arc;
use std::time::Duration;

use city_bus::Bus;
use city_cluster::BusStore;
use city_model::SharedClock;
use city_pipeline::{Limits, Pipeline, PipelineParts, TimePolicy};
use city_registry::Registry;
use city_registry::credentials::Credentials;
use city_store::Memory;

use super::node::{self, Holders};
use super::status::{self, Told};
use super::{Role, Running};
use crate::app::{Doors, OTHER_FILES, Stage};
use crate::bridge::Ingest;
use crate::city::City;
use crate::clock::SystemClock;
use crate::codecs::DeviceCodecs;
use crate::commands::until_told_to_stop;
use crate::doors::Door;
use crate::downlink::Downlinks;
use crate::hj212::Hj212Door;
use crate::settings::BusSettings;
use crate::speakers::ByCredentials;

/// The copy of the city's state.
const COPY: &str = "city.db";

pub(super) async fn run(city: City, bus: BusSettings) -> anyhow::Result<()> {
    let City { settings, seed, sources, codecs, bounds, .. } = city;
    let clock: SharedClock = Arc::new(SystemClock);
    let metrics = prometheus::Registry::new();
    std::fs::create_dir_all(&settings.data_dir)?;
    let path = settings.data_dir.join(COPY);
    let of = bus.clone();
    let (bus, replica, changes) = node::unless_stopped(move || {
        let (listener, changes) = node::changes();
        let bus = node::connect(&of)?;
        let replica = node::copy(&bus, &path, listener)?;
        Ok((bus, replica, changes))
    })
    .await?;
    let state = replica.state.clone();
    let of = state.clone();
    let registry = tokio::task::spawn_blocking(move || Registry::open(of, seed)).await??;
    let registry = Arc::new(registry);
    let clients = Arc::new(Credentials::open(state.clone(), clock.clone())?);
    let holders =
        Holders { registry: registry.clone(), credentials: Some(clients.clone()), book: None };
    node::keep_current(changes, holders)?;
    let follower = replica.follow()?;

    crate::http::raise_open_files(settings.mqtt.max_connections as u64 + OTHER_FILES);
    let sources = Arc::new(sources);
    let ingest = Arc::new(Ingest::default());
    let way_back = ingest.way_back();
    let downlinks = Downlinks::new(Arc::new(way_back.clone()));
    let process = format!("{}-{}", bus.node(), clock.now().micros());
    let store = BusStore::writer(
        bus.clone(),
        registry.clone(),
        state.clone(),
        &process,
        Arc::new(Memory::new()),
    );
    let pipeline = Pipeline::start(PipelineParts {
        sources: sources.clone(),
        registry: registry.clone(),
        store: Arc::new(store),
        followers: Vec::new(),
        bounds,
        times: TimePolicy::default(),
        checks: settings.quality.clone(),
        location: settings.location.clone(),
        aqi: Vec::new(),
        codecs: Arc::new(DeviceCodecs::new(registry.clone(), codecs)),
        speakers: Arc::new(ByCredentials(clients.clone())),
        downlink: Arc::new(downlinks.clone()),
        limits: Limits::default(),
        clock: clock.clone(),
        metrics: metrics.clone(),
    })?;
    let (inputs, upkeep) = (Stage::default(), Stage::default());
    let seen = crate::upkeep::save_seen(registry.clone(), clients.clone(), upkeep.stop.clone());
    upkeep.tasks.spawn(seen);
    let door = Door {
        settings: &settings,
        sources: &sources,
        credentials: &clients,
        way_back: &way_back,
        clock: &clock,
        metrics: &metrics,
    };
    let mqtt = door.open(pipeline.intake(), &inputs.tasks, &inputs.stop).await?;
    let doors = Doors { settings: &settings, sources: &sources, clock: &clock, metrics: &metrics };
    doors.open_collectors(&pipeline.intake(), &inputs, &ingest, &downlinks)?;
    let door = Hj212Door {
        settings: &settings,
        sources: &sources,
        credentials: &clients,
        clock: &clock,
        metrics: &metrics,
    };
    door.open(pipeline.intake(), &inputs.tasks, &inputs.stop).await?;
    let http = status::open(
        settings.http.listen,
        told(&bus, &metrics, pipeline.monitor()),
        upkeep.stop.clone(),
    )
    .await?;
    let _running = Running::note(Role::Collect, &settings.data_dir, http)?;
    tracing::info!(%http, ?mqtt, node = bus.node(), "a collector is ready");
    super::announce_ready(http, mqtt);
    let lost = tokio::select! {
        told = until_told_to_stop() => { told?; false }
        () = node::until(|| follower.has_failed()) => true,
    };
    inputs.end("inputs", Duration::from_secs(4)).await;
    node::end(lost, move || pipeline.stop()).await?;
    upkeep.end("upkeep", Duration::from_secs(2)).await;
    node::end(lost, move || drop(follower)).await?;
    anyhow::ensure!(!lost, "the copy of the city's state is lost; start this process again");
    Ok(())
}

fn told(bus: &Bus, metrics: &prometheus::Registry, monitor: city_pipeline::Monitor) -> Told {
    let (bus, metrics) = (bus.clone(), metrics.clone());
    Told {
        figures: Box::new(move || metrics.gather()),
        trouble: Box::new(move || {
            if !bus.is_connected() {
                return Some("the bus cannot be reached; nothing is acknowledged".to_owned());
            }
            monitor.status().failing
        }),
    }
}
