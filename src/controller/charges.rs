//! One look at the charges of a budget: what pipelines attested, what was made of it, and the next move.

use super::Context;
use super::words::Look;
use crate::api::names::label_value;
use crate::cluster::execute::carry_out;
use crate::cluster::observe::{self, Measured};
use crate::cluster::{Cluster, Error};
use crate::policy::evidence::CHARGE;
use crate::release::charge::{Move, Seen, book, next, waiting};

/// Makes the next move; says whether something was written, so that it is looked at again at once.
pub(super) async fn charge(context: &Context, look: &Look<'_>, namespace: &str, name: &str) -> Result<bool, Error> {
    if look.is_charged() {
        return Ok(false);
    }
    let moved = step(context, look, namespace, name).await?;
    if matches!(moved, Step::Nothing) {
        look.charged();
    }
    Ok(matches!(moved, Step::Written))
}

/// What is told of a charge that was asked for long ago and has no number yet; none where none waits, or nothing can be read: that is
/// tried again, and told, where it is charged.
pub(super) async fn waits(context: &Context, look: &Look<'_>, namespace: &str, name: &str) -> Option<String> {
    if look.is_charged() {
        return None;
    }
    let claims = look.fresh().await.ok().filter(|claims| claims.iter().any(|claim| claim.spec.kind == CHARGE))?;
    let cluster: &Cluster = &context.cluster;
    let records = observe::charges::records(cluster, namespace, name).await.ok()?;
    let read = observe::budget::read(cluster, namespace, name, &context.budgets as &dyn Measured).await;
    let (budget, risk) = read.ok()?;
    waiting(&Seen { name, budget: &budget, risk: &risk?, claims, records: &records }, cluster.now())
}

enum Step {
    /// Everything is charged.
    Nothing,
    /// Something is to be charged, and waits for what it costs.
    Waits,
    /// Something was written.
    Written,
}

async fn step(context: &Context, look: &Look<'_>, namespace: &str, name: &str) -> Result<Step, Error> {
    let cluster: &Cluster = &context.cluster;
    let claims = look.fresh().await?;
    if !claims.iter().any(|claim| claim.spec.kind == CHARGE) {
        return Ok(Step::Nothing);
    }
    let records = observe::charges::records(cluster, namespace, name).await?;
    let (budget, risk) = observe::budget::read(cluster, namespace, name, &context.budgets as &dyn Measured).await?;
    let Some(risk) = risk else { return Ok(Step::Waits) };
    let seen = Seen { name, budget: &budget, risk: &risk, claims, records: &records };
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
            context.metrics.record_head(namespace, &book(name), digest);
            tracing::info!(namespace, name, record, digest, says = status.summary, "record sealed");
        }
        Move::Wait(why) => tracing::debug!(namespace, name, why, "a charge waits"),
    }
    // The record carries the charge now, or its number is on its way.
    context.books.changed(namespace, &label_value(name));
}
