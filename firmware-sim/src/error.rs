//! What can be wrong with a scenario, a map or a data set.

use std::path::PathBuf;

/// Why a simulation or a replay cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// A file cannot be read.
    #[error("`{}` cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A TOML file is not of the right shape.
    #[error("{what} is not valid: {error}")]
    Syntax {
        /// Which file.
        what: String,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// The scenario says something that cannot be.
    #[error("scenario, {place}: {problem}; {hint}")]
    Scenario {
        /// Which part.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// The zones cannot be used.
    #[error("zones: {0}; a zone file is a GeoJSON FeatureCollection of polygons with a `name`")]
    Zones(String),
    /// A description of a data set says something that cannot be.
    #[error("data set `{}`, {place}: {problem}", path.display())]
    Dataset {
        /// The description.
        path: PathBuf,
        /// Which part.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A row of a data set cannot be used.
    #[error("`{}`, line {line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl SimError {
    pub(crate) fn scenario(
        place: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Scenario { place: place.into(), problem: problem.into(), hint: hint.into() }
    }
}
