//! A formula in the Common Expression Language: what of it is allowed, what it needs and what it
//! gives.
//!
//! No part of it can loop: macros over lists are refused, nesting and length are limited. Whole
//! numbers in the text become floating point, because values are, and CEL does not add the two.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{Expr, LiteralValue};
use cel::common::types::{CelBool, CelDouble, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, IdedExpr, extensions};
use city_model::Value;

use super::Finding;

/// The longest formula, in characters.
const LONGEST: usize = 2_000;
/// The deepest nesting: what computes it calls itself so often.
const DEEPEST: usize = 100;
/// Metrics of a formula: as many as there are bits.
const MOST: usize = 64;

const OPERATORS: &[&str] = &[
    "_?_:_", "_&&_", "_||_", "!_", "_-_", "_+_", "_*_", "_/_", "_%_", "_==_", "_!=_", "_>=_",
    "_<=_", "_>_", "_<_", "-_", "@in",
];
const OF_TEXTS: &[&str] = &["startsWith", "endsWith", "contains"];

/// The functions of `math`, and the operators and functions of the standard.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // It can only fail where something of the same name is there already.
    let added = env
        .add_extension(extensions::math)
        .and_then(
            |()| cel::add_overload!(env, fn divide: (CelDouble, CelDouble) -> Result<CelDouble>),
        )
        .and_then(
            |()| cel::add_overload!(env, fn remainder: (CelDouble, CelDouble) -> Result<CelDouble>),
        );
    debug_assert!(added.is_ok(), "{added:?}");
    Arc::new(env)
});

/// Takes the place of `/`: a division by zero has no result, where CEL gives infinity.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that CEL asks for")]
fn divide(a: &CelDouble, b: &CelDouble) -> Result<CelDouble, ExecutionError> {
    finite("_/_", a.inner() / b.inner())
}

/// Takes the place of `%`, which CEL has for whole numbers only; with the sign of the first.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that CEL asks for")]
fn remainder(a: &CelDouble, b: &CelDouble) -> Result<CelDouble, ExecutionError> {
    finite("_%_", a.inner() % b.inner())
}

fn finite(function: &str, result: f64) -> Result<CelDouble, ExecutionError> {
    if result.is_finite() {
        return Ok(CelDouble::from(result));
    }
    Err(ExecutionError::function_error(function, "division by zero"))
}

/// What a formula gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Truth,
    Number,
}

/// A formula that was checked.
#[derive(Debug)]
pub(super) struct Formula {
    source: String,
    expression: IdedExpr,
    metrics: Vec<Arc<str>>,
    gives: Gives,
}

/// What is wrong, and how to mend it.
pub(super) type Mistake = (String, String);

