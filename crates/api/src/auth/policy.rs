//! Which role each route needs: one line per route, and no route without a line.

use super::Role;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Open,
    /// People and machines with at least this role.
    AtLeast(Role),
    /// Alert engines, and administrators.
    Push,
}

impl Access {
    /// Whether this role is enough.
    pub(crate) fn allows(self, role: Role) -> bool {
        match self {
            Self::Open => true,
            Self::AtLeast(least) => role >= least,
            Self::Push => matches!(role, Role::Engine | Role::Admin),
        }
    }

    /// What is needed, for people.
    pub(crate) fn needs(self) -> String {
        match self {
            Self::Open => "nothing".to_owned(),
            Self::AtLeast(least) => format!("the role {least} or a higher one"),
            Self::Push => format!("the role {} or {}", Role::Engine, Role::Admin),
        }
    }
}

/// One route's policy.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) method: &'static str,
    /// As the router spells it.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
}

const fn policy(method: &'static str, path: &'static str, access: Access) -> Policy {
    Policy { method, path, access }
}

const VIEW: Access = Access::AtLeast(Role::Viewer);
const OPERATE: Access = Access::AtLeast(Role::Operator);
const ADMIN: Access = Access::AtLeast(Role::Admin);
const ENGINEER: Access = Access::AtLeast(Role::Engineer);

