//! The registry's tables in the state database.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use city_model::{Catalogue, DeviceKey, LocalText, Metric, MetricKey};
use city_store::StateDb;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::{DeviceEntry, Kind, RegistryError};

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE device (
        key   INTEGER PRIMARY KEY,
        id    TEXT NOT NULL UNIQUE,
        entry TEXT NOT NULL          -- DeviceEntry as JSON
    ) STRICT;
    CREATE TABLE metric (
        key  INTEGER PRIMARY KEY,
        id   TEXT NOT NULL UNIQUE,
        unit TEXT NOT NULL           -- as first sent, for metrics that are not in the catalogue
    ) STRICT;
    CREATE TABLE source (
        number INTEGER PRIMARY KEY,  -- in the ledger, for ever
        id     TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE label (
        class TEXT NOT NULL,         -- department
        id    TEXT NOT NULL,
        en    TEXT NOT NULL,
        zh    TEXT NOT NULL,
        PRIMARY KEY (class, id)
    ) STRICT;
",
    "
    CREATE TABLE kind (
        id    TEXT PRIMARY KEY,
        entry TEXT NOT NULL          -- Kind as JSON
    ) STRICT;
    INSERT INTO kind (id, entry)
        SELECT id, json_object('id', id, 'name', json_object('en', en, 'zh', zh))
        FROM label WHERE class = 'kind';
    DELETE FROM label WHERE class = 'kind';
    -- What was written although nobody had said it; a kind may say it now.
    UPDATE device SET entry = json_remove(entry, '$.moving')
        WHERE json_extract(entry, '$.moving') = 0;
    UPDATE device SET entry = json_remove(entry, '$.crs')
        WHERE json_extract(entry, '$.crs') = 'WGS-84';
",
    "
    CREATE TABLE gone_device (
        key INTEGER PRIMARY KEY      -- of a device that was removed; given to no other
    ) STRICT;
    CREATE TABLE registered_device (
        id     TEXT PRIMARY KEY,     -- of a device that registered by calling
        source TEXT NOT NULL
    ) STRICT;
    CREATE TABLE seen_device (
        id         TEXT PRIMARY KEY,
        source     TEXT NOT NULL,
        kind       TEXT NOT NULL,
        department TEXT NOT NULL,
        simulated  INTEGER NOT NULL,
        first_seen INTEGER NOT NULL,
        last_seen  INTEGER NOT NULL,
        count      INTEGER NOT NULL,
        ignored    INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE seen_metric (
        source     TEXT NOT NULL,
        name       TEXT NOT NULL,
        unit       TEXT NOT NULL,
        first_seen INTEGER NOT NULL,
        last_seen  INTEGER NOT NULL,
        count      INTEGER NOT NULL,
        last_value REAL,
        PRIMARY KEY (source, name)
    ) STRICT;
    CREATE TABLE mapping (
        name   TEXT NOT NULL,
        source TEXT NOT NULL,        -- empty for every source
        entry  TEXT NOT NULL,        -- Mapping as JSON
        PRIMARY KEY (name, source)
    ) STRICT;
",
    "
    CREATE TABLE file_device (
        id  TEXT PRIMARY KEY,
        tag TEXT NOT NULL            -- of what the configuration's file said of it the last time
    ) STRICT;
",
    "
    ALTER TABLE metric ADD COLUMN source TEXT; -- that used the name first, if one did
    UPDATE metric SET source = (SELECT min(source) FROM seen_metric WHERE name = metric.id);
",
];

pub(crate) fn migrate(state: &StateDb) -> Result<(), RegistryError> {
    Ok(state.migrate("registry", MIGRATIONS)?)
}

pub(crate) fn load_devices(
    conn: &Connection,
) -> Result<Vec<(DeviceKey, DeviceEntry)>, RegistryError> {
    let mut statement = conn.prepare("SELECT key, id, entry FROM device ORDER BY key")?;
    let mut rows = statement.query([])?;
    let mut devices = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, id): (u32, String) = (row.get(0)?, row.get(1)?);
        let text: String = row.get(2)?;
        let entry = serde_json::from_str(&text).map_err(|error| RegistryError::File {
            name: format!("device `{id}` in the state database"),
            message: error.to_string(),
            hint: "the row was written by another version; restore a backup or import the device again",
        })?;
        devices.push((DeviceKey(key), entry));
    }
    Ok(devices)
}

