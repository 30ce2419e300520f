//! `citybrain credentials`: how devices prove who they are; through the running program.

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::DataDir;
use super::client::{Client, path_part};

/// As many tokens are asked for at once.
const TOKENS_AT_ONCE: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialsCommand {
    /// List clients with their credentials; secrets are not kept.
    List {
        #[command(flatten)]
        data: DataDir,
    },
    /// Make tokens and print them as `name,token`; they cannot be shown again.
    Token {
        /// The clients: ids of devices, or names of gateways.
        #[arg(required_unless_present = "kind")]
        names: Vec<String>,
        /// All devices of this kind.
        #[arg(long, conflicts_with = "names")]
        kind: Option<String>,
        /// What they are for.
        #[arg(long, default_value = "command line")]
        note: String,
        #[command(flatten)]
        data: DataDir,
    },
    /// Give a client the password that is read from standard input.
    Password {
        /// The client.
        name: String,
        #[command(flatten)]
        data: DataDir,
    },
    /// Let a client show a certificate.
    Certificate {
        /// The client.
        name: String,
        /// Its common name, or sha256: and its fingerprint.
        identity: String,
        #[command(flatten)]
        data: DataDir,
    },
    /// Say all that a client may do, such as a gateway that speaks for several devices.
    Rights {
        /// The client.
        name: String,
        /// A device that it speaks for; may be repeated. Without one it speaks for its own name.
        #[arg(long = "device")]
        devices: Vec<String>,
        /// It speaks for all devices.
        #[arg(long, conflicts_with = "devices")]
        any_device: bool,
        /// A topic filter that it may publish to; may be repeated.
        #[arg(long = "publish")]
        publish: Vec<String>,
        #[command(flatten)]
        data: DataDir,
    },
    /// Keep a client from connecting; its rights and credentials stay as they are.
    Disable {
        /// The client.
        name: String,
        #[command(flatten)]
        data: DataDir,
    },
    /// Let a client connect again.
    Enable {
        /// The client.
        name: String,
        #[command(flatten)]
        data: DataDir,
    },
    /// Make one credential worthless, or without a number the client with all of them.
    Revoke {
        /// The client.
        name: String,
        /// The credential's number.
        id: Option<i64>,
        #[command(flatten)]
        data: DataDir,
    },
}

pub(crate) fn run(command: &CredentialsCommand) -> anyhow::Result<()> {
    let of = |name: &str| format!("/api/v1/credentials/{}", path_part(name));
    match command {
        CredentialsCommand::List { data } => list(&Client::connect(data)?),
        CredentialsCommand::Token { names, kind, note, data } => {
            let client = Client::connect(data)?;
            match kind {
                Some(kind) => tokens(&client, &devices_of(&client, kind)?, note),
                None => tokens(&client, names, note),
            }
        }
        CredentialsCommand::Password { name, data } => {
            let mut password = String::new();
            std::io::stdin().lock().read_line(&mut password).context("no password came in")?;
            let password = password.trim_end_matches(['\r', '\n']);
            let body = json!({ "password": password, "note": "command line" });
            Client::connect(data)?.put(&format!("{}/password", of(name)), &body)?;
            println!("{name} has the password now");
            Ok(())
        }
        CredentialsCommand::Certificate { name, identity, data } => {
            let body = json!({ "identity": identity, "note": "command line" });
            Client::connect(data)?.post(&format!("{}/certificates", of(name)), &body)?;
            println!("{name} may show the certificate now");
            Ok(())
        }
        CredentialsCommand::Rights { name, devices, any_device, publish, data } => {
            let devices = (!devices.is_empty()).then_some(devices);
            let body = json!({ "devices": devices, "any_device": any_device, "publish": publish });
            let client = Client::connect(data)?.replace(&of(name), &body)?;
            println!("{name} {}", rights(&client));
            Ok(())
        }
        CredentialsCommand::Disable { name, data } => {
            Client::connect(data)?
                .put(&format!("{}/enabled", of(name)), &json!({ "enabled": false }))?;
            println!("{name} may not connect any more");
            Ok(())
        }
        CredentialsCommand::Enable { name, data } => {
            let path = format!("{}/enabled", of(name));
            let client = Client::connect(data)?.put(&path, &json!({ "enabled": true }))?;
            println!("{name} may connect; it {}", rights(&client));
            Ok(())
        }
        CredentialsCommand::Revoke { name, id, data } => {
            let path = id.map_or_else(|| of(name), |id| format!("{}/{id}", of(name)));
            Client::connect(data)?.delete(&path, &[])?;
            match id {
                Some(id) => println!("credential {id} of {name} is worthless now"),
                None => println!("{name} and all its credentials are forgotten"),
            }
            Ok(())
        }
    }
}

/// What a client may do, as the API shows it, in words.
fn rights(client: &Value) -> String {
    let list = |member: &str| -> Vec<&str> {
        client[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let devices = match &client["devices"] {
        _ if client["any_device"] == true => "all devices".to_owned(),
        Value::Array(_) => list("devices").join(", "),
        _ => "itself".to_owned(),
    };
    let publish = match list("publish")[..] {
        [] if client["any_device"] == true => "every topic".to_owned(),
        [] => "the topics that name its devices".to_owned(),
        ref topics => topics.join(", "),
    };
    format!("speaks for {devices} and publishes to {publish}")
}

fn list(client: &Client) -> anyhow::Result<()> {
    let mut shown = 0;
    client.pages("/api/v1/credentials", &[], |one| {
        shown += 1;
        let state = if one["enabled"] == true { "" } else { " (disabled)" };
        let devices = match &one["devices"] {
            _ if one["any_device"] == true => "all devices".to_owned(),
            Value::Array(devices) => format!("{} devices", devices.len()),
            _ => "itself".to_owned(),
        };
        println!("{}{state}: speaks for {devices}", one["name"].as_str().unwrap_or_default());
        for credential in one["credentials"].as_array().into_iter().flatten() {
            let text = |member: &str| credential[member].as_str().unwrap_or_default();
            let used = credential["last_used_at"].as_str().unwrap_or("never");
            println!(
                "    {:>6}  {:<12} {}{} (last used: {used})",
                credential["id"].to_string(),
                text("proof"),
                text("identity"),
                text("note"),
            );
        }
    })?;
    if shown == 0 {
        println!("there are no credentials");
    }
    Ok(())
}

fn devices_of(client: &Client, kind: &str) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    client.pages("/api/v1/devices", &[("kind", kind)], |device| {
        ids.extend(device["id"].as_str().map(str::to_owned));
    })?;
    anyhow::ensure!(!ids.is_empty(), "there is no device of the kind `{kind}`");
    Ok(ids)
}

fn tokens(client: &Client, names: &[String], note: &str) -> anyhow::Result<()> {
    for names in names.chunks(TOKENS_AT_ONCE) {
        let made =
            client.post("/api/v1/device-tokens", &json!({ "clients": names, "note": note }))?;
        for token in made["items"].as_array().into_iter().flatten() {
            let text = |member: &str| token[member].as_str().unwrap_or_default();
            println!("{},{}", cell(text("client")), text("token"));
        }
    }
    Ok(())
}

/// A name as a cell of CSV.
fn cell(name: &str) -> String {
    if name.contains([',', '"']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}
