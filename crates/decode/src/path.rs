//! Paths into JSON: `a.b[0].c`.
//!
//! ```text
//! path  = "@" | ["$"] step { step }     "@": the row (or message) itself
//! step  = ["."] name | "[" number "]" | "[" quoted "]"
//! ```
//!
//! `$` starts at the message even where paths are relative to a row. A name that holds `.`, `[`
//! or blanks is quoted: `SDS0X1["PM2.5"]`. Indexes count from 0.

use std::fmt;

use crate::limits::MAX_DEPTH;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into an object.
    Key(Box<str>),
    /// Into an array.
    Item(usize),
}

/// A path with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Whether it starts at the message (`$`), not at the row.
    pub(crate) from_message: bool,
    pub(crate) steps: Vec<Step>,
    text: String,
}

impl Path {
    /// Reads a path; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let problem = |why: &str| {
            Err(format!("`{text}` is not a path such as a.b[0].c or a[\"b.c\"]: {why}"))
        };
        let (from_message, mut rest) = match text.strip_prefix('$') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut steps = Vec::new();
        if rest == "@" && !from_message {
            rest = "";
        } else if rest.is_empty() && !from_message {
            return problem("it is empty");
        }
        while !rest.is_empty() {
            let (step, after) = if let Some(inside) = rest.strip_prefix('[') {
                match bracket(inside) {
                    Some(step) => step,
                    None => {
                        return problem("`[` must hold a number or a quoted name and end in `]`");
                    }
                }
            } else {
                let dotted = rest.strip_prefix('.');
                if dotted.is_none() && (from_message || !steps.is_empty()) {
                    return problem("names are separated by `.`");
                }
                let name = dotted.unwrap_or(rest);
                let end = name.find(['.', '[']).unwrap_or(name.len());
                if end == 0 {
                    return problem("a name is missing");
                }
                (Step::Key(name[..end].into()), &name[end..])
            };
            steps.push(step);
            rest = after;
        }
        if steps.len() > MAX_DEPTH {
            return problem("it is too deep");
        }
        Ok(Self { from_message, steps, text: text.to_owned() })
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What follows a `[`: the step, and the rest behind `]`.
fn bracket(inside: &str) -> Option<(Step, &str)> {
    if let Some(quoted) = inside.strip_prefix('"') {
        let end = quoted.find("\"]")?;
        return Some((Step::Key(quoted[..end].into()), &quoted[end + 2..]));
    }
    let end = inside.find(']')?;
    let digits = &inside[..end];
    let plain = digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let item = if plain { digits.parse().ok()? } else { return None };
    Some((Step::Item(item), &inside[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, from_message: bool, steps: &[&str]) {
        let path = Path::parse(text).expect("a path");
        let shown: Vec<_> = path
            .steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.to_string(),
                Step::Item(item) => format!("#{item}"),
            })
            .collect();
        assert_eq!(
            (path.from_message, shown),
            (from_message, steps.iter().map(|s| (*s).to_owned()).collect()),
            "{text}"
        );
    }

    #[test]
    fn paths_are_read() {
        check("a", false, &["a"]);
        check("a.b[0].c", false, &["a", "b", "#0", "c"]);
        check("[2][1]", false, &["#2", "#1"]);
        check(r#"SDS0X1["PM2.5"].raw"#, false, &["SDS0X1", "PM2.5", "raw"]);
        check("params.switch:0.temperature", false, &["params", "switch:0", "temperature"]);
        check("温度.值", false, &["温度", "值"]);
        check("$.station.id", true, &["station", "id"]);
        check("$", true, &[]);
        check("$[3]", true, &["#3"]);
        check("@", false, &[]);
    }

    #[test]
    fn what_is_no_path_says_why() {
        for text in
            ["", ".", "a..b", "a.", "a[", "a[x]", "a[\"b]", "a[0]b", "$a", "a[-1]", "a[1234567]"]
        {
            let problem = Path::parse(text).expect_err(text);
            assert!(problem.contains("is not a path such as"), "{problem}");
        }
        assert!(Path::parse(&"a.".repeat(80)).is_err());
    }
}
