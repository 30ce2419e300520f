//! Filters applied: whether an entity is meant, and which of two comes first.

use std::cmp::Ordering;

use city_model::Timestamp;

use crate::ast::{Expr, Operator};
use crate::value::Value;

/// The most values that a path through several entities may have.
const MAX_MANY: usize = 10_000;

/// What filters are applied to.
pub trait Entity {
    /// The value of a property, whose name leads through related entities, such as
    /// `Datastream/id`; [`Value::Many`] where it leads to several, [`Value::Null`] where it leads
    /// to nothing.
    fn value(&self, path: &[String]) -> Value;
}

/// Whether an entity is meant.
pub fn is_match(filter: &Expr, entity: &dyn Entity, now: Timestamp) -> bool {
    evaluate(filter, entity, now).is_true()
}

/// The value of an expression for an entity.
pub fn evaluate(expr: &Expr, entity: &dyn Entity, now: Timestamp) -> Value {
    let value = |expr: &Expr| evaluate(expr, entity, now);
    match expr {
        Expr::Literal(value) => value.clone(),
        Expr::Path(path) => entity.value(path),
        Expr::Not(inner) => Value::Bool(!value(inner).is_true()),
        Expr::Negative(inner) => {
            each(value(inner), &mut |value| value.number().map(|n| Value::Number(-n)))
        }
        Expr::Binary(Operator::And, left, right) => {
            Value::Bool(value(left).is_true() && value(right).is_true())
        }
        Expr::Binary(Operator::Or, left, right) => {
            Value::Bool(value(left).is_true() || value(right).is_true())
        }
        Expr::Binary(operator, left, right) => {
            let right = value(right);
            each(value(left), &mut |left| {
                Some(each(right.clone(), &mut |right| binary(*operator, left, right)))
            })
        }
        Expr::In(inner, list) => {
            let list: Vec<Value> = list.iter().map(value).collect();
            each(value(inner), &mut |value| {
                let found = list.iter().any(|one| is_equal(value, one));
                Some(Value::Bool(found))
            })
        }
        Expr::Call(function, arguments) => {
            let arguments: Vec<Value> = arguments.iter().map(value).collect();
            // At most one of them is a path through several entities in practice; where two are,
            // the second stands for its first value.
            let Some(many) = arguments.iter().position(|value| matches!(value, Value::Many(_)))
            else {
                return function.apply(&arguments, now);
            };
            each(arguments[many].clone(), &mut |one| {
                let mut arguments: Vec<Value> = arguments.iter().map(first).collect();
                arguments[many] = one.clone();
                Some(function.apply(&arguments, now))
            })
        }
    }
}

fn first(value: &Value) -> Value {
    match value {
        Value::Many(values) => values.first().cloned().unwrap_or_default(),
        one => one.clone(),
    }
}

/// What becomes of a value, or of each of several.
fn each(value: Value, work: &mut dyn FnMut(&Value) -> Option<Value>) -> Value {
    match value {
        Value::Many(values) => Value::Many(
            values.iter().take(MAX_MANY).map(|one| work(one).unwrap_or_default()).collect(),
        ),
        one => work(&one).unwrap_or_default(),
    }
}

fn binary(operator: Operator, left: &Value, right: &Value) -> Option<Value> {
    let holds =
        |fits: fn(Ordering) -> bool| Some(Value::Bool(order(left, right).is_some_and(fits)));
    let number = |work: fn(f64, f64) -> f64| {
        let result = work(left.number()?, right.number()?);
        result.is_finite().then_some(Value::Number(result))
    };
    match operator {
        Operator::Eq => Some(Value::Bool(is_equal(left, right))),
        Operator::Ne => Some(Value::Bool(!is_equal(left, right))),
        Operator::Gt => holds(Ordering::is_gt),
        Operator::Ge => holds(Ordering::is_ge),
        Operator::Lt => holds(Ordering::is_lt),
        Operator::Le => holds(Ordering::is_le),
        Operator::Add => number(|a, b| a + b),
        Operator::Sub => number(|a, b| a - b),
        Operator::Mul => number(|a, b| a * b),
        Operator::Div => number(|a, b| a / b),
        Operator::Mod => number(|a, b| a % b),
        Operator::And | Operator::Or => None,
    }
}

