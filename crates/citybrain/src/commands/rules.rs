//! `citybrain rules check | test | backtest | explain | export`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use city_rulebook::{Kept, assemble};
use city_rules::{RuleSet, Setting};
use city_store::StateDb;
use clap::Subcommand;

use super::backtest::BacktestArgs;
use super::explain::ExplainArgs;
use super::rules_export::ExportArgs;
use crate::city::rule_files;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Read rule files; report every problem with its place.
    Check {
        /// Rule files, or folders with them.
        #[arg(required_unless_present = "with")]
        paths: Vec<PathBuf>,
        /// Check them together with the rule groups that the API keeps in this data folder
        #[arg(long, value_name = "FOLDER")]
        with: Option<PathBuf>,
    },
    /// Write rule groups that the API keeps as rule files, for git.
    Export(ExportArgs),
    /// Try rules on the history of the running program: what would have fired, how much work that
    /// is, and how it compares with the rules in force.
    Backtest(BacktestArgs),
    /// Say why a rule raised an alert about something at an instant, or why it did not.
    Explain(ExplainArgs),
    /// Run rule tests: input series and the alerts that they must raise.
    Test {
        /// Test files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<()> {
    match command {
        RulesCommand::Check { paths, with } => check(paths, with.as_deref()),
        RulesCommand::Export(args) => super::rules_export::run(args),
        RulesCommand::Test { files } => test(files),
        RulesCommand::Backtest(args) => super::backtest::run(args),
        RulesCommand::Explain(args) => super::explain::run(args),
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

fn check(paths: &[PathBuf], with: Option<&Path>) -> anyhow::Result<()> {
    let files = read_all(paths)?;
    let Some(data) = with else {
        let rules = RuleSet::parse(&files)
            .map_err(|problems| anyhow!("the rules have problems\n{problems}"))?;
        println!("{} rules in {} files are good", rules.len(), files.len());
        return Ok(());
    };
    let groups = kept_groups(data)?;
    let names = groups.iter().map(|group| group.name.clone()).collect();
    let texts: Vec<_> = groups.iter().map(|group| (&group.name, &*group.text)).collect();
    // Which zones and metrics there are, only the program knows that runs on the data.
    let (rules, broken) = assemble(&files, &[], &texts, &names, None, &Setting::default())
        .map_err(|problems| anyhow!("the rules have problems\n{problems}"))?;
    if !broken.is_empty() {
        let problems: Vec<String> = broken.values().map(ToString::to_string).collect();
        bail!("groups of the API would be disabled\n{}", problems.join("\n"));
    }
    let (rules, files, groups) = (rules.len(), files.len(), groups.len());
    println!("{rules} rules in {files} files and {groups} groups of the API are good");
    Ok(())
}

/// The rule groups that the API keeps in a data folder, whether the program runs on it or not.
pub(super) fn kept_groups(data: &Path) -> anyhow::Result<Vec<Kept>> {
    let path = data.join("state.db");
    if !path.exists() {
        bail!("{} is no data folder: there is no state.db in it", data.display());
    }
    Ok(city_rulebook::kept_groups(&StateDb::open(path)?)?)
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
