//! The tables of what was seen and of what names mean.

use city_model::Timestamp;
use rusqlite::{Connection, Transaction, params};

use crate::{Mapping, RegistryError, UnknownDevice, Unmapped};

pub(crate) fn load_mappings(conn: &Connection) -> Result<Vec<Mapping>, RegistryError> {
    let mut statement = conn.prepare("SELECT name, entry FROM mapping")?;
    let mut rows = statement.query([])?;
    let mut mappings = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, text): (String, String) = (row.get(0)?, row.get(1)?);
        let mapping = serde_json::from_str(&text).map_err(|error| RegistryError::File {
            name: format!("the mapping of `{name}` in the state database"),
            message: error.to_string(),
            hint: "the row was written by another version; restore a backup",
        })?;
        mappings.push(mapping);
    }
    Ok(mappings)
}

pub(crate) fn put_mapping(tx: &Transaction<'_>, mapping: &Mapping) -> Result<(), RegistryError> {
    let json = serde_json::to_string(mapping).unwrap_or_default();
    tx.execute(
        "INSERT INTO mapping (name, source, entry) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET entry = excluded.entry",
        params![mapping.name, mapping.source.as_deref().unwrap_or_default(), json],
    )?;
    Ok(())
}

pub(crate) fn delete_mapping(
    tx: &Transaction<'_>,
    source: Option<&str>,
    name: &str,
) -> Result<(), RegistryError> {
    let sql = "DELETE FROM mapping WHERE name = ?1 AND source = ?2";
    tx.execute(sql, [name, source.unwrap_or_default()])?;
    Ok(())
}

pub(crate) fn load_seen_metrics(conn: &Connection) -> Result<Vec<Unmapped>, RegistryError> {
    let mut statement = conn.prepare(
        "SELECT source, name, unit, first_seen, last_seen, count, last_value FROM seen_metric",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Unmapped {
            source: row.get(0)?,
            name: row.get(1)?,
            unit: row.get(2)?,
            first_seen: Timestamp::from_micros(row.get(3)?),
            last_seen: Timestamp::from_micros(row.get(4)?),
            count: row.get::<_, i64>(5)? as u64,
            last_value: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn put_seen_metric(tx: &Transaction<'_>, row: &Unmapped) -> Result<(), RegistryError> {
    tx.prepare_cached(
        "INSERT INTO seen_metric (source, name, unit, first_seen, last_seen, count, last_value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen, count = excluded.count,
             last_value = excluded.last_value",
    )?
    .execute(params![
        row.source,
        row.name,
        row.unit,
        row.first_seen.micros(),
        row.last_seen.micros(),
        row.count as i64,
        row.last_value,
    ])?;
    Ok(())
}

pub(crate) fn load_seen_devices(conn: &Connection) -> Result<Vec<UnknownDevice>, RegistryError> {
    let mut statement = conn.prepare(
        "SELECT id, source, kind, department, simulated, first_seen, last_seen, count, ignored
         FROM seen_device",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(UnknownDevice {
            id: row.get(0)?,
            source: row.get(1)?,
            kind: row.get(2)?,
            department: row.get(3)?,
            simulated: row.get(4)?,
            first_seen: Timestamp::from_micros(row.get(5)?),
            last_seen: Timestamp::from_micros(row.get(6)?),
            count: row.get::<_, i64>(7)? as u64,
            ignored: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes all unknown devices in place of those before.
pub(crate) fn put_seen_devices(
    tx: &Transaction<'_>,
    devices: &[UnknownDevice],
) -> Result<(), RegistryError> {
    tx.execute("DELETE FROM seen_device", [])?;
    devices.iter().try_for_each(|device| put_seen_device(tx, device))
}

pub(crate) fn put_seen_device(
    tx: &Transaction<'_>,
    device: &UnknownDevice,
) -> Result<(), RegistryError> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO seen_device
             (id, source, kind, department, simulated, first_seen, last_seen, count, ignored)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        device.id,
        device.source,
        device.kind,
        device.department,
        device.simulated,
        device.first_seen.micros(),
        device.last_seen.micros(),
        device.count as i64,
        device.ignored,
    ])?;
    Ok(())
}

/// The devices that registered by calling, with the source through which they did.
pub(crate) fn load_registered(conn: &Connection) -> Result<Vec<(String, String)>, RegistryError> {
    let mut statement = conn.prepare("SELECT id, source FROM registered_device")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn note_registered(
    tx: &Transaction<'_>,
    id: &str,
    source: &str,
) -> Result<(), RegistryError> {
    tx.prepare_cached("INSERT OR REPLACE INTO registered_device (id, source) VALUES (?1, ?2)")?
        .execute([id, source])?;
    tx.prepare_cached("DELETE FROM seen_device WHERE id = ?1")?.execute([id])?;
    Ok(())
}
