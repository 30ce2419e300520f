//! Who may connect to the embedded endpoint, by the credentials of the registry.

use std::sync::Arc;
use std::time::Duration;

use city_endpoint::{Access, Denied, Doorway, Filters, Grant, Knock, PublishRight, Stay};
use city_pipeline::Sources;
use city_registry::credentials::{self, ANONYMOUS, Credentials, Devices, Verified};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether somebody's rights have changed.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// When clients are let in that show nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    /// Never.
    Never,
    /// As long as nobody has been given credentials.
    UntilCredentials,
    /// Always.
    Always,
}

/// What the messages of somebody without credentials carry as the client: a name that no client
/// with credentials has or will have, so that rights that are given later are not theirs.
pub(crate) fn anonymous(client: &str) -> Arc<str> {
    format!("{ANONYMOUS}{client}").into()
}

/// Asks the credentials. The name that it gives a client, which its messages carry, is that of the
/// credentials' client, a device's id or a gateway's name; or an [`anonymous`] one.
pub(crate) struct ByCredentials {
    credentials: Arc<Credentials>,
    sources: Arc<Sources>,
    command_topics: Vec<String>,
    anonymous: Anonymous,
}

impl ByCredentials {
    /// `anonymous` says when clients are let in that show nothing, by their client ids.
    pub(crate) fn new(
        credentials: Arc<Credentials>,
        sources: Arc<Sources>,
        command_topics: Vec<String>,
        anonymous: Anonymous,
    ) -> Self {
        Self { credentials, sources, command_topics, anonymous }
    }

