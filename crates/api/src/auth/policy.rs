//! Which role each route needs, and in whose department: one line per route, and no route without a
//! line.

use super::Role;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Open,
    /// Everybody who proves who they are, also with a password that must be changed first.
    Known,
    /// People and machines with at least this role in the place that the route is about.
    Needs(Role, Place),
    /// Alert engines, and administrators of the whole city.
    Push,
}

/// In whose department somebody needs a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Anywhere: everybody sees the one picture that all departments share.
    Anywhere,
    /// In the whole city: what belongs to no department.
    City,
    /// In the department that owns what the path names.
    Owner(Target),
    /// In departments that only the body tells, or what the path names and the body says of it: the
    /// handler asks [`super::Rights`], and the guard sees to it that it did.
    Told,
    /// Both.
    OwnerAndTold(Target),
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A device: its department.
    Device,
    /// A device that waits to be registered: the department that its messages name.
    Unknown,
    /// An alert: the department of its rule, or the one that it was handed over to.
    Alert,
    /// A group of rules: the departments of its rules.
    RuleGroup,
    /// A silence: every department whose alerts it can match.
    Silence,
    /// A client: the departments of the devices that it speaks for.
    Client,
    /// The same, of a client that must be there.
    ClientThere,
    /// A dead letter: the department of its device.
    DeadLetter,
    /// A dataset: the department whose things it makes public.
    Dataset,
    /// A user: every department in which the user has a grant.
    User,
    /// A user, to be seen: any department in which the user has a grant.
    UserSeen,
    /// An access token: every department in which it has a grant.
    Token,
}

impl Access {
    /// What is needed, for people.
    pub(crate) fn needs(self) -> String {
        let (role, place) = match self {
            Self::Open => return "nothing".to_owned(),
            Self::Known => return "a login or an access token".to_owned(),
            Self::Push => {
                return format!("the role {}, or {} in the whole city", Role::Engine, Role::Admin);
            }
            Self::Needs(role, place) => (role, place),
        };
        let place = match place {
            Place::Anywhere => "anywhere",
            Place::City => "in the whole city",
            Place::Owner(Target::UserSeen) => "in a department of the user",
            Place::Owner(target) | Place::OwnerAndTold(target) => target.whose(),
            Place::Told => "in the departments that it changes something of",
        };
        format!("the role {role} or a higher one, {place}")
    }

    /// Whether the handler has to ask [`super::Rights`].
    pub(super) fn is_told(self) -> bool {
        matches!(self, Self::Needs(_, Place::Told | Place::OwnerAndTold(_)))
    }
}

