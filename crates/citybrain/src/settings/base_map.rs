//! `city.base_map`: files that lie under the zones on the map.

use std::path::{Path, PathBuf};

use city_api::LayerKind;
use city_model::{Crs, LocalText};
use serde::Deserialize;

/// One layer: a file, or a folder of tiles.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseLayer {
    /// Its id: letters, digits, `-` and `_`.
    pub id: String,
    /// What it shows.
    pub kind: LayerKind,
    /// The file: GeoJSON (`.geojson`, `.json`) or an archive of tiles (`.pmtiles`).
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The folder of tiles, `z/x/y.png` (or `.jpg`, `.webp`, `.pbf`).
    #[serde(default)]
    pub tiles: Option<PathBuf>,
    /// The coordinate system of GeoJSON, or that over which tiles are cut.
    #[serde(default)]
    pub crs: Crs,
    /// Whose work it is, as their licence wants it said.
    pub attribution: LocalText,
    /// From which zoom on it is shown.
    #[serde(default)]
    pub min_zoom: u8,
    /// Up to which zoom there are tiles, or it is shown.
    #[serde(default = "max_zoom")]
    pub max_zoom: u8,
}

const fn max_zoom() -> u8 {
    22
}

impl BaseLayer {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        for path in [&mut self.file, &mut self.tiles].into_iter().flatten() {
            *path = base.join(&*path);
        }
    }
}