impl Formula {
    /// Reads a formula. On a thread with a large stack: what CEL takes apart recursively can be nested
    /// as deep as it is long, before anybody can say that it is too deep.
    pub(super) fn read(source: &str) -> Result<Self, Mistake> {
        let unreadable =
            || ("the expression cannot be read".to_owned(), "write it in a simpler way".to_owned());
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().stack_size(64 << 20);
            let reader = reader.spawn_scoped(scope, || Self::read_deep(source));
            let read = reader.map(std::thread::ScopedJoinHandle::join);
            read.ok().and_then(Result::ok).unwrap_or_else(|| Err(unreadable()))
        })
    }

    fn read_deep(source: &str) -> Result<Self, Mistake> {
        if source.chars().count() > LONGEST {
            return Err((
                format!("the expression is longer than {LONGEST} characters"),
                "make several rules of it".to_owned(),
            ));
        }
        let program = match ENVIRONMENT.compile(source) {
            Ok(program) => program,
            Err(errors) => {
                let first = errors.errors.first();
                let text = first.map_or_else(String::new, |error| {
                    format!(" at character {}: {}", error.pos.1, error.msg)
                });
                return Err((
                    format!("the expression cannot be read{text}"),
                    "write for example `pm25 > 75 && wind_speed < 1`".to_owned(),
                ));
            }
        };
        if depth(program.expression()) > DEEPEST {
            return Err((
                format!("the expression is nested deeper than {DEEPEST} levels"),
                "write it in a simpler way, or make several rules of it".to_owned(),
            ));
        }
        let mut expression = program.expression().clone();
        let mut metrics = Vec::new();
        check(&mut expression, &mut metrics)?;
        if metrics.is_empty() {
            return Err((
                "the expression names no metric".to_owned(),
                "write the ids of metrics, for example `pm25 > pm10`".to_owned(),
            ));
        }
        if metrics.len() > MOST {
            return Err((
                format!(
                    "the expression names {} metrics, at most {MOST} are possible",
                    metrics.len()
                ),
                "make several rules of it".to_owned(),
            ));
        }
        let mut formula =
            Self { source: source.to_owned(), expression, metrics, gives: Gives::Truth };
        formula.gives = formula.tries()?;
        Ok(formula)
    }

    /// What it gives for some values: numbers, else texts, else truth values.
    fn tries(&self) -> Result<Gives, Mistake> {
        let samples = [Value::Number(1.0), Value::from("a"), Value::Bool(true), Value::Number(0.5)];
        let mut last = None;
        for sample in &samples {
            match self.resolve(&vec![sample.clone(); self.metrics.len()]) {
                Ok(cel::Value::Bool(_)) => return Ok(Gives::Truth),
                Ok(cel::Value::Float(_)) => return Ok(Gives::Number),
                Ok(other) => {
                    return Err((
                        format!("the expression gives a {:?}", other.type_of()),
                        "it must give true or false, or a number".to_owned(),
                    ));
                }
                Err(error) => last = Some(error),
            }
        }
        // Metrics of several types: comparisons decide the type of most formulas.
        match &self.expression.expr {
            Expr::Call(call)
                if matches!(&*call.func_name, "_+_" | "_-_" | "_*_" | "divide" | "remainder") =>
            {
                Ok(Gives::Number)
            }
            Expr::Call(_) => Ok(Gives::Truth),
            _ => Err((
                format!("the expression gives nothing: {}", last.unwrap_or_default()),
                "it must give true or false, or a number".to_owned(),
            )),
        }
    }

    pub(super) fn gives(&self) -> Gives {
        self.gives
    }

    /// The ids of its metrics, in the order in which they first stand in it.
    pub(super) fn metrics(&self) -> &[Arc<str>] {
        &self.metrics
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The result for values in the order of [`Formula::metrics`]; `None` if there is none, such as
    /// after a division by zero.
    pub(super) fn compute(&self, values: &[Value]) -> Option<Finding> {
        match (self.resolve(values).ok()?, self.gives) {
            (cel::Value::Bool(truth), Gives::Truth) => Some(Finding::Truth(truth)),
            (cel::Value::Float(number), Gives::Number) if number.is_finite() => {
                Some(Finding::Number(number))
            }
            _ => None,
        }
    }

    fn resolve(&self, values: &[Value]) -> Result<cel::Value, String> {
        let named = Named { names: &self.metrics, values };
        let mut context = Context::with_env(ENVIRONMENT.clone());
        context.set_variable_resolver(&named);
        COMPUTING.set(true);
        let result =
            catch_unwind(AssertUnwindSafe(|| cel::Value::resolve(&self.expression, &context)));
        COMPUTING.set(false);
        match result {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("it cannot be computed".to_owned()),
        }
    }
}

thread_local! {
    static COMPUTING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught here and means no more than that a formula has no
/// result.
pub fn is_computing() -> bool {
    COMPUTING.get()
}

/// Values by the ids of their metrics.
struct Named<'v> {
    names: &'v [Arc<str>],
    values: &'v [Value],
}

impl VariableResolver for Named<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let at = self.names.iter().position(|name| **name == *variable)?;
        Some(match self.values.get(at)? {
            Value::Number(number) => CowVal::owned(CelDouble::from(*number)),
            Value::Bool(state) => CowVal::owned(CelBool::from(*state)),
            Value::Text(text) => CowVal::owned(CelString::from(&**text)),
        })
    }
}

/// Refuses what is not for rules, collects the metrics, and makes whole numbers floating.
fn check(node: &mut IdedExpr, metrics: &mut Vec<Arc<str>>) -> Result<(), Mistake> {
    match &mut node.expr {
        Expr::Literal(literal) => {
            let whole = match literal {
                LiteralValue::Int(number) => Some(*number.inner() as f64),
                LiteralValue::UInt(number) => Some(*number.inner() as f64),
                LiteralValue::Double(_) | LiteralValue::Boolean(_) | LiteralValue::String(_) => {
                    None
                }
                LiteralValue::Bytes(_) | LiteralValue::Null => {
                    return Err(refused("bytes and null"));
                }
            };
            if let Some(number) = whole {
                *literal = LiteralValue::Double(CelDouble::from(number));
            }
            Ok(())
        }
        Expr::Ident(name) => {
            if !metrics.iter().any(|known| **known == **name) {
                metrics.push(name.as_str().into());
            }
            Ok(())
        }
        Expr::List(list) => list.elements.iter_mut().try_for_each(|item| check(item, metrics)),
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            let of_math = call.target.as_ref().is_some_and(
                |target| matches!(&target.expr, Expr::Ident(space) if space == "math"),
            );
            let fine = match &call.target {
                None => OPERATORS.contains(&name) || name.starts_with("math."),
                Some(_) => of_math || OF_TEXTS.contains(&name),
            };
            if !fine {
                return Err((
                    format!("`{name}` is not possible in rules"),
                    format!("possible are operators, math.… and {}", OF_TEXTS.join(", ")),
                ));
            }
            if let Some(target) = call.target.as_mut().filter(|_| !of_math) {
                check(target, metrics)?;
            }
            let ours = match name {
                "_/_" => Some("divide"),
                "_%_" => Some("remainder"),
                _ => None,
            };
            if let Some(ours) = ours {
                ours.clone_into(&mut call.func_name);
            }
            call.args.iter_mut().try_for_each(|item| check(item, metrics))
        }
        Expr::Select(select) => Err((
            format!("`.{}` is not possible in rules: a metric has no parts", select.field),
            "write the ids of metrics alone".to_owned(),
        )),
        Expr::Comprehension(_) => Err(refused("loops over lists")),
        Expr::Map(_) | Expr::Struct(_) => Err(refused("maps")),
        Expr::Unspecified => Err(refused("this")),
    }
}

