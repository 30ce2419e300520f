//! `citybrain codec test`: one frame through a codec, without a city around it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use city_codec::{JsCodec, Limits, Report};
use city_decode::{CodecError, Frame, built_in};
use city_model::{Timestamp, Value};
use clap::{Args, Subcommand};
use serde_json::{Map, json};

#[derive(Debug, Subcommand)]
pub(crate) enum CodecCommand {
    /// Decode example bytes, and show the values, warnings and console lines.
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// A codec file (*.js), or a built-in codec such as cayenne_lpp.
    #[arg(long, value_name = "FILE")]
    codec: PathBuf,
    /// The LoRaWAN port of the frame.
    #[arg(long, value_name = "NUMBER")]
    f_port: Option<u8>,
    /// The frame's bytes: pairs of hexadecimal digits (spaces, colons and dashes may be between
    /// them); what is not that is base64.
    #[arg(long, value_name = "HEX|BASE64", value_parser = parse_bytes)]
    bytes: std::sync::Arc<Vec<u8>>,
    /// What the script gets as input.variables, a JSON object.
    #[arg(long, value_name = "JSON")]
    variables: Option<String>,
    /// The device that the frame is said to come from.
    #[arg(long, value_name = "ID", default_value = "0000000000000000")]
    device: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &CodecCommand) -> anyhow::Result<()> {
    match command {
        CodecCommand::Test(args) => test(args),
    }
}

fn test(args: &TestArgs) -> anyhow::Result<()> {
    let (report, result, took) = decode(args)?;
    if args.json {
        print_json(&report, &result, took)?;
    } else {
        print_table(&report, took);
    }
    match result {
        Ok(()) => Ok(()),
        Err(error) => bail!("device {}: {error}\nhint: {}", args.device, error.hint),
    }
}

type Tested = (Report, Result<(), CodecError>, Duration);

fn decode(args: &TestArgs) -> anyhow::Result<Tested> {
    let received = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let frame = Frame {
        device: &args.device,
        bytes: &args.bytes,
        f_port: args.f_port,
        received: Timestamp::from_millis(received.as_millis() as i64),
    };
    if let Some(codec) = args.codec.to_str().and_then(built_in) {
        let mut report = Report::default();
        let started = Instant::now();
        let result = codec.decode_uplink(&frame, &mut report.output);
        return Ok((report, result, started.elapsed()));
    }
    let variables = variables(args.variables.as_deref())?;
    let source = std::fs::read_to_string(&args.codec)
        .with_context(|| format!("{} cannot be read", args.codec.display()))?;
    let file = args.codec.file_name().map_or(&*args.codec, Path::new).display().to_string();
    let codec = match JsCodec::new(&file, &source, &variables, Limits::default()) {
        Ok(codec) => codec,
        Err(error) => return Ok((Report::default(), Err(error), Duration::ZERO)),
    };
    // The first call of a script is slower than the ones after it.
    let _ = codec.report(&frame);
    let started = Instant::now();
    let (report, result) = codec.report(&frame);
    Ok((report, result, started.elapsed()))
}

fn variables(text: Option<&str>) -> anyhow::Result<Map<String, serde_json::Value>> {
    match text {
        None => Ok(Map::new()),
        Some(text) => serde_json::from_str(text).context("--variables is not a JSON object"),
    }
}

fn parse_bytes(text: &str) -> Result<std::sync::Arc<Vec<u8>>, String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '-')).collect();
    let plain = plain.strip_prefix("0x").unwrap_or(&plain);
    let hexadecimal = plain.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal && plain.len().is_multiple_of(2) {
        let pair = |at: usize| u8::from_str_radix(&plain[at..at + 2], 16);
        let bytes: Result<Vec<u8>, _> = (0..plain.len()).step_by(2).map(pair).collect();
        return bytes.map(Into::into).map_err(|error| error.to_string());
    }
    let bytes = STANDARD.decode(text.trim()).or_else(|_| STANDARD_NO_PAD.decode(text.trim()));
    bytes.map(Into::into).map_err(|_| "neither pairs of hexadecimal digits nor base64".to_owned())
}

