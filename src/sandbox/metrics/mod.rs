//! A small Prometheus: samples in, answers to instant queries out.
//!
//! Here belongs what a Prometheus server does between a scrape and an answer: [`Tsdb`] the series, [`Tsdb::query`] PromQL
//! as Prometheus 3 evaluates and words it, [`Recorder`] recording rules, [`History`] a past that was never scraped, and
//! [`Lie`] the ways in which such a server misleads. What must never enter: what the figures mean (that is the
//! controller's), and how users make them (that is [`traffic`](super::traffic)). A query that is not understood is refused
//! as Prometheus refuses it; it never answers a wrong number.

mod eval;
mod guard;
mod history;
mod labels;
mod lie;
mod points;
mod query;
mod recorder;
mod reply;
#[cfg(test)]
pub(crate) mod tests;
mod tsdb;

pub use history::{History, bad_ratio};
pub use labels::Labels;
pub use lie::{Lie, Told};
pub use points::{Point, Run};
pub use query::readable;
pub use recorder::{Recorder, Rule};
pub use reply::Reply;
pub use tsdb::{SeriesId, Tsdb};
