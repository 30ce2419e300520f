//! One device at a time: what is registered of it, changed without losing what somebody else
//! changed meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::DeviceKey;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::registry::build;
use crate::{DeviceEntry, Registry, RegistryError, tables};

/// What became of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is different now.
    Changed,
    /// It was exactly so before.
    Unchanged,
}

impl Registry {
    /// What is registered of a device.
    pub fn entry(&self, id: &str) -> Option<DeviceEntry> {
        let entries = self.lock();
        let key = self.directory().device_by_id(id)?.key;
        entries.get(&key).cloned()
    }

    /// The fields that a device has from its kind; see [`DeviceEntry::inherited`].
    pub fn inherited(&self, id: &str) -> Vec<String> {
        let Some(entry) = self.entry(id) else { return Vec::new() };
        self.kind(&entry.kind).map(|kind| entry.inherited(&kind)).unwrap_or_default()
    }

    /// Registers a device, or changes what is registered of it. `change` gets what there is and
    /// gives what shall be, or a refusal; nobody else changes anything meanwhile.
    pub fn change_device<E: From<RegistryError>>(
        &self,
        id: &str,
        change: impl FnOnce(Option<&DeviceEntry>) -> Result<DeviceEntry, E>,
    ) -> Result<(DeviceEntry, Change), E> {
        let mut entries = self.lock();
        let old = self.directory();
        let before = old.device_by_id(id).and_then(|device| entries.get(&device.key));
        let entry = change(before)?.tidy();
        let problems = entry.problems();
        if !problems.is_empty() {
            return Err(RegistryError::Fields(problems).into());
        }
        let done = match before {
            Some(before) if *before == entry => return Ok((entry, Change::Unchanged)),
            Some(_) => Change::Changed,
            None => Change::Added,
        };
        let key = self.state.write(|tx| tables::put_device(tx, &entry))?;
        self.show(&mut entries, key, entry.clone());
        Ok((entry, done))
    }

    /// Lets everybody see a device that was written.
    pub(crate) fn show(
        &self,
        entries: &mut BTreeMap<DeviceKey, DeviceEntry>,
        key: DeviceKey,
        entry: DeviceEntry,
    ) {
        let mut directory = (*self.directory()).clone();
        directory.version += 1;
        directory.put(build(key, &entry, &self.kinds.load(), &self.zones()));
        entries.insert(key, entry);
        self.directory.store(Arc::new(directory));
    }

    /// Forgets a device, as if it had never been registered; its key is given to no other.
    /// `check` gets what is registered and can refuse. `false` if there is no such device.
    ///
    /// For devices that were registered by mistake: those that have sent something are retired.
    pub fn remove_device<E: From<RegistryError>>(
        &self,
        id: &str,
        check: impl FnOnce(&DeviceEntry) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut entries = self.lock();
        let old = self.directory();
        let Some(key) = old.device_by_id(id).map(|device| device.key) else { return Ok(false) };
        if let Some(entry) = entries.get(&key) {
            check(entry)?;
        }
        self.state.write(|tx| tables::delete_device(tx, id, key))?;
        let mut directory = (*old).clone();
        directory.version += 1;
        directory.remove(key);
        entries.remove(&key);
        self.directory.store(Arc::new(directory));
        drop(entries);
        self.provisioning.forget(id);
        Ok(true)
    }
}

/// A tag of what is registered: the same exactly as long as it is.
pub fn tag(of: &impl Serialize) -> String {
    let digest: [u8; 32] = Sha256::digest(serde_json::to_vec(of).unwrap_or_default()).into();
    let head = digest.first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(head))
}

#[cfg(test)]
mod tests {
    use city_model::LifeCycle;
    use city_store::StateDb;

    use super::*;
    use crate::Seed;

    fn registry(state: &Arc<StateDb>) -> Registry {
        Registry::open(state.clone(), Seed::default()).expect("a registry")
    }

    fn lamp(id: &str) -> DeviceEntry {
        DeviceEntry::unknown(id, "lamp", "works", false)
    }

    #[test]
    fn a_change_sees_what_there_is_and_can_refuse() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = registry(&state);
        let add = |before: Option<&DeviceEntry>| {
            assert_eq!(before, None);
            Ok::<_, RegistryError>(lamp("a"))
        };
        let (entry, done) = registry.change_device("a", add).expect("added");
        assert_eq!((done, registry.entry("a")), (Change::Added, Some(entry.clone())));
        let first = tag(&entry);

        let retire = |before: Option<&DeviceEntry>| {
            let before = before.expect("known").clone();
            Ok::<_, RegistryError>(DeviceEntry { life_cycle: LifeCycle::Retired, ..before })
        };
        let (retired, done) = registry.change_device("a", retire).expect("changed");
        assert_eq!(done, Change::Changed);
        assert_ne!(tag(&retired), first);
        assert_eq!(registry.change_device("a", retire).expect("again").1, Change::Unchanged);

        let bad = registry.change_device("a", |_| {
            Ok::<_, RegistryError>(DeviceEntry { kind: String::new(), ..lamp("a") })
        });
        assert!(matches!(bad, Err(RegistryError::Fields(problems)) if problems[0].field == "kind"));
        assert_eq!(registry.entry("a"), Some(retired));
    }

    #[test]
    fn the_key_of_a_removed_device_is_given_to_no_other() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = registry(&state);
        registry.import(&[lamp("a"), lamp("b")]).expect("taken");
        let gone = registry.directory().device_by_id("b").expect("b").key;
        let refused = registry.remove_device("b", |_| Err(RegistryError::TooManyMetrics));
        assert!(refused.is_err() && registry.entry("b").is_some());
        let check = |_: &DeviceEntry| Ok::<_, RegistryError>(());
        assert!(registry.remove_device("b", check).expect("removed"));
        assert!(!registry.remove_device("b", check).expect("gone"));
        let directory = registry.directory();
        assert!(directory.device(gone).is_none() && directory.device_by_id("b").is_none());

        let reopened = Registry::open(state, Seed::default()).expect("a registry");
        reopened.import(&[lamp("b")]).expect("taken");
        let again = reopened.directory().device_by_id("b").expect("b").key;
        assert!(again > gone, "{again:?} was another device's");
    }
}