/// All routes under `/api/v1`.
pub(crate) static POLICIES: &[Policy] = &[
    policy("POST", "/api/v1/session", Access::Open),
    policy("GET", "/api/v1/session", VIEW),
    policy("DELETE", "/api/v1/session", VIEW),
    policy("GET", "/api/v1/system", VIEW),
    policy("GET", "/api/v1/metrics-catalogue", VIEW),
    policy("GET", "/api/v1/metrics", VIEW),
    policy("GET", "/api/v1/mappings", VIEW),
    policy("PUT", "/api/v1/mappings", ENGINEER),
    policy("DELETE", "/api/v1/mappings", ENGINEER),
    policy("GET", "/api/v1/kinds", VIEW),
    policy("GET", "/api/v1/kinds/{id}", VIEW),
    policy("PUT", "/api/v1/kinds/{id}", ENGINEER),
    policy("DELETE", "/api/v1/kinds/{id}", ENGINEER),
    policy("GET", "/api/v1/departments", VIEW),
    policy("PUT", "/api/v1/departments/{id}", ENGINEER),
    policy("DELETE", "/api/v1/departments/{id}", ENGINEER),
    policy("GET", "/api/v1/zones", VIEW),
    policy("POST", "/api/v1/zones/reload", ENGINEER),
    policy("GET", "/api/v1/zones/{id}", VIEW),
    policy("POST", "/api/v1/devices/import", ENGINEER),
    policy("GET", "/api/v1/devices/export", ENGINEER),
    policy("GET", "/api/v1/devices", VIEW),
    policy("GET", "/api/v1/devices/{id}", VIEW),
    policy("PUT", "/api/v1/devices/{id}", ENGINEER),
    policy("PATCH", "/api/v1/devices/{id}", ENGINEER),
    policy("DELETE", "/api/v1/devices/{id}", ENGINEER),
    policy("GET", "/api/v1/devices/{id}/entry", VIEW),
    policy("POST", "/api/v1/devices/{id}/commands", ENGINEER),
    policy("GET", "/api/v1/provisioning/unknown", VIEW),
    policy("POST", "/api/v1/provisioning/unknown/{id}/accept", ENGINEER),
    policy("POST", "/api/v1/provisioning/unknown/{id}/ignore", ENGINEER),
    policy("GET", "/api/v1/credentials", ENGINEER),
    policy("GET", "/api/v1/credentials/{id}", ENGINEER),
    policy("PUT", "/api/v1/credentials/{id}", ENGINEER),
    policy("DELETE", "/api/v1/credentials/{id}", ENGINEER),
    policy("PUT", "/api/v1/credentials/{id}/enabled", ENGINEER),
    policy("PUT", "/api/v1/credentials/{id}/password", ENGINEER),
    policy("POST", "/api/v1/credentials/{id}/tokens", ENGINEER),
    policy("POST", "/api/v1/credentials/{id}/certificates", ENGINEER),
    policy("DELETE", "/api/v1/credentials/{id}/{number}", ENGINEER),
    policy("POST", "/api/v1/device-tokens", ENGINEER),
    policy("GET", "/api/v1/map", VIEW),
    policy("GET", "/api/v1/last-values", VIEW),
    policy("GET", "/api/v1/readings", VIEW),
    policy("GET", "/api/v1/aggregates", VIEW),
    policy("GET", "/api/v1/track", VIEW),
    policy("GET", "/api/v1/alerts", VIEW),
    policy("GET", "/api/v1/alerts/groups", VIEW),
    policy("GET", "/api/v1/alerts/{id}", VIEW),
    policy("GET", "/api/v1/alerts/{id}/explain", VIEW),
    policy("POST", "/api/v1/alerts/{id}/acknowledge", OPERATE),
    policy("POST", "/api/v1/alerts/{id}/notes", OPERATE),
    policy("POST", "/api/v1/alert-events", Access::Push),
    policy("GET", "/api/v1/cap", VIEW),
    policy("GET", "/api/v1/cap/{alert}", VIEW),
    policy("GET", "/api/v1/receivers", OPERATE),
    policy("POST", "/api/v1/receivers/{id}/test", ENGINEER),
    policy("POST", "/api/v1/alerts/{id}/shelve", OPERATE),
    policy("POST", "/api/v1/alerts/{id}/unshelve", OPERATE),
    policy("POST", "/api/v1/alerts/{id}/assign", OPERATE),
    policy("POST", "/api/v1/alerts/{id}/accept", OPERATE),
    policy("POST", "/api/v1/alerts/{id}/hand-over", OPERATE),
    policy("POST", "/api/v1/alerts/{id}/return", OPERATE),
    policy("GET", "/api/v1/alert-log", VIEW),
    policy("GET", "/api/v1/alarm-load", VIEW),
    policy("GET", "/api/v1/audit-log", ADMIN),
    policy("GET", "/api/v1/audit-log/verification", ADMIN),
    policy("GET", "/api/v1/silences", VIEW),
    policy("POST", "/api/v1/silences", OPERATE),
    policy("GET", "/api/v1/silences/{id}", VIEW),
    policy("POST", "/api/v1/silences/{id}/end", OPERATE),
    policy("GET", "/api/v1/rules", VIEW),
    policy("GET", "/api/v1/rules/{id}", VIEW),
    policy("GET", "/api/v1/rules/{id}/explain", VIEW),
    policy("POST", "/api/v1/rules/check", ENGINEER),
    policy("POST", "/api/v1/rules/backtest", ENGINEER),
    policy("POST", "/api/v1/rules/reload", ENGINEER),
    policy("POST", "/api/v1/rules/test", ENGINEER),
    policy("GET", "/api/v1/rule-groups", VIEW),
    policy("GET", "/api/v1/rule-groups/{group}", VIEW),
    policy("PUT", "/api/v1/rule-groups/{group}", ENGINEER),
    policy("DELETE", "/api/v1/rule-groups/{group}", ENGINEER),
    policy("GET", "/api/v1/rule-groups/{group}/history", VIEW),
    policy("GET", "/api/v1/rule-groups/{group}/history/{version}", VIEW),
    policy("POST", "/api/v1/rule-groups/{group}/history/{version}/restore", ENGINEER),
    policy("GET", "/api/v1/late-readings", ENGINEER),
    policy("GET", "/api/v1/dead-letters", VIEW),
    policy("GET", "/api/v1/dead-letters/{id}", VIEW),
    policy("POST", "/api/v1/dead-letters/{id}/replay", ENGINEER),
    policy("GET", "/api/v1/loss", VIEW),
    policy("GET", "/api/v1/reports/ingest", VIEW),
    // Devices have credentials of their own; the route looks at them.
    policy("POST", "/api/v1/ingest/{source}", Access::Open),
    policy("GET", "/api/v1/datasets", ENGINEER),
    policy("GET", "/api/v1/datasets/{id}", ENGINEER),
    policy("PUT", "/api/v1/datasets/{id}", ENGINEER),
    policy("DELETE", "/api/v1/datasets/{id}", ENGINEER),
    // What departments made public; these routes reach nothing else.
    policy("GET", "/open/v1", Access::Open),
    policy("GET", "/open/v1/catalog.jsonld", Access::Open),
    policy("GET", "/open/v1/catalog.ttl", Access::Open),
    policy("GET", "/open/v1/open.css", Access::Open),
    policy("GET", "/open/v1/datasets/{id}", Access::Open),
    policy("GET", "/open/v1/datasets/{id}/{file}", Access::Open),
    policy("GET", "/open/v1/datasets/{id}/readings.json", Access::Open),
    policy("GET", "/open/v1/datasets/{id}/readings.csv", Access::Open),
    policy("GET", "/open/v1/datasets/{id}/readings/{day}", Access::Open),
    policy("GET", "/sta/v1.1", VIEW),
    policy("GET", "/sta/v1.1/{resource}", VIEW),
    policy("GET", "/api/v1/stream", VIEW),
    policy("GET", "/api/v1/openapi.json", VIEW),
    policy("GET", "/api/v1/docs", VIEW),
    policy("GET", "/api/v1/docs.css", VIEW),
];

/// The policy of a route; `None` if nobody wrote one.
pub(crate) fn find(method: &str, path: &str) -> Option<Access> {
    let method = if method == "HEAD" { "GET" } else { method };
    // What is below an address is as it is.
    let path = path.split("/{*").next().unwrap_or(path);
    let policy = POLICIES.iter().find(|policy| policy.path == path && policy.method == method)?;
    Some(policy.access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_like_get_and_nothing_else_is_guessed() {
        assert_eq!(find("HEAD", "/api/v1/system"), Some(VIEW));
        assert_eq!(find("POST", "/api/v1/system"), None);
        assert_eq!(find("GET", "/api/v1/secret"), None);
    }

    #[test]
    fn an_engine_may_push_and_nothing_else() {
        let allowed: Vec<_> =
            POLICIES.iter().filter(|policy| policy.access.allows(Role::Engine)).collect();
        let paths: Vec<_> = allowed.iter().map(|policy| policy.path).collect();
        let inside = paths.into_iter().filter(|path| !path.starts_with("/open/"));
        let inside: Vec<_> = inside.collect();
        assert_eq!(inside, ["/api/v1/session", "/api/v1/alert-events", "/api/v1/ingest/{source}"]);
    }
}
