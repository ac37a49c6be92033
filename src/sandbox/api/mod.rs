//! The API server: objects, versions, verbs, watches. No I/O and no clock: a call comes in as a value and an answer goes out.
//!
//! Here belongs what every cluster's API server does with every object: paths and verbs ([`call`]), the table of what is
//! served ([`resource`]), the store and its log of changes ([`store`]), the order of a write (`write`), who owns which field
//! (`managed`), patches and watches. What must never enter: what a controller does (removing what a deleted namespace held,
//! starting pods), the rules of Tidegate's own kinds, discovery and tables for people: those come in through [`seams`].

pub mod access;
pub mod call;
mod crd;
mod decode;
mod defaults;
mod delete;
mod events;
mod evict;
mod fields;
mod lean;
mod list;
mod managed;
mod meta;
mod objects;
mod patch;
pub mod quota;
mod refuse;
pub mod resource;
mod scale;
pub mod seams;
mod selector;
mod server;
mod shape;
pub mod store;
mod strategic;
mod strategy;
mod validate;
mod verbs;
pub mod watch;
mod write;

pub use access::{Access, AccessCheck};
pub use call::{Answer, Call, Polled};
pub use refuse::status_of;
pub use resource::{RESOURCE_QUOTA, Resource, Subresource};
pub use seams::{Admission, FieldError, Operation, Present, Review, Schemas};
pub use server::ApiServer;
pub use store::{Change, Verb};
pub use watch::Watch;

#[cfg(test)]
mod tests;
