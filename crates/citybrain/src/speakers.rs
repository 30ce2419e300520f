//! Which clients may speak for which devices: those that their credentials name.

use std::sync::Arc;

use city_pipeline::Speakers;
use city_registry::credentials::{ANONYMOUS, Credentials, Standing};

/// Asks the credentials. Somebody without any, who came in where none are asked for, speaks for
/// devices that nobody has credentials for. Who had some, speaks for nobody.
pub struct ByCredentials(pub Arc<Credentials>);

impl Speakers for ByCredentials {
    fn may_speak(&self, client: &str, device: &str) -> bool {
        match self.0.standing(client) {
            Standing::Granted(grant) => grant.speaks_for(device),
            Standing::Disabled => false,
            Standing::Unknown => client.starts_with(ANONYMOUS) && !self.0.is_guarded(device),
        }
    }

    fn may_publish(&self, client: &str, topic: &str, device: Option<&str>) -> bool {
        self.0.grant(client).is_some_and(|grant| grant.may_publish(topic, device))
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
        credentials.issue_token("disabled", "").expect("issued");
        credentials.set_enabled("disabled", false).expect("written");
        let speakers = ByCredentials(credentials);
        for (client, device, may) in [
            ("gateway", "a", true),
            ("gateway", "free", false),
            ("guarded", "guarded", true),
            ("disabled", "disabled", false),
            ("disabled", "free", false),
            ("anonymous:anybody", "free", true),
            ("anonymous:anybody", "guarded", false),
            ("anonymous:guarded", "guarded", false),
            ("anonymous:anybody", "disabled", false),
            ("anonymous:disabled", "disabled", false),
            ("anonymous:anybody", "a", false),
            ("anonymous:a", "a", false),
            ("removed", "free", false),
        ] {
            assert_eq!(speakers.may_speak(client, device), may, "{client} for {device}");
        }
    }
}
