//! What can go wrong with the registry.

use std::fmt;

use city_store::StateError;
use serde::Serialize;

use crate::FieldProblem;

/// A failure of the registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The state database failed.
    #[error("the registry's tables cannot be used: {0}")]
    State(#[from] StateError),
    /// Rows of an import cannot be taken; none was.
    #[error("nothing was imported: there are {} problems\n{}", .0.len(), list(.0))]
    Import(Vec<ImportProblem>),
    /// The file is not of the right shape.
    #[error("{name}: {message}\n  hint: {hint}")]
    File {
        /// The file as the person named it.
        name: String,
        /// What is wrong and where.
        message: String,
        /// How to mend it.
        hint: &'static str,
    },
    /// A kind or a department cannot be like this.
    #[error("{}", fields(.0))]
    Fields(Vec<FieldProblem>),
    /// The configuration describes it, and would do so again at the next start.
    #[error("{what} `{id}` is described in the configuration; change it there")]
    Configured {
        /// `kind` or `department`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Devices need it.
    #[error("{what} `{id}` has {devices} devices; give them another {what} first")]
    InUse {
        /// `kind` or `department`.
        what: &'static str,
        /// Its id.
        id: String,
        /// How many devices.
        devices: usize,
    },
    /// There are no more metric numbers.
    #[error("there are too many metrics already; a device seems to put a counter into their names")]
    TooManyMetrics,
}

impl From<rusqlite::Error> for RegistryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}

/// Why one device of a list cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportProblem {
    /// Its place in the list, from 1.
    pub row: usize,
    /// The line of the file where it begins, if the list came as lines.
    pub line: Option<u64>,
    /// Its id as given.
    pub device: String,
    /// The field or column, if it is one.
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, line, device, field, message, hint } = self;
        match line {
            Some(line) => write!(f, "  line {line} (`{device}`)")?,
            None => write!(f, "  device {row} (`{device}`)")?,
        }
        if let Some(field) = field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {message}\n    hint: {hint}")
    }
}

fn fields(problems: &[FieldProblem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|FieldProblem { field, message, hint }| format!("{field}: {message}; {hint}"))
        .collect();
    lines.join("\n")
}

fn list(problems: &[ImportProblem]) -> String {
    const SHOWN: usize = 20;
    let mut lines: Vec<String> = problems.iter().take(SHOWN).map(ToString::to_string).collect();
    if problems.len() > SHOWN {
        lines.push(format!("  … and {} more", problems.len() - SHOWN));
    }
    lines.join("\n")
}
