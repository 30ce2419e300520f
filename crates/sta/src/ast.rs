//! Filters as trees.

use crate::functions::Function;
use crate::value::Value;

/// What an expression says.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A value.
    Literal(Value),
    /// A property, also of a related entity: its steps.
    Path(Vec<String>),
    /// Not.
    Not(Box<Expr>),
    /// The negative number.
    Negative(Box<Expr>),
    /// Two expressions with an operator between.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// Whether something is one of several.
    In(Box<Expr>, Vec<Expr>),
    /// A function of its arguments.
    Call(Function, Vec<Expr>),
}

/// An operator (OGC 18-088, clause 9.3.3.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Or.
    Or,
    /// And.
    And,
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Plus.
    Add,
    /// Minus.
    Sub,
    /// Times.
    Mul,
    /// By.
    Div,
    /// The rest of a division.
    Mod,
}

impl Operator {
    /// The operator of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "or" => Self::Or,
            "and" => Self::And,
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            "add" => Self::Add,
            "sub" => Self::Sub,
            "mul" => Self::Mul,
            "div" => Self::Div,
            "mod" => Self::Mod,
            _ => return None,
        })
    }

    /// How strongly it binds (OData 4.01, part 2, clause 5.1.1.17).
    pub(crate) const fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne => 3,
            Self::Gt | Self::Ge | Self::Lt | Self::Le => 4,
            Self::Add | Self::Sub => 5,
            Self::Mul | Self::Div | Self::Mod => 6,
        }
    }
}

impl Expr {
    /// The parts that must all hold.
    pub fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::Binary(Operator::And, left, right) => {
                let mut all = left.conjuncts();
                all.extend(right.conjuncts());
                all
            }
            other => vec![other],
        }
    }
}
