//! The one check of what somebody may do in which department.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{CITY, Grants, Role};
use crate::problem::{Answer, Problem, codes};

/// What somebody may do where; also for what only a body tells.
#[derive(Clone, Debug)]
pub(crate) struct Rights {
    grants: Arc<Grants>,
    /// Whether anybody asked: the guard looks afterwards, where a policy says that a route does.
    asked: Arc<AtomicBool>,
}

impl Rights {
    pub(crate) fn new(grants: Grants) -> Self {
        Self { grants: Arc::new(grants), asked: Arc::default() }
    }

    /// The same for another request, which nobody has asked about yet.
    pub(super) fn anew(&self) -> Self {
        Self { grants: self.grants.clone(), asked: Arc::default() }
    }

    pub(super) fn were_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The same, for work that asks once the answer has begun.
    pub(crate) fn later(&self) -> Self {
        self.asked.store(true, Ordering::Relaxed);
        self.anew()
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Refuses unless the role, or a higher one, is granted in this department. [`CITY`] stands for
    /// the whole city.
    pub(crate) fn require(&self, role: Role, department: &str) -> Answer<()> {
        self.asked.store(true, Ordering::Relaxed);
        if self.grants.has(role, department) {
            return Ok(());
        }
        Err(self.refusal(role, &[department]))
    }

    /// Refuses unless the role, or a higher one, is granted in each of these departments.
    pub(crate) fn require_all<'a>(
        &self,
        role: Role,
        departments: impl IntoIterator<Item = &'a str>,
    ) -> Answer<()> {
        self.asked.store(true, Ordering::Relaxed);
        departments.into_iter().try_for_each(|department| self.require(role, department))
    }

    /// Refuses unless the role, or a higher one, is granted in one of these departments at least.
    pub(super) fn require_any(&self, role: Role, departments: &[&str]) -> Answer<()> {
        self.asked.store(true, Ordering::Relaxed);
        if departments.iter().any(|department| self.grants.has(role, department)) {
            return Ok(());
        }
        Err(self.refusal(role, departments))
    }

    /// Refuses unless the role, or a higher one, is granted anywhere.
    pub(super) fn require_somewhere(&self, role: Role) -> Answer<()> {
        if self.grants.has_somewhere(role) {
            return Ok(());
        }
        Err(self.refusal(role, &[]))
    }

    /// What somebody is told who may not do something: what they have and what it needs.
    pub(super) fn refusal(&self, role: Role, departments: &[&str]) -> Problem {
        let place = |department: &&str| match *department {
            CITY => "the whole city".to_owned(),
            id => format!("`{id}`"),
        };
        let places: Vec<String> = departments.iter().map(place).collect();
        let place = if places.is_empty() {
            String::new()
        } else {
            format!(" in {}", places.join(" or in "))
        };
        Problem::new(codes::FORBIDDEN, format!("You have {}.", self.grants))
            .hint(format!("This needs the role {role} or a higher one{place}."))
            .with("needed", serde_json::json!({ "role": role, "departments": departments }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_one_has_and_what_it_needs() {
        let grants = vec!["operator@environment".parse().expect("a grant")];
        let rights = Rights::new(Grants::new(grants).expect("good"));
        assert!(rights.require(Role::Operator, "environment").is_ok());
        let problem = rights.require(Role::Engineer, "transport").expect_err("refused");
        let told = problem.document();
        assert_eq!(told["code"], "forbidden");
        assert_eq!(told["detail"], "You have operator@environment.");
        assert_eq!(told["hint"], "This needs the role engineer or a higher one in `transport`.");
        assert_eq!(told["needed"]["departments"][0], "transport");
        assert!(rights.require_all(Role::Operator, ["environment", CITY]).is_err());
        assert!(rights.require_any(Role::Operator, &["transport", "environment"]).is_ok());
        assert!(rights.were_asked() && !rights.anew().were_asked());
    }
}
