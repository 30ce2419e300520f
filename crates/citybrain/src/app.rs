//! The whole program put together: started in the order of the data's way, stopped in it too, so
//! that each part can finish what the one before has handed over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use city_alert::{Engine, EngineParts, GateParts, Notifier, Outbox, PlaceBook, ReceiverConfig};
use city_api::{
    Brain, CityInfo, Mode, NewToken, OWN_TOKEN, Parts, Role, SessionLimits, Silences, Tokens,
};
use city_collect::{Collector, FileMemory};
use city_model::{SharedClock, Span};
use city_pipeline::{Follower, Intake, Limits, Pipeline, PipelineParts, Sources, TimePolicy};
use city_registry::Registry;
use city_registry::credentials::Credentials;
use city_rulebook::Book;
use city_rules::lifecycle::InhibitRule;
use city_rules::{ReloadReport, Setting};
use city_store::{Memory, SharedStore, StateDb};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bridge::{Ingest, Outside};
use crate::city::City;
use crate::clock::SystemClock;
use crate::codecs::DeviceCodecs;
use crate::doors::Door;
use crate::downlink::Downlinks;
use crate::figures::Origins;
use crate::hj212::Hj212Door;
use crate::http::{Http, Threads};
use crate::metrics::{Figure, Growth, Read};
use crate::receivers::Told;
use crate::rules::Rules;
use crate::run_file::RunFile;
use crate::settings::Settings;
use crate::speakers::ByCredentials;
use crate::zones::Zones;

/// How often the store looks for work that is due.
const MAINTAIN_EVERY: Duration = Duration::from_secs(5);

/// How long the login link of a start is valid.
const LOGIN_LIFETIME: Span = Span::from_hours(7 * 24);

/// Files that are open beside connections: the store's, the listeners, those that are read.
pub(crate) const OTHER_FILES: u64 = 512;

/// The id of the receiver that is the brain of this instance.
pub const BRAIN: &str = "brain";

/// Told about the steps of a start, for people who wait.
pub type Progress<'a> = &'a mut dyn FnMut(&str);

/// A running city.
pub struct App {
    /// The address of the HTTP side.
    pub http: SocketAddr,
    /// Whether TLS is spoken there.
    pub encrypted: bool,
    /// The address of the embedded MQTT endpoint, if it runs.
    pub mqtt: Option<SocketAddr>,
    /// The address of the TCP listener for HJ 212, if it runs.
    pub hj212: Option<SocketAddr>,
    /// A token with all rights: in the demo for the login link, valid for a week; otherwise worthless
    /// at the next start.
    pub token: String,
    /// While nobody administers the city: the token with which the first administrator is made.
    pub setup: Option<String>,
    data_dir: std::path::PathBuf,
    store: SharedStore,
    pipeline: Pipeline,
    engine: Engine,
    /// Stopped first: whatever brings messages.
    inputs: Stage,
    /// Stopped after the engine: notifications.
    outputs: Stage,
    /// Stopped last: the HTTP side.
    brain: Stage,
    maintenance: Stage,
    /// Those that answer requests; they end with the program.
    _threads: Threads,
}

/// Makes what the pipeline commits to; the store answers questions.
pub(crate) type CommitsTo = Box<dyn FnOnce(&Arc<Registry>, SharedStore) -> SharedStore>;

/// What a bus puts in the place of parts of this process: others evaluate the rules, and what is
/// committed goes to all of them.
#[cfg_attr(not(feature = "bus"), allow(dead_code))]
pub(crate) struct Seam {
    /// The city's state, which is on the bus.
    pub(crate) state: Arc<StateDb>,
    /// Where commits go.
    pub(crate) commits: CommitsTo,
}

/// What is to be told of what comes by the bus.
#[cfg_attr(not(feature = "bus"), allow(dead_code))]
pub(crate) struct Begun {
    pub(crate) registry: Arc<Registry>,
    pub(crate) clients: Arc<Credentials>,
    pub(crate) book: Arc<Book>,
    pub(crate) store: SharedStore,
    pub(crate) live: Arc<dyn Follower>,
    pub(crate) outbox: Arc<Outbox>,
}

