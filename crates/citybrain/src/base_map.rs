//! The base map: reads the files that the settings name.

use std::path::{Path, PathBuf};

use city_api::{BaseMap, LayerAbout, TileCoordinates};
use city_geo::crs::to_wgs84;
use city_model::{Crs, Timestamp};
use serde_json::Value;

use crate::settings::{BaseLayer, Problem};

/// The largest file of GeoJSON, in bytes; what is larger belongs into tiles.
const LARGEST: u64 = 64 << 20;
/// The endings of tiles.
const TILES: [&str; 5] = ["png", "jpg", "jpeg", "webp", "pbf"];

/// Reads all layers, lowest first.
pub(crate) fn read(layers: &[BaseLayer], problems: &mut Vec<Problem>) -> BaseMap {
    let mut map = BaseMap::default();
    let mut seen: Vec<&str> = Vec::new();
    for (place, layer) in layers.iter().enumerate() {
        let key = |name: &str| format!("city.base_map[{place}].{name}");
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if layer.id.is_empty() || layer.id.len() > 64 || !layer.id.chars().all(good) {
            let message = format!("`{}` is no id", layer.id);
            problems.push(Problem::new(key("id"), message, "take letters, digits, `-` and `_`"));
        } else if seen.contains(&layer.id.as_str()) {
            let message = format!("`{}` is there already", layer.id);
            problems.push(Problem::new(key("id"), message, "each layer has an id of its own"));
        }
        seen.push(&layer.id);
        if layer.min_zoom > layer.max_zoom || layer.max_zoom > 24 {
            let message = format!("from {} to {} is no range", layer.min_zoom, layer.max_zoom);
            problems.push(Problem::new(key("max_zoom"), message, "zooms go from 0 to 24"));
        }
        if let Err((name, message, hint)) = add(&mut map, layer) {
            problems.push(Problem::new(key(name), message, hint));
        }
    }
    map
}

type Refused = (&'static str, String, &'static str);

fn add(map: &mut BaseMap, layer: &BaseLayer) -> Result<(), Refused> {
    let about = LayerAbout {
        id: layer.id.clone(),
        kind: layer.kind,
        attribution: layer.attribution.clone(),
        min_zoom: layer.min_zoom,
        max_zoom: layer.max_zoom,
    };
    match (&layer.file, &layer.tiles) {
        (Some(file), None) if has_ending(file, &["pmtiles"]) => {
            if layer.crs != Crs::Wgs84 && layer.crs != Crs::Cgcs2000 {
                let hint = "tiles over GCJ-02 can be given as a folder";
                return Err(("crs", "archives of tiles are read in WGS-84 alone".to_owned(), hint));
            }
            let changed = changed("file", file)?;
            map.add_pmtiles(about, file.clone(), changed);
        }
        (Some(file), None) if has_ending(file, &["geojson", "json"]) => {
            let (text, changed) = geojson(file, layer.crs)?;
            map.add_geojson(about, text, changed);
        }
        (Some(file), None) => {
            let message = format!("{} has another ending", file.display());
            return Err(("file", message, "take .geojson, .json or .pmtiles"));
        }
        (None, Some(folder)) => {
            let coordinates = match layer.crs {
                Crs::Wgs84 | Crs::Cgcs2000 => TileCoordinates::Wgs84,
                Crs::Gcj02 => TileCoordinates::Gcj02,
                Crs::Bd09 => {
                    let hint = "take tiles over WGS-84 or GCJ-02";
                    let message = "tiles over BD-09 are cut in another grid".to_owned();
                    return Err(("crs", message, hint));
                }
            };
            let changed = changed("tiles", folder)?;
            let ending = ending_of(folder).ok_or_else(|| {
                let message = format!("{} holds no tiles", folder.display());
                ("tiles", message, "tiles are z/x/y.png, or .jpg, .webp, .pbf")
            })?;
            map.add_tiles(about, (folder.clone(), &ending), coordinates, changed);
        }
        _ => {
            let message = "one of `file` and `tiles` is needed, and not both".to_owned();
            return Err(("file", message, "name a file, or a folder of tiles"));
        }
    }
    Ok(())
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    endings.iter().any(|wanted| ending.eq_ignore_ascii_case(wanted))
}

fn changed(name: &'static str, path: &Path) -> Result<Timestamp, Refused> {
    let data = std::fs::metadata(path).and_then(|data| data.modified());
    let changed = data.map_err(|error| unreadable(name, path, &error))?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_micros(since.as_micros() as i64))
}

fn unreadable(name: &'static str, path: &Path, error: &dyn std::fmt::Display) -> Refused {
    let message = format!("{} cannot be read: {error}", path.display());
    (name, message, "paths are relative to the configuration file")
}

