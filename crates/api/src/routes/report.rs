//! `/reports/ingest`: the books of one day, reconciled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use city_model::{DeviceKey, Directory, LifeCycle, Timestamp};
use city_store::{Account, DayCounters, LedgerKey, LetterCount, TimeRange};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::loss::{By, group};
use crate::app::App;
use crate::list::Part;
use crate::parameters::{FromPairs, Pairs, Parameters, With};
use crate::problem::{Answer, Problem, ProblemBody, codes};

/// How often it is looked whether the day is over.
const TICK: Duration = Duration::from_secs(5);

/// How many silent devices are named.
const NAMED_SILENT: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Closes each day when it is over, for ever.
pub(crate) async fn upkeep(app: &App) {
    loop {
        tokio::time::sleep(TICK).await;
        let (accounts, now) = (app.accounts.clone(), app.clock.now());
        let ticked = app.lanes.short(move || Ok(accounts.tick(now)?)).await;
        if ticked.is_err() {
            tracing::warn!("the books of the day cannot be written now; it is tried again");
        }
    }
}

/// What was counted of one source, department or device, on one day.
#[derive(Serialize, ToSchema)]
struct ReportItem {
    /// Its id; `(unknown)` for messages that name no registered device.
    id: String,
    #[serde(flatten)]
    counted: ReportCounters,
}

/// What was counted on one day. `received = stored + duplicate + dead_lettered`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
struct ReportCounters {
    received: u64,
    stored: u64,
    duplicate: u64,
    dead_lettered: u64,
    /// Messages found missing, by the numbers that devices skipped, less those that had been found
    /// missing on a day before and came after all: can be negative.
    missed: i64,
}

/// Dead letters of one source with one reason.
#[derive(Serialize, ToSchema)]
struct ReportLetters {
    /// The id of the source; empty if no source wanted their topics.
    source: String,
    reason: String,
    letters: u64,
    /// How many items of the counters they stand for.
    items: u64,
    /// How many of the letters were replayed since.
    replayed: u64,
}

/// Devices in service from which nothing came.
#[derive(Serialize, ToSchema)]
struct SilentDevices {
    count: usize,
    /// The first 1,000 of them, by id.
    ids: Vec<String>,
}

/// The books of one day.
#[derive(Serialize, ToSchema)]
struct IngestReport {
    /// The day in the city's calendar.
    #[schema(value_type = String, format = Date)]
    date: String,
    /// When counting for this day began, a few seconds after midnight or at the first start.
    #[schema(value_type = String, format = DateTime)]
    counted_from: Timestamp,
    /// When it ended; the time of this report if the day is not over.
    #[schema(value_type = String, format = DateTime)]
    counted_to: Timestamp,
    /// Whether the day is over.
    closed: bool,
    /// Whether everything adds up: each item, and the sum over sources against the sum over
    /// devices, which are counted apart.
    balanced: bool,
    total: ReportCounters,
    /// By id.
    items: Vec<ReportItem>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// The dead letters that were received that day and are still kept, by source and reason.
    dead_letters: Vec<ReportLetters>,
    silent_devices: SilentDevices,
    /// The days that there are books of, newest first.
    available: Vec<String>,
}

/// Which day, and how to group.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ReportQuery {
    /// The day in the city's calendar; today unless given.
    #[param(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// `source` (unless given), `department` or `device`.
    #[param(inline, value_type = Option<By>)]
    by: By,
}

impl FromPairs for ReportQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { date: pairs.parse("date", "2026-11-22")?, by: By::from_pairs(pairs)? })
    }
}

/// What was received on one day and what became of it
#[utoipa::path(get, path = "/reports/ingest", operation_id = "get_ingest_report", tag = "ingest",
    params(ReportQuery, Part),
    responses((status = 200, description = "The books of the day", body = IngestReport),
        (status = 404, description = "There are none of this day", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn show(
    State(app): State<App>,
    Parameters(With(query, part)): Parameters<With<ReportQuery, Part>>,
) -> Answer<Json<IngestReport>> {
    let reader = app.clone();
    app.lanes
        .history(move |_| {
            let mut report = report(&reader, query.date, query.by)?;
            (report.items, report.next_cursor) = part.of_sorted(report.items, |item| &item.id)?;
            Ok(Json(report))
        })
        .await
}

fn report(app: &App, date: Option<Date>, by: By) -> Answer<IngestReport> {
    let now = app.clock.now();
    let date = date.unwrap_or_else(|| app.accounts.today(now));
    let available: Vec<String> = app.accounts.days()?.iter().map(ToString::to_string).collect();
    let account = app.accounts.day(date, now)?.ok_or_else(|| {
        let oldest = available.last().cloned().unwrap_or_default();
        Problem::new(codes::NO_REPORT, format!("There are no books of {date}."))
            .hint(format!("The oldest day is {oldest}; `available` of any report lists them."))
    })?;
    // Those of a day that is not over count to this moment, which no range of instants includes.
    let until = if account.closed { account.counted.to } else { TimeRange::ALL.to };
    let letters = app.store.count_letters(TimeRange { to: until, ..account.counted })?;
    let sources = app.ingest.status().sources;
    let directory = app.registry.directory();
    let (total, items, balanced) = reconcile(&account, by, &directory, &sources);
    Ok(IngestReport {
        date: date.to_string(),
        counted_from: account.counted.from,
        counted_to: account.counted.to,
        closed: account.closed,
        balanced,
        total,
        items,
        next_cursor: None,
        dead_letters: letters.into_iter().map(view).collect(),
        silent_devices: silent(&account, &directory),
        available,
    })
}

fn reconcile(
    account: &Account,
    by: By,
    directory: &Directory,
    sources: &[String],
) -> (ReportCounters, Vec<ReportItem>, bool) {
    let mut groups: BTreeMap<String, ReportCounters> = BTreeMap::new();
    let (mut of_sources, mut of_devices) = (ReportCounters::default(), ReportCounters::default());
    for (key, counted) in &account.entries {
        let by_source = matches!(key, LedgerKey::Source(_) | LedgerKey::NoSource);
        add(if by_source { &mut of_sources } else { &mut of_devices }, counted);
        if let Some(id) = group(*key, by, directory, sources) {
            add(groups.entry(id).or_default(), counted);
        }
    }
    let balanced = of_sources == of_devices
        && groups.values().all(|counted| {
            counted.received == counted.stored + counted.duplicate + counted.dead_lettered
        });
    let items = groups.into_iter().map(|(id, counted)| ReportItem { id, counted });
    (of_sources, items.collect(), balanced)
}

fn add(sum: &mut ReportCounters, more: &DayCounters) {
    sum.received += more.received;
    sum.stored += more.stored;
    sum.duplicate += more.duplicate;
    sum.dead_lettered += more.dead_lettered;
    sum.missed += more.missed;
}

fn view(count: LetterCount) -> ReportLetters {
    let LetterCount { source_id, reason, letters, items, replayed } = count;
    ReportLetters { source: source_id, reason, letters, items, replayed }
}

fn silent(account: &Account, directory: &Directory) -> SilentDevices {
    let heard: BTreeSet<DeviceKey> = account
        .entries
        .iter()
        .filter_map(|(key, _)| match key {
            LedgerKey::Device(device) => Some(*device),
            _ => None,
        })
        .collect();
    let mut ids: Vec<String> = directory
        .devices()
        .filter(|device| device.life_cycle == LifeCycle::Active && !heard.contains(&device.key))
        .map(|device| device.id.to_string())
        .collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.truncate(NAMED_SILENT);
    SilentDevices { count, ids }
}