/// Tasks that are stopped together.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Stage {
    pub(crate) async fn end(self, name: &str, within: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(within, self.tasks.wait()).await.is_err() {
            tracing::warn!(stage = name, "did not stop within {within:?}");
        }
    }
}

impl App {
    /// Starts everything; when this returns, devices and browsers can connect.
    pub async fn start(city: City, mode: Mode, progress: Progress<'_>) -> anyhow::Result<Self> {
        Ok(Self::start_with(city, mode, progress, None).await?.0)
    }

    /// As [`App::start`], with a bus in the place of some parts.
    pub(crate) async fn start_with(
        city: City,
        mode: Mode,
        progress: Progress<'_>,
        seam: Option<Seam>,
    ) -> anyhow::Result<(Self, Option<Begun>)> {
        let City {
            settings,
            seed,
            devices,
            base_map,
            rules: file_rules,
            sources,
            codecs,
            bounds,
            shown_bounds,
            warnings,
        } = city;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let clock: SharedClock = Arc::new(SystemClock);
        let metrics = prometheus::Registry::new();
        let data_dir = settings.data_dir.clone();
        std::fs::create_dir_all(&data_dir)
            .with_context(|| format!("the data folder {} cannot be made", data_dir.display()))?;

        progress("opening the store");
        let (store, recovery) = crate::store::open(&settings.store, &data_dir)?;
        if recovery.readings > 0 {
            progress(&format!("{} readings recovered from the log", recovery.readings));
        }
        let state = match &seam {
            Some(seam) => seam.state.clone(),
            None => Arc::new(StateDb::open(data_dir.join("state.db"))?),
        };

        progress("reading the registry");
        let registry = Arc::new(Registry::open(state.clone(), seed)?);
        let imported = registry.import_file(&devices)?;
        if imported.added > 0 {
            progress(&format!("{} devices registered", imported.added));
        }
        let store = store.start(&registry, &settings.store)?;
        crate::store::register_figures(&metrics, &store, &clock)?;

        let open_files = settings.http.limits.connections + settings.mqtt.max_connections;
        crate::http::raise_open_files(open_files as u64 + OTHER_FILES);
        let http = Http::bind(&settings.http).await?;
        let now = clock.now();
        crate::audited::record_start(&state, now)?;
        let tokens = Tokens::open(state.clone())?;
        tokens.revoke_noted(OWN_TOKEN, now)?;
        let mint = |user, role, note, lifetime| {
            tokens.mint(&NewToken::city(user, role, note, lifetime), now)
        };
        let engine_token = mint("alert-engine", Role::Engine, OWN_TOKEN, None)?;
        let own_token = mint("command-line", Role::Admin, OWN_TOKEN, None)?;
        let token = match mode {
            // The last start's link is not taken back: who logged in with it stays logged in.
            Mode::Demo => mint("admin", Role::Admin, "printed at a start", Some(LOGIN_LIFETIME))?,
            Mode::Live => own_token.clone(),
        };

        progress("starting the alert engine");
        crate::receivers::check_departments(&settings.receivers, &registry, &file_rules)??;
        let mut receivers = vec![brain_receiver(http.own, &engine_token)];
        if !settings.city.simulated {
            receivers.extend(settings.receivers.iter().cloned());
        } else if !settings.receivers.is_empty() {
            tracing::warn!("city.simulated is true: alerts reach no outside receiver");
        }
        for receiver in &mut receivers {
            receiver.city.places = PlaceBook::of(registry.clone());
        }
        let silences = Arc::new(Silences::open(state.clone(), now)?);
        let inhibit: Arc<[InhibitRule]> = settings.inhibit.clone().into();
        let gate = GateParts {
            silencing: silences.clone(),
            inhibit: inhibit.clone(),
            flood: settings.flood.clone(),
            registry: Some(registry.clone()),
        };
        let notifier = Notifier::gated(state.clone(), receivers, clock.clone(), &metrics, gate)?;
        let notifier = Arc::new(notifier);
        let rules = Rules::open(
            settings.city.rules.clone(),
            Setting::in_zone(&settings.city.time_zone).unwrap_or_default(),
            state.clone(),
            registry.clone(),
            clock.clone(),
        )?;
        // On a bus others evaluate the rules: the engine here has none, and hears nothing.
        let (engine_rules, engine_state, engine_store): (_, _, SharedStore) = match &seam {
            Some(_) => (Arc::default(), Arc::new(StateDb::in_memory()?), Arc::new(Memory::new())),
            None => (rules.book().in_force().load_full(), state.clone(), store.clone()),
        };
        let engine_parts = EngineParts {
            rules: engine_rules,
            registry: registry.clone(),
            share: None,
            store: engine_store,
            state: engine_state,
            outbox: notifier.outbox(),
            clock: clock.clone(),
            metrics: metrics.clone(),
        };
        let (engine, recovered) =
            tokio::task::spawn_blocking(move || Engine::start(engine_parts)).await??;
        match &seam {
            // Those who evaluate read them from the city's state; what ends by it they tell as events.
            Some(_) => rules.book().connect(Box::new(|_| Some(ReloadReport::default()))),
            None => rules.connect(engine.handle()),
        }
        rules.register_figures(&metrics)?;
        if recovered.restored {
            progress(&format!("alert state restored: {} firing", recovered.firing));
        }

        progress("starting the brain");
        let sources = Arc::new(sources);
        let ingest = Arc::new(Ingest::default());
        let certificates = crate::certificates::configured(&settings);
        let origins =
            Origins::new(&store, ingest.clone(), clock.clone(), data_dir.clone(), certificates);
        crate::figures::register(&metrics, origins)?;
        let zones = Arc::new(Zones::new(settings.city.clone(), registry.clone(), rules.book()));
        let clients = Arc::new(Credentials::open(state.clone(), clock.clone())?);
        let brain = Brain::new(Parts {
            registry: registry.clone(),
            clients: clients.clone(),
            store: store.clone(),
            state,
            late_readings: engine.handle().late_log(),
            zone_files: zones.clone(),
            rule_book: rules.book(),
            receivers: Arc::new(Told::new(notifier.clone())),
            ingest: ingest.clone(),
            city: CityInfo {
                name: settings.city.name.clone(),
                time_zone: settings.city.time_zone.clone(),
                bounds: shown_bounds,
            },
            cap: settings.issuer().and_then(Result::ok),
            mode,
            simulated: settings.city.simulated,
            metrics: metrics.clone(),
            silences,
            inhibit,
            flood: settings.flood.clone(),
            limits: settings.http.limits.clone(),
            sessions: SessionLimits {
                idle: settings.http.session_idle,
                lifetime: settings.http.session_lifetime,
            },
            external_login: external_login(&settings)?,
            base_map,
            notices: Arc::new(Outside { notifier: notifier.clone(), clock: clock.clone() }),
            clock: clock.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        let setup = if mode == Mode::Live { brain.open_setup()? } else { None };
        let way_back = ingest.way_back();
        let downlinks = Downlinks::new(Arc::new(way_back.clone()));
        let begun = seam.as_ref().map(|_| Begun {
            registry: registry.clone(),
            clients: clients.clone(),
            book: rules.book(),
            store: store.clone(),
            live: brain.live(),
            outbox: notifier.outbox(),
        });
        let (commits_to, followers): (_, Vec<Arc<dyn Follower>>) = match seam {
            Some(seam) => ((seam.commits)(&registry, store.clone()), Vec::new()),
            // The engine first, because it may wait; the live views never do.
            None => (store.clone(), vec![Arc::new(engine.handle()), brain.live()]),
        };
        let pipeline = Pipeline::start(PipelineParts {
            sources: sources.clone(),
            registry: registry.clone(),
            store: commits_to,
            followers,
            bounds,
            times: TimePolicy::default(),
            checks: settings.quality.clone(),
            location: settings.location.clone(),
            aqi: settings.derived.aqi.clone(),
            codecs: Arc::new(DeviceCodecs::new(registry.clone(), codecs)),
            speakers: Arc::new(ByCredentials(clients.clone())),
            downlink: Arc::new(downlinks.clone()),
            limits: Limits::default(),
            clock: clock.clone(),
            metrics: metrics.clone(),
        })?;
        ingest.connect(&pipeline, &registry, notifier.clone(), engine.handle())?;
        let monitor = pipeline.monitor();
        engine.handle().wait_for(Box::new(move || monitor.oldest_open()));

        let (inputs, outputs, brain_stage, maintenance) =
            (Stage::default(), Stage::default(), Stage::default(), Stage::default());
        let stop = brain_stage.stop.clone();
        let Http { doors, public, own, certificate, threads } = http;
        brain_stage.tasks.spawn(async move {
            if let Err(error) = brain.serve(doors, stop).await {
                tracing::error!(error.cause = %error, "the HTTP side ended");
            }
        });
        if let Some(certificate) = &certificate {
            certificate.register(&metrics)?;
            maintenance.tasks.spawn(certificate.clone().watch(maintenance.stop.clone()));
        }
        let stop = outputs.stop.clone();
        outputs.tasks.spawn(async move { notifier.run(stop).await });
        let greeting = crate::store::greet(settings.store.clone(), maintenance.stop.clone());
        maintenance.tasks.spawn(greeting);
        maintenance.tasks.spawn(zones.watch(maintenance.stop.clone()));
        maintenance.tasks.spawn(rules.watch(maintenance.stop.clone()));
        maintenance.tasks.spawn(maintain(store.clone(), clock.clone(), maintenance.stop.clone()));
        let stop = maintenance.stop.clone();
        maintenance.tasks.spawn(crate::upkeep::save_seen(registry.clone(), clients.clone(), stop));

        progress("opening the doors");
        let doors =
            Doors { settings: &settings, sources: &sources, clock: &clock, metrics: &metrics };
        let door = Door {
            settings: &settings,
            sources: &sources,
            credentials: &clients,
            way_back: &way_back,
            clock: &clock,
            metrics: &metrics,
        };
        let mqtt = door.open(pipeline.intake(), &inputs.tasks, &inputs.stop).await?;
        doors.open_collectors(&pipeline.intake(), &inputs, &ingest, &downlinks)?;
        let door = Hj212Door {
            settings: &settings,
            sources: &sources,
            credentials: &clients,
            clock: &clock,
            metrics: &metrics,
        };
        let hj212 = door.open(pipeline.intake(), &inputs.tasks, &inputs.stop).await?;
        let run_file =
            RunFile { process: std::process::id(), http: own, token: own_token, role: None };
        run_file.write(&data_dir).context("running.json cannot be written")?;
        let app = Self {
            http: public,
            encrypted: certificate.is_some(),
            mqtt,
            hj212,
            token,
            setup,
            data_dir,
            store,
            pipeline,
            engine,
            inputs,
            outputs,
            brain: brain_stage,
            maintenance,
            _threads: threads,
        };
        Ok((app, begun))
    }

    /// The address of the HTTP side as browsers have it, without a path.
    pub fn url(&self) -> String {
        let scheme = if self.encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.http)
    }

    /// Stops in the order of the data's way: inputs, pipeline, engine, notifications, HTTP.
    pub async fn stop(self) -> anyhow::Result<()> {
        RunFile::remove(&self.data_dir);
        self.inputs.end("inputs", Duration::from_secs(4)).await;
        let (pipeline, engine, store) = (self.pipeline, self.engine, self.store);
        tokio::task::spawn_blocking(move || {
            pipeline.stop();
            engine.stop();
        })
        .await?;
        self.outputs.end("notifications", Duration::from_secs(1)).await;
        self.brain.end("http", Duration::from_secs(1)).await;
        self.maintenance.end("maintenance", Duration::from_secs(2)).await;
        tokio::task::spawn_blocking(move || store.flush()).await??;
        Ok(())
    }
}

/// The login through an identity provider, if one is configured.
fn external_login(settings: &Settings) -> anyhow::Result<Option<city_api::ExternalLogin>> {
    let login = settings.http.oidc.as_ref().map(crate::settings::HttpOidc::login).transpose();
    login.map_err(|problem| anyhow::anyhow!("{problem}"))
}

/// The brain is told about alerts exactly as an outside receiver is: by a webhook.
fn brain_receiver(http: SocketAddr, token: &str) -> ReceiverConfig {
    let url = format!("http://{http}/api/v1/alert-events");
    let options = serde_json::json!({ "url": url, "token": token });
    ReceiverConfig { inside: true, ..ReceiverConfig::new(BRAIN, "webhook", options) }
}

async fn maintain(store: SharedStore, clock: SharedClock, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(MAINTAIN_EVERY) => {}
        }
        let (store, now) = (store.clone(), clock.now());
        let done = tokio::task::spawn_blocking(move || store.maintain(now)).await;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(error.cause = %error, "the store's upkeep failed; it is tried again");
            }
            Err(error) => tracing::error!(error.cause = %error, "the store's upkeep panicked"),
        }
    }
}

