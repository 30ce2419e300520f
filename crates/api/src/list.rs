//! Lists that are given whole unless somebody wants pages, and answers that need not be sent again.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;

use crate::assets::is_known;
use crate::cursor;
use crate::order::{Key, Order};
use crate::parameters::{FromPairs, Pairs};
use crate::problem::{Answer, Problem};

/// Which part of a list that is given whole unless asked otherwise.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// A member of the items to sort them by, with `-` before it from the greatest down. What has
    /// none counts as least; equals are in the order of their ids.
    #[param(value_type = Option<String>, pattern = "^-?[a-z][a-z0-9_]*$", example = "-id")]
    sort: Option<Order>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<Place>,
    /// How many at most, 1 to 1,000; all of them unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl FromPairs for Part {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (sort, cursor) = (pairs.parse("sort", "-id")?, pairs.cursor()?);
        Self { sort, cursor, limit: pairs.given_limit()? }.checked()
    }
}

/// Which part of a list of which 100 are given unless asked otherwise.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// A member of the items to sort them by, with `-` before it from the greatest down. What has
    /// none counts as least; equals are in the order of their ids.
    #[param(value_type = Option<String>, pattern = "^-?[a-z][a-z0-9_]*$", example = "-id")]
    sort: Option<Order>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<Place>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for Page {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let sort = pairs.parse("sort", "-id")?;
        Ok(Self { sort, cursor: pairs.cursor()?, limit: pairs.limit()? })
    }
}

impl Page {
    /// Sorted by `order` unless asked otherwise.
    pub(crate) fn or_by(self, order: &'static str) -> Answer<Part> {
        let sort = self.sort.or_else(|| order.parse().ok());
        Self { sort, ..self }.or_as_it_is()
    }

    /// In the order in which the list is made unless asked otherwise.
    pub(crate) fn or_as_it_is(self) -> Answer<Part> {
        Part { sort: self.sort, cursor: self.cursor, limit: Some(self.limit) }.checked()
    }
}

/// The last item of a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    /// What it was sorted by, if that was asked for.
    sort: Option<(Order, Key)>,
    id: String,
}

impl Part {
    /// Whether a sort is asked for.
    pub(crate) fn is_sorted(&self) -> bool {
        self.sort.is_some()
    }

    fn checked(self) -> Answer<Self> {
        let given = self.cursor.as_ref().map(|place| place.sort.as_ref().map(|(order, _)| order));
        match given {
            Some(order) if order != self.sort.as_ref() => Err(cursor::of_another_order()),
            _ => Ok(self),
        }
    }

    /// The part of `items`, and the cursor of the next one. Each has an id of its own, by which the
    /// list goes on also when others came or went meanwhile. Unless a sort is asked for, they stay as
    /// they are, and one that is gone itself ends the list.
    pub(crate) fn of<T: Serialize>(
        self,
        items: Vec<T>,
        id: impl Fn(&T) -> &str,
    ) -> Answer<(Vec<T>, Option<String>)> {
        self.of_told(items, id, |item| serde_json::to_value(item))
    }

    /// The same of items that are told of as `told` says.
    pub(crate) fn of_told<T>(
        self,
        items: Vec<T>,
        id: impl Fn(&T) -> &str,
        told: impl Fn(&T) -> serde_json::Result<Value>,
    ) -> Answer<(Vec<T>, Option<String>)> {
        let Some(order) = &self.sort else {
            let start = self.cursor.as_ref().map_or(0, |after| {
                let place = items.iter().position(|item| id(item) == after.id);
                place.map_or(items.len(), |place| place + 1)
            });
            return Ok(self.cut(items, start, |item| Place { sort: None, id: id(item).to_owned() }));
        };
        let values: serde_json::Result<Vec<Value>> = items.iter().map(told).collect();
        let keys = order.keys(&values.map_err(|error| Problem::internal(&error))?)?;
        let mut keyed: Vec<(Key, T)> = keys.into_iter().zip(items).collect();
        keyed.sort_by(|a, b| order.compare((&a.0, id(&a.1)), (&b.0, id(&b.1))));
        let after =
            self.cursor.as_ref().and_then(|place| Some((&place.sort.as_ref()?.1, &place.id)));
        let start = after.map_or(0, |(key, last)| {
            keyed.partition_point(|of| order.compare((&of.0, id(&of.1)), (key, last)).is_le())
        });
        let order = order.clone();
        let (keyed, next) = self.cut(keyed, start, |(key, item)| Place {
            sort: Some((order.clone(), key.clone())),
            id: id(item).to_owned(),
        });
        Ok((keyed.into_iter().map(|(_, item)| item).collect(), next))
    }

