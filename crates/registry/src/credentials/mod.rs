//! Credentials of devices and of the programs that speak for them: passwords, tokens and
//! certificates, with what each may do.
//!
//! A **client** has a name: the id of a device, or a name of its own, such as a gateway's. Until
//! somebody says otherwise it speaks for the device of its name. It proves who it is by
//! - a **token** of 256 random bits, for HTTP push and as the password of MQTT. Kept as SHA-256, so
//!   that checking one costs a microsecond: the right choice for a fleet, which all reconnects at
//!   once after a power cut;
//! - a **password** that a person chose, kept as argon2id. The first check after a start costs tens
//!   of milliseconds on purpose, those after it a hash;
//! - a **certificate**, by its common name or by the SHA-256 fingerprint of the whole of it.
//!
//! Secrets are shown once, when they are made, and are in no log.

mod check;
mod grant;
mod secret;
mod table;
mod tables;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use city_model::{SharedClock, Span, Timestamp};
use city_store::{StateDb, StateError};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

pub use check::fingerprint;
use check::{certificate_identity, check_name, check_rights, hex, is_fingerprint, problem};
pub use grant::{Devices, Grant, Rights, Standing, Verified};
use secret::{Gate, ProcessKey};
pub use secret::{SHORTEST_PASSWORD, Secret, TOKEN_PREFIX};
use table::{Table, Use};

use crate::RegistryError;

/// What begins the names of those who were let in without credentials: no client is called so, and
/// what they sent stays theirs whatever names are given later.
pub const ANONYMOUS: &str = "anonymous:";
/// What begins the identity of a certificate that is known by its fingerprint.
const FINGERPRINT: &str = "sha256:";
/// How many wrong passwords are remembered, so that a device that keeps sending one costs a hash.
const REMEMBERED_WRONG: usize = 4_096;
/// A use is noted again after this.
const USE_AGAIN: Span = Span::from_secs(60);

/// The order of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameOrder {
    /// From the first to the last.
    #[default]
    Up,
    /// From the last to the first.
    Down,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// By a password.
    Password,
    /// By a token.
    Token,
    /// By a certificate.
    Certificate,
}

impl Proof {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Password, Self::Token, Self::Certificate];

    /// The name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

/// A client as listed: never a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Whether it may connect at all.
    pub enabled: bool,
    /// What it may do.
    pub rights: Rights,
    /// When it was added.
    pub created_at: Timestamp,
    /// How it can prove who it is, oldest first.
    pub credentials: Vec<Credential>,
}

/// A credential as listed: never the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// Its number, for [`Credentials::revoke`].
    pub id: i64,
    /// Of which sort it is.
    pub proof: Proof,
    /// Of a certificate the identity that it is known by.
    pub identity: Option<String>,
    /// What it was made for.
    pub note: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A token just made: the only time that its secret can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// Whose it is.
    pub client: String,
    /// Its number, for [`Credentials::revoke`].
    pub id: i64,
    /// The token.
    pub secret: Secret,
}

/// The clients and their credentials: durable, and in memory for those who ask at every
/// connection. May be shared by threads; reads wait for no disk.
pub struct Credentials {
    state: Arc<StateDb>,
    clock: SharedClock,
    table: RwLock<Table>,
    loading: Mutex<()>,
    key: ProcessKey,
    gate: Gate,
    wrong: Mutex<FxHashSet<[u8; 32]>>,
    uses: Mutex<FxHashMap<i64, Timestamp>>,
    version: AtomicU64,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads them from the state database; makes the tables if they are not there.
    pub fn open(state: Arc<StateDb>, clock: SharedClock) -> Result<Self, RegistryError> {
        tables::migrate(&state)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let credentials = Self {
            state,
            clock,
            table: RwLock::default(),
            loading: Mutex::default(),
            key: ProcessKey::new(),
            gate: Gate::new(cores / 2),
            wrong: Mutex::default(),
            uses: Mutex::default(),
            version: AtomicU64::new(0),
        };
        credentials.load(None)?;
        Ok(credentials)
    }