impl Target {
    const fn whose(self) -> &'static str {
        match self {
            Self::Device => "in the department of the device",
            Self::Unknown => "in the department that the device names",
            Self::Alert => "in the department that has the alert",
            Self::RuleGroup => "in the departments of the rules",
            Self::Silence => "in every department whose alerts it can match",
            Self::Client | Self::ClientThere => "in the departments of the client's devices",
            Self::DeadLetter => "in the department of its device",
            Self::Dataset => "in the department whose things it makes public",
            Self::User | Self::UserSeen => "in every department of the user",
            Self::Token => "in every department of the token",
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

const fn city(role: Role) -> Access {
    Access::Needs(role, Place::City)
}

const fn owner(role: Role, target: Target) -> Access {
    Access::Needs(role, Place::Owner(target))
}

const fn told(role: Role) -> Access {
    Access::Needs(role, Place::Told)
}

const fn owner_and_told(role: Role, target: Target) -> Access {
    Access::Needs(role, Place::OwnerAndTold(target))
}

const VIEW: Access = Access::Needs(Role::Viewer, Place::Anywhere);
const OPERATE: Access = Access::Needs(Role::Operator, Place::Anywhere);
const ENGINEER: Access = Access::Needs(Role::Engineer, Place::Anywhere);
const ADMIN: Access = Access::Needs(Role::Admin, Place::Anywhere);
const CITY_ENGINEER: Access = city(Role::Engineer);
const DEVICE: Access = owner(Role::Engineer, Target::Device);
const ALERT: Access = owner(Role::Operator, Target::Alert);
const CLIENT: Access = owner(Role::Engineer, Target::Client);
const CLIENT_THERE: Access = owner(Role::Engineer, Target::ClientThere);
const GROUP: Access = owner_and_told(Role::Engineer, Target::RuleGroup);

/// All routes under `/api/v1`.
pub(crate) static POLICIES: &[Policy] = &[
    policy("POST", "/api/v1/session", Access::Open),
    policy("GET", "/api/v1/session", Access::Known),
    policy("DELETE", "/api/v1/session", Access::Known),
    policy("PUT", "/api/v1/session/password", Access::Known),
    policy("POST", "/api/v1/session/external", Access::Open),
    policy("GET", "/api/v1/login-methods", Access::Open),
    policy("POST", "/api/v1/setup", Access::Open),
    policy("GET", "/api/v1/users", ADMIN),
    policy("GET", "/api/v1/users/{id}", owner(Role::Admin, Target::UserSeen)),
    policy("PUT", "/api/v1/users/{id}", told(Role::Admin)),
    policy("DELETE", "/api/v1/users/{id}", owner(Role::Admin, Target::User)),
    policy("DELETE", "/api/v1/users/{id}/sessions", owner(Role::Admin, Target::User)),
    policy("GET", "/api/v1/tokens", ADMIN),
    policy("POST", "/api/v1/tokens", told(Role::Admin)),
    policy("DELETE", "/api/v1/tokens/{id}", owner(Role::Admin, Target::Token)),
    policy("GET", "/api/v1/system", VIEW),
    policy("GET", "/api/v1/metrics-catalogue", VIEW),
    policy("GET", "/api/v1/metrics", VIEW),
    policy("GET", "/api/v1/mappings", VIEW),
    policy("PUT", "/api/v1/mappings", CITY_ENGINEER),
    policy("DELETE", "/api/v1/mappings", CITY_ENGINEER),
    policy("GET", "/api/v1/kinds", VIEW),
    policy("GET", "/api/v1/kinds/{id}", VIEW),
    policy("PUT", "/api/v1/kinds/{id}", CITY_ENGINEER),
    policy("DELETE", "/api/v1/kinds/{id}", CITY_ENGINEER),
    policy("GET", "/api/v1/departments", VIEW),
    policy("GET", "/api/v1/departments/{id}", VIEW),
    policy("PUT", "/api/v1/departments/{id}", CITY_ENGINEER),
    policy("DELETE", "/api/v1/departments/{id}", CITY_ENGINEER),
    policy("GET", "/api/v1/zones", VIEW),
    policy("POST", "/api/v1/zones/reload", CITY_ENGINEER),
    policy("GET", "/api/v1/zones/{id}", VIEW),
    policy("POST", "/api/v1/devices/import", told(Role::Engineer)),
    policy("GET", "/api/v1/devices/export", ENGINEER),
    policy("GET", "/api/v1/devices", VIEW),
    policy("GET", "/api/v1/devices/{id}", VIEW),
    policy("PUT", "/api/v1/devices/{id}", owner_and_told(Role::Engineer, Target::Device)),
    policy("PATCH", "/api/v1/devices/{id}", owner_and_told(Role::Engineer, Target::Device)),
    policy("DELETE", "/api/v1/devices/{id}", DEVICE),
    policy("GET", "/api/v1/devices/{id}/entry", VIEW),
    policy("POST", "/api/v1/devices/{id}/commands", DEVICE),
    policy("GET", "/api/v1/provisioning/unknown", VIEW),
    policy(
        "POST",
        "/api/v1/provisioning/unknown/{id}/accept",
        owner_and_told(Role::Engineer, Target::Unknown),
    ),
    policy(
        "POST",
        "/api/v1/provisioning/unknown/{id}/ignore",
        owner(Role::Engineer, Target::Unknown),
    ),
    policy("GET", "/api/v1/credentials", ENGINEER),
    policy("GET", "/api/v1/credentials/{id}", ENGINEER),
    policy("PUT", "/api/v1/credentials/{id}", owner_and_told(Role::Engineer, Target::Client)),
    policy("DELETE", "/api/v1/credentials/{id}", CLIENT_THERE),
    policy("PUT", "/api/v1/credentials/{id}/enabled", CLIENT_THERE),
    policy("PUT", "/api/v1/credentials/{id}/password", CLIENT),
    policy("POST", "/api/v1/credentials/{id}/tokens", CLIENT),
    policy("POST", "/api/v1/credentials/{id}/certificates", CLIENT),
    policy("DELETE", "/api/v1/credentials/{id}/{number}", CLIENT_THERE),
    policy("POST", "/api/v1/device-tokens", told(Role::Engineer)),
    policy("GET", "/api/v1/map", VIEW),
    policy("GET", "/api/v1/base-map", VIEW),
    policy("GET", "/api/v1/base-map/{file}", VIEW),
    policy("GET", "/api/v1/base-map/{layer}/{z}/{x}/{y}", VIEW),
    policy("GET", "/api/v1/last-values", VIEW),
    policy("GET", "/api/v1/readings", VIEW),
    policy("GET", "/api/v1/readings/series", VIEW),
    policy("GET", "/api/v1/readings/export", VIEW),
    policy("DELETE", "/api/v1/readings", told(Role::Engineer)),
    policy("GET", "/api/v1/aggregates", VIEW),
    policy("GET", "/api/v1/top", VIEW),
    policy("GET", "/api/v1/track", VIEW),
    policy("GET", "/api/v1/alerts", VIEW),
    policy("GET", "/api/v1/alerts/groups", VIEW),
    policy("GET", "/api/v1/alerts/{id}", VIEW),
    policy("GET", "/api/v1/alerts/{id}/explain", VIEW),
    policy("POST", "/api/v1/alerts/{id}/acknowledge", ALERT),
    policy("POST", "/api/v1/alerts/{id}/notes", ALERT),
    policy("POST", "/api/v1/alert-events", Access::Push),
    policy("GET", "/api/v1/cap", VIEW),
    policy("GET", "/api/v1/cap/{alert}", VIEW),
    policy("GET", "/api/v1/receivers", OPERATE),
    policy("POST", "/api/v1/receivers/{id}/test", CITY_ENGINEER),
    policy("POST", "/api/v1/alerts/{id}/shelve", ALERT),
    policy("POST", "/api/v1/alerts/{id}/unshelve", ALERT),
    policy("POST", "/api/v1/alerts/{id}/assign", ALERT),
    policy("POST", "/api/v1/alerts/{id}/accept", ALERT),
    policy("POST", "/api/v1/alerts/{id}/hand-over", ALERT),
    policy("POST", "/api/v1/alerts/{id}/return", ALERT),
    policy("GET", "/api/v1/alert-log", VIEW),
    policy("GET", "/api/v1/alarm-load", VIEW),
    policy("GET", "/api/v1/audit-log", ADMIN),
    policy("GET", "/api/v1/audit-log/verification", ADMIN),
    policy("GET", "/api/v1/silences", VIEW),
    policy("POST", "/api/v1/silences", told(Role::Operator)),
    policy("GET", "/api/v1/silences/{id}", VIEW),
    policy("POST", "/api/v1/silences/{id}/end", owner(Role::Operator, Target::Silence)),
    policy("GET", "/api/v1/rules", VIEW),
    policy("GET", "/api/v1/rules/{id}", VIEW),
    policy("GET", "/api/v1/rules/{id}/explain", VIEW),
    policy("POST", "/api/v1/rules/check", ENGINEER),
    policy("POST", "/api/v1/rules/backtest", ENGINEER),
    policy("POST", "/api/v1/rules/reload", CITY_ENGINEER),
    policy("POST", "/api/v1/rules/test", ENGINEER),
    policy("GET", "/api/v1/rule-groups", VIEW),
    policy("GET", "/api/v1/rule-groups/{group}", VIEW),
    policy("PUT", "/api/v1/rule-groups/{group}", GROUP),
    policy("DELETE", "/api/v1/rule-groups/{group}", owner(Role::Engineer, Target::RuleGroup)),
    policy("GET", "/api/v1/rule-groups/{group}/history", VIEW),
    policy("GET", "/api/v1/rule-groups/{group}/history/{version}", VIEW),
    policy("POST", "/api/v1/rule-groups/{group}/history/{version}/restore", GROUP),
    policy("GET", "/api/v1/late-readings", ENGINEER),
    policy("GET", "/api/v1/dead-letters", VIEW),
    policy("GET", "/api/v1/dead-letters/{id}", VIEW),
    policy("POST", "/api/v1/dead-letters/{id}/replay", owner(Role::Engineer, Target::DeadLetter)),
    policy("GET", "/api/v1/loss", VIEW),
    policy("GET", "/api/v1/reports/ingest", VIEW),
    // Devices have credentials of their own; the route looks at them.
    policy("POST", "/api/v1/ingest/{source}", Access::Open),
    policy("GET", "/api/v1/datasets", ENGINEER),
    policy("GET", "/api/v1/datasets/{id}", ENGINEER),
    policy("PUT", "/api/v1/datasets/{id}", owner_and_told(Role::Engineer, Target::Dataset)),
    policy("DELETE", "/api/v1/datasets/{id}", owner(Role::Engineer, Target::Dataset)),
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
}
