//! From the first byte of a connection to its admission: who it is, what it may do, which session
//! it has.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::access::{CertificateIdentity, Denied, Grant, Knock};
use crate::buffer::poll_fill;
use crate::connect::{self, Connect, MAX_CONNECT, Refusal, Welcome};
use crate::connection::{Admitted, Connection};
use crate::server::{Arrived, Shared, Visitor};
use crate::sessions::Attach;
use crate::stats::add;
use crate::will::LeftWill;
use crate::wire::{Head, Version, kind};

/// From the first byte to the last; returns the will that is to be published then.
pub(crate) async fn serve<S, A>(
    shared: Arc<Shared>,
    arrival: A,
    visitor: Visitor,
    refusal: Option<Refusal>,
) -> Option<LeftWill>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Future<Output = io::Result<Arrived<S>>>,
{
    let handshake = async {
        let greeted = async {
            let (stream, certificate) = match arrival.await {
                Ok(arrived) => arrived,
                Err(error) => {
                    tracing::debug!(listener = &*visitor.listener, error.cause = %error, "handshake failed");
                    return None;
                }
            };
            shake_hands(&shared, stream, &visitor, certificate.as_ref(), refusal).await
        };
        tokio::select! {
            () = shared.shutdown.cancelled() => None,
            admitted = greeted => admitted,
        }
    };
    match timeout(shared.config.connect_deadline.to_std(), handshake).await {
        Ok(Some((stream, admitted))) => {
            return Connection::new(shared, stream, *admitted).run().await;
        }
        Ok(None) => {}
        Err(_) => tracing::debug!("a client did not finish its handshake in time"),
    }
    add(&shared.stats.refused_connections, 1);
    None
}

/// Reads the CONNECT and takes the client id; `None` if it ends here.
async fn shake_hands<S>(
    shared: &Arc<Shared>,
    mut stream: S,
    visitor: &Visitor,
    certificate: Option<&CertificateIdentity>,
    refusal: Option<Refusal>,
) -> Option<(S, Box<Admitted>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connect, inbuf) = read_connect(&mut stream).await?;
    let connect = match connect {
        Ok(connect) => connect,
        Err((version, refusal)) => return refuse(stream, version, refusal, "").await,
    };
    let version = connect.version;
    let assigned = connect.client.is_empty();
    let client: Arc<str> =
        if assigned { shared.assign_id() } else { connect.client.as_str().into() };
    let grant = match refusal {
        Some(refusal) => Err(refusal),
        None => shared.admit(&connect, &client, visitor, certificate).await,
    };
    let grant = match grant {
        Ok(grant) => grant,
        Err(refusal) => return refuse(stream, version, refusal, &client).await,
    };
    let asked = connect.session_expiry;
    let most = shared.config.max_session_expiry.to_std();
    let expiry = Duration::from_secs(asked.into()).min(most);
    let key = session_key(&client, &grant.name);
    let (hold, present, unreleased) = loop {
        match shared.sessions.attach(&key, &grant.stay, connect.clean, !expiry.is_zero()) {
            Attach::Done { hold, present, unreleased } => break (hold, present, unreleased),
            Attach::Busy(released) => released.cancelled().await,
        }
    };
    // Nothing is waited for from here on: the hold must reach the connection, or be given back.
    if !grant.stay.holds() {
        // Its rights changed while it was checked: whoever ended connections did not see this one.
        let kept = if present { expiry } else { Duration::ZERO };
        shared.sessions.detach(&hold, kept, unreleased);
        let reason = "the rights of this client have just changed; connect again";
        return refuse(stream, version, Refusal::NotAuthorized(reason.to_owned()), &client).await;
    }
    let pass = match shared.limiter.enter(&grant.name, grant.rates) {
        Ok(pass) => pass,
        Err(met) => {
            add(&shared.stats.limited, 1);
            let kept = if present { expiry } else { Duration::ZERO };
            shared.sessions.detach(&hold, kept, unreleased);
            return refuse(stream, version, Refusal::Limit(met), &client).await;
        }
    };
    let mut out = BytesMut::new();
    let granted = expiry.as_secs() as u32;
    let keep_alive = shared.config.other_keep_alive(connect.keep_alive);
    let welcome = Welcome {
        session_present: present,
        assigned: assigned.then_some(&client),
        expiry: (granted != asked).then_some(granted),
        keep_alive,
    };
    connect::accept(&mut out, version, &welcome, &shared.config);
    tracing::debug!(mqtt.client = &*client, session = present, "client connected");
    let admitted = Admitted { connect, grant, pass, hold, expiry, unreleased, inbuf, out };
    Some((stream, Box::new(admitted)))
}