/// Whether two values are the same; nothing is the same as nothing.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Json(a), Value::Json(b)) => a == b,
        (Value::Geometry(_), _) | (_, Value::Geometry(_)) => {
            left.geometry().zip(right.geometry()).is_some_and(|(a, b)| a == b)
        }
        _ => order(left, right) == Some(Ordering::Equal),
    }
}

/// Which of two values comes first; `None` if they cannot be compared, and then no comparison
/// holds (OData 4.01, part 2, clause 5.1.1.1).
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        // Spans come one after the other, or they overlap and none comes first.
        (Value::Interval(a, b), Value::Interval(c, d)) => match () {
            () if (a, b) == (c, d) => Some(Ordering::Equal),
            () if b <= c => Some(Ordering::Less),
            () if a >= d => Some(Ordering::Greater),
            () => None,
        },
        (Value::Interval(a, b), _) => {
            let time = right.time()?;
            match () {
                () if *b < time => Some(Ordering::Less),
                () if *a > time => Some(Ordering::Greater),
                () => (a == b).then_some(Ordering::Equal),
            }
        }
        (_, Value::Interval(..)) => order(right, left).map(Ordering::reverse),
        (Value::Time(_), _) | (_, Value::Time(_)) => Some(left.time()?.cmp(&right.time()?)),
        _ => None,
    }
}

