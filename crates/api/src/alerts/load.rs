//! The alarm load of the list, live: what ISA-18.2 counts, for each department and for the city.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Severity, Span, Subject, Timestamp};
use city_rules::lifecycle::{Actor, CITY, FloodConfig, Load, Occurrence, bad_actors};
use city_store::StateError;
use rusqlite::{Connection, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::AlertList;
use super::tables::severity_of;
use crate::schema;

/// The most alerts that are looked at.
pub(crate) const MOST_ALERTS: usize = 500_000;
/// How many bad actors are named.
const BAD_ACTORS: usize = 10;
/// What stands for longer is stale.
const STALE: Span = Span::from_hours(24);
/// What part of all alerts a severity should have, as ISA-18.2 and EEMUA 191 advise.
const TARGETS: [(Severity, f64); 4] = [
    (Severity::Low, 0.80),
    (Severity::Medium, 0.15),
    (Severity::High, 0.05),
    (Severity::Critical, 0.01),
];

/// The alarm load of a length of time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AlarmLoad {
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) to: Timestamp,
    /// Of all alerts together, for all operators.
    pub(crate) city: PositionLoad,
    /// Of each department's alerts, for its operators.
    pub(crate) departments: Vec<PositionLoad>,
    /// The ten pairs of rule and subject that raised the most.
    pub(crate) bad_actors: Vec<BadActor>,
}

/// The alarm load at one operator position.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PositionLoad {
    /// The department; `city` for all.
    pub(crate) position: String,
    /// How many operators share it.
    pub(crate) operators: u32,
    /// How many alerts fired.
    pub(crate) alerts: u64,
    /// A day and operator: up to 144 is acceptable, up to 288 manageable.
    pub(crate) per_operator_day: f64,
    /// In ten minutes, for one operator, on average: up to 1 is acceptable, up to 2 manageable.
    pub(crate) ten_minutes_mean: f64,
    /// The most in any ten minutes, for one operator: up to 10 is acceptable.
    pub(crate) ten_minutes_peak: f64,
    /// The part of the hours of the clock with more than 30 for an operator; should be under 0.01.
    pub(crate) hours_over_30: f64,
    /// The part of the ten minutes of the clock with more than 10; should be under 0.01.
    pub(crate) ten_minutes_over_10: f64,
    /// How many floods there were.
    pub(crate) floods: u64,
    /// The part of the time in flood; should be under 0.01.
    pub(crate) flood_share: f64,
    /// How many pairs of rule and subject chattered: 3 alerts or more within a minute. None should.
    pub(crate) chattering: u64,
    /// How many alerts were over within a minute.
    pub(crate) fleeting: u64,
    /// How many fire now.
    pub(crate) standing: u64,
    /// How many of these have for more than a day; should be under 5.
    pub(crate) stale: u64,
    /// How the severities share the alerts, mildest first.
    pub(crate) severities: Vec<SeverityShare>,
}

/// How many alerts have a severity.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SeverityShare {
    #[schema(value_type = schema::Severity)]
    pub(crate) severity: Severity,
    pub(crate) alerts: u64,
    /// Their part of all.
    pub(crate) share: f64,
    /// What it should be about, as ISA-18.2 advises.
    pub(crate) target: f64,
}

/// A pair of rule and subject that raises many alerts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct BadActor {
    /// The rule's id.
    pub(crate) rule: String,
    /// `series:DEVICE/METRIC`, `device:DEVICE` or `zone:ZONE`.
    pub(crate) subject: String,
    pub(crate) alerts: u64,
    /// Its part of all; the ten together should be under 0.05.
    pub(crate) share: f64,
    /// Whether it raised 3 alerts or more within a minute.
    pub(crate) chattering: bool,
    /// How many were over within a minute.
    pub(crate) fleeting: u64,
    /// How many stood for more than a day.
    pub(crate) stale: u64,
}

impl From<Actor> for BadActor {
    fn from(actor: Actor) -> Self {
        Self {
            rule: actor.rule.to_string(),
            subject: actor.subject.to_string(),
            alerts: actor.alerts,
            share: actor.share,
            chattering: actor.chattering,
            fleeting: actor.fleeting,
            stale: actor.stale,
        }
    }
}

/// The alerts of one position.
#[derive(Default)]
struct Gathered {
    occurrences: Vec<Occurrence>,
    severities: [u64; 4],
    standing: u64,
    stale: u64,
}