type Asked = Result<Connect, (Version, Refusal)>;

/// The first packet, and what came in behind it; `None` if it is none.
async fn read_connect<S: AsyncRead + Unpin>(stream: &mut S) -> Option<(Asked, BytesMut)> {
    let mut inbuf = BytesMut::new();
    let head = loop {
        match Head::peek(&inbuf, MAX_CONNECT) {
            Ok(Some(head)) if head.kind != kind::CONNECT => return None,
            Ok(Some(head)) if head.total() <= inbuf.len() => break head,
            Ok(_) => {}
            Err(_) => return None,
        }
        match poll_fn(|cx| poll_fill(stream, &mut inbuf, cx)).await {
            Ok(1..) => {}
            Ok(_) | Err(_) => return None,
        }
    };
    let asked = Connect::parse(&inbuf[head.header..head.total()]);
    inbuf.advance(head.total());
    Some((asked, inbuf))
}

/// What sessions are kept under: a client id belongs to the name that uses it, so that nobody
/// takes over what is another's. No client id has the separator in it: those with control
/// characters are refused.
fn session_key(client: &Arc<str>, name: &Arc<str>) -> Arc<str> {
    const SEPARATOR: char = '\u{1f}';
    if client == name { client.clone() } else { format!("{name}{SEPARATOR}{client}").into() }
}

impl Shared {
    /// Asks whether the client may come in, and what it may do.
    async fn admit(
        self: &Arc<Self>,
        connect: &Connect,
        client: &Arc<str>,
        visitor: &Visitor,
        certificate: Option<&CertificateIdentity>,
    ) -> Result<Grant, Refusal> {
        let may_log_in = || match visitor.peer.map(|peer| self.limiter.may_log_in(peer)) {
            Some(Err(met)) => {
                add(&self.stats.limited, 1);
                Err(Refusal::Limit(met))
            }
            _ => Ok(()),
        };
        may_log_in()?;
        // Held until the outcome is noted, for those who wait here to be asked again with it.
        let permit = self.logins.acquire().await.map_err(|_| Refusal::Unavailable)?;
        may_log_in()?;
        let (access, id, visitor) = (self.access.clone(), client.clone(), visitor.clone());
        let (username, password) = (connect.username.clone(), connect.password.clone());
        let (certificate, peer) = (certificate.cloned(), visitor.peer);
        let asked = tokio::task::spawn_blocking(move || {
            access.admit(&Knock {
                client: &id,
                username: username.as_deref(),
                password: password.as_deref(),
                certificate: certificate.as_ref(),
                listener: &visitor.listener,
                peer: visitor.peer,
            })
        });
        let answer = asked.await.unwrap_or(Err(Denied::Unavailable));
        let grant = answer.map_err(|denied| match denied {
            Denied::BadCredentials => {
                add(&self.stats.failed_logins, 1);
                if let Some(peer) = peer {
                    self.limiter.login_failed(peer);
                }
                Refusal::Credentials
            }
            Denied::NotAuthorized(reason) => Refusal::NotAuthorized(reason),
            Denied::Unavailable => Refusal::Unavailable,
        })?;
        drop(permit);
        let will = connect.will.as_ref();
        if will.is_some_and(|will| !grant.publish.allows(&will.topic)) {
            return Err(Refusal::Will);
        }
        Ok(grant)
    }

    /// An id for a client that brings none: unique, over restarts too.
    fn assign_id(&self) -> Arc<str> {
        let number = self.assigned.fetch_add(1, Ordering::Relaxed);
        format!("auto-{:x}-{number}", self.clock.now().micros()).into()
    }
}

/// Tells a client why it is not let in, as far as its version has words for it.
async fn refuse<S: AsyncWrite + Unpin>(
    mut stream: S,
    version: Version,
    refusal: Refusal,
    client: &str,
) -> Option<(S, Box<Admitted>)> {
    tracing::info!(mqtt.client = client, "client refused: {refusal}");
    let mut out = BytesMut::new();
    connect::refuse(&mut out, version, &refusal);
    if stream.write_all(&out).await.is_ok() {
        // Whether it hears the end of it is its own affair.
        let _gone = stream.shutdown().await;
    }
    None
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    type Arrival = std::future::Ready<io::Result<Arrived<TcpStream>>>;

    fn future_size<F>(_: fn(Arc<Shared>, Arrival, Visitor, Option<Refusal>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = future_size(serve);
        assert!(size <= 3 << 10, "{size} bytes");
    }
}
