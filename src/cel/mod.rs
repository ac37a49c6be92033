//! Expressions of the Common Expression Language, as an API server evaluates them.
//!
//! The grammar and the macros are the crate `cel`'s, and so are all functions that are not named in `functions`: Kubernetes'
//! own come from `kube-cel`. What is evaluated here is the language itself, straight on the JSON of the objects: the
//! crate's interpreter copies what it selects, knows no structs, and takes optional values apart when it compares them.
//!
//! What must never enter: what a rule or a policy is, I/O, a clock, and anything whose order or outcome is not the same every time.
//! Known limits: an error in one element of `all` or `exists` is the error of the whole, also where another element would
//! have decided; maps have keys of text; types are checked when an expression is evaluated, not before.

mod calls;
mod eval;
mod functions;
mod library;
mod operators;
mod pattern;
mod program;
mod scope;
mod value;

pub use program::Program;
pub use scope::{AccessCheck, Scope};
pub use value::{Fault, List, Map, Val};

#[cfg(test)]
mod tests;