/// Writes a device and tells its key, which it keeps if it had one.
pub(crate) fn put_device(
    tx: &Transaction<'_>,
    entry: &DeviceEntry,
) -> Result<DeviceKey, RegistryError> {
    let json = serde_json::to_string(entry).unwrap_or_default();
    let known: Option<u32> = tx
        .prepare_cached("SELECT key FROM device WHERE id = ?1")?
        .query_row([&entry.id], |row| row.get(0))
        .optional()?;
    if let Some(key) = known {
        tx.prepare_cached("UPDATE device SET entry = ?2 WHERE key = ?1")?
            .execute(params![key, json])?;
        return Ok(DeviceKey(key));
    }
    let key: u32 = tx
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(key) + 1 FROM device), 0),
                        coalesce((SELECT max(key) + 1 FROM gone_device), 0))",
        )?
        .query_row([], |row| row.get(0))?;
    tx.prepare_cached("INSERT INTO device (key, id, entry) VALUES (?1, ?2, ?3)")?
        .execute(params![key, entry.id, json])?;
    Ok(DeviceKey(key))
}

pub(crate) fn delete_device(
    tx: &Transaction<'_>,
    id: &str,
    key: DeviceKey,
) -> Result<(), RegistryError> {
    tx.execute("DELETE FROM device WHERE key = ?1", [key.0])?;
    tx.execute("INSERT INTO gone_device (key) VALUES (?1)", [key.0])?;
    tx.execute("DELETE FROM registered_device WHERE id = ?1", [id])?;
    Ok(())
}

/// The tags of what the configuration's file said of devices the last time.
pub(crate) fn load_file_tags(conn: &Connection) -> Result<HashMap<String, String>, RegistryError> {
    let mut statement = conn.prepare("SELECT id, tag FROM file_device")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn put_file_tag(tx: &Transaction<'_>, id: &str, tag: &str) -> Result<(), RegistryError> {
    tx.prepare_cached("INSERT OR REPLACE INTO file_device (id, tag) VALUES (?1, ?2)")?
        .execute([id, tag])?;
    Ok(())
}

/// Gives every metric of the catalogue a key that lasts, and adds the metrics that came unasked.
pub(crate) fn load_catalogue(
    tx: &Transaction<'_>,
    seed: &Catalogue,
) -> Result<Catalogue, RegistryError> {
    let mut catalogue = Catalogue::default();
    {
        let mut statement = tx.prepare("SELECT id, unit FROM metric ORDER BY key")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, unit): (String, String) = (row.get(0)?, row.get(1)?);
            let key = MetricKey(catalogue.len() as u16);
            let metric = seed.by_id(&id).map(|m| Metric { key, ..m.clone() });
            catalogue.put(metric.unwrap_or_else(|| unmapped(key, &id, &unit)));
        }
    }
    for metric in seed.iter() {
        if catalogue.by_id(&metric.id).is_none() {
            let key = u16::try_from(catalogue.len()).map_err(|_| RegistryError::TooManyMetrics)?;
            let key = MetricKey(key);
            put_metric(tx, key, &metric.id, &metric.unit, None)?;
            catalogue.put(Metric { key, ..metric.clone() });
        }
    }
    Ok(catalogue)
}

pub(crate) fn put_metric(
    tx: &Transaction<'_>,
    key: MetricKey,
    id: &str,
    unit: &str,
    source: Option<&str>,
) -> Result<(), RegistryError> {
    tx.prepare_cached("INSERT INTO metric (key, id, unit, source) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key.0, id, unit, source])?;
    Ok(())
}

pub(crate) fn put_unit(tx: &Transaction<'_>, id: &str, unit: &str) -> Result<(), RegistryError> {
    tx.execute("UPDATE metric SET unit = ?2 WHERE id = ?1", [id, unit])?;
    Ok(())
}

/// Names of metrics with the source that used them first.
pub(crate) fn load_metric_sources(
    conn: &Connection,
) -> Result<Vec<(String, String)>, RegistryError> {
    let mut statement =
        conn.prepare("SELECT id, source FROM metric WHERE source IS NOT NULL ORDER BY key")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A metric that nobody has described yet.
pub(crate) fn unmapped(key: MetricKey, id: &str, unit: &str) -> Metric {
    Metric {
        key,
        id: id.into(),
        name: LocalText::same(id),
        unit: unit.into(),
        symbol: unit.into(),
        range: None,
        decimals: 2,
        unmapped: true,
    }
}

/// The described kinds by id.
pub(crate) fn load_kinds(conn: &Connection) -> Result<BTreeMap<String, Arc<Kind>>, RegistryError> {
    let mut statement = conn.prepare("SELECT id, entry FROM kind")?;
    let mut rows = statement.query([])?;
    let mut kinds = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (id, text): (String, String) = (row.get(0)?, row.get(1)?);
        let kind: Kind = serde_json::from_str(&text).map_err(|error| RegistryError::File {
            name: format!("kind `{id}` in the state database"),
            message: error.to_string(),
            hint: "the row was written by another version; restore a backup",
        })?;
        kinds.insert(id, Arc::new(kind));
    }
    Ok(kinds)
}

pub(crate) fn put_kind(tx: &Transaction<'_>, kind: &Kind) -> Result<(), RegistryError> {
    let json = serde_json::to_string(kind).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO kind (id, entry) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET entry = excluded.entry",
    )?
    .execute(params![kind.id, json])?;
    Ok(())
}

