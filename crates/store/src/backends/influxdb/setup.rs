//! Sets a server up: buckets for the readings and for two tiers, and the tasks that fill the tiers.
//! Doing it twice changes nothing; what is different is changed, nothing is ever deleted.
//!
//! A tier has the same measurements and the tag `device`; its fields are `count`, `sum`, `min`, `max`,
//! `mean`, `last` and `flagged` of each step, at the step's start. A task computes the whole steps of
//! the last two days anew at each run, so that late readings and corrections of that time are in it;
//! what comes later than that is in the readings only. What is deleted goes from the tiers too, by
//! whole steps. The tiers are for dashboards beside ours:
//! citybrain itself adds up the readings, which is always exact.

use city_model::Span;
use serde_json::json;

use super::flux::text;
use super::options::{InfluxOptions, Secret};
use super::server::Server;
use crate::{StoreError, StoreErrorKind};

/// The tiers: how their steps are called in Flux, and how long they are.
pub(super) const TIERS: [(&str, Span); 2] =
    [("15m", Span::from_mins(15)), ("1h", Span::from_hours(1))];

/// The bucket of a tier.
pub(super) fn tier_bucket(bucket: &str, tier: &str) -> String {
    format!("{bucket}_{tier}")
}

/// What is wanted beside the options of the backend.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// How long readings are kept; `None`: for ever.
    pub retention: Option<Span>,
    /// How long steps of 15 minutes are kept.
    pub retention_15m: Option<Span>,
    /// How long steps of an hour are kept.
    pub retention_1h: Option<Span>,
    /// The first user, for a server that nobody has set up.
    pub first_user: Option<(String, Secret)>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What it is, and how it is now.
    pub what: String,
    /// Whether that is new.
    pub changed: bool,
}

/// The server's version, if it is ready for requests and says one.
pub async fn greet(options: &InfluxOptions) -> Result<Option<String>, StoreError> {
    Server::new(options)?.version().await
}

/// Sets the server up as the options and the wishes say.
pub async fn setup(options: &InfluxOptions, wanted: &Wanted) -> Result<Vec<Done>, StoreError> {
    let server = Server::new(options)?;
    let [raw, quarter, hour] = [
        ("retention", wanted.retention),
        ("retention_15m", wanted.retention_15m),
        ("retention_1h", wanted.retention_1h),
    ]
    .map(|(name, span)| seconds(name, span));
    let (raw, quarter, hour) = (raw?, quarter?, hour?);
    let mut done = Vec::new();
    let version = server.version().await?;
    let version = version.map(|version| format!(" {version}")).unwrap_or_default();
    done.push(Done { what: format!("InfluxDB{version} at {}", server.name()), changed: false });
    if server.is_fresh().await? {
        onboard(&server, options, wanted, raw).await?;
        let what = format!("first user and organization `{}`", options.org);
        done.push(Done { what, changed: true });
    }
    let org_id = server.org_id().await?;
    let mut buckets = vec![(options.bucket.clone(), raw)];
    for ((tier, _), retention) in TIERS.into_iter().zip([quarter, hour]) {
        buckets.push((tier_bucket(&options.bucket, tier), retention));
    }
    for (name, retention) in buckets {
        let changed = match server.bucket(&name).await? {
            None => {
                server.make_bucket(&org_id, &name, retention).await?;
                true
            }
            Some(bucket) if bucket.retention != i64::from(retention) => {
                server.change_bucket(&bucket.id, retention).await?;
                true
            }
            Some(_) => false,
        };
        done.push(Done { what: format!("bucket `{name}`, {}", kept(retention)), changed });
    }
    for (tier, _) in TIERS {
        let name = format!("citybrain {} {tier}", options.bucket);
        let flux = task(&name, options, &tier_bucket(&options.bucket, tier), tier);
        let changed = match server.task(&name).await? {
            None => {
                server.make_task(&org_id, &flux).await?;
                true
            }
            Some(task) if task.flux.trim() != flux.trim() => {
                server.change_task(&task.id, &flux).await?;
                true
            }
            Some(_) => false,
        };
        done.push(Done { what: format!("task `{name}`"), changed });
    }
    Ok(done)
}

async fn onboard(
    server: &Server,
    options: &InfluxOptions,
    wanted: &Wanted,
    retention: i32,
) -> Result<(), StoreError> {
    let Some((user, password)) = &wanted.first_user else {
        return Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!(
                "nobody has set up InfluxDB at {}; give the name and the password of its first user \
                 with --username and --password-file",
                server.name()
            ),
        ));
    };
    let length = password.expose().len();
    if !(8..=72).contains(&length) {
        return Err(StoreError::new(
            StoreErrorKind::Invalid,
            "the password of InfluxDB's first user must have 8 to 72 characters",
        ));
    }
    let body = json!({
        "username": user,
        "password": password.expose(),
        "org": options.org,
        "bucket": options.bucket,
        "token": options.token.expose(),
        "retentionPeriodSeconds": retention,
    });
    server.onboard(&body).await
}

/// InfluxDB keeps points for at least an hour, and this long in whole seconds; 0 is for ever.
fn seconds(name: &str, span: Option<Span>) -> Result<i32, StoreError> {
    let Some(span) = span else { return Ok(0) };
    let seconds = i32::try_from(span.micros() / 1_000_000).ok();
    seconds.filter(|seconds| *seconds >= 3_600).ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::Invalid,
            format!("{name}: InfluxDB keeps readings for 1h to 68 years, not for {span}"),
        )
    })
}

fn kept(seconds: i32) -> String {
    if seconds == 0 {
        "kept for ever".to_owned()
    } else {
        format!("kept for {}", Span::from_secs(i64::from(seconds)))
    }
}

/// The task that fills a tier. Sources are functions, so that each aggregate reads its own field
/// from the storage: one source for all of them would be read whole, and mix the types of fields.
fn task(name: &str, options: &InfluxOptions, to: &str, step: &str) -> String {
    let (name, bucket, org) = (text(name), text(&options.bucket), text(&options.org));
    let to = text(to);
    let mut flux = format!(
        r#"import "date"

option task = {{name: {name}, every: {step}, offset: 2m}}

stop = date.truncate(t: now(), unit: {step})
start = date.truncate(t: date.sub(d: 2d, from: now()), unit: {step})
readings = () => from(bucket: {bucket}) |> range(start: start, stop: stop)
numbers = () => readings() |> filter(fn: (r) => r._field == "value")
states = () => readings()
    |> filter(fn: (r) => r._field == "state")
    |> map(fn: (r) => ({{r with _value: if r._value then 1.0 else 0.0}}))
put = (tables=<-, field) => tables |> set(key: "_field", value: field) |> to(bucket: {to}, org: {org})

readings()
    |> filter(fn: (r) => r._field == "quality")
    |> filter(fn: (r) => r._value >= 3)
    |> aggregateWindow(every: {step}, fn: count, createEmpty: false, timeSrc: "_start")
    |> put(field: "flagged")
"#
    );
    for source in ["numbers()", "states()"] {
        for aggregate in ["count", "sum", "min", "max", "mean", "last"] {
            flux.push_str(source);
            flux.push_str(" |> aggregateWindow(every: ");
            flux.push_str(step);
            flux.push_str(", fn: ");
            flux.push_str(aggregate);
            flux.push_str(", createEmpty: false, timeSrc: \"_start\") |> put(field: \"");
            flux.push_str(aggregate);
            flux.push_str("\")\n");
        }
    }
    flux
}
