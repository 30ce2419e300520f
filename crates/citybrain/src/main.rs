//! `citybrain`: parse the command line, run the command, tell what went wrong.

use std::process::ExitCode;

use citybrain::commands::{self, Cli};
use clap::Parser as _;

/// The configuration, or a file that it names, cannot be used.
const BAD_CONFIGURATION: u8 = 2;

#[allow(clippy::print_stderr)] // a command line talks
fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("citybrain: {error:#}");
            let configuration = error.is::<citybrain::settings::LoadError>()
                || error.is::<citybrain::settings::Problems>()
                || matches!(error.downcast_ref(), Some(city_rulebook::BookError::Rules(_)));
            if configuration { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}
