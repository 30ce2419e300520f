//! Query parameters: every unknown, repeated or unreadable one is a problem that names it.

use std::fmt;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use city_model::{Span, Timestamp};
use city_store::TimeRange;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::cursor;
use crate::problem::{Answer, Problem, codes};

/// How many items a list gives unless asked.
pub(crate) const DEFAULT_LIMIT: usize = 100;
/// The most items that a list gives at once.
pub(crate) const MAX_LIMIT: usize = 1_000;

/// The query parameters of one route. Those that `IntoParams` documents are exactly those that
/// [`FromPairs::from_pairs`] takes.
pub(crate) trait FromPairs: IntoParams + Sized {
    /// Reads them.
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self>;
}

/// Extracts the query parameters of a route.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: FromPairs, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::new(codes::BAD_PARAMETER, error.body_text()))?;
        read(pairs).map(Parameters)
    }
}

pub(crate) fn read<T: FromPairs>(pairs: Vec<(String, String)>) -> Answer<T> {
    let known: Vec<String> = T::into_params(|| None).into_iter().map(|p| p.name).collect();
    for (index, (name, _)) in pairs.iter().enumerate() {
        if !known.contains(name) {
            return Err(unknown(name, &known));
        }
        if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
            let detail = format!("The parameter `{name}` is given more than once.");
            return Err(Problem::new(codes::REPEATED_PARAMETER, detail)
                .hint("Give it once; lists are separated by commas."));
        }
    }
    let mut pairs = Pairs { pairs, asked: Vec::new() };
    let read = T::from_pairs(&mut pairs)?;
    debug_assert!(
        known.iter().all(|name| pairs.asked.contains(&name.as_str()))
            && pairs.asked.iter().all(|name| known.iter().any(|known| known == name)),
        "documented {known:?}, read {:?}",
        pairs.asked
    );
    Ok(read)
}

fn unknown(name: &str, known: &[String]) -> Problem {
    let hint = if known.is_empty() {
        "This address takes no query parameters.".to_owned()
    } else {
        format!("Known parameters: {}.", known.join(", "))
    };
    Problem::new(codes::UNKNOWN_PARAMETER, format!("The parameter `{}` is not known.", short(name)))
        .hint(hint)
        .with("parameter", short(name))
}

/// A route without query parameters.
pub(crate) struct NoParameters;

impl IntoParams for NoParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

impl FromPairs for NoParameters {
    fn from_pairs(_: &mut Pairs) -> Answer<Self> {
        Ok(Self)
    }
}

/// Two sets of parameters of one route; the first is read first.
pub(crate) struct With<A, B>(pub(crate) A, pub(crate) B);

impl<A: IntoParams, B: IntoParams> IntoParams for With<A, B> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut both = A::into_params(&place);
        both.extend(B::into_params(&place));
        both
    }
}

impl<A: FromPairs, B: FromPairs> FromPairs for With<A, B> {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self(A::from_pairs(pairs)?, B::from_pairs(pairs)?))
    }
}

/// The parts of a list that commas separate; a comma after a backslash belongs to the part.
fn split(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ',' => parts.push(std::mem::take(&mut part)),
            '\\' => part.push(chars.next_if(|next| matches!(next, ',' | '\\')).unwrap_or(c)),
            c => part.push(c),
        }
    }
    parts.push(part);
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The query as names and values.
pub(crate) struct Pairs {
    pairs: Vec<(String, String)>,
    asked: Vec<&'static str>,
}

impl Pairs {
    /// A text; an empty one counts as absent.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// What stands there, also if that is nothing.
    fn given(&mut self, name: &'static str) -> Option<String> {
        self.asked.push(name);
        let index = self.pairs.iter().position(|(other, _)| other == name)?;
        Some(self.pairs.swap_remove(index).1)
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Answer<String> {
        self.text(name).ok_or_else(|| {
            Problem::new(codes::MISSING_PARAMETER, format!("The parameter `{name}` is missing."))
                .with("parameter", name)
        })
    }

    /// Anything that can be read from text.
    pub(crate) fn parse<T: FromStr>(
        &mut self,
        name: &'static str,
        example: &str,
    ) -> Answer<Option<T>>
    where
        T::Err: fmt::Display,
    {
        self.given(name)
            .map(|text| text.parse().map_err(|error| bad(name, &text, &error, example)))
            .transpose()
    }

    /// One word of several.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Answer<Option<T>> {
        self.given(name).map(|text| word(name, &text, words)).transpose()
    }

    /// Several words of several, separated by commas.
    pub(crate) fn some_of<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Answer<Vec<T>> {
        let Some(text) = self.text(name) else { return Ok(Vec::new()) };
        text.split(',').map(|part| word(name, part.trim(), words)).collect()
    }

    /// Several names, separated by commas; `\,` is a comma inside of one.
    pub(crate) fn list(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.text(name).map(|text| split(&text)).filter(|list| !list.is_empty())
    }

    /// The same, of which at least one must be there.
    pub(crate) fn required_list(&mut self, name: &'static str) -> Answer<Vec<String>> {
        self.required(name).map(|text| split(&text))
    }

