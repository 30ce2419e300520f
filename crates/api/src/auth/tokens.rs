//! Access tokens: how they are made, listed and revoked. Only their SHA-256 is kept, which is enough
//! because nobody can try all 256 bits.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use city_model::{Span, Timestamp};
use city_store::{StateDb, StateError};
use rusqlite::{OptionalExtension as _, Row, params};
use sha2::{Digest as _, Sha256};

use super::checked::Checked;
use super::{Grants, Role, tables};

/// The note on tokens that the program makes for itself; the next start makes them worthless.
pub const OWN_TOKEN: &str = "made by this instance for itself";

/// What a new access token is for.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// The name that appears in logs as the one who did it.
    pub user: &'a str,
    /// What it may do where.
    pub grants: Grants,
    /// What it was made for.
    pub note: &'a str,
    /// How long it is valid; `None` until it is revoked.
    pub lifetime: Option<Span>,
}

impl<'a> NewToken<'a> {
    /// One with a role in the whole city.
    pub fn city(user: &'a str, role: Role, note: &'a str, lifetime: Option<Span>) -> Self {
        Self { user, grants: Grants::city(role), note, lifetime }
    }
}

/// An access token as listed: never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its number.
    pub id: i64,
    /// The name in logs.
    pub user: String,
    /// What it may do where.
    pub grants: Grants,
    /// What it was made for.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; empty if the command line or an older version did.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to five minutes.
    pub last_used_at: Option<Timestamp>,
    /// The address that it was last used from.
    pub last_used_from: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The user without whom it is worthless.
    pub(crate) owner: Option<String>,
}

const COLUMNS: &str = "id, user, grants, note, created_at, created_by, expires_at, last_used_at, \
                       last_used_from, revoked_at, owner";

impl AccessToken {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            user: row.get(1)?,
            grants: Grants::read(&row.get::<_, String>(2)?),
            note: row.get(3)?,
            created_at: row.get(4).map(Timestamp::from_micros)?,
            created_by: row.get(5)?,
            expires_at: tables::time(row, 6)?,
            last_used_at: tables::time(row, 7)?,
            last_used_from: row.get(8)?,
            revoked_at: tables::time(row, 9)?,
            owner: row.get(10)?,
        })
    }
}

/// Who makes a token through the API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maker<'a> {
    pub(crate) by: &'a str,
    /// The user whose rights bound those of the token, and with whom it ends.
    pub(crate) owner: Option<&'a str>,
}

/// The access tokens of a state database; also for the command line, beside a running server.
#[derive(Clone, Debug)]
pub struct Tokens {
    state: Arc<StateDb>,
    checked: Arc<Checked>,
}

impl Tokens {
    /// Opens them, creating the tables if they are not there.
    pub fn open(state: Arc<StateDb>) -> Result<Self, StateError> {
        Self::with(state, Arc::default())
    }

    pub(super) fn with(state: Arc<StateDb>, checked: Arc<Checked>) -> Result<Self, StateError> {
        state.migrate("auth", tables::MIGRATIONS)?;
        Ok(Self { state, checked })
    }

    /// Makes a token. What is returned is the only copy of the secret: 32 random bytes in
    /// base64url.
    pub fn mint(&self, token: &NewToken<'_>, now: Timestamp) -> Result<String, StateError> {
        Ok(self.make(token, &Maker::default(), now)?.1)
    }

    /// The same for somebody: the token's number and the secret.
    pub(crate) fn make(
        &self,
        token: &NewToken<'_>,
        maker: &Maker<'_>,
        now: Timestamp,
    ) -> Result<(i64, String), StateError> {
        let secret = random_secret();
        let hash = hash(&secret);
        let expires = token.lifetime.map(|lifetime| (now + lifetime).micros());
        let id = self.state.write(|tx| {
            tx.execute(
                "INSERT INTO access_tokens
                   (prefix, hash, user, grants, note, created_at, expires_at, created_by, owner)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    &hash[..8],
                    &hash[..],
                    token.user,
                    token.grants.json(),
                    token.note,
                    now.micros(),
                    expires,
                    maker.by,
                    maker.owner
                ],
            )?;
            Ok::<_, StateError>(tx.last_insert_rowid())
        })?;
        Ok((id, secret))
    }

    /// All tokens, oldest first.
    pub fn list(&self) -> Result<Vec<AccessToken>, StateError> {
        self.state.read(|conn| {
            let sql = format!("SELECT {COLUMNS} FROM access_tokens ORDER BY id");
            let mut statement = conn.prepare(&sql)?;
            let rows = statement.query_map([], AccessToken::read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One token.
    pub fn get(&self, id: i64) -> Result<Option<AccessToken>, StateError> {
        self.state.read(|conn| {
            let sql = format!("SELECT {COLUMNS} FROM access_tokens WHERE id = ?1");
            Ok(conn.query_row(&sql, [id], AccessToken::read).optional()?)
        })
    }

    /// Ends a token and every session that was opened with it; `false` if there is no such token
    /// or it had ended before.
    pub fn revoke(&self, id: i64, now: Timestamp) -> Result<bool, StateError> {
        let revoked = self.state.write(|tx| {
            tx.execute("DELETE FROM sessions WHERE token = ?1", [id])?;
            let changed = tx.execute(
                "UPDATE access_tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                params![id, now.micros()],
            )?;
            Ok::<_, StateError>(changed > 0)
        })?;
        self.checked.forget();
        Ok(revoked)
    }

    /// Ends all tokens with this note, such as the login links of earlier starts.
    pub fn revoke_noted(&self, note: &str, now: Timestamp) -> Result<(), StateError> {
        self.state.write(|tx| {
            tx.execute(
                "DELETE FROM sessions WHERE token IN
                   (SELECT id FROM access_tokens WHERE note = ?1)",
                [note],
            )?;
            tx.execute(
                "UPDATE access_tokens SET revoked_at = ?2 WHERE note = ?1 AND revoked_at IS NULL",
                params![note, now.micros()],
            )?;
            Ok::<_, StateError>(())
        })?;
        self.checked.forget();
        Ok(())
    }
}

/// The SHA-256 of a secret as sent.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 random bits in base64url.
pub(crate) fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
