//! Zone ids from names: `Rush & Division` is `rush-division`, `O'Hare` is `ohare`, `朝阳区` stays.

use rustc_hash::FxHashMap;

/// The id of a name: lower-case; apostrophes vanish; every other run of ASCII that is neither
/// letter nor digit, and of spaces, becomes one `-`; other characters stay. Never empty.
pub(super) fn slug(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '\'' | '’' => {}
            _ if c.is_ascii_alphanumeric() => id.push(c.to_ascii_lowercase()),
            _ if c.is_ascii() || c.is_whitespace() || c.is_control() => {
                if !id.is_empty() && !id.ends_with('-') {
                    id.push('-');
                }
            }
            _ => id.extend(c.to_lowercase()),
        }
    }
    id.truncate(id.trim_end_matches('-').len());
    if id.is_empty() { "zone".to_owned() } else { id }
}

/// The ids in use.
#[derive(Default)]
pub(super) struct TakenIds {
    /// With the suffix to try next when the id comes again.
    next_suffix: FxHashMap<String, u64>,
}

impl TakenIds {
    /// Takes the id itself if nobody has it, else with the first free suffix from `-2`.
    pub(super) fn take(&mut self, id: String) -> String {
        let mut suffix = self.next_suffix.get(&id).copied().unwrap_or(1);
        let unique = if suffix == 1 {
            id.clone()
        } else {
            loop {
                let candidate = format!("{id}-{suffix}");
                if !self.next_suffix.contains_key(&candidate) {
                    break candidate;
                }
                suffix += 1;
            }
        };
        self.next_suffix.insert(id, suffix + 1);
        self.next_suffix.entry(unique.clone()).or_insert(2);
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids() {
        for (name, id) in [
            ("Grand Boulevard", "grand-boulevard"),
            ("Sauganash,Forest Glen", "sauganash-forest-glen"),
            ("Rush & Division", "rush-division"),
            ("O'Hare", "ohare"),
            (" St. Mary’s  (East) ", "st-marys-east"),
            ("朝阳区", "朝阳区"),
            ("Østerbro", "østerbro"),
            ("浦东 新区", "浦东-新区"),
            ("?!", "zone"),
            ("", "zone"),
        ] {
            assert_eq!(slug(name), id, "{name}");
        }
    }

    #[test]
    fn the_same_id_twice_gets_a_suffix_that_is_free() {
        let mut taken = TakenIds::default();
        let ids: Vec<String> = ["park", "park-2", "park", "park"]
            .into_iter()
            .map(|id| taken.take(id.into()))
            .collect();
        assert_eq!(ids, ["park", "park-2", "park-3", "park-4"]);
    }
}