/// The text of a file in WGS-84.
fn geojson(file: &Path, crs: Crs) -> Result<(String, Timestamp), Refused> {
    let changed = changed("file", file)?;
    let size = std::fs::metadata(file).map_or(0, |data| data.len());
    if size > LARGEST {
        let message = format!("{} has {} MB", file.display(), size >> 20);
        return Err(("file", message, "make tiles of what has more than 64 MB, such as PMTiles"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable("file", file, &error))?;
    let no_geojson = |message: String| ("file", message, "take GeoJSON as of RFC 7946");
    let mut value: Value = serde_json::from_str(&text)
        .map_err(|error| no_geojson(format!("{} is no JSON: {error}", file.display())))?;
    if value["type"] != "FeatureCollection" || !value["features"].is_array() {
        return Err(no_geojson(format!("{} is no FeatureCollection", file.display())));
    }
    if crs == Crs::Wgs84 || crs == Crs::Cgcs2000 {
        return Ok((text, changed));
    }
    for feature in value["features"].as_array_mut().into_iter().flatten() {
        convert(&mut feature["geometry"], crs);
    }
    Ok((value.to_string(), changed))
}

fn convert(geometry: &mut Value, crs: Crs) {
    if let Some(geometries) = geometry.get_mut("geometries").and_then(Value::as_array_mut) {
        for geometry in geometries {
            convert(geometry, crs);
        }
    }
    if let Some(coordinates) = geometry.get_mut("coordinates") {
        convert_all(coordinates, crs);
    }
}

/// A position, or a list of what is one or a list in turn.
fn convert_all(coordinates: &mut Value, crs: Crs) {
    let Some(items) = coordinates.as_array_mut() else { return };
    let position = match items.as_slice() {
        [lon, lat, ..] => lon.as_f64().zip(lat.as_f64()),
        _ => None,
    };
    match position {
        Some((lon, lat)) => {
            let (lon, lat) = to_wgs84(crs, lon, lat);
            (items[0], items[1]) = (lon.into(), lat.into());
        }
        None => items.iter_mut().for_each(|item| convert_all(item, crs)),
    }
}

/// The ending of the first tile of a folder.
fn ending_of(folder: &Path) -> Option<String> {
    let inside = |path: PathBuf| std::fs::read_dir(path).ok();
    let paths = |path: PathBuf| inside(path).into_iter().flatten().flatten().map(|e| e.path());
    let tiles = paths(folder.to_owned()).flat_map(paths).flat_map(paths);
    tiles.into_iter().find_map(|tile| {
        let ending = tile.extension()?.to_str()?.to_owned();
        TILES.contains(&ending.as_str()).then_some(ending)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct File {
        layer: Vec<BaseLayer>,
    }

    fn layers(folder: &Path, text: &str) -> (BaseMap, Vec<String>) {
        let text = text.replace("FOLDER", &folder.display().to_string());
        let file: File = toml::from_str(&text).expect("the right shape");
        let mut problems = Vec::new();
        let map = read(&file.layer, &mut problems);
        (map, problems.into_iter().map(|problem| problem.key).collect())
    }

    #[test]
    fn what_cannot_be_shown_is_named_with_its_key() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("no.geojson"), "{}").expect("written");
        let layer = |id: &str, rest: &str| {
            format!("[[layer]]\nid = \"{id}\"\nkind = \"water\"\nattribution = \"x\"\n{rest}\n")
        };
        let text = [
            layer("a b", "file = \"FOLDER/none.geojson\""),
            layer("c", "file = \"FOLDER/no.geojson\""),
            layer("c", "tiles = \"FOLDER\"\nmin_zoom = 9\nmax_zoom = 3"),
            layer("d", "file = \"FOLDER/x.shp\""),
            layer("e", ""),
            layer("f", "tiles = \"FOLDER\"\ncrs = \"BD-09\""),
        ];
        let keys = layers(folder.path(), &text.concat()).1;
        let shown: Vec<_> =
            keys.iter().map(|key| key.trim_start_matches("city.base_map")).collect();
        let expected = [
            "[0].id",
            "[0].file",
            "[1].file",
            "[2].id",
            "[2].max_zoom",
            "[2].tiles",
            "[3].file",
            "[4].file",
            "[5].crs",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn geojson_in_another_system_comes_as_wgs84_and_tiles_are_found_by_their_ending() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let line = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},
            "geometry":{"type":"LineString","coordinates":[[116.404,39.915],[116.5,39.9,7]]}}]}"#;
        std::fs::write(path.join("roads.geojson"), line).expect("written");
        let (text, _) = geojson(&path.join("roads.geojson"), Crs::Gcj02).expect("read");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let points = &value["features"][0]["geometry"]["coordinates"];
        let (lon, lat) = to_wgs84(Crs::Gcj02, 116.404, 39.915);
        assert_eq!(points[0], serde_json::json!([lon, lat]));
        assert_eq!(points[1][2], 7, "heights stay");
        std::fs::create_dir_all(path.join("tiles/3/4")).expect("made");
        std::fs::write(path.join("tiles/3/4/5.webp"), "x").expect("written");
        assert_eq!(ending_of(&path.join("tiles")).as_deref(), Some("webp"));
    }
}
