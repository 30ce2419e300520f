//! The role `brain`: of all brains one answers, the others keep the same history and stand by.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use city_api::Mode;
use city_bus::{Bus, Leases};
use city_cluster::{BusStore, CITY, Intake, Replica, Tail, TailParts};
use city_model::SharedClock;
use city_registry::{Registry, Seed};
use city_store::{SharedStore, Writers};
use tokio_util::sync::CancellationToken;

use super::node::{self, Changes, Holders};
use super::{Role, Running, announce_ready, forward};
use crate::app::{App, BRAIN, Begun, CommitsTo, Seam};
use crate::city::City;
use crate::clock::SystemClock;
use crate::commands::until_told_to_stop;
use crate::run_file::ON_A_BUS;
use crate::settings::BusSettings;

/// The lease of the brain that answers.
const DESK: &str = "desk";

/// How often the image of the city's state is renewed at most, and its log cut: what a process that
/// starts has to apply.
const IMAGE_EVERY: Duration = Duration::from_secs(30);

/// Making an image takes at most one part in so many of the time.
const IMAGE_SHARE: u32 = 20;

/// How long a brain that begins to answer tries to say so before it leaves it to another.
const DESK_PATIENCE: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// The exit code of a brain that has to start again (EX_TEMPFAIL of sysexits.h).
const TAKE_ANOTHER_TURN: i32 = 75;

pub(super) async fn run(mut city: City, settings: BusSettings) -> anyhow::Result<()> {
    // Devices come in by collectors.
    city.settings.mqtt.enabled = false;
    city.settings.hj212.enabled = false;
    city.settings.brokers.clear();
    let data_dir = city.settings.data_dir.clone();
    std::fs::create_dir_all(&data_dir)?;
    let of = settings.clone();
    let lease = Duration::from_micros(settings.lease.micros() as u64);
    let (bus, mut leases, first) = node::unless_stopped(move || {
        let bus = node::connect(&of)?;
        let mut leases = bus.leases(lease);
        // Until some brain has put the city on the bus there is nothing to stand by with, and each of
        // them goes on trying to be the one that does.
        loop {
            if is_desk(&mut leases) {
                return Ok((bus, leases, true));
            }
            if bus.image(CITY)?.is_some() {
                return Ok((bus, leases, false));
            }
            std::thread::sleep(lease / 4);
        }
    })
    .await?;
    let mut standby = None;
    if !first {
        let Some((held, copy)) = stand_by(&city, &bus, leases, lease).await? else { return Ok(()) };
        (leases, standby) = (held, Some(copy));
    }
    answer(city, bus, settings, leases, lease, standby).await
}

/// Tries once to become the brain that answers.
fn is_desk(leases: &mut Leases) -> bool {
    match leases.turn(&[DESK.to_owned()]) {
        Ok(changes) => changes.gained.iter().any(|name| name == DESK),
        Err(error) => {
            tracing::warn!(error.cause = %error, "the bus does not say which brain answers");
            false
        }
    }
}

/// What a brain that stood by has when it begins to answer.
struct Copy {
    replica: Replica,
    changes: Changes,
}

