//! The TCP listener for HJ 212 as a door of the city: its settings, its passwords, its figures.
//!
//! What a device shows as `PW` is its token, or its password, which has 15 characters or more. Many
//! loggers hold six digits there: those have no credentials of their own, and come in where
//! `anonymous` lets them, from a network that is theirs alone. What the city's platform and its
//! loggers agreed on, most often one word for all, is `logger_password`: it keeps out a logger of
//! somebody else's, but it is no secret from who can read the line.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use city_collect::Secret;
use city_hj212::{Access, Checksum, Config, Listener, Sm4Key, StatsSnapshot};
use city_model::SharedClock;
use city_pipeline::{Intake, SourceSpec, Sources};
use city_registry::credentials::{Credentials, Standing};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::anonymous;
use crate::metrics::{Figure, Growth, Read};
use crate::settings::{Problem, Settings};

/// The format that the listener's source must have.
const FORMAT: &str = "hj212";

/// The TCP listener for HJ 212.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hj212Settings {
    /// Whether it runs.
    pub enabled: bool,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether it may be reached from other machines. HJ 212 sends passwords in the clear.
    pub expose: bool,
    /// Whether devices without credentials may send. If missing: only while no other machine can
    /// reach the listener, or `expose` says that the network is one's own.
    pub anonymous: Option<bool>,
    /// What devices without credentials must show as `PW`; if missing, anything.
    pub logger_password: Option<Secret>,
    /// The id of the source that its messages belong to; its format is `hj212`.
    pub source: String,
    /// The most connections at a time.
    pub max_connections: usize,
}

impl Default for Hj212Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 9212)),
            expose: false,
            anonymous: None,
            logger_password: None,
            source: FORMAT.to_owned(),
            max_connections: 10_000,
        }
    }
}

impl Hj212Settings {
    /// Notes everything that would keep it from starting, or expose it by mistake.
    pub(crate) fn check(&self, sources: &[SourceSpec], problems: &mut Vec<Problem>) {
        if !self.enabled {
            return;
        }
        if !self.listen.ip().is_loopback() && !self.expose {
            problems.push(Problem::new(
                "hj212.listen",
                format!(
                    "{} can be reached from other machines, and HJ 212 sends passwords in the clear",
                    self.listen
                ),
                "listen on 127.0.0.1 behind a tunnel, or write `expose = true` in [hj212] if the \
                 network is yours alone",
            ));
        }
        let source = sources.iter().find(|source| source.id == self.source);
        if source.is_none_or(|source| source.format != FORMAT || source.broker.is_some()) {
            problems.push(Problem::new(
                "hj212.source",
                format!(
                    "there is no source `{}` with the format hj212 and without a broker",
                    self.source
                ),
                "add a [[source]] with this id, format = \"hj212\" and topic = \"hj212/{device}\"",
            ));
        }
        if self.logger_password.as_ref().is_some_and(|word| word.reveal().is_empty()) {
            let hint = "write what the loggers hold as PW, or leave the key out";
            problems.push(Problem::new("hj212.logger_password", "is empty", hint));
        }
        if self.logger_password.is_some() && !self.lets_anonymous_in() {
            let hint = "write `anonymous = true` in [hj212], or leave the password out";
            let message = "is for devices without credentials, and those are not let in";
            problems.push(Problem::new("hj212.logger_password", message, hint));
        }
        if self.max_connections == 0 {
            let hint = "write how many data loggers there are, and some";
            problems.push(Problem::new("hj212.max_connections", "0 lets nobody in", hint));
        }
    }

    fn lets_anonymous_in(&self) -> bool {
        self.anonymous.unwrap_or(self.listen.ip().is_loopback() || self.expose)
    }
}

/// What the listener needs of the city.
pub(crate) struct Hj212Door<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sources: &'a Sources,
    pub(crate) credentials: &'a Arc<Credentials>,
    pub(crate) clock: &'a SharedClock,
    pub(crate) metrics: &'a prometheus::Registry,
}

impl Hj212Door<'_> {
    /// Opens the listener, if it is enabled; returns where it listens.
    pub(crate) async fn open(
        &self,
        intake: Intake,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<SocketAddr>> {
        let settings = &self.settings.hj212;
        if !settings.enabled {
            return Ok(None);
        }
        let source = self.sources.by_id(&settings.source);
        let source = source.context("[hj212] source: there is no such source")?;
        let options = self.sources.get(source).map(|source| &source.spec.options);
        let option = |name: &str| options.and_then(|options| options.get(name)?.as_str());
        let config = Config {
            max_connections: settings.max_connections,
            checksum: Checksum::from_option(option("crc")),
            sm4_key: Sm4Key::from_option(option("sm4_key")),
            ..Config::new(settings.listen, source)
        };
        let access = Arc::new(ByCredentials {
            credentials: self.credentials.clone(),
            anonymous: settings.lets_anonymous_in(),
            logger_password: settings.logger_password.clone(),
        });
        let listener = Listener::bind(config, intake, access, self.clock.clone())
            .await
            .context("[hj212] listen: is another program listening there?")?;
        let address = listener.local_addr()?;
        let stats = listener.stats();
        Read::register(self.metrics, &[], move || figures(&stats.snapshot()))?;
        let stop = stop.clone();
        tasks.spawn(async move { listener.run(stop).await });
        Ok(Some(address))
    }
}

/// Asks the credentials: the device's id (`MN`) is the name, its password (`PW`) the password or
/// the token.
struct ByCredentials {
    credentials: Arc<Credentials>,
    anonymous: bool,
    logger_password: Option<Secret>,
}

impl ByCredentials {
    fn is_agreed(&self, password: &str) -> bool {
        self.logger_password.as_ref().is_none_or(|agreed| agreed.reveal() == password)
    }
}

