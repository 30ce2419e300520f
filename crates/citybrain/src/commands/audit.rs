//! `citybrain audit`: checking the audit log and writing it out, beside the running program or not.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use city_audit::{
    AuditLog, Break, CSV_COLUMNS, Checker, Filter, Verification, from_json_line, to_csv,
    to_json_line,
};
use city_model::Timestamp;
use city_store::{StateDb, StateError};
use clap::{Subcommand, ValueEnum};

use super::DataDir;
use crate::settings::default_data_dir;

/// Entries that are read at once.
const CHUNK: usize = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that no entry was changed, removed, moved or cut off; ends with 1 if one was.
    Verify {
        /// Check a file that was exported in lines of JSON instead; `-` reads standard input.
        #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
        export: Option<PathBuf>,
        #[command(flatten)]
        data: DataDir,
    },
    /// Write the log out, oldest first.
    Export {
        /// Lines of JSON, which `verify --export` checks again, or CSV for spreadsheets.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: Format,
        /// Only entries at this instant or later, RFC 3339.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Only entries before this instant, RFC 3339.
        #[arg(long)]
        to: Option<Timestamp>,
        /// The file; standard output if missing.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        data: DataDir,
    },
}

/// How entries are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines of JSON.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

pub(crate) fn run(command: &AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify { export: None, data } => {
            let found = open(data)?.verify(|_| true)?.context("the check was stopped")?;
            report(&found)
        }
        AuditCommand::Verify { export: Some(file), .. } => report(&verify_export(file)?),
        AuditCommand::Export { format, from, to, output, data } => {
            let log = open(data)?;
            let filter = Filter { from: *from, to: *to, ..Filter::default() };
            match output {
                None => write(&log, &filter, *format, &mut io::stdout().lock()),
                Some(path) => {
                    let name = || path.display().to_string();
                    let mut file = File::create(path).with_context(name)?;
                    write(&log, &filter, *format, &mut file)?;
                    file.sync_all().with_context(name)
                }
            }
        }
    }
}

fn report(found: &Verification) -> anyhow::Result<()> {
    let hash = found.hash.as_deref().unwrap_or("none");
    if let Some(broken) = &found.broken {
        if let Some(last) = found.last {
            println!("entries up to {last} are as they were written; its hash is {hash}");
        }
        anyhow::bail!("the audit log is not as it was written: {broken}");
    }
    match (found.first, found.last) {
        (Some(first), Some(last)) => println!(
            "{} entries, {first} to {last}, are as they were written; the last one's hash is {hash}",
            found.entries
        ),
        _ => println!("the audit log is empty"),
    }
    Ok(())
}

fn verify_export(file: &Path) -> anyhow::Result<Verification> {
    let name = || file.display().to_string();
    let lines: Box<dyn io::BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).with_context(name)?))
    };
    // Whoever exports from some time on has no first entry.
    let mut checker: Option<Checker> = None;
    for (index, line) in lines.lines().enumerate() {
        let line = line.with_context(name)?;
        let entry = match from_json_line(&line) {
            Ok(entry) => entry,
            Err(why) => {
                let checker = checker.unwrap_or_else(Checker::whole);
                let line = index as u64 + 1;
                return Ok(Verification::of(&checker, Some(Break::Unreadable { line, why })));
            }
        };
        let start = || if entry.number == 1 { Checker::whole() } else { Checker::part() };
        let checker = checker.get_or_insert_with(start);
        if let Err(broken) = checker.check(&entry) {
            return Ok(Verification::of(checker, Some(broken)));
        }
    }
    Ok(Verification::of(&checker.unwrap_or_else(Checker::whole), None))
}

fn write(
    log: &AuditLog,
    filter: &Filter,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if format == Format::Csv {
        writeln!(out, "{}\r", CSV_COLUMNS.join(","))?;
    }
    let mut after = Some(0);
    while let Some(number) = after {
        let page = log.oldest(filter, number, CHUNK)?;
        let mut text = Vec::new();
        for entry in &page.items {
            match format {
                Format::Jsonl => text.extend(to_json_line(entry)?.into_bytes()),
                Format::Csv => text.extend(to_csv(entry)),
            }
        }
        out.write_all(&text)?;
        after = page.next;
    }
    Ok(out.flush()?)
}

fn open(data: &DataDir) -> anyhow::Result<AuditLog> {
    Ok(AuditLog::open(state(data)?)?)
}

/// The state database of a data folder, which must be there.
pub(crate) fn state(data: &DataDir) -> anyhow::Result<Arc<StateDb>> {
    let folder: PathBuf = data.data_dir.clone().unwrap_or_else(default_data_dir);
    let path = folder.join("state.db");
    anyhow::ensure!(
        path.exists(),
        "{} is not there; give the data folder with --data-dir",
        path.display()
    );
    let state: Result<StateDb, StateError> = StateDb::open(&path);
    Ok(Arc::new(state.with_context(|| path.display().to_string())?))
}
