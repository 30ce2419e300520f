//! A spool that is new may stand before a server that is not: another machine filled it, or this one
//! before its disk was replaced. Then what is there is history that this spool does not have.
//!
//! So a new spool asks once, while everything else goes on, for the newest reading of before the
//! server's day, and takes the end of that one's day for its own beginning: what was before is read
//! at the server. What came on the day itself before the spool was made shows when the day has left
//! the spool. Readings that were forwarded meanwhile may be among those found; that changes nothing
//! but where they are read.

use std::sync::Weak;
use std::time::Duration;

use city_model::Timestamp;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Refusal};
use super::{DAY, HELD_TIMES, flux};
use crate::backends::embedded::Embedded;

/// Asks until the server answers. The store may be closed meanwhile.
pub(super) async fn look_back(
    client: Client,
    local: Weak<Embedded>,
    pause: Duration,
    stop: CancellationToken,
) {
    loop {
        let newest = tokio::select! {
            () = stop.cancelled() => return,
            newest = newest_before_today(&client) => newest,
        };
        match newest {
            Ok(newest) => {
                let Some(local) = local.upgrade() else { return };
                let from = newest
                    .map(|time| Timestamp::from_micros((time.micros().div_euclid(DAY) + 1) * DAY));
                match local.begin_from(from) {
                    Ok(()) => {
                        if let Some(from) = from {
                            tracing::info!(
                                server = client.server(), %from,
                                "InfluxDB has readings from before this spool; they are read there"
                            );
                        }
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(error.cause = %error, "cannot note what InfluxDB has");
                    }
                }
            }
            Err(refusal) => tracing::debug!(
                server = client.server(), answer = %refusal,
                "what InfluxDB had before this spool is not known yet"
            ),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn newest_before_today(client: &Client) -> Result<Option<Timestamp>, Refusal> {
    let mut rows = client.query(&flux::before_today(client.bucket(), HELD_TIMES.0)).await?;
    let mut newest = None;
    while let Some(row) = rows.next().await? {
        let cell = row.place("_time").and_then(|place| row.cell(place)).unwrap_or_default();
        newest = newest.max(cell.parse::<Timestamp>().ok());
    }
    Ok(newest)
}
