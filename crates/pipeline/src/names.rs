//! Names of metrics that nobody has described: registered, all of a message together, as long as the
//! message and its source stay within bounds.

use std::collections::HashSet;

use city_decode::Decoded;
use city_model::Directory;
use city_registry::{NotAdded, Registry};

use crate::letter::Reason;
use crate::source::Source;

/// How many new names one message may bring: more than any device has values. A message that has
/// more seems to put values into its names.
const MOST_NEW: usize = 200;

/// What one message may still bring.
#[derive(Debug)]
pub(crate) struct NewNames {
    left: usize,
    /// Why nothing more of it is taken.
    refused: Option<Reason>,
}

impl NewNames {
    /// For the next message.
    pub(crate) const fn new() -> Self {
        Self { left: MOST_NEW, refused: None }
    }

    /// Registers the unknown name of the first of `rest`, and those of the same device that follow
    /// it in the message.
    pub(crate) fn register(
        &mut self,
        registry: &Registry,
        directory: &Directory,
        source: &Source,
        rest: &[Decoded<'_>],
    ) -> Result<(), Reason> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        let (id, max) = (&source.spec.id, source.spec.max_metrics);
        let name = rest.first().map_or("", |first| &*first.metric);
        if self.left == 0 {
            return self.refuse(Reason::many_names(name, MOST_NEW));
        }
        let most = self.left.min(registry.metrics_left(id, max)).max(1);
        let names = unknown(registry, directory, id, rest, most);
        match registry.add_metrics(id, max, &names) {
            Ok(()) => {
                self.left -= names.len().min(self.left);
                Ok(())
            }
            Err(error @ NotAdded::Full { .. }) => self.refuse(Reason::too_many_names(name, &error)),
            Err(NotAdded::Registry(error)) => self.refuse(Reason::registry(&error)),
        }
    }

    fn refuse(&mut self, reason: Reason) -> Result<(), Reason> {
        self.refused = Some(reason.clone());
        Err(reason)
    }
}

/// At most `most` names, each once, with their units, that are neither known nor mapped; that of
/// the first value is among them whatever it is.
fn unknown<'a>(
    registry: &Registry,
    directory: &Directory,
    source: &str,
    rest: &'a [Decoded<'_>],
    most: usize,
) -> Vec<(&'a str, &'a str)> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    let device = rest.first().and_then(|first| first.device.as_deref());
    for (place, decoded) in rest.iter().enumerate() {
        let name = &*decoded.metric;
        let waits = || {
            decoded.device.as_deref() == device
                && directory.metrics.by_id(name).is_none()
                && registry.mapping(source, name).is_none()
        };
        if (place == 0 || waits()) && seen.insert(name) {
            names.push((name, decoded.unit.as_deref().unwrap_or_default()));
            if names.len() >= most {
                break;
            }
        }
    }
    names
}
