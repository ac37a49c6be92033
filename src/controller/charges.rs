//! One look at the charges of a budget: what pipelines attested, what was made of it, and the next move.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::{Context, lock};
use crate::api::names::label_value;
use crate::cluster::execute::carry_out;
use crate::cluster::observe::{self, Measured};
use crate::cluster::{Cluster, Error};
use crate::release::charge::{Move, Seen, next};

/// Budgets of which it is known that everything is charged that was attested, until something is attested again.
#[derive(Default)]
pub(super) struct Settled(Mutex<BTreeSet<(String, String)>>);

impl Settled {
    /// Something was attested about an object of this name: it may be a charge of the budget of that name.
    pub(super) fn unsettle(&self, namespace: &str, name: &str) {
        lock(&self.0).remove(&(namespace.to_owned(), name.to_owned()));
    }

    fn is(&self, key: &(String, String)) -> bool {
        lock(&self.0).contains(key)
    }

    fn settle(&self, key: (String, String)) {
        lock(&self.0).insert(key);
    }
}

/// Makes the next move; says whether something was written, so that it is looked at again at once.
pub(super) async fn charge(context: &Context, namespace: &str, name: &str) -> Result<bool, Error> {
    let key = (namespace.to_owned(), name.to_owned());
    // An attestation about a name that is too long for a label is not told of.
    let told_of = label_value(name) == name;
    if told_of && context.settled.is(&key) {
        return Ok(false);
    }
    // Before anything is read: what is attested meanwhile is looked at again.
    context.settled.settle(key);
    let moved = step(context, &context.cluster, namespace, name).await;
    if !matches!(moved, Ok(Step::Nothing)) {
        context.settled.unsettle(namespace, name);
    }
    Ok(matches!(moved?, Step::Written))
}

enum Step {
    /// Everything is charged.
    Nothing,
    /// Something is to be charged, and waits for what it costs.
    Waits,
    /// Something was written.
    Written,
}

async fn step(context: &Context, cluster: &Cluster, namespace: &str, name: &str) -> Result<Step, Error> {
    let claims = observe::charges::claims(cluster, namespace, name).await?;
    if claims.is_empty() {
        return Ok(Step::Nothing);
    }
    let records = observe::charges::records(cluster, namespace, name).await?;
    let (budget, risk) = observe::budget::read(cluster, namespace, name, &context.budgets as &dyn Measured).await?;
    let Some(risk) = risk else { return Ok(Step::Waits) };
    let seen = Seen { name, budget: &budget, risk: &risk, claims: &claims, records: &records };
    let Some(next) = next(&seen, cluster.now()) else { return Ok(Step::Nothing) };
    let written = carry_out(cluster, (namespace, name), &next).await?;
    note(context, namespace, name, &next);
    Ok(if written { Step::Written } else { Step::Waits })
}

/// One line for every move, one count for every write.
fn note(context: &Context, namespace: &str, name: &str, next: &Move) {
    match next {
        Move::Number { ledger, .. } => {
            context.metrics.wrote("write_ledger");
            tracing::info!(namespace, name, number = ledger.sequence, "a charge has its number");
        }
        Move::Open { name: record, spec, status } => {
            context.metrics.wrote("open_record");
            let digest = status.digest.as_deref().unwrap_or_default();
            context.metrics.record_head(namespace, &spec.release, digest);
            tracing::info!(namespace, name = spec.release, record, digest, says = status.summary, "record sealed");
        }
        Move::Finish { name: record, status, .. } => {
            context.metrics.wrote("update_record");
            let digest = status.digest.as_deref().unwrap_or_default();
            tracing::info!(namespace, name, record, digest, says = status.summary, "record sealed");
        }
        Move::Wait(why) => tracing::debug!(namespace, name, why, "a charge waits"),
    }
    // The record carries the charge now, or its number is on its way.
    context.books.changed(namespace, &label_value(name));
}
