//! What only people and kubectl need: discovery, OpenAPI, tables, kubeconfig, and HTTP on a port.
//!
//! Here belongs how the simulated API server presents itself to a client: its pages ([`Presenter`]), and the way in, over a
//! port ([`serve`]) or within the process ([`client`]). What must never enter: what it stores, decides or admits; nothing
//! here changes an object.

#[cfg(test)]
pub(crate) mod bare;
mod client;
mod discovery;
mod door;
mod exchange;
mod identity;
mod kubeconfig;
mod openapi;
mod pages;
mod schemas;
mod serve;
pub mod table;
#[cfg(test)]
mod tests;
mod wire;

pub use client::client;
pub use door::Door;
pub use kubeconfig::kubeconfig;
pub use pages::Presenter;
pub use serve::serve;
