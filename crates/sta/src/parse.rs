//! Filters read (OGC 18-088, clause 9.3.3.5; OData 4.01, part 2, clause 5.1.1).

use crate::ast::{Expr, Operator};
use crate::error::{SyntaxError, short};
use crate::functions::Function;
use crate::lexer::{Token, Word, words};
use crate::model::EntityType;

/// The longest filter, in bytes.
const MAX_BYTES: usize = 16_384;
/// How deep brackets and functions may stand inside each other.
const MAX_DEPTH: usize = 32;
/// The most steps of a name, such as `Datastream/Thing/name`.
const MAX_STEPS: usize = 8;
/// The most operators, functions and values of a filter.
const MAX_PARTS: usize = 1_000;

/// A filter on entities of this kind.
pub(crate) fn filter(option: &str, text: &str, on: EntityType) -> Result<Expr, SyntaxError> {
    let error =
        |at, message: String, hint: &str| SyntaxError::new(option, (text, at), message, hint);
    if text.len() > MAX_BYTES {
        let message = format!("it is longer than {MAX_BYTES} bytes");
        return Err(error(0, message, "ask for less at a time"));
    }
    let tokens = words(option, text)?;
    let mut parser = Parser { option, text, on, tokens: &tokens, next: 0, depth: 0, parts: 0 };
    let expr = parser.expression(0)?;
    match parser.tokens.get(parser.next) {
        None => Ok(expr),
        Some(token) => {
            let message = "something stands behind the end".to_owned();
            Err(error(token.at, message, "join conditions with `and` or `or`"))
        }
    }
}

/// The steps of a property's name, such as `Datastream/id`.
pub(crate) fn property(
    option: &str,
    (text, at): (&str, usize),
    name: &str,
    on: EntityType,
) -> Result<Vec<String>, SyntaxError> {
    let steps: Vec<String> = name.split('/').map(|step| step.trim().to_owned()).collect();
    check_path(&steps, on)
        .map_err(|message| SyntaxError::new(option, (text, at), message, on.names()))?;
    Ok(steps)
}

/// Whether there is such a property; otherwise what is wrong.
fn check_path(steps: &[String], on: EntityType) -> Result<(), String> {
    let Some((first, rest)) = steps.split_first() else { return Ok(()) };
    if on.has_property(first) {
        return Ok(());
    }
    match on.relation(first) {
        Some(relation) if !rest.is_empty() => check_path(rest, relation.target),
        Some(_) => Err(format!("`{}` is no property: say which of its own", short(first))),
        None => Err(format!("a {} has no `{}`", on.singular(), short(first))),
    }
}

