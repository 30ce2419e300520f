//! Addresses of resources (OGC 18-088, clause 9.2).

use crate::error::{SyntaxError, short};
use crate::model::EntityType;

const PATH: &str = "the path";
/// The most steps of an address.
const MAX_STEPS: usize = 10;

/// An address under the root of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// The way, from a set on; nothing for the service itself.
    pub steps: Vec<Step>,
    /// What of that where the way ends.
    pub tail: Tail,
}

/// A step of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it leads.
    pub target: EntityType,
    /// Whether it leads to several; not if one of them is named.
    pub many: bool,
    /// The one of them, by its id.
    pub key: Option<String>,
}

/// What of that where a way ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// The entities.
    #[default]
    Entities,
    /// Their addresses.
    Reference,
    /// A property with its name.
    Property(Vec<String>),
    /// A property as it is.
    Value(Vec<String>),
}

impl ResourcePath {
    /// Reads an address, percent-decoded, without the root of the service.
    pub fn parse(path: &str) -> Result<Self, SyntaxError> {
        let mut parsed = Self::default();
        let mut properties: Vec<String> = Vec::new();
        for (at, segment) in segments(path)? {
            let error = |message: String, hint: String| {
                Err(SyntaxError::new(PATH, (path, at), message, hint))
            };
            if matches!(parsed.tail, Tail::Reference | Tail::Value(_)) {
                return error(
                    format!("nothing is behind `{}`", short(segment)),
                    "leave it out".to_owned(),
                );
            }
            if parsed.steps.len() >= MAX_STEPS || properties.len() >= MAX_STEPS {
                return error(
                    format!("there are more than {MAX_STEPS} steps"),
                    "begin further in".to_owned(),
                );
            }
            let (name, key) = key_of(path, at, segment)?;
            let Some(last) = parsed.steps.last() else {
                let Some(target) = EntityType::of_set(name) else {
                    let sets: Vec<_> = EntityType::ALL.iter().map(|kind| kind.plural()).collect();
                    let hint = format!("there are {}", sets.join(", "));
                    return error(format!("there is no set `{}`", short(name)), hint);
                };
                parsed.steps.push(Step { target, many: key.is_none(), key });
                continue;
            };
            let (on, many) = (last.target, last.many);
            match name {
                "$ref" if properties.is_empty() && key.is_none() => parsed.tail = Tail::Reference,
                "$value" if !properties.is_empty() && key.is_none() => {
                    parsed.tail = Tail::Value(std::mem::take(&mut properties));
                }
                _ if many => {
                    let message =
                        format!("`{}` is of one {}, not of several", short(name), on.singular());
                    return error(message, format!("write {}('ID')/{}", on.plural(), short(name)));
                }
                _ if !properties.is_empty() && key.is_none() => properties.push(name.to_owned()),
                _ if on.has_property(name) && key.is_none() => properties.push(name.to_owned()),
                _ => {
                    let relation = on.relation(name).filter(|found| found.many || key.is_none());
                    let Some(relation) = relation.filter(|_| properties.is_empty()) else {
                        let message = format!("a {} has no `{}`", on.singular(), short(segment));
                        return error(message, on.names());
                    };
                    let many = relation.many && key.is_none();
                    parsed.steps.push(Step { target: relation.target, many, key });
                }
            }
        }
        if !properties.is_empty() {
            parsed.tail = Tail::Property(properties);
        }
        Ok(parsed)
    }
}

/// The parts between strokes that stand outside quotes.
fn segments(path: &str) -> Result<Vec<(usize, &str)>, SyntaxError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let (mut found, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in path.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '/' if !quoted => {
                found.push((begin, &path[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.push((begin, &path[begin..]));
    if quoted {
        let hint = "ids stand between single quotes; write one inside twice";
        return Err(SyntaxError::new(PATH, (path, begin), "a quote has no end", hint));
    }
    Ok(found)
}

/// The name of a segment and the id behind it in brackets.
fn key_of<'a>(
    path: &str,
    at: usize,
    segment: &'a str,
) -> Result<(&'a str, Option<String>), SyntaxError> {
    let Some((name, rest)) = segment.split_once('(') else { return Ok((segment, None)) };
    let inner = rest.strip_suffix(')').map(str::trim);
    let text = inner.and_then(|inner| inner.strip_prefix('\'')?.strip_suffix('\''));
    // Two quotes stand for one; a single one inside would have ended the text.
    let text = text.filter(|text| !text.replace("''", "").contains('\''));
    let number =
        inner.filter(|inner| !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit()));
    let key = text.map(|text| text.replace("''", "'")).or(number.map(str::to_owned));
    match key {
        Some(key) => Ok((name, Some(key))),
        None => {
            let message = format!("`{}` does not name one entity", short(segment));
            Err(SyntaxError::new(PATH, (path, at), message, "write ids like Things('air-1')"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(target: EntityType, many: bool, key: Option<&str>) -> Step {
        Step { target, many, key: key.map(str::to_owned) }
    }

    /// Requirement `resource-path/resource-path-to-entities`: the usages of clause 9.2.
    #[test]
    fn addresses_are_read() {
        let read = |path: &str| ResourcePath::parse(path).expect(path);
        assert_eq!(read(""), ResourcePath::default());
        assert_eq!(read("Things").steps, [step(EntityType::Thing, true, None)]);
        assert_eq!(read("Things(1)").steps, [step(EntityType::Thing, false, Some("1"))]);
        assert_eq!(
            read("Things('it''s / (x)')/Datastreams('a:b')/Observations/$ref"),
            ResourcePath {
                steps: vec![
                    step(EntityType::Thing, false, Some("it's / (x)")),
                    step(EntityType::Datastream, false, Some("a:b")),
                    step(EntityType::Observation, true, None),
                ],
                tail: Tail::Reference,
            }
        );
        assert_eq!(
            read("Observations('x')/Datastream/ObservedProperty/name").tail,
            Tail::Property(vec!["name".to_owned()])
        );
        let tail = read("Things('x')/properties/pole/$value").tail;
        assert_eq!(tail, Tail::Value(vec!["properties".to_owned(), "pole".to_owned()]));
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        for (path, named) in [
            ("Colours", "no set"),
            ("Things('x", "no end"),
            ("Things(x)", "one entity"),
            ("Things('a'b')", "no end"),
            ("Things('a'b'c')", "one entity"),
            ("Things()", "one entity"),
            ("Things/name", "of one Thing"),
            ("Things('x')/colour", "no `colour`"),
            ("Things('x')/Sensor", "no `Sensor`"),
            ("Datastreams('x')/Thing('y')", "no `Thing('y')`"),
            ("Things('x')/$value", "no `$value`"),
            ("Things/$ref/name", "nothing is behind"),
            ("Things('x')/name/$value/x", "nothing is behind"),
            ("Things//name", "of one Thing"),
        ] {
            let error = ResourcePath::parse(path).expect_err(path);
            assert!(error.message.contains(named), "{path}: {error}");
        }
        let long = format!("Things('x'){}", "/Datastreams('x')/Thing".repeat(10));
        assert!(ResourcePath::parse(&long).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(path in ".{0,120}") {
            let _ = ResourcePath::parse(&path);
        }
    }
}