    /// Reads them again, because somebody else has changed them in the state database.
    pub fn reload(&self) -> Result<(), RegistryError> {
        self.load(None)
    }

    /// Adds a client with these rights, or changes those of one that is there.
    pub fn put_client(&self, name: &str, rights: &Rights) -> Result<(), RegistryError> {
        self.change_rights(name, |_| Ok::<_, RegistryError>(rights.clone())).map(|_| ())
    }

    /// Adds a client, or changes the rights of one that is there, having looked at those that it
    /// has; tells whether it is new.
    pub fn change_rights<E: From<RegistryError>>(
        &self,
        name: &str,
        change: impl FnOnce(Option<&Rights>) -> Result<Rights, E>,
    ) -> Result<bool, E> {
        check_name(name)?;
        let now = self.clock.now();
        let new = self.state.write(|tx| {
            let before = tables::load_clients(tx, Some(name))?.pop();
            let rights = match change(before.as_ref().map(|client| &client.rights)) {
                Ok(rights) => rights,
                Err(error) => return Ok(Err(error)),
            };
            if let Err(error) = check_rights(&rights) {
                return Ok(Err(error.into()));
            }
            tables::put_client(tx, name, &rights, now)?;
            Ok::<_, RegistryError>(Ok(before.is_none()))
        })??;
        self.load(Some(name))?;
        Ok(new)
    }

    /// Lets a client connect, or not, and leaves its rights as they are; `false` if there is no
    /// such client.
    pub fn set_enabled(&self, name: &str, enabled: bool) -> Result<bool, RegistryError> {
        let found = self.state.write(|tx| tables::set_enabled(tx, name, enabled))?;
        self.load(Some(name))?;
        Ok(found)
    }

    /// Gives a client a password, in place of the one before; adds the client if it is not there.
    /// Takes tens of milliseconds. Returns the credential's number.
    pub fn set_password(
        &self,
        name: &str,
        password: &str,
        note: &str,
    ) -> Result<i64, RegistryError> {
        check_name(name)?;
        let problem = |message: String, hint| problem("password", message, hint);
        if password.chars().count() < SHORTEST_PASSWORD {
            let message = format!("it is shorter than {SHORTEST_PASSWORD} characters");
            return Err(problem(message, "use a longer one, or issue a token instead"));
        }
        if password.starts_with(TOKEN_PREFIX) {
            let message = format!("it begins with `{TOKEN_PREFIX}`, as tokens do");
            return Err(problem(message, "choose another one"));
        }
        let hash = self.gate.pass(|| secret::password_hash(password.as_bytes()));
        let hash = hash.ok_or_else(|| problem("it is too long".to_owned(), "use a shorter one"))?;
        self.add(name, Proof::Password, &hash, note)
    }

    /// Makes a token for a client, which is added if it is not there. What is returned is the only
    /// copy of the secret.
    pub fn issue_token(&self, name: &str, note: &str) -> Result<IssuedToken, RegistryError> {
        let issued = self.issue_tokens(&[name], note)?;
        issued
            .into_iter()
            .next()
            .ok_or_else(|| StateError::Sql(rusqlite::Error::InvalidQuery).into())
    }

    /// Makes a token for each of many clients, in one transaction: all or none.
    pub fn issue_tokens(
        &self,
        names: &[&str],
        note: &str,
    ) -> Result<Vec<IssuedToken>, RegistryError> {
        names.iter().try_for_each(|name| check_name(name))?;
        let now = self.clock.now();
        let issued: Vec<IssuedToken> = self.state.write(|tx| {
            let issue = |name: &&str| {
                let secret = Secret::token();
                tables::need_client(tx, name, now)?;
                let hash = hex(&secret::token_hash(secret.expose()));
                let id = tables::put_credential(tx, name, Proof::Token, &hash, note, now)?;
                Ok::<_, StateError>(IssuedToken { client: (*name).to_owned(), id, secret })
            };
            names.iter().map(issue).collect::<Result<_, _>>()
        })?;
        match names {
            [name] => self.load(Some(name))?,
            _ => self.load(None)?,
        }
        Ok(issued)
    }

