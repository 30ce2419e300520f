//! The claims beside those that the standard names.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// All claims that the standard does not name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Claims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Claims {}

impl Claims {
    /// A claim by its name; a dot leads into one, such as `realm_access.roles`, unless a claim is
    /// called so.
    fn find(&self, name: &str) -> Option<&Value> {
        if let Some(found) = self.all.get(name) {
            return Some(found);
        }
        let mut parts = name.split('.');
        let mut found = self.all.get(parts.next()?)?;
        for part in parts {
            found = found.get(part)?;
        }
        Some(found)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.find(name)?.as_str().map(str::to_owned)
    }

    /// The texts of a list, or one alone.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        match self.find(name) {
            Some(Value::Array(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_found_at_the_top_and_inside() {
        let claims: Claims = serde_json::from_value(json!({
            "groups": ["a", "b", 3], "role": "c", "realm_access": {"roles": ["d"]}, "x.y": ["e"],
        }))
        .expect("claims");
        assert_eq!(claims.list("groups"), ["a", "b"]);
        assert_eq!(claims.list("role"), ["c"]);
        assert_eq!(claims.list("realm_access.roles"), ["d"]);
        assert_eq!(claims.list("x.y"), ["e"]);
        assert!(claims.list("none.at.all").is_empty() && claims.text("groups").is_none());
    }
}
