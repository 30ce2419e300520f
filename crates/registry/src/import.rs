//! Taking a list of devices into the registry: checked as a whole, written in one transaction, and
//! seen by everybody at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::list::Row;
use crate::registry::build;
use crate::{DeviceEntry, DeviceList, ImportProblem, Registry, RegistryError, tables, tag};

/// After so many devices somebody who waits is told.
const TELL_EVERY: usize = 1_000;

/// What is to be done with a list of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// Take all, or none if one has a problem.
    #[default]
    All,
    /// Take those that have no problem.
    Valid,
    /// Change nothing; say what would happen.
    Check,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Devices that were not there before.
    pub added: usize,
    /// Devices that are different now.
    pub changed: usize,
    /// Devices that were there already, exactly so.
    pub unchanged: usize,
}

/// What an import did, and what it left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// What was done, or with [`ImportMode::Check`] would be.
    pub report: ImportReport,
    /// What is wrong with the devices that were left out, in the order of the list.
    pub problems: Vec<ImportProblem>,
}

impl Registry {
    /// Adds devices, or changes those whose id is known. All or none: if one has a problem, all
    /// problems are reported and nothing changes.
    pub fn import(&self, entries: &[DeviceEntry]) -> Result<ImportReport, RegistryError> {
        let list = DeviceList::from(entries.to_vec());
        Ok(self.import_list(&list, ImportMode::All, &mut |_| ())?.report)
    }

    /// Takes what a file says that is read at every start. A device that the file says the same of
    /// as the last time is left as it is: what people changed meanwhile stays, also that they
    /// removed it.
    pub fn import_file(&self, entries: &[DeviceEntry]) -> Result<ImportReport, RegistryError> {
        let before = self.state.read(tables::load_file_tags)?;
        let news: Vec<(&DeviceEntry, String)> = entries
            .iter()
            .map(|entry| (entry, tag(entry)))
            .filter(|(entry, tag)| before.get(&entry.id) != Some(tag))
            .collect();
        let list: Vec<DeviceEntry> = news.iter().map(|(entry, _)| (*entry).clone()).collect();
        let mut report = self.import(&list)?;
        self.state.write(|tx| {
            news.iter().try_for_each(|(entry, tag)| tables::put_file_tag(tx, &entry.id, tag))
        })?;
        report.unchanged += entries.len() - list.len();
        Ok(report)
    }

    /// Does with a list what `mode` says; `progress` hears how many devices were written.
    pub fn import_list(
        &self,
        list: &DeviceList,
        mode: ImportMode,
        progress: &mut dyn FnMut(usize),
    ) -> Result<ImportOutcome, RegistryError> {
        let (rows, problems) = judge(list);
        if mode == ImportMode::All && !problems.is_empty() {
            return Err(RegistryError::Import(problems));
        }
        let mut known = self.lock();
        let old = self.directory();
        let mut report = ImportReport::default();
        let mut changed = Vec::new();
        for Row { entry, .. } in rows {
            match old.device_by_id(&entry.id).and_then(|device| known.get(&device.key)) {
                Some(before) if before == entry => {
                    report.unchanged += 1;
                    continue;
                }
                Some(_) => report.changed += 1,
                None => report.added += 1,
            }
            changed.push(entry);
        }
        let outcome = ImportOutcome { report, problems };
        if mode == ImportMode::Check || changed.is_empty() {
            return Ok(outcome);
        }
        let keys = self.state.write(|tx| {
            let put = |(index, entry): (usize, &&DeviceEntry)| {
                if index % TELL_EVERY == 0 {
                    progress(index);
                }
                tables::put_device(tx, entry)
            };
            changed.iter().enumerate().map(put).collect::<Result<Vec<_>, RegistryError>>()
        })?;
        progress(changed.len());
        let (kinds, zones) = (self.kinds.load(), self.zones());
        let mut directory = (*old).clone();
        directory.version += 1;
        for (entry, key) in changed.into_iter().zip(keys) {
            directory.put(build(key, entry, &kinds, &zones));
            known.insert(key, entry.clone());
        }
        self.directory.store(Arc::new(directory));
        Ok(outcome)
    }
}