struct Parser<'a> {
    option: &'a str,
    text: &'a str,
    on: EntityType,
    tokens: &'a [Token],
    next: usize,
    depth: usize,
    parts: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Word> {
        self.tokens.get(self.next).map(|token| &token.word)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |token| token.at)
    }

    fn error<T>(
        &self,
        at: usize,
        message: impl Into<String>,
        hint: &str,
    ) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(self.option, (self.text, at), message, hint))
    }

    fn eat(&mut self, wanted: &Word) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &Word, name: char) -> Result<(), SyntaxError> {
        if self.eat(wanted) {
            return Ok(());
        }
        self.error(self.at(), format!("a `{name}` is missing"), "brackets come in pairs")
    }

    /// Counts what is read, so that nobody makes a tree that is too large.
    fn count(&mut self) -> Result<(), SyntaxError> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            let message = format!("it has more than {MAX_PARTS} parts");
            return self.error(self.at(), message, "ask for less at a time");
        }
        Ok(())
    }

    fn operator(&self) -> Option<Operator> {
        match self.peek() {
            Some(Word::Name(name)) => Operator::named(name),
            _ => None,
        }
    }

    /// An expression of operators that bind more strongly than `least`.
    fn expression(&mut self, least: u8) -> Result<Expr, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH * 2 {
            let message = "brackets stand too deep inside each other";
            return self.error(self.at(), message, "write it flatter");
        }
        let mut left = self.unary()?;
        loop {
            if matches!(self.peek(), Some(Word::Name(name)) if name == "in") && least < 4 {
                self.next += 1;
                self.count()?;
                left = Expr::In(Box::new(left), self.arguments()?);
                continue;
            }
            let Some(operator) = self.operator().filter(|found| found.strength() > least) else {
                break;
            };
            self.next += 1;
            self.count()?;
            let right = self.expression(operator.strength())?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        self.count()?;
        match self.peek() {
            Some(Word::Name(name)) if name == "not" => {
                self.next += 1;
                // Binds more strongly than any operator between two expressions.
                Ok(Expr::Not(Box::new(self.nested()?)))
            }
            Some(Word::Minus) => {
                self.next += 1;
                Ok(Expr::Negative(Box::new(self.nested()?)))
            }
            _ => self.primary(),
        }
    }

    fn nested(&mut self) -> Result<Expr, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH * 2 {
            return self.error(self.at(), "it is too deep", "write it flatter");
        }
        let inner = self.unary()?;
        self.depth -= 1;
        Ok(inner)
    }

    fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let at = self.at();
        let Some(word) = self.peek().cloned() else {
            return self.error(at, "something is missing at the end", "compare with a value");
        };
        self.next += 1;
        match word {
            Word::Literal(value) => Ok(Expr::Literal(value)),
            Word::Open => {
                let inner = self.expression(0)?;
                self.expect(&Word::Close, ')')?;
                Ok(inner)
            }
            Word::Name(name) if self.peek() == Some(&Word::Open) => self.call(at, &name),
            Word::Name(name) => self.path(at, name),
            _ => self.error(at, "a property, a value or a function is missing", &self.on.names()),
        }
    }

    fn path(&mut self, at: usize, first: String) -> Result<Expr, SyntaxError> {
        let mut steps = vec![first];
        while self.eat(&Word::Slash) {
            let Some(Word::Name(step)) = self.peek().cloned() else {
                return self.error(
                    self.at(),
                    "a name is missing behind the stroke",
                    "such as Datastream/id",
                );
            };
            self.next += 1;
            steps.push(step);
            if steps.len() > MAX_STEPS {
                let message = format!("the name leads over more than {MAX_STEPS} steps");
                return self.error(at, message, "begin at another set");
            }
        }
        if let Err(message) = check_path(&steps, self.on) {
            return self.error(at, message, &self.on.names());
        }
        Ok(Expr::Path(steps))
    }

    fn call(&mut self, at: usize, name: &str) -> Result<Expr, SyntaxError> {
        let Some(function) = Function::named(name) else {
            let message = format!("there is no function `{}`", short(name));
            return self.error(at, message, &Function::names());
        };
        let arguments = self.arguments()?;
        let (least, most) = function.arguments();
        if !(least..=most).contains(&arguments.len()) {
            let message = format!("`{name}` takes {least} to {most} arguments");
            return self.error(at, message, "separate them by commas");
        }
        Ok(Expr::Call(function, arguments))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, SyntaxError> {
        self.expect(&Word::Open, '(')?;
        let mut arguments = Vec::new();
        if self.eat(&Word::Close) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(0)?);
            if !self.eat(&Word::Comma) {
                break;
            }
        }
        self.expect(&Word::Close, ')')?;
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Value;

    fn on_observations(text: &str) -> Result<Expr, SyntaxError> {
        filter("$filter", text, EntityType::Observation)
    }

    #[test]
    fn operators_bind_as_odata_says() {
        let read = |text: &str| on_observations(text).expect(text);
        assert_eq!(
            read("result gt 1 or result lt 2 and result eq 3"),
            read("(result gt 1) or ((result lt 2) and (result eq 3))")
        );
        assert_eq!(read("result add 2 mul 3 gt 5"), read("(result add (2 mul 3)) gt 5"));
        assert_eq!(read("result sub 2 sub 3 eq 5"), read("((result sub 2) sub 3) eq 5"));
        assert_eq!(
            read("not (result gt 1) and result lt 2"),
            read("(not (result gt 1)) and result lt 2")
        );
        assert_eq!(read("result eq -5"), read("result eq -5.0"));
    }

    /// The filters of the standard's examples, and those that clients send.
    #[test]
    fn filters_of_the_standard_are_read() {
        for (on, text) in [
            (EntityType::Observation, "result lt 10.00"),
            (EntityType::Observation, "Datastream/id eq '1'"),
            (EntityType::Observation, "Datastream/@iot.id eq 'x' and FeatureOfInterest/id eq 'y'"),
            (
                EntityType::Observation,
                "phenomenonTime ge 2010-06-01T00:00:00Z and phenomenonTime lt 2010-07-01T00:00:00.5+02:00",
            ),
            (
                EntityType::Observation,
                "year(resultTime) eq 2026 and hour(phenomenonTime) in (8, 9)",
            ),
            (EntityType::Observation, "(result sub 5) gt 10 and parameters/pole eq 'x'"),
            (EntityType::Thing, "geo.distance(Locations/location, geography'POINT(-122 43)') gt 1"),
            (
                EntityType::Location,
                "geo.intersects(location, geography'Polygon ((10 50, 11 50, 11 51, 10 50))')",
            ),
            (
                EntityType::Location,
                "(location/type eq 'Point' or location/geometry/type eq 'Point')",
            ),
            (
                EntityType::Location,
                "st_within(location, geography'POLYGON ((30 10, 10 20, 20 40, 40 40, 30 10))')",
            ),
            (
                EntityType::Datastream,
                "substringof('air', tolower(name)) or startswith(description,'x')",
            ),
            (
                EntityType::Datastream,
                "unitOfMeasurement/name eq 'it''s' and Thing/properties/owner eq 'x'",
            ),
            (EntityType::Datastream, "phenomenonTime gt 2026-01-01/2026-02-01"),
        ] {
            assert!(
                filter("$filter", text, on).is_ok(),
                "{text}: {:?}",
                filter("$filter", text, on)
            );
        }
        let it = filter("$filter", "unitOfMeasurement/name eq 'it''s'", EntityType::Datastream);
        let Ok(Expr::Binary(_, _, right)) = it else { panic!("{it:?}") };
        assert_eq!(*right, Expr::Literal(Value::Text("it's".to_owned())));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, at, named) in [
            ("", 1, "missing"),
            ("result gt", 10, "missing"),
            ("result gt 5 5", 13, "behind the end"),
            ("colour eq 5", 1, "no `colour`"),
            ("Datastream eq 5", 1, "no property"),
            ("Datastream/colour eq 5", 1, "no `colour`"),
            ("(result gt 5", 13, "`)`"),
            ("result eq 'x", 11, "no end"),
            ("loud(result) eq 5", 1, "no function `loud`"),
            ("year(result, 5) eq 5", 1, "arguments"),
            ("result eq 5x", 11, "neither a number nor a time"),
            ("result = 5", 8, "means nothing"),
            ("温度 eq 5", 1, "no `温度`"),
        ] {
            let error = on_observations(text).expect_err(text);
            assert!(error.message.contains(named), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!("{}result eq 5{}", "(".repeat(20_000 / 4), ")".repeat(20_000 / 4));
        assert!(on_observations(&deep).is_err());
        let nots = format!("{} true", "not ".repeat(3_000));
        assert!(on_observations(&nots).is_err());
        let long = vec!["result eq 5"; 500].join(" or ");
        assert!(on_observations(&long).is_err());
        let fits = vec!["result eq 5"; 100].join(" or ");
        assert!(on_observations(&fits).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".{0,200}") {
            let _ = on_observations(&text);
        }

        #[test]
        fn nothing_of_its_own_words_makes_it_panic(
            words in proptest::collection::vec(prop_oneof![
                Just("result"), Just("("), Just(")"), Just(","), Just("and"), Just("not"),
                Just("eq"), Just("'x'"), Just("5"), Just("-"), Just("year"), Just("/"),
                Just("geography'POINT(1 1)'"), Just("2026-11-23T00:00:00Z"), Just("in"),
            ], 0..40)
        ) {
            let _ = on_observations(&words.join(" "));
        }
    }
}
