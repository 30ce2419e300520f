//! Login through an identity provider: who is on the way there, and what the groups of those who
//! come back grant.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use city_model::{LocalText, Span, Timestamp};
use city_oidc::{Identity, OidcError, Pending, Provider};

use super::tokens::hash;
use super::{Grant, Grants, Role};

/// How long somebody may take at the provider.
pub(crate) const PATIENCE: Span = Span::from_mins(10);
/// How many may be there at a time; the first of them are forgotten.
const MOST: usize = 1_000;

/// An identity provider, and what its groups may do here.
#[derive(Debug)]
pub struct ExternalLogin {
    provider: Provider,
    name: LocalText,
    grants: BTreeMap<String, Vec<Grant>>,
    on_the_way: OnTheWay,
}

/// Those who are at the provider.
#[derive(Debug, Default)]
struct OnTheWay(Mutex<VecDeque<Leaving>>);

#[derive(Debug)]
struct Leaving {
    state: [u8; 32],
    pending: Pending,
    since: Timestamp,
}

impl OnTheWay {
    fn put(&self, pending: Pending, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|leaving| now.since(leaving.since) < PATIENCE);
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back(Leaving { state: hash(&pending.state), pending, since: now });
    }

    /// Whoever left with this state; each comes back once.
    fn take(&self, state: &str, now: Timestamp) -> Option<Pending> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = hash(state);
        let place = all.iter().position(|leaving| leaving.state == state)?;
        let Leaving { pending, since, .. } = all.remove(place)?;
        (now.since(since) < PATIENCE).then_some(pending)
    }
}

/// What somebody comes back with.
pub(crate) struct Arrival {
    /// What they left with.
    pub(crate) state: String,
    /// What the provider takes for who they are.
    pub(crate) code: String,
    /// Which provider it is, if it says so.
    pub(crate) issuer: Option<String>,
}

impl ExternalLogin {
    /// A provider, what people call it, and what each of its groups or roles grants.
    pub fn new(provider: Provider, name: LocalText, grants: BTreeMap<String, Vec<Grant>>) -> Self {
        Self { provider, name, grants, on_the_way: OnTheWay::default() }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &LocalText {
        &self.name
    }

    /// Where the browser is to go, and the state that it must come back with.
    pub(crate) async fn begin(&self, now: Timestamp) -> Result<(String, String), OidcError> {
        let (url, pending) = self.provider.begin().await?;
        let state = pending.state.clone();
        self.on_the_way.put(pending, now);
        Ok((url, state))
    }

    /// Who came back; `None` if nobody left like this.
    pub(crate) async fn finish(
        &self,
        arrival: Arrival,
        now: Timestamp,
    ) -> Result<Option<Identity>, OidcError> {
        let Some(pending) = self.on_the_way.take(&arrival.state, now) else { return Ok(None) };
        self.provider.finish(arrival.code, arrival.issuer.as_deref(), pending).await.map(Some)
    }

    /// What the groups of somebody grant together: the highest role of each department.
    pub(crate) fn grants_of(&self, groups: &[String]) -> Grants {
        let mut roles: BTreeMap<&str, Role> = BTreeMap::new();
        for grant in groups.iter().filter_map(|group| self.grants.get(group)).flatten() {
            let role = roles.entry(&grant.department).or_insert(grant.role);
            *role = (*role).max(grant.role);
        }
        let grant =
            |(department, role): (&str, Role)| Grant { department: department.to_owned(), role };
        Grants::new(roles.into_iter().map(grant).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external() -> ExternalLogin {
        let provider = Provider::new(city_oidc::Config {
            issuer: "https://id.city.example".to_owned(),
            client_id: "citybrain".to_owned(),
            client_secret: None,
            public_url: "https://brain.city.example".to_owned(),
            scopes: Vec::new(),
            user_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            ca_file: None,
        });
        let grant = |department: &str, role| Grant { department: department.to_owned(), role };
        let grants = BTreeMap::from([
            ("watch".to_owned(), vec![grant("*", Role::Viewer)]),
            ("air".to_owned(), vec![grant("air", Role::Operator)]),
            (
                "air-lead".to_owned(),
                vec![grant("air", Role::Engineer), grant("roads", Role::Viewer)],
            ),
        ]);
        ExternalLogin::new(provider.expect("good"), LocalText::default(), grants)
    }

    #[test]
    fn groups_grant_the_highest_role_of_each_department_and_strangers_nothing() {
        let external = external();
        let grants = |groups: &[&str]| {
            let groups: Vec<_> = groups.iter().map(|&group| group.to_owned()).collect();
            let grants = external.grants_of(&groups).to_vec();
            let shown = grants.iter().map(|grant| format!("{}:{}", grant.department, grant.role));
            shown.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(grants(&["air", "air-lead", "watch"]), "*:viewer air:engineer roads:viewer");
        assert_eq!(grants(&["air-lead", "air"]), "air:engineer roads:viewer");
        assert_eq!(grants(&["Watch", "nobody"]), "");
    }
}