impl Gathered {
    fn load(
        &self,
        position: &str,
        (from, to): (Timestamp, Timestamp),
        operators: u32,
    ) -> PositionLoad {
        let load = Load::of(&self.occurrences, (from, to), operators);
        let length = to.since(from).secs_f64();
        let all: u64 = self.severities.iter().sum();
        let part = |part: f64, of: f64| if of > 0.0 { part / of } else { 0.0 };
        let share = |(severity, target): (Severity, f64)| {
            let alerts = self.severities[severity as usize];
            SeverityShare { severity, alerts, share: part(alerts as f64, all as f64), target }
        };
        PositionLoad {
            position: position.to_owned(),
            operators,
            alerts: load.alerts,
            per_operator_day: load.per_operator_day,
            ten_minutes_mean: part(load.alerts as f64 * 600.0, length * f64::from(operators)),
            ten_minutes_peak: load.peak_ten_minutes,
            hours_over_30: load.hours_over_30,
            ten_minutes_over_10: load.ten_minutes_over_10,
            floods: load.floods,
            flood_share: part(load.flood_minutes * 60.0, length),
            chattering: load.chattering,
            fleeting: load.fleeting,
            standing: self.standing,
            stale: self.stale,
            severities: TARGETS.into_iter().map(share).collect(),
        }
    }
}

impl AlertList {
    /// The load of the alerts that fired in a length of time; `None` if they are more than
    /// [`MOST_ALERTS`].
    pub(crate) fn load(
        &self,
        (from, to): (Timestamp, Timestamp),
        department: Option<&str>,
        config: &FloodConfig,
    ) -> Result<Option<AlarmLoad>, StateError> {
        let now = self.holds.clock.now();
        let mut departments: BTreeMap<String, Gathered> = BTreeMap::new();
        let Some(rows) = self.state.read(|conn| rows(conn, from, to, department))? else {
            return Ok(None);
        };
        for row in rows {
            let gathered = departments.entry(row.department).or_default();
            gathered.severities[row.severity as usize] += 1;
            gathered.occurrences.push(row.occurrence);
        }
        for (alert, _) in self.board.firing() {
            let of = &*alert.rule.department;
            if department.is_none_or(|wanted| wanted == of) {
                let gathered = departments.entry(of.to_owned()).or_default();
                gathered.standing += 1;
                gathered.stale += u64::from(now.since(alert.fired_at) > STALE);
            }
        }
        let load = |(name, gathered): (&String, &Gathered)| {
            gathered.load(name, (from, to), config.operators_of(name))
        };
        let loads: Vec<PositionLoad> = departments.iter().map(load).collect();
        let operators = if config.operators.contains_key(CITY) {
            config.operators_of(CITY)
        } else {
            loads.iter().map(|load| load.operators).sum::<u32>().max(1)
        };
        let mut all = Gathered::default();
        for gathered in departments.into_values() {
            all.occurrences.extend(gathered.occurrences);
            for (sum, count) in all.severities.iter_mut().zip(gathered.severities) {
                *sum += count;
            }
            all.standing += gathered.standing;
            all.stale += gathered.stale;
        }
        let actors = bad_actors(&all.occurrences, to, BAD_ACTORS);
        Ok(Some(AlarmLoad {
            from,
            to,
            city: all.load(CITY, (from, to), operators),
            departments: loads,
            bad_actors: actors.into_iter().map(BadActor::from).collect(),
        }))
    }
}

struct LoadRow {
    department: String,
    severity: Severity,
    occurrence: Occurrence,
}

fn rows(
    conn: &Connection,
    from: Timestamp,
    to: Timestamp,
    department: Option<&str>,
) -> Result<Option<Vec<LoadRow>>, StateError> {
    let mut statement = conn.prepare_cached(
        "SELECT department, severity, rule, json_extract(alert, '$.subject'), fired_at, resolved_at
         FROM alerts WHERE fired_at >= ?1 AND fired_at < ?2 AND (?3 IS NULL OR department = ?3)
         ORDER BY fired_at LIMIT ?4",
    )?;
    let limit = MOST_ALERTS as i64 + 1;
    let given = params![from.micros(), to.micros(), department, limit];
    let rows = statement.query_map(given, |row| {
        let subject: String = row.get(3)?;
        let subject: Option<Subject> = serde_json::from_str(&subject).ok();
        let subject = subject.map_or_else(Arc::default, |subject| subject.to_string().into());
        let ended: Option<i64> = row.get(5)?;
        Ok(LoadRow {
            department: row.get(0)?,
            severity: severity_of(row.get(1)?).unwrap_or(Severity::Low),
            occurrence: Occurrence {
                rule: row.get::<_, String>(2)?.into(),
                subject,
                fired: Timestamp::from_micros(row.get(4)?),
                // What ended afterwards still fired then.
                ended: ended.map(Timestamp::from_micros).filter(|ended| *ended <= to),
            },
        })
    })?;
    let rows: Vec<LoadRow> = rows.collect::<Result<_, _>>()?;
    Ok((rows.len() <= MOST_ALERTS).then_some(rows))
}
