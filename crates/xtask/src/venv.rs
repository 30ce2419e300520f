//! Python programs that tests use, each with all that it needs in an environment of its own.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::run::{program, root, succeeds};

/// Installs what `requirements.txt` in a folder pins, unless exactly that is installed; gives the
/// folder of programs, from the top.
pub(crate) fn ensure(folder: &str) -> anyhow::Result<String> {
    let name = Path::new(folder).file_name().context("a folder")?;
    let venv = root().join("target").join(name);
    let wanted = fs::read_to_string(root().join(folder).join("requirements.txt"))?;
    let stamp = venv.join("requirements.txt");
    let bin = |name: &str| venv.join("bin").join(name).display().to_string();
    let installed = fs::read_to_string(&stamp).is_ok_and(|there| there == wanted);
    if !installed || !succeeds(&bin("python"), &["--version"]) {
        let venv = venv.display().to_string();
        program(".", "python3", &["-m", "venv", "--clear", &venv])
            .context("install Python 3.10 or newer with its venv (Debian: python3-venv)")?;
        let requirements = format!("{folder}/requirements.txt");
        let install = ["install", "--quiet", "--no-deps", "--disable-pip-version-check"];
        program(".", &bin("pip"), &[&install[..], &["--requirement", &requirements]].concat())?;
        fs::write(&stamp, wanted)?;
    }
    Ok(venv.join("bin").display().to_string())
}