/// How deep a formula is nested.
fn depth(root: &IdedExpr) -> usize {
    let mut open = vec![(root, 1)];
    let mut deepest = 0;
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        let mut add = |inner| open.push((inner, depth + 1));
        match &node.expr {
            Expr::Call(call) => {
                call.target.iter().for_each(|target| add(target));
                call.args.iter().for_each(add);
            }
            Expr::List(list) => list.elements.iter().for_each(add),
            Expr::Select(select) => add(&select.operand),
            // Refused, however deep.
            _ => {}
        }
    }
    deepest
}

fn refused(what: &str) -> Mistake {
    (
        format!("{what} cannot stand in an expression"),
        "use metrics, numbers, texts and operators".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str, values: &[f64]) -> Option<Finding> {
        let formula = Formula::read(text).expect(text);
        formula.compute(&values.iter().map(|value| Value::Number(*value)).collect::<Vec<_>>())
    }

    #[test]
    fn formulas_compute_with_whole_and_floating_numbers() {
        assert_eq!(number("a * 2 + b / 4", &[3.0, 2.0]), Some(Finding::Number(6.5)));
        assert_eq!(number("a > 5 && b < 1.5", &[6.0, 1.0]), Some(Finding::Truth(true)));
        assert_eq!(number("a > 5 ? a : -b", &[4.0, 1.0]), Some(Finding::Number(-1.0)));
        assert_eq!(number("math.abs(a - b) >= 3", &[1.0, 4.0]), Some(Finding::Truth(true)));
        assert_eq!(number("math.greatest(a, b, 2)", &[1.0, 1.5]), Some(Finding::Number(2.0)));
        assert_eq!(number("a in [1, 3]", &[3.0]), Some(Finding::Truth(true)));
        // Unknown is not false.
        assert_eq!(number("a / b > 1", &[1.0, 0.0]), None);
        assert_eq!(number("b == 0 || a / b > 1", &[0.0, 1.0]), Some(Finding::Truth(true)));
        assert_eq!(number("a % 4 == 3", &[7.0]), Some(Finding::Truth(true)));
        assert_eq!(number("a / b", &[1.0, 0.0]), None);
    }

    #[test]
    fn texts_and_truth_values_are_values() {
        let formula = Formula::read("door == 'open' && !armed && temp > 4").expect("good");
        assert_eq!(formula.gives(), Gives::Truth);
        assert_eq!(formula.metrics().join(" "), "door armed temp");
        let values = [Value::from("open"), Value::Bool(false), Value::Number(5.0)];
        assert_eq!(formula.compute(&values), Some(Finding::Truth(true)));
        let values = [Value::Number(1.0), Value::Number(1.0), Value::Number(5.0)];
        assert_eq!(formula.compute(&values), Some(Finding::Truth(false)), "1 is not open");
    }

    #[test]
    fn what_is_not_for_rules_is_refused_with_a_reason() {
        for (text, reason) in [
            ("a >", "cannot be read at character"),
            ("1 > 0", "names no metric"),
            ("[a, b].all(x, x > 0)", "loops over lists"),
            ("a.b > 1", "has no parts"),
            ("size(a) > 1", "`size` is not possible"),
            ("a + 'x'", "gives"),
            ("{'a': a}", "maps"),
            ("a == null", "bytes and null"),
        ] {
            let (message, hint) = Formula::read(text).expect_err(text);
            assert!(message.contains(reason) && !hint.is_empty(), "{text}: {message}");
        }
        let deep = format!("{}a{} > 1", "(".repeat(5_000), ")".repeat(5_000));
        assert!(Formula::read(&deep).is_err());
        let deep = format!("{}a{} > 1", "(".repeat(900), ")".repeat(900));
        assert!(Formula::read(&deep).is_err());
        let long = vec!["a"; 90].join("+");
        assert!(Formula::read(&long).is_ok_and(|sum| sum.gives() == Gives::Number));
        for deep in [
            vec!["a"; 999].join("+"),
            format!("{}a", "!-".repeat(990)),
            vec!["a"; 999].join("<"),
            format!("{}a{}", "a>1?".repeat(300), ":a".repeat(300)),
            format!("{}a", "-!".repeat(900)),
        ] {
            assert!(Formula::read(&deep).is_err());
        }
    }
}
