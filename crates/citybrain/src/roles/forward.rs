//! A brain that stands by passes its connections on to the one that answers, byte by byte, so that
//! each brain's address is as good as the other's.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use city_store::StateDb;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const COMPONENT: &str = "desk";
const MIGRATIONS: &[&str] = &["CREATE TABLE desk (
         id      INTEGER PRIMARY KEY CHECK (id = 1),
         address TEXT NOT NULL   -- where the brain listens that answers now
     ) STRICT;"];

/// How long a connection to the other brain may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the table in which brains say who answers.
pub(super) fn make_table(state: &StateDb) -> Result<(), city_store::StateError> {
    state.migrate(COMPONENT, MIGRATIONS)
}

/// Says that whoever listens here answers from now on.
pub(super) fn answer_at(state: &StateDb, address: &str) -> Result<(), city_store::StateError> {
    state.write(|tx| {
        tx.execute(
            "INSERT INTO desk (id, address) VALUES (1, ?1)
             ON CONFLICT DO UPDATE SET address = excluded.address",
            [address],
        )?;
        Ok(())
    })
}

fn who_answers(state: &StateDb) -> Option<String> {
    let address: rusqlite::Result<String> =
        state.read(|conn| conn.query_row("SELECT address FROM desk", [], |row| row.get(0)));
    address.ok()
}

/// Passes connections on until it is told to stop; then the address is free again.
pub(super) async fn forward(
    listen: SocketAddr,
    state: Arc<StateDb>,
    stop: CancellationToken,
) -> anyhow::Result<(SocketAddr, TaskTracker)> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("http.listen: {listen} cannot be used; is another program listening there?")
    })?;
    let (own, tasks) = (listener.local_addr()?, TaskTracker::new());
    let connections = tasks.clone();
    tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((mut near, _)) = accepted else {
                // Too many files are open, most likely; some will be closed.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (state, stop) = (state.clone(), stop.clone());
            connections.spawn(async move {
                let Some(address) = who_answers(&state) else { return };
                if address == own.to_string() {
                    return;
                }
                let far = tokio::time::timeout(PATIENCE, TcpStream::connect(&address)).await;
                let Ok(Ok(mut far)) = far else {
                    tracing::warn!(address, "the brain that answers cannot be reached from here");
                    return;
                };
                tokio::select! {
                    () = stop.cancelled() => {}
                    // An end is an end, whoever's it is.
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                }
            });
        }
    });
    tasks.close();
    Ok((own, tasks))
}
