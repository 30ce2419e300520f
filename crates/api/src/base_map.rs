//! The base map: what lies under the zones and the devices, from files of the city.

use std::path::PathBuf;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use city_model::{LocalText, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::encoding::{Effort, Encoded};

/// The layers, lowest first.
#[derive(Debug, Default)]
pub struct BaseMap {
    pub(crate) layers: Vec<Layer>,
    /// When the newest of their files was changed.
    pub(crate) updated_at: Option<Timestamp>,
}

/// One layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) about: LayerAbout,
    pub(crate) content: Content,
}

/// What is said of a layer.
#[derive(Clone, Debug)]
pub struct LayerAbout {
    /// Its id: letters, digits, `-` and `_`.
    pub id: String,
    /// What it shows.
    pub kind: LayerKind,
    /// Whose work it is, as their licence wants it said.
    pub attribution: LocalText,
    /// From which zoom on it is shown, 0 to 24.
    pub min_zoom: u8,
    /// Up to which zoom there are tiles, or it is shown, 0 to 24.
    pub max_zoom: u8,
}

/// What a layer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// Seas, lakes, rivers.
    Water,
    /// Parks and woods.
    Green,
    /// Roads; `class` of a feature is `motorway`, `main` or `minor`.
    Road,
    /// Railways.
    Rail,
    /// Buildings.
    Building,
    /// Borders.
    Boundary,
    /// Names of places; `name`, `name_en`, `name_zh` of a feature, and `rank`, 1 for the first.
    Label,
    /// Pictures.
    Raster,
    /// Tiles of many layers, in the schema of OpenMapTiles.
    Vector,
}

/// Where the tiles of a layer are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TileCoordinates {
    /// Where they belong: Web Mercator over WGS-84.
    #[default]
    Wgs84,
    /// Web Mercator over GCJ-02, as maps of China have it.
    Gcj02,
}

/// The content of a layer.
#[derive(Debug)]
pub(crate) enum Content {
    /// GeoJSON in WGS-84.
    GeoJson(Box<Encoded>),
    /// An archive in the format PMTiles 3.
    PmTiles(PathBuf),
    /// A folder of tiles, `z/x/y.ending`.
    Tiles { folder: PathBuf, ending: String, coordinates: TileCoordinates },
}

impl BaseMap {
    /// Adds a layer on top: GeoJSON in WGS-84 (RFC 7946).
    pub fn add_geojson(&mut self, about: LayerAbout, text: String, changed: Timestamp) {
        let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..12]);
        let etag = HeaderValue::from_str(&format!("W/\"{digest}\""));
        let etag = etag.unwrap_or_else(|_| HeaderValue::from_static("W/\"\""));
        let text = Bytes::from(text);
        let encoded = Encoded::new(text, "application/geo+json", etag, "no-cache", Effort::Much);
        self.add(about, Content::GeoJson(Box::new(encoded)), changed);
    }

    /// Adds a layer on top: an archive of tiles in the format PMTiles 3.
    pub fn add_pmtiles(&mut self, about: LayerAbout, file: PathBuf, changed: Timestamp) {
        self.add(about, Content::PmTiles(file), changed);
    }

    /// Adds a layer on top: a folder of tiles, `z/x/y.ending`.
    pub fn add_tiles(
        &mut self,
        about: LayerAbout,
        (folder, ending): (PathBuf, &str),
        coordinates: TileCoordinates,
        changed: Timestamp,
    ) {
        let ending = ending.to_owned();
        self.add(about, Content::Tiles { folder, ending, coordinates }, changed);
    }

    fn add(&mut self, about: LayerAbout, content: Content, changed: Timestamp) {
        self.updated_at = self.updated_at.max(Some(changed));
        self.layers.push(Layer { about, content });
    }

    pub(crate) fn layer(&self, id: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.about.id == id)
    }
}
