//! Whose the things are that paths and bodies name.

use city_model::Directory;
use city_registry::credentials::Rights as ClientRights;
use city_rulebook::Home;
use city_rules::lifecycle::AlertMatch;
use city_rules::{RuleSet, lifecycle};
use city_store::DeadLetterId;

use super::policy::Target;
use super::{CITY, Grants};
use crate::app::App;
use crate::problem::Answer;

/// In which departments a role is needed; [`CITY`] among them stands for the whole city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owners {
    /// There is no such thing: the handler says so, or makes it and asks for the new one's.
    Nobody,
    /// In each of these.
    All(Vec<String>),
    /// In one of these.
    Any(Vec<String>),
}

impl Owners {
    fn one(department: impl Into<String>) -> Self {
        Self::All(vec![department.into()])
    }
}

/// Whose the thing is that a path names. Blocks.
pub(super) fn owners(app: &App, target: Target, id: &str) -> Answer<Owners> {
    Ok(match target {
        Target::Device => {
            let directory = app.registry.directory();
            directory.device_by_id(id).map_or(Owners::Nobody, |d| Owners::one(&*d.department))
        }
        Target::Unknown => {
            let waiting = app.registry.unknown_device(id);
            waiting.map_or(Owners::Nobody, |device| Owners::one(device.department))
        }
        Target::Alert => match app.alerts.detail(id)? {
            Some((stored, _)) => Owners::Any(of_alert(&stored.alert, &stored.handling)),
            None => Owners::Nobody,
        },
        Target::RuleGroup => of_group(app, id),
        Target::Silence => match app.silences.get(id)? {
            Some(record) => Owners::All(of_match(&app.rules.load(), &record.silence.matches)),
            None => Owners::Nobody,
        },
        Target::Client | Target::ClientThere => {
            let directory = app.registry.directory();
            match app.clients.client(id)? {
                Some(client) => Owners::All(of_client(&directory, id, &client.rights)),
                None if target == Target::ClientThere => Owners::Nobody,
                None => Owners::All(of_client(&directory, id, &ClientRights::default())),
            }
        }
        Target::DeadLetter => {
            let Ok(key) = id.parse().map(DeadLetterId) else { return Ok(Owners::Nobody) };
            let Some(kept) = app.store.dead_letter(key)? else { return Ok(Owners::Nobody) };
            let directory = app.registry.directory();
            Owners::one(of_device(&directory, kept.letter.device.as_deref().unwrap_or_default()))
        }
        Target::Dataset => {
            let marks = app.open.marked.current();
            let kept = marks.datasets.get(id);
            kept.map_or(Owners::Nobody, |kept| Owners::one(&*kept.dataset.department))
        }
        Target::User | Target::UserSeen => match app.credentials.users().get(id)? {
            Some(user) if target == Target::User => Owners::All(of_grants(&user.grants)),
            Some(user) => Owners::Any(of_grants(&user.grants)),
            None => Owners::Nobody,
        },
        Target::Token => {
            let Ok(number) = id.parse() else { return Ok(Owners::Nobody) };
            let token = app.credentials.tokens().get(number)?;
            token.map_or(Owners::Nobody, |token| Owners::All(of_grants(&token.grants)))
        }
    })
}

/// The departments of grants; of none, the whole city's.
pub(crate) fn of_grants(grants: &Grants) -> Vec<String> {
    if grants.is_empty() {
        return vec![CITY.to_owned()];
    }
    grants.iter().map(|grant| grant.department.clone()).collect()
}

/// The department of a device; that of none is the whole city's affair.
fn of_device(directory: &Directory, id: &str) -> String {
    directory.device_by_id(id).map_or_else(|| CITY.to_owned(), |d| d.department.to_string())
}

/// The departments of the devices that a client speaks for.
pub(crate) fn of_client(directory: &Directory, name: &str, rights: &ClientRights) -> Vec<String> {
    let mut departments: Vec<String> = match &rights.devices {
        _ if rights.any_device => vec![CITY.to_owned()],
        None => vec![of_device(directory, name)],
        // Who speaks for nobody is nobody's.
        Some(ids) if ids.is_empty() => vec![of_device(directory, name)],
        Some(ids) => ids.iter().map(|id| of_device(directory, id)).collect(),
    };
    departments.sort_unstable();
    departments.dedup();
    departments
}

/// The department that takes care of an alert; while another one is asked to, both.
fn of_alert(alert: &city_model::Alert, handling: &lifecycle::Handling) -> Vec<String> {
    let owner = &*alert.rule.department;
    let holder = handling.holder().unwrap_or(owner);
    let asked = handling.asked();
    std::iter::once(holder).chain(asked).map(str::to_owned).collect()
}

/// The departments whose alerts a match can mean: those that it names, or those of the rules that it
/// names; otherwise any.
pub(crate) fn of_match(rules: &RuleSet, matches: &AlertMatch) -> Vec<String> {
    let mut departments: Vec<String> = if !matches.department.is_empty() {
        matches.department.clone()
    } else if !matches.rule.is_empty() {
        let owner = |id: &String| {
            rules.get(id).map_or_else(|| CITY.to_owned(), |rule| rule.department.to_string())
        };
        matches.rule.iter().map(owner).collect()
    } else {
        vec![CITY.to_owned()]
    };
    departments.sort_unstable();
    departments.dedup();
    departments
}

/// The departments of the rules of a group, as its texts say and as they are in force.
fn of_group(app: &App, name: &str) -> Owners {
    let Some(group) = app.rule_book.group(name) else { return Owners::Nobody };
    let rules = app.rules.load();
    let in_force = rules.rules().iter().filter(|rule| *rule.group == *name);
    let mut departments: Vec<String> = in_force.map(|rule| rule.department.to_string()).collect();
    match &group.home {
        Home::Files(files) => {
            departments.extend(files.iter().flat_map(|(_, text)| of_rule_text(&rules, text)));
        }
        Home::Kept(kept) => departments.extend(of_rule_text(&rules, &kept.text)),
    }
    departments.sort_unstable();
    departments.dedup();
    if departments.is_empty() { Owners::one(CITY) } else { Owners::All(departments) }
}

/// The departments of the rules in a text, and of those in force that they hold back; what names no
/// department cannot become a rule.
pub(crate) fn of_rule_text(in_force: &RuleSet, text: &str) -> Vec<String> {
    let mut departments = RuleSet::departments_of(text);
    let held_back = RuleSet::suppressed_by(text);
    let held_back = held_back.iter().filter_map(|id| in_force.get(id));
    departments.extend(held_back.map(|rule| rule.department.to_string()));
    departments.into_iter().collect()
}