/// What the ways in have in common.
pub(crate) struct Doors<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sources: &'a Arc<Sources>,
    pub(crate) clock: &'a SharedClock,
    pub(crate) metrics: &'a prometheus::Registry,
}

impl Doors<'_> {
    /// A session with each external broker.
    pub(crate) fn open_collectors(
        &self,
        intake: &Intake,
        inputs: &Stage,
        ingest: &Ingest,
        downlinks: &Downlinks,
    ) -> anyhow::Result<()> {
        for broker in &self.settings.brokers {
            let name = broker.name.clone();
            let (sources, of) = (self.sources.clone(), name.clone());
            let route =
                Arc::new(move |topic: &str, _client: Option<&str>| sources.route(Some(&of), topic));
            let filters = self.sources.filters(Some(&name));
            let clock = self.clock.clone();
            let memory = self.settings.data_dir.join(format!("subscriptions-{name}.json"));
            let collector =
                Collector::new(broker.connect.clone(), &filters, route, intake.clone(), clock)
                    .map_err(|problems| bad_broker(&name, &problems))?
                    .with_memory(Arc::new(FileMemory(memory)));
            ingest.watch_broker(&name, collector.status());
            downlinks.connect(&name, collector.publisher());
            let stats = collector.stats();
            Read::register(self.metrics, &[("broker", &name)], move || {
                collector_figures(&stats.snapshot())
            })?;
            let stop = inputs.stop.clone();
            inputs.tasks.spawn(async move { collector.run(stop).await });
        }
        Ok(())
    }
}

fn bad_broker(name: &str, problems: &[city_collect::ConfigError]) -> anyhow::Error {
    let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("broker `{name}`: {}", list.join("; "))
}

fn collector_figures(stats: &city_collect::StatsSnapshot) -> Vec<Figure> {
    use Growth::Counter;
    vec![
        (
            "citybrain_collector_messages_total",
            "Messages taken from the broker.",
            Counter,
            stats.received,
        ),
        (
            "citybrain_collector_bytes_total",
            "Bytes of topics and payloads taken.",
            Counter,
            stats.bytes,
        ),
        (
            "citybrain_collector_acknowledged_total",
            "Messages acknowledged after their commit.",
            Counter,
            stats.acknowledged,
        ),
        (
            "citybrain_collector_dropped_total",
            "QoS 0 messages dropped because the pipeline was full.",
            Counter,
            stats.dropped,
        ),
        (
            "citybrain_collector_overflows_total",
            "Connections ended because the broker sent too much.",
            Counter,
            stats.overflows,
        ),
    ]
}
