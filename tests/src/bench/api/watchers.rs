//! Clients of the stream: one thread that waits for all of them (epoll).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::fleet::now;

/// One of so many clients reads what it gets.
const READS: usize = 20;
/// A client that gets nothing for so long is silent; the system is told every two seconds.
const SILENT: Duration = Duration::from_secs(5);
/// What `Retry-After` says to those for whom there is no place yet.
const COME_BACK: Duration = Duration::from_secs(1);
const WATCH: &str = "/api/v1/stream?kind=bus&values=true";

/// Running clients.
pub(super) struct Watchers {
    shared: Arc<Shared>,
    thread: JoinHandle<anyhow::Result<Seen>>,
}

#[derive(Default)]
struct Shared {
    measuring: AtomicBool,
    greeted: AtomicUsize,
    stop: CancellationToken,
}

/// What they saw while it was measured.
#[derive(Default)]
pub(super) struct Seen {
    /// From the time that a value says to its arrival.
    pub(super) delays: Vec<Duration>,
    pub(super) values_per_client_s: f64,
    pub(super) bytes_per_s: f64,
    /// Events `resync`.
    pub(super) resyncs: usize,
    /// Clients that got nothing for a while.
    pub(super) silent: usize,
}

/// What one client saw.
#[derive(Default)]
struct One {
    delays: Vec<Duration>,
    bytes: usize,
    resyncs: usize,
    silent: bool,
    reads: bool,
}

impl Watchers {
    /// Connects so many, and returns once all of them have been greeted.
    pub(super) fn start(address: SocketAddr, bearer: &str, count: usize) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let request = format!("GET {WATCH} HTTP/1.1\r\nHost: city\r\n{bearer}\r\n");
        let (own, request) = (shared.clone(), Arc::<str>::from(request));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(follow(address, request, count, own))
        });
        let started = Instant::now();
        while shared.greeted.load(Ordering::Relaxed) < count {
            ensure!(!thread.is_finished(), "the clients have ended");
            ensure!(started.elapsed() < Duration::from_mins(1), "not all clients were greeted");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { shared, thread })
    }

    /// Whether what comes counts.
    pub(super) fn measure(&self, on: bool) {
        self.shared.measuring.store(on, Ordering::Relaxed);
    }

    pub(super) fn stop(self) -> anyhow::Result<Seen> {
        self.shared.stop.cancel();
        self.thread.join().map_err(|_| anyhow::anyhow!("the clients panicked"))?
    }
}

async fn follow(
    address: SocketAddr,
    request: Arc<str>,
    count: usize,
    shared: Arc<Shared>,
) -> anyhow::Result<Seen> {
    let (sender, mut results) = unbounded_channel();
    for index in 0..count {
        let stream = ask(address, &request).await?;
        let client = Client { address, request: request.clone(), reads: index % READS == 0 };
        tokio::spawn(client.watch(stream, shared.clone(), sender.clone()));
    }
    drop(sender);
    let watching = async {
        let mut began = None;
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            match (shared.measuring.load(Ordering::Relaxed), began) {
                (true, None) => began = Some(Instant::now()),
                (false, Some(began)) => return began.elapsed(),
                _ => {}
            }
        }
    };
    let measured = tokio::select! {
        measured = watching => measured,
        () = shared.stop.cancelled() => Duration::from_secs(1),
    };
    shared.stop.cancelled().await;
    let (mut seen, mut clients, mut readers) = (Seen::default(), 0, 0_usize);
    while let Some(one) = results.recv().await {
        let one: One = one;
        clients += 1;
        readers += usize::from(one.reads);
        seen.delays.extend(one.delays);
        seen.bytes_per_s += one.bytes as f64 / measured.as_secs_f64();
        seen.resyncs += one.resyncs;
        seen.silent += usize::from(one.silent);
    }
    ensure!(clients == count, "{} clients ended early", count - clients);
    let values = seen.delays.len() as f64 / readers.max(1) as f64;
    seen.values_per_client_s = values / measured.as_secs_f64();
    Ok(seen)
}

/// Asks for the stream on a connection of its own.
async fn ask(address: SocketAddr, request: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// One that follows.
struct Client {
    address: SocketAddr,
    request: Arc<str>,
    reads: bool,
}

impl Client {
    /// Follows until told to stop. A client whose connection ends sends no result.
    async fn watch(
        self,
        mut stream: TcpStream,
        shared: Arc<Shared>,
        results: UnboundedSender<One>,
    ) -> anyhow::Result<()> {
        let mut one = One { reads: self.reads, ..One::default() };
        let mut chunk = vec![0; 16 << 10];
        let (mut text, mut greeted, mut heard) = (String::new(), false, Instant::now());
        loop {
            let count = tokio::select! {
                count = stream.read(&mut chunk) => count?,
                () = shared.stop.cancelled() => break,
            };
            ensure!(count > 0, "the server ended the stream");
            if !greeted {
                let start = String::from_utf8_lossy(&chunk[..count]);
                if start.starts_with("HTTP/1.1 503") {
                    // All come in the same moment; whoever is told to come back does, as browsers do.
                    tokio::time::sleep(COME_BACK).await;
                    stream = ask(self.address, &self.request).await?;
                    heard = Instant::now();
                    continue;
                }
                ensure!(start.starts_with("HTTP/1.1 200"), "{start}");
                greeted = true;
                shared.greeted.fetch_add(1, Ordering::Relaxed);
            }
            one.silent |= heard.elapsed() > SILENT;
            heard = Instant::now();
            let measuring = shared.measuring.load(Ordering::Relaxed);
            if measuring {
                one.bytes += count;
            }
            if self.reads {
                text.push_str(&String::from_utf8_lossy(&chunk[..count]));
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    one.read(&event, measuring)?;
                }
            }
        }
        // Nobody waits for it after a failure.
        let _ = results.send(one);
        Ok(())
    }
}

impl One {
    fn read(&mut self, event: &str, measuring: bool) -> anyhow::Result<()> {
        if event.contains("event: resync") {
            self.resyncs += 1;
        }
        if !measuring || !event.contains("event: values") {
            return Ok(());
        }
        let arrived = now().millis();
        // Between events stand the sizes of chunks.
        let (_, data) = event.split_once("data: ").context("data")?;
        let data = data.lines().next().unwrap_or_default();
        let data: Value = serde_json::from_str(data).with_context(|| data.to_owned())?;
        for value in data["values"].as_array().context("values")? {
            let at = value[2].as_i64().context("a time")?;
            self.delays.push(Duration::from_millis((arrived - at).max(0) as u64));
        }
        Ok(())
    }
}
