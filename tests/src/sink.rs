//! A webhook receiver: takes every alert event and notes when it came.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use anyhow::Context as _;
use city_model::AlertEvent;

/// An event as it came.
#[derive(Debug)]
pub struct Received {
    /// When its last byte was here.
    pub at: Instant,
    /// Its idempotency key.
    pub key: String,
    /// The event.
    pub event: AlertEvent,
}

/// A running receiver; its threads end when their connections do.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    /// What came, in order.
    pub received: Receiver<Received>,
}

impl Sink {
    /// Listens on a free port.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                // The other side may be killed at any moment.
                std::thread::spawn(move || serve(&stream, &sender));
            }
        });
        Ok(Self { address, received })
    }

    /// The table that configures it.
    pub fn config(&self) -> String {
        format!(
            "[[receiver]]\nid = \"sink\"\ntype = \"webhook\"\noptions.url = \"http://{}/\"\n",
            self.address
        )
    }
}

fn serve(stream: &TcpStream, sender: &Sender<Received>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream);
    let mut output = stream;
    loop {
        let (mut length, mut key) = (0, String::new());
        loop {
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse()?,
                "idempotency-key" => value.trim().clone_into(&mut key),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        let at = Instant::now();
        let event = serde_json::from_slice(&body).context("an alert event")?;
        sender.send(Received { at, key, event })?;
        output.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}
