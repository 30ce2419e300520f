//! `[http.oidc]`: login through an identity provider of the city (OpenID Connect).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use city_api::{CITY, ExternalLogin, Grant, Grants, Role};
use city_model::LocalText;
use city_oidc::{Config, OidcError, Provider};
use city_store::Secret;
use serde::Deserialize;

use super::Problem;

/// An identity provider, and what its groups may do here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpOidc {
    /// Its issuer identifier, `https://…`.
    pub issuer: String,
    /// What this program is called there.
    pub client_id: String,
    /// The secret that it has there; with PKCE some providers need none.
    pub client_secret: Option<Secret>,
    /// A file with it in its first line.
    pub client_secret_file: Option<PathBuf>,
    /// The address at which people reach this program; they come back to `/login` below it.
    pub public_url: String,
    /// What people call the provider.
    pub name: LocalText,
    /// What to ask for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim that says what people log in as.
    #[serde(default = "user_claim")]
    pub user_claim: String,
    /// The claim that lists groups or roles; a dot leads into a claim.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// The certificates that vouch for it, in PEM; those that this machine trusts if missing.
    pub ca_file: Option<PathBuf>,
    /// What each group may do.
    pub grants: Vec<GroupGrant>,
}

/// What a group may do in a department.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupGrant {
    /// The group or role, as the provider calls it.
    pub group: String,
    /// The department, or `*` for the whole city.
    #[serde(default = "city")]
    pub department: String,
    /// The role.
    pub role: Role,
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

fn user_claim() -> String {
    "preferred_username".to_owned()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

fn city() -> String {
    CITY.to_owned()
}

fn key(name: &str) -> String {
    format!("http.oidc.{name}")
}

impl HttpOidc {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        for path in [&mut self.client_secret_file, &mut self.ca_file].into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    /// Notes what cannot be meant.
    pub(super) fn check(&self, problems: &mut Vec<Problem>) {
        for (name, url) in [("issuer", &self.issuer), ("public_url", &self.public_url)] {
            let near = ["http://127.", "http://localhost", "http://[::1]"];
            if !url.starts_with("https://") && !near.iter().any(|near| url.starts_with(near)) {
                let hint = "only on this machine itself it may be http://";
                problems.push(Problem::new(key(name), format!("`{url}` is not https://"), hint));
            }
        }
        if self.grants.is_empty() {
            let hint = "write grants = [{ group = \"…\", department = \"*\", role = \"viewer\" }]";
            problems.push(Problem::new(key("grants"), "no group may do anything", hint));
        }
        match self.groups() {
            Ok(groups) if groups.values().any(|grants| grants.iter().any(is_engine)) => {
                let hint = "take viewer, operator, engineer or admin";
                problems.push(Problem::new(key("grants"), "a person is no alert engine", hint));
            }
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        }
        if let Err(problem) = self.provider() {
            problems.push(problem);
        }
    }

    /// The login that it describes; nobody is asked yet.
    pub(crate) fn login(&self) -> Result<ExternalLogin, Problem> {
        Ok(ExternalLogin::new(self.provider()?, self.name.clone(), self.groups()?))
    }

    /// The provider. Reads the files.
    pub(crate) fn provider(&self) -> Result<Provider, Problem> {
        let config = Config {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.secret()?,
            public_url: self.public_url.clone(),
            scopes: self.scopes.clone(),
            user_claim: self.user_claim.clone(),
            groups_claim: self.groups_claim.clone(),
            ca_file: self.ca_file.clone(),
        };
        Provider::new(config).map_err(|error| match error {
            OidcError::Config(name, what) => {
                let hint = "addresses are whole, such as https://id.city.example/realms/city; \
                            paths are relative to the configuration file";
                Problem::new(key(name), what, hint)
            }
            other => {
                Problem::new("http.oidc", other, "`citybrain config example` shows a whole one")
            }
        })
    }

    fn secret(&self) -> Result<Option<String>, Problem> {
        match (&self.client_secret, &self.client_secret_file) {
            (None, None) => Ok(None),
            (Some(secret), None) => Ok(Some(secret.expose().to_owned())),
            (Some(_), Some(_)) => {
                let message = "`client_secret` and `client_secret_file` are both given";
                Err(Problem::new(key("client_secret"), message, "leave one out"))
            }
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(text.lines().next().map(|line| line.trim().to_owned())),
                Err(error) => {
                    let message = format!("{} cannot be read: {error}", path.display());
                    let hint = "put the secret into its first line; paths are relative to the \
                                configuration file";
                    Err(Problem::new(key("client_secret_file"), message, hint))
                }
            },
        }
    }

    fn groups(&self) -> Result<BTreeMap<String, Vec<Grant>>, Problem> {
        let mut groups: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
        for GroupGrant { group, department, role } in &self.grants {
            let grant = Grant { department: department.clone(), role: *role };
            groups.entry(group.clone()).or_default().push(grant);
        }
        for (group, grants) in &groups {
            Grants::new(grants.clone()).map_err(|problem| {
                let hint = "each department once for a group, by its id, or `*`";
                Problem::new(key("grants"), format!("the group `{group}`: {problem}"), hint)
            })?;
        }
        Ok(groups)
    }
}

fn is_engine(grant: &Grant) -> bool {
    grant.role == Role::Engine
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "issuer = \"https://id.city.example\"\nclient_id = \"citybrain\"\n\
                        public_url = \"https://brain.city.example\"\nname = \"City account\"\n";
    const GRANT: &str = "grants = [{ group = \"ops\", role = \"operator\" }]\n";

    fn found(text: &str) -> Vec<String> {
        let settings: HttpOidc = toml::from_str(text).expect("the right shape");
        let mut problems = Vec::new();
        settings.check(&mut problems);
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_its_key() {
        assert_eq!(found(&format!("{GOOD}{GRANT}")), Vec::<String>::new());
        assert_eq!(found(&format!("{GOOD}grants = []")), ["http.oidc.grants"]);
        let engine = "grants = [{ group = \"a\", role = \"engine\" }]";
        assert_eq!(found(&format!("{GOOD}{engine}")), ["http.oidc.grants"]);
        let twice =
            "grants = [{ group = \"a\", role = \"viewer\" }, { group = \"a\", role = \"admin\" }]";
        assert_eq!(found(&format!("{GOOD}{twice}")), ["http.oidc.grants"]);
        let both = "client_secret = \"a\"\nclient_secret_file = \"b\"\n";
        assert_eq!(found(&format!("{GOOD}{both}{GRANT}")), ["http.oidc.client_secret"]);
        let file = "client_secret_file = \"/none\"\n";
        assert_eq!(found(&format!("{GOOD}{file}{GRANT}")), ["http.oidc.client_secret_file"]);
        let plain = GOOD.replace("https://id", "http://id");
        assert_eq!(found(&format!("{plain}{GRANT}")), ["http.oidc.issuer"]);
        toml::from_str::<HttpOidc>(&format!("{GOOD}{GRANT}secret = 1")).expect_err("unknown");
    }

    #[test]
    fn no_secret_is_shown() {
        let text = format!("{GOOD}client_secret = \"hidden-one\"\n{GRANT}");
        let settings: HttpOidc = toml::from_str(&text).expect("the right shape");
        assert!(!format!("{settings:?}").contains("hidden-one"));
    }
}
