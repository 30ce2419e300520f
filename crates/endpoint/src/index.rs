//! Which clients have subscribed to a topic: filters as a tree, one level a step.

use std::collections::HashMap;
use std::sync::Arc;

/// Subscribers by their filters.
#[derive(Debug, Default)]
pub(crate) struct Index {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    below: HashMap<Box<str>, Node>,
    /// Behind `+`.
    any: Option<Box<Node>>,
    /// Filters that end here.
    here: Vec<Arc<str>>,
    /// Filters that end here in `#`.
    rest: Vec<Arc<str>>,
}

impl Index {
    /// A client has subscribed; not to be told twice of the same filter.
    pub(crate) fn insert(&mut self, filter: &str, client: &Arc<str>) {
        let mut node = &mut self.root;
        for level in filter.split('/') {
            node = match level {
                "#" => return node.rest.push(client.clone()),
                "+" => node.any.get_or_insert_default(),
                _ => node.below.entry(level.into()).or_default(),
            };
        }
        node.here.push(client.clone());
    }

    /// A client has unsubscribed.
    pub(crate) fn remove(&mut self, filter: &str, client: &str) {
        self.root.remove(filter.split('/'), client);
    }

    /// Everybody whose filters match, once each.
    pub(crate) fn find(&self, topic: &str) -> Vec<Arc<str>> {
        let mut found = Vec::new();
        self.root.find(topic.split('/'), topic.starts_with('$'), &mut found);
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Node {
    fn find<'a>(
        &self,
        mut levels: impl Iterator<Item = &'a str> + Clone,
        literal: bool,
        found: &mut Vec<Arc<str>>,
    ) {
        if !literal {
            found.extend(self.rest.iter().cloned());
        }
        let Some(level) = levels.next() else {
            found.extend(self.here.iter().cloned());
            return;
        };
        if let Some(node) = self.below.get(level) {
            node.find(levels.clone(), false, found);
        }
        if let Some(node) = self.any.as_ref().filter(|_| !literal) {
            node.find(levels, false, found);
        }
    }

    /// Returns whether nothing is left.
    fn remove<'a>(&mut self, mut levels: impl Iterator<Item = &'a str>, client: &str) -> bool {
        match levels.next() {
            None => self.here.retain(|other| **other != *client),
            Some("#") => self.rest.retain(|other| **other != *client),
            Some("+") => {
                if self.any.as_mut().is_some_and(|node| node.remove(levels, client)) {
                    self.any = None;
                }
            }
            Some(level) => {
                if self.below.get_mut(level).is_some_and(|node| node.remove(levels, client)) {
                    self.below.remove(level);
                }
            }
        }
        self.below.is_empty() && self.any.is_none() && self.here.is_empty() && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filters::matches;

    proptest! {
        #[test]
        fn the_tree_finds_whom_the_filters_match(
            filters in prop::collection::btree_set("([ab+$]/){0,2}[ab+#]", 0..12),
            gone in prop::collection::vec(any::<bool>(), 12),
            topic in "[ab$](/[ab]){0,3}",
        ) {
            let mut index = Index::default();
            let mut expected = Vec::new();
            for (filter, gone) in filters.iter().zip(&gone) {
                let client: Arc<str> = filter.as_str().into();
                index.insert(filter, &client);
                if *gone {
                    index.remove(filter, &client);
                } else if matches(filter, &topic) {
                    expected.push(client);
                }
            }
            expected.sort();
            prop_assert_eq!(index.find(&topic), expected);
            for filter in &filters {
                index.remove(filter, filter);
            }
            prop_assert!(index.root.below.is_empty() && index.root.any.is_none());
        }
    }
}
