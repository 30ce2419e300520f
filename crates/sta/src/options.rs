//! Query options (OGC 18-088, clause 9.3.3).

use crate::ast::Expr;
use crate::error::{SyntaxError, short};
use crate::model::{EntityType, Relation};
use crate::parse;

/// How deep expansions may stand inside each other.
const MAX_DEPTH: usize = 5;
/// The most expansions of a request.
const MAX_EXPANDS: usize = 64;
/// The longest option, in bytes.
const MAX_BYTES: usize = 16_384;

/// What is asked for of a set or of one entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Which entities.
    pub filter: Option<Expr>,
    /// Which related entities are told along.
    pub expand: Vec<Expand>,
    /// Which properties; all if nothing is said.
    pub select: Option<Vec<String>>,
    /// In which order.
    pub order_by: Vec<OrderBy>,
    /// How many at most.
    pub top: Option<usize>,
    /// How many are left out at the beginning.
    pub skip: usize,
    /// Where to go on, as an address of a next page says.
    pub skip_token: Option<String>,
    /// Whether it is said how many there are in all.
    pub count: bool,
    /// How the answer is written.
    pub format: ResultFormat,
    /// The options as they were given, for the address of the next page.
    pub given: Vec<(String, String)>,
}

/// Related entities that are told along.
#[derive(Clone, Debug, PartialEq)]
pub struct Expand {
    /// The way to them.
    pub relation: Relation,
    /// What of them.
    pub options: Options,
}

/// By what a list is ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// By this.
    pub by: Expr,
    /// Whether the last comes first.
    pub descending: bool,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultFormat {
    /// An object for each entity.
    #[default]
    Default,
    /// Rows of values (clause 12.2.2).
    DataArray,
}

impl Options {
    /// Reads the options of a request for entities of this kind.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        on: EntityType,
        pairs: &[(N, V)],
    ) -> Result<Self, SyntaxError> {
        let mut expands = 0;
        let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        Self::read(on, pairs.collect(), 0, &mut expands)
    }

    fn read(
        on: EntityType,
        pairs: Vec<(&str, &str)>,
        depth: usize,
        expands: &mut usize,
    ) -> Result<Self, SyntaxError> {
        let mut options = Self::default();
        for (name, value) in pairs {
            if options.given.iter().any(|(earlier, _)| earlier == name) {
                return Err(SyntaxError::new(
                    name,
                    (value, 0),
                    "it is given twice",
                    "give it once",
                ));
            }
            if value.len() > MAX_BYTES {
                let message = format!("it is longer than {MAX_BYTES} bytes");
                return Err(SyntaxError::new(name, (value, 0), message, "ask for less at a time"));
            }
            options.given.push((name.to_owned(), value.to_owned()));
            options.take(on, (name, value), depth, expands)?;
        }
        Ok(options)
    }

    fn take(
        &mut self,
        on: EntityType,
        (name, value): (&str, &str),
        depth: usize,
        expands: &mut usize,
    ) -> Result<(), SyntaxError> {
        match name {
            "$filter" => self.filter = Some(parse::filter(name, value, on)?),
            "$expand" => self.expand = expand(value, on, depth, expands)?,
            "$select" => self.select = Some(select(value, on)?),
            "$orderby" => self.order_by = order_by(value, on)?,
            "$top" => self.top = Some(number(name, value)?),
            "$skip" => self.skip = number(name, value)?,
            "$skiptoken" if depth == 0 => self.skip_token = Some(value.to_owned()),
            "$count" => {
                self.count = match value.trim() {
                    "true" => true,
                    "false" => false,
                    _ => {
                        let message = format!("`{}` is neither true nor false", short(value));
                        return Err(SyntaxError::new(name, (value, 0), message, "$count=true"));
                    }
                }
            }
            "$resultFormat" if depth == 0 => {
                self.format = match value.trim() {
                    "dataArray" if on == EntityType::Observation => ResultFormat::DataArray,
                    "default" | "" => ResultFormat::Default,
                    _ => {
                        let message = format!("there is no format `{}` here", short(value));
                        let hint = "dataArray is for Observations";
                        return Err(SyntaxError::new(name, (value, 0), message, hint));
                    }
                }
            }
            _ => {
                let hint = "there are $filter, $expand, $select, $orderby, $top, $skip, $count and, \
                            for Observations, $resultFormat";
                let message = format!("there is no option `{}`", short(name));
                return Err(SyntaxError::new(&short(name), (value, 0), message, hint));
            }
        }
        Ok(())
    }
}

