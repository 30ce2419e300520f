//! Boxes in a packed tree: which of them hold a point?
//!
//! Eight boxes share a node of two cache lines, in columns, so that one comparison of eight lanes
//! answers for all of them. The order of the boxes comes from halving them again and again across
//! the longer side, in multiples of the node size; so every node of every level holds neighbours,
//! and the tree needs no pointers: the children of node `n` are the nodes `8 n` to `8 n + 7` below.
//! Corners are `f32`, rounded outward: a point may be answered with a box that it misses by a
//! metre, but never without one that holds it.

use wide::f32x8;

/// Boxes in a node.
pub(super) const FAN: usize = 8;

/// West, south, east, north.
pub(super) type Bounds = [f64; 4];

/// Eight boxes in columns; those that are not used hold nothing.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Node {
    west: [f32; FAN],
    south: [f32; FAN],
    east: [f32; FAN],
    north: [f32; FAN],
}

impl Node {
    const EMPTY: Self = Self {
        west: [f32::INFINITY; FAN],
        south: [f32::INFINITY; FAN],
        east: [f32::NEG_INFINITY; FAN],
        north: [f32::NEG_INFINITY; FAN],
    };

    /// The boxes that hold a point, as bits.
    fn hits(&self, lon: f32, lat: f32) -> u32 {
        self.touches([lon, lat, lon, lat])
    }

    /// The boxes that touch another, as bits.
    fn touches(&self, [west, south, east, north]: [f32; 4]) -> u32 {
        let lanes = f32x8::from(self.west).simd_le(f32x8::splat(east))
            & f32x8::splat(west).simd_le(f32x8::from(self.east))
            & f32x8::from(self.south).simd_le(f32x8::splat(north))
            & f32x8::splat(south).simd_le(f32x8::from(self.north));
        lanes.to_bitmask()
    }

    fn set(&mut self, slot: usize, [west, south, east, north]: [f32; 4]) {
        self.west[slot] = west;
        self.south[slot] = south;
        self.east[slot] = east;
        self.north[slot] = north;
    }

    /// The box around all.
    fn bounds(&self) -> [f32; 4] {
        let least = |values: &[f32; FAN]| values.iter().copied().fold(f32::INFINITY, f32::min);
        let most = |values: &[f32; FAN]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [least(&self.west), least(&self.south), most(&self.east), most(&self.north)]
    }
}

/// The tree. The default is empty.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// From the nodes over the boxes up to the root.
    levels: Vec<Vec<Node>>,
}

impl Tree {
    /// A tree over boxes, with the order in which it numbers them: box `order[i]` is number `i`.
    pub(super) fn new(boxes: &[Bounds]) -> (Self, Vec<u32>) {
        let mut order: Vec<u32> = (0..boxes.len() as u32).collect();
        arrange(&mut order, boxes);
        let mut tree = Self::default();
        let mut below: Vec<[f32; 4]> =
            order.iter().map(|index| outward(boxes[*index as usize])).collect();
        while !below.is_empty() {
            let nodes: Vec<Node> = below.chunks(FAN).map(node_of).collect();
            let is_root = nodes.len() == 1;
            below = nodes.iter().map(Node::bounds).collect();
            tree.levels.push(nodes);
            if is_root {
                break;
            }
        }
        (tree, order)
    }

    /// Calls `found` with the number of every leaf in which boxes may hold the point: leaf `n` has
    /// the boxes `8 n` to `8 n + 7`.
    pub(super) fn leaves_at(&self, lon: f64, lat: f64, mut found: impl FnMut(usize)) {
        let (lon, lat) = (lon as f32, lat as f32);
        match self.levels.len() {
            0 => {}
            1 => found(0),
            levels => self.descend(levels - 1, 0, 1, &|node| node.hits(lon, lat), &mut found),
        }
    }

    /// The boxes of a leaf that may hold the point, as bits.
    pub(super) fn in_leaf(&self, leaf: usize, lon: f64, lat: f64) -> u32 {
        self.levels[0][leaf].hits(lon as f32, lat as f32)
    }

    /// Calls `found` with the number of every box that may touch a box.
    pub(super) fn touching(&self, bounds: Bounds, mut found: impl FnMut(usize)) {
        let Some(top) = self.levels.len().checked_sub(1) else { return };
        let bounds = outward(bounds);
        self.descend(top, 0, 0, &|node| node.touches(bounds), &mut found);
    }

    /// Goes down to the children of the nodes of level `last`.
    fn descend(
        &self,
        level: usize,
        node: usize,
        last: usize,
        hits_of: &impl Fn(&Node) -> u32,
        found: &mut impl FnMut(usize),
    ) {
        let mut hits = hits_of(&self.levels[level][node]);
        while hits != 0 {
            let child = node * FAN + hits.trailing_zeros() as usize;
            hits &= hits - 1;
            if level == last {
                found(child);
            } else {
                self.descend(level - 1, child, last, hits_of, found);
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<Node>()).sum()
    }
}

/// Brings neighbours together: halves across the longer side, at a multiple of the largest power
/// of the node size that leaves something on both sides.
fn arrange(order: &mut [u32], boxes: &[Bounds]) {
    if order.len() <= FAN {
        return;
    }
    let mut block = FAN;
    while block * FAN < order.len() {
        block *= FAN;
    }
    let middle = order.len().div_ceil(block).div_ceil(2) * block;
    let centre = |index: u32, axis: usize| {
        let bounds = &boxes[index as usize];
        bounds[axis] + bounds[axis + 2]
    };
    let spread = |axis: usize| {
        let centres = order.iter().map(|index| centre(*index, axis));
        let (least, most) =
            centres.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), c| (a.min(c), b.max(c)));
        most - least
    };
    let axis = usize::from(spread(1) > spread(0));
    order.select_nth_unstable_by(middle, |a, b| {
        centre(*a, axis).total_cmp(&centre(*b, axis)).then(a.cmp(b))
    });
    let (low, high) = order.split_at_mut(middle);
    arrange(low, boxes);
    arrange(high, boxes);
}

