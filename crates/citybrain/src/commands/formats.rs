//! `citybrain formats`: the payload formats, each with an example, and a try at a message.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use city_decode::{Decoded, FORMATS, Format, Message, format};
use city_model::{Clock as _, Value};
use clap::Args;

use crate::clock::SystemClock;

#[derive(Debug, Args)]
pub(crate) struct FormatsArgs {
    /// A format; all are listed without
    name: Option<String>,
    /// Decode this message (`-` reads it from standard input) and print its values
    #[arg(long = "try", value_name = "FILE", requires = "name")]
    message: Option<PathBuf>,
    /// The source's options, as the TOML of [source.options] or as JSON; else those of the example
    #[arg(long, value_name = "FILE", requires = "message")]
    options: Option<PathBuf>,
    /// The topic on which the message comes; else that of the example
    #[arg(long, requires = "message")]
    topic: Option<String>,
}

pub(crate) fn run(args: &FormatsArgs) -> anyhow::Result<()> {
    let Some(name) = args.name.as_deref() else {
        for format in FORMATS {
            println!("{:<16} {}", format.name(), format.summary());
            println!("{:<16} {}", "", format.summary_zh());
        }
        println!("\n`citybrain formats NAME` shows an example.");
        return Ok(());
    };
    let format = format(name).ok_or_else(|| {
        let known: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        anyhow!("there is no format `{name}`; there are {}", known.join(", "))
    })?;
    let example = format.example();
    let topic = args.topic.as_deref().unwrap_or(example.topic);
    let options = match &args.options {
        Some(file) => read_options(file)?,
        None => serde_json::from_str(example.options)?,
    };
    let payload = if let Some(file) = &args.message {
        read_message(file)?
    } else {
        println!("{}\n{}\n", format.summary(), format.summary_zh());
        println!(
            "topic    {}\noptions  {}\npayload  {}\n",
            example.topic, example.options, example.payload
        );
        example.bytes()
    };
    try_message(format, &options, topic, &payload)
}

fn try_message(
    format: &dyn Format,
    options: &serde_json::Value,
    topic: &str,
    payload: &[u8],
) -> anyhow::Result<()> {
    let decoder = format.compile(options)?;
    let message = Message::new(topic, payload, SystemClock.now());
    let mut values = Vec::new();
    if let Err(error) = decoder.decode(&message, &mut values) {
        bail!("{}\n  hint: {}", error.detail(), error.hint);
    }
    if values.is_empty() {
        println!("the message is understood; nothing in it is a value");
    }
    for value in &values {
        println!("{}", line(value));
    }
    Ok(())
}

/// One value with all that is known of it.
fn line(decoded: &Decoded<'_>) -> String {
    use std::fmt::Write as _;

    let value = match &decoded.value {
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Text(text) => format!("{text:?}"),
    };
    let unit = decoded.unit.as_deref().unwrap_or_default();
    let mut line = format!("{:<28} {value} {unit}", decoded.metric);
    let mut add = |name: &str, what: Option<String>| {
        if let Some(what) = what {
            let _ = write!(line, "  {name}={what}"); // writing to a text cannot fail
        }
    };
    add("device", decoded.device.as_deref().map(str::to_owned));
    add("time", decoded.time.map(|time| time.to_string()));
    add("position", decoded.position.map(|(lon, lat)| format!("{lon},{lat}")));
    add("sequence", decoded.sequence.map(|number| number.to_string()));
    add("gateway", decoded.gateway.as_deref().map(str::to_owned));
    add("quality", decoded.quality.map(|quality| format!("{quality:?}")));
    add("missing", decoded.missing.then(|| "true".to_owned()));
    add("simulated", decoded.simulated.then(|| "true".to_owned()));
    line
}

fn read_message(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn read_options(file: &PathBuf) -> anyhow::Result<serde_json::Value> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", file.display()));
    }
    toml::from_str(&text).with_context(|| format!("{} is not TOML", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_can_be_tried() {
        for format in FORMATS {
            let args = FormatsArgs {
                name: Some(format.name().to_owned()),
                message: None,
                options: None,
                topic: None,
            };
            run(&args).unwrap_or_else(|error| panic!("{}: {error}", format.name()));
        }
    }

    #[test]
    fn what_cannot_be_decoded_says_why() {
        let format = format("senml").expect("there");
        let failed = try_message(format, &serde_json::json!({}), "t", b"[").expect_err("not SenML");
        assert!(failed.to_string().contains("hint"), "{failed}");
        let args =
            FormatsArgs { name: Some("morse".into()), message: None, options: None, topic: None };
        assert!(run(&args).expect_err("unknown").to_string().contains("line_protocol"));
    }
}
