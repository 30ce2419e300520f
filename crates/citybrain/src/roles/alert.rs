//! The role `alert`: engines over the partitions that this process owns.

use std::sync::Arc;
use std::time::Duration;

use city_cluster::{Owners, OwnersParts, PartitionStatus};
use city_model::SharedClock;
use city_registry::Registry;
use city_rules::{ReloadReport, Setting};
use tokio_util::sync::CancellationToken;

use super::node::{self, Holders};
use super::status::{self, Told};
use super::{Role, Running};
use crate::city::City;
use crate::clock::SystemClock;
use crate::commands::until_told_to_stop;
use crate::metrics::{Growth, Read};
use crate::rules::Rules;
use crate::settings::BusSettings;

/// The copy of the city's state.
const COPY: &str = "city.db";

/// The folder of the copies of engines' states.
const PARTITIONS: &str = "partitions";

pub(super) async fn run(city: City, settings: BusSettings) -> anyhow::Result<()> {
    let City { settings: city, seed, .. } = city;
    let clock: SharedClock = Arc::new(SystemClock);
    let metrics = prometheus::Registry::new();
    std::fs::create_dir_all(&city.data_dir)?;
    let (path, of) = (city.data_dir.join(COPY), settings.clone());
    let (bus, replica, changes, registry) = node::unless_stopped(move || {
        let (listener, changes) = node::changes();
        let bus = node::connect(&of)?;
        let replica = node::copy(&bus, &path, listener)?;
        let registry = Registry::open(replica.state.clone(), seed)?;
        Ok((bus, replica, changes, Arc::new(registry)))
    })
    .await?;
    let state = replica.state.clone();
    let rules = Rules::open(
        city.city.rules.clone(),
        Setting::in_zone(&city.city.time_zone).unwrap_or_default(),
        state.clone(),
        registry.clone(),
        clock.clone(),
    )?;
    rules.register_figures(&metrics)?;
    let book = rules.book();
    let holders =
        Holders { registry: registry.clone(), credentials: None, book: Some(book.clone()) };
    node::keep_current(changes, holders)?;
    let follower = replica.follow()?;
    let owners = Owners::start(OwnersParts {
        bus: bus.clone(),
        node: settings.node.clone(),
        lease: Duration::from_micros(settings.lease.micros() as u64),
        registry,
        state,
        rules: book.in_force().load_full(),
        folder: city.data_dir.join(PARTITIONS),
        clock,
        runtime: tokio::runtime::Handle::current(),
    })?;
    let owning = owners.owning();
    let of = owning.clone();
    // What ends by a change is told by the engines, as events.
    book.connect(Box::new(move |rules| {
        of.set_rules(&rules);
        Some(ReloadReport::default())
    }));
    let stop = CancellationToken::new();
    let watching = tokio::spawn(rules.watch(stop.clone()));
    let of = owning.clone();
    Read::register(&metrics, &[], move || {
        let status = of.status();
        let heard = status.iter().map(|one| one.heard).max().unwrap_or(0);
        let running = status.iter().filter(|one| one.runs).count() as u64;
        let readings = status.iter().map(|one| one.readings).sum();
        vec![
            (
                "citybrain_partitions",
                "Partitions whose rules are evaluated here.",
                Growth::Gauge,
                running,
            ),
            (
                "citybrain_partition_message",
                "Number of the last message of the bus that was evaluated here.",
                Growth::Gauge,
                heard,
            ),
            (
                "citybrain_partition_readings",
                "Readings taken from the bus by the partitions that are held now.",
                Growth::Gauge,
                readings,
            ),
        ]
    })?;
    let (of, connected) = (owning.clone(), bus.clone());
    let told = Told {
        figures: Box::new(move || {
            let mut figures = metrics.gather();
            figures.extend(owning.gather());
            figures
        }),
        trouble: Box::new(move || {
            if !connected.is_connected() {
                return Some("the bus cannot be reached; nothing is evaluated".to_owned());
            }
            of.status().into_iter().find_map(trouble)
        }),
    };
    let http = status::open(city.http.listen, told, stop.clone()).await?;
    let _running = Running::note(Role::Alert, &city.data_dir, http)?;
    tracing::info!(%http, node = bus.node(), "an alert worker is ready");
    super::announce_ready(http, None);
    let lost = tokio::select! {
        told = until_told_to_stop() => { told?; false }
        () = node::until(|| follower.has_failed()) => true,
    };
    stop.cancel();
    // It has nothing to say any more.
    let _ = watching.await;
    node::end(lost, move || drop((owners, follower))).await?;
    anyhow::ensure!(!lost, "the copy of the city's state is lost; start this process again");
    Ok(())
}

fn trouble(status: PartitionStatus) -> Option<String> {
    let why = status.trouble?;
    Some(format!("partition {}: {why}", status.name))
}
