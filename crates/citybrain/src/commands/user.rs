//! `citybrain user`: people who log in, also while the program runs or does not start.
//!
//! Passwords come from the terminal, unseen, or from standard input; never from the command line,
//! which others on the machine can read.

use std::io::{BufRead as _, IsTerminal as _};

use city_api::{Grant, Grants, NewPassword, User, UserEntry, UserError, Users, check_user_id};
use city_audit::AuditLog;
use city_model::Clock as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::DataDir;
use crate::audited::by_operator;
use crate::clock::SystemClock;

/// Who changes users from the command line, in what is kept about them.
const BY: &str = "command line";

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add somebody; asks for a password, which must be changed at the first login.
    Add {
        #[command(flatten)]
        who: Who,
        /// What people call them; the id if missing.
        #[arg(long)]
        name: Option<String>,
        /// Their e-mail address.
        #[arg(long)]
        email: Option<String>,
        /// A role in a department, such as operator@environment, or in the whole city, such as
        /// admin; several are possible.
        #[arg(long, value_name = "ROLE@DEPARTMENT", required = true)]
        grant: Vec<Grant>,
    },
    /// List who can log in, and what they may do.
    List {
        #[command(flatten)]
        data: DataDir,
    },
    /// Say anew what somebody may do; they are logged out everywhere.
    Grant {
        #[command(flatten)]
        who: Who,
        /// A role in a department, such as operator@environment, or in the whole city, such as
        /// admin; several are possible. None takes all away.
        #[arg(value_name = "ROLE@DEPARTMENT")]
        grant: Vec<Grant>,
    },
    /// Do not let somebody log in any more; they are logged out everywhere, and their tokens rest.
    Disable(Who),
    /// Let somebody log in again.
    Enable(Who),
    /// Give somebody another password, which must be changed at the next login.
    Password(Who),
    /// Forget somebody, with sessions and tokens.
    Remove(Who),
}

#[derive(Debug, Args)]
pub(crate) struct Who {
    /// What they log in with: small letters, digits and .-_@+
    id: String,
    #[command(flatten)]
    data: DataDir,
}

impl Who {
    fn users(&self) -> anyhow::Result<Users> {
        Ok(Users::open(self.data.state()?)?)
    }

    /// Does something to somebody, and says so in the audit log.
    fn recorded<T>(
        &self,
        action: &str,
        after: serde_json::Value,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut entry = by_operator(SystemClock.now(), action);
        entry.target = Some(self.id.clone());
        entry.before = self.users()?.get(&self.id)?.map(|user| shown(&user));
        entry.after = Some(after);
        AuditLog::open(self.data.state()?)?.around(entry, |_| work())
    }

    /// Changes somebody who is there.
    fn change(&self, change: impl FnOnce(&mut UserEntry)) -> anyhow::Result<User> {
        let entry = |before: Option<&User>| {
            let before = before.ok_or_else(|| UserError::Unknown(self.id.clone()))?;
            let mut entry = UserEntry {
                name: before.name.clone(),
                email: before.email.clone(),
                grants: before.grants.clone(),
                enabled: before.enabled,
                password: None,
            };
            change(&mut entry);
            Ok::<_, UserError>(entry)
        };
        Ok(self.users()?.put(&self.id, BY, SystemClock.now(), entry)?.0)
    }
}

pub(crate) fn run(command: &UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add { who, name, email, grant } => {
            add(who, name.as_deref(), email.as_deref(), grant)?;
        }
        UserCommand::List { data } => list(&Users::open(data.state()?)?)?,
        UserCommand::Grant { who, grant } => {
            let grants = Grants::new(grant.clone())?;
            let after = json!({ "grants": grants });
            let user =
                who.recorded("put_user", after, || who.change(|entry| entry.grants = grants))?;
            println!("{} has {} now", user.id, user.grants);
        }
        UserCommand::Disable(who) => {
            let after = json!({ "enabled": false });
            who.recorded("put_user", after, || who.change(|entry| entry.enabled = false))?;
            println!("{} cannot log in any more", who.id);
        }
        UserCommand::Enable(who) => {
            let after = json!({ "enabled": true });
            who.recorded("put_user", after, || who.change(|entry| entry.enabled = true))?;
            println!("{} can log in again", who.id);
        }
        UserCommand::Password(who) => {
            let users = who.users()?;
            let user = users.get(&who.id)?.ok_or_else(|| UserError::Unknown(who.id.clone()))?;
            let password = NewPassword::new(&ask_password(&who.id)?, &user.id, &user.name)?;
            who.recorded("put_user", json!({ "sets_password": true }), || {
                Ok(users.set_password(&user.id, &password, true)?)
            })?;
            println!("{} logs in with the new password, and must change it then", user.id);
        }
        UserCommand::Remove(who) => {
            who.recorded("delete_user", serde_json::Value::Null, || {
                let users = who.users()?;
                Ok(users.remove::<UserError>(&who.id, SystemClock.now(), |_| Ok(()))?)
            })?;
            println!("{} is forgotten", who.id);
        }
    }
    Ok(())
}

/// Somebody for the audit log.
fn shown(user: &User) -> serde_json::Value {
    json!({ "name": user.name, "email": user.email, "grants": user.grants, "enabled": user.enabled })
}

fn add(who: &Who, name: Option<&str>, email: Option<&str>, grant: &[Grant]) -> anyhow::Result<()> {
    check_user_id(&who.id).map_err(|problem| UserError::Fields(vec![problem]))?;
    let grants = Grants::new(grant.to_vec())?;
    let users = who.users()?;
    anyhow::ensure!(
        users.get(&who.id)?.is_none(),
        "there is a user `{}` already; see `citybrain user list`",
        who.id
    );
    let name = name.unwrap_or(&who.id).to_owned();
    let password = NewPassword::new(&ask_password(&who.id)?, &who.id, &name)?;
    let email = email.map(str::to_owned);
    let entry = UserEntry { name, email, grants, enabled: true, password: Some(password) };
    let after = json!({ "name": entry.name, "email": entry.email, "grants": entry.grants });
    let add = |_: Option<&User>| Ok::<_, UserError>(entry);
    let (user, _) =
        who.recorded("put_user", after, || Ok(users.put(&who.id, BY, SystemClock.now(), add)?))?;
    println!("{} has {}, and must change the password at the first login", user.id, user.grants);
    Ok(())
}

fn list(users: &Users) -> anyhow::Result<()> {
    println!("{:<20} {:<24} {:<10} {:<28} grants", "id", "name", "state", "last login");
    for user in users.list()? {
        let state = if user.enabled { "enabled" } else { "disabled" };
        let seen = user.last_login_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        println!("{:<20} {:<24} {state:<10} {seen:<28} {}", user.id, user.name, user.grants);
    }
    Ok(())
}

/// A password: typed twice and unseen, or the first line of standard input.
fn ask_password(user: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        anyhow::ensure!(!password.is_empty(), "there is no password on standard input");
        return Ok(password);
    }
    let terminal = console::Term::stderr();
    let ask = |what: &str| -> anyhow::Result<String> {
        terminal.write_str(what)?;
        Ok(terminal.read_secure_line()?)
    };
    let password = ask(&format!("Password for {user}: "))?;
    anyhow::ensure!(ask("The same again: ")? == password, "the two are not the same; try again");
    Ok(password)
}
