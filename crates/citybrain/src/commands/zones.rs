//! `citybrain zones check | reload`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use city_geo::{Loaded, ZoneIndex};
use city_model::Crs;
use clap::Subcommand;

use super::DataDir;
use super::client::Client;
use crate::settings::{self, CitySettings, ZoneFile};
use crate::zones;

/// Of many findings of one kind so many are printed.
const SHOWN: usize = 50;

#[derive(Debug, Subcommand)]
pub(crate) enum ZonesCommand {
    /// Read zone files; report what cannot be used, what was mended, overlaps and the hierarchy.
    Check(CheckArgs),
    /// Make the running program read its zone files again.
    Reload {
        #[command(flatten)]
        data: DataDir,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// GeoJSON files, each a layer that is called like the file
    #[arg(required_unless_present = "config")]
    files: Vec<PathBuf>,
    /// Check the zones of a configuration file, grid included
    #[arg(long, conflicts_with = "files", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The property that holds the name
    #[arg(long, default_value = "name", value_name = "PROPERTY")]
    name: String,
    /// The property that holds a stable id
    #[arg(long, value_name = "PROPERTY")]
    id: Option<String>,
    /// The property that holds the id or the name of the zone above
    #[arg(long, value_name = "PROPERTY")]
    parent: Option<String>,
    /// The coordinate system: WGS-84, GCJ-02, BD-09 or CGCS2000
    #[arg(long, default_value = "WGS-84", value_parser = crs)]
    crs: Crs,
}

pub(crate) fn run(command: &ZonesCommand) -> anyhow::Result<()> {
    match command {
        ZonesCommand::Check(args) => check(args),
        ZonesCommand::Reload { data } => reload(data),
    }
}

fn crs(name: &str) -> Result<Crs, String> {
    let all = [Crs::Wgs84, Crs::Gcj02, Crs::Bd09, Crs::Cgcs2000];
    all.into_iter().find(|crs| crs.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|crs| crs.name()).collect();
        format!("there are {}", names.join(", "))
    })
}

fn check(args: &CheckArgs) -> anyhow::Result<()> {
    if let Some(config) = &args.config {
        return check_city(&settings::load(config)?.city);
    }
    let files: Vec<ZoneFile> = args
        .files
        .iter()
        .map(|file| ZoneFile {
            file: file.clone(),
            layer: layer_of(file),
            id_property: args.id.clone(),
            name_property: args.name.clone(),
            name_zh_property: None,
            parent_property: args.parent.clone(),
            parent_layer: None,
            crs: args.crs,
        })
        .collect();
    let (layers, unusable) = check_files(&files, None);
    print_whole(&ZoneIndex::merge(layers));
    finish(unusable)
}

/// All zones of a configuration, with the grid.
fn check_city(city: &CitySettings) -> anyhow::Result<()> {
    let (_, mut unusable) = check_files(&city.zones, city.bounds);
    let mut problems = Vec::new();
    let index = zones::read(city, &mut problems, &mut Vec::new());
    // Those of files were printed with the file.
    for problem in problems.iter().filter(|problem| problem.key.starts_with("city.grid")) {
        println!("{problem}");
        unusable += 1;
    }
    print_whole(&index);
    finish(unusable)
}

/// Prints what is to be said of each file; returns the layers, and how much cannot be used.
fn check_files(files: &[ZoneFile], bounds: Option<[f64; 4]>) -> (Vec<ZoneIndex>, usize) {
    let mut layers: Vec<ZoneIndex> = Vec::new();
    let mut unusable = 0;
    for file in files {
        println!("{}:", file.file.display());
        let near = bounds.or_else(|| layers.iter().find_map(ZoneIndex::bounds));
        match zones::read_file(file, near) {
            Ok(loaded) => {
                unusable += loaded.problems.len();
                print_file(&loaded);
                layers.push(loaded.index);
            }
            Err(problem) => {
                println!("  {}", problem.message);
                unusable += 1;
            }
        }
    }
    (layers, unusable)
}

fn print_file(loaded: &Loaded) {
    let (skipped, mended) = (loaded.problems.len(), loaded.repairs.len());
    println!("  {} zones, {mended} mended, {skipped} features skipped", loaded.index.zones().len());
    if let Some(oddity) = loaded.oddity {
        println!("  {oddity}");
    }
    print_list("skipped", loaded.problems.iter());
    let (grave, slight): (Vec<_>, Vec<_>) = loaded.repairs.iter().partition(|r| r.is_grave());
    print_list("mended", grave.into_iter());
    print_list("slightly mended", slight.into_iter());
}

fn print_list<T: std::fmt::Display>(what: &str, list: impl ExactSizeIterator<Item = T>) {
    let all = list.len();
    for item in list.take(SHOWN) {
        println!("  {what}: {item}");
    }
    if all > SHOWN {
        println!("  {what}: and {} more", all - SHOWN);
    }
}

/// Layers, hierarchy and overlaps of everything together.
fn print_whole(index: &ZoneIndex) {
    for layer in index.layers() {
        println!(
            "layer {}: {} zones, {:.1} km² in all, from {:.2} to {:.2} km², {} with a zone above",
            layer.layer,
            layer.zones,
            layer.area_km2,
            layer.smallest_km2,
            layer.largest_km2,
            layer.with_parent
        );
    }
    print_list("hierarchy", index.hierarchy_problems().iter());
    let overlaps = index.overlaps();
    print_list(
        "overlap",
        overlaps.iter().map(|overlap| {
            let [a, b] = &overlap.zones;
            format!("{a} and {b} ({}) share {:.3} km²", overlap.layer, overlap.area_km2)
        }),
    );
    println!("{:.1} MB in memory", index.bytes() as f64 / 1e6);
}

fn finish(unusable: usize) -> anyhow::Result<()> {
    if unusable > 0 {
        bail!("{unusable} of what was given cannot be used; see above");
    }
    Ok(())
}

/// A layer's name from its file's.
fn layer_of(file: &Path) -> String {
    file.file_stem().map_or_else(|| "zone".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn reload(data: &DataDir) -> anyhow::Result<()> {
    let done = Client::connect(data)?.post("/api/v1/zones/reload", &serde_json::json!({}))?;
    let list = |key: &str| {
        let ids = done[key].as_array().map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| id.as_str()).map(str::to_owned).collect::<Vec<_>>()
    };
    for warning in list("warnings") {
        println!("warning: {warning}");
    }
    println!("{} zones in force", done["zones"]);
    print_list("new", list("added").iter());
    print_list("gone", list("removed").iter());
    Ok(())
}
