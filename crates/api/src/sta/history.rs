//! Where moving devices were, as HistoricalLocations.

use std::sync::Arc;

use city_model::{Device, Span, Timestamp};
use city_sta::{Expr, Options};
use city_store::TimeRange;

use super::item::Item;
use super::pages::{Page, cut, foreign_token, is_wanted, sort};
use super::world::World;
use crate::problem::{Answer, Problem, codes};

/// Positions of one device that are read at a time.
const TRACK_PAGE: usize = 10_000;
/// Positions that are looked at for one answer, at most.
const MAX_POSITIONS: usize = 200_000;

/// The page of positions of these devices that is asked for, by device and time unless another
/// order is.
pub(super) fn historical_locations(
    world: &World,
    devices: &[Arc<Device>],
    options: &Options,
) -> Answer<Page> {
    if options.skip_token.is_some() {
        return Err(foreign_token());
    }
    let enough = if options.order_by.is_empty() && !options.count {
        options.skip.saturating_add(super::pages::top(options)).saturating_add(1)
    } else {
        usize::MAX
    };
    let mut items = Vec::new();
    let mut seen = 0;
    for device in devices {
        take(world, device, (options.filter.as_ref(), enough), (&mut items, &mut seen))?;
        if items.len() >= enough {
            break;
        }
    }
    sort(world, &mut items, &options.order_by);
    Ok(cut(items, options))
}

fn take(
    world: &World,
    device: &Arc<Device>,
    (filter, enough): (Option<&Expr>, usize),
    (items, seen): (&mut Vec<Item>, &mut usize),
) -> Answer<()> {
    let mut from = Timestamp::from_micros(i64::MIN);
    loop {
        world.spend_series()?;
        let range = TimeRange { from, ..TimeRange::ALL };
        let part = world.app.store.track(device.key, range, TRACK_PAGE)?;
        world.spend(part.len())?;
        *seen += part.len();
        if *seen > MAX_POSITIONS {
            let detail = format!("This would look at more than {MAX_POSITIONS} positions.");
            return Err(Problem::new(codes::QUERY_TOO_LARGE, detail)
                .hint("Ask for those of one Thing, in its own order and without $count."));
        }
        let full = part.len() == TRACK_PAGE;
        if let Some((last, _)) = part.last() {
            from = *last + Span::from_micros(1);
        }
        let places = part.into_iter();
        let places = places.map(|(at, place)| Item::HistoricalLocation(device.clone(), at, place));
        items.extend(places.filter(|item| is_wanted(world, item, filter)));
        if !full || items.len() >= enough {
            return Ok(());
        }
    }
}
