//! The items of a frame's data, `name=value`.

use super::cut::find;

/// See [`Head::items`](super::frame::Head::items).
#[derive(Clone, Debug)]
pub struct Items<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = item_end(self.rest);
            let (item, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            let item = std::str::from_utf8(item).ok();
            if let Some((name, value)) = item.and_then(|item| item.split_once('=')) {
                return Some((name.trim(), value.trim()));
            }
        }
        None
    }
}

/// The place of the `;` or `,` behind an item. A value between `//` and `//` may hold both.
fn item_end(rest: &[u8]) -> usize {
    let is_separator = |byte: &u8| matches!(byte, b';' | b',');
    let plain = rest.iter().position(is_separator).unwrap_or(rest.len());
    let Some(value) = rest[..plain].iter().position(|byte| *byte == b'=') else { return plain };
    if !rest[value + 1..].starts_with(b"//") {
        return plain;
    }
    let quoted = value + 3;
    match find(&rest[quoted..], *b"//") {
        None => plain,
        Some(close) => {
            let after = quoted + close + 2;
            after + rest[after..].iter().position(is_separator).unwrap_or(rest.len() - after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_may_hold_separators_between_slashes() {
        let items: Vec<_> = Items { rest: b"a=1;b=//x,y;z//,c=2;d;=;e=//open" }.collect();
        assert_eq!(items, [("a", "1"), ("b", "//x,y;z//"), ("c", "2"), ("", ""), ("e", "//open")]);
    }
}
