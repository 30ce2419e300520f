//! The cities that come with the program: the demo's and the recorded samples. They are written to
//! a folder and then read like any other city's configuration, so that they can be looked at and
//! copied.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use include_dir::{Dir, include_dir};

static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets");

/// The city of the demo.
pub const CHICAGO: &str = "chicago";

/// The recorded samples: a name and the folder of assets.
pub const SAMPLES: &[(&str, &str)] =
    &[("aarhus", "samples/aarhus"), ("beijing", "samples/beijing")];

/// A city's files on disk.
pub struct Unpacked {
    /// The folder.
    pub folder: PathBuf,
    /// The configuration in it.
    pub config: PathBuf,
}

/// Writes the files of a city that comes with the program into `folder`, over what is there, and
/// joins its `citybrain.toml` and `sources.toml` to one configuration.
pub fn unpack(asset: &str, folder: &Path) -> anyhow::Result<Unpacked> {
    let source = ASSETS.get_dir(asset).with_context(|| format!("there is no city `{asset}`"))?;
    write_all(source, folder)
        .with_context(|| format!("the city's files cannot be written to {}", folder.display()))?;
    let config = folder.join("citybrain.toml");
    let sources = folder.join("sources.toml");
    if sources.exists() {
        let joined = format!("{}\n{}", fs::read_to_string(&config)?, fs::read_to_string(&sources)?);
        fs::write(&config, joined)?;
        fs::remove_file(&sources)?;
    }
    Ok(Unpacked { folder: folder.to_owned(), config })
}

fn write_all(from: &Dir<'_>, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for folder in from.dirs() {
        write_all(folder, &to.join(folder.path().file_name().unwrap_or_default()))?;
    }
    for file in from.files() {
        fs::write(to.join(file.path().file_name().unwrap_or_default()), file.contents())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::City;
    use crate::settings;

    #[test]
    fn every_city_that_comes_with_the_program_is_good() {
        for asset in std::iter::once(CHICAGO).chain(SAMPLES.iter().map(|(_, asset)| *asset)) {
            let folder = tempfile::tempdir().expect("a folder");
            let unpacked = unpack(asset, folder.path()).expect("unpacked");
            if asset == CHICAGO {
                fs::write(unpacked.folder.join("devices.json"), "[]").expect("writes");
            }
            let settings =
                settings::load(&unpacked.config).unwrap_or_else(|e| panic!("{asset}: {e}"));
            assert!(settings.city.simulated, "{asset} must not raise live alerts");
            let city = City::read(settings).unwrap_or_else(|e| panic!("{asset}: {e}"));
            assert!(city.rules.rules().len() >= 2, "{asset} has rules");
            assert_eq!(city.warnings, [] as [String; 0], "{asset}");
        }
    }
}
