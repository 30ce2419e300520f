//! Who may connect to the embedded endpoint, by the credentials of the registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_endpoint::{Access, Denied, Doorway, Filters, Grant, Knock, PublishRight};
use city_pipeline::Sources;
use city_registry::credentials::{self, Credentials, Devices};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether somebody's rights have changed.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Asks the credentials. The name that it gives a client, which its messages carry, is that of the
/// credentials' client: a device's id, or a gateway's name.
pub(crate) struct ByCredentials {
    credentials: Arc<Credentials>,
    sources: Arc<Sources>,
    command_topics: Vec<String>,
    anonymous: bool,
    /// The rights with which clients were let in, by name.
    admitted: Mutex<HashMap<Arc<str>, credentials::Grant>>,
}

impl ByCredentials {
    /// `anonymous` lets clients in that show nothing, by their client ids.
    pub(crate) fn new(
        credentials: Arc<Credentials>,
        sources: Arc<Sources>,
        command_topics: Vec<String>,
        anonymous: bool,
    ) -> Self {
        let admitted = Mutex::default();
        Self { credentials, sources, command_topics, anonymous, admitted }
    }

    /// Ends the connections of clients whose rights have changed, until told to stop.
    pub(crate) async fn watch(self: Arc<Self>, doorway: Doorway, stop: CancellationToken) {
        let mut seen = self.credentials.version();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(WATCH_EVERY) => {}
            }
            let version = self.credentials.version();
            if version != seen {
                seen = version;
                let ended = doorway.revoke(|name| self.may_stay(name));
                if ended > 0 {
                    tracing::info!(
                        connections = ended,
                        "clients with changed rights are sent away"
                    );
                }
            }
        }
    }

    fn may_stay(&self, name: &str) -> bool {
        let mut admitted = self.lock();
        let Some(then) = admitted.get(name) else { return true };
        let same = self.credentials.grant(name).as_ref() == Some(then);
        if !same {
            admitted.remove(name);
        }
        same
    }

    /// Whom the client proves to be; `None` if it shows nothing.
    fn identify(&self, knock: &Knock<'_>) -> Option<Result<credentials::Grant, Denied>> {
        let credentials = &self.credentials;
        if let Some(certificate) = knock.certificate {
            let fingerprint = format!("sha256:{}", certificate.fingerprint);
            let known = std::iter::once(fingerprint.as_str()).chain(certificate.names());
            let mut grants = known.filter_map(|name| credentials.verify_certificate(name));
            if let Some(grant) = grants.next() {
                return Some(Ok(grant));
            }
        }
        let grant = match (knock.username, knock.password) {
            (None, None) if knock.certificate.is_none() => return None,
            (None, None) => None,
            (Some(name), Some(password)) => credentials.verify_password(name, password),
            // As ThingsBoard's devices do it: the token is the user name.
            (Some(token), None) => credentials.verify_token(token),
            (None, Some(token)) => {
                std::str::from_utf8(token).ok().and_then(|token| credentials.verify_token(token))
            }
        };
        Some(grant.ok_or(Denied::BadCredentials))
    }

    fn grant(&self, known: credentials::Grant) -> Grant {
        self.lock().insert(known.name.clone(), known.clone());
        let commands = self.commands(&known);
        let (name, sources) = (known.name.clone(), self.sources.clone());
        let may_publish = move |topic: &str| known.may_publish(topic, device_in(&sources, topic));
        Grant { name, publish: PublishRight::Check(Arc::new(may_publish)), commands, rates: None }
    }

    /// The command topics of the devices that a client speaks for.
    fn commands(&self, known: &credentials::Grant) -> Filters {
        let topics = &self.command_topics;
        match &known.devices {
            Devices::Own => Filters::from_templates(topics, &[&known.name]),
            Devices::List(ids) => {
                let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
                Filters::from_templates(topics, &ids)
            }
            Devices::Any => {
                let all = topics.iter().map(|topic| topic.replace("{device}", "+"));
                Filters::from_templates(all, &[])
            }
        }
    }

    fn nobody(&self, client: &str) -> Result<Grant, Denied> {
        if !self.anonymous {
            return Err(Denied::BadCredentials);
        }
        if self.credentials.grant(client).is_some() {
            let reason = "this client id is that of a client with credentials; show them";
            return Err(Denied::NotAuthorized(reason.to_owned()));
        }
        let topics = &self.command_topics;
        Ok(Grant {
            name: client.into(),
            publish: Filters::every().into(),
            commands: Filters::from_templates(topics, &[client]),
            rates: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, credentials::Grant>> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access for ByCredentials {
    fn admit(&self, knock: &Knock<'_>) -> Result<Grant, Denied> {
        match self.identify(knock) {
            Some(known) => known.map(|known| self.grant(known)),
            None => self.nobody(knock.client),
        }
    }
}

/// The device that a topic names, as the source that wants it reads it.
fn device_in<'t>(sources: &Sources, topic: &'t str) -> Option<&'t str> {
    let source = sources.route(None, topic).and_then(|key| sources.get(key))?;
    source.template.capture(topic)?.device
}

#[cfg(test)]
mod tests {
    use city_endpoint::{COMMAND_TOPICS, CertificateIdentity};
    use city_model::ManualClock;
    use city_pipeline::SourceSpec;
    use city_registry::credentials::Rights;
    use city_store::StateDb;

    use super::*;

    struct Bench {
        _folder: tempfile::TempDir,
        credentials: Arc<Credentials>,
        sources: Arc<Sources>,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let state = StateDb::open(folder.path().join("state.db")).expect("a database");
            let clock = Arc::new(ManualClock::default());
            let credentials = Credentials::open(Arc::new(state), clock).expect("tables");
            let source: SourceSpec = serde_json::from_value(serde_json::json!({
                "id": "up", "topic": "city/{device}/up", "format": "senml",
            }))
            .expect("a source");
            let sources = Sources::compile(&[source]).expect("a good source");
            Self { _folder: folder, credentials: Arc::new(credentials), sources: Arc::new(sources) }
        }

        fn access(&self, anonymous: bool) -> ByCredentials {
            let topics = COMMAND_TOPICS.iter().map(ToString::to_string).collect();
            ByCredentials::new(self.credentials.clone(), self.sources.clone(), topics, anonymous)
        }
    }

    fn knock<'a>(username: Option<&'a str>, password: Option<&'a [u8]>) -> Knock<'a> {
        Knock {
            client: "client-id",
            username,
            password,
            certificate: None,
            listener: "mqtt:1883",
            peer: None,
        }
    }

    #[test]
    fn a_device_with_a_token_publishes_as_itself_and_hears_its_own_commands() {
        let bench = Bench::new();
        let token = bench.credentials.issue_token("d1", "a test").expect("a token");
        let secret = token.secret.expose().to_owned();
        let access = bench.access(false);
        for knock in [
            knock(Some("d1"), Some(secret.as_bytes())),
            knock(Some(&secret), None),
            knock(None, Some(secret.as_bytes())),
        ] {
            let grant = access.admit(&knock).expect("its token");
            assert_eq!(&*grant.name, "d1");
            assert!(grant.publish.allows("city/d1/up"));
            assert!(!grant.publish.allows("city/d2/up") && !grant.publish.allows("elsewhere"));
            assert!(grant.commands.covers("cmd/d1/#") && !grant.commands.covers("cmd/d2/#"));
        }
        for wrong in [
            knock(Some("d2"), Some(secret.as_bytes())),
            knock(Some("d1"), Some(b"guess")),
            knock(Some("d1"), None),
            knock(None, None),
        ] {
            assert_eq!(access.admit(&wrong).err(), Some(Denied::BadCredentials), "{wrong:?}");
        }
    }

    #[test]
    fn a_gateway_speaks_for_its_devices() {
        let bench = Bench::new();
        let rights = Rights {
            devices: Some(vec!["a".to_owned(), "b".to_owned()]),
            publish: vec!["gw/up".to_owned(), "city/+/up".to_owned()],
            ..Rights::default()
        };
        bench.credentials.put_client("gateway", &rights).expect("good rights");
        bench.credentials.bind_certificate("gateway", "gw.example", "").expect("good");
        let certificate = CertificateIdentity {
            common_name: Some("something else".to_owned()),
            alternative_names: vec!["gw.example".to_owned()],
            fingerprint: "00".repeat(32),
        };
        let access = bench.access(false);
        let shown = Knock { certificate: Some(&certificate), ..knock(None, None) };
        let grant = access.admit(&shown).expect("its certificate");
        assert_eq!(&*grant.name, "gateway");
        for (topic, allowed) in
            [("city/a/up", true), ("city/c/up", false), ("gw/up", true), ("gw/down", false)]
        {
            assert_eq!(grant.publish.allows(topic), allowed, "{topic}");
        }
        assert!(grant.commands.covers("cmd/b/#") && !grant.commands.covers("cmd/c/#"));
        let stranger = CertificateIdentity::default();
        let shown = Knock { certificate: Some(&stranger), ..knock(None, None) };
        assert_eq!(access.admit(&shown).err(), Some(Denied::BadCredentials));
    }

    #[test]
    fn nobody_without_credentials_passes_for_somebody_with_them() {
        let bench = Bench::new();
        let access = bench.access(true);
        let grant = access.admit(&knock(None, None)).expect("anonymous");
        assert!(&*grant.name == "client-id" && grant.publish.allows("city/d1/up"));
        bench.credentials.issue_token("client-id", "").expect("a token");
        let denied = access.admit(&knock(None, None));
        assert!(matches!(denied, Err(Denied::NotAuthorized(_))), "{denied:?}");
    }

    #[test]
    fn who_loses_rights_may_not_stay() {
        let bench = Bench::new();
        let token = bench.credentials.issue_token("d1", "").expect("a token");
        let access = bench.access(true);
        let secret = token.secret.expose().to_owned();
        access.admit(&knock(Some("d1"), Some(secret.as_bytes()))).expect("its token");
        access.admit(&knock(None, None)).expect("anonymous");
        assert!(access.may_stay("d1") && access.may_stay("client-id"));
        bench.credentials.set_enabled("d1", false).expect("written");
        assert!(!access.may_stay("d1") && access.may_stay("client-id"));
    }
}