    /// Lets a client show a certificate with this identity: a common name, or `sha256:` and the
    /// fingerprint in hex, colons allowed. Adds the client if it is not there.
    pub fn bind_certificate(
        &self,
        name: &str,
        identity: &str,
        note: &str,
    ) -> Result<i64, RegistryError> {
        check_name(name)?;
        let identity = certificate_identity(identity)?;
        if let Some(other) = self.state.read(|conn| tables::bound_to(conn, &identity))? {
            let message = format!("`{identity}` is bound to the client `{other}` already");
            return Err(problem("identity", message, "revoke it there first"));
        }
        self.add(name, Proof::Certificate, &identity, note)
    }

    /// Makes one credential of a client worthless; `false` if there is none of this number.
    pub fn revoke(&self, name: &str, id: i64) -> Result<bool, RegistryError> {
        let found = self.state.write(|tx| tables::delete_credential(tx, name, id))?;
        self.load(Some(name))?;
        Ok(found)
    }

    /// Forgets a client with all its credentials; `false` if there is none of this name.
    pub fn remove(&self, name: &str) -> Result<bool, RegistryError> {
        self.remove_if(name, |_| Ok(()))
    }

    /// The same if `check`, which gets its rights, does not refuse.
    pub fn remove_if<E: From<RegistryError>>(
        &self,
        name: &str,
        check: impl FnOnce(&Rights) -> Result<(), E>,
    ) -> Result<bool, E> {
        let found = self.state.write(|tx| {
            if let Some(client) = tables::load_clients(tx, Some(name))?.pop()
                && let Err(refusal) = check(&client.rights)
            {
                return Ok(Err(refusal));
            }
            Ok::<_, RegistryError>(Ok(tables::delete_client(tx, name)?))
        })??;
        self.load(Some(name))?;
        Ok(found)
    }

    /// All clients by name, with their credentials.
    pub fn list(&self) -> Result<Vec<Client>, RegistryError> {
        self.read(None)
    }

    /// A page of clients by name, in an order: those with `words` in their name (in any case), after the one
    /// called `after`, at most `limit`; and how many have the words in all.
    pub fn page(
        &self,
        words: &str,
        order: NameOrder,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Client>, usize), RegistryError> {
        let (names, total) =
            self.state.read(|conn| tables::page(conn, words, order, after, limit))?;
        let clients = names.iter().map(|name| self.client(name));
        let clients: Vec<_> = clients.collect::<Result<_, _>>()?;
        Ok((clients.into_iter().flatten().collect(), total))
    }

    /// One client.
    pub fn client(&self, name: &str) -> Result<Option<Client>, RegistryError> {
        Ok(self.read(Some(name))?.pop())
    }

    /// Whether there is no client at all: nobody has been given a credential yet.
    pub fn is_empty(&self) -> bool {
        self.table().clients.is_empty()
    }

    /// Counts up with every change, so that whoever keeps connections open can look again.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The present rights of a client; `None` if there is none of this name, or it is disabled:
    /// where the difference matters, ask for its [`standing`](Self::standing).
    pub fn grant(&self, name: &str) -> Option<Grant> {
        match self.standing(name) {
            Standing::Granted(grant) => Some(grant),
            Standing::Unknown | Standing::Disabled => None,
        }
    }

    /// How the client of this name stands.
    pub fn standing(&self, name: &str) -> Standing {
        match self.table().clients.get(name) {
            None => Standing::Unknown,
            Some(entry) if !entry.enabled => Standing::Disabled,
            Some(entry) => Standing::Granted(entry.grant.clone()),
        }
    }