impl Access for ByCredentials {
    fn may_send(&self, device: &str, password: &str) -> bool {
        match self.credentials.standing(device) {
            Standing::Granted(_) => {
                self.credentials.verify_password(device, password.as_bytes()).is_some()
            }
            Standing::Unknown => {
                self.anonymous && self.is_agreed(password) && !self.credentials.is_guarded(device)
            }
            Standing::Disabled => false,
        }
    }

    fn known(&self, device: &str, password: &str) -> Option<bool> {
        match self.credentials.standing(device) {
            Standing::Granted(_) => {
                let known = self.credentials.known_password(device, password.as_bytes());
                known.map(|verified| verified.is_some())
            }
            // No password is hashed for these.
            Standing::Unknown | Standing::Disabled => Some(self.may_send(device, password)),
        }
    }

    fn name(&self, device: &str) -> Arc<str> {
        match self.credentials.standing(device) {
            Standing::Unknown => anonymous(device),
            Standing::Granted(_) | Standing::Disabled => device.into(),
        }
    }
}

fn figures(stats: &StatsSnapshot) -> Vec<Figure> {
    use Growth::{Counter, Gauge};
    vec![
        ("citybrain_hj212_open_connections", "Connections that are open now.", Gauge, stats.open),
        ("citybrain_hj212_connections_total", "Connections accepted.", Counter, stats.connections),
        (
            "citybrain_hj212_refused_connections_total",
            "Connections refused, because there were too many.",
            Counter,
            stats.refused_connections,
        ),
        ("citybrain_hj212_frames_total", "Frames received.", Counter, stats.frames),
        (
            "citybrain_hj212_answered_total",
            "Frames answered after their commit.",
            Counter,
            stats.answered,
        ),
        (
            "citybrain_hj212_refused_frames_total",
            "Frames refused for their password.",
            Counter,
            stats.refused,
        ),
        (
            "citybrain_hj212_bad_checksums_total",
            "Frames received with a wrong checksum.",
            Counter,
            stats.bad_checksums,
        ),
        (
            "citybrain_hj212_garbage_bytes_total",
            "Bytes that belong to no frame.",
            Counter,
            stats.garbage_bytes,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use city_model::ManualClock;
    use city_registry::credentials::Rights;
    use city_store::StateDb;

    use super::*;

    fn source(json: serde_json::Value) -> SourceSpec {
        serde_json::from_value(json).expect("a source")
    }

    #[test]
    fn a_listener_without_its_source_or_open_to_all_is_a_problem() {
        let keys = |settings: &Hj212Settings, sources: &[SourceSpec]| {
            let mut problems = Vec::new();
            settings.check(sources, &mut problems);
            problems.into_iter().map(|problem| problem.key).collect::<Vec<_>>()
        };
        let off = Hj212Settings { listen: ([0, 0, 0, 0], 9212).into(), ..Hj212Settings::default() };
        assert_eq!(keys(&off, &[]), [""; 0]);
        let on = Hj212Settings { enabled: true, max_connections: 0, ..off.clone() };
        assert_eq!(keys(&on, &[]), ["hj212.listen", "hj212.source", "hj212.max_connections"]);
        let good = source(serde_json::json!({
            "id": "hj212", "topic": "hj212/{device}", "format": "hj212",
        }));
        let other = SourceSpec { format: "json".to_owned(), ..good.clone() };
        let on = Hj212Settings { enabled: true, expose: true, ..off };
        assert_eq!(keys(&on, &[other]), ["hj212.source"]);
        assert_eq!(keys(&on, std::slice::from_ref(&good)), [""; 0]);
        let useless = Hj212Settings {
            anonymous: Some(false),
            logger_password: Some(Secret::new("123456")),
            ..on
        };
        assert_eq!(keys(&useless, &[good]), ["hj212.logger_password"]);
        assert!(!format!("{useless:?}").contains("123456"));
    }

    #[test]
    fn a_device_with_credentials_must_show_them_and_others_only_come_in_where_all_may() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDb::open(folder.path().join("state.db")).expect("a database");
        let clock = Arc::new(ManualClock::default());
        let credentials = Arc::new(Credentials::open(Arc::new(state), clock).expect("tables"));
        let token = credentials.issue_token("M1", "").expect("a token");
        credentials.issue_token("M3", "").expect("a token");
        credentials.set_enabled("M3", false).expect("written");
        let devices = Some(vec!["listed".to_owned()]);
        credentials.put_client("gateway", &Rights { devices, ..Rights::default() }).expect("put");
        for anonymous in [true, false] {
            let access = ByCredentials {
                credentials: credentials.clone(),
                anonymous,
                logger_password: None,
            };
            assert!(access.may_send("M1", token.secret.expose()));
            assert!(!access.may_send("M1", "123456"));
            assert_eq!(access.known("M1", token.secret.expose()), Some(true));
            assert_eq!(access.known("M1", "123456"), Some(false), "looked up once");
            assert_eq!(access.known("M1", "654321"), None, "not looked up yet");
            assert_eq!(access.may_send("M2", "123456"), anonymous);
            assert_eq!(access.known("M2", "123456"), Some(anonymous));
            assert_eq!((&*access.name("M1"), &*access.name("M2")), ("M1", "anonymous:M2"));
            for guarded in ["M3", "listed"] {
                assert!(!access.may_send(guarded, "123456"), "{guarded}");
            }
        }
        let access = ByCredentials {
            credentials: credentials.clone(),
            anonymous: true,
            logger_password: Some(Secret::new("123456")),
        };
        assert!(access.may_send("M2", "123456") && !access.may_send("M2", "654321"));
        assert!(access.may_send("M1", token.secret.expose()) && !access.may_send("M1", "123456"));
        assert!(!access.may_send("M3", "123456"));
    }
}
