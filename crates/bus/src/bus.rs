//! Connecting, and making what is missing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use async_nats::{Client, ConnectOptions, Event};
use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;

use crate::error::{BusError, Cause};
use crate::names::{Names, Part, Topic, dotted, token};
use crate::publish::DUPLICATE_WINDOW;
use crate::server::{ATTEMPT, Pauses, Server, patiently};
use crate::{BusConfig, Leases};

/// In the metadata of the readings' stream: how many partitions they have.
const PARTITIONS: &str = "citybrain.partitions";

/// How often the server is asked whether it is there.
const PING: Duration = Duration::from_secs(3);

/// How long an entry of the leases is kept that nobody renews: what nodes that are gone for good have
/// left behind vanishes then.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// A connection to the bus; clones share it. It connects again by itself.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    server: Server,
    names: Names,
    node: String,
    partitions: u16,
    made: i64,
    timeout: Duration,
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Without waiting, which nobody may who is in async code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("node", &self.inner.node).finish_non_exhaustive()
    }
}

impl Bus {
    /// Connects as `node` within `patience`, and makes the streams that are missing. What the
    /// settings say of retention, space and replicas is put into effect, also later: the node that
    /// started last decides.
    pub fn connect(config: &BusConfig, node: &str, patience: Duration) -> Result<Self, BusError> {
        config.check()?;
        dotted("node", node)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("bus")
            .enable_all()
            .build()
            .map_err(BusError::Threads)?;
        let names = Names::new(&config.prefix);
        let (server, made) = runtime.block_on(async {
            let deadline = Instant::now() + patience;
            let server = connect(config, node, patience).await?;
            let left = deadline.saturating_duration_since(Instant::now()).max(ATTEMPT);
            let made = prepare(&server, &names, config, left).await?;
            Ok::<_, BusError>((server, made))
        })?;
        let inner = Inner {
            server,
            names,
            node: node.to_owned(),
            partitions: config.partitions,
            made,
            timeout: config.timeout,
            runtime: Some(runtime),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How many partitions the readings have.
    pub fn partitions(&self) -> u16 {
        self.inner.partitions
    }

    /// When the stream of readings was made, in microseconds since the epoch: numbers of one bus mean
    /// nothing on another, nor after its streams were made anew.
    pub fn made(&self) -> i64 {
        self.inner.made
    }

    /// This node's name.
    pub fn node(&self) -> &str {
        &self.inner.node
    }

    /// Whether there is a connection to a server now. It says nothing of the streams.
    pub fn is_connected(&self) -> bool {
        self.inner.server.is_connected()
    }

    /// The last number of a log, 0 if nothing was ever appended to it.
    pub fn log_end(&self, log: &str) -> Result<u64, BusError> {
        let subject = self.names().log(token("log", log)?);
        self.last_number(Part::State, &subject)
    }

    /// The last number of a topic, 0 if there is nothing of it.
    pub fn topic_end(&self, topic: Topic) -> Result<u64, BusError> {
        topic.check(self.partitions())?;
        self.last_number(topic.part(), &self.names().topic(topic))
    }

    /// The last number of the readings of all partitions and of the letters.
    pub fn readings_end(&self) -> Result<u64, BusError> {
        self.end(Part::Readings)
    }

    /// The last number of all alerts.
    pub fn alerts_end(&self) -> Result<u64, BusError> {
        self.end(Part::Alerts)
    }

    /// Exclusive ownership for short times, see [`Leases`]. `ttl`: how long others wait before they
    /// take what is not renewed; at least a second.
    pub fn leases(&self, ttl: Duration) -> Leases {
        Leases::new(self.clone(), ttl)
    }

    fn end(&self, part: Part) -> Result<u64, BusError> {
        let stream = self.names().stream(part);
        let doing = || format!("asking the stream {stream} for its end");
        self.run(patiently(doing, self.timeout(), async || {
            Ok(self.server().info(&stream).await?.state.last_sequence)
        }))
    }

    fn last_number(&self, part: Part, subject: &str) -> Result<u64, BusError> {
        let stream = self.names().stream(part);
        let doing = || format!("asking the stream {stream} for the last of {subject}");
        self.run(patiently(doing, self.timeout(), async || {
            Ok(self.server().last(&stream, subject).await?.map_or(0, |message| message.sequence))
        }))
    }

    pub(crate) fn server(&self) -> &Server {
        &self.inner.server
    }

    pub(crate) fn names(&self) -> &Names {
        &self.inner.names
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.inner.runtime.as_ref().map(Runtime::handle).expect("it is there until the drop")
    }

    /// Does async work on the calling thread. In async code it must be one of a runtime with several
    /// threads, of which others go on meanwhile.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        if Handle::try_current().is_ok() {
            return tokio::task::block_in_place(|| self.handle().block_on(work));
        }
        self.handle().block_on(work)
    }

    /// A text that no other call ever gives.
    pub(crate) fn unique(&self) -> String {
        let inbox = self.server().client.new_inbox();
        inbox.rsplit('.').next().unwrap_or(&inbox).to_owned()
    }
}

