//! `citybrain store verify`.

use std::path::Path;

use anyhow::bail;
use city_store::{Verification, verify, verify_state};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::DataDir;
use crate::settings::default_data_dir;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read everything that is stored, and say what is damaged. Changes nothing; the program may go
    /// on working meanwhile.
    Verify {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataDir,
    },
}

pub(crate) fn run(command: &StoreCommand) -> anyhow::Result<()> {
    let StoreCommand::Verify { json, data } = command;
    let folder = data.data_dir.clone().unwrap_or_else(default_data_dir);
    let found = check(&folder)?;
    if *json {
        println!("{:#}", as_json(&found));
    } else {
        print(&found, &folder);
    }
    if !found.damages.is_empty() {
        bail!(
            "damaged in {} places; restore the files that are named from a backup, all the rest is sound",
            found.damages.len()
        );
    }
    Ok(())
}

fn check(folder: &Path) -> anyhow::Result<Verification> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files {msg}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let progress = |path: &Path, place: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(place as u64);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        bar.set_message(name.unwrap_or_default());
    };
    // Before an InfluxDB server there is a spool, which is a store too.
    let (store, spool) = (folder.join(crate::store::EMBEDDED), folder.join(crate::store::SPOOL));
    let mut found = if spool.exists() && !store.exists() {
        verify(&spool, progress)?
    } else {
        verify(&store, progress)?
    };
    if spool.exists() && store.exists() {
        found.append(verify(&spool, progress)?);
    }
    bar.finish_and_clear();
    let state = folder.join("state.db");
    if state.exists() {
        found.append(verify_state(&state));
    }
    Ok(found)
}

fn print(found: &Verification, folder: &Path) {
    let Verification { files, chunks, readings, summaries, commits, put_aside, damages } = found;
    println!("{}: {files} files", folder.display());
    println!("  {readings} readings in {chunks} chunks, {commits} commits in the log");
    println!("  {summaries} summaries of days");
    if *put_aside > 0 {
        println!("  {put_aside} chunks were found damaged before, and put aside");
    }
    for damage in damages {
        println!("  damaged: {damage}");
    }
    if damages.is_empty() {
        println!("  everything is as it was written");
    }
}

fn as_json(found: &Verification) -> serde_json::Value {
    let damages = found.damages.iter();
    json!({
        "files": found.files,
        "chunks": found.chunks,
        "readings": found.readings,
        "summaries": found.summaries,
        "commits": found.commits,
        "put_aside": found.put_aside,
        "damages": damages
            .map(|damage| json!({ "file": damage.file, "what": damage.what }))
            .collect::<Vec<_>>(),
    })
}
