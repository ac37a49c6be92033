//! Queries out, evidence in.
//!
//! Here belongs what is asked of Prometheus and how its answers become typed: value, no data, partial, invalid,
//! unreachable. What must never enter: what an answer means for a release (that is `analysis` and `policy`), and a URL
//! from a tenant: sources are configured by the administrator and named.

mod answer;
pub mod budget;
mod burn;
mod business;
pub mod circuit;
mod client;
mod compare;
pub mod config;
mod present;
mod range;
mod reply;
pub mod signals;
mod slow;
mod template;
#[cfg(test)]
#[cfg(feature = "sandbox")]
mod tests;
#[doc(hidden)]
pub mod untrusted;

use std::sync::Arc;

pub use answer::answer;
pub use client::{Http, NoAnswer, Observer, Prometheus, Transport, When};
pub use config::Config;

use crate::analysis::NotYet;
use crate::api::Time;
use crate::api::gated_release::GatedReleaseSpec;
use crate::release::snapshot::{CircuitSeen, MetricsSeen};

/// What the configuration offers to a release.
pub fn offers(config: &Config, spec: &GatedReleaseSpec) -> MetricsSeen {
    match config.query_templates.get(&spec.analysis.metrics) {
        None => MetricsSeen::Missing,
        Some(template) => {
            let complaints = template.complaints.is_some() || spec.rollback.complaints_query.is_some();
            MetricsSeen::Found { complaints, pods: template.by_pod() }
        }
    }
}

/// The configured sources, ready to be asked.
#[derive(Clone)]
pub struct Sources {
    config: Arc<Config>,
    client: Prometheus,
    /// What several releases of a service ask in the same interval.
    shared: Arc<signals::Shared>,
}

impl Sources {
    /// Sources that are reached by `transport` and tell `observer` of every query.
    pub fn new(config: Arc<Config>, transport: Arc<dyn Transport>, observer: Arc<dyn Observer>) -> Self {
        Self { config, client: Prometheus::new(transport, observer), shared: Arc::default() }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the release's question is answered with; `now` is the moment of asking.
    pub async fn answer(
        &self,
        seen: &crate::release::Snapshot,
        question: crate::release::Question,
        now: Time,
    ) -> crate::release::Answers {
        answer(self, seen, question, now).await
    }

    /// What the circuit breakers say that name a release.
    pub async fn circuits(&self, release: &crate::release::snapshot::Release) -> Vec<CircuitSeen> {
        circuit::circuits(self, release).await
    }

    async fn ask(&self, source: &str, query: &str) -> reply::Reply {
        match self.config.metrics_sources.get(source) {
            Some(found) => self.client.query(source, found, query).await,
            None => reply::Reply::Invalid(no_source(source)),
        }
    }

    /// An answer of the present interval: a question that was asked in it is not put again.
    async fn ask_shared(&self, source: &str, query: String) -> reply::Reply {
        self.shared.ask(self, source, query).await
    }

    /// An answer of so short a while ago at the longest.
    async fn ask_within(&self, source: &str, query: String, fresh: std::time::Duration) -> reply::Reply {
        self.shared.ask_within(self, source, query, fresh).await
    }

    async fn ask_at(&self, source: &str, query: &str, at: Time) -> reply::Reply {
        match self.config.metrics_sources.get(source) {
            Some(found) => self.client.query_at(source, found, query, When::At(at)).await.of(at, present::SAME),
            None => reply::Reply::Invalid(no_source(source)),
        }
    }

    async fn ask_range(&self, source: &str, query: &str, when: When) -> range::Range {
        match self.config.metrics_sources.get(source) {
            Some(found) => self.client.range(source, found, query, when).await,
            None => Err(NotYet::Invalid(no_source(source))),
        }
    }
}

fn no_source(name: &str) -> String {
    format!("the controller's configuration has no metrics source {name:?}")
}