    /// Whether a device has credentials, or is one that a client lists as its own: then nobody
    /// speaks for it without credentials, also while that client is disabled.
    pub fn is_guarded(&self, device: &str) -> bool {
        self.table().is_guarded(device)
    }

    /// Whether what was verified is still so: the client has the rights that it had, and the
    /// credential that it showed is still its own.
    pub fn still_holds(&self, verified: &Verified) -> bool {
        let table = self.table();
        table.clients.get(&verified.grant.name).is_some_and(|entry| {
            entry.enabled
                && entry.grant == verified.grant
                && entry.credentials.contains(&verified.credential)
        })
    }

    /// Who has this name and this password, or this token as the password. Quick for tokens and
    /// for passwords that were checked since the start; else tens of milliseconds.
    pub fn verify_password(&self, name: &str, password: &[u8]) -> Option<Verified> {
        if let Some(known) = self.known_password(name, password) {
            return known;
        }
        let version = self.version();
        let digest = self.key.digest(name, password);
        let found = self
            .table()
            .clients
            .get(name)
            .filter(|entry| entry.enabled)
            .map(|entry| (entry.grant.clone(), entry.password.clone()));
        let (grant, stored) = match found {
            Some((grant, stored)) => (Some(grant), stored),
            None => (None, None),
        };
        // Who is not known costs as much, so that nobody can ask which names there are.
        let hash = stored.as_ref().map_or_else(|| nobody(), |stored| &stored.hash);
        let right = self.gate.pass(|| secret::is_password(password, hash));
        let Some(stored) = stored.filter(|_| right) else {
            self.remember_wrong(digest, version);
            return None;
        };
        let _ = stored.right.set(digest); // an error says that another thread was quicker
        self.note_use(&stored.used);
        Some(Verified { grant: grant?, credential: stored.used.id })
    }

    /// What [`Credentials::verify_password`] says, where it takes no hashing of a password: of
    /// tokens, and of passwords that were found right or wrong since the start. `None`: it is not
    /// known yet.
    pub fn known_password(&self, name: &str, password: &[u8]) -> Option<Option<Verified>> {
        if password.starts_with(TOKEN_PREFIX.as_bytes()) {
            let token = std::str::from_utf8(password).ok();
            let verified = token.and_then(|token| self.verify_token(token));
            return Some(verified.filter(|verified| &*verified.grant.name == name));
        }
        let digest = self.key.digest(name, password);
        let table = self.table();
        if let Some(entry) = table.clients.get(name).filter(|entry| entry.enabled)
            && let Some(stored) = &entry.password
            && stored.right.get().is_some_and(|right| secret::same(right, &digest))
        {
            self.note_use(&stored.used);
            let grant = entry.grant.clone();
            return Some(Some(Verified { grant, credential: stored.used.id }));
        }
        drop(table);
        self.wrong().contains(&digest).then_some(None)
    }

    /// Whose token this is. Quick.
    pub fn verify_token(&self, token: &str) -> Option<Verified> {
        // Looked up by its hash: what the timing tells of a hash helps nobody to find a token.
        let hash = secret::token_hash(token);
        self.verified(|table| table.tokens.get(&hash))
    }

    /// Whose certificate has this fingerprint: `sha256:` and the digits, as [`fingerprint`] writes
    /// it. That the certificate is valid, the listener has checked. Quick.
    pub fn verify_fingerprint(&self, fingerprint: &str) -> Option<Verified> {
        let identity = is_fingerprint(fingerprint).then(|| certificate_identity(fingerprint))?;
        let identity = identity.ok()?;
        self.verified(|table| table.certificates.get(&*identity))
    }

    /// Whose certificate names this as its subject, as its common name or another. That the
    /// certificate is valid, the listener has checked. Whatever an authority signs as a name is
    /// never taken for a fingerprint. Quick.
    pub fn verify_certificate_name(&self, name: &str) -> Option<Verified> {
        if is_fingerprint(name) {
            return None;
        }
        self.verified(|table| table.certificates.get(name))
    }