    /// Ends the connections of clients whose rights have changed, or whose credential is gone,
    /// until told to stop.
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
                let ended = doorway.revoke();
                if ended > 0 {
                    tracing::info!(
                        connections = ended,
                        "clients with changed rights are sent away"
                    );
                }
            }
        }
    }

    /// Whom the client proves to be; `None` if it shows nothing.
    fn identify(&self, knock: &Knock<'_>) -> Option<Result<Verified, Denied>> {
        let credentials = &self.credentials;
        if let Some(certificate) = knock.certificate {
            let fingerprint = format!("sha256:{}", certificate.fingerprint);
            let named =
                || certificate.names().find_map(|name| credentials.verify_certificate_name(name));
            if let Some(known) = credentials.verify_fingerprint(&fingerprint).or_else(named) {
                return Some(Ok(known));
            }
        }
        let known = match (knock.username, knock.password) {
            (None, None) if knock.certificate.is_none() => return None,
            (None, None) => None,
            (Some(name), Some(password)) => credentials.verify_password(name, password),
            // As ThingsBoard's devices do it: the token is the user name.
            (Some(token), None) => credentials.verify_token(token),
            (None, Some(token)) => {
                std::str::from_utf8(token).ok().and_then(|token| credentials.verify_token(token))
            }
        };
        Some(known.ok_or(Denied::BadCredentials))
    }

    fn grant(&self, verified: Verified) -> Grant {
        let known = verified.grant.clone();
        let commands = self.commands(&known);
        let credentials = self.credentials.clone();
        let stay = Stay::as_long_as(move || credentials.still_holds(&verified));
        let (name, sources) = (known.name.clone(), self.sources.clone());
        let may_publish = move |topic: &str| known.may_publish(topic, device_in(&sources, topic));
        let publish = PublishRight::Check(Arc::new(may_publish));
        Grant { name, publish, commands, rates: None, stay }
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
        let welcome = match self.anonymous {
            Anonymous::Never => false,
            Anonymous::UntilCredentials => self.credentials.is_empty(),
            Anonymous::Always => true,
        };
        if !welcome {
            return Err(Denied::BadCredentials);
        }
        if self.credentials.is_guarded(client) {
            let reason = "this client id is that of a client with credentials; show them";
            return Err(Denied::NotAuthorized(reason.to_owned()));
        }
        let topics = &self.command_topics;
        let (credentials, id) = (self.credentials.clone(), client.to_owned());
        Ok(Grant {
            name: anonymous(client),
            publish: Filters::every().into(),
            commands: Filters::from_templates(topics, &[client]),
            rates: None,
            stay: Stay::as_long_as(move || !credentials.is_guarded(&id)),
        })
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
    use city_pipeline::{SourceSpec, Speakers as _};
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

        fn access(&self, anonymous: Anonymous) -> ByCredentials {
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
        let access = bench.access(Anonymous::Never);
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
        let access = bench.access(Anonymous::Never);
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
        let access = bench.access(Anonymous::Always);
        let grant = access.admit(&knock(None, None)).expect("anonymous");
        assert!(&*grant.name == "anonymous:client-id" && grant.publish.allows("city/d1/up"));
        assert!(grant.stay.holds());
        let rights = Rights { any_device: true, ..Rights::default() };
        bench.credentials.put_client("client-id", &rights).expect("put");
        assert!(!grant.stay.holds(), "its client id is somebody's now");
        let speakers = crate::speakers::ByCredentials(bench.credentials.clone());
        assert!(speakers.may_speak("client-id", "d1"));
        assert!(!speakers.may_speak(&grant.name, "client-id"), "its rights are not those");
        for enabled in [true, false] {
            bench.credentials.set_enabled("client-id", enabled).expect("written");
            let denied = access.admit(&knock(None, None));
            assert!(matches!(denied, Err(Denied::NotAuthorized(_))), "{enabled}: {denied:?}");
        }
    }

    #[test]
    fn a_device_of_a_gateway_needs_credentials_too() {
        let bench = Bench::new();
        let access = bench.access(Anonymous::Always);
        let grant = access.admit(&knock(None, None)).expect("anonymous");
        let devices = Some(vec!["client-id".to_owned()]);
        let rights = Rights { devices, ..Rights::default() };
        bench.credentials.put_client("gateway", &rights).expect("put");
        assert!(!grant.stay.holds());
        assert!(matches!(access.admit(&knock(None, None)), Err(Denied::NotAuthorized(_))));
    }

    #[test]
    fn by_itself_it_lets_nobody_in_without_credentials_once_there_are_some() {
        let bench = Bench::new();
        let access = bench.access(Anonymous::UntilCredentials);
        let early = access.admit(&knock(None, None)).expect("there are none");
        bench.credentials.issue_token("d1", "").expect("a token");
        assert_eq!(access.admit(&knock(None, None)).err(), Some(Denied::BadCredentials));
        assert!(early.stay.holds(), "its own id has none");
        let denied = bench.access(Anonymous::Never).admit(&knock(None, None));
        assert_eq!(denied.err(), Some(Denied::BadCredentials));
    }

    #[test]
    fn who_loses_rights_or_the_credential_it_showed_may_not_stay() {
        let bench = Bench::new();
        let stolen = bench.credentials.issue_token("d1", "").expect("a token");
        let kept = bench.credentials.issue_token("d1", "").expect("a token");
        let access = bench.access(Anonymous::Always);
        let [with_stolen, with_kept] = [&stolen, &kept].map(|token| {
            let secret = token.secret.expose().as_bytes();
            access.admit(&knock(Some("d1"), Some(secret))).expect("its token")
        });
        let other = access.admit(&knock(None, None)).expect("anonymous");
        assert!(with_stolen.stay.holds() && with_kept.stay.holds());
        bench.credentials.revoke("d1", stolen.id).expect("revoked");
        assert!(!with_stolen.stay.holds() && with_kept.stay.holds());
        bench.credentials.set_enabled("d1", false).expect("written");
        assert!(!with_kept.stay.holds() && other.stay.holds());
    }

    #[test]
    fn a_name_in_a_certificate_that_looks_like_a_fingerprint_is_nobodys() {
        let bench = Bench::new();
        let print = format!("sha256:{}", "ab".repeat(32));
        bench.credentials.bind_certificate("d1", &print, "").expect("bound");
        let access = bench.access(Anonymous::Never);
        let admit = |certificate: &CertificateIdentity| {
            access.admit(&Knock { certificate: Some(certificate), ..knock(None, None) })
        };
        let own = CertificateIdentity { fingerprint: "ab".repeat(32), ..Default::default() };
        assert_eq!(&*admit(&own).expect("its certificate").name, "d1");
        let forged = CertificateIdentity {
            common_name: Some(print.clone()),
            alternative_names: vec![print],
            fingerprint: "cd".repeat(32),
        };
        assert_eq!(admit(&forged).err(), Some(Denied::BadCredentials));
    }
}
