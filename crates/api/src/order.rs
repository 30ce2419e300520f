//! The order of lists that are sorted in memory, by any member of what they list.

use std::cmp::Ordering;
use std::str::FromStr;

use city_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::parameters::{Pairs, bad};
use crate::problem::{Answer, Problem};

/// The order of a log: `newest`, unless given, or `oldest` first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum LogOrder {
    #[default]
    Newest,
    Oldest,
}

impl LogOrder {
    /// The parameter `sort`.
    pub(crate) fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let words = [("newest", Self::Newest), ("oldest", Self::Oldest)];
        Ok(pairs.one_of("sort", &words)?.unwrap_or_default())
    }

    /// The order in SQL.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Newest => "DESC",
            Self::Oldest => "ASC",
        }
    }

    /// How what comes later in it compares with what was seen.
    pub(crate) fn beyond(self) -> &'static str {
        match self {
            Self::Newest => "<",
            Self::Oldest => ">",
        }
    }
}

/// A member by which items are sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Order {
    member: String,
    descending: bool,
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (descending, member) = match text.strip_prefix('-') {
            Some(member) => (true, member),
            None => (false, text),
        };
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !member.starts_with(|c: char| c.is_ascii_lowercase()) || !member.chars().all(fits) {
            return Err(
                "it must be the name of a member, with `-` before it from the greatest down",
            );
        }
        Ok(Self { member: member.to_owned(), descending })
    }
}

impl TryFrom<String> for Order {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Order> for String {
    fn from(order: Order) -> Self {
        format!("{}{}", if order.descending { "-" } else { "" }, order.member)
    }
}

/// What items are compared by: nothing is before everything, and kinds are not mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Key {
    Nothing,
    Flag(bool),
    Number(f64),
    /// Microseconds since 1970.
    Time(i64),
    Text(String),
}

impl Key {
    /// The key of a member; `None` if nothing can be sorted by it.
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Nothing,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => Self::Number(number.as_f64()?),
            Value::String(text) => match text.parse::<Timestamp>() {
                Ok(time) => Self::Time(time.micros()),
                Err(_) => Self::Text(text.clone()),
            },
            // A text in two languages.
            Value::Object(members) => Self::Text(members.get("en")?.as_str()?.to_owned()),
            Value::Array(_) => return None,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let rank = |key: &Self| match key {
            Self::Nothing => 0,
            Self::Flag(_) => 1,
            Self::Number(_) => 2,
            Self::Time(_) => 3,
            Self::Text(_) => 4,
        };
        match (self, other) {
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl Order {
    /// The keys of items, as they are told of.
    ///
    /// # Errors
    ///
    /// If there are items and none can be sorted so: the problem names the members that can be used.
    pub(crate) fn keys(&self, values: &[Value]) -> Answer<Vec<Key>> {
        let keys: Vec<Option<Key>> =
            values.iter().map(|value| Key::of(value.get(&self.member)?)).collect();
        if let Some(first) = values.first()
            && keys.iter().all(Option::is_none)
        {
            return Err(self.unknown(first));
        }
        Ok(keys.into_iter().map(|key| key.unwrap_or(Key::Nothing)).collect())
    }

    fn unknown(&self, item: &Value) -> Problem {
        let members = item.as_object().into_iter().flatten();
        let names: Vec<&str> = members
            .filter(|(_, value)| Key::of(value).is_some())
            .map(|(name, _)| name.as_str())
            .collect();
        let why = format!("it must be one of {}", names.join(", "));
        let example = names.first().copied().unwrap_or("id");
        bad("sort", &String::from(self.clone()), &why, example)
    }

    /// Which of two comes first; equals are in the order of their ids.
    pub(crate) fn compare(&self, a: (&Key, &str), b: (&Key, &str)) -> Ordering {
        let order = a.0.compare(b.0);
        (if self.descending { order.reverse() } else { order }).then_with(|| a.1.cmp(b.1))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(by: &str, items: &[Value]) -> Vec<String> {
        let order: Order = by.parse().expect("an order");
        let keys = order.keys(items).expect("sortable");
        let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
        let mut all: Vec<(Key, String)> = keys.into_iter().zip(items.iter().map(id)).collect();
        all.sort_by(|a, b| order.compare((&a.0, &a.1), (&b.0, &b.1)));
        all.into_iter().map(|(_, id)| id).collect()
    }

    #[test]
    fn items_are_sorted_by_members_of_each_kind() {
        let items = [
            json!({ "id": "a", "n": 10, "at": "2026-11-30T00:00:00Z", "name": { "en": "Z" } }),
            json!({ "id": "b", "n": 9, "at": "2026-11-30T00:00:00.5Z", "name": { "en": "Y" } }),
            json!({ "id": "c", "n": null, "at": "2026-11-29T00:00:00Z", "name": { "en": "Y" } }),
        ];
        for (by, wanted) in [
            ("id", "abc"),
            ("-id", "cba"),
            ("n", "cba"),
            ("-n", "abc"),
            ("at", "cab"),
            ("-at", "bac"),
            ("name", "bca"),
            ("-name", "abc"),
        ] {
            assert_eq!(sorted(by, &items).concat(), wanted, "{by}");
        }
    }

    #[test]
    fn what_cannot_be_sorted_by_is_a_problem_that_says_what_can() {
        let items = [json!({ "id": "a", "list": [1], "n": 2 })];
        for by in ["nothing", "-list"] {
            let order: Order = by.parse().expect("a name");
            let problem = order.keys(&items).expect_err("not sortable");
            let said = serde_json::to_string(&problem.document()).expect("json");
            assert!(said.contains("one of id, n"), "{said}");
        }
        for bad in ["", "-", "Name", "a b", "1"] {
            assert!(bad.parse::<Order>().is_err(), "{bad}");
        }
    }
}
