//! A gateway in front of an HTTP server, as cities have them: it passes requests on, or refuses them
//! as it is told, and notes in which order the lines of each series went through.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::GzDecoder;

/// What it does with requests now.
#[derive(Clone, Debug, Default)]
pub enum Mood {
    /// It passes them on.
    #[default]
    Passing,
    /// It answers with this status, and these further header lines.
    Refusing(u16, String),
}

#[derive(Default)]
struct State {
    mood: Mood,
    refused: u64,
    /// The newest time of each series, by the start of its lines.
    newest: HashMap<String, i64>,
    /// Lines that went through after a later one of their series.
    out_of_order: Vec<String>,
}

/// The gateway. Its threads end with the test's process.
pub struct Gateway {
    /// Connect here.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Gateway {
    /// A gateway to this server.
    pub fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let shared = shared.clone();
                // An error ends the connection, which the client sees.
                std::thread::spawn(move || serve(&client, server, &shared));
            }
        });
        Ok(Self { address, state })
    }

    /// Changes what it does.
    pub fn turn(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }

    /// How many requests it refused.
    pub fn refused(&self) -> u64 {
        lock(&self.state).refused
    }

    /// Lines that came after a later one of their series.
    pub fn out_of_order(&self) -> Vec<String> {
        lock(&self.state).out_of_order.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(client: &TcpStream, server: SocketAddr, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut writer = client;
    loop {
        let (mut head, mut length, mut gzip) = (String::new(), 0, false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            gzip |= lower.starts_with("content-encoding: gzip");
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mood = lock(state).mood.clone();
        if let Mood::Refusing(status, headers) = mood {
            lock(state).refused += 1;
            write!(writer, "HTTP/1.1 {status} Refused\r\n{headers}content-length: 0\r\n\r\n")?;
            continue;
        }
        // HTTP/1.0 without keep-alive: the answer ends with the connection.
        let mut upstream = TcpStream::connect(server)?;
        let head = head.replacen("HTTP/1.1", "HTTP/1.0", 1);
        upstream.write_all(format!("{head}\r\n").as_bytes())?;
        upstream.write_all(&body)?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let end = end.ok_or_else(|| io::Error::other("no answer"))?;
        let status = String::from_utf8_lossy(&answer[..end]);
        let status = status.split(' ').nth(1).unwrap_or("502").to_owned();
        if gzip && status == "204" {
            let mut lines = String::new();
            GzDecoder::new(&*body).read_to_string(&mut lines)?;
            note(&mut lock(state), &lines);
        }
        let body = &answer[end + 4..];
        let length = if status == "204" {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        write!(writer, "HTTP/1.1 {status} Answered\r\n{length}\r\n")?;
        writer.write_all(body)?;
    }
}

fn note(state: &mut State, lines: &str) {
    for line in lines.lines() {
        let (Some((series, _)), Some((_, time))) = (line.split_once(' '), line.rsplit_once(' '))
        else {
            continue;
        };
        let Ok(time) = time.parse::<i64>() else { continue };
        let newest = state.newest.entry(series.to_owned()).or_insert(i64::MIN);
        if time < *newest {
            state.out_of_order.push(line.to_owned());
        }
        *newest = time.max(*newest);
    }
}
