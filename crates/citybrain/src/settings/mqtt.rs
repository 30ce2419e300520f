//! The embedded MQTT endpoint's part of the settings.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use city_endpoint::{
    COMMAND_TOPICS, CommandsConfig, EndpointConfig, Filters, LimitsConfig, ListenerConfig,
    TlsConfig,
};
use serde::Deserialize;

use super::Problem;
use crate::access::Anonymous;

/// The embedded MQTT endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttSettings {
    /// Whether it runs.
    pub enabled: bool,
    /// Where it listens.
    pub listen: SocketAddr,
    /// TLS there.
    pub tls: Option<TlsConfig>,
    /// Whether it may be reached from other machines without TLS, or without credentials.
    pub expose: bool,
    /// Whether clients without credentials are let in. If missing: only while no other machine can
    /// reach a listener, and nobody has been given credentials.
    pub anonymous: Option<bool>,
    /// Further listeners.
    #[serde(rename = "listener")]
    pub listeners: Vec<ListenerConfig>,
    /// The largest packet, in bytes.
    pub max_packet_size: u32,
    /// The most connections at a time.
    pub max_connections: usize,
    /// Limits of devices and addresses.
    pub limits: LimitsConfig,
    /// Limits of commands to devices.
    pub commands: CommandsConfig,
    /// What a device may subscribe to; `{device}` is its id.
    pub command_topics: Vec<String>,
}

impl Default for MqttSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            tls: None,
            expose: false,
            anonymous: None,
            listeners: Vec::new(),
            max_packet_size: 1 << 20,
            max_connections: 20_000,
            limits: LimitsConfig::default(),
            commands: CommandsConfig::default(),
            command_topics: COMMAND_TOPICS.iter().map(ToString::to_string).collect(),
        }
    }
}

impl MqttSettings {
    /// When clients without credentials are let in. That nobody else's machine can reach a
    /// listener says little for long: a proxy may stand before it.
    pub(crate) fn anonymous(&self) -> Anonymous {
        match self.anonymous {
            Some(true) => Anonymous::Always,
            None if !self.is_reachable() => Anonymous::UntilCredentials,
            Some(false) | None => Anonymous::Never,
        }
    }

    /// What the endpoint is made with.
    pub(crate) fn endpoint_config(&self, data_dir: &Path) -> EndpointConfig {
        EndpointConfig {
            listen: self.listen,
            tls: self.tls.clone(),
            listeners: self.listeners.clone(),
            limits: self.limits.clone(),
            commands: self.commands.clone(),
            max_packet_size: self.max_packet_size,
            max_connections: self.max_connections,
            sessions_file: Some(data_dir.join("mqtt-sessions")),
            ..EndpointConfig::default()
        }
    }

    /// Notes everything that would keep it from starting, or expose it by mistake.
    pub(crate) fn check(&self, problems: &mut Vec<Problem>) {
        if !self.enabled {
            return;
        }
        for (key, address, encrypted) in self.addresses() {
            if !is_loopback(address) && !encrypted && !self.expose {
                problems.push(Problem::new(
                    key,
                    format!("{address} can be reached from other machines, and nothing is encrypted"),
                    "add tls = { cert = \"cert.pem\", key = \"key.pem\" }; or listen on 127.0.0.1 behind \
                     a proxy with TLS, with `anonymous = false`; or write `expose = true` in [mqtt] if \
                     the network is yours alone",
                ));
            }
        }
        if self.is_reachable() && self.anonymous == Some(true) && !self.expose {
            problems.push(Problem::new(
                "mqtt.anonymous",
                "everybody who reaches the endpoint could publish as any device",
                "leave `anonymous` out and give devices credentials, or write `expose = true` in [mqtt] \
                 if the network is yours alone",
            ));
        }
        let listeners = self.listeners.iter().enumerate();
        let tls = listeners.map(|(index, one)| (format!("mqtt.listener[{index}].tls"), &one.tls));
        for (key, tls) in std::iter::once(("mqtt.tls".to_owned(), &self.tls)).chain(tls) {
            if let Some(Err(error)) = tls.as_ref().map(TlsConfig::check) {
                let hint = "paths are relative to the configuration file; files are PEM";
                problems.push(Problem::new(key, error, hint));
            }
        }
        for problem in self.endpoint_config(Path::new("")).problems() {
            let key = format!("mqtt.{}", problem.key);
            let hint = "see [mqtt] of `citybrain config example`";
            problems.push(Problem::new(key, &problem, hint));
        }
        for template in &self.command_topics {
            if Filters::from_templates([template], &["x"]) == Filters::none() {
                problems.push(Problem::new(
                    "mqtt.command_topics",
                    format!("`{template}` is no topic filter"),
                    "+ stands for a whole level, # for all that follow: \"cmd/{device}/#\"",
                ));
            }
        }
    }

