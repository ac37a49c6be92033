//! What goes on around a service, asked of the sources of the administrator.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Sources;
use super::config::SignalQueries;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled};
use crate::api::RiskBudgetSpec;
use crate::policy::score::signals::{Heard, Sighting};
use crate::policy::score::{INCIDENT_LOOK_BACK, OnCallLoad};

/// The entry of the configuration that is asked where a RiskBudget names none.
const DEFAULT: &str = "default";

/// Replies of the present interval: a question that several budgets ask, or one budget for several reasons, is put once.
#[derive(Default)]
pub struct Shared(Mutex<BTreeMap<(String, String), (Instant, Reply)>>);

impl Shared {
    /// What the sources say around a service; none where nobody configured anything for it.
    pub async fn hear(&self, sources: &Sources, namespace: &str, budget: &str, spec: &RiskBudgetSpec) -> Option<Heard> {
        let name = spec.signals.as_deref().unwrap_or(DEFAULT);
        let Some(queries) = sources.config().signals.get(name) else {
            // Where a budget names what is not there, what it wanted to hear is not known.
            let why = format!("the controller's configuration has no signals {name:?}; spec.signals names it");
            return spec.signals.as_ref().map(|_| Heard {
                source: name.to_owned(),
                incidents: Some(Err(why.clone())),
                on_call: Some(Err(why)),
            });
        };
        let variables = Variables { namespace, budget, window: INCIDENT_LOOK_BACK, ..Variables::default() };
        let ask = |query: &str| {
            let query = filled(query, &variables);
            async move { self.ask(sources, Asker::Administrator, &queries.source, query).await }
        };
        let incidents = async {
            match &queries.incidents {
                Some(query) => Some(sightings(&ask(query).await, queries)),
                None => None,
            }
        };
        let on_call = async {
            match &queries.on_call {
                Some(load) => {
                    let (pages, normal) = tokio::join!(ask(&load.pages), ask(&load.normal));
                    Some(
                        number(&pages, "pages")
                            .and_then(|pages| Ok(OnCallLoad { pages, normal: number(&normal, "normal")? })),
                    )
                }
                None => None,
            }
        };
        let (incidents, on_call) = tokio::join!(incidents, on_call);
        Some(Heard { source: name.to_owned(), incidents, on_call })
    }

    pub(super) async fn ask(&self, sources: &Sources, asker: Asker<'_>, source: &str, query: String) -> Reply {
        // Looks come a little sooner than the interval: an answer of the look before is not taken for one of this.
        let interval = sources.config().budget.interval.as_std();
        self.ask_within(sources, asker, source, query, interval.mul_f64(0.9)).await
    }

    /// The same, where an answer counts for so long.
    pub(super) async fn ask_within(
        &self,
        sources: &Sources,
        asker: Asker<'_>,
        source: &str,
        query: String,
        fresh: Duration,
    ) -> Reply {
        let key = (source.to_owned(), query);
        if let Some((_, reply)) = self.lock().get(&key).filter(|(asked, _)| asked.elapsed() < fresh) {
            return reply.clone();
        }
        let (asked, reply) = (Instant::now(), sources.ask(asker, source, &key.1).await);
        let longest = sources.config().budget.interval.as_std().max(fresh);
        let mut all = self.lock();
        all.retain(|_, (asked, _)| asked.elapsed() < longest);
        all.insert(key, (asked, reply.clone()));
        reply
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), (Instant, Reply)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One series is one incident, its value the last moment at which it was seen. No series at all is no answer: an alert that
/// does not fire looks the same as one that nobody wrote.
fn sightings(reply: &Reply, queries: &SignalQueries) -> Result<Vec<Sighting>, String> {
    let series = match reply {
        Reply::Series { warning: Some(why), .. } => return Err(format!("the answer is partial: {why}")),
        Reply::Series { series, warning: None } if series.is_empty() => {
            return Err("the query for incidents answers nothing, where 0 means that there is none: end it with `or on() vector(0)`".to_owned());
        }
        Reply::Series { series, warning: None } => series,
        Reply::Invalid(why) | Reply::Unreachable(why) => return Err(why.clone()),
    };
    let sighting = |one: &super::reply::Series| {
        let label = |name: &str| one.labels.get(name).filter(|value| !value.is_empty()).cloned();
        if one.value.is_nan() {
            return Err("NaN for an incident, where the moment at which it was last seen is wanted".to_owned());
        }
        Ok(Sighting {
            name: label(&queries.incident_label).unwrap_or_else(|| "an incident".to_owned()),
            severity: label(&queries.severity_label).unwrap_or_default(),
            last: one.value,
        })
    };
    series.iter().map(sighting).collect()
}

fn number(reply: &Reply, what: &str) -> Result<f64, String> {
    let evidence = reply.single(Nan::Invalid);
    match evidence.value() {
        Some(value) if *value >= 0.0 => Ok(*value),
        Some(value) => Err(format!("onCall.{what} answers {value}, where a count is wanted")),
        None => Err(format!("onCall.{what}: {}", evidence.why().unwrap_or("no answer"))),
    }
}

#[cfg(test)]
mod tests;
