//! What a check found, in both languages.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warn,
    /// It does not work, or will soon not.
    Fail,
}

/// A language of the reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// That of the environment: `LC_ALL`, `LC_MESSAGES`, `LANG`, the first that says something.
    pub(crate) fn of_environment() -> Self {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(std::env::var_os);
        let first = said.into_iter().find(|value| !value.is_empty());
        let is_zh = first.is_some_and(|value| value.to_string_lossy().starts_with("zh"));
        if is_zh { Self::Zh } else { Self::En }
    }
}

/// The same in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Words {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Words {
    /// In one of them.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// The same in both languages; both formats take the same arguments.
macro_rules! words {
    ($en:literal, $zh:literal $(, $argument:expr)* $(,)?) => {
        $crate::doctor::finding::Words {
            en: format!($en $(, $argument)*),
            zh: format!($zh $(, $argument)*),
        }
    };
}
pub(super) use words;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What is so.
    pub what: Words,
    /// Why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Words>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<Words>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(what: Words) -> Self {
        Self { level: Level::Ok, what, why: None, todo: None }
    }

    /// It should be looked at.
    pub(super) fn warn(what: Words, why: Words, todo: Words) -> Self {
        Self { level: Level::Warn, what, why: Some(why), todo: Some(todo) }
    }

    /// It must be mended.
    pub(super) fn fail(what: Words, why: Words, todo: Words) -> Self {
        Self { level: Level::Fail, ..Self::warn(what, why, todo) }
    }

    /// The same with another level.
    pub(super) fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }
}