/// Keeps the history and passes connections on until this brain is to answer; `None` if it is told
/// to stop.
async fn stand_by(
    city: &City,
    bus: &Bus,
    mut leases: Leases,
    lease: Duration,
) -> anyhow::Result<Option<(Leases, Copy)>> {
    let settings = &city.settings;
    let (of, path) = (bus.clone(), settings.data_dir.join("state.db"));
    mark_or_refuse(&settings.data_dir, &path, true)?;
    let (replica, changes) = tokio::task::spawn_blocking(move || {
        let (listener, changes) = node::changes();
        anyhow::Ok((node::copy(&of, &path, listener)?, changes))
    })
    .await??;
    let follower = replica.follow()?;
    let (store, registry) = history(city, &replica)?;
    let tail = Tail::start(TailParts {
        bus: bus.clone(),
        registry,
        state: replica.state.clone(),
        store: store.clone(),
        followers: Vec::new(),
    })?;
    let stop = CancellationToken::new();
    let (http, passing) =
        forward::forward(settings.http.listen, replica.state.clone(), stop.clone()).await?;
    let _running = Running::note(Role::Brain, &settings.data_dir, http)?;
    tracing::info!(%http, node = bus.node(), "a brain stands by");
    announce_ready(http, None);
    let ours = Arc::new(AtomicBool::new(false));
    let ends = CancellationToken::new();
    let (gained, ended) = (ours.clone(), ends.clone());
    let waiting = tokio::task::spawn_blocking(move || {
        while !ended.is_cancelled() {
            if is_desk(&mut leases) {
                gained.store(true, Ordering::Relaxed);
                break;
            }
            std::thread::sleep(lease / 4);
        }
        leases
    });
    let mut waiting = std::pin::pin!(waiting);
    tokio::select! {
        told = until_told_to_stop() => told?,
        leases = &mut waiting => {
            let leases = leases?;
            tracing::info!("this brain answers from now on");
            stop.cancel();
            passing.wait().await;
            return tokio::task::spawn_blocking(move || {
                drop((tail, follower));
                store.flush()?;
                drop(store);
                Ok(Some((leases, Copy { replica, changes })))
            })
            .await?;
        }
    }
    ends.cancel();
    stop.cancel();
    passing.wait().await;
    tokio::task::spawn_blocking(move || {
        drop((tail, follower));
        store.flush()
    })
    .await??;
    Ok(None)
}

/// The store of a brain that stands by, and the registry that its readings belong to.
fn history(city: &City, replica: &Replica) -> anyhow::Result<(SharedStore, Arc<Registry>)> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let seed = Seed {
        catalogue: city.seed.catalogue.clone(),
        zones: crate::zones::read(&city.settings.city, &mut problems, &mut warnings),
        kinds: city.seed.kinds.clone(),
        departments: city.seed.departments.clone(),
    };
    let registry = Arc::new(Registry::open(replica.state.clone(), seed)?);
    let (store, _) = crate::store::open(&city.settings.store, &city.settings.data_dir)?;
    Ok((store.start(&registry, &city.settings.store)?, registry))
}

/// Refuses a data folder with a city of its own where the bus has one, too.
fn mark_or_refuse(data_dir: &Path, state: &Path, there_is_one: bool) -> anyhow::Result<()> {
    let mark = data_dir.join(ON_A_BUS);
    anyhow::ensure!(
        !there_is_one || !state.exists() || mark.exists(),
        "{} holds a city of its own, and the bus has one already; give this brain an empty data \
         folder, or the bus another prefix",
        state.display()
    );
    std::fs::write(&mark, "The state here is a copy of that on the bus.\n")
        .with_context(|| mark.display().to_string())
}