/// The rows that can be taken, and what is wrong with the others.
fn judge(list: &DeviceList) -> (Vec<&Row>, Vec<ImportProblem>) {
    let mut problems = list.problems.clone();
    let mut seen: HashMap<&str, &Row> = HashMap::with_capacity(list.rows.len());
    let mut good = Vec::with_capacity(list.rows.len());
    for row in &list.rows {
        let problem = |field: Option<String>, message: String, hint: &str| ImportProblem {
            row: row.place,
            line: row.line,
            device: row.entry.id.clone(),
            field,
            message,
            hint: hint.to_owned(),
        };
        let before = problems.len();
        let found = row.entry.problems().into_iter();
        problems.extend(found.map(|found| problem(Some(found.field), found.message, found.hint)));
        match seen.get(row.entry.id.as_str()) {
            Some(first) => {
                let place = match first.line {
                    Some(line) => format!("in line {line}"),
                    None => format!("at place {}", first.place),
                };
                let message = format!("this id stands {place} too");
                problems.push(problem(Some("id".to_owned()), message, "remove one of the two"));
            }
            None => {
                seen.insert(&row.entry.id, row);
            }
        }
        if problems.len() == before {
            good.push(row);
        }
    }
    problems.sort_by_key(|problem| problem.row);
    (good, problems)
}

#[cfg(test)]
mod tests {
    use city_store::StateDb;

    use super::*;
    use crate::{ListFormat, Seed};

    fn registry() -> Registry {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        Registry::open(state, Seed::default()).expect("a registry")
    }

    const MIXED: &str = "id,kind,department,lon,lat\n\
        a,k,d,1,2\nb,k,d,x,2\nc,k,d,1,120\na,k,d,1,2\ne,k,d,,\n";

    fn mixed() -> DeviceList {
        DeviceList::read("mixed.csv", ListFormat::Csv, MIXED.as_bytes()).expect("a list")
    }

    #[test]
    fn all_or_none_unless_somebody_asks_for_a_part() {
        let registry = registry();
        let nothing = &mut |_| ();
        let error = registry.import_list(&mixed(), ImportMode::All, nothing).expect_err("bad");
        let RegistryError::Import(problems) = &error else { panic!("{error}") };
        let places: Vec<_> =
            problems.iter().map(|p| (p.line, p.field.as_deref().unwrap_or("-"))).collect();
        assert_eq!(places, [(Some(3), "lon"), (Some(4), "position"), (Some(5), "id")]);
        assert_eq!(registry.export(), []);

        let outcome = registry.import_list(&mixed(), ImportMode::Check, nothing).expect("checked");
        assert_eq!((outcome.report.added, outcome.problems.len()), (2, 3));
        assert_eq!(registry.export(), [], "a check changes nothing");

        let outcome = registry.import_list(&mixed(), ImportMode::Valid, nothing).expect("taken");
        assert_eq!((outcome.report.added, outcome.problems.len()), (2, 3));
        assert_eq!(registry.export().len(), 2);
        let again = registry.import_list(&mixed(), ImportMode::Valid, nothing).expect("taken");
        assert_eq!((again.report.added, again.report.unchanged), (0, 2));
    }

    #[test]
    fn a_file_that_is_read_at_every_start_undoes_nobodys_work() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let open = || Registry::open(state.clone(), Seed::default()).expect("a registry");
        let device = |id: &str, kind: &str| DeviceEntry::unknown(id, kind, "d", false);
        let registry = open();
        let file = [device("a", "k"), device("b", "k"), device("c", "k")];
        assert_eq!(registry.import_file(&file).expect("taken").added, 3);
        let by_hand = DeviceEntry { gateway: Some("g".to_owned()), ..device("a", "k") };
        registry.import(std::slice::from_ref(&by_hand)).expect("changed");
        registry.remove_device("b", |_| Ok::<_, RegistryError>(())).expect("removed");

        let registry = open();
        let file = [device("a", "k"), device("b", "k"), device("c", "other")];
        let report = registry.import_file(&file).expect("taken");
        assert_eq!((report.added, report.changed, report.unchanged), (0, 1, 2));
        assert_eq!((registry.entry("a"), registry.entry("b")), (Some(by_hand), None));
        assert_eq!(registry.entry("c").expect("there").kind, "other");
    }

    #[test]
    fn who_waits_is_told_up_to_the_last_device() {
        let entries: Vec<_> = (0..2_500)
            .map(|index| DeviceEntry::unknown(&format!("d{index}"), "k", "d", false))
            .collect();
        let mut told = Vec::new();
        let registry = registry();
        let done = registry.import_list(&entries.into(), ImportMode::All, &mut |n| told.push(n));
        assert_eq!(done.expect("taken").report.added, 2_500);
        assert_eq!(told, [0, 1_000, 2_000, 2_500]);
    }
}