pub(crate) fn delete_kind(tx: &Transaction<'_>, id: &str) -> Result<(), RegistryError> {
    tx.execute("DELETE FROM kind WHERE id = ?1", [id])?;
    Ok(())
}

pub(crate) fn delete_label(
    tx: &Transaction<'_>,
    class: &str,
    id: &str,
) -> Result<bool, RegistryError> {
    Ok(tx.execute("DELETE FROM label WHERE class = ?1 AND id = ?2", [class, id])? > 0)
}

/// Names of departments by id.
pub(crate) fn load_labels(
    conn: &Connection,
    class: &str,
) -> Result<BTreeMap<String, LocalText>, RegistryError> {
    let mut statement = conn.prepare_cached("SELECT id, en, zh FROM label WHERE class = ?1")?;
    let rows = statement.query_map([class], |row| {
        Ok((row.get(0)?, LocalText { en: row.get(1)?, zh: row.get(2)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn put_label(
    tx: &Transaction<'_>,
    class: &str,
    id: &str,
    name: &LocalText,
    replace: bool,
) -> Result<(), RegistryError> {
    let sql = if replace {
        "INSERT INTO label (class, id, en, zh) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET en = excluded.en, zh = excluded.zh"
    } else {
        "INSERT INTO label (class, id, en, zh) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
    };
    tx.prepare_cached(sql)?.execute(params![class, id, name.en, name.zh])?;
    Ok(())
}

/// The number of a source in the ledger, which it keeps whatever becomes of the configuration.
pub(crate) fn source_number(tx: &Transaction<'_>, id: &str) -> Result<u16, RegistryError> {
    tx.prepare_cached(
        "INSERT INTO source (number, id) SELECT coalesce(max(number) + 1, 0), ?1 FROM source
         WHERE true ON CONFLICT DO NOTHING",
    )?
    .execute([id])?;
    let number = tx
        .prepare_cached("SELECT number FROM source WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(number)
}

/// The ids of all sources that there ever were, by number.
pub(crate) fn load_sources(conn: &Connection) -> Result<Vec<String>, RegistryError> {
    let mut statement = conn.prepare_cached("SELECT id FROM source ORDER BY number")?;
    let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use city_model::{Crs, Placement, Span};

    use super::*;
    use crate::{Registry, Seed};

    #[test]
    fn what_the_first_version_wrote_is_taken_over() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        state.migrate("registry", &MIGRATIONS[..1]).expect("the first version's tables");
        let old = r#"{"id":"a","kind":"bus","department":"d","moving":false,"crs":"WGS-84",
            "life_cycle":"active","simulated":false}"#;
        state
            .write(|tx| {
                tx.execute("INSERT INTO device VALUES (0, 'a', ?1)", [old])?;
                tx.execute("INSERT INTO label VALUES ('kind', 'bus', 'Bus', '公交车')", [])?;
                tx.execute("INSERT INTO label VALUES ('department', 'd', 'D', '部')", [])
            })
            .expect("written");
        let registry = Registry::open(state, Seed::default()).expect("migrated");
        let bus = registry.kind("bus").expect("taken over");
        assert_eq!(*bus, Kind::named("bus", LocalText::new("Bus", "公交车")));
        assert_eq!(registry.departments().expect("listed")[0].name, LocalText::new("D", "部"));
        let template = Kind {
            moving: Some(true),
            crs: Some(Crs::Gcj02),
            interval: Some(Span::from_secs(5)),
            ..Kind::clone(&bus)
        };
        registry.put_kind(template).expect("described");
        let directory = registry.directory();
        let device = directory.device_by_id("a").expect("taken over");
        assert_eq!((device.placement, device.crs), (Placement::Moving, Crs::Gcj02));
    }
}
