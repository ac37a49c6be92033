//! Tidegate: progressive delivery for Kubernetes that joins error budget, change risk, gate level and traffic weight.
//!
//! `ARCHITECTURE.md` is the map. [`policy`], [`analysis`], [`release`], [`statement`] and `classify` are pure; the other rooms are the shell.

pub mod admission;
pub mod analysis;
pub mod api;
pub mod cel;
#[cfg(feature = "classify")]
pub mod classify;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod issuers;
mod outbound;
pub mod policy;
pub mod prometheus;
pub mod release;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod server;
pub mod statement;
pub mod synthetic;
pub mod traffic;

// As in the binary: the tests run worlds too.
#[cfg(all(test, feature = "sandbox"))]
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;
