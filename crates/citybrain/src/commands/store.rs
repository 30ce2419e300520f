//! `citybrain store`: verify, back up, repair, copy.

use std::path::{Path, PathBuf};

use anyhow::bail;
use city_store::{
    Backup, Repair, Verification, backup, backup_state, repair, verify, verify_state,
};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{DataDir, copy};
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
    /// Copy everything that is stored, and the registry, to another folder. The program may go on
    /// working meanwhile. The copy is checked.
    Backup {
        /// A folder that is not there, or empty.
        to: PathBuf,
        #[command(flatten)]
        data: DataDir,
    },
    /// Mend what is damaged. Deletes nothing: what cannot be read is put aside, and is said. The
    /// program must be stopped.
    Repair {
        #[command(flatten)]
        data: DataDir,
    },
    /// Move history between the embedded store and InfluxDB. The program must be stopped. If it is
    /// cut short, the same command goes on.
    Copy(copy::CopyArgs),
}

pub(crate) fn run(command: &StoreCommand) -> anyhow::Result<()> {
    match command {
        StoreCommand::Verify { json, data } => verify_all(&folder(data), *json),
        StoreCommand::Backup { to, data } => back_up(&folder(data), to),
        StoreCommand::Repair { data } => mend(&folder(data)),
        StoreCommand::Copy(args) => copy::run(args),
    }
}

fn folder(data: &DataDir) -> PathBuf {
    data.data_dir.clone().unwrap_or_else(default_data_dir)
}

fn verify_all(folder: &Path, json: bool) -> anyhow::Result<()> {
    let found = check(folder)?;
    if json {
        println!("{:#}", as_json(&found));
    } else {
        print(&found, folder);
    }
    if !found.damages.is_empty() {
        bail!(
            "damaged in {} places, all the rest is sound; stop citybrain and run `citybrain store \
             repair`, or restore the files that are named from a backup",
            found.damages.len()
        );
    }
    Ok(())
}

/// The stores in a data folder: the embedded one, the spool before InfluxDB, or both.
fn stores(folder: &Path) -> Vec<PathBuf> {
    let all = [crate::store::EMBEDDED, crate::store::SPOOL].map(|name| folder.join(name));
    let there: Vec<PathBuf> = all.iter().filter(|store| store.exists()).cloned().collect();
    if there.is_empty() { vec![all[0].clone()] } else { there }
}

fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files {msg}")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn show(bar: &ProgressBar, path: &Path, place: usize, of: usize) {
    bar.set_length(of as u64);
    bar.set_position(place as u64);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    bar.set_message(name.unwrap_or_default());
}

fn check(folder: &Path) -> anyhow::Result<Verification> {
    let bar = bar()?;
    let mut found = Verification::default();
    for store in stores(folder) {
        found.append(verify(&store, |path, place, of| show(&bar, path, place, of))?);
    }
    bar.finish_and_clear();
    let state = folder.join("state.db");
    if state.exists() {
        found.append(verify_state(&state));
    }
    Ok(found)
}

fn back_up(folder: &Path, to: &Path) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; name a folder that is not there", to.display());
    }
    let bar = bar()?;
    let mut done = Backup::default();
    for store in stores(folder) {
        let target = to.join(store.file_name().unwrap_or_default());
        done.append(backup(&store, &target, |path, place, of| show(&bar, path, place, of))?);
    }
    bar.finish_and_clear();
    let state = folder.join("state.db");
    if state.exists() {
        done.append(backup_state(&state, &to.join("state.db"))?);
    }
    let found = check(to)?;
    if !found.damages.is_empty() {
        print(&found, to);
        bail!("the copy is damaged as its original is; run `citybrain store verify` on that");
    }
    let took = started.elapsed().as_secs_f64();
    let megabytes = done.bytes as f64 / 1e6;
    println!(
        "{} files, {megabytes:.1} MB copied to {} and checked in {took:.1} s",
        done.files,
        to.display()
    );
    println!("To go on from it: stop citybrain, and start it with this folder as its data folder.");
    Ok(())
}

fn mend(folder: &Path) -> anyhow::Result<()> {
    let bar = bar()?;
    let mut all = Repair::default();
    for store in stores(folder) {
        let done = repair(&store, |path| show(&bar, path, 0, 0))?;
        all.files += done.files;
        all.mended.extend(done.mended);
        all.lost.extend(done.lost);
    }
    bar.finish_and_clear();
    let Repair { files, mended, lost } = all;
    for damage in &mended {
        println!("mended: {damage}");
    }
    for damage in &lost {
        println!("put aside: {damage}");
    }
    match (mended.len(), lost.len()) {
        (0, 0) => println!("{files} files looked at, nothing to mend"),
        (mended, lost) => println!(
            "{files} files looked at: {mended} mended, {lost} put aside; nothing was deleted"
        ),
    }
    Ok(())
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
