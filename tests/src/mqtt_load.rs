//! Many MQTT 3.1.1 connections on one thread, each with so many QoS 1 messages under way: as much
//! load as possible from as little processor time as possible.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long a run may take before it is given up.
const PATIENCE: Duration = Duration::from_mins(5);

/// What to send.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections.
    pub connections: usize,
    /// Messages of one connection that are under way at most.
    pub window: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Acknowledgements a second, from the first publish to the last acknowledgement.
    pub per_second: f64,
    /// From publish to acknowledgement, in order of duration.
    latencies: Vec<Duration>,
}

impl Outcome {
    /// The duration that this share of the messages did not exceed, in milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share) as usize;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(place.min(last)).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }
}

/// A PUBLISH at QoS 1 whose packet id is still to be written.
#[derive(Clone, Debug)]
struct Prepared {
    bytes: Vec<u8>,
    id_at: usize,
}

impl Load {
    /// Publishes all messages, dealt out to the connections in turn, and waits for their
    /// acknowledgements.
    pub fn run<P: AsRef<[u8]>>(
        self,
        address: SocketAddr,
        messages: &[(String, P)],
    ) -> anyhow::Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut clients = Vec::new();
            for number in 0..self.connections {
                let stream = connect(address, &format!("load-{number}")).await?;
                let own = messages.iter().skip(number).step_by(self.connections);
                let own = own.map(|(topic, payload)| prepare(topic, payload.as_ref())).collect();
                clients.push((stream, own));
            }
            let started = Instant::now();
            let mut running = JoinSet::new();
            for (stream, own) in clients {
                running.spawn(tokio::time::timeout(PATIENCE, publish(stream, own, self.window)));
            }
            let mut latencies = Vec::with_capacity(messages.len());
            while let Some(done) = running.join_next().await {
                latencies.extend(done?.context("acknowledgements are missing")??);
            }
            let took = started.elapsed().as_secs_f64();
            ensure!(latencies.len() == messages.len(), "{} acknowledged", latencies.len());
            latencies.sort_unstable();
            Ok(Outcome { per_second: messages.len() as f64 / took, latencies })
        })
    }
}

async fn connect(address: SocketAddr, client: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&connect_packet(client)).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    ensure!(answer == [0x20, 2, 0, 0], "refused: {answer:02x?}");
    Ok(stream)
}

/// CONNECT with a clean session and a keep-alive of a quarter of an hour.
pub fn connect_packet(client: &str) -> Vec<u8> {
    let mut packet = vec![0x10, 12 + client.len() as u8, 0, 4];
    packet.extend(b"MQTT\x04\x02\x03\x84");
    packet.extend((client.len() as u16).to_be_bytes());
    packet.extend(client.as_bytes());
    packet
}

fn prepare(topic: &str, payload: &[u8]) -> Prepared {
    let mut bytes = vec![0x32];
    let mut length = 4 + topic.len() + payload.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend((topic.len() as u16).to_be_bytes());
    bytes.extend(topic.as_bytes());
    let id_at = bytes.len();
    bytes.extend([0, 0]);
    bytes.extend(payload);
    Prepared { bytes, id_at }
}

async fn publish(
    mut stream: TcpStream,
    messages: Vec<Prepared>,
    window: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut under_way: VecDeque<Instant> = VecDeque::new();
    let mut latencies = Vec::with_capacity(messages.len());
    let (mut output, mut input) = (Vec::new(), vec![0; 4096]);
    let (mut next, mut filled) = (0_usize, 0);
    while latencies.len() < messages.len() {
        let now = Instant::now();
        while under_way.len() < window && next < messages.len() {
            let Prepared { bytes, id_at } = &messages[next];
            let at = output.len() + id_at;
            output.extend_from_slice(bytes);
            let id = (next % 65_535 + 1) as u16;
            output[at..at + 2].copy_from_slice(&id.to_be_bytes());
            under_way.push_back(now);
            next += 1;
        }
        stream.write_all(&output).await?;
        output.clear();
        filled += stream.read(&mut input[filled..]).await?;
        ensure!(filled > 0, "the server hung up");
        let now = Instant::now();
        let whole = filled - filled % 4;
        for packet in input[..whole].chunks(4) {
            ensure!(packet[..2] == [0x40, 2], "no PUBACK: {packet:02x?}");
            let sent = under_way.pop_front().context("acknowledged twice")?;
            latencies.push(now - sent);
        }
        input.copy_within(whole..filled, 0);
        filled -= whole;
    }
    Ok(latencies)
}
