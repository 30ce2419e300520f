//! Where an alert holds: the zone's border, or a circle around the device.

use std::sync::Arc;

use city_geo::ZoneIndex;
use city_model::{Alert, Directory, Position, Subject};

use crate::issuer::Issuer;
use crate::words::Language;
use crate::xml::Document;

/// How far borders may be simplified, in degrees: about 25 metres, so that a message stays small.
const TOLERANCE_DEG: f64 = 2.5e-4;

/// Where things are, and what they are called. The default knows nothing.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The zones with their borders.
    pub zones: Option<Arc<ZoneIndex>>,
    /// Devices and zones with their names.
    pub directory: Option<Arc<Directory>>,
}

impl Places {
    fn zone_name(&self, id: &str, language: Language) -> String {
        let known = self.directory.as_ref().and_then(|known| known.zone_by_id(id));
        named(known.map(|zone| language.of(&zone.name)), id)
    }

    fn device_name(&self, id: &str, language: Language) -> String {
        let known = self.directory.as_ref().and_then(|known| known.device_by_id(id));
        named(known.map(|device| language.of(&device.name)), id)
    }

    fn outlines(&self, zone: &str) -> Vec<Vec<Position>> {
        let zones = self.zones.as_ref();
        zones.and_then(|zones| zones.outlines(zone, TOLERANCE_DEG)).unwrap_or_default()
    }
}

fn named(name: Option<&str>, id: &str) -> String {
    name.filter(|name| !name.is_empty()).unwrap_or(id).to_owned()
}

/// Writes the area of an alert.
pub(crate) fn area(
    document: &mut Document,
    issuer: &Issuer,
    alert: &Alert,
    places: &Places,
    language: Language,
) {
    let (outlines, about) = match &alert.subject {
        Subject::Zone { zone } => (places.outlines(zone), places.zone_name(zone, language)),
        Subject::Series { device, .. } | Subject::Device { device } => {
            (Vec::new(), places.device_name(device, language))
        }
    };
    let around = alert.zones.iter().map(|zone| places.zone_name(zone, language));
    let mut names: Vec<String> = std::iter::once(about).chain(around).collect();
    names.dedup();
    document.element("area", &[], |area| {
        area.text("areaDesc", &names.join(language.pick(", ", "，")));
        for outline in &outlines {
            let places: Vec<String> = outline.iter().map(|place| pair(*place)).collect();
            area.text("polygon", &places.join(" "));
        }
        // The place of a zone is one for its name; with a border there is no need of it.
        if let Some(place) = alert.position.filter(|_| outlines.is_empty()) {
            area.text("circle", &format!("{} {}", pair(place), issuer.radius_km));
        }
        for zone in &alert.zones {
            area.element("geocode", &[], |geocode| {
                geocode.text("valueName", "citybrain:zone");
                geocode.text("value", zone);
            });
        }
    });
}

/// `latitude,longitude`, to about a metre.
fn pair(place: Position) -> String {
    let round = |degrees: f64| (degrees * 1e5).round() / 1e5 + 0.0;
    format!("{},{}", round(place.lat), round(place.lon))
}
