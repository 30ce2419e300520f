//! `citybrain completions` and `citybrain man`: what shells and readers of manuals want, made from the
//! command line itself.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints what the shell reads to complete commands.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    // Made whole before it is printed: whoever reads may stop early.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "citybrain", &mut script);
    std::io::stdout().write_all(&script).context("the script cannot be printed")
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, such as /usr/local/share/man/man1; without it
    /// the page of `citybrain` is printed
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// Writes manual pages.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<()> {
    let Some(folder) = &args.to else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        return std::io::stdout().write_all(&page).context("the page cannot be printed");
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("the pages cannot be written into {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_and_each_shell_a_script() {
        let folder = tempfile::tempdir().expect("a folder");
        man(&ManArgs { to: Some(folder.path().to_owned()) }).expect("written");
        for page in ["citybrain.1", "citybrain-serve.1", "citybrain-rules-backtest.1"] {
            let text = std::fs::read_to_string(folder.path().join(page)).expect(page);
            assert!(text.contains(".SH SYNOPSIS"), "{page}: {text}");
        }
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "citybrain", &mut script);
            assert!(String::from_utf8_lossy(&script).contains("backtest"), "{shell}");
        }
    }
}
