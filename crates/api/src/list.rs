//! Lists that are given whole unless somebody wants pages, and answers that need not be sent again.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::IntoParams;

use crate::assets::is_known;
use crate::cursor;
use crate::parameters::{FromPairs, MAX_LIMIT, Pairs, bad};
use crate::problem::{Answer, Problem};

/// Which part of a list that is given whole unless asked otherwise.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
    /// How many at most, 1 to 1,000; all of them unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl FromPairs for Part {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let limit = pairs.parse("limit", "100")?;
        if let Some(limit) = limit.filter(|limit| !(1..=MAX_LIMIT).contains(limit)) {
            let why = format!("it must be 1 to {MAX_LIMIT}");
            return Err(bad("limit", &limit.to_string(), &why, "100"));
        }
        Ok(Self { cursor: pairs.cursor()?, limit })
    }
}

impl Part {
    /// The part of `items`, and the cursor of the next one. Each has a key of its own, by which the
    /// list goes on also when others came or went meanwhile; one that is gone itself ends the list.
    pub(crate) fn of<T>(
        self,
        mut items: Vec<T>,
        key: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Option<String>) {
        if let Some(after) = &self.cursor {
            let place = items.iter().position(|item| key(item) == after);
            items.drain(..place.map_or(items.len(), |place| place + 1));
        }
        let Some(limit) = self.limit.filter(|limit| *limit < items.len()) else {
            return (items, None);
        };
        items.truncate(limit);
        let next = items.last().map(|last| cursor::encode(&key(last)));
        (items, next)
    }

    /// The same of a list whose items are in the order of their keys: it goes on after one that is
    /// gone, too.
    pub(crate) fn of_sorted<T>(
        self,
        mut items: Vec<T>,
        key: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Option<String>) {
        if let Some(after) = &self.cursor {
            let seen = items.partition_point(|item| key(item) <= after.as_str());
            items.drain(..seen);
        }
        Self { cursor: None, ..self }.of(items, key)
    }
}

/// Only what has this text in its id or one of its names.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Words {
    /// Only those with this text in their id or name, in any case.
    q: Option<String>,
}

impl FromPairs for Words {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { q: pairs.text("q").map(|q| q.to_lowercase()) })
    }
}

impl Words {
    /// Whether one of the texts has the words.
    pub(crate) fn are_in(&self, texts: &[&str]) -> bool {
        let found = |q: &String| texts.iter().any(|text| text.to_lowercase().contains(q));
        self.q.as_ref().is_none_or(found)
    }
}

/// Answers with JSON and its tag, or that nothing changed since the tag that was sent (RFC 9110,
/// section 13.1.2).
pub(crate) fn fresh(headers: &HeaderMap, body: &impl Serialize) -> Answer<Response> {
    let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
    let tag = crate::assets::etag(&body);
    let shared = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    if is_known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((shared, json, body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(cursor: Option<&str>, limit: usize) -> Part {
        Part { cursor: cursor.map(str::to_owned), limit: Some(limit) }
    }

    #[test]
    fn a_list_goes_on_after_the_last_of_a_page() {
        let (first, next) = part(None, 2).of(vec!["c", "a", "b"], |item| item);
        assert_eq!((first, next), (vec!["c", "a"], Some(cursor::encode(&"a"))));
        // `d` came meanwhile.
        let (rest, next) = part(Some("a"), 2).of(vec!["d", "c", "a", "b"], |item| item);
        assert_eq!((rest, next), (vec!["b"], None));
        assert_eq!(Part::default().of(vec!["a"; 2_000], |item| item).0.len(), 2_000);
    }

    #[test]
    fn a_sorted_list_goes_on_after_one_that_is_gone() {
        let (rest, next) = part(Some("b"), 1).of_sorted(vec!["a", "c", "d"], |item| item);
        assert_eq!((rest, next), (vec!["c"], Some(cursor::encode(&"c"))));
    }
}
