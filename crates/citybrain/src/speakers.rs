//! Which clients may speak for which devices: those that their credentials name.

use std::sync::Arc;

use city_pipeline::Speakers;
use city_registry::credentials::Credentials;

/// Asks the credentials. A client without any, which came in where none are asked for, speaks for
/// devices that have none either.
pub struct ByCredentials(pub Arc<Credentials>);

impl Speakers for ByCredentials {
    fn may_speak(&self, client: &str, device: &str) -> bool {
        match self.0.grant(client) {
            Some(grant) => grant.speaks_for(device),
            None => self.0.grant(device).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use city_model::ManualClock;
    use city_registry::credentials::Rights;
    use city_store::StateDb;

    use super::*;

    #[test]
    fn nobody_without_credentials_speaks_for_who_has_them() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let clock = Arc::new(ManualClock::default());
        let credentials = Arc::new(Credentials::open(state, clock).expect("tables"));
        let rights = Rights { devices: Some(vec!["a".to_owned()]), ..Rights::default() };
        credentials.put_client("gateway", &rights).expect("put");
        credentials.issue_token("guarded", "").expect("issued");
        let speakers = ByCredentials(credentials);
        for (client, device, may) in [
            ("gateway", "a", true),
            ("gateway", "free", false),
            ("guarded", "guarded", true),
            ("anybody", "free", true),
            ("anybody", "guarded", false),
        ] {
            assert_eq!(speakers.may_speak(client, device), may, "{client} for {device}");
        }
    }
}
