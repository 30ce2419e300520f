//! Access tokens and sessions in the state database, kept as SHA-256 only.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use city_model::{Span, Timestamp};
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::{Principal, Proof, Role};

/// How long a browser stays logged in.
pub(crate) const SESSION_LIFETIME: Span = Span::from_hours(24 * 7);
/// How long a check of the database is believed: a token that another process revokes stops
/// working after this.
const BELIEVED: Span = Span::from_secs(10);
/// How many checks are remembered.
const REMEMBERED: usize = 4_096;

const MIGRATIONS: &[&str] = &["
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
"];

/// What a new access token is for.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// The name that appears in logs as the one who did it.
    pub user: &'a str,
    /// What it may do.
    pub role: Role,
    /// What it was made for.
    pub note: &'a str,
    /// How long it is valid; `None` until it is revoked.
    pub lifetime: Option<Span>,
}

/// An access token as listed: never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its number.
    pub id: i64,
    /// The user.
    pub user: String,
    /// The role as written.
    pub role: String,
    /// What it was made for.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The access tokens of a state database; also for the command line, beside a running server.
#[derive(Clone, Debug)]
pub struct Tokens {
    state: Arc<StateDb>,
}

impl Tokens {
    /// Opens them, creating the tables if they are not there.
    pub fn open(state: Arc<StateDb>) -> Result<Self, StateError> {
        state.migrate("auth", MIGRATIONS)?;
        Ok(Self { state })
    }

