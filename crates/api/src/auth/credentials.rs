//! Who shows a token or a session: found in the state database, and remembered for a moment.

use std::net::IpAddr;
use std::sync::Arc;

use city_model::{Span, Timestamp};
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::checked::{BELIEVED, Checked};
use super::tokens::{hash, random_secret};
use super::{Grants, Principal, Proof, Rights, Tokens, Users, Via, passwords, tables};

/// Uses of tokens and sessions are written again after this.
const WRITTEN_AGAIN: Span = Span::from_mins(5);

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// A session ends when nothing was asked with it for so long.
    pub idle: Span,
    /// A session ends after this at the latest.
    pub lifetime: Span,
}

impl Default for SessionLimits {
    /// A shift of work, and a week.
    fn default() -> Self {
        Self { idle: Span::from_hours(12), lifetime: Span::from_hours(7 * 24) }
    }
}

/// What opens a session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opener<'a> {
    /// An access token by its number; the session ends with it.
    Token(i64, Option<Timestamp>),
    /// A user who has proved who he is.
    User(&'a str),
}

/// Checks tokens and sessions, and remembers the answer for a moment.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(super) state: Arc<StateDb>,
    checked: Arc<Checked>,
    limits: SessionLimits,
    tokens: Tokens,
    users: Users,
}

