//! What goes on around a service, asked of the sources of the administrator.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Sources;
use super::config::SignalQueries;
use super::present::Present;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled};
use crate::api::{RiskBudgetSpec, Time};
use crate::policy::score::signals::{Heard, Sighting};
use crate::policy::score::{INCIDENT_LOOK_BACK, OnCallLoad};

/// The entry of the configuration that is asked where a RiskBudget names none.
const DEFAULT: &str = "default";

/// Replies of the present interval: a question that several budgets ask, or one budget for several reasons, is put once. What was no
/// answer is asked for again sooner.
#[derive(Default)]
pub struct Shared(Mutex<BTreeMap<(String, String), Kept>>);

/// How long what is no whole answer serves who asks the same: a source that is back is heard within a step or two, and one that is
/// away is not asked by each release at each look. Twice as long after each failure.
const FAILED_FIRST: Duration = Duration::from_secs(1);
/// The longest of these.
const FAILED_MOST: Duration = Duration::from_secs(16);

/// An answer that is kept.
struct Kept {
    /// Since when: when it was asked for; of a failure, when that was known.
    at: Instant,
    reply: Reply,
    /// How often in a row it was none.
    failures: u32,
}

impl Kept {
    /// Whether it serves somebody for whom an answer counts for so long.
    fn serves(&self, fresh: Duration) -> bool {
        let longest = match self.failures.checked_sub(1) {
            None => fresh,
            Some(doublings) => fresh.min(FAILED_FIRST.saturating_mul(1 << doublings.min(8)).min(FAILED_MOST)),
        };
        self.at.elapsed() < longest
    }
}

impl Shared {
    /// What the sources say around a service; none where nobody configured anything for it. `now` is the moment of asking.
    pub async fn hear(
        &self,
        sources: &Sources,
        (namespace, budget): (&str, &str),
        spec: &RiskBudgetSpec,
        now: Time,
    ) -> Option<Heard> {
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
        let present = Present::new(sources, Asker::Administrator, now);
        let ask = |query: &str| {
            let query = filled(query, &variables);
            async move { self.ask(present, &queries.source, query).await }
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

    pub(super) async fn ask(&self, present: Present<'_>, source: &str, query: String) -> Reply {
        // Looks come a little sooner than the interval: an answer of the look before is not taken for one of this.
        let interval = present.config().budget.interval.as_std();
        self.ask_within(present, source, query, interval.mul_f64(0.9)).await
    }

    /// The same, where an answer counts for so long.
    pub(super) async fn ask_within(&self, present: Present<'_>, source: &str, query: String, fresh: Duration) -> Reply {
        let key = (source.to_owned(), query);
        if let Some(kept) = self.lock().get(&key).filter(|kept| kept.serves(fresh)) {
            return kept.reply.clone();
        }
        let (asked, reply) = (Instant::now(), present.ask(source, &key.1).await);
        let longest = present.config().budget.interval.as_std().max(fresh);
        let mut all = self.lock();
        let failed_before = all.get(&key).map_or(0, |kept| kept.failures);
        let kept = match reply.is_whole() {
            true => Kept { at: asked, reply: reply.clone(), failures: 0 },
            false => Kept { at: Instant::now(), reply: reply.clone(), failures: failed_before.saturating_add(1) },
        };
        all.retain(|_, kept| kept.at.elapsed() < longest);
        all.insert(key, kept);
        reply
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Kept>> {
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
        Reply::Invalid(why) | Reply::Stale(why) | Reply::Unreachable(why) => return Err(why.clone()),
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
