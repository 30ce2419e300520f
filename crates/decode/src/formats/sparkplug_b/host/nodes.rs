//! The edge nodes that are known, at most so many: those without a session make room.

use std::collections::VecDeque;

use city_model::Timestamp;
use rustc_hash::FxHashMap;

use super::Full;
use super::node::Node;

/// The edge nodes, by group and name.
#[derive(Debug)]
pub(super) struct Nodes {
    most: usize,
    known: FxHashMap<Box<str>, Node>,
    /// All nodes without a session, the longest idle first, each once, and some that have got
    /// one since: looking for room costs no walk over all that are known.
    idle: VecDeque<Box<str>>,
}

impl Nodes {
    pub(super) fn new(most: usize) -> Self {
        Self { most, known: FxHashMap::default(), idle: VecDeque::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.known.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.known.get_mut(key)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Box<str>, &mut Node)> {
        self.known.iter_mut()
    }

    /// The node, which is made if there is room.
    pub(super) fn make(&mut self, key: &str, now: Timestamp) -> Result<&mut Node, Full> {
        if !self.known.contains_key(key) {
            if self.known.len() >= self.most {
                self.make_room()?;
            }
            self.known.insert(key.into(), Node::new(now));
            self.rest(key);
        }
        self.known.get_mut(key).ok_or(Full)
    }

    /// The node has no session any more.
    pub(super) fn rest(&mut self, key: &str) {
        if let Some(node) = self.known.get_mut(key)
            && !node.queued
        {
            node.queued = true;
            self.idle.push_back(key.into());
        }
    }

    fn make_room(&mut self) -> Result<(), Full> {
        while let Some(key) = self.idle.pop_front() {
            match self.known.get_mut(&*key) {
                Some(node) if node.session.is_some() => node.queued = false,
                _ => {
                    self.known.remove(&*key);
                    return Ok(());
                }
            }
        }
        Err(Full)
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::Session;
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn born(nodes: &mut Nodes, key: &str) {
        nodes.make(key, NOW).expect("room").session = Some(Session::default());
    }

    #[test]
    fn a_search_in_vain_is_not_repeated() {
        let mut nodes = Nodes::new(1_000);
        for node in 0..1_000 {
            born(&mut nodes, &format!("G/{node}"));
        }
        assert_eq!(nodes.make("G/new", NOW).err(), Some(Full));
        assert_eq!(nodes.idle.len(), 0, "nothing is left to look at");
        assert_eq!(nodes.make("G/new", NOW).err(), Some(Full));
        for _ in 0..3 {
            nodes.get_mut("G/7").expect("known").session = None;
            nodes.rest("G/7");
        }
        assert_eq!(nodes.idle, ["G/7".into()], "each once");
        assert!(nodes.make("G/new", NOW).is_ok());
        assert!(nodes.get("G/7").is_none());
        assert_eq!(nodes.known.len(), 1_000);
    }

    #[test]
    fn the_longest_idle_makes_room_and_who_was_born_meanwhile_stays() {
        let mut nodes = Nodes::new(3);
        for key in ["G/a", "G/b", "G/c"] {
            assert!(nodes.make(key, NOW).is_ok());
        }
        born(&mut nodes, "G/a");
        assert!(nodes.make("G/d", NOW).is_ok());
        let known = |key| nodes.get(key).is_some();
        assert_eq!(["G/a", "G/b", "G/c", "G/d"].map(known), [true, false, true, true]);
    }
}
