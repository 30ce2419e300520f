//! Licences for data, by the ids of the SPDX licence list.

/// SPDX ids of licences that suit data, each with the address of its text.
const KNOWN: &[(&str, &str)] = &[
    ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    ("CC-BY-3.0", "https://creativecommons.org/licenses/by/3.0/"),
    ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    ("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    ("CC-BY-NC-4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
    ("CC-BY-NC-SA-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
    ("CC-BY-ND-4.0", "https://creativecommons.org/licenses/by-nd/4.0/"),
    ("CDLA-Permissive-2.0", "https://cdla.dev/permissive-2-0/"),
    ("CDLA-Sharing-1.0", "https://cdla.dev/sharing-1-0/"),
    ("DL-DE-BY-2.0", "https://www.govdata.de/dl-de/by-2-0"),
    ("DL-DE-ZERO-2.0", "https://www.govdata.de/dl-de/zero-2-0"),
    ("etalab-2.0", "https://spdx.org/licenses/etalab-2.0.html"),
    ("NLOD-2.0", "https://data.norge.no/nlod/en/2.0"),
    ("ODC-By-1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    ("ODbL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    ("OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    ("PDDL-1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
];

/// How to mend a licence that is not known.
pub(super) const HINT: &str = "the SPDX id of a licence for data, such as CC-BY-4.0, CC0-1.0, \
    ODbL-1.0, PDDL-1.0, DL-DE-BY-2.0, OGL-UK-3.0 or CDLA-Permissive-2.0, or the https address of \
    another one";

/// Where the text of a licence is: what is an address itself is that. `None` if it is neither an
/// address nor known.
pub(super) fn address(licence: &str) -> Option<&str> {
    let known = KNOWN.iter().find(|(id, _)| *id == licence).map(|(_, address)| *address);
    known.or_else(|| {
        let rest = licence.strip_prefix("https://").or_else(|| licence.strip_prefix("http://"))?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}".contains(c);
        (!rest.is_empty() && !rest.starts_with('/') && !rest.contains(odd)).then_some(licence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_known_or_addresses() {
        assert_eq!(address("CC-BY-4.0"), Some("https://creativecommons.org/licenses/by/4.0/"));
        let own = "https://example.org/terms";
        assert_eq!(address(own), Some(own));
        for bad in ["", "CC-BY4.0", "mine", "https://", "javascript:x", "https://a> <b"] {
            assert_eq!(address(bad), None, "{bad}");
        }
        for (id, address) in KNOWN {
            assert_eq!(super::address(address), Some(*address), "{id}");
        }
    }
}
