//! `citybrain rules check | test | backtest`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use city_rules::RuleSet;
use clap::Subcommand;

use super::backtest::BacktestArgs;
use crate::city::rule_files;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Read rule files; report every problem with its place.
    Check {
        /// Rule files, or folders with them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Try rules on the history of the running program: what would have fired, how much work that
    /// is, and how it compares with the rules in force.
    Backtest(BacktestArgs),
    /// Run rule tests: input series and the alerts that they must raise.
    Test {
        /// Test files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<()> {
    match command {
        RulesCommand::Check { paths } => check(paths),
        RulesCommand::Test { files } => test(files),
        RulesCommand::Backtest(args) => super::backtest::run(args),
    }
}

/// Names and texts of rule files and of those in folders.
pub(super) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(rule_files(path).with_context(|| path.display().to_string())?);
        } else {
            files.push((path.display().to_string(), read(path)?));
        }
    }
    // A rule may name a calendar, and those stand beside the rules.
    for path in paths.iter().filter(|path| !path.is_dir()) {
        let calendars = path.with_file_name("calendars.yaml");
        let name = calendars.display().to_string();
        if calendars.exists() && files.iter().all(|(other, _)| *other != name) {
            files.push((name, read(&calendars)?));
        }
    }
    Ok(files)
}

fn check(paths: &[PathBuf]) -> anyhow::Result<()> {
    let files = read_all(paths)?;
    match RuleSet::parse(&files) {
        Ok(rules) => {
            println!("{} rules in {} files are good", rules.rules().len(), files.len());
            Ok(())
        }
        Err(problems) => bail!("the rules have problems\n{problems}"),
    }
}

fn test(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut failed = false;
    for file in files {
        let folder = file.parent().unwrap_or(Path::new("."));
        let load =
            |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string());
        let name = file.display().to_string();
        let report = city_rules::testing::run_tests(&name, &read(file)?, &load);
        println!("{name}: {report}");
        failed |= !report.is_ok();
    }
    if failed {
        bail!("rule tests failed");
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
