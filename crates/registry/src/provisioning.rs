//! Devices that nobody registered: who they are and since when they call, who may register by
//! calling, and how many.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use city_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DeviceEntry, Registry, RegistryError, check_id, seen_tables, tables};

/// The most unknown devices that are remembered; then those go that were silent longest.
const MOST_UNKNOWN: usize = 10_000;
/// How many go at once when there are too many.
const LET_GO: usize = MOST_UNKNOWN / 10;

/// A device that sent something and is not registered.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownDevice {
    /// Its id.
    pub id: String,
    /// The source that it came through last.
    pub source: String,
    /// The kind that its topic named last, or its source says.
    pub kind: String,
    /// The department that its topic named last, or its source says.
    pub department: String,
    /// Whether what it sends is simulated or test data.
    pub simulated: bool,
    /// When it was first heard.
    pub first_seen: Timestamp,
    /// When it was last heard.
    pub last_seen: Timestamp,
    /// How many of its readings became dead letters, to about a minute before a crash.
    pub count: u64,
    /// Whether somebody said that it is of no interest. Its messages are still kept.
    pub ignored: bool,
}

/// A line of a source's policy: devices that may register by sending something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisioningRule {
    /// Which ids: `*` stands for any characters, `?` for one.
    pub pattern: String,
    /// The kind that they get; that of the topic or the source if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The department that they get; that of the topic or the source if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

impl ProvisioningRule {
    /// Whether it is about a device of this id.
    pub fn matches(&self, id: &str) -> bool {
        glob(&self.pattern, id)
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        if self.pattern.is_empty() {
            return Some("the pattern is empty; write `*` for every device".to_owned());
        }
        let names = [("kind", &self.kind), ("department", &self.department)];
        names.into_iter().find_map(|(field, name)| {
            let why = check_id(name.as_deref()?).err()?;
            Some(format!("{field}: {why}"))
        })
    }
}

/// Why a device could not register by sending something.
#[derive(Debug, thiserror::Error)]
pub enum NotRegistered {
    /// Its source has registered as many as it may.
    #[error("source `{source_id}` has registered {max} devices already")]
    Full {
        /// The source.
        source_id: String,
        /// How many it may register.
        max: usize,
    },
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// What is known of devices that nobody registered.
pub(crate) struct Provisioning(Mutex<State>);

#[derive(Default)]
struct State {
    unknown: HashMap<String, UnknownDevice>,
    /// The sources through which devices registered by calling.
    registered: HashMap<String, String>,
    /// How many each source registered.
    counts: HashMap<String, usize>,
    /// Whether something of the unknown devices is not written down yet.
    changed: bool,
}

impl Provisioning {
    pub(crate) fn new(unknown: Vec<UnknownDevice>, registered: Vec<(String, String)>) -> Self {
        let mut state = State::default();
        state.unknown.extend(unknown.into_iter().map(|device| (device.id.clone(), device)));
        let provisioning = Self(Mutex::new(state));
        provisioning.reset(registered);
        provisioning
    }

    /// Takes which devices registered by calling, and through which sources.
    pub(crate) fn reset(&self, registered: Vec<(String, String)>) {
        let state = &mut *self.lock();
        state.counts.clear();
        for (_, source) in &registered {
            *state.counts.entry(source.clone()).or_default() += 1;
        }
        state.registered = registered.into_iter().collect();
    }

    /// What is to be written down, if anything changed since the last time.
    pub(crate) fn take_changed(&self) -> Option<Vec<UnknownDevice>> {
        let mut state = self.lock();
        std::mem::take(&mut state.changed).then(|| state.unknown.values().cloned().collect())
    }

