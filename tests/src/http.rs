//! A client of HTTP/1.1 that is cheap enough to load a server from the same machine, and honest about
//! what came: it knows no retries, no pools and no compression.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A connection that is kept open.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The status line and the header fields.
    pub head: String,
    /// The body, without the marks of its chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header field; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Connection {
    /// Connects; nothing may take longer than `patience`.
    pub fn open(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { stream, input: Vec::new() })
    }

    /// Sends a GET with further header lines, each with its line end, and reads the answer.
    pub fn get(&mut self, path: &str, headers: &str) -> io::Result<Answer> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: city\r\n{headers}\r\n").as_bytes())?;
        self.answer()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads the next answer.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let end = loop {
            if let Some(at) = self.input.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8_lossy(&self.input[..end]).into_owned();
        self.input.drain(..end);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("no status"))?;
        let mut answer = Answer { status, head, body: Vec::new() };
        if answer.header("transfer-encoding").is_some() {
            while self.chunk(&mut answer.body)? {}
        } else {
            let length = answer.header("content-length").and_then(|length| length.parse().ok());
            answer.body = self.take(length.unwrap_or(0))?;
        }
        Ok(answer)
    }

    /// Reads a chunk; false after the last one.
    fn chunk(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        let end = loop {
            if let Some(at) = self.input.windows(2).position(|bytes| bytes == b"\r\n") {
                break at;
            }
            self.read_more()?;
        };
        let line = String::from_utf8_lossy(&self.input[..end]).into_owned();
        self.input.drain(..end + 2);
        let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        body.extend(self.take(length)?);
        self.take(2)?;
        Ok(length > 0)
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.input.len() < length {
            self.read_more()?;
        }
        Ok(self.input.drain(..length).collect())
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 << 10];
        let count = self.stream.read(&mut bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.input.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}

/// Lets this process have as many connections open as the system allows; returns how many.
pub fn raise_open_files() -> io::Result<u64> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    Ok(most.unwrap_or(u64::MAX))
}
