//! `/loss`: what was received and what became of it; the counters add up.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use city_model::Directory;
use city_store::{Counters, LedgerKey};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::list::Part;
use crate::parameters::{FromPairs, Pairs, Parameters, With};
use crate::problem::Answer;

/// The group of messages whose topic no source wanted.
const NO_SOURCE: &str = "(no source)";

/// What stands for the device, or its department, of messages that name none.
const UNKNOWN: &str = "(unknown)";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What was counted since the store began. `received = stored + duplicate + dead_lettered +
/// in_flight`.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
struct LossCounters {
    received: u64,
    stored: u64,
    duplicate: u64,
    dead_lettered: u64,
    /// Messages that never came: numbers that devices skipped. No part of the sum.
    missed: u64,
    /// Taken and not yet durable. Known for the whole only, because nobody has looked inside
    /// these messages yet; 0 in the items.
    in_flight: u64,
}

/// One source, department or device.
#[derive(Serialize, ToSchema)]
struct LossItem {
    /// Its id; `(unknown)` for messages that name no registered device.
    id: String,
    received: u64,
    stored: u64,
    duplicate: u64,
    dead_lettered: u64,
    /// Messages that never came: numbers that devices skipped. No part of the sum.
    missed: u64,
    in_flight: u64,
}

/// What was received and what became of it.
#[derive(Serialize, ToSchema)]
struct Loss {
    /// By id.
    items: Vec<LossItem>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    total: LossCounters,
    /// Whether everything adds up: each item, and the sum over sources against the sum over
    /// devices, which are counted apart.
    balanced: bool,
}

/// How the counters are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    #[default]
    Source,
    Department,
    Device,
}

/// How to group.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct LossQuery {
    /// `source` (unless given), `department` or `device`.
    #[param(inline, value_type = Option<By>)]
    by: By,
    /// Only the items with these ids, separated by commas; the total stays that of all.
    id: Option<String>,
}

impl FromPairs for LossQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { by: By::from_pairs(pairs)?, id: pairs.text("id") })
    }
}

impl By {
    /// The parameter `by`.
    pub(super) fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let words =
            [("source", Self::Source), ("department", Self::Department), ("device", Self::Device)];
        Ok(pairs.one_of("by", &words)?.unwrap_or_default())
    }
}

/// What was received and what became of it
#[utoipa::path(get, path = "/loss", operation_id = "get_loss", tag = "ingest",
    params(LossQuery, Part),
    responses((status = 200, description = "The counters", body = Loss)))]
async fn show(
    State(app): State<App>,
    Parameters(With(query, part)): Parameters<With<LossQuery, Part>>,
) -> Answer<Json<Loss>> {
    let reader = app.clone();
    app.lanes
        .short(move || {
            let status = reader.ingest.status();
            let ledger = reader.store.ledger();
            let directory = reader.registry.directory();
            let mut loss = loss(&ledger, query.by, &directory, &status.sources, status.in_flight);
            if let Some(ids) = &query.id {
                let wanted: Vec<&str> = ids.split(',').map(str::trim).collect();
                loss.items.retain(|item| wanted.contains(&item.id.as_str()));
            }
            (loss.items, loss.next_cursor) = part.of_sorted(loss.items, |item| &item.id)?;
            Ok(Json(loss))
        })
        .await
}

fn loss(
    ledger: &[(LedgerKey, Counters)],
    by: By,
    directory: &Directory,
    sources: &[String],
    in_flight: u64,
) -> Loss {
    let mut groups: BTreeMap<String, Counters> = BTreeMap::new();
    let (mut of_sources, mut of_devices) = (Counters::default(), Counters::default());
    for (key, counters) in ledger {
        let by_source = matches!(key, LedgerKey::Source(_) | LedgerKey::NoSource);
        let sum = if by_source { &mut of_sources } else { &mut of_devices };
        add(sum, counters);
        if let Some(id) = group(*key, by, directory, sources) {
            add(groups.entry(id).or_default(), counters);
        }
    }
    let total = if matches!(by, By::Source) { of_sources } else { of_devices };
    let balanced = groups.values().all(adds_up) && of_sources == of_devices;
    let items = groups.into_iter().map(|(id, counted)| LossItem {
        id,
        received: counted.received,
        stored: counted.stored,
        duplicate: counted.duplicate,
        dead_lettered: counted.dead_lettered,
        missed: counted.missed,
        in_flight: 0,
    });
    Loss {
        items: items.collect(),
        next_cursor: None,
        total: LossCounters {
            // The store counts what is durable; what is in flight was received too.
            received: total.received + in_flight,
            stored: total.stored,
            duplicate: total.duplicate,
            dead_lettered: total.dead_lettered,
            missed: total.missed,
            in_flight,
        },
        balanced,
    }
}

/// The group that a counter belongs to, if it counts in this grouping.
pub(super) fn group(
    key: LedgerKey,
    by: By,
    directory: &Directory,
    sources: &[String],
) -> Option<String> {
    match (key, by) {
        (LedgerKey::Source(source), By::Source) => Some(
            sources
                .get(usize::from(source))
                .cloned()
                .unwrap_or_else(|| format!("(source {source})")),
        ),
        (LedgerKey::NoSource, By::Source) => Some(NO_SOURCE.to_owned()),
        (LedgerKey::Source(_) | LedgerKey::NoSource, _) | (_, By::Source) => None,
        (LedgerKey::Device(key), by) => Some(directory.device(key).map_or_else(
            || UNKNOWN.to_owned(),
            |device| {
                if matches!(by, By::Device) { &device.id } else { &device.department }.to_string()
            },
        )),
        (LedgerKey::NoDevice, _) => Some(UNKNOWN.to_owned()),
    }
}

fn add(sum: &mut Counters, more: &Counters) {
    sum.received += more.received;
    sum.stored += more.stored;
    sum.duplicate += more.duplicate;
    sum.dead_lettered += more.dead_lettered;
    sum.missed += more.missed;
}

fn adds_up(counters: &Counters) -> bool {
    counters.received == counters.stored + counters.duplicate + counters.dead_lettered
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_model::DeviceKey;

    fn counted(received: u64, stored: u64, duplicate: u64, dead_lettered: u64) -> Counters {
        Counters { received, stored, duplicate, dead_lettered, missed: 0 }
    }

    #[test]
    fn a_count_that_went_missing_shows() {
        let directory = Directory::default();
        let sources = ["mqtt".to_owned()];
        let mut ledger = vec![
            (LedgerKey::Source(0), counted(10, 7, 2, 1)),
            (LedgerKey::Device(DeviceKey(0)), counted(9, 7, 2, 0)),
            (LedgerKey::NoDevice, counted(1, 0, 0, 1)),
        ];
        let fine = loss(&ledger, By::Source, &directory, &sources, 3);
        assert!(fine.balanced);
        assert_eq!((fine.total.received, fine.total.in_flight), (13, 3));
        assert_eq!(fine.items[0].id, "mqtt");
        assert!(loss(&ledger, By::Device, &directory, &sources, 0).balanced);

        ledger[1].1.stored -= 1;
        assert!(!loss(&ledger, By::Device, &directory, &sources, 0).balanced);
        assert!(!loss(&ledger, By::Source, &directory, &sources, 0).balanced);
    }
}
