//! Logging in with a password, without telling strangers anything and without letting them lock
//! anybody out.
//!
//! A browser on which a user has logged in is known by a cookie, and has its own count of wrong
//! passwords: whoever guesses elsewhere uses up what is there for strangers (OWASP, "Device
//! cookies").

use std::net::IpAddr;

use city_model::{Span, Timestamp};
use city_store::StateError;
use rusqlite::params;

use super::throttle::Named;
use super::tokens::{hash, random_secret};
use super::user::User;
use super::users::candidate;
use super::{Credentials, LoginFailures, Throttle, passwords};

/// How long a browser is known after a login.
pub(crate) const BROWSER_KNOWN: Span = Span::from_hours(180 * 24);
/// On how many browsers a user is known.
const BROWSERS: i64 = 20;

/// A login with a password.
#[derive(Clone)]
pub(crate) struct PasswordLogin {
    pub(crate) user: String,
    pub(crate) password: String,
    /// Where it comes from.
    pub(crate) from: IpAddr,
    /// What the browser has as the cookie by which it would be known.
    pub(crate) browser: Option<String>,
}

/// Why somebody is not let in. There is one answer for all who are not who they say, or are nobody.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The name or the password is wrong.
    Wrong,
    /// Too many were wrong before: try again in so many seconds.
    Wait(u32),
}

impl PasswordLogin {
    fn named(&self) -> Named {
        hash(&self.user)
    }

    /// The browser, if the user is known on it. Blocks.
    pub(crate) fn known_browser(
        &self,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Option<Named>, StateError> {
        let Some(browser) = self.browser.as_deref().map(hash) else { return Ok(None) };
        let known = credentials.state.read(|conn| {
            let sql = "SELECT EXISTS (SELECT 1 FROM known_browsers
                       WHERE hash = ?1 AND user = ?2 AND expires_at > ?3)";
            conn.query_row(sql, params![&browser[..], self.user, now.micros()], |row| row.get(0))
                .map_err(StateError::from)
        })?;
        Ok(Some(browser).filter(|_| known))
    }

    /// Whether it has to wait, before anything costly is done for it.
    pub(crate) fn must_wait(
        &self,
        known: Option<Named>,
        (accounts, addresses): (&LoginFailures, &Throttle),
        now: Timestamp,
    ) -> Result<(), Refused> {
        // Somebody behind the same address may guess: a known browser goes by its own count.
        let address = if known.is_some() { None } else { addresses.refuses(self.from, now) };
        let wait = accounts.refuses(self.named(), known, now).max(address);
        wait.map_or(Ok(()), |seconds| Err(Refused::Wait(seconds)))
    }

    /// The user, if the password is right and he may log in. Takes as long for nobody. Blocks, and
    /// costs much on purpose.
    pub(crate) fn verify(&self, credentials: &Credentials) -> Result<Option<User>, StateError> {
        let candidate = candidate(&credentials.state, &self.user)?;
        let kept = candidate.as_ref().and_then(|candidate| candidate.password.as_deref());
        if !passwords::is_right(&self.password, kept) {
            return Ok(None);
        }
        if let Some(kept) = kept.filter(|kept| passwords::is_outdated(kept))
            && let Ok(anew) = passwords::hash(&self.password)
        {
            // Unless it was changed meanwhile.
            let sql = "UPDATE users SET password = ?3 WHERE id = ?1 AND password = ?2";
            credentials.state.write(|tx| tx.execute(sql, params![self.user, kept, anew]))?;
        }
        Ok(candidate.map(|candidate| candidate.user))
    }

    /// Counts a wrong password.
    pub(crate) fn failed(
        &self,
        known: Option<Named>,
        (accounts, addresses): (&LoginFailures, &Throttle),
        now: Timestamp,
    ) -> Refused {
        accounts.failed(self.named(), known, now);
        match addresses.failed(self.from, now) {
            Ok(()) => Refused::Wrong,
            Err(_) if known.is_some() => Refused::Wrong,
            Err(seconds) => Refused::Wait(seconds),
        }
    }
}

/// Makes a browser known for a user; the value of its cookie. Blocks.
pub(crate) fn know_browser(
    credentials: &Credentials,
    user: &str,
    before: Option<&str>,
    now: Timestamp,
) -> Result<String, StateError> {
    let secret = random_secret();
    credentials.state.write(|tx| {
        let before = before.map(hash);
        tx.execute(
            "DELETE FROM known_browsers WHERE expires_at <= ?1 OR (hash = ?2 AND user = ?3)",
            params![now.micros(), before.as_ref().map(|hash| &hash[..]), user],
        )?;
        tx.execute(
            "DELETE FROM known_browsers WHERE user = ?1 AND hash NOT IN
               (SELECT hash FROM known_browsers WHERE user = ?1
                ORDER BY expires_at DESC LIMIT ?2)",
            params![user, BROWSERS - 1],
        )?;
        tx.execute(
            "INSERT INTO known_browsers (hash, user, expires_at) VALUES (?1, ?2, ?3)",
            params![&hash(&secret)[..], user, (now + BROWSER_KNOWN).micros()],
        )?;
        Ok::<_, StateError>(())
    })?;
    Ok(secret)
}
