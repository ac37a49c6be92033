//! An in-process API server, metrics and traffic world, for trying Tidegate and for proving it.
//!
//! Here belongs everything that pretends to be a cluster: [`api`] the API server, [`controllers`] what a cluster's own
//! controllers do, [`traffic`] and [`metrics`] the users and their figures, [`story`] what `tidegate sandbox` plays, and
//! [`simulate`] the seeded worlds that prove the invariants. What must never enter: a short cut into the product. The
//! controller runs as in a cluster, over a client, and knows nothing of this folder.
//!
//! Everything but the outermost layer is synchronous and takes the time as an argument, so that a world is a value.

pub mod api;
pub mod cluster;
pub mod config;
pub mod controllers;
pub mod metrics;
pub mod objects;
pub mod player;
pub mod present;
pub mod schema;
pub mod screen;
pub mod simulate;
pub mod story;
pub mod time;
pub mod traffic;
pub mod webhook;

pub use crate::admission::user;
