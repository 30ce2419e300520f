//! Kinds and departments: what devices are and whose they are, and how both are changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::LocalText;
use serde::{Deserialize, Serialize};

use crate::{FieldProblem, Kind, Registry, RegistryError, check_id, tables};

/// An owner of devices and rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Its id, such as `environment`.
    pub id: String,
    /// What people call it.
    pub name: LocalText,
}

impl Registry {
    /// All kinds that are described or in use, by id.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: BTreeMap<String, Kind> =
            self.kinds.load().iter().map(|(id, kind)| (id.clone(), Kind::clone(kind))).collect();
        for device in self.directory().devices() {
            if !kinds.contains_key(&*device.kind) {
                let id = device.kind.to_string();
                kinds.insert(id.clone(), Kind::named(&id, LocalText::same(&id)));
            }
        }
        kinds.into_values().collect()
    }

    /// A kind, if it is described: without a lock. The directory's version counts up with every
    /// change of a kind.
    pub fn kind(&self, id: &str) -> Option<Arc<Kind>> {
        self.kinds.load().get(id).cloned()
    }

    /// Describes a kind, anew or for the first time; its devices follow at once.
    pub fn put_kind(&self, kind: Kind) -> Result<(), RegistryError> {
        let id = kind.id.clone();
        self.change_kind(&id, |_| Ok::<_, RegistryError>(kind)).map(|_| ())
    }

    /// Describes a kind: `change` gets what there is and gives what shall be, or a refusal; nobody
    /// else changes anything meanwhile. Its devices follow at once. Tells whether it is new.
    pub fn change_kind<E: From<RegistryError>>(
        &self,
        id: &str,
        change: impl FnOnce(Option<&Kind>) -> Result<Kind, E>,
    ) -> Result<(Arc<Kind>, bool), E> {
        let entries = self.lock();
        let before = self.kind(id);
        let kind = change(before.as_deref())?;
        let problems = kind.problems();
        if !problems.is_empty() {
            return Err(RegistryError::Fields(problems).into());
        }
        self.ours("kind", id)?;
        self.state.write(|tx| tables::put_kind(tx, &kind))?;
        let kind = Arc::new(kind);
        let mut kinds = (**self.kinds.load()).clone();
        kinds.insert(id.to_owned(), kind.clone());
        self.kinds.store(Arc::new(kinds));
        self.rebuild(&entries, |entry| entry.kind == id);
        Ok((kind, before.is_none()))
    }

    /// Forgets a kind that no device is of; `check` gets what there is and can refuse. `false` if
    /// nobody described it.
    pub fn remove_kind<E: From<RegistryError>>(
        &self,
        id: &str,
        check: impl FnOnce(&Kind) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.ours("kind", id)?;
        let entries = self.lock();
        if let Some(kind) = self.kind(id) {
            check(&kind)?;
        }
        let devices = entries.values().filter(|entry| entry.kind == id).count();
        if devices > 0 {
            return Err(RegistryError::InUse { what: "kind", id: id.to_owned(), devices }.into());
        }
        let mut kinds = (**self.kinds.load()).clone();
        if kinds.remove(id).is_none() {
            return Ok(false);
        }
        self.state.write(|tx| tables::delete_kind(tx, id))?;
        self.kinds.store(Arc::new(kinds));
        self.rebuild(&entries, |_| false);
        Ok(true)
    }

    /// All departments that are named or in use.
    pub fn departments(&self) -> Result<Vec<Department>, RegistryError> {
        let mut labels = self.state.read(|conn| tables::load_labels(conn, "department"))?;
        let directory = self.directory();
        let used: BTreeSet<&str> = directory.devices().map(|device| &*device.department).collect();
        for id in used {
            labels.entry(id.to_owned()).or_insert_with(|| LocalText::same(id));
        }
        Ok(labels.into_iter().map(|(id, name)| Department { id, name }).collect())
    }

    /// A department that is named.
    pub fn department(&self, id: &str) -> Result<Option<Department>, RegistryError> {
        let mut labels = self.state.read(|conn| tables::load_labels(conn, "department"))?;
        Ok(labels.remove(id).map(|name| Department { id: id.to_owned(), name }))
    }

    /// Names a department: `change` gets what it is called, if anybody named it, and gives what it
    /// shall be called, or a refusal; nobody else changes anything meanwhile. Tells whether it is
    /// new.
    pub fn change_department<E: From<RegistryError>>(
        &self,
        id: &str,
        change: impl FnOnce(Option<&Department>) -> Result<Department, E>,
    ) -> Result<(Department, bool), E> {
        let _one_writer = self.lock();
        let before = self.department(id)?;
        let department = change(before.as_ref())?;
        self.put_department(&department)?;
        Ok((department, before.is_none()))
    }

    /// Names a department, anew or for the first time.
    pub fn put_department(&self, department: &Department) -> Result<(), RegistryError> {
        let problem = |field: &str, message: &str, hint| {
            let field = field.to_owned();
            Err(RegistryError::Fields(vec![FieldProblem {
                field,
                message: message.to_owned(),
                hint,
            }]))
        };
        if let Err(why) = check_id(&department.id) {
            return problem("id", why, "name it in a word, for example `environment`");
        }
        if department.name.is_empty() {
            return problem("name", "nobody could read it", "say what people call it");
        }
        self.ours("department", &department.id)?;
        let Department { id, name } = department;
        self.state.write(|tx| tables::put_label(tx, "department", id, name, true))
    }

    /// Forgets a department that owns no device; `check` gets what there is and can refuse. `false`
    /// if nobody named it.
    pub fn remove_department<E: From<RegistryError>>(
        &self,
        id: &str,
        check: impl FnOnce(&Department) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.ours("department", id)?;
        let entries = self.lock();
        if let Some(department) = self.department(id)? {
            check(&department)?;
        }
        let devices = entries.values().filter(|entry| entry.department == id).count();
        if devices > 0 {
            let what = "department";
            return Err(RegistryError::InUse { what, id: id.to_owned(), devices }.into());
        }
        Ok(self.state.write(|tx| tables::delete_label(tx, "department", id))?)
    }

    /// Whether the configuration describes this `kind` or `department`, so that it can be changed
    /// there only.
    pub fn is_configured(&self, what: &'static str, id: &str) -> bool {
        let [kinds, departments] = &self.configured;
        if what == "kind" { kinds.contains(id) } else { departments.contains(id) }
    }

    fn ours(&self, what: &'static str, id: &str) -> Result<(), RegistryError> {
        if self.is_configured(what, id) {
            return Err(RegistryError::Configured { what, id: id.to_owned() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Attribute, Crs, Placement, Span};
    use city_store::StateDb;

    use super::*;
    use crate::{Seed, read_devices};

    const DEVICES: &str = r#"[
        {"id":"a","kind":"bus","department":"transport"},
        {"id":"b","kind":"bus","department":"transport","moving":false,"interval":"5s",
         "crs":"WGS-84","attributes":{"limit":9},"position":{"lon":10,"lat":50}}]"#;

    fn bus() -> Kind {
        Kind {
            interval: Some(Span::from_secs(30)),
            moving: Some(true),
            crs: Some(Crs::Gcj02),
            attributes: BTreeMap::from([
                ("limit".to_owned(), Attribute::Number(3.0)),
                ("fuel".to_owned(), Attribute::Text("electric".to_owned())),
            ]),
            ..Kind::named("bus", LocalText::new("Bus", "公交车"))
        }
    }

    #[test]
    fn a_template_holds_where_the_device_is_silent_and_a_change_of_it_takes_effect() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = Registry::open(state.clone(), Seed::default()).expect("a registry");
        registry.import(&read_devices("two", DEVICES).expect("valid")).expect("taken");
        let version = registry.directory().version;
        registry.put_kind(bus()).expect("described");
        assert!(registry.directory().version > version, "readers see that something changed");

        let check = |registry: &Registry| {
            let directory = registry.directory();
            let a = directory.device_by_id("a").expect("a");
            let b = directory.device_by_id("b").expect("b");
            assert_eq!((a.placement, a.crs), (Placement::Moving, Crs::Gcj02));
            assert_eq!(a.interval, Some(Span::from_secs(30)));
            assert_eq!(a.attributes["limit"], Attribute::Number(3.0));
            assert!(matches!(b.placement, Placement::Fixed(_)));
            assert_eq!((b.crs, b.interval), (Crs::Wgs84, Some(Span::from_secs(5))));
            assert_eq!(b.attributes["limit"], Attribute::Number(9.0));
            assert_eq!(b.attributes["fuel"], Attribute::Text("electric".to_owned()));
        };
        check(&registry);
        let entries = registry.export();
        assert_eq!(
            entries[0].inherited(&bus()),
            ["moving", "interval", "crs", "attributes.fuel", "attributes.limit"]
        );
        assert_eq!(entries[1].inherited(&bus()), ["attributes.fuel"]);
        let reopened = Registry::open(state, Seed::default()).expect("a registry");
        check(&reopened);
        assert_eq!(reopened.kind("bus").as_deref(), Some(&bus()));

        reopened.put_kind(Kind { interval: Some(Span::from_secs(7)), ..bus() }).expect("changed");
        let directory = reopened.directory();
        assert_eq!(directory.device_by_id("a").expect("a").interval, Some(Span::from_secs(7)));
        assert_eq!(directory.device_by_id("b").expect("b").interval, Some(Span::from_secs(5)));
    }

    #[test]
    fn what_is_in_use_or_configured_stays() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed {
            kinds: vec![Kind::named("lamp", LocalText::same("Lamp"))],
            departments: vec![Department {
                id: "works".to_owned(),
                name: LocalText::same("Works"),
            }],
            ..Seed::default()
        };
        let registry = Registry::open(state, seed).expect("a registry");
        registry.import(&read_devices("two", DEVICES).expect("valid")).expect("taken");
        let remove_kind = |id| registry.remove_kind(id, |_| Ok::<_, RegistryError>(()));
        let remove_department = |id| registry.remove_department(id, |_| Ok::<_, RegistryError>(()));
        registry.put_kind(bus()).expect("described");
        let error = remove_kind("bus").expect_err("in use");
        assert!(matches!(error, RegistryError::InUse { devices: 2, .. }), "{error}");
        for error in [
            remove_kind("lamp").expect_err("configured"),
            registry.put_kind(Kind::named("lamp", LocalText::same("L"))).expect_err("configured"),
            remove_department("works").expect_err("configured"),
        ] {
            assert!(matches!(error, RegistryError::Configured { .. }), "{error}");
        }
        let parks =
            Department { id: "parks".to_owned(), name: LocalText::new("Parks", "园林局") };
        registry.put_department(&parks).expect("named");
        assert!(registry.departments().expect("listed").contains(&parks));
        assert!(remove_department("parks").expect("removed"));
        assert!(!remove_department("parks").expect("gone"));
        assert!(matches!(remove_department("transport"), Err(RegistryError::InUse { .. })));
    }

    #[test]
    fn every_problem_of_a_kind_is_reported_by_field() {
        let kind = Kind {
            interval: Some(Span::ZERO),
            codec_variables: BTreeMap::from([("k".to_owned(), 1.into())]),
            ..Kind::default()
        };
        let fields: Vec<String> = kind.problems().into_iter().map(|p| p.field).collect();
        assert_eq!(fields, ["id", "name", "interval", "codec_variables"]);
    }
}
