//! Public datasets described: what they are, where they come from, where to get them.

use std::fmt::Write as _;

use city_model::{LocalText, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::dataset::Positions;
use super::view::{PublicDataset, PublicView};
use super::{dataset, licence};
use crate::problem::Answer;
use crate::schema;

/// The addresses of what is public begin so.
pub(super) const ROOT: &str = "/open/v1";

/// All public datasets.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OpenCatalogue {
    #[schema(value_type = schema::LocalText)]
    pub(super) title: LocalText,
    #[schema(value_type = schema::LocalText)]
    pub(super) description: LocalText,
    /// The city.
    #[schema(value_type = schema::LocalText)]
    pub(super) publisher: LocalText,
    /// The address of the catalogue.
    pub(super) url: String,
    /// The same as DCAT-AP 3.0 in JSON-LD.
    pub(super) dcat_json_ld: String,
    /// The same as DCAT-AP 3.0 in Turtle.
    pub(super) dcat_turtle: String,
    /// Whether everything here is simulated or test data.
    pub(super) simulated: bool,
    pub(super) datasets: Vec<OpenDataset>,
}

/// A public dataset.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OpenDataset {
    pub(super) id: String,
    /// Its address.
    pub(super) url: String,
    #[schema(value_type = schema::LocalText)]
    pub(super) title: LocalText,
    #[schema(value_type = schema::LocalText)]
    pub(super) description: LocalText,
    #[schema(value_type = schema::LocalText)]
    pub(super) publisher: LocalText,
    /// Whom to ask: an address that begins with `mailto:` or https.
    pub(super) contact: Option<String>,
    pub(super) licence: OpenLicence,
    /// Codes of the European "data theme" table.
    pub(super) themes: Vec<String>,
    /// When it was first described.
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    /// When its description was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub(super) described_at: Timestamp,
    /// The event time of its newest reading; `null` if there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) updated_at: Option<Timestamp>,
    /// The span of time that can be read now; `null` if only the newest readings can.
    pub(super) temporal: Option<OpenPeriod>,
    /// West, south, east, north of its devices in degrees; `null` if no place is known.
    #[schema(value_type = Option<schema::Bounds>)]
    pub(super) spatial: Option<[f64; 4]>,
    /// How exactly places are told.
    pub(super) positions: Positions,
    /// How many devices there are.
    pub(super) devices: usize,
    pub(super) metrics: Vec<OpenMetric>,
    /// Whether some of it is simulated or test data; each device and reading says so, too.
    pub(super) simulated: bool,
    /// Where it comes from and how it is made.
    #[schema(value_type = schema::LocalText)]
    pub(super) provenance: LocalText,
    /// What the quality flags of readings mean.
    pub(super) quality_flags: Vec<OpenFlag>,
    pub(super) distributions: Vec<OpenDistribution>,
}

/// Under what data may be used.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OpenLicence {
    /// Its SPDX id, or its address.
    pub(super) id: String,
    /// Where its text is.
    pub(super) url: String,
}

/// A span of time: `from` is the first instant, `to` the first after it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct OpenPeriod {
    #[schema(value_type = String, format = DateTime)]
    pub(super) from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(super) to: Timestamp,
}

/// What is measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OpenMetric {
    pub(super) id: String,
    #[schema(value_type = schema::LocalText)]
    pub(super) name: LocalText,
    /// UCUM code; empty if unknown.
    pub(super) unit: String,
    /// The unit as people write it.
    pub(super) symbol: String,
}

/// What a quality flag means.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OpenFlag {
    /// The flag as readings carry it.
    #[schema(value_type = schema::Quality)]
    pub(super) flag: &'static str,
    /// Its QARTOD number.
    pub(super) code: u8,
    #[schema(value_type = schema::LocalText)]
    pub(super) meaning: LocalText,
}

/// One way to get a dataset.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OpenDistribution {
    #[schema(value_type = schema::LocalText)]
    pub(super) title: LocalText,
    pub(super) url: String,
    pub(super) media_type: &'static str,
}

const FLAGS: [(&str, u8, &str, &str); 5] = [
    ("pass", 1, "All automatic checks passed.", "通过全部自动检查。"),
    ("not_evaluated", 2, "No check could run.", "未能进行检查。"),
    ("suspect", 3, "A check found something unusual; use with care.", "检查发现异常，请谨慎使用。"),
    ("fail", 4, "A critical check failed; not to be relied on.", "关键检查未通过，不应采信。"),
    ("missing", 9, "The device said that it had no value.", "设备报告无有效值。"),
];

/// Everything that is public. Blocks.
pub(super) fn catalogue(view: &PublicView, base: &str) -> Answer<OpenCatalogue> {
    let LocalText { en, zh } = &view.city().name;
    let root = format!("{base}{ROOT}");
    let datasets: Vec<_> = view.datasets()?.iter().map(|dataset| describe(dataset, base)).collect();
    Ok(OpenCatalogue {
        title: LocalText::new(format!("Open data of {en}"), format!("{zh}开放数据")),
        description: LocalText::new(
            format!("What the departments of {en} publish of the city's sensors."),
            format!("{zh}各部门公开发布的城市传感器数据。"),
        ),
        publisher: view.city().name.clone(),
        dcat_json_ld: format!("{root}/catalog.jsonld"),
        dcat_turtle: format!("{root}/catalog.ttl"),
        simulated: view.is_simulated(),
        url: root,
        datasets,
    })
}