    /// Forgets that a device ever registered by calling.
    pub(crate) fn forget(&self, id: &str) {
        let state = &mut *self.lock();
        if let Some(source) = state.registered.remove(id)
            && let Some(count) = state.counts.get_mut(&source)
        {
            *count = count.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Notes that a device that is not registered sent something.
    pub fn see_unknown(&self, entry: &DeviceEntry, source: &str, received: Timestamp) {
        let state = &mut *self.provisioning.lock();
        state.changed = true;
        if let Some(known) = state.unknown.get_mut(&entry.id) {
            known.last_seen = known.last_seen.max(received);
            known.count += 1;
            source.clone_into(&mut known.source);
            known.kind.clone_from(&entry.kind);
            known.department.clone_from(&entry.department);
            known.simulated = entry.simulated;
            return;
        }
        if state.unknown.len() >= MOST_UNKNOWN {
            let mut by_age: Vec<_> = state
                .unknown
                .values()
                .map(|device| (device.ignored, device.last_seen, device.id.clone()))
                .collect();
            by_age.sort_unstable();
            for (_, _, id) in by_age.into_iter().take(LET_GO) {
                state.unknown.remove(&id);
            }
        }
        let device = UnknownDevice {
            id: entry.id.clone(),
            source: source.to_owned(),
            kind: entry.kind.clone(),
            department: entry.department.clone(),
            simulated: entry.simulated,
            first_seen: received,
            last_seen: received,
            count: 1,
            ignored: false,
        };
        state.unknown.insert(entry.id.clone(), device);
    }

    /// Registers a device that called, unless its source has registered `max` already: a source
    /// that makes up ids must not fill the registry.
    pub fn register_unknown(
        &self,
        entry: DeviceEntry,
        source: &str,
        max: usize,
    ) -> Result<(), NotRegistered> {
        if self.directory().device_by_id(&entry.id).is_some() {
            return Ok(());
        }
        if self.self_registered(source) >= max {
            return Err(NotRegistered::Full { source_id: source.to_owned(), max });
        }
        let entry = entry.tidy();
        let problems = entry.problems();
        if !problems.is_empty() {
            return Err(RegistryError::Fields(problems).into());
        }
        Ok(self.again(|| self.put_unknown(&entry, source))?)
    }

    fn put_unknown(&self, entry: &DeviceEntry, source: &str) -> Result<(), RegistryError> {
        let mut entries = self.lock();
        // Somebody may have registered it while this waited for the lock.
        if self.directory().device_by_id(&entry.id).is_some() {
            return Ok(());
        }
        let id = entry.id.clone();
        let key = self.state.write(|tx| {
            seen_tables::note_registered(tx, &id, source)?;
            tables::put_device(tx, entry)
        })?;
        self.show(&mut entries, key, entry.clone());
        drop(entries);
        let state = &mut *self.provisioning.lock();
        if state.registered.insert(id.clone(), source.to_owned()).is_none() {
            *state.counts.entry(source.to_owned()).or_default() += 1;
        }
        state.unknown.remove(&id);
        state.changed = true;
        Ok(())
    }

    /// The devices that call and are not registered, those heard last first.
    pub fn unknown_devices(&self) -> Vec<UnknownDevice> {
        let directory = self.directory();
        let mut devices: Vec<_> = self.provisioning.lock().unknown.values().cloned().collect();
        devices.retain(|device| directory.device_by_id(&device.id).is_none());
        devices.sort_unstable_by(|a, b| (b.last_seen, &a.id).cmp(&(a.last_seen, &b.id)));
        devices
    }

    /// One of them.
    pub fn unknown_device(&self, id: &str) -> Option<UnknownDevice> {
        if self.directory().device_by_id(id).is_some() {
            return None;
        }
        self.provisioning.lock().unknown.get(id).cloned()
    }

    /// Says that an unknown device is of no interest, or that it is; `false` if it is not there.
    pub fn ignore_unknown(&self, id: &str, ignored: bool) -> Result<bool, RegistryError> {
        let row = {
            let state = &mut *self.provisioning.lock();
            let Some(device) = state.unknown.get_mut(id) else { return Ok(false) };
            device.ignored = ignored;
            device.clone()
        };
        self.state.write(|tx| seen_tables::put_seen_device(tx, &row))?;
        Ok(true)
    }

    /// How many devices registered by calling, by source.
    pub fn self_registered(&self, source: &str) -> usize {
        self.provisioning.lock().counts.get(source).copied().unwrap_or(0)
    }
}

/// Whether a text fits a pattern with `*` and `?`: linear in both, whatever the pattern is.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and up to where it has taken the text.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                None => return false,
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use city_store::StateDb;

    use super::*;
    use crate::Seed;

    fn open(state: &Arc<StateDb>) -> Registry {
        Registry::open(state.clone(), Seed::default()).expect("a registry")
    }

    fn entry(id: &str) -> DeviceEntry {
        DeviceEntry::unknown(id, "air", "env", false)
    }

    #[test]
    fn patterns_are_globs() {
        for (pattern, id, fits) in [
            ("air-*", "air-12", true),
            ("air-*", "air-", true),
            ("air-*", "xair-1", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*-?", "lamp-x-7", true),
            ("*ab*ab", "abxabab", true),
            ("空气-*", "空气-1", true),
            ("air", "AIR", false),
        ] {
            assert_eq!(glob(pattern, id), fits, "{pattern} {id}");
        }
        // A pattern that makes backtracking matchers hang.
        assert!(!glob(&"*a".repeat(50), &"a".repeat(49)));
    }

    #[test]
    fn who_calls_is_listed_until_registered_and_after_a_restart() {
        let at = Timestamp::from_secs;
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        registry.see_unknown(&entry("a"), "mqtt", at(1));
        registry.see_unknown(&entry("b"), "mqtt", at(2));
        registry.see_unknown(&entry("a"), "http", at(3));
        assert!(registry.ignore_unknown("b", true).expect("ignored"));
        assert!(!registry.ignore_unknown("c", true).expect("not there"));
        registry.save_seen().expect("saved");
        for registry in [&registry, &open(&state)] {
            let devices = registry.unknown_devices();
            let short: Vec<_> = devices
                .iter()
                .map(|d| (d.id.as_str(), d.source.as_str(), d.count, d.ignored))
                .collect();
            assert_eq!(short, [("a", "http", 2, false), ("b", "mqtt", 1, true)]);
            assert_eq!((devices[0].first_seen, devices[0].last_seen), (at(1), at(3)));
        }
        registry.import(&[entry("a")]).expect("registered");
        assert_eq!(registry.unknown_devices().len(), 1);
        assert_eq!(registry.unknown_device("a"), None);
    }

    #[test]
    fn a_source_that_makes_up_ids_stops_at_its_cap_and_fills_no_memory() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        for id in ["a", "b", "b"] {
            registry.register_unknown(entry(id), "mqtt", 2).expect("below the cap");
        }
        let error = registry.register_unknown(entry("c"), "mqtt", 2).expect_err("full");
        assert!(error.to_string().contains("2 devices already"), "{error}");
        let reopened = open(&state);
        assert!(reopened.register_unknown(entry("c"), "mqtt", 2).is_err(), "it lasts");
        reopened.register_unknown(entry("c"), "other", 2).expect("another source");
        reopened.remove_device("a", |_| Ok::<_, RegistryError>(())).expect("removed");
        assert_eq!(reopened.self_registered("mqtt"), 1);
        reopened.register_unknown(entry("d"), "mqtt", 2).expect("there is room again");

        for index in 0..(MOST_UNKNOWN as i64 + 5) {
            let id = format!("made-up-{index}");
            reopened.see_unknown(&entry(&id), "mqtt", Timestamp::from_secs(index));
        }
        let devices = reopened.unknown_devices();
        assert!(devices.len() <= MOST_UNKNOWN);
        assert_eq!(devices[0].id, format!("made-up-{}", MOST_UNKNOWN + 4));
    }
}