fn number(name: &str, value: &str) -> Result<usize, SyntaxError> {
    let fits = |number: &u64| u32::try_from(*number).is_ok();
    value.trim().parse().ok().filter(fits).map(|number| number as usize).ok_or_else(|| {
        let message = format!("`{}` is no number of entities", short(value));
        SyntaxError::new(name, (value, 0), message, "write a whole number from 0 on")
    })
}

fn select(value: &str, on: EntityType) -> Result<Vec<String>, SyntaxError> {
    let mut names = Vec::new();
    for (at, part) in pieces("$select", value, ',')? {
        let name = part.trim();
        if name == "*" {
            names.extend(["id", "selfLink"].map(str::to_owned));
            names.extend(on.properties().iter().map(|name| (*name).to_owned()));
            continue;
        }
        if !on.has_property(name) && on.relation(name).is_none() {
            let message = format!("a {} has no `{}`", on.singular(), short(name));
            return Err(SyntaxError::new("$select", (value, at), message, on.names()));
        }
        names.push(name.trim_start_matches("@iot.").to_owned());
    }
    Ok(names)
}

fn order_by(value: &str, on: EntityType) -> Result<Vec<OrderBy>, SyntaxError> {
    let mut list = Vec::new();
    for (at, part) in pieces("$orderby", value, ',')? {
        let part = part.trim();
        let (by, descending) = match part.rsplit_once(char::is_whitespace) {
            Some((by, word)) if word.eq_ignore_ascii_case("asc") => (by.trim(), false),
            Some((by, word)) if word.eq_ignore_ascii_case("desc") => (by.trim(), true),
            _ => (part, false),
        };
        let plain = by.chars().all(|c| c.is_alphanumeric() || "_.@/".contains(c));
        let by = if plain {
            Expr::Path(parse::property("$orderby", (value, at), by, on)?)
        } else {
            parse::filter("$orderby", by, on)?
        };
        list.push(OrderBy { by, descending });
    }
    Ok(list)
}

/// Reads `Datastreams($top=1;$expand=…),Locations/HistoricalLocations`.
fn expand(
    value: &str,
    on: EntityType,
    depth: usize,
    expands: &mut usize,
) -> Result<Vec<Expand>, SyntaxError> {
    let error = |at, message: String, hint: &str| {
        Err(SyntaxError::new("$expand", (value, at), message, hint))
    };
    if depth >= MAX_DEPTH {
        return error(
            0,
            format!("it is deeper than {MAX_DEPTH} levels"),
            "follow the links instead",
        );
    }
    let mut list: Vec<Expand> = Vec::new();
    for (at, part) in pieces("$expand", value, ',')? {
        *expands += 1;
        if *expands > MAX_EXPANDS {
            return error(
                at,
                format!("there are more than {MAX_EXPANDS}"),
                "follow the links instead",
            );
        }
        let part = part.trim();
        let end = part.find(['(', '/']).unwrap_or(part.len());
        let (name, rest) = (part[..end].trim(), &part[end..]);
        let Some(relation) = on.relation(name) else {
            let message = format!("nothing leads from a {} to `{}`", on.singular(), short(name));
            return error(at, message, &on.names());
        };
        let options = if let Some(deeper) = rest.strip_prefix('/') {
            // `A/B` is short for `A($expand=B)`.
            let pairs = vec![("$expand", deeper)];
            Options::read(relation.target, pairs, depth + 1, expands)?
        } else if let Some(inner) = rest.strip_prefix('(') {
            let Some(inner) = inner.strip_suffix(')') else {
                return error(at, "a `)` is missing".to_owned(), "brackets come in pairs");
            };
            let mut pairs = Vec::new();
            for (_, option) in pieces("$expand", inner, ';')? {
                let Some((name, value)) = option.split_once('=') else {
                    let message = format!("`{}` is no option", short(option));
                    return error(at, message, "write options like $top=5, with ; between them");
                };
                pairs.push((name.trim(), value));
            }
            Options::read(relation.target, pairs, depth + 1, expands)?
        } else {
            Options::default()
        };
        match list.iter_mut().find(|earlier| earlier.relation == relation) {
            // `A/B,A/C` is `A($expand=B,C)`.
            Some(earlier) => earlier.options.expand.extend(options.expand),
            None => list.push(Expand { relation, options }),
        }
    }
    Ok(list)
}