    /// Makes paths relative to a folder absolute.
    pub(crate) fn resolve_paths(&mut self, base: &Path) {
        let resolve = |path: &mut PathBuf| *path = base.join(&*path);
        let further = self.listeners.iter_mut().filter_map(|listener| listener.tls.as_mut());
        for tls in self.tls.iter_mut().chain(further) {
            resolve(&mut tls.cert);
            resolve(&mut tls.key);
            tls.client_ca.iter_mut().for_each(resolve);
            tls.client_crl.iter_mut().for_each(resolve);
        }
    }

    /// Whether other machines can reach a listener.
    fn is_reachable(&self) -> bool {
        self.addresses().any(|(_, address, _)| !is_loopback(address))
    }

    /// Key, address, and whether it is encrypted, of each listener.
    fn addresses(&self) -> impl Iterator<Item = (String, IpAddr, bool)> {
        let first = ("mqtt.listen".to_owned(), self.listen.ip(), self.tls.is_some());
        let further = self.listeners.iter().enumerate().map(|(index, one)| {
            (format!("mqtt.listener[{index}].listen"), one.listen.ip(), one.tls.is_some())
        });
        std::iter::once(first).chain(further)
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let settings: MqttSettings = toml::from_str(text).expect("settings");
        let mut problems = Vec::new();
        settings.check(&mut problems);
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn nothing_is_exposed_by_mistake() {
        for (text, expected) in [
            ("", &[][..]),
            ("listen = \"0.0.0.0:1883\"", &["mqtt.listen"]),
            ("listen = \"0.0.0.0:1883\"\nexpose = true", &[]),
            (
                "[[listener]]\nlisten = \"[::]:9001\"\nwebsocket = true",
                &["mqtt.listener[0].listen"],
            ),
            (
                "listen = \"0.0.0.0:8883\"\nanonymous = true\ntls = {cert = \"no.pem\", key = \"no.pem\"}",
                &["mqtt.anonymous", "mqtt.tls"],
            ),
            ("[commands]\nmax_queued = 0", &["mqtt.commands.max_queued"]),
            ("command_topics = [\"cmd/#/x\"]", &["mqtt.command_topics"]),
            ("enabled = false\nlisten = \"0.0.0.0:1883\"", &[]),
        ] {
            assert_eq!(keys(text), expected, "{text}");
        }
    }

    #[test]
    fn who_can_be_reached_asks_for_credentials() {
        for (text, anonymous) in [
            ("", Anonymous::UntilCredentials),
            ("expose = true", Anonymous::UntilCredentials),
            ("anonymous = true", Anonymous::Always),
            ("anonymous = false", Anonymous::Never),
            ("listen = \"0.0.0.0:1883\"\nexpose = true", Anonymous::Never),
            ("listen = \"0.0.0.0:1883\"\nexpose = true\nanonymous = true", Anonymous::Always),
            ("listen = \"0.0.0.0:8883\"\ntls = {cert = \"c\", key = \"k\"}", Anonymous::Never),
            (
                "expose = true\n[[listener]]\nlisten = \"0.0.0.0:8883\"\ntls = {cert = \"c\", key = \"k\"}",
                Anonymous::Never,
            ),
        ] {
            let settings: MqttSettings = toml::from_str(text).expect("settings");
            assert_eq!(settings.anonymous(), anonymous, "{text}");
        }
    }
}
