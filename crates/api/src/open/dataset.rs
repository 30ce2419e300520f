//! What a department makes public: a dataset, how it is written down, and what is wrong with one.

use std::collections::BTreeSet;

use city_model::LocalText;
use city_registry::{FieldProblem, Registry, check_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::licence;
use crate::schema;

/// How long a dataset may look back, in days: ten years.
const MAX_DAYS: u32 = 3_653;
/// The longest description, in bytes of one language.
const MAX_TEXT: usize = 4_000;
/// Codes of the authority table "data theme" of the Publications Office of the European Union.
const THEMES: [&str; 14] = [
    "AGRI",
    "ECON",
    "EDUC",
    "ENER",
    "ENVI",
    "GOVE",
    "HEAL",
    "INTR",
    "JUST",
    "OP_DATPRO",
    "REGI",
    "SOCI",
    "TECH",
    "TRAN",
];

/// What a department makes public. Nothing is that no dataset which is enabled selects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dataset {
    /// Its id, which is a part of its address: 1 to 64 of a-z, 0-9 and `-`.
    pub(crate) id: String,
    /// What people call it.
    #[schema(value_type = schema::LocalText)]
    pub(crate) title: LocalText,
    /// What it is about, for people who do not know the city.
    #[schema(value_type = schema::LocalText)]
    pub(crate) description: LocalText,
    /// The department that owns it; only its own devices can be in it.
    pub(crate) department: String,
    /// Under what it may be used: the SPDX id of a licence for data, or an address.
    pub(crate) licence: String,
    /// Who publishes it; the department unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::LocalText>)]
    pub(crate) publisher: Option<LocalText>,
    /// Whom to ask about it: an e-mail address, or one that begins with https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<String>,
    /// What it is about in codes of the European "data theme" table, such as `ENVI`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) themes: Vec<String>,
    /// Which of the department's devices and what of them.
    pub(crate) select: Select,
    /// How exactly places are told.
    pub(crate) positions: Positions,
    /// Whether devices are called by their names, and not only by their ids.
    #[serde(default)]
    pub(crate) names: bool,
    /// The attributes of devices that are told, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attributes: Vec<String>,
    /// For how many days back readings are told, at most 3,653; 0: only the newest of each series.
    pub(crate) history_days: u32,
    /// Whether it is public now.
    pub(crate) enabled: bool,
}

/// Which devices of the department, and which of their metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DatasetSelect)]
#[serde(deny_unknown_fields)]
pub(crate) struct Select {
    /// Only devices of these kinds; at least one, so that a new kind is not public by accident.
    pub(crate) kinds: Vec<String>,
    /// Only these metrics; at least one, so that a new metric is not public by accident.
    pub(crate) metrics: Vec<String>,
    /// Only devices that stand in one of these zones; none: wherever they are. Moving devices are in
    /// no dataset that names zones, because their history would tell where else they were.
    #[serde(default)]
    pub(crate) zones: Vec<String>,
}

/// How exactly places are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DatasetPositions)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Positions {
    /// As they are known.
    Exact,
    /// Only as the middle of the smallest zone around them.
    Zone,
}

impl Dataset {
    /// What is wrong with it in this city, all of it. Blocks shortly.
    pub(crate) fn problems(
        &self,
        registry: &Registry,
    ) -> Result<Vec<FieldProblem>, city_registry::RegistryError> {
        let mut problems = Problems::default();
        self.check_texts(&mut problems);
        self.check_choice(&mut problems, registry);
        let directory = registry.directory();
        let known = registry.departments()?.iter().any(|known| known.id == self.department)
            || directory.devices().any(|device| *device.department == *self.department);
        if !known {
            problems.add(
                "department",
                format!("there is no department `{}`", self.department),
                "GET /api/v1/departments lists them",
            );
        }
        Ok(problems.0)
    }