fn print_table(report: &Report, took: Duration) {
    let values = &report.output.values;
    let width = values.iter().map(|value| value.name.chars().count()).max().unwrap_or_default();
    for value in values {
        let unit = value.unit.as_deref().unwrap_or_default();
        println!("{:width$}  {} {unit}", value.name, shown(&value.value));
    }
    if let Some((lon, lat)) = report.output.position {
        println!("position: longitude {lon}, latitude {lat}");
    }
    for name in &report.not_finite {
        println!("left out: {name} is not a number");
    }
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    for line in &report.console {
        println!("console: {line}");
    }
    println!("{} values in {} µs", values.len(), took.as_micros());
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Text(text) => format!("{:?}", &**text),
    }
}

fn print_json(
    report: &Report,
    result: &Result<(), CodecError>,
    took: Duration,
) -> anyhow::Result<()> {
    let values: Vec<_> = report
        .output
        .values
        .iter()
        .map(|value| json!({"name": value.name, "value": value.value, "unit": value.unit}))
        .collect();
    let error = result
        .as_ref()
        .err()
        .map(|error| json!({"at": error.at, "message": error.message, "hint": error.hint}));
    let all = json!({
        "values": values,
        "position": report.output.position.map(|(lon, lat)| json!({"lon": lon, "lat": lat})),
        "not_finite": report.not_finite,
        "warnings": report.warnings,
        "console": report.console,
        "microseconds": took.as_micros() as u64,
        "error": error,
    });
    println!("{}", serde_json::to_string_pretty(&all)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_in_either_notation() {
        for text in ["0367 0118", "03:67:01:18", "03-67-01-18", "0x03670118", "A2cBGA=="] {
            assert_eq!(parse_bytes(text).map(|bytes| bytes.to_vec()), Ok(vec![3, 103, 1, 24]));
        }
        let unpadded = parse_bytes("A2cYAQ").map(|bytes| bytes.to_vec());
        assert_eq!(unpadded, Ok(vec![3, 103, 24, 1]));
        assert_eq!(parse_bytes("").map(|bytes| bytes.len()), Ok(0));
        assert!(parse_bytes("037").is_err() && parse_bytes("§").is_err());
    }

    #[test]
    fn a_file_and_a_built_in_codec_are_tried_alike() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.js");
        let source = "function decodeUplink(i) {
            console.log('port', i.fPort);
            if (i.fPort === 2) return {errors: ['no']};
            return {data: {x: i.bytes[0] * i.variables.k, y: NaN}, warnings: ['w']}; }";
        std::fs::write(&file, source).expect("written");
        let args = |codec: &Path, f_port| TestArgs {
            codec: codec.to_owned(),
            f_port: Some(f_port),
            bytes: std::sync::Arc::new(vec![3, 103, 1, 16]),
            variables: Some("{\"k\": 2}".to_owned()),
            device: "d".to_owned(),
            json: false,
        };
        let (report, result, _) = decode(&args(&file, 1)).expect("tried");
        assert_eq!(result, Ok(()));
        assert_eq!(report.output.values[0].value, Value::from(6.0));
        assert_eq!((report.not_finite, report.warnings), (vec!["y".into()], vec!["w".into()]));
        assert_eq!(report.console, ["port 1"]);
        let error = test(&args(&file, 2)).expect_err("it says no").to_string();
        assert!(error.contains("device d: x.js: it says: no"), "{error}");
        let (report, result, _) = decode(&args(Path::new("cayenne_lpp"), 1)).expect("tried");
        assert_eq!(result, Ok(()));
        assert_eq!(report.output.values[0].name, "temperature_3");
        assert!(decode(&args(&folder.path().join("nothing.js"), 1)).is_err());
        let mut bad = args(&file, 1);
        bad.variables = Some("[]".to_owned());
        assert!(decode(&bad).is_err());
    }
}
