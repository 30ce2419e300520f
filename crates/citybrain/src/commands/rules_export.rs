//! `citybrain rules export`: rule groups that the API keeps, as rule files.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use city_rulebook::Kept;
use clap::Args;

use super::DataDir;
use super::rules::kept_groups;
use crate::settings::default_data_dir;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Only this group.
    group: Option<String>,
    /// Write GROUP.yaml files into this folder; without it the text of the group is printed. Files
    /// that are there already are not overwritten
    #[arg(long, value_name = "FOLDER", required_unless_present = "group")]
    to: Option<PathBuf>,
    #[command(flatten)]
    data: DataDir,
}

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let data = args.data.data_dir.clone().unwrap_or_else(default_data_dir);
    let mut groups = kept_groups(&data)?;
    if let Some(name) = &args.group {
        groups.retain(|group| *group.name == **name);
        if groups.is_empty() {
            bail!(
                "the API keeps no rule group `{name}` in {}\n  hint: GET /api/v1/rule-groups says \
                 where each group lives",
                data.display()
            );
        }
    }
    let Some(folder) = &args.to else {
        for Kept { text, .. } in &groups {
            std::io::stdout().write_all(text.as_bytes())?;
        }
        return Ok(());
    };
    // The names are file names: the API takes no others.
    let files: Vec<_> =
        groups.iter().map(|group| (group, folder.join(format!("{}.yaml", group.name)))).collect();
    if let Some((_, taken)) = files.iter().find(|(_, file)| file.exists()) {
        bail!("{} is there already; nothing was written", taken.display());
    }
    std::fs::create_dir_all(folder)?;
    for (group, file) in &files {
        std::fs::write(file, &*group.text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("{}: version {} by {}", file.display(), group.number, group.by);
    }
    Ok(())
}