    /// Makes a token. What is returned is the only copy of the secret: 32 random bytes in
    /// base64url.
    pub fn mint(&self, token: &NewToken<'_>, now: Timestamp) -> Result<String, StateError> {
        let secret = random_secret();
        let hash = hash(&secret);
        let expires = token.lifetime.map(|lifetime| (now + lifetime).micros());
        self.state.write(|tx| {
            tx.execute(
                "INSERT INTO access_tokens (prefix, hash, user, role, note, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    &hash[..8],
                    &hash[..],
                    token.user,
                    token.role.name(),
                    token.note,
                    now.micros(),
                    expires
                ],
            )?;
            Ok::<_, StateError>(())
        })?;
        Ok(secret)
    }

    /// All tokens, oldest first.
    pub fn list(&self) -> Result<Vec<AccessToken>, StateError> {
        self.state.read(|conn| {
            let mut statement = conn.prepare(
                "SELECT id, user, role, note, created_at, expires_at, revoked_at
                 FROM access_tokens ORDER BY id",
            )?;
            let rows = statement.query_map([], |row| {
                let time = |index| row.get(index).map(Timestamp::from_micros);
                let maybe =
                    |index| row.get::<_, Option<i64>>(index).map(|t| t.map(Timestamp::from_micros));
                Ok(AccessToken {
                    id: row.get(0)?,
                    user: row.get(1)?,
                    role: row.get(2)?,
                    note: row.get(3)?,
                    created_at: time(4)?,
                    expires_at: maybe(5)?,
                    revoked_at: maybe(6)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Ends a token and every session that was opened with it; `false` if there is no such token
    /// or it had ended before.
    pub fn revoke(&self, id: i64, now: Timestamp) -> Result<bool, StateError> {
        self.state.write(|tx| {
            tx.execute("DELETE FROM sessions WHERE token = ?1", [id])?;
            let changed = tx.execute(
                "UPDATE access_tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                params![id, now.micros()],
            )?;
            Ok(changed > 0)
        })
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
            Ok(())
        })
    }
}

/// Checks tokens and sessions, and remembers the answer for a moment.
#[derive(Debug)]
pub(crate) struct Credentials {
    state: Arc<StateDb>,
    checked: Mutex<FxHashMap<Proof, (Principal, Timestamp)>>,
}

impl Credentials {
    pub(crate) fn open(state: Arc<StateDb>) -> Result<Self, StateError> {
        state.migrate("auth", MIGRATIONS)?;
        Ok(Self { state, checked: Mutex::default() })
    }

    /// Who this proof was for when it was last checked, if that was a moment ago. Never blocks.
    pub(crate) fn remembered(&self, proof: &Proof, now: Timestamp) -> Option<Principal> {
        let (principal, until) = self.lock().get(proof)?.clone();
        (now < until).then_some(principal)
    }

    /// Who this proof is for. Blocks.
    pub(crate) fn check(
        &self,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Option<Principal>, StateError> {
        let found = self.state.read(|conn| match proof {
            Proof::Token(hash) => find_token(conn, &hash, now)
                .map(|found| found.map(|token| (token.user, token.role, token.expires))),
            Proof::Session(hash) => find_session(conn, &hash, now),
        })?;
        let Some((user, role, expires)) = found else {
            self.lock().remove(&proof);
            return Ok(None);
        };
        let principal = Principal { user: user.into(), role, proof };
        let until = expires.map_or(now + BELIEVED, |expires| expires.min(now + BELIEVED));
        let mut checked = self.lock();
        if checked.len() >= REMEMBERED {
            checked.clear();
        }
        checked.insert(proof, (principal.clone(), until));
        Ok(Some(principal))
    }

    /// Opens a session with an access token; `None` if the token is not valid. Blocks.
    pub(crate) fn log_in(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<(String, String)>, StateError> {
        let secret = random_secret();
        let session = hash(&secret);
        let user = self.state.write(|tx| {
            let Some(token) = find_token(tx, &hash(token), now)? else { return Ok(None) };
            tx.execute("DELETE FROM sessions WHERE expires_at <= ?1", [now.micros()])?;
            let expires = now + SESSION_LIFETIME;
            let expires = token.expires.map_or(expires, |end| end.min(expires));
            tx.execute(
                "INSERT INTO sessions (prefix, hash, token, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![&session[..8], &session[..], token.id, now.micros(), expires.micros()],
            )?;
            Ok::<_, StateError>(Some(token.user))
        })?;
        Ok(user.map(|user| (secret, user)))
    }

    /// Ends a session. Blocks.
    pub(crate) fn log_out(&self, session: &[u8; 32]) -> Result<(), StateError> {
        self.lock().remove(&Proof::Session(*session));
        self.state.write(|tx| {
            tx.execute("DELETE FROM sessions WHERE hash = ?1", [&session[..]])?;
            Ok(())
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, FxHashMap<Proof, (Principal, Timestamp)>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SHA-256 of a secret as sent.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

struct FoundToken {
    id: i64,
    user: String,
    role: Role,
    expires: Option<Timestamp>,
}

/// Looks a token up by the first bytes of its hash and compares the rest in constant time, so
/// that no timing tells how much of a guess was right.
fn find_token(
    conn: &Connection,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<FoundToken>, StateError> {
    let mut statement = conn.prepare_cached(
        "SELECT hash, id, user, role, expires_at FROM access_tokens
         WHERE prefix = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    let found = statement
        .query_row(params![&hash[..8], now.micros()], |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, Option<i64>>(4)?,
            ))
        })
        .optional()?;
    Ok(found.and_then(|(stored, id, user, role, expires)| {
        let role = role.parse().ok()?;
        let expires = expires.map(Timestamp::from_micros);
        same(&stored, hash).then_some(FoundToken { id, user, role, expires })
    }))
}

type FoundSession = (String, Role, Option<Timestamp>);

fn find_session(
    conn: &Connection,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<FoundSession>, StateError> {
    let mut statement = conn.prepare_cached(
        "SELECT s.hash, t.user, t.role, s.expires_at
         FROM sessions s JOIN access_tokens t ON t.id = s.token
         WHERE s.prefix = ?1 AND s.expires_at > ?2 AND t.revoked_at IS NULL",
    )?;
    let found = statement
        .query_row(params![&hash[..8], now.micros()], |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })
        .optional()?;
    Ok(found.and_then(|(stored, user, role, expires)| {
        let role = role.parse().ok()?;
        same(&stored, hash).then_some((user, role, Some(Timestamp::from_micros(expires))))
    }))
}

/// Compares in a time that does not depend on where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> (Tokens, Credentials) {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        (Tokens::open(state.clone()).expect("tables"), Credentials::open(state).expect("tables"))
    }

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn admin(lifetime: Option<Span>) -> NewToken<'static> {
        NewToken { user: "ada", role: Role::Admin, note: "test", lifetime }
    }

    #[test]
    fn only_the_hash_of_a_token_is_kept() {
        let (tokens, credentials) = credentials();
        let secret = tokens.mint(&admin(None), NOW).expect("minted");
        assert_eq!(URL_SAFE_NO_PAD.decode(&secret).expect("base64url").len(), 32);
        let kept: Vec<u8> = credentials
            .state
            .read(|conn| {
                Ok::<_, StateError>(
                    conn.query_row("SELECT hash FROM access_tokens", [], |r| r.get(0))?,
                )
            })
            .expect("one row");
        assert_eq!(kept, hash(&secret));
        let principal =
            credentials.check(Proof::Token(hash(&secret)), NOW).expect("read").expect("valid");
        assert_eq!((principal.user.as_ref(), principal.role), ("ada", Role::Admin));
    }

    #[test]
    fn a_token_with_the_same_beginning_of_the_hash_is_refused() {
        let (tokens, credentials) = credentials();
        let secret = tokens.mint(&admin(None), NOW).expect("minted");
        let mut close = hash(&secret);
        close[31] ^= 1;
        assert!(credentials.check(Proof::Token(close), NOW).expect("read").is_none());
    }

    #[test]
    fn sessions_end_with_their_time_their_token_and_on_logout() {
        let (tokens, credentials) = credentials();
        let secret = tokens.mint(&admin(None), NOW).expect("minted");
        let valid = |secret: &str, at| {
            credentials.check(Proof::Session(hash(secret)), at).expect("read").is_some()
        };
        let (first, user) = credentials.log_in(&secret, NOW).expect("written").expect("valid");
        assert_eq!(user, "ada");
        assert!(valid(&first, NOW));
        assert!(!valid(&first, NOW + SESSION_LIFETIME), "expired");
        credentials.log_out(&hash(&first)).expect("written");
        assert!(!valid(&first, NOW), "logged out");

        let (second, _) = credentials.log_in(&secret, NOW).expect("written").expect("valid");
        let id = tokens.list().expect("read")[0].id;
        assert!(tokens.revoke(id, NOW).expect("written"));
        assert!(!valid(&second, NOW), "the token was revoked");
        assert!(credentials.log_in(&secret, NOW).expect("read").is_none());
    }

    #[test]
    fn a_token_ends_by_itself_and_its_session_with_it() {
        let (tokens, credentials) = credentials();
        let secret = tokens.mint(&admin(Some(Span::from_mins(10))), NOW).expect("minted");
        let (session, _) = credentials.log_in(&secret, NOW).expect("written").expect("valid");
        let later = NOW + Span::from_mins(10);
        for proof in [Proof::Token(hash(&secret)), Proof::Session(hash(&session))] {
            assert!(credentials.check(proof, NOW).expect("read").is_some());
            assert!(credentials.remembered(&proof, NOW + Span::from_secs(9)).is_some());
            assert!(credentials.remembered(&proof, NOW + Span::from_secs(10)).is_none());
            assert!(credentials.check(proof, later).expect("read").is_none());
        }
    }
}