    /// What is given for a parameter that somebody else reads.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Answer<Option<bool>> {
        self.one_of(name, &[("true", true), ("false", false), ("1", true), ("0", false)])
    }

    /// An instant.
    pub(crate) fn time(&mut self, name: &'static str) -> Answer<Option<Timestamp>> {
        self.parse(name, "2026-11-23T08:30:00Z")
    }

    /// `limit`, of a list that gives [`DEFAULT_LIMIT`] unless asked.
    pub(crate) fn limit(&mut self) -> Answer<usize> {
        Ok(self.given_limit()?.unwrap_or(DEFAULT_LIMIT))
    }

    /// `limit`, if it is given.
    pub(crate) fn given_limit(&mut self) -> Answer<Option<usize>> {
        let limit = self.parse("limit", "100")?;
        if let Some(limit) = limit.filter(|limit| !(1..=MAX_LIMIT).contains(limit)) {
            let why = format!("it must be 1 to {MAX_LIMIT}");
            return Err(bad("limit", &limit.to_string(), &why, "100"));
        }
        Ok(limit)
    }

    /// `cursor`, as a list gave it.
    pub(crate) fn cursor<T: DeserializeOwned + Serialize>(&mut self) -> Answer<Option<T>> {
        self.text("cursor").map(|text| cursor::decode(&text)).transpose()
    }

    /// `from` and `to`; without them the `default` span up to `now`.
    pub(crate) fn range(&mut self) -> Answer<(Option<Timestamp>, Option<Timestamp>)> {
        Ok((self.time("from")?, self.time("to")?))
    }

    /// `step`.
    pub(crate) fn step(&mut self) -> Answer<Option<Step>> {
        self.parse("step", "300, 5m or 1h")
    }
}

/// `from` and `to` with what stands in for them if they are missing.
pub(crate) fn time_range(
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    now: Timestamp,
    default: Span,
) -> Answer<TimeRange> {
    let to = to.unwrap_or(now);
    let from = from.unwrap_or_else(|| to - default);
    if from >= to {
        let detail = format!("`from` ({from}) is not before `to` ({to}).");
        return Err(Problem::new(codes::BAD_RANGE, detail)
            .hint("Give from and to as RFC 3339, from before to; to defaults to now."));
    }
    Ok(TimeRange { from, to })
}

/// The width of the steps that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// No steps: every reading.
    Raw,
    /// Whole seconds, at least one.
    Every(Span),
}

impl FromStr for Step {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "raw" {
            return Ok(Self::Raw);
        }
        let span = text
            .parse::<i64>()
            .map(Span::from_secs)
            .or_else(|_| text.parse::<Span>())
            .map_err(|_| "it must be a number of seconds, or a number with a unit, or `raw`")?;
        if span < Span::from_secs(1) || span.micros() % 1_000_000 != 0 {
            return Err("it must be whole seconds, at least one");
        }
        Ok(Self::Every(span))
    }
}

/// A parameter that cannot be read.
pub(crate) fn bad(name: &str, value: &str, why: &dyn fmt::Display, example: &str) -> Problem {
    Problem::new(
        codes::BAD_PARAMETER,
        format!("The parameter `{name}` cannot be read as `{}`: {why}.", short(value)),
    )
    .hint(format!("Example: {name}={example}"))
    .with("parameter", name)
}

fn word<T: Copy>(name: &str, text: &str, words: &[(&str, T)]) -> Answer<T> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let why = format!("it must be one of {}", names.join(", "));
    Err(bad(name, text, &why, names.first().copied().unwrap_or_default()))
}

/// The beginning of what somebody sent, for messages.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_seconds_or_spans() {
        for (text, step) in [
            ("60", Ok(Step::Every(Span::from_secs(60)))),
            ("15m", Ok(Step::Every(Span::from_mins(15)))),
            ("raw", Ok(Step::Raw)),
        ] {
            assert_eq!(text.parse::<Step>(), step, "{text}");
        }
        for bad in ["0", "-5", "1500ms", "soon", ""] {
            assert!(bad.parse::<Step>().is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas_that_have_no_backslash() {
        for (text, parts) in [
            ("a", vec!["a"]),
            ("a, b,", vec!["a", "b"]),
            (r"a\,b,c\d", vec!["a,b", r"c\d"]),
            (r"a\\,b", vec![r"a\", "b"]),
            (",", vec![]),
        ] {
            assert_eq!(split(text), parts, "{text}");
        }
    }

    #[test]
    fn a_range_that_ends_before_it_starts_is_a_problem() {
        let at = Timestamp::from_secs;
        let problem = time_range((Some(at(10)), Some(at(5))), at(20), Span::from_secs(1))
            .expect_err("swapped");
        assert_eq!(problem.code(), codes::BAD_RANGE);
        let range = time_range((None, None), at(20), Span::from_secs(5)).expect("the default");
        assert_eq!((range.from, range.to), (at(15), at(20)));
    }
}
