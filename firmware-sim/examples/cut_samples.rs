//! Cuts the samples that ship with citybrain out of the whole recorded data sets.
//!
//! ```text
//! cargo run -p firmware-sim --example cut_samples -- <folder with aarhus/ and beijing_air/> \
//!     crates/citybrain/assets/samples
//! ```
//!
//! The sources are named in each sample's `SOURCES.md`. The result is the same every time.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use firmware_sim::{Attribute, DeclaredPosition, DeviceSpec, LocalText, Span};
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        return Err(
            "give the folder with the whole data sets and the folder for the samples".into()
        );
    };
    let (from, to) = (Path::new(from), Path::new(to));
    aarhus(&from.join("aarhus"), &to.join("aarhus"))?;
    beijing(&from.join("beijing_air"), &to.join("beijing"))
}

/// All road sensors through one afternoon with its rush hour (times in the file are UTC).
fn aarhus(from: &Path, to: &Path) -> Done {
    cut(
        &from.join("traffic_all_sensors_2014-08-04_2014-08-07.csv.gz"),
        &to.join("traffic.csv.gz"),
        &["timestamp", "report_id", "avg_speed_kmh", "vehicle_count"],
        "2014-08-05T11:00".."2014-08-05T17:00",
    )?;
    let mut devices = Vec::new();
    for row in rows(&from.join("traffic_sensors.csv"))? {
        let number = |column: &str| row[column].parse::<f64>();
        let streets = (&row["point1_street"], &row["point2_street"]);
        let road = if streets.0 == streets.1 {
            streets.0.clone()
        } else {
            format!("{} – {}", streets.0, streets.1)
        };
        let normal = number("ndt_kmh")?;
        let class = match normal {
            n if n < 35.0 => "under_35",
            n if n < 50.0 => "under_50",
            n if n < 70.0 => "under_70",
            _ => "from_70",
        };
        let attributes = BTreeMap::from([
            ("ndt_kmh".to_owned(), Attribute::Number(normal)),
            ("speed_class".to_owned(), Attribute::Text(class.to_owned())),
            ("distance_m".to_owned(), Attribute::Number(number("distance_m")?)),
            ("road_type".to_owned(), Attribute::Text(row["road_type"].to_lowercase())),
        ]);
        devices.push(DeviceSpec {
            id: format!("aarhus-{}", row["report_id"]),
            name: LocalText::new(road.clone(), format!("{road} 路段")),
            kind: "road_section".to_owned(),
            department: "transport".to_owned(),
            position: Some(position(number("mid_lon")?, number("mid_lat")?)),
            moving: false,
            interval: Span::from_secs(300),
            gateway: None,
            attributes,
            life_cycle: "active".to_owned(),
            simulated: true,
        });
    }
    write_devices(&to.join("devices.json"), devices)
}

/// All stations through the sixteen days around the city's first red alert for smog.
fn beijing(from: &Path, to: &Path) -> Done {
    cut(
        &from.join("prsa_12stations_2014-03-01_2016-03-01.csv.gz"),
        &to.join("air.csv.gz"),
        &[
            "timestamp",
            "station",
            "pm25",
            "pm10",
            "so2",
            "no2",
            "co",
            "o3",
            "temp_c",
            "pres_hpa",
            "dewp_c",
            "rain_mm",
            "wspm",
        ],
        "2015-11-26".."2015-12-12",
    )?;
    let chinese = HashMap::from([
        ("Aotizhongxin", "奥体中心"),
        ("Changping", "昌平"),
        ("Dingling", "定陵"),
        ("Dongsi", "东四"),
        ("Guanyuan", "官园"),
        ("Gucheng", "古城"),
        ("Huairou", "怀柔"),
        ("Nongzhanguan", "农展馆"),
        ("Shunyi", "顺义"),
        ("Tiantan", "天坛"),
        ("Wanliu", "万柳"),
        ("Wanshouxigong", "万寿西宫"),
    ]);
    let mut devices = Vec::new();
    for row in rows(&from.join("stations.csv"))? {
        let station = &row["station"];
        let zh = chinese.get(station.as_str()).ok_or("a station without a Chinese name")?;
        devices.push(DeviceSpec {
            id: format!("beijing-{station}"),
            name: LocalText::new(station.clone(), *zh),
            kind: "air_station".to_owned(),
            department: "environment".to_owned(),
            position: Some(position(row["lon"].parse()?, row["lat"].parse()?)),
            moving: false,
            interval: Span::from_secs(3_600),
            gateway: None,
            attributes: BTreeMap::new(),
            life_cycle: "active".to_owned(),
            simulated: true,
        });
    }
    write_devices(&to.join("devices.json"), devices)
}

fn position(lon: f64, lat: f64) -> DeclaredPosition {
    DeclaredPosition { lon, lat, crs: "WGS-84".to_owned() }
}

fn rows(path: &Path) -> Result<Vec<HashMap<String, String>>, Box<dyn Error>> {
    Ok(csv::Reader::from_path(path)?.deserialize().collect::<Result<_, _>>()?)
}

/// One device a line, so that a change can be read.
fn write_devices(path: &Path, mut devices: Vec<DeviceSpec>) -> Done {
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    let lines: Vec<_> = devices.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(fs::write(path, format!("[\n{}\n]\n", lines.join(",\n")))?)
}

/// Copies some columns of the rows whose first column (the time) lies in the range.
fn cut(from: &Path, to: &Path, columns: &[&str], times: std::ops::Range<&str>) -> Done {
    let mut reader = csv::Reader::from_reader(MultiGzDecoder::new(File::open(from)?));
    let header = reader.headers()?.clone();
    let find =
        |name: &&str| header.iter().position(|column| column == *name).ok_or("a column is gone");
    let places: Vec<usize> = columns.iter().map(find).collect::<Result<_, _>>()?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // Without the file's time in its header, so that the bytes are the same every time.
    let zip = GzBuilder::new().mtime(0).write(File::create(to)?, Compression::best());
    let mut writer = csv::Writer::from_writer(zip);
    writer.write_record(columns)?;
    for record in reader.records() {
        let record = record?;
        if times.contains(&record.get(0).unwrap_or_default()) {
            writer.write_record(places.iter().map(|place| &record[*place]))?;
        }
    }
    let zip = writer.into_inner().map_err(|error| error.to_string())?;
    zip.finish()?.flush()?;
    Ok(())
}