    /// The same of a list whose items are in the order of their ids: it goes on after one that is
    /// gone, too.
    pub(crate) fn of_sorted<T: Serialize>(
        mut self,
        mut items: Vec<T>,
        id: impl Fn(&T) -> &str,
    ) -> Answer<(Vec<T>, Option<String>)> {
        if self.sort.is_none()
            && let Some(after) = self.cursor.take()
        {
            let seen = items.partition_point(|item| id(item) <= after.id.as_str());
            items.drain(..seen);
        }
        self.of(items, id)
    }

    fn cut<T>(
        self,
        mut items: Vec<T>,
        start: usize,
        place: impl Fn(&T) -> Place,
    ) -> (Vec<T>, Option<String>) {
        items.drain(..start);
        let Some(limit) = self.limit.filter(|limit| *limit < items.len()) else {
            return (items, None);
        };
        items.truncate(limit);
        let next = items.last().map(|last| cursor::encode(&place(last)));
        (items, next)
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

    fn part(sort: Option<&str>, cursor: Option<&str>, limit: usize) -> Part {
        let sort = sort.map(|sort| sort.parse().expect("an order"));
        let cursor = cursor.map(|cursor| cursor::decode(cursor).expect("a cursor"));
        Part { sort, cursor, limit: Some(limit) }
    }

    fn id<'a>(item: &'a &str) -> &'a str {
        item
    }

    #[test]
    fn a_list_goes_on_after_the_last_of_a_page() {
        let (first, next) = part(None, None, 2).of(vec!["c", "a", "b"], id).expect("a page");
        assert_eq!(first, ["c", "a"]);
        // `d` came meanwhile.
        let rest = part(None, next.as_deref(), 2).of(vec!["d", "c", "a", "b"], id);
        assert_eq!(rest.expect("a page"), (vec!["b"], None));
        assert_eq!(Part::default().of(vec!["a"; 2_000], id).expect("all").0.len(), 2_000);
    }

    #[test]
    fn a_sorted_list_goes_on_after_one_that_is_gone() {
        let (_, next) = part(None, None, 1).of_sorted(vec!["b", "c"], id).expect("a page");
        let rest = part(None, next.as_deref(), 2).of_sorted(vec!["a", "c", "d"], id);
        assert_eq!(rest.expect("a page"), (vec!["c", "d"], None));
    }

    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct Item {
        id: &'static str,
        n: Option<u32>,
    }

    #[test]
    fn a_list_goes_on_in_the_order_that_was_asked_for() {
        let items = [("a", Some(1)), ("b", None), ("c", Some(3)), ("d", Some(1))];
        let mut items: Vec<Item> = items.into_iter().map(|(id, n)| Item { id, n }).collect();
        let names = |items: &[Item]| items.iter().map(|item| item.id).collect::<String>();
        let (first, next) =
            part(Some("-n"), None, 2).of(items.clone(), |item| item.id).expect("a page");
        assert_eq!(names(&first), "ca");
        // `a`, after which it goes on, is gone, and `e` is new in front of it.
        items[0] = Item { id: "e", n: Some(2) };
        let (rest, next) =
            part(Some("-n"), next.as_deref(), 2).of(items, |item| item.id).expect("a page");
        assert_eq!((names(&rest).as_str(), next), ("db", None));
    }

    #[test]
    fn a_cursor_belongs_to_its_order() {
        let (_, next) = part(Some("n"), None, 1)
            .of(vec![Item { id: "a", n: None }, Item { id: "b", n: None }], |item| item.id)
            .expect("a page");
        for sort in [None, Some("-n"), Some("id")] {
            let problem = part(sort, next.as_deref(), 1).checked().expect_err("another order");
            assert_eq!(problem.code(), crate::problem::codes::BAD_CURSOR);
        }
        assert!(part(Some("n"), next.as_deref(), 1).checked().is_ok());
    }
}
