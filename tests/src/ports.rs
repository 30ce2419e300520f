//! Ports for programs that cannot be given an open socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where free ports are looked for: below those that Linux gives to connections going out, any of which
/// could have the port before the program that it is meant for.
const PORTS: Range<u16> = 20_000..32_000;

/// An address that is free now, for programs that cannot be given an open socket; each time another one.
pub fn free_address() -> io::Result<SocketAddr> {
    // Each process begins somewhere else.
    static NEXT: LazyLock<AtomicUsize> =
        LazyLock::new(|| AtomicUsize::new(std::process::id() as usize * 101));
    for _ in PORTS {
        let port = PORTS.start + (NEXT.fetch_add(1, Ordering::Relaxed) % PORTS.len()) as u16;
        if let Ok(free) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return free.local_addr();
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
