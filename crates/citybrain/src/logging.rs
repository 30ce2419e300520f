//! The program's log: where it goes, in which form, and what is in it.
//!
//! One line for each thing that happened: as text for people, or as JSON for machines, with the
//! same dotted fields. It goes to standard error, where systemd's journal and containers pick it
//! up, or to a file that is begun anew each day. What is logged is set by `[log]` and, over that, by
//! the environment variable `CITYBRAIN_LOG`. Secrets are in types that do not show them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use serde::Deserialize;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::log_lines::OneLine;
use crate::settings::Problem;

/// What is logged instead, where that is set; the syntax of `tracing_subscriber`'s filters.
const VARIABLE: &str = "CITYBRAIN_LOG";

/// What the log looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// An object of JSON a line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What needs somebody.
    Error,
    /// What is odd, and what heals by itself.
    Warn,
    /// Starts, stops, logins, changes.
    #[default]
    Info,
    /// Each request too.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The part `[log]` of the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// What it looks like.
    pub format: LogFormat,
    /// How much is logged.
    pub level: LogLevel,
    /// How much of single modules, such as `city_api`; a longer name goes over a shorter one.
    pub modules: BTreeMap<String, LogLevel>,
    /// A file instead of standard error. Each day (UTC) has one of its own: `NAME.2026-11-29`.
    pub file: Option<PathBuf>,
    /// How many of those files are kept: 1 to 3,650.
    pub keep_days: u16,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            level: LogLevel::default(),
            modules: BTreeMap::new(),
            file: None,
            keep_days: 14,
        }
    }
}

impl LogSettings {
    /// What is logged, as the filter wants it.
    fn directives(&self) -> String {
        let modules = self.modules.iter();
        let modules = modules.map(|(module, level)| format!(",{module}={}", level.as_str()));
        self.level.as_str().to_owned() + &modules.collect::<String>()
    }

    /// Adds what is wrong.
    pub(crate) fn check(&self, problems: &mut Vec<Problem>) {
        for module in self.modules.keys() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
            if module.is_empty() || !module.chars().all(plain) {
                problems.push(Problem::new(
                    "log.modules",
                    format!("`{module}` is no name of a module"),
                    "write them as they stand in the log as `target`, such as city_api = \"debug\"",
                ));
            }
        }
        if !(1..=3650).contains(&self.keep_days) {
            problems.push(Problem::new(
                "log.keep_days",
                format!("it is {}", self.keep_days),
                "write how many days of files are kept, 1 to 3650",
            ));
        }
    }

    pub(crate) fn resolve_paths(&mut self, base: &Path) {
        self.file.iter_mut().for_each(|file| *file = base.join(&*file));
    }
}

/// Begins to log as the settings and the environment say.
///
/// # Errors
/// If the environment says what is no filter, or the file cannot be made.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) => EnvFilter::try_new(&text).with_context(|| {
            format!("{VARIABLE} is `{text}`; write a level or modules with levels, such as info,city_api=debug")
        })?,
        Err(_) => EnvFilter::try_new(settings.directives()).context("[log]")?,
    };
    // An error says that logging was started before, as tests do.
    let _ = match &settings.file {
        None => set(settings.format, filter, std::io::stderr),
        Some(file) => set(settings.format, filter, file_writer(file, settings.keep_days)?),
    };
    Ok(())
}

/// Also takes what libraries write by the `log` crate.
fn set<W>(format: LogFormat, filter: EnvFilter, writer: W) -> Result<(), TryInitError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    subscriber(format, filter, writer).try_init()
}

/// What writes the log in a form.
fn subscriber<W>(
    format: LogFormat,
    filter: EnvFilter,
    writer: W,
) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        LogFormat::Text => {
            let writer = OneLine::new(writer);
            let lines = lines.with_writer(writer).with_ansi(false).with_target(false);
            Box::new(lines.finish())
        }
        // JSON escapes by itself what would begin another line.
        LogFormat::Json => {
            let lines = lines.with_writer(writer).json().flatten_event(true);
            Box::new(lines.with_current_span(true).with_span_list(false).finish())
        }
    }
}

/// A file for each day.
fn file_writer(file: &Path, keep: u16) -> anyhow::Result<RollingFileAppender> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .with_context(|| format!("log.file: the folder {} cannot be made", folder.display()))?;
    let name = file.file_name().context("log.file must be the name of a file")?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(name.to_string_lossy())
        .max_log_files(usize::from(keep))
        .build(folder)
        .with_context(|| format!("log.file: nothing can be written in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(settings: &str, format: LogFormat, log: impl FnOnce()) -> String {
        let settings: LogSettings = toml::from_str(settings).expect("settings");
        let lines = Lines::default();
        let to = lines.clone();
        let filter = EnvFilter::try_new(settings.directives()).expect("a filter");
        let subscriber = subscriber(format, filter, move || to.clone());
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text")
    }

    #[test]
    fn json_has_a_line_for_each_event_with_dotted_fields_and_the_request_that_it_is_about() {
        let text = logged("", LogFormat::Json, || {
            let _request = tracing::error_span!("http", request.id = "r-1").entered();
            tracing::warn!(error.cause = %"no\nluck", http.server.duration_ms = 7, "it failed");
            tracing::debug!("not this");
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(lines[0]).expect("JSON");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "it failed");
        assert_eq!(line["error.cause"], "no\nluck");
        assert_eq!(line["http.server.duration_ms"], 7);
        assert_eq!(line["span"]["request.id"], "r-1");
        assert_eq!(line["target"], "citybrain::logging::tests");
        let at: jiff::Timestamp =
            line["timestamp"].as_str().expect("a time").parse().expect("RFC 3339");
        assert!(at.as_second() > 0);
    }

    #[test]
    fn text_is_one_line_and_says_the_request() {
        let text = logged("", LogFormat::Text, || {
            let _request = tracing::error_span!("http", request.id = "r-1").entered();
            tracing::warn!(error.cause = "no luck", "it failed");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in ["WARN", "request.id=\"r-1\"", "it failed", "error.cause=\"no luck\""] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn modules_have_levels_of_their_own() {
        let settings =
            "level = \"warn\"\n[modules]\ncitybrain = \"debug\"\n\"city_api::x\" = \"off\"";
        let text = logged(settings, LogFormat::Text, || {
            tracing::debug!("ours");
            tracing::info!(target: "city_store", "theirs");
            tracing::error!(target: "city_api::x", "silenced");
        });
        assert!(text.contains("ours"), "{text}");
        assert!(!text.contains("theirs") && !text.contains("silenced"), "{text}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, keys) in [
            ("", &[][..]),
            ("[modules]\n\"a b\" = \"info\"", &["log.modules"]),
            ("keep_days = 0", &["log.keep_days"]),
        ] {
            let settings: LogSettings = toml::from_str(text).expect("settings");
            let mut problems = Vec::new();
            settings.check(&mut problems);
            let found: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
            assert_eq!(found, keys, "{text}");
        }
        assert!(toml::from_str::<LogSettings>("fromat = \"json\"").is_err());
        assert!(toml::from_str::<LogSettings>("level = \"loud\"").is_err());
    }

    #[test]
    fn a_day_has_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = file_writer(&folder.path().join("city.log"), 3).expect("made");
        std::io::Write::write_all(&mut writer, b"line\n").expect("written");
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        assert!(names.len() == 1 && names[0].starts_with("city.log.20"), "{names:?}");
    }
}
