//! A publisher that speaks just enough MQTT 3.1.1 to know exactly which of its messages were
//! acknowledged. Independent of the client library that the product uses.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connected publisher with QoS 1 messages under way.
#[derive(Debug)]
pub struct Publisher {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    next_id: u16,
}

impl Publisher {
    /// Connects with a clean session.
    pub fn connect(address: SocketAddr, client_id: &str) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut publisher = Self { stream, input: Vec::new(), output: Vec::new(), next_id: 0 };
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 0b10, 0, 60];
        body.extend((client_id.len() as u16).to_be_bytes());
        body.extend(client_id.as_bytes());
        publisher.packet(0x10, &body);
        publisher.flush()?;
        let (kind, answer) = publisher.read_packet()?;
        if kind >> 4 != 2 || answer.get(1) != Some(&0) {
            return Err(io::Error::other(format!("connection refused: {kind:#x} {answer:?}")));
        }
        Ok(publisher)
    }

    /// Queues a QoS 1 message; returns its packet id. [`Publisher::flush`] sends it.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) -> u16 {
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        let mut body = Vec::with_capacity(topic.len() + payload.len() + 4);
        body.extend((topic.len() as u16).to_be_bytes());
        body.extend(topic.as_bytes());
        body.extend(self.next_id.to_be_bytes());
        body.extend(payload);
        self.packet(0x32, &body);
        self.next_id
    }

    /// Sends what is queued.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    /// Waits for the next acknowledgement; returns its packet id.
    pub fn acknowledged(&mut self) -> io::Result<u16> {
        loop {
            let (kind, body) = self.read_packet()?;
            if kind >> 4 == 4 && body.len() >= 2 {
                return Ok(u16::from_be_bytes([body[0], body[1]]));
            }
        }
    }

    /// The next acknowledgement, if it comes within this time.
    pub fn acknowledged_within(&mut self, time: Duration) -> io::Result<Option<u16>> {
        self.stream.set_read_timeout(Some(time))?;
        match self.acknowledged() {
            Ok(id) => Ok(Some(id)),
            Err(error) if is_timeout(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn packet(&mut self, kind: u8, body: &[u8]) {
        self.output.push(kind);
        let mut length = body.len();
        loop {
            let more = if length > 127 { 0x80 } else { 0 };
            self.output.push((length % 128) as u8 | more);
            length /= 128;
            if length == 0 {
                break;
            }
        }
        self.output.extend(body);
    }

    fn read_packet(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            if let Some((kind, start, end)) = frame(&self.input) {
                let body = self.input[start..end].to_vec();
                self.input.drain(..end);
                return Ok((kind, body));
            }
            let mut chunk = [0; 16 * 1024];
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.input.extend(&chunk[..count]);
        }
    }
}

/// What a read timeout is called differs between systems.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The kind, start and end of the first whole packet in the input.
fn frame(input: &[u8]) -> Option<(u8, usize, usize)> {
    let mut length = 0usize;
    for index in 0..4 {
        let byte = *input.get(1 + index)?;
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let start = 2 + index;
            let end = start + length;
            return (input.len() >= end).then_some((input[0], start, end));
        }
    }
    None
}
