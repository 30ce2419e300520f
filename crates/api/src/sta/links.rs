//! Addresses of entities and of further pages.

use std::fmt::Write as _;

use city_sta::Options;

use super::item::Item;
use super::world::World;

/// The address of an entity.
pub(super) fn self_link(world: &World, item: &Item) -> String {
    let id = item.id(world).replace('\'', "''");
    format!("{}/{}('{}')", world.root, item.kind().plural(), encode(&id))
}

/// The address of the next page of a set: the same options with another beginning.
pub(super) fn next_link(set: &str, options: &Options, next: (&str, &str)) -> String {
    let mut link = format!("{set}?");
    for (name, value) in &options.given {
        if name != "$skip" && name != "$skiptoken" {
            let _ = write!(link, "{}={}&", encode_name(name), encode(value));
        }
    }
    let _ = write!(link, "{}={}", next.0, encode(next.1));
    link
}

fn encode_name(name: &str) -> String {
    name.strip_prefix('$').map_or_else(|| encode(name), |rest| format!("${}", encode(rest)))
}

/// Percent-encodes all but what never needs it (RFC 3986, section 2.3).
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent-encoding; `None` if what comes out is no text.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_reads_back() {
        for text in ["lamp/1", "it's", "水位 a+b%", ""] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
