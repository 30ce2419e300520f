//! What an engine looks at: the registry, or its share of it.

use std::sync::Arc;

use city_geo::ZoneIndex;
use city_model::{Device, Directory};
use city_registry::Registry;

/// Whether a device belongs to an engine's share.
pub type Share = Arc<dyn Fn(&Device) -> bool + Send + Sync>;

pub(super) struct Field {
    registry: Arc<Registry>,
    share: Option<Share>,
    /// The whole picture that was looked at last.
    whole: Arc<Directory>,
}

impl Field {
    pub(super) fn new(registry: Arc<Registry>, share: Option<Share>) -> Self {
        let whole = registry.directory();
        Self { registry, share, whole }
    }

    /// Whether nothing has changed since the last look.
    pub(super) fn is_current(&self) -> bool {
        self.registry.is_current(&self.whole)
    }

    /// Looks at what is registered now.
    pub(super) fn look(&mut self) -> Arc<Directory> {
        self.whole = self.registry.directory();
        match &self.share {
            Some(share) => Arc::new(self.whole.only(|device| share(device))),
            None => self.whole.clone(),
        }
    }

    pub(super) fn zones(&self) -> Arc<ZoneIndex> {
        self.registry.zones()
    }
}