    fn check_texts(&self, problems: &mut Problems) {
        let id_fits = (1..=64).contains(&self.id.len())
            && self.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !self.id.starts_with('-');
        if !id_fits {
            problems.add(
                "id",
                format!("`{}` cannot be a part of an address", self.id),
                "1 to 64 of a-z, 0-9 and -, for example `air-quality`",
            );
        }
        let texts = [("title", Some(&self.title)), ("description", Some(&self.description))];
        for (field, text) in texts.into_iter().chain([("publisher", self.publisher.as_ref())]) {
            let Some(text) = text else { continue };
            if text.en.trim().is_empty() || text.zh.trim().is_empty() {
                let hint = "write it in both languages, or one text for both";
                problems.add(field, "it says nothing".to_owned(), hint);
            }
            if text.en.len().max(text.zh.len()) > MAX_TEXT {
                let message = format!("it is longer than {MAX_TEXT} bytes");
                problems.add(field, message, "say it shorter");
            }
        }
        if licence::address(&self.licence).is_none() {
            problems.add(
                "licence",
                format!("`{}` is no licence for data that is known here", self.licence),
                licence::HINT,
            );
        }
        if let Some(contact) = &self.contact
            && contact_address(contact).is_none()
        {
            let hint = "write it like open-data@example.org or https://example.org/contact";
            problems.add("contact", format!("`{contact}` is no address"), hint);
        }
        for theme in self.themes.iter().filter(|theme| !THEMES.contains(&theme.as_str())) {
            let hint = "one of AGRI, ECON, EDUC, ENER, ENVI, GOVE, HEAL, INTR, JUST, OP_DATPRO, \
                        REGI, SOCI, TECH, TRAN";
            problems.add("themes", format!("there is no theme `{theme}`"), hint);
        }
        if self.history_days > MAX_DAYS {
            let message = format!("{} days are more than {MAX_DAYS}", self.history_days);
            problems.add("history_days", message, "ten years at most");
        }
        for name in self.attributes.iter().filter(|name| check_id(name).is_err()) {
            let hint = "name attributes as devices have them";
            problems.add("attributes", format!("`{name}` is no name"), hint);
        }
    }

    fn check_choice(&self, problems: &mut Problems, registry: &Registry) {
        let directory = registry.directory();
        let Select { kinds, metrics, zones } = &self.select;
        for (field, list) in [("select.kinds", kinds), ("select.metrics", metrics)] {
            if list.is_empty() {
                let hint =
                    "name at least one: what comes later is public only when somebody says so";
                problems.add(field, "nothing is chosen".to_owned(), hint);
            }
        }
        for (field, list) in [
            ("select.kinds", kinds),
            ("select.metrics", metrics),
            ("select.zones", zones),
            ("attributes", &self.attributes),
            ("themes", &self.themes),
        ] {
            if list.iter().collect::<BTreeSet<_>>().len() != list.len() {
                problems.add(field, "something is named twice".to_owned(), "name each once");
            }
        }
        let of_kind = |kind: &str| directory.devices().any(|device| &*device.kind == kind);
        for kind in kinds.iter().filter(|kind| registry.kind(kind).is_none() && !of_kind(kind)) {
            let hint = "GET /api/v1/kinds lists them";
            problems.add("select.kinds", format!("there is no kind `{kind}`"), hint);
        }
        for metric in metrics.iter().filter(|id| directory.metrics.by_id(id).is_none()) {
            let hint = "GET /api/v1/metrics-catalogue lists them";
            problems.add("select.metrics", format!("there is no metric `{metric}`"), hint);
        }
        for zone in zones.iter().filter(|id| directory.zone_by_id(id).is_none()) {
            let hint = "GET /api/v1/zones lists them";
            problems.add("select.zones", format!("there is no zone `{zone}`"), hint);
        }
    }
}

/// The address of a contact: `mailto:` or https; `None` if it is neither.
pub(crate) fn contact_address(contact: &str) -> Option<String> {
    if contact.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}".contains(c)) {
        return None;
    }
    if contact.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) {
        return Some(contact.to_owned());
    }
    let (name, host) = contact.split_once('@')?;
    let fits = !name.is_empty() && host.contains('.') && !host.contains('@');
    fits.then(|| format!("mailto:{contact}"))
}

#[derive(Default)]
struct Problems(Vec<FieldProblem>);

impl Problems {
    fn add(&mut self, field: &str, message: String, hint: &'static str) {
        self.0.push(FieldProblem { field: field.to_owned(), message, hint });
    }
}

#[cfg(test)]
mod tests {
    use super::contact_address;

    #[test]
    fn a_contact_is_an_e_mail_address_or_a_page() {
        let mail = Some("mailto:open@example.org".to_owned());
        assert_eq!(contact_address("open@example.org"), mail);
        let page = "https://example.org/contact";
        assert_eq!(contact_address(page).as_deref(), Some(page));
        for bad in
            ["", "open", "open@", "@example.org", "javascript:alert(1)", "a b@c.d", "https://"]
        {
            assert_eq!(contact_address(bad), None, "{bad}");
        }
    }
}
