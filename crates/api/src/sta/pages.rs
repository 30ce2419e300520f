//! Pages of sets: filtered, ordered, counted.

use std::cmp::Ordering;

use city_sta::{Expr, Options, OrderBy, Value, compare, evaluate, is_match};

use super::history::historical_locations;
use super::item::{Item, Set};
use super::observations::observations;
use super::properties::Seen;
use super::world::World;
use crate::problem::{Answer, Problem, codes};

/// Entities of a page unless asked.
const DEFAULT_TOP: usize = 100;
/// Entities of a page, at most.
const MAX_TOP: usize = 10_000;

/// A page of a set.
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// How many there are in all, if it was asked.
    pub(super) count: Option<usize>,
    /// The option with which the next page begins.
    pub(super) next: Option<(&'static str, String)>,
}

/// The page of a set that is asked for.
pub(super) fn page(world: &World, set: Set, options: &Options) -> Answer<Page> {
    let page = page_of(world, set, options)?;
    world.check_visits()?;
    Ok(page)
}

fn page_of(world: &World, set: Set, options: &Options) -> Answer<Page> {
    match set {
        Set::Listed(items) => {
            if options.skip_token.is_some() {
                return Err(foreign_token());
            }
            world.visit(items.len());
            world.check_visits()?;
            Ok(listed(world, items, options))
        }
        Set::Observations(series) => observations(world, series, options),
        Set::HistoricalLocations(devices) => historical_locations(world, &devices, options),
    }
}

pub(super) fn top(options: &Options) -> usize {
    options.top.unwrap_or(DEFAULT_TOP).min(MAX_TOP)
}

pub(super) fn is_wanted(world: &World, item: &Item, filter: Option<&Expr>) -> bool {
    filter.is_none_or(|filter| is_match(filter, &Seen { world, item }, world.now))
}

fn listed(world: &World, mut items: Vec<Item>, options: &Options) -> Page {
    items.retain(|item| is_wanted(world, item, options.filter.as_ref()));
    sort(world, &mut items, &options.order_by);
    cut(items, options)
}

/// The part of all that are meant which a page holds.
pub(super) fn cut(mut items: Vec<Item>, options: &Options) -> Page {
    let all = items.len();
    let (begin, top) = (options.skip.min(all), top(options));
    let end = begin.saturating_add(top).min(all);
    items.truncate(end);
    items.drain(..begin);
    Page {
        items,
        count: options.count.then_some(all),
        next: (end < all && top > 0).then(|| ("$skip", end.to_string())),
    }
}

pub(super) fn sort(world: &World, items: &mut Vec<Item>, order: &[OrderBy]) {
    if order.is_empty() {
        return;
    }
    let keys = |item: &Item| -> Vec<Value> {
        order.iter().map(|by| evaluate(&by.by, &Seen { world, item }, world.now)).collect()
    };
    let mut keyed: Vec<(Vec<Value>, Item)> =
        items.drain(..).map(|item| (keys(&item), item)).collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let each = a
            .iter()
            .zip(b)
            .zip(order)
            .map(|((a, b), by)| if by.descending { compare(b, a) } else { compare(a, b) });
        each.fold(Ordering::Equal, Ordering::then)
    });
    items.extend(keyed.into_iter().map(|(_, item)| item));
}

/// A place to go on that another list gave.
pub(super) fn foreign_token() -> Problem {
    Problem::new(codes::BAD_CURSOR, "The $skiptoken was not given by this list.")
        .hint("Follow @iot.nextLink as it is, or start over without it.")
}
