//! All findings, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::{Finding, Lang, Level};

/// Everything that was found, by check.
#[derive(Clone, Debug)]
pub struct Report {
    /// Each check with its findings.
    pub checks: Vec<(&'static str, Vec<Finding>)>,
}

impl Report {
    /// The worst of all.
    pub fn level(&self) -> Level {
        let all = self.checks.iter().flat_map(|(_, findings)| findings);
        all.map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// The exit code: 0 if all is well, 1 if something should be looked at, 2 if something must be
    /// mended.
    pub fn exit_code(&self) -> u8 {
        match self.level() {
            Level::Ok => 0,
            Level::Warn => 1,
            Level::Fail => 2,
        }
    }

    fn count(&self, level: Level) -> usize {
        let all = self.checks.iter().flat_map(|(_, findings)| findings);
        all.filter(|finding| finding.level == level).count()
    }

    /// For programs, both languages in it.
    pub fn to_json(&self) -> Value {
        let checks = self.checks.iter();
        let checks: Vec<Value> =
            checks.map(|(id, findings)| json!({ "check": id, "findings": findings })).collect();
        json!({ "level": self.level(), "checks": checks })
    }

    /// For people.
    pub fn to_text(&self, lang: Lang) -> String {
        let (labels, why, todo) = match lang {
            Lang::En => (["ok  ", "WARN", "FAIL"], "why", "do "),
            Lang::Zh => (["正常", "注意", "故障"], "原因", "处理"),
        };
        let mut text = String::new();
        for (id, findings) in &self.checks {
            for finding in findings {
                let label = match finding.level {
                    Level::Ok => labels[0],
                    Level::Warn => labels[1],
                    Level::Fail => labels[2],
                };
                // Writing to a text cannot fail.
                let what = indented(finding.what.get(lang));
                let _ = writeln!(text, "{label} {id:14} {what}");
                for (label, words) in [(why, &finding.why), (todo, &finding.todo)] {
                    if let Some(words) = words {
                        let _ = writeln!(text, "     {label}: {}", indented(words.get(lang)));
                    }
                }
            }
        }
        let (ok, warn, fail) =
            (self.count(Level::Ok), self.count(Level::Warn), self.count(Level::Fail));
        let _ = match lang {
            Lang::En => writeln!(text, "{ok} ok, {warn} to look at, {fail} to mend"),
            Lang::Zh => writeln!(text, "正常 {ok} 项，注意 {warn} 项，故障 {fail} 项"),
        };
        text
    }
}

/// Further lines under the first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n     ")
}