/// Which of two values comes first in a list: nothing before everything, and each kind together.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    const fn rank(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::Time(_) | Value::Interval(..) => 3,
            Value::Text(_) => 4,
            Value::Geometry(_) | Value::Json(_) | Value::Many(_) => 5,
        }
    }
    let (left, right) = (first(left), first(right));
    order(&left, &right).unwrap_or_else(|| match (&left, &right) {
        (Value::Json(a), Value::Json(b)) => a.to_string().cmp(&b.to_string()),
        _ => rank(&left).cmp(&rank(&right)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::EntityType;

    /// An entity that is JSON; arrays lead to several.
    struct Thing(serde_json::Value);

    impl Entity for Thing {
        fn value(&self, path: &[String]) -> Value {
            fn at(json: &serde_json::Value, path: &[String]) -> Value {
                match (json, path.split_first()) {
                    (serde_json::Value::Array(items), Some(_)) => {
                        Value::Many(items.iter().map(|item| at(item, path)).collect())
                    }
                    (json, None) => Value::from_json(json.clone()),
                    (json, Some((step, rest))) => {
                        at(json.get(step).unwrap_or(&serde_json::Value::Null), rest)
                    }
                }
            }
            at(&self.0, path)
        }
    }

    const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

    #[track_caller]
    fn check(on: EntityType, entity: &serde_json::Value, holds: &[&str], fails: &[&str]) {
        let entity = Thing(entity.clone());
        for (texts, wanted) in [(holds, true), (fails, false)] {
            for text in texts {
                let filter = crate::parse::filter("$filter", text, on).expect(text);
                assert_eq!(is_match(&filter, &entity, NOW), wanted, "{text}");
            }
        }
    }

    /// Requirement `request-data/filter`, `request-data/built-in-filter-operations` and
    /// `request-data/built-in-query-functions`.
    #[test]
    fn observations_are_filtered() {
        let entity = json!({
            "result": 7.5, "phenomenonTime": "2026-11-23T08:30:15.5Z", "validTime": null,
            "parameters": {"pole": "P7"}, "Datastream": {"id": "x", "name": "Air Station"},
        });
        check(
            EntityType::Observation,
            &entity,
            &[
                "result eq 7.5",
                "result gt 5 and result lt 10",
                "not (result gt 10)",
                "result mod 2 eq 1.5",
                "(result sub 0.5) mul 2 eq 14",
                "-result lt 0",
                "result div 0 eq null",
                "validTime eq null",
                "phenomenonTime gt 2026-11-23T08:30:15Z",
                "phenomenonTime le 2026-11-23T10:30:15.5+02:00",
                "phenomenonTime lt now()",
                "year(phenomenonTime) eq 2026 and month(phenomenonTime) eq 11",
                "hour(phenomenonTime) in (7, 8) and minute(phenomenonTime) eq 30",
                "second(phenomenonTime) eq 15 and fractionalseconds(phenomenonTime) eq 0.5",
                "date(phenomenonTime) eq '2026-11-23'",
                "round(result) eq 8 and floor(result) eq 7 and ceiling(result) eq 8",
                "parameters/pole eq 'P7'",
                "Datastream/id eq 'x'",
                "startswith(Datastream/name,'Air') and endswith(Datastream/name, 'tion')",
                "substringof('r S', Datastream/name) and contains(Datastream/name,'Station')",
                "tolower(Datastream/name) eq 'air station'",
                "toupper(substring(Datastream/name, 4, 2)) eq 'ST'",
                "indexof(Datastream/name,'S') eq 4 and length(Datastream/name) eq 11",
                "concat(trim(' a '),'b') eq 'ab'",
            ],
            &[
                "result eq '7.5'",
                "result gt null",
                "validTime gt 2026-01-01T00:00:00Z",
                "Datastream/name gt 5",
                "phenomenonTime gt 2026-11-24",
            ],
        );
    }

    #[test]
    fn places_are_filtered() {
        let entity = json!({
            "location": {"type": "Point", "coordinates": [10.5, 50.5]},
            "Things": [{"name": "a"}, {"name": "b"}],
        });
        check(
            EntityType::Location,
            &entity,
            &[
                "st_within(location, geography'POLYGON ((10 50, 11 50, 11 51, 10 51, 10 50))')",
                "geo.intersects(location, geography'POLYGON ((10 50, 11 50, 11 51, 10 51, 10 50))')",
                "geo.distance(location, geography'POINT (10.5 51.5)') eq 1",
                "st_equals(location, geography'POINT (10.5 50.5)')",
                "st_contains(geography'POLYGON ((10 50, 11 50, 11 51, 10 51, 10 50))', location)",
                "st_disjoint(location, geography'POINT (1 1)')",
                "st_touches(location, geography'POLYGON ((10.5 50, 11 50, 11 51, 10.5 51, 10.5 50))')",
                "st_relate(location, geography'POINT (10.5 50.5)', 'T********')",
                "geo.length(geography'LINESTRING (0 0, 3 4)') eq 5",
                "location/type eq 'Point' or location/geometry/type eq 'Point'",
                // What leads to several holds if it holds for one.
                "Things/name eq 'b'",
                "startswith(Things/name, 'b')",
            ],
            &[
                "st_within(location, geography'POLYGON ((11 50, 12 50, 12 51, 11 51, 11 50))')",
                "geo.distance(location, geography'POINT (10.5 51.5)') lt 1",
                "Things/name eq 'c'",
                "st_overlaps(location, geography'POINT (1 1)')",
                "st_crosses(location, geography'LINESTRING (1 1, 2 2)')",
            ],
        );
    }

    #[test]
    fn lists_have_an_order_whatever_is_in_them() {
        let mut values = [
            Value::Text("b".to_owned()),
            Value::Number(2.0),
            Value::Null,
            Value::Text("a".to_owned()),
            Value::Number(-1.0),
            Value::Bool(true),
        ];
        values.sort_by(compare);
        let names: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
        assert_eq!(
            names,
            ["Null", "Bool(true)", "Number(-1.0)", "Number(2.0)", "Text(\"a\")", "Text(\"b\")"]
        );
    }
}
