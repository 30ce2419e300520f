//! `citybrain token`: access tokens for programs, also while the program runs or does not start.

use city_api::{Grant, Grants, NewToken, Role, Tokens};
use city_audit::{AuditLog, Outcome};
use city_model::{Clock as _, Span};
use city_store::StateError;
use clap::Subcommand;
use serde_json::json;

use super::DataDir;
use crate::audited::by_operator;
use crate::clock::SystemClock;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make an access token and print it; it cannot be shown again.
    New {
        /// Whose it is, for the log of actions.
        #[arg(long)]
        user: String,
        /// viewer, operator, engineer or admin, in the whole city.
        #[arg(long, default_value = "viewer", conflicts_with = "grant")]
        role: Role,
        /// A role in a department, such as operator@environment, or in the whole city, such as
        /// viewer; several are possible.
        #[arg(long, value_name = "ROLE@DEPARTMENT")]
        grant: Vec<Grant>,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        note: String,
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
        TokenCommand::New { user, role, grant, note, lifetime, data } => {
            let grants =
                if grant.is_empty() { Grants::city(*role) } else { Grants::new(grant.clone())? };
            let token = NewToken { user, grants, note, lifetime: *lifetime };
            let (tokens, log) = open(data)?;
            let mut entry = by_operator(now, "make_token");
            entry.after = Some(json!({
                "user": user, "grants": token.grants.to_string(), "note": note,
                "lifetime_s": lifetime.map(Span::secs_f64),
            }));
            println!("{}", log.around(entry, |_| tokens.mint(&token, now))?);
        }
        TokenCommand::List { data } => {
            println!(
                "{:<6} {:<20} {:<24} {:<28} {:<28} note",
                "id", "user", "grants", "created", "used"
            );
            for token in open(data)?.0.list()? {
                let over = token.expires_at.is_some_and(|expires| expires <= now);
                let state = match (token.revoked_at, over) {
                    (Some(_), _) => " (revoked)",
                    (None, true) => " (expired)",
                    (None, false) => "",
                };
                let created = token.created_at.to_string();
                let used = token.last_used_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
                println!(
                    "{:<6} {:<20} {:<24} {created:<28} {used:<28} {}{state}",
                    token.id,
                    token.user,
                    token.grants.to_string(),
                    token.note
                );
            }
        }
        TokenCommand::Revoke { id, data } => {
            let (tokens, log) = open(data)?;
            let mut entry = by_operator(now, "revoke_token");
            entry.target = Some(id.to_string());
            let revoked = log.around(entry, |entry| {
                let revoked = tokens.revoke(*id, now)?;
                if !revoked {
                    entry.outcome = Outcome::Refused("unknown_token".to_owned());
                }
                Ok::<_, StateError>(revoked)
            })?;
            anyhow::ensure!(revoked, "there is no token {id}; see `citybrain token list`");
            println!("token {id} is worthless now");
        }
    }
    Ok(())
}

/// The tokens, and the log of what is done with them here.
fn open(data: &DataDir) -> anyhow::Result<(Tokens, AuditLog)> {
    let state = super::audit::state(data)?;
    Ok((Tokens::open(state.clone())?, AuditLog::open(state)?))
}