/// Runs the brain that answers, until it is told to stop or another one answers.
async fn answer(
    city: City,
    bus: Bus,
    settings: BusSettings,
    leases: Leases,
    lease: Duration,
    standby: Option<Copy>,
) -> anyhow::Result<()> {
    let data_dir = city.settings.data_dir.clone();
    let keeping = keep_the_desk(leases, lease);
    let Copy { replica, changes } = if let Some(copy) = standby {
        copy
    } else {
        let (of, path) = (bus.clone(), data_dir.join("state.db"));
        tokio::task::spawn_blocking(move || first_copy(&of, &data_dir, &path)).await??
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let follower = replica.follow()?;
    let (of, state) = (bus.clone(), replica.state.clone());
    let process = format!("{}-{}", bus.node(), clock.now().micros());
    let commits: CommitsTo = Box::new(move |registry, store| {
        Arc::new(BusStore::writer(of, registry.clone(), state, &process, store))
    });
    let seam = Seam { state: replica.state.clone(), commits };
    let step = &mut |step: &str| tracing::info!("{step}");
    let (app, begun) = App::start_with(city, Mode::Live, step, Some(seam)).await?;
    let Begun { registry, clients, book, store, live, outbox } =
        begun.context("a brain on a bus has begun")?;
    node::keep_current(
        changes,
        Holders { registry: registry.clone(), credentials: Some(clients), book: Some(book) },
    )?;
    let tail = Tail::start(TailParts {
        bus: bus.clone(),
        registry,
        state: replica.state.clone(),
        store,
        followers: vec![live],
    })?;
    let state = replica.state.clone();
    let unknown = {
        let state = state.clone();
        move |now| city_api::ends_of_unknown(&state, now)
    };
    let intake = Intake::start(bus.clone(), state, outbox, clock, BRAIN, unknown)?;
    let address = settings.advertise.clone().unwrap_or_else(|| app.http.to_string());
    let replica = Arc::new(replica);
    let of = replica.clone();
    tokio::task::spawn_blocking(move || take_the_desk(&of, &address)).await??;
    tracing::info!(http = %app.http, node = bus.node(), "the brain answers");
    crate::commands::announce_app(&app);
    let imaging = tokio::spawn(renew_images(replica));
    let why = tokio::select! {
        told = until_told_to_stop() => { told?; None }
        () = keeping.lost.cancelled() => Some("another brain answers now; start this one again"),
        () = node::until(|| follower.has_failed()) => Some("the copy of the city's state is lost; start this brain again"),
    };
    if let Some(why) = why {
        // What another one does now must not be done here, too: nothing is finished.
        tracing::error!("{why}");
        std::process::exit(TAKE_ANOTHER_TURN);
    }
    imaging.abort();
    node::end(false, move || drop((intake, tail, follower))).await?;
    app.stop().await?;
    keeping.end().await;
    Ok(())
}

/// Says where the brain is that answers, and puts the city's state on the bus, again until the bus
/// takes it: a brain often begins to answer just when the bus comes back.
fn take_the_desk(replica: &Replica, address: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let done = forward::make_table(&replica.state)
            .and_then(|()| forward::answer_at(&replica.state, address))
            .map_err(anyhow::Error::from)
            .and_then(|()| Ok(replica.put_image()?));
        match done {
            Err(error) if begun.elapsed() < DESK_PATIENCE => {
                tracing::warn!(error.cause = %error, "the bus does not hear yet which brain answers");
                std::thread::sleep(TRY_AGAIN);
            }
            done => return done,
        }
    }
}

/// The state of the first brain of a city, or of one that answers again.
fn first_copy(bus: &Bus, data_dir: &Path, path: &Path) -> anyhow::Result<Copy> {
    let (listener, changes) = node::changes();
    let there_is_one = bus.image(CITY)?.is_some();
    mark_or_refuse(data_dir, path, there_is_one)?;
    if there_is_one {
        return Ok(Copy { replica: node::copy(bus, path, listener)?, changes });
    }
    let replica =
        Replica::from_file(bus, CITY, path, &forward::make_table, Writers::Several, listener)?;
    Ok(Copy { replica, changes })
}

async fn renew_images(replica: Arc<Replica>) {
    let mut pause = IMAGE_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        let (replica, begun) = (replica.clone(), Instant::now());
        let renewed = tokio::task::spawn_blocking(move || replica.renew_image()).await;
        pause = (begun.elapsed() * IMAGE_SHARE).max(IMAGE_EVERY);
        if let Ok(Err(error)) = renewed {
            tracing::warn!(error.cause = %error, "the image of the city's state is not renewed now");
        }
    }
}

/// A thread that keeps the lease of the brain that answers.
struct Keeping {
    stop: CancellationToken,
    lost: CancellationToken,
    thread: tokio::task::JoinHandle<()>,
}

impl Keeping {
    async fn end(self) {
        self.stop.cancel();
        // It panics only with the process.
        let _ = self.thread.await;
    }
}

fn keep_the_desk(mut leases: Leases, lease: Duration) -> Keeping {
    let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
    let (ends, tells) = (stop.clone(), lost.clone());
    let thread = tokio::task::spawn_blocking(move || {
        let holding = leases.holding();
        while !ends.is_cancelled() {
            if let Err(error) = leases.turn(&[DESK.to_owned()]) {
                tracing::warn!(error.cause = %error, "the lease of this brain is not renewed now");
            }
            if !holding.holds(DESK) {
                tells.cancel();
                return;
            }
            std::thread::sleep(lease / 4);
        }
        leases.release(DESK);
    });
    Keeping { stop, lost, thread }
}
