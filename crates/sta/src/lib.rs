//! The language of OGC SensorThings API 1.1 (OGC 18-088), sensing profile, read side: addresses of
//! resources, query options, filters, and their evaluation over anything that is an [`Entity`].
//!
//! Pure: texts in, trees out. It knows the entities and relations of the standard and nothing of
//! what they stand for.
//!
//! ```
//! use city_sta::{EntityType, Options};
//!
//! let pairs = [("$filter", "result gt 5 and phenomenonTime ge 2026-11-23T00:00:00Z")];
//! let options = Options::parse(EntityType::Observation, &pairs)?;
//! assert!(options.filter.is_some());
//! # Ok::<(), city_sta::SyntaxError>(())
//! ```

mod ast;
mod error;
mod eval;
mod functions;
mod geometry;
mod lexer;
mod model;
mod options;
mod parse;
mod path;
mod value;

pub use ast::{Expr, Operator};
pub use error::SyntaxError;
pub use eval::{Entity, compare, evaluate, is_match};
pub use model::{EntityType, Relation};
pub use options::{Expand, Options, OrderBy, ResultFormat};
pub use path::{ResourcePath, Step, Tail};
pub use value::Value;
