//! Problems of rule files and rule tests, located like those of a compiler.

use std::fmt;
use std::sync::Arc;

/// One problem with its place and, if there is one, the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The name of the file as it was given.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The id of the rule in which it is, if it is known.
    pub rule: Option<Arc<str>>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// All problems of a set of files, in the order of files and lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RuleProblems(pub Vec<RuleProblem>);

impl fmt::Display for RuleProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// A place in a file: line and column, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Collects the problems of one file.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) file: Arc<str>,
    /// The rule that is being read.
    pub(crate) rule: Option<Arc<str>>,
    pub(crate) problems: Vec<RuleProblem>,
}

impl Sink {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.into(), rule: None, problems: Vec::new() }
    }

    pub(crate) fn report(&mut self, at: Mark, message: impl Into<String>) {
        self.push(at, message.into(), None);
    }

    pub(crate) fn report_with(
        &mut self,
        at: Mark,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(at, message.into(), Some(hint.into()));
    }

    pub(crate) fn push(&mut self, at: Mark, message: String, hint: Option<String>) {
        self.problems.push(RuleProblem {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            rule: self.rule.clone(),
            message,
            hint,
        });
    }
}

/// The candidate that was probably meant by `word`: at most a third of its letters differ.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` for the nearest candidate, else the list of them, if it is short.
pub(crate) fn suggestion(word: &str, candidates: &[&str]) -> Option<String> {
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let listed = (1..=24).contains(&candidates.len());
    listed.then(|| format!("possible here: {}", candidates.join(", ")))
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words
/// (optimal string alignment distance).
fn edits(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_far_ones_are_not() {
        let known = ["above", "below", "clear_below", "lateness"];
        assert_eq!(nearest("abvoe", known), Some("above"));
        assert_eq!(nearest("clear_bellow", known), Some("clear_below"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn a_problem_reads_like_a_compilers() {
        let mut sink = Sink::new("air.yaml");
        sink.rule = Some("pm25-high".into());
        sink.report_with(
            Mark { line: 3, column: 5 },
            "unknown key `abvoe`",
            "did you mean `above`?",
        );
        assert_eq!(
            RuleProblems(sink.problems).to_string(),
            "air.yaml:3:5: rule `pm25-high`: unknown key `abvoe`\n  hint: did you mean `above`?"
        );
    }
}