impl Credentials {
    pub(crate) fn open(state: Arc<StateDb>, limits: SessionLimits) -> Result<Self, StateError> {
        // So that the first stranger does not wait longer than others, which would tell something.
        let prepare = std::thread::Builder::new().name("passwords".to_owned());
        // Without the thread it is only slower once.
        let _ = prepare.spawn(passwords::prepare);
        let checked = Arc::<Checked>::default();
        let tokens = Tokens::with(state.clone(), checked.clone())?;
        let users = Users::with(state.clone(), checked.clone())?;
        Ok(Self { state, checked, limits, tokens, users })
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn users(&self) -> &Users {
        &self.users
    }

    pub(crate) fn limits(&self) -> SessionLimits {
        self.limits
    }

    /// Who this proof was for when it was last checked, if that was a moment ago. Never blocks.
    pub(crate) fn remembered(&self, proof: &Proof, now: Timestamp) -> Option<Principal> {
        self.checked.get(proof, now)
    }

    /// Who this proof is for; notes that it was used, now and then. Blocks.
    pub(crate) fn check(
        &self,
        proof: Proof,
        now: Timestamp,
        from: Option<IpAddr>,
    ) -> Result<Option<Principal>, StateError> {
        let generation = self.checked.generation();
        let found = self.state.read(|conn| match proof {
            Proof::Token(hash) => self.by_token(conn, &hash, now),
            Proof::Session(hash) => self.by_session(conn, &hash, now),
        })?;
        let Some(found) = found else { return Ok(None) };
        self.note_use(&found, now, from);
        let principal = found.principal(proof);
        let until = found.ends.map_or(now + BELIEVED, |ends| ends.min(now + BELIEVED));
        self.checked.put(&principal, until, generation);
        Ok(Some(principal))
    }

    /// A use that cannot be written is no reason to refuse somebody.
    fn note_use(&self, found: &Found, now: Timestamp, from: Option<IpAddr>) {
        if found.used.is_some_and(|used| now.since(used) < WRITTEN_AGAIN) {
            return;
        }
        let from = from.map(|address| address.to_string());
        let written = self.state.write(|tx| match found.via {
            Via::Session(id) => tables::touch_session(tx, id, now),
            Via::Token(id) => tables::touch_token(tx, id, now, from.as_deref()),
        });
        if let Err(error) = written {
            tracing::warn!(error.cause = %error, "the use of a token or session was not noted");
        }
    }

    /// Opens a session with an access token; `None` if the token is not valid. Blocks.
    pub(crate) fn log_in(
        &self,
        token: &str,
        now: Timestamp,
        before: Option<[u8; 32]>,
    ) -> Result<Option<(String, String)>, StateError> {
        let found = self.state.read(|conn| self.by_token(conn, &hash(token), now))?;
        let Some(Found { user, via: Via::Token(id), ends, .. }) = found else { return Ok(None) };
        let secret = self.open_session(Opener::Token(id, ends), now, before)?;
        Ok(Some((secret, user)))
    }

    /// Opens a session, with a secret that nobody had before, in place of the one that the browser
    /// had. Blocks.
    pub(crate) fn open_session(
        &self,
        opener: Opener<'_>,
        now: Timestamp,
        before: Option<[u8; 32]>,
    ) -> Result<String, StateError> {
        let secret = random_secret();
        let session = hash(&secret);
        let expires = now + self.limits.lifetime;
        let (token, user, expires) = match opener {
            Opener::Token(id, end) => (Some(id), None, end.map_or(expires, |end| end.min(expires))),
            Opener::User(user) => (None, Some(user), expires),
        };
        self.state.write(|tx| {
            let idle = (now - self.limits.idle).micros();
            let over = "DELETE FROM sessions WHERE expires_at <= ?1 OR seen_at <= ?2 OR hash = ?3";
            tx.execute(over, params![now.micros(), idle, before.as_ref().map(|hash| &hash[..])])?;
            tx.execute(
                "INSERT INTO sessions (prefix, hash, token, user, created_at, seen_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
                params![&session[..8], &session[..], token, user, now.micros(), expires.micros()],
            )?;
            let seen = "UPDATE users SET last_login_at = ?2 WHERE id = ?1";
            tx.execute(seen, params![user, now.micros()])?;
            Ok::<_, StateError>(())
        })?;
        self.checked.forget();
        Ok(secret)
    }

    /// Ends a session. Blocks.
    pub(crate) fn log_out(&self, session: &[u8; 32]) -> Result<(), StateError> {
        self.state.write(|tx| {
            tx.execute("DELETE FROM sessions WHERE hash = ?1", [&session[..]])?;
            Ok::<_, StateError>(())
        })?;
        self.checked.forget();
        Ok(())
    }

    /// Looks a token up by the first bytes of its hash and compares the rest in constant time, so
    /// that no timing tells how much of a guess was right.
    fn by_token(
        &self,
        conn: &Connection,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Found>, StateError> {
        let mut statement = conn.prepare_cached(
            "SELECT hash, id, user, grants, owner, expires_at, last_used_at FROM access_tokens
             WHERE prefix = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
        )?;
        let found = statement
            .query_row(params![&hash[..8], now.micros()], |row| {
                let found = Found {
                    via: Via::Token(row.get(1)?),
                    user: row.get(2)?,
                    name: row.get(2)?,
                    grants: Grants::read(&row.get::<_, String>(3)?),
                    account: row.get(4)?,
                    token: Some(row.get(1)?),
                    has_password: false,
                    must_change: false,
                    ends: tables::time(row, 5)?,
                    expires: tables::time(row, 5)?,
                    used: tables::time(row, 6)?,
                };
                Ok((row.get::<_, Vec<u8>>(0)?, found))
            })
            .optional()?;
        match found {
            Some((stored, found)) if tables::same(&stored, hash) => bounded(conn, found),
            _ => Ok(None),
        }
    }

    fn by_session(
        &self,
        conn: &Connection,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Found>, StateError> {
        let mut statement = conn.prepare_cached(
            "SELECT hash, id, token, user, seen_at, expires_at FROM sessions
             WHERE prefix = ?1 AND expires_at > ?2 AND seen_at > ?3",
        )?;
        let idle = (now - self.limits.idle).micros();
        let found = statement
            .query_row(params![&hash[..8], now.micros(), idle], |row| {
                let session = SessionRow {
                    id: row.get(1)?,
                    token: row.get(2)?,
                    user: row.get(3)?,
                    seen: row.get(4).map(Timestamp::from_micros)?,
                    expires: row.get(5).map(Timestamp::from_micros)?,
                };
                Ok((row.get::<_, Vec<u8>>(0)?, session))
            })
            .optional()?;
        match found {
            Some((stored, session)) if tables::same(&stored, hash) => {
                session.holder(conn, now, self.limits.idle)
            }
            _ => Ok(None),
        }
    }
}

struct SessionRow {
    id: i64,
    token: Option<i64>,
    user: Option<String>,
    seen: Timestamp,
    expires: Timestamp,
}

impl SessionRow {
    /// Whose it is, if whoever opened it may still do something.
    fn holder(
        self,
        conn: &Connection,
        now: Timestamp,
        idle: Span,
    ) -> Result<Option<Found>, StateError> {
        let mut found = match (&self.user, self.token) {
            (Some(user), _) => {
                let row = tables::user(conn, user)?.filter(|row| row.enabled);
                let Some(row) = row else { return Ok(None) };
                Found {
                    via: Via::Session(self.id),
                    user: row.id.clone(),
                    name: row.name,
                    grants: Grants::read(&row.grants),
                    account: Some(row.id),
                    token: None,
                    has_password: row.password.is_some(),
                    must_change: row.must_change,
                    ends: None,
                    expires: None,
                    used: None,
                }
            }
            (None, Some(token)) => {
                let mut statement = conn.prepare_cached(
                    "SELECT user, grants, owner FROM access_tokens
                     WHERE id = ?1 AND revoked_at IS NULL
                       AND (expires_at IS NULL OR expires_at > ?2)",
                )?;
                let found = statement
                    .query_row(params![token, now.micros()], |row| {
                        Ok(Found {
                            via: Via::Session(self.id),
                            user: row.get(0)?,
                            name: row.get(0)?,
                            grants: Grants::read(&row.get::<_, String>(1)?),
                            account: row.get(2)?,
                            token: None,
                            has_password: false,
                            must_change: false,
                            ends: None,
                            expires: None,
                            used: None,
                        })
                    })
                    .optional()?;
                let Some(found) = found else { return Ok(None) };
                let Some(found) = bounded(conn, found)? else { return Ok(None) };
                Found { token: Some(token), ..found }
            }
            (None, None) => return Ok(None),
        };
        found.ends = Some(self.expires.min(self.seen + idle));
        found.expires = Some(self.expires);
        found.used = Some(self.seen);
        Ok(Some(found))
    }
}

/// A token of a user grants no more than the user has, and nothing once he may not log in.
fn bounded(conn: &Connection, found: Found) -> Result<Option<Found>, StateError> {
    let Some(owner) = &found.account else { return Ok(Some(found)) };
    let Some(row) = tables::user(conn, owner)?.filter(|row| row.enabled) else { return Ok(None) };
    let grants = found.grants.within(&Grants::read(&row.grants));
    Ok(Some(Found { grants, ..found }))
}

/// Who shows a proof.
struct Found {
    via: Via,
    user: String,
    name: String,
    grants: Grants,
    /// The user's id, if one stands behind it.
    account: Option<String>,
    /// The token that is shown, or that the session was opened with.
    token: Option<i64>,
    has_password: bool,
    must_change: bool,
    /// When it ends if nothing is asked with it any more.
    ends: Option<Timestamp>,
    /// When it ends at the latest.
    expires: Option<Timestamp>,
    /// When its use was last written.
    used: Option<Timestamp>,
}

impl Found {
    fn principal(&self, proof: Proof) -> Principal {
        Principal {
            user: self.user.as_str().into(),
            name: self.name.as_str().into(),
            rights: Rights::new(self.grants.clone()),
            proof,
            via: self.via,
            account: self.account.as_deref().map(Into::into),
            token: self.token,
            has_password: self.has_password,
            must_change_password: self.must_change,
            expires_at: self.expires,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::super::{NewToken, Role, UserEntry, UserError};
    use super::*;

    fn credentials() -> Credentials {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        Credentials::open(state, SessionLimits::default()).expect("tables")
    }

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn admin(lifetime: Option<Span>) -> NewToken<'static> {
        NewToken::city("ada", Role::Admin, "test", lifetime)
    }

    fn session(credentials: &Credentials, token: &str) -> String {
        credentials.log_in(token, NOW, None).expect("written").expect("valid").0
    }

    #[test]
    fn only_the_hash_of_a_token_is_kept() {
        let credentials = credentials();
        let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
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
        let proof = Proof::Token(hash(&secret));
        let principal = credentials.check(proof, NOW, None).expect("read").expect("valid");
        assert_eq!(principal.user.as_ref(), "ada");
        assert_eq!(principal.rights.grants(), &Grants::city(Role::Admin));
    }

    #[test]
    fn a_token_with_the_same_beginning_of_the_hash_is_refused() {
        let credentials = credentials();
        let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
        let mut close = hash(&secret);
        close[31] ^= 1;
        assert!(credentials.check(Proof::Token(close), NOW, None).expect("read").is_none());
    }

    #[test]
    fn sessions_end_with_their_time_their_token_and_on_logout() {
        let credentials = credentials();
        let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
        let valid = |secret: &str, at| {
            credentials.check(Proof::Session(hash(secret)), at, None).expect("read").is_some()
        };
        let SessionLimits { idle, lifetime } = credentials.limits();
        let first = session(&credentials, &secret);
        assert!(valid(&first, NOW) && valid(&first, NOW + idle - Span::from_secs(1)));
        assert!(valid(&first, NOW + idle + idle - Span::from_secs(2)), "it was used meanwhile");
        assert!(!valid(&first, NOW + idle + idle + idle), "idle");
        let mut at = NOW;
        while at < NOW + lifetime {
            assert!(valid(&first, at), "{at}");
            at = at + Span::from_hours(6);
        }
        assert!(!valid(&first, NOW + lifetime), "used all the time, and over all the same");
        credentials.log_out(&hash(&first)).expect("written");
        assert!(!valid(&first, NOW), "logged out");

        let second = session(&credentials, &secret);
        let id = credentials.tokens().list().expect("read")[0].id;
        assert!(credentials.tokens().revoke(id, NOW).expect("written"));
        assert!(!valid(&second, NOW), "the token was revoked");
        assert!(credentials.log_in(&secret, NOW, None).expect("read").is_none());
    }

    #[test]
    fn a_token_ends_by_itself_and_its_session_with_it() {
        let credentials = credentials();
        let token = admin(Some(Span::from_mins(10)));
        let secret = credentials.tokens().mint(&token, NOW).expect("minted");
        let session = session(&credentials, &secret);
        let later = NOW + Span::from_mins(10);
        for proof in [Proof::Token(hash(&secret)), Proof::Session(hash(&session))] {
            assert!(credentials.check(proof, NOW, None).expect("read").is_some());
            assert!(credentials.remembered(&proof, NOW + Span::from_secs(9)).is_some());
            assert!(credentials.remembered(&proof, NOW + Span::from_secs(10)).is_none());
            assert!(credentials.check(proof, later, None).expect("read").is_none());
        }
    }

    #[test]
    fn the_use_of_a_token_is_written_now_and_then() {
        let credentials = credentials();
        let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
        let used = |at, from: &str| {
            let from = Some(from.parse().expect("an address"));
            credentials.check(Proof::Token(hash(&secret)), at, from).expect("read");
            let token = credentials.tokens().list().expect("read").remove(0);
            (token.last_used_at.expect("used"), token.last_used_from.expect("from somewhere"))
        };
        assert_eq!(used(NOW, "192.0.2.1"), (NOW, "192.0.2.1".to_owned()));
        let soon = NOW + Span::from_mins(4);
        assert_eq!(used(soon, "192.0.2.2"), (NOW, "192.0.2.1".to_owned()));
        let later = NOW + Span::from_mins(5);
        assert_eq!(used(later, "192.0.2.2"), (later, "192.0.2.2".to_owned()));
    }

    fn put(credentials: &Credentials, grants: Grants, enabled: bool) {
        let entry =
            UserEntry { name: "Bo".to_owned(), email: None, grants, enabled, password: None };
        let users = credentials.users();
        users.put("bo", "ada", NOW, |_| Ok::<_, UserError>(entry)).expect("put");
    }

    #[test]
    fn a_token_of_a_user_grants_what_the_user_has_and_ends_with_the_user() {
        let credentials = credentials();
        put(&credentials, Grants::city(Role::Admin), true);
        let maker = super::super::tokens::Maker { by: "bo", owner: Some("bo") };
        let (_, secret) = credentials.tokens().make(&admin(None), &maker, NOW).expect("made");
        let highest = || {
            let proof = Proof::Token(hash(&secret));
            let found = credentials.check(proof, NOW, None).expect("read");
            found.map(|principal| principal.rights.grants().highest())
        };
        assert_eq!(highest(), Some(Some(Role::Admin)));
        put(&credentials, Grants::city(Role::Admin), true);
        let session = session(&credentials, &secret);
        let others = UserEntry {
            name: "Cy".to_owned(),
            email: None,
            grants: Grants::city(Role::Admin),
            enabled: true,
            password: None,
        };
        let users = credentials.users();
        users.put("cy", "ada", NOW, |_| Ok::<_, UserError>(others)).expect("put");
        put(&credentials, Grants::city(Role::Viewer), true);
        assert_eq!(highest(), Some(Some(Role::Viewer)));
        put(&credentials, Grants::city(Role::Viewer), false);
        assert_eq!(highest(), None);
        let proof = Proof::Session(hash(&session));
        assert!(credentials.check(proof, NOW, None).expect("read").is_none());
        put(&credentials, Grants::city(Role::Viewer), true);
        credentials.users().remove("bo", NOW, |_| Ok::<_, UserError>(())).expect("removed");
        put(&credentials, Grants::city(Role::Admin), true);
        assert_eq!(highest(), None, "another one of the same name has not made it");
    }

    #[test]
    fn what_was_found_out_while_all_was_forgotten_is_not_remembered() {
        let credentials = credentials();
        let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
        let proof = Proof::Token(hash(&secret));
        let principal = credentials.check(proof, NOW, None).expect("read").expect("valid");
        let generation = credentials.checked.generation();
        credentials.checked.forget();
        credentials.checked.put(&principal, NOW + BELIEVED, generation);
        assert!(credentials.remembered(&proof, NOW).is_none());
    }
}