fn node_of(boxes: &[[f32; 4]]) -> Node {
    let mut node = Node::EMPTY;
    for (slot, bounds) in boxes.iter().enumerate() {
        node.set(slot, *bounds);
    }
    node
}

/// The bounds in single precision; nothing that they hold is lost.
fn outward([west, south, east, north]: Bounds) -> [f32; 4] {
    let down = |exact: f64| {
        let near = exact as f32;
        if f64::from(near) > exact { near.next_down() } else { near }
    };
    let up = |exact: f64| -down(-exact);
    [down(west), down(south), up(east), up(north)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn found(tree: &Tree, order: &[u32], lon: f64, lat: f64) -> Vec<u32> {
        let mut found = Vec::new();
        tree.leaves_at(lon, lat, |leaf| {
            let hits = tree.in_leaf(leaf, lon, lat);
            found.extend((0..FAN).filter(|i| hits >> i & 1 == 1).map(|i| order[leaf * FAN + i]));
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn an_empty_tree_and_one_box() {
        let (tree, order) = Tree::new(&[]);
        assert_eq!(found(&tree, &order, 0.0, 0.0), Vec::<u32>::new());
        let (tree, order) = Tree::new(&[[0.1, 0.2, 0.3, 0.4]]);
        assert_eq!(found(&tree, &order, 0.1, 0.4), [0]);
        assert_eq!(found(&tree, &order, 0.5, 0.4), Vec::<u32>::new());
        assert_eq!(found(&tree, &order, f64::NAN, 0.4), Vec::<u32>::new());
    }

    #[test]
    fn boxes_of_a_raster_are_found_with_few_neighbours() {
        let side = 100;
        let boxes: Vec<Bounds> = (0..side * side)
            .map(|i| {
                let (x, y) = (f64::from(i % side), f64::from(i / side));
                [x, y, x + 1.0, y + 1.0]
            })
            .collect();
        let (tree, order) = Tree::new(&boxes);
        assert_eq!(tree.levels.len(), 5, "8^5 is the first power over 10,000");
        for i in 0..side * side {
            let (x, y) = (f64::from(i % side) + 0.5, f64::from(i / side) + 0.5);
            assert_eq!(found(&tree, &order, x, y), [i as u32]);
        }
    }

    /// How many nodes are looked at for a point, on average, in a raster of so many boxes a side.
    fn looks(side: u32) -> f64 {
        let boxes: Vec<Bounds> = (0..side * side)
            .map(|i| {
                let (x, y) = (f64::from(i % side), f64::from(i / side));
                // Neighbours overlap, as the bounds of irregular zones do.
                [x - 0.2, y - 0.2, x + 1.2, y + 1.2]
            })
            .collect();
        let (tree, _) = Tree::new(&boxes);
        let looked = std::cell::Cell::new(0_u32);
        let points = 10_000;
        for i in 0..points {
            let part = |step: f64| ((f64::from(i) * step).fract() * f64::from(side)) as f32;
            let (lon, lat) = (part(0.754_877_666_246_692_7), part(0.569_840_290_998_053_2));
            let hits = |node: &Node| {
                looked.set(looked.get() + 1);
                node.hits(lon, lat)
            };
            tree.descend(tree.levels.len() - 1, 0, 0, &hits, &mut |_| {});
        }
        f64::from(looked.get()) / f64::from(points)
    }

    #[test]
    fn the_work_grows_no_faster_than_the_logarithm() {
        let (few, many) = (looks(10), looks(317));
        let logarithm = f64::ln(317.0 * 317.0) / f64::ln(100.0);
        assert!(many / few <= logarithm, "{few} nodes for 100 boxes, {many} for 100,000");
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_box_is_ever_missed(
            boxes in prop::collection::vec(
                (-180.0..180.0_f64, -90.0..90.0_f64, 0.0..20.0_f64, 0.0..20.0_f64), 0..200),
            points in prop::collection::vec((-180.0..200.0_f64, -90.0..110.0_f64), 20),
        ) {
            let boxes: Vec<Bounds> =
                boxes.into_iter().map(|(x, y, w, h)| [x, y, x + w, y + h]).collect();
            let (tree, order) = Tree::new(&boxes);
            let corners: Vec<_> = boxes.iter().flat_map(|b| [(b[0], b[1]), (b[2], b[3])]).collect();
            for (lon, lat) in points.into_iter().chain(corners) {
                let found = found(&tree, &order, lon, lat);
                for (index, [w, s, e, n]) in boxes.iter().enumerate() {
                    let holds = *w <= lon && lon <= *e && *s <= lat && lat <= *n;
                    prop_assert!(!holds || found.contains(&(index as u32)), "{} {}", lon, lat);
                }
            }
        }
    }
}
