//! The tables of users, tokens and sessions in the state database.

use city_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// All steps ever released.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE access_tokens (
        id INTEGER PRIMARY KEY,
        prefix BLOB NOT NULL,
        hash BLOB NOT NULL UNIQUE,
        user TEXT NOT NULL,
        role TEXT NOT NULL,
        note TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT;
    CREATE INDEX access_tokens_prefix ON access_tokens (prefix);
    CREATE TABLE sessions (
        prefix BLOB NOT NULL,
        hash BLOB NOT NULL PRIMARY KEY,
        token INTEGER NOT NULL REFERENCES access_tokens (id),
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sessions_prefix ON sessions (prefix);
    ",
    // Users; roles by department: a token of before keeps its role, in the whole city. Sessions of
    // before go on.
    "
    CREATE TABLE users (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        email TEXT,
        grants TEXT NOT NULL,
        enabled INTEGER NOT NULL,
        password TEXT,
        must_change INTEGER NOT NULL DEFAULT 0,
        subject TEXT UNIQUE,
        created_at INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        last_login_at INTEGER,
        version INTEGER NOT NULL
    ) STRICT;
    ALTER TABLE access_tokens ADD COLUMN grants TEXT NOT NULL DEFAULT '[]';
    UPDATE access_tokens SET grants = json_array(json_object('department', '*', 'role', role));
    ALTER TABLE access_tokens DROP COLUMN role;
    ALTER TABLE access_tokens ADD COLUMN owner TEXT;
    ALTER TABLE access_tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
    ALTER TABLE access_tokens ADD COLUMN last_used_at INTEGER;
    ALTER TABLE access_tokens ADD COLUMN last_used_from TEXT;
    CREATE INDEX access_tokens_owner ON access_tokens (owner);
    CREATE TABLE logins (
        id INTEGER PRIMARY KEY,
        prefix BLOB NOT NULL,
        hash BLOB NOT NULL UNIQUE,
        token INTEGER,
        user TEXT,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO logins (prefix, hash, token, created_at, seen_at, expires_at)
        SELECT prefix, hash, token, created_at, created_at, expires_at FROM sessions;
    DROP TABLE sessions;
    ALTER TABLE logins RENAME TO sessions;
    CREATE INDEX sessions_prefix ON sessions (prefix);
    CREATE INDEX sessions_token ON sessions (token);
    CREATE INDEX sessions_user ON sessions (user);
    CREATE TABLE known_browsers (
        hash BLOB NOT NULL PRIMARY KEY,
        user TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX known_browsers_user ON known_browsers (user);
    ",
];

/// The columns of [`UserRow`].
pub(super) const USER: &str = "id, name, email, grants, enabled, password, must_change, subject, \
                               created_at, created_by, last_login_at, version";

/// A user as kept.
pub(super) struct UserRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) grants: String,
    pub(super) enabled: bool,
    pub(super) password: Option<String>,
    pub(super) must_change: bool,
    pub(super) subject: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    pub(super) last_login_at: Option<Timestamp>,
    pub(super) version: i64,
}

impl UserRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            email: row.get(2)?,
            grants: row.get(3)?,
            enabled: row.get(4)?,
            password: row.get(5)?,
            must_change: row.get(6)?,
            subject: row.get(7)?,
            created_at: row.get(8).map(Timestamp::from_micros)?,
            created_by: row.get(9)?,
            last_login_at: time(row, 10)?,
            version: row.get(11)?,
        })
    }
}

pub(super) fn user(conn: &Connection, id: &str) -> rusqlite::Result<Option<UserRow>> {
    let sql = format!("SELECT {USER} FROM users WHERE id = ?1");
    conn.prepare_cached(&sql)?.query_row([id], UserRow::read).optional()
}

/// A time that may be missing.
pub(super) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_micros))
}

/// Ends the sessions of a user; tells how many.
pub(super) fn end_sessions(conn: &Connection, user: &str) -> rusqlite::Result<usize> {
    conn.execute("DELETE FROM sessions WHERE user = ?1", [user])
}

/// Writes that a session was seen.
pub(super) fn touch_session(conn: &Connection, id: i64, now: Timestamp) -> rusqlite::Result<()> {
    conn.execute("UPDATE sessions SET seen_at = ?2 WHERE id = ?1", params![id, now.micros()])?;
    Ok(())
}

/// Writes that a token was used, and from where, if that is known.
pub(super) fn touch_token(
    conn: &Connection,
    id: i64,
    now: Timestamp,
    from: Option<&str>,
) -> rusqlite::Result<()> {
    let sql = "UPDATE access_tokens
               SET last_used_at = ?2, last_used_from = coalesce(?3, last_used_from) WHERE id = ?1";
    conn.execute(sql, params![id, now.micros(), from])?;
    Ok(())
}

/// Compares in a time that does not depend on where the two differ.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}
