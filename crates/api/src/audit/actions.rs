//! Which routes are recorded, and under which name.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::openapi::DOCUMENT;

/// Routes that take another method than GET and are not recorded, and why.
pub(crate) const NOT_CHANGES: &[(&str, &str, &str)] = &[
    // Readings, up to thousands a second: the ledger accounts for each of them.
    ("POST", "/api/v1/ingest/{source}", "readings of devices, which the ledger accounts for"),
    ("POST", "/api/v1/alert-events", "what alert engines find, which the alert log keeps"),
    ("POST", "/api/v1/session/external", "only says where to log in, which is recorded then"),
    ("POST", "/api/v1/rules/check", "only says what is wrong with a text"),
    ("POST", "/api/v1/rules/test", "only says how rules would behave"),
    ("POST", "/api/v1/rules/backtest", "only says how rules would have behaved"),
];

/// The names of operations, by method and path.
static NAMES: LazyLock<FxHashMap<(&str, &str), &str>> = LazyLock::new(|| {
    let mut names = FxHashMap::default();
    for (path, item) in &DOCUMENT.paths.paths {
        let methods = [
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in methods {
            let name = operation.as_ref().and_then(|operation| operation.operation_id.as_deref());
            if let Some(name) = name {
                names.insert((method, path.as_str()), name);
            }
        }
    }
    names
});

/// The name under which a request is recorded: that of the operation; `None` if it is not.
pub(crate) fn action(method: &str, path: &str) -> Option<&'static str> {
    if NOT_CHANGES.iter().any(|(not, there, _)| *not == method && *there == path) {
        return None;
    }
    NAMES.get(&(method, path)).copied()
}