    /// Writes down what was used since the last time; to be called now and then, and at the end.
    pub fn save_uses(&self) -> Result<(), RegistryError> {
        let uses: Vec<(i64, i64)> = {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            uses.drain().map(|(id, at)| (id, at.micros())).collect()
        };
        if !uses.is_empty() {
            self.state.write(|tx| tables::save_uses(tx, &uses))?;
        }
        Ok(())
    }
}

impl Credentials {
    fn add(
        &self,
        name: &str,
        proof: Proof,
        secret: &str,
        note: &str,
    ) -> Result<i64, RegistryError> {
        let now = self.clock.now();
        let id = self.state.write(|tx| {
            tables::need_client(tx, name, now)?;
            tables::put_credential(tx, name, proof, secret, note, now)
        })?;
        self.load(Some(name))?;
        Ok(id)
    }

    fn read(&self, name: Option<&str>) -> Result<Vec<Client>, RegistryError> {
        let (clients, credentials) = self.state.read(|conn| {
            let clients = tables::load_clients(conn, name)?;
            Ok::<_, RegistryError>((clients, tables::load_credentials(conn, name)?))
        })?;
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of: BTreeMap<String, Vec<Credential>> = BTreeMap::new();
        for row in credentials {
            of.entry(row.client).or_default().push(Credential {
                id: row.id,
                proof: row.proof,
                identity: (row.proof == Proof::Certificate).then_some(row.secret),
                note: row.note,
                created_at: row.created_at,
                last_used_at: uses.get(&row.id).copied().or(row.last_used_at),
            });
        }
        drop(uses);
        let client = |row: tables::ClientRow| Client {
            credentials: of.remove(&row.name).unwrap_or_default(),
            name: row.name,
            enabled: row.enabled,
            rights: row.rights,
            created_at: row.created_at,
        };
        Ok(clients.into_iter().map(client).collect())
    }

    /// Takes what the database says of one client, or of all, into memory.
    fn load(&self, name: Option<&str>) -> Result<(), RegistryError> {
        // One at a time, so that of two changes the later one is read last.
        let _order = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let (clients, credentials) = self.state.read(|conn| {
            let clients = tables::load_clients(conn, name)?;
            Ok::<_, RegistryError>((clients, tables::load_credentials(conn, name)?))
        })?;
        let mut fresh = Table::default();
        for client in clients {
            fresh.add_client(&client)?;
        }
        for credential in credentials {
            fresh.add_credential(credential);
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.replace(name, fresh);
        drop(table);
        self.version.fetch_add(1, Ordering::Release);
        self.wrong().clear();
        Ok(())
    }

    fn verified(
        &self,
        find: impl FnOnce(&Table) -> Option<&(Arc<str>, Arc<Use>)>,
    ) -> Option<Verified> {
        let table = self.table();
        let (name, used) = find(&table)?;
        let entry = table.clients.get(name).filter(|entry| entry.enabled)?;
        self.note_use(used);
        Some(Verified { grant: entry.grant.clone(), credential: used.id })
    }

    fn note_use(&self, used: &Use) {
        let now = self.clock.now();
        if now.since(Timestamp::from_micros(used.at.load(Ordering::Relaxed))) >= USE_AGAIN {
            used.at.store(now.micros(), Ordering::Relaxed);
            self.uses.lock().unwrap_or_else(PoisonError::into_inner).insert(used.id, now);
        }
    }

    /// Remembers that a password is wrong, unless something was changed meanwhile.
    fn remember_wrong(&self, digest: [u8; 32], version: u64) {
        let mut wrong = self.wrong();
        if wrong.len() >= REMEMBERED_WRONG {
            wrong.clear();
        }
        if self.version() == version {
            wrong.insert(digest);
        }
    }

    fn wrong(&self) -> std::sync::MutexGuard<'_, FxHashSet<[u8; 32]>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash of a password that nobody has.
fn nobody() -> &'static String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| secret::password_hash(&rand::random::<[u8; 32]>()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