/// One dataset. Blocks.
pub(super) fn describe(dataset: &PublicDataset, base: &str) -> OpenDataset {
    let about = dataset.about();
    let url = format!("{base}{ROOT}/datasets/{}", about.id);
    let devices = dataset.devices();
    let values = devices.iter().flat_map(|device| dataset.latest(device));
    let mut updated_at = None;
    let mut simulated = devices.iter().any(|device| device.simulated);
    for value in values {
        updated_at = updated_at.max(Some(value.time));
        simulated |= value.simulated;
    }
    let positions = devices.iter().filter_map(|device| device.position);
    let spatial = positions.fold(None, |bounds: Option<[f64; 4]>, p| {
        let [west, south, east, north] = bounds.unwrap_or([p.lon, p.lat, p.lon, p.lat]);
        Some([west.min(p.lon), south.min(p.lat), east.max(p.lon), north.max(p.lat)])
    });
    OpenDataset {
        id: about.id.clone(),
        title: about.title.clone(),
        description: about.description.clone(),
        publisher: dataset.publisher().clone(),
        contact: about.contact.as_deref().and_then(dataset::contact_address),
        licence: OpenLicence {
            id: about.licence.clone(),
            url: licence::address(&about.licence).unwrap_or_default().to_owned(),
        },
        themes: about.themes.clone(),
        created_at: dataset.created_at(),
        described_at: dataset.described_at(),
        updated_at,
        temporal: dataset.history().map(|range| OpenPeriod { from: range.from, to: range.to }),
        spatial,
        positions: about.positions,
        devices: devices.len(),
        metrics: dataset
            .metrics()
            .iter()
            .map(|metric| OpenMetric {
                id: metric.id.to_string(),
                name: metric.name.clone(),
                unit: metric.unit.to_string(),
                symbol: metric.symbol.to_string(),
            })
            .collect(),
        simulated,
        provenance: provenance(dataset),
        quality_flags: FLAGS
            .into_iter()
            .map(|(flag, code, en, zh)| OpenFlag { flag, code, meaning: LocalText::new(en, zh) })
            .collect(),
        distributions: distributions(dataset, &url),
        url,
    }
}

fn provenance(dataset: &PublicDataset) -> LocalText {
    let LocalText { en, zh } = dataset.publisher();
    let mut text = LocalText::new(
        format!(
            "Measured by devices of {en} in the field and sent to the city's sensor platform. \
             Values are converted to the unit that is stated for each metric. Every reading is \
             checked automatically as it arrives by the tests of the IOOS QARTOD manuals (range, \
             spike, rate of change, flat line and others) and carries the flag of the worst of \
             them; nothing is left out or corrected because of its flag. Times are those of the \
             measurement, in UTC. Late readings are added when they arrive."
        ),
        format!(
            "由{zh}的现场设备测量并上报至城市传感器平台。数值已换算为各指标所注明的单位。每条读数到达时\
             均按 IOOS QARTOD 手册自动检查（量程、尖峰、变化率、恒值等），并带有其中最差的质量标志；不因\
             质量标志而删除或修改读数。时间为测量时间（UTC）。迟到的读数会在到达后补入。"
        ),
    );
    let zones = dataset.zone_names();
    if !zones.is_empty() {
        let list = |pick: fn(&LocalText) -> &str, by: &str| {
            zones.iter().map(|zone| pick(zone)).collect::<Vec<_>>().join(by)
        };
        let _ = write!(text.en, " Only devices in {}.", list(|name| &name.en, ", "));
        let _ = write!(text.zh, "仅含位于{}的设备。", list(|name| &name.zh, "、"));
    }
    if dataset.about().positions == Positions::Zone {
        text.en.push_str(" Places are the middle of the zone around a device.");
        text.zh.push_str("位置为设备所在区域的中心。");
    }
    text
}

fn distributions(dataset: &PublicDataset, url: &str) -> Vec<OpenDistribution> {
    const CSV: (&str, &str) = ("csv", "text/csv");
    const JSON: (&str, &str) = ("json", "application/json");
    const GEOJSON: (&str, &str) = ("geojson", "application/geo+json");
    let all = [
        ("devices", "Devices", "设备", &[CSV, JSON, GEOJSON][..]),
        ("latest", "Newest readings", "最新读数", &[CSV, JSON, GEOJSON][..]),
        ("readings", "Readings, page by page", "历史读数（分页）", &[CSV, JSON][..]),
    ];
    let has_history = dataset.history().is_some();
    let offered = all.into_iter().filter(|(name, ..)| *name != "readings" || has_history);
    offered
        .flat_map(|(name, en, zh, formats)| {
            formats.iter().map(move |(ending, media_type)| OpenDistribution {
                title: LocalText::new(
                    format!("{en} ({})", ending.to_uppercase()),
                    format!("{zh}（{}）", ending.to_uppercase()),
                ),
                url: format!("{url}/{name}.{ending}"),
                media_type,
            })
        })
        .collect()
}