/// The parts of a text between separators that stand outside brackets and quotes, each with the
/// byte at which it begins.
fn pieces<'a>(
    option: &str,
    text: &'a str,
    separator: char,
) -> Result<Vec<(usize, &'a str)>, SyntaxError> {
    let (mut found, mut begin, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' if depth == 0 => {
                let message = "a `)` is too many";
                return Err(SyntaxError::new(
                    option,
                    (text, at),
                    message,
                    "brackets come in pairs",
                ));
            }
            ')' => depth -= 1,
            c if c == separator && depth == 0 => {
                found.push((begin, &text[begin..at]));
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push((begin, &text[begin..]));
    if quoted || depth > 0 {
        let message = "a bracket or a quote has no end";
        return Err(SyntaxError::new(option, (text, begin), message, "they come in pairs"));
    }
    if let Some((at, _)) = found.iter().find(|(_, part)| part.trim().is_empty()) {
        return Err(SyntaxError::new(
            option,
            (text, *at),
            "something is missing",
            "name something",
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(on: EntityType, pairs: &[(&str, &str)]) -> Result<Options, SyntaxError> {
        Options::parse(on, pairs)
    }

    /// Requirement `request-data/expand`, with the examples of clause 9.3.3.2.
    #[test]
    fn expansions_are_read_as_deep_as_they_stand() {
        let text = "Datastreams($select=id,name;$expand=ObservedProperty,Observations($filter=result \
                    eq ';)(' or result gt 5;$orderby=phenomenonTime desc;$top=1)),Locations";
        let options = read(EntityType::Thing, &[("$expand", text)]).expect("good");
        let streams = &options.expand[0];
        assert_eq!(streams.relation.name, "Datastreams");
        assert_eq!(streams.options.select, Some(vec!["id".to_owned(), "name".to_owned()]));
        let observations = &streams.options.expand[1].options;
        assert_eq!(observations.top, Some(1));
        assert!(observations.order_by[0].descending && observations.filter.is_some());
        assert_eq!(options.expand[1].relation.name, "Locations");
        let short = read(EntityType::Thing, &[("$expand", "Datastreams/Sensor,Datastreams/Thing")]);
        let short = short.expect("good").expand;
        assert_eq!(short.len(), 1);
        let names: Vec<_> = short[0].options.expand.iter().map(|e| e.relation.name).collect();
        assert_eq!(names, ["Sensor", "Thing"]);
    }

    /// Requirements `request-data/select`, `orderby`, `top`, `skip`, `count`.
    #[test]
    fn options_are_read() {
        let pairs = [
            ("$select", "result,phenomenonTime,@iot.id"),
            ("$orderby", "Datastream/name desc, phenomenonTime,length(resultQuality) asc"),
            ("$top", "5"),
            ("$skip", "10"),
            ("$count", "true"),
            ("$resultFormat", "dataArray"),
        ];
        let options = read(EntityType::Observation, &pairs).expect("good");
        assert_eq!(options.select.expect("given"), ["result", "phenomenonTime", "id"]);
        let order: Vec<_> = options.order_by.iter().map(|order| order.descending).collect();
        assert_eq!(order, [true, false, false]);
        assert_eq!((options.top, options.skip, options.count), (Some(5), 10, true));
        assert_eq!(options.format, ResultFormat::DataArray);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (name, value, named) in [
            ("$colour", "red", "no option `$colour`"),
            ("colour", "red", "no option `colour`"),
            ("$top", "-1", "no number"),
            ("$top", "99999999999", "no number"),
            ("$count", "maybe", "neither"),
            ("$select", "colour", "no `colour`"),
            ("$select", "name,,id", "missing"),
            ("$orderby", "colour", "no `colour`"),
            ("$orderby", "", "missing"),
            ("$expand", "Colours", "nothing leads"),
            ("$expand", "Datastreams(", "no end"),
            ("$expand", "Datastreams)", "too many"),
            ("$expand", "Datastreams($top)", "no option"),
            ("$expand", "Datastreams($skiptoken=x)", "no option"),
            ("$expand", "Datastreams($filter=x eq 1)", "no `x`"),
            ("$resultFormat", "dataArray", "no format"),
        ] {
            let error = read(EntityType::Thing, &[(name, value)]).expect_err(value);
            assert!(error.message.contains(named), "{name}={value}: {error}");
        }
        let twice = read(EntityType::Thing, &[("$top", "1"), ("$top", "2")]).expect_err("twice");
        assert!(twice.message.contains("twice"));
        let deep = "Datastreams/Thing/Datastreams/Thing/Datastreams/Thing/Datastreams";
        assert!(read(EntityType::Thing, &[("$expand", deep)]).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(name in "\\$(expand|select|orderby|top|filter)", text in ".{0,120}") {
            let _ = Options::parse(EntityType::Thing, &[(name, text)]);
        }
    }
}
