//! `[http]`: where the dashboard and the API are, TLS, and what clients may cost.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use city_api::HttpLimits;
use city_endpoint::{ClientAuth, TlsConfig};
use city_model::Span;
use serde::Deserialize;

use super::{HttpOidc, Problem};

/// The brain's HTTP side.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether it may listen on other addresses than loopback although it speaks no TLS itself.
    pub expose: bool,
    /// People are logged out when their browser asked nothing for so long.
    pub session_idle: Span,
    /// People are logged out so long after their login, whatever they do.
    pub session_lifetime: Span,
    /// TLS; without it nothing is encrypted.
    pub tls: Option<HttpTls>,
    /// Login through an identity provider; only with names and passwords kept here without it.
    pub oidc: Option<HttpOidc>,
    /// What connections and clients may cost.
    pub limits: HttpLimits,
}

/// TLS of the HTTP side. The files are PEM, and are read again when they change.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTls {
    /// The server's certificate, then those between it and its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Where requests in plain HTTP come in, to be sent to the address with TLS; nowhere if missing.
    #[serde(default)]
    pub redirect_from: Option<SocketAddr>,
    /// How long browsers shall not come without TLS again (HSTS, RFC 6797); "0s" says nothing of it.
    #[serde(default = "a_year")]
    pub hsts: Span,
}

const fn a_year() -> Span {
    Span::from_hours(365 * 24)
}

impl Default for HttpSettings {
    fn default() -> Self {
        let sessions = city_api::SessionLimits::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            expose: false,
            session_idle: sessions.idle,
            session_lifetime: sessions.lifetime,
            tls: None,
            oidc: None,
            limits: HttpLimits::default(),
        }
    }
}

impl HttpTls {
    /// The files, for the listener.
    pub(crate) fn files(&self) -> TlsConfig {
        TlsConfig {
            cert: self.cert.clone(),
            key: self.key.clone(),
            client_ca: None,
            client_crl: None,
            client_auth: ClientAuth::None,
        }
    }
}

impl HttpSettings {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        if let Some(tls) = &mut self.tls {
            tls.cert = base.join(&tls.cert);
            tls.key = base.join(&tls.key);
        }
        if let Some(oidc) = &mut self.oidc {
            oidc.resolve_paths(base);
        }
    }

    /// Notes what cannot be meant.
    pub(crate) fn check(&self, problems: &mut Vec<Problem>) {
        if !self.listen.ip().is_loopback() && !self.expose && self.tls.is_none() {
            problems.push(Problem::new(
                "http.listen",
                format!("{} can be reached from other machines, and nothing is encrypted", self.listen),
                "add [http.tls] with cert and key; or listen on 127.0.0.1 behind a proxy with TLS; or \
                 write `expose = true` in [http] if the network is yours alone",
            ));
        }
        if let Some(tls) = &self.tls {
            if let Err(error) = tls.files().check() {
                let hint = "paths are relative to the configuration file; files are PEM";
                problems.push(Problem::new("http.tls", error, hint));
            }
            if tls.redirect_from.is_some_and(|from| from.port() != 0 && from == self.listen) {
                let hint = "plain HTTP comes in at a port of its own, such as 80";
                let message = "the address is that of http.listen";
                problems.push(Problem::new("http.tls.redirect_from", message, hint));
            }
        }
        if let Some(oidc) = &self.oidc {
            oidc.check(problems);
        }
        for (key, message, hint) in self.limits.problems() {
            problems.push(Problem::new(format!("http.limits.{key}"), message, hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let settings: HttpSettings = toml::from_str(text).expect("the right shape");
        let mut problems = Vec::new();
        settings.check(&mut problems);
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn only_loopback_is_plain_unless_somebody_says_otherwise() {
        assert_eq!(keys(""), Vec::<String>::new());
        assert_eq!(keys("listen = \"0.0.0.0:80\""), ["http.listen"]);
        assert_eq!(keys("listen = \"0.0.0.0:80\"\nexpose = true"), Vec::<String>::new());
        let missing = "[tls]\ncert = \"/none/cert.pem\"\nkey = \"/none/key.pem\"\n";
        let listen = "listen = \"0.0.0.0:443\"\n";
        assert_eq!(keys(&format!("{listen}{missing}")), ["http.tls"], "the files must be good");
        let same = format!("{listen}{missing}redirect_from = \"0.0.0.0:443\"");
        assert_eq!(keys(&same), ["http.tls", "http.tls.redirect_from"]);
    }

    #[test]
    fn limits_that_cannot_be_meant_are_named() {
        let text = "[limits]\nheader = \"0s\"\nrate = { per_s = 5, burst = 1 }";
        assert_eq!(keys(text), ["http.limits.header", "http.limits.rate"]);
        toml::from_str::<HttpSettings>("[limits]\nrates = 1").expect_err("an unknown key");
    }
}
