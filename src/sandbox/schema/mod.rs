//! Custom resource definitions at work: defaults, pruning, validation and CEL rules, with the messages of an API server.
//!
//! Here belongs what an API server does with an object because of the schema in its CustomResourceDefinition ([`Schemas`]).
//! The expressions that its rules are written in are evaluated by [`crate::cel`]. What must never enter: rules of single
//! kinds, storing, and what is the same for every object, such as names and labels.
//!
//! The schema is walked here and not handed to the crate `jsonschema`, because defaults, pruning and ratcheting need the
//! walk anyway and the messages have to be those of an API server; patterns and formats are checked by the crate.

mod fields;
mod node;
mod path;
mod pattern;
mod rules;
mod schemas;
mod validate;
mod words;

pub use schemas::Schemas;

#[cfg(test)]
mod tests;
