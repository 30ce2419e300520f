//! `citybrain doctor`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::DataDir;
use super::serve::runtime;
use crate::clock::SystemClock;
use crate::doctor::{Context, Lang, examine};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The configuration file; without one the defaults are looked at.
    #[arg(long, short, env = "CITYBRAIN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    data: DataDir,
    /// Connect to the receivers of alerts, too; nothing is sent to them.
    #[arg(long)]
    receivers: bool,
    /// The language of the report [default: that of the environment]
    #[arg(long)]
    lang: Option<Lang>,
    /// As JSON, in both languages.
    #[arg(long)]
    json: bool,
}

/// Looks at everything; the exit code is 0, 1 or 2.
pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let data_dir = args.data.data_dir.clone();
    let clock = Arc::new(SystemClock);
    let context = Context::read(args.config.as_deref(), data_dir, args.receivers, clock);
    let report = runtime()?.block_on(examine(&context));
    if args.json {
        println!("{:#}", report.to_json());
    } else {
        let lang = args.lang.unwrap_or_else(Lang::of_environment);
        print!("{}", report.to_text(lang));
    }
    match report.exit_code() {
        0 => Ok(()),
        code => std::process::exit(code.into()),
    }
}
