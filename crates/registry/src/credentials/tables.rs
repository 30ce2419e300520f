//! The tables of clients and their credentials.

use city_model::Timestamp;
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{NameOrder, Proof, Rights};
use crate::RegistryError;

const MIGRATIONS: &[&str] = &["
    CREATE TABLE device_client (
        name       TEXT PRIMARY KEY,
        enabled    INTEGER NOT NULL,
        rights     TEXT NOT NULL,        -- Rights as JSON
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE device_credential (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        client       TEXT NOT NULL REFERENCES device_client (name),
        class        TEXT NOT NULL,      -- password, token, certificate
        secret       TEXT NOT NULL,      -- PHC string; SHA-256 in hex; identity
        note         TEXT NOT NULL,
        created_at   INTEGER NOT NULL,
        last_used_at INTEGER
    ) STRICT;
    CREATE INDEX device_credential_client ON device_credential (client);
    CREATE UNIQUE INDEX device_credential_secret ON device_credential (class, secret)
        WHERE class <> 'password';
    CREATE UNIQUE INDEX device_credential_password ON device_credential (client)
        WHERE class = 'password';
"];

/// A client as stored.
pub(super) struct ClientRow {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) rights: Rights,
    pub(super) created_at: Timestamp,
}

/// A credential as stored.
pub(super) struct CredentialRow {
    pub(super) id: i64,
    pub(super) client: String,
    pub(super) proof: Proof,
    pub(super) secret: String,
    pub(super) note: String,
    pub(super) created_at: Timestamp,
    pub(super) last_used_at: Option<Timestamp>,
}

pub(super) fn migrate(state: &StateDb) -> Result<(), StateError> {
    state.migrate("device_credentials", MIGRATIONS)
}

/// All clients, or the one of this name.
pub(super) fn load_clients(
    conn: &Connection,
    name: Option<&str>,
) -> Result<Vec<ClientRow>, RegistryError> {
    let mut statement = conn.prepare_cached(
        "SELECT name, enabled, rights, created_at FROM device_client
         WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
    )?;
    let mut rows = statement.query([name])?;
    let mut clients = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let rights: String = row.get(2)?;
        let rights = serde_json::from_str(&rights).map_err(|error| RegistryError::File {
            name: format!("client `{name}` in the state database"),
            message: error.to_string(),
            hint: "the row was written by another version; restore a backup",
        })?;
        let created_at = Timestamp::from_micros(row.get(3)?);
        clients.push(ClientRow { name, enabled: row.get(1)?, rights, created_at });
    }
    Ok(clients)
}

/// Those of a page: with `words` in their name, after `after`, at most `limit`; and how many have
/// the words in all.
pub(super) fn page(
    conn: &Connection,
    words: &str,
    order: NameOrder,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<String>, usize), RegistryError> {
    let words = words.to_lowercase();
    let (beyond, direction) = match order {
        NameOrder::Up => (">", "ASC"),
        NameOrder::Down => ("<", "DESC"),
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT name FROM device_client
         WHERE instr(lower(name), ?1) > 0 AND (?2 IS NULL OR name {beyond} ?2)
         ORDER BY name {direction} LIMIT ?3",
    ))?;
    let names = statement.query_map(params![words, after, limit as i64], |row| row.get(0))?;
    let names = names.collect::<Result<_, _>>()?;
    let total: i64 = conn
        .prepare_cached("SELECT count(*) FROM device_client WHERE instr(lower(name), ?1) > 0")?
        .query_row([words], |row| row.get(0))?;
    Ok((names, total as usize))
}

/// All credentials, or those of the client of this name, oldest first.
pub(super) fn load_credentials(
    conn: &Connection,
    client: Option<&str>,
) -> Result<Vec<CredentialRow>, RegistryError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, client, class, secret, note, created_at, last_used_at FROM device_credential
         WHERE ?1 IS NULL OR client = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([client], |row| {
        let class: String = row.get(2)?;
        Ok(Proof::ALL
            .into_iter()
            .find(|proof| proof.name() == class)
            .map(|proof| (proof, row))
            .map(|(proof, row)| {
                Ok::<_, rusqlite::Error>(CredentialRow {
                    id: row.get(0)?,
                    client: row.get(1)?,
                    proof,
                    secret: row.get(3)?,
                    note: row.get(4)?,
                    created_at: Timestamp::from_micros(row.get(5)?),
                    last_used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_micros),
                })
            }))
    })?;
    let mut credentials = Vec::new();
    for row in rows {
        if let Some(row) = row? {
            credentials.push(row?);
        }
    }
    Ok(credentials)
}

/// Adds a client with these rights, or changes them.
pub(super) fn put_client(
    tx: &Transaction<'_>,
    name: &str,
    rights: &Rights,
    now: Timestamp,
) -> Result<(), StateError> {
    let json = serde_json::to_string(rights).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO device_client (name, enabled, rights, created_at) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT DO UPDATE SET rights = excluded.rights",
    )?
    .execute(params![name, json, now.micros()])?;
    Ok(())
}

/// Adds a client that speaks for the device of its name, unless it is there.
pub(super) fn need_client(
    tx: &Transaction<'_>,
    name: &str,
    now: Timestamp,
) -> Result<(), StateError> {
    let json = serde_json::to_string(&Rights::default()).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO device_client (name, enabled, rights, created_at) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![name, json, now.micros()])?;
    Ok(())
}

/// Adds a credential; a password takes the place of the one before. Tells its number.
pub(super) fn put_credential(
    tx: &Transaction<'_>,
    client: &str,
    proof: Proof,
    secret: &str,
    note: &str,
    now: Timestamp,
) -> Result<i64, StateError> {
    if proof == Proof::Password {
        tx.execute(
            "DELETE FROM device_credential WHERE client = ?1 AND class = 'password'",
            [client],
        )?;
    }
    tx.prepare_cached(
        "INSERT INTO device_credential (client, class, secret, note, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![client, proof.name(), secret, note, now.micros()])?;
    Ok(tx.last_insert_rowid())
}

/// Whose certificate this is.
pub(super) fn bound_to(conn: &Connection, identity: &str) -> Result<Option<String>, StateError> {
    Ok(conn
        .prepare_cached(
            "SELECT client FROM device_credential WHERE class = 'certificate' AND secret = ?1",
        )?
        .query_row([identity], |row| row.get(0))
        .optional()?)
}

pub(super) fn delete_credential(
    tx: &Transaction<'_>,
    client: &str,
    id: i64,
) -> Result<bool, StateError> {
    let sql = "DELETE FROM device_credential WHERE client = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![client, id])? > 0)
}

pub(super) fn delete_client(tx: &Transaction<'_>, name: &str) -> Result<bool, StateError> {
    tx.execute("DELETE FROM device_credential WHERE client = ?1", [name])?;
    Ok(tx.execute("DELETE FROM device_client WHERE name = ?1", [name])? > 0)
}

pub(super) fn set_enabled(
    tx: &Transaction<'_>,
    name: &str,
    enabled: bool,
) -> Result<bool, StateError> {
    let sql = "UPDATE device_client SET enabled = ?2 WHERE name = ?1";
    Ok(tx.execute(sql, params![name, enabled])? > 0)
}

pub(super) fn save_uses(tx: &Transaction<'_>, uses: &[(i64, i64)]) -> Result<(), StateError> {
    let mut statement =
        tx.prepare_cached("UPDATE device_credential SET last_used_at = ?2 WHERE id = ?1")?;
    for use_of in uses {
        statement.execute(*use_of)?;
    }
    Ok(())
}