async fn options(config: &BusConfig, node: &str) -> Result<ConnectOptions, BusError> {
    let mut options = ConnectOptions::new()
        .name(format!("{} {node}", config.prefix))
        .connection_timeout(ATTEMPT)
        .request_timeout(Some(ATTEMPT))
        .max_reconnects(None)
        // A server that hangs is left for another after three without an answer.
        .ping_interval(PING)
        // A server that is there again is found at once.
        .reconnect_delay_callback(|attempts| Duration::from_millis(100 * attempts.min(10) as u64))
        .event_callback(async |event| match event {
            Event::Connected => tracing::info!("connected to the bus"),
            Event::Disconnected => tracing::warn!("the connection to the bus is lost"),
            Event::SlowConsumer(_) => tracing::warn!("the bus is read too slowly"),
            other => tracing::info!(event = %other, "the bus"),
        });
    if let (Some(user), Some(path)) = (&config.user, &config.password_file) {
        let file = |cause| BusError::File { key: "password_file", path: path.clone(), cause };
        let text = std::fs::read_to_string(path).map_err(file)?;
        let password = text.lines().next().unwrap_or_default();
        options = options.user_and_password(user.clone(), password.to_owned());
    }
    if let Some(path) = &config.credentials_file {
        let file = |cause| BusError::File { key: "credentials_file", path: path.clone(), cause };
        options = options.credentials_file(path).await.map_err(file)?;
    }
    if let Some(path) = &config.ca_file {
        std::fs::metadata(path).map_err(|cause| BusError::File {
            key: "ca_file",
            path: path.clone(),
            cause,
        })?;
        options = options.add_root_certificates(path.clone());
    }
    Ok(options)
}

async fn connect(config: &BusConfig, node: &str, patience: Duration) -> Result<Server, BusError> {
    // The client library takes the process's own cryptography; another part may have set it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let deadline = Instant::now() + patience;
    let mut pauses = Pauses::until(deadline);
    let mut last: Option<Cause> = None;
    loop {
        let options = options(config, node).await?;
        let attempt = options.connect(config.servers.clone());
        let cause: Cause = match tokio::time::timeout_at(deadline, attempt).await {
            Ok(Ok(client)) => return Ok(server(client)),
            Ok(Err(error)) => error.into(),
            // Why the attempt before failed says more.
            Err(elapsed) => last.take().unwrap_or_else(|| elapsed.into()),
        };
        if !pauses.wait().await {
            let servers = config.servers.join(", ");
            let doing = "connecting".to_owned();
            return Err(BusError::Unreachable { servers, doing, patience, cause });
        }
        last = Some(cause);
    }
}

fn server(client: Client) -> Server {
    let context = ContextBuilder::new()
        .timeout(ATTEMPT)
        .ack_timeout(ATTEMPT)
        .backpressure_on_inflight(true)
        .build(client.clone());
    Server { client, context }
}

/// The streams as the settings want them.
fn streams(names: &Names, config: &BusConfig) -> Vec<Config> {
    let stream = |part| Config {
        name: names.stream(part),
        subjects: vec![names.all(part)],
        storage: StorageType::File,
        num_replicas: config.replicas,
        // A full stream refuses what is new: nothing is dropped that was acknowledged.
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        ..Config::default()
    };
    let max_bytes = if config.max_bytes == 0 { -1 } else { config.max_bytes as i64 };
    let partitions = (PARTITIONS.to_owned(), config.partitions.to_string());
    vec![
        Config {
            max_age: config.retention,
            max_bytes,
            metadata: HashMap::from([partitions]),
            description: Some("Readings of all partitions".to_owned()),
            ..stream(Part::Readings)
        },
        Config { description: Some("Logs of state".to_owned()), ..stream(Part::State) },
        Config {
            max_age: config.retention,
            description: Some("Alerts of all partitions".to_owned()),
            ..stream(Part::Alerts)
        },
        Config { description: Some("Images of logs of state".to_owned()), ..stream(Part::Images) },
        Config {
            max_age: FORGOTTEN,
            max_messages_per_subject: 1,
            // As NATS makes its key-value stores.
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            description: Some("Who owns what".to_owned()),
            ..stream(Part::Leases)
        },
    ]
}

/// Makes the streams that are missing and brings the others' settings up to date; tells when that of
/// the readings was made.
async fn prepare(
    server: &Server,
    names: &Names,
    config: &BusConfig,
    patience: Duration,
) -> Result<i64, BusError> {
    let deadline = Instant::now() + patience;
    let mut readings_made = 0;
    for wanted in streams(names, config) {
        let name = wanted.name.clone();
        let left = deadline.saturating_duration_since(Instant::now());
        let doing = || format!("making the stream {name}");
        let made = patiently(doing, left, async || {
            Ok(server.context.get_or_create_stream(wanted.clone()).await?.cached_info().clone())
        })
        .await;
        let info = made.map_err(|error| match error {
            BusError::TimedOut { doing, cause, .. } => {
                let servers = config.servers.join(", ");
                BusError::Unreachable { servers, doing, patience, cause }
            }
            other => other,
        })?;
        if name == names.stream(Part::Readings) {
            readings_made = (info.created.unix_timestamp_nanos() / 1_000) as i64;
        }
        let kept = info.config;
        if let Some(count) = wanted.metadata.get(PARTITIONS)
            && kept.metadata.get(PARTITIONS) != Some(count)
        {
            let kept = kept.metadata.get(PARTITIONS).and_then(|kept| kept.parse().ok());
            let (kept, configured) = (kept.unwrap_or(0), config.partitions);
            return Err(BusError::Partitions { stream: name, configured, kept });
        }
        if (kept.max_age, kept.max_bytes, kept.num_replicas)
            != (wanted.max_age, wanted.max_bytes, wanted.num_replicas)
        {
            let changed = Config {
                max_age: wanted.max_age,
                max_bytes: wanted.max_bytes,
                num_replicas: wanted.num_replicas,
                ..kept
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let doing = || format!("putting the settings of the stream {name} into effect");
            patiently(doing, left, async || Ok(server.context.update_stream(&changed).await?))
                .await?;
            tracing::info!(stream = name, "the stream's settings were changed");
        }
    }
    Ok(readings_made)
}
