//! Clients and their credentials in memory, as connections ask for them.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, OnceLock};

use city_decode::topic::TopicFilter;
use city_model::Timestamp;
use rustc_hash::FxHashMap;

use super::check::{problem, unhex};
use super::{Devices, Grant, Proof, Rights, tables};
use crate::RegistryError;

#[derive(Default)]
pub(super) struct Table {
    pub(super) clients: FxHashMap<Arc<str>, Entry>,
    pub(super) tokens: FxHashMap<[u8; 32], (Arc<str>, Arc<Use>)>,
    pub(super) certificates: FxHashMap<Box<str>, (Arc<str>, Arc<Use>)>,
    /// How many clients name a device as one that they speak for.
    listed: FxHashMap<Arc<str>, usize>,
}

pub(super) struct Entry {
    pub(super) enabled: bool,
    pub(super) grant: Grant,
    pub(super) password: Option<Arc<Password>>,
    /// The numbers of its credentials.
    pub(super) credentials: Vec<i64>,
}

/// A password's hash, and what was remembered of the right one.
pub(super) struct Password {
    pub(super) hash: String,
    pub(super) right: OnceLock<[u8; 32]>,
    pub(super) used: Arc<Use>,
}

/// When a credential was last used.
pub(super) struct Use {
    pub(super) id: i64,
    pub(super) at: AtomicI64,
}

impl Table {
    /// Takes `fresh` in place of what was known of one client, or of all.
    pub(super) fn replace(&mut self, name: Option<&str>, fresh: Self) {
        let Some(name) = name else {
            *self = fresh;
            return;
        };
        if let Some(before) = self.clients.remove(name) {
            self.unlist(&before.grant.devices);
            self.tokens.retain(|_, (client, _)| &**client != name);
            self.certificates.retain(|_, (client, _)| &**client != name);
        }
        self.clients.extend(fresh.clients);
        self.tokens.extend(fresh.tokens);
        self.certificates.extend(fresh.certificates);
        for (device, count) in fresh.listed {
            *self.listed.entry(device).or_default() += count;
        }
    }

    /// Whether a device is that of a client, also of one that is disabled.
    pub(super) fn is_guarded(&self, device: &str) -> bool {
        self.clients.contains_key(device) || self.listed.contains_key(device)
    }

    pub(super) fn add_client(&mut self, row: &tables::ClientRow) -> Result<(), RegistryError> {
        let name: Arc<str> = row.name.as_str().into();
        let grant = grant_of(&name, &row.rights)?;
        if let Devices::List(ids) = &grant.devices {
            for id in ids.iter() {
                *self.listed.entry(id.clone()).or_default() += 1;
            }
        }
        let (enabled, credentials) = (row.enabled, Vec::new());
        self.clients.insert(name, Entry { enabled, grant, password: None, credentials });
        Ok(())
    }

    fn unlist(&mut self, devices: &Devices) {
        let Devices::List(ids) = devices else { return };
        for id in ids.iter() {
            if let Some(count) = self.listed.get_mut(id) {
                *count -= 1;
                if *count == 0 {
                    self.listed.remove(id);
                }
            }
        }
    }

    pub(super) fn add_credential(&mut self, row: tables::CredentialRow) {
        let at = row.last_used_at.unwrap_or(Timestamp::MIN).micros();
        let used = Arc::new(Use { id: row.id, at: AtomicI64::new(at) });
        let Some(entry) = self.clients.get_mut(row.client.as_str()) else { return };
        let name = entry.grant.name.clone();
        entry.credentials.push(row.id);
        match row.proof {
            Proof::Password => {
                let password = Password { hash: row.secret, right: OnceLock::new(), used };
                entry.password = Some(Arc::new(password));
            }
            Proof::Token => {
                if let Some(hash) = unhex(&row.secret) {
                    self.tokens.insert(hash, (name, used));
                }
            }
            Proof::Certificate => {
                self.certificates.insert(row.secret.into(), (name, used));
            }
        }
    }
}

pub(super) fn grant_of(name: &Arc<str>, rights: &Rights) -> Result<Grant, RegistryError> {
    let devices = match &rights.devices {
        _ if rights.any_device => Devices::Any,
        Some(ids) => Devices::list(ids.iter().map(String::as_str)),
        None => Devices::Own,
    };
    let filter = |(index, text): (usize, &String)| {
        TopicFilter::parse(text).map_err(|error| {
            let hint = "write a topic, or a filter such as `city/gw-1/#`";
            problem(&format!("publish[{index}]"), error.to_string(), hint)
        })
    };
    let publish = rights.publish.iter().enumerate().map(filter).collect::<Result<_, _>>()?;
    Ok(Grant { name: name.clone(), devices, publish })
}
