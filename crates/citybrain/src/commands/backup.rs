//! `citybrain backup` and `citybrain restore`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use city_audit::AuditLog;
use city_model::Clock as _;
use city_store::StateDb;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::DataDir;
use crate::audited::{by_operator, record_restore};
use crate::backup::{Manifest, Restore, Wanted, restore, take, verify};
use crate::clock::SystemClock;
use crate::run_file::RunFile;
use crate::settings::{self, default_data_dir};

#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// A folder that is not there or empty, or a file NAME.tar or NAME.tar.gz.
    #[arg(required = true, value_name = "FOLDER|FILE")]
    to: Option<PathBuf>,
    /// An earlier backup that is a folder: days that did not change since take no more space.
    #[arg(long, value_name = "FOLDER")]
    since: Option<PathBuf>,
    #[command(flatten)]
    city: CityFiles,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Read a backup, and compare everything with what was written.
    Verify {
        /// The backup.
        backup: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Where a city's files are.
#[derive(Debug, Args)]
struct CityFiles {
    /// The configuration file: it and the files that it names are part of the backup.
    #[arg(long, short, env = "CITYBRAIN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    data: DataDir,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup: a folder, or a file.
    backup: PathBuf,
    /// The folder where the configuration and its files go; without it they stay in the backup.
    #[arg(long, value_name = "FOLDER")]
    config_dir: Option<PathBuf>,
    /// Move what is there out of the way. Nothing is deleted.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    data: DataDir,
}

pub(crate) fn run(args: &BackupArgs) -> anyhow::Result<()> {
    match (&args.command, &args.to) {
        (Some(BackupCommand::Verify { backup, json }), _) => check(backup, *json),
        (None, Some(to)) => back_up(args, to),
        (None, None) => bail!("name a folder or a file for the backup"),
    }
}

fn back_up(args: &BackupArgs, to: &Path) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let read = |config: &PathBuf| anyhow::Ok((settings::load(config)?, settings::tree(config)?));
    let config = args.city.config.as_ref().map(read).transpose()?;
    let data_dir = args.city.data.data_dir.clone();
    let configured = config.as_ref().map(|(settings, _)| settings.data_dir.clone());
    let data_dir = data_dir.or(configured).unwrap_or_else(default_data_dir);
    let wanted = Wanted {
        data_dir: &data_dir,
        config: args.city.config.as_deref().zip(config.as_ref().map(|(_, tree)| tree)),
        since: args.since.as_deref(),
        clock: &SystemClock,
    };
    let bar = bar()?;
    let taken = take(&wanted, to, &mut |name, place, of| show(&bar, name, place, of))?;
    bar.finish_and_clear();
    // Of a city that stands still nothing is touched.
    if RunFile::read(&data_dir).is_some() {
        note(&data_dir, "backup", &json!({ "to": to, "begun_at": taken.manifest.begun_at }))
            .context("the backup is there and whole, but the audit log cannot be written")?;
    }
    let Manifest { files, left_out, begun_at, .. } = &taken.manifest;
    println!(
        "{} files, {} MB, taken to {} and checked in {:.1} s",
        files.len(),
        megabytes(&taken.manifest),
        to.display(),
        started.elapsed().as_secs_f64()
    );
    if taken.linked > 0 {
        println!(
            "{} of them have not changed since the earlier backup and are links",
            taken.linked
        );
    }
    println!("Everything that was acknowledged before {begun_at} is in it.");
    if config.is_none() {
        println!("The configuration is not in it; name it with --config.");
    }
    for left in left_out {
        println!("Not in it: {} ({}); keep it apart", left.path.display(), left.key);
    }
    Ok(())
}

fn check(backup: &Path, as_json: bool) -> anyhow::Result<()> {
    let bar = bar()?;
    let checked = verify(backup, &mut |name, place, of| show(&bar, name, place, of))?;
    bar.finish_and_clear();
    let Manifest { files, begun_at, citybrain, .. } = &checked.manifest;
    if as_json {
        let found = json!({
            "begun_at": begun_at,
            "citybrain": citybrain,
            "files": files.len(),
            "bytes": checked.manifest.bytes(),
            "damages": checked.damages,
        });
        println!("{found:#}");
    } else {
        println!(
            "{}: {} files, {} MB, taken {begun_at} by citybrain {citybrain}",
            backup.display(),
            files.len(),
            megabytes(&checked.manifest)
        );
        for damage in &checked.damages {
            println!("  damaged: {damage}");
        }
        if checked.damages.is_empty() {
            println!("  everything is as it was written");
        }
    }
    if !checked.damages.is_empty() {
        bail!("{} files are damaged; it cannot be restored", checked.damages.len());
    }
    Ok(())
}

pub(crate) fn bring_back(args: &RestoreArgs) -> anyhow::Result<()> {
    let data_dir = args.data.data_dir.clone().unwrap_or_else(default_data_dir);
    let wanted = Restore {
        from: &args.backup,
        data_dir: &data_dir,
        config_dir: args.config_dir.as_deref(),
        replace: args.replace,
        now: SystemClock.now(),
    };
    let bar = bar()?;
    let restored = restore(&wanted, &mut |name, place, of| show(&bar, name, place, of))?;
    bar.finish_and_clear();
    let manifest = &restored.manifest;
    record_restore(&data_dir, wanted.now, &restored)
        .context("all is restored, but the audit log cannot be written")?;
    println!(
        "{} files, {} MB, of {} are in {}",
        manifest.files.len(),
        megabytes(manifest),
        manifest.begun_at,
        data_dir.display()
    );
    for moved in &restored.moved {
        println!("What was there is now {}; delete it when you need it no longer", moved.display());
    }
    if let Some(config_dir) = &args.config_dir {
        for file in &manifest.files {
            if let Some(original) = &file.original {
                let name = file.path.strip_prefix("config/").unwrap_or(&file.path);
                println!("{} was {}", config_dir.join(name).display(), original.display());
            }
        }
        println!("Look at data_dir in the configuration: it was {}", manifest.data_dir.display());
    } else if manifest.config.is_some() {
        println!("The configuration is in the backup; --config-dir brings it back, too.");
    }
    for left in &manifest.left_out {
        println!("Bring along: {} ({})", left.path.display(), left.key);
    }
    if rustix::process::geteuid().is_root() {
        println!("Give it to the user that runs citybrain: chown -R USER: {}", data_dir.display());
    }
    println!(
        "Never run it beside the city that it was taken of: both would take the same sessions with \
         brokers, and tell the same receivers."
    );
    Ok(())
}

/// Says in the audit log of the city what was done to it, and by whom.
fn note(data_dir: &Path, action: &str, what: &serde_json::Value) -> anyhow::Result<()> {
    let state = Arc::new(StateDb::open(data_dir.join("state.db"))?);
    let mut entry = by_operator(SystemClock.now(), action);
    entry.after = Some(what.clone());
    AuditLog::open(state)?.finish(None, entry)?;
    Ok(())
}

fn megabytes(manifest: &Manifest) -> String {
    format!("{:.1}", manifest.bytes() as f64 / 1e6)
}

fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn show(bar: &ProgressBar, name: &str, place: usize, of: usize) {
    bar.set_length(of as u64);
    bar.set_position(place as u64);
    bar.set_message(name.to_owned());
}
