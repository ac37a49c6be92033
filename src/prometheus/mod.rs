//! Queries out, evidence in.
//!
//! Here belongs what is asked of Prometheus and how its answers become typed: value, no data, partial, invalid,
//! unreachable. What must never enter: what an answer means for a release (that is `analysis` and `policy`), and a URL
//! from a tenant: sources are configured by the administrator and named.

mod again;
mod answer;
pub mod budget;
mod burn;
mod business;
pub mod circuit;
mod client;
mod compare;
pub mod config;
mod flights;
mod http;
mod present;
mod range;
mod reply;
pub mod signals;
mod slots;
mod slow;
mod template;
#[cfg(test)]
#[cfg(feature = "sandbox")]
mod tests;
#[doc(hidden)]
pub mod untrusted;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use answer::answer;
pub use client::{NoAnswer, Observer, Transport, When};
pub use config::Config;
pub use http::Http;

use crate::analysis::NotYet;
use crate::api::Time;
use crate::api::gated_release::GatedReleaseSpec;
use crate::release::snapshot::{CircuitSeen, MetricsSeen};

use client::{Prometheus, Ways};
use slots::{Asker, Slots};

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
    /// By name.
    sources: Arc<BTreeMap<String, Arc<Prometheus>>>,
    /// What several releases of a service ask in the same interval.
    shared: Arc<signals::Shared>,
}

impl Sources {
    /// Sources that are reached by `transport` and tell `observer` of every query. What happens by chance (how long the pauses before
    /// another try are) follows from `seed`.
    pub fn new(config: Arc<Config>, transport: Arc<dyn Transport>, observer: Arc<dyn Observer>, seed: u64) -> Self {
        let ways = Ways { transport, observer, dice: Arc::new(again::Dice::new(seed)) };
        // Two names of one address are one server.
        let mut slots: BTreeMap<&str, Arc<Slots>> = BTreeMap::new();
        let sources = config.metrics_sources.iter().map(|(name, source)| {
            let slots = slots.entry(source.url.trim_end_matches('/')).or_default().clone();
            (name.clone(), Arc::new(Prometheus::new(ways.clone(), name, source.clone(), slots)))
        });
        let sources = Arc::new(sources.collect());
        Self { config, sources, shared: Arc::default() }
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

    /// What the circuit breakers say that name a release; `now` is the moment of asking.
    pub async fn circuits(&self, release: &crate::release::snapshot::Release, now: Time) -> Vec<CircuitSeen> {
        circuit::circuits(self, release, now).await
    }

    /// How things are when it is asked; whether it is told of now says [`Present::ask`](present::Present::ask).
    async fn ask(&self, asker: Asker<'_>, source: &str, query: &str) -> reply::Undated {
        match self.sources.get(source) {
            Some(found) => found.query(asker, query, When::Now).await,
            None => reply::Undated::new(reply::Reply::Invalid(no_source(source))),
        }
    }

    async fn ask_at(&self, asker: Asker<'_>, source: &str, query: &str, at: Time) -> reply::Reply {
        match self.sources.get(source) {
            Some(found) => found.query(asker, query, When::At(at)).await.of(at, present::SAME),
            None => reply::Reply::Invalid(no_source(source)),
        }
    }

    async fn ask_range(&self, asker: Asker<'_>, source: &str, query: &str, when: When) -> range::Range {
        match self.sources.get(source) {
            Some(found) => found.range(asker, query, when).await,
            None => Err(NotYet::Invalid(no_source(source))),
        }
    }
}

fn no_source(name: &str) -> String {
    format!("the controller's configuration has no metrics source {name:?}")
}
