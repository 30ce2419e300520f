//! `citybrain token new`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use city_api::{NewToken, Role, Tokens};
use city_model::{Clock as _, Span};
use city_store::StateDb;
use clap::Subcommand;

use super::DataDir;
use crate::clock::SystemClock;
use crate::settings::default_data_dir;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make an access token and print it; it cannot be shown again.
    New {
        /// Whose it is, for the log of actions.
        #[arg(long)]
        user: String,
        /// viewer, operator, engineer or admin.
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// How long it is valid, such as 90d; for ever if missing.
        #[arg(long)]
        lifetime: Option<Span>,
        #[command(flatten)]
        data: DataDir,
    },
    /// List access tokens; the secrets are not kept.
    List {
        #[command(flatten)]
        data: DataDir,
    },
    /// Make an access token worthless.
    Revoke {
        /// Its number.
        id: i64,
        #[command(flatten)]
        data: DataDir,
    },
}

pub(crate) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    let now = SystemClock.now();
    match command {
        TokenCommand::New { user, role, lifetime, data } => {
            let token = NewToken { user, role: *role, note: "command line", lifetime: *lifetime };
            println!("{}", tokens(data)?.mint(&token, now)?);
        }
        TokenCommand::List { data } => {
            println!("{:<6} {:<20} {:<10} {:<28} note", "id", "user", "role", "created");
            for token in tokens(data)?.list()? {
                let state = if token.revoked_at.is_some() { " (revoked)" } else { "" };
                let created = token.created_at.to_string();
                println!(
                    "{:<6} {:<20} {:<10} {created:<28} {}{state}",
                    token.id, token.user, token.role, token.note
                );
            }
        }
        TokenCommand::Revoke { id, data } => {
            anyhow::ensure!(
                tokens(data)?.revoke(*id, now)?,
                "there is no token {id}; see `citybrain token list`"
            );
            println!("token {id} is worthless now");
        }
    }
    Ok(())
}

fn tokens(data: &DataDir) -> anyhow::Result<Tokens> {
    let folder: PathBuf = data.data_dir.clone().unwrap_or_else(default_data_dir);
    let path = folder.join("state.db");
    anyhow::ensure!(
        path.exists(),
        "{} is not there; give the data folder with --data-dir",
        path.display()
    );
    let state = StateDb::open(&path).with_context(|| path.display().to_string())?;
    Ok(Tokens::open(Arc::new(state))?)
}
