//! Grants: roles, each in one department or in the whole city.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;

/// What a grant calls the whole city.
pub const CITY: &str = "*";

/// The most grants that somebody has.
const MOST: usize = 256;

/// A role in a department, or in the whole city.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The department's id, or `*` for the whole city.
    pub department: String,
    /// The role there.
    pub role: Role,
}

impl fmt::Display for Grant {
    /// As the command line has it: `operator@environment`, or `operator` for the whole city.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.department.as_str() {
            CITY => write!(f, "{}", self.role),
            department => write!(f, "{}@{department}", self.role),
        }
    }
}

impl FromStr for Grant {
    type Err = GrantProblem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (role, department) = text.split_once('@').unwrap_or((text, CITY));
        let role = role.parse().map_err(|error: super::ParseRoleError| GrantProblem {
            message: error.to_string(),
            hint: "write ROLE@DEPARTMENT, or ROLE alone for the whole city",
        })?;
        let grant = Self { department: department.to_owned(), role };
        Grants::new(vec![grant.clone()])?;
        Ok(grant)
    }
}

/// What is wrong with grants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({hint})")]
pub struct GrantProblem {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: &'static str,
}

/// All grants of somebody: at most one for each department, by its id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// These grants, if they go together.
    pub fn new(mut grants: Vec<Grant>) -> Result<Self, GrantProblem> {
        let problem = |message: String, hint| Err(GrantProblem { message, hint });
        if grants.len() > MOST {
            return problem(format!("there are more than {MOST}"), "use `*` for the whole city");
        }
        for grant in &grants {
            let id = &grant.department;
            if let Err(why) = city_registry::check_id(id) {
                return problem(why.to_owned(), "name a department, or `*` for the whole city");
            }
            if grant.role == Role::Engine && id != CITY {
                let message = format!("the role {} is of the whole city", Role::Engine);
                return problem(message, "an alert engine has the department `*`");
            }
        }
        grants.sort();
        if let Some(pair) = grants.windows(2).find(|pair| pair[0].department == pair[1].department)
        {
            let message = format!("`{}` stands there twice", pair[0].department);
            return problem(message, "give one role for each department");
        }
        Ok(Self(grants))
    }

    /// One role in the whole city.
    pub fn city(role: Role) -> Self {
        Self(vec![Grant { department: CITY.to_owned(), role }])
    }

    /// As the database keeps them; what cannot be read grants nothing.
    pub(super) fn read(json: &str) -> Self {
        serde_json::from_str(json)
            .ok()
            .and_then(|grants| Self::new(grants).ok())
            .unwrap_or_default()
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Each of them, by department.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// All of them, by department.
    pub fn to_vec(&self) -> Vec<Grant> {
        self.0.clone()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the role, or a higher one, is granted in this department; [`CITY`] asks for the
    /// whole city.
    pub fn has(&self, role: Role, department: &str) -> bool {
        let there = |grant: &&Grant| grant.department == CITY || grant.department == department;
        self.0.iter().filter(there).any(|grant| grant.role >= role)
    }

    /// Whether the role, or a higher one, is granted anywhere.
    pub fn has_somewhere(&self, role: Role) -> bool {
        self.0.iter().any(|grant| grant.role >= role)
    }

    /// Whether this is an alert engine.
    pub fn has_engine(&self) -> bool {
        self.0.iter().any(|grant| grant.role == Role::Engine)
    }

    /// The highest role anywhere.
    pub fn highest(&self) -> Option<Role> {
        self.0.iter().map(|grant| grant.role).max()
    }

    /// What of these is granted by `others` too.
    #[must_use]
    pub(crate) fn within(&self, others: &Self) -> Self {
        let role_in = |grants: &Self, department: &str| {
            let there = |grant: &&Grant| grant.department == CITY || grant.department == department;
            grants.0.iter().filter(there).map(|grant| grant.role).max()
        };
        let departments = self.0.iter().chain(&others.0).map(|grant| &grant.department);
        let mut both: Vec<Grant> = departments
            .filter_map(|department| {
                let role = role_in(self, department)?.min(role_in(others, department)?);
                Some(Grant { department: department.clone(), role })
            })
            .collect();
        both.sort();
        both.dedup();
        Self(both)
    }

    /// The departments in which the two are different.
    pub(crate) fn differences<'a>(&'a self, others: &'a Self) -> Vec<&'a str> {
        let only = |of: &'a Self, than: &'a Self| {
            of.0.iter().filter(|grant| !than.0.contains(grant)).map(|g| g.department.as_str())
        };
        only(self, others).chain(only(others, self)).collect()
    }
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no role");
        }
        for (index, grant) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{grant}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(text: &[&str]) -> Grants {
        let grants = text.iter().map(|grant| grant.parse().expect("a grant")).collect();
        Grants::new(grants).expect("they go together")
    }

    #[test]
    fn a_role_holds_in_its_department_and_one_of_the_city_everywhere() {
        let some = grants(&["operator@environment", "viewer"]);
        assert!(some.has(Role::Operator, "environment") && some.has(Role::Viewer, "transport"));
        assert!(!some.has(Role::Operator, "transport") && !some.has(Role::Operator, CITY));
        assert!(!some.has(Role::Engineer, "environment"));
        assert!(some.has_somewhere(Role::Operator) && !some.has_somewhere(Role::Engineer));
        assert_eq!(some.highest(), Some(Role::Operator));
        assert_eq!(some.to_string(), "viewer, operator@environment");
        assert!(!grants(&["engine"]).has_somewhere(Role::Viewer));
    }

    #[test]
    fn what_two_have_in_common_is_no_more_than_either() {
        let city = grants(&["admin"]);
        let some = grants(&["operator@environment", "viewer@transport"]);
        assert_eq!(city.within(&some), some);
        assert_eq!(some.within(&city), some);
        let other = grants(&["viewer@environment", "admin@works"]);
        assert_eq!(some.within(&other), grants(&["viewer@environment"]));
        assert!(some.within(&Grants::default()).is_empty());
        assert_eq!(some.differences(&grants(&["operator@environment"])), ["transport"]);
    }

    #[test]
    fn grants_that_make_no_sense_are_refused() {
        for bad in ["root", "operator@", "engine@environment", "operator@a\nb"] {
            assert!(bad.parse::<Grant>().is_err(), "{bad:?}");
        }
        let twice = ["viewer@a", "admin@a"].map(|grant| grant.parse().expect("a grant"));
        assert!(Grants::new(twice.to_vec()).is_err());
        assert!(Grants::read("[{\"department\":\"a\"}]").is_empty());
        let kept = grants(&["viewer@a", "admin@b"]);
        assert_eq!(Grants::read(&kept.json()), kept);
    }
}
