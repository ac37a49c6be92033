//! One look at a GatedRelease: observe, ask, plan, lint, execute, write the status, tell.

use std::time::Duration;

use tokio::time::Instant;

use super::queue::{Key, Lane};
use super::{Context, Next, preflight, prune};
use crate::api::GatedReleaseStatus;
use crate::api::release_record::{Phase, ReleaseRecordStatus, RollbackLog};
use crate::cluster::Error;
use crate::cluster::events::About;
use crate::cluster::execute::{Done, Target, execute, word};
use crate::cluster::kind::GATED_RELEASE;
use crate::cluster::observe::{self, Found, Measured};
use crate::prometheus::offers;
use crate::release::action::{Event, EventKind};
use crate::release::snapshot::Record;
use crate::release::{Action, Answers, LintedPlan, Snapshot, due, lint, plan, question, under_way};

/// How soon it is looked at again after something was done.
const AT_ONCE: Duration = Duration::from_millis(20);
/// How often it is looked at although nothing changed, for what no watch tells of, such as a Service.
const RESYNC: Duration = Duration::from_secs(600);
/// The same while the gate is not in force.
const RESYNC_PROBLEM: Duration = Duration::from_secs(15);
/// How long a new leader waits for a budget's first measurement before it looks at its releases.
const FIRST_BUDGET_WITHIN: Duration = Duration::from_secs(6);

pub(super) async fn reconcile(context: &Context, key: &Key, namespace: &str, name: &str) -> Result<Next, Error> {
    let found = match observe::find(&context.cluster, namespace, name).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            context.metrics.release_gone(namespace, name);
            context.old_news(key);
            context.preflights.forget(key);
            context.refusals.forget(key);
            context.passes.forget(key);
            return Ok(Next::OnChange);
        }
        Err(Error::Malformed { what, why }) => return malformed(context, key, &what, &why).await,
        Err(other) => return Err(other),
    };
    context.metrics.readable("GatedRelease", namespace, name);
    let budget = &found.release.spec.risk_budget_ref.name;
    // Who leaves asks no budget.
    let stays = found.release.leaving().is_none();
    if stays && context.started.elapsed() < FIRST_BUDGET_WITHIN && !context.budgets.tried(namespace, budget) {
        return Ok(Next::In(lane(&found.release.status), Duration::from_millis(250)));
    }
    let metrics = offers(context.sources.config(), &found.release.spec);
    let (budgets, issuers) = (&context.budgets as &dyn Measured, context.issuers.now());
    let mut seen = observe::observe(&context.cluster, &found, metrics, budgets, &issuers).await?;
    seen.others = match context.index.rivals(namespace, name) {
        Some(names) => observe::others::of_names(&context.cluster, namespace, &names).await?,
        None => observe::others::listed(&context.cluster, &found.release).await?,
    };
    seen.preflight = preflight::look(context, key, &seen).await?;
    seen.jobs.refused = context.refusals.of(key);
    if under_way(&seen) {
        seen.circuits = context.sources.circuits(&found.release, context.cluster.now()).await;
    }
    context.metrics.circuits(namespace, name, &seen.circuits);
    let now = context.cluster.now();
    if let Some(question) = question(&seen, now) {
        let due = due(&seen, now);
        let (answers, tried) =
            tokio::join!(context.sources.answer(&seen, question, now), context.checks.tried(namespace, &due, now));
        seen.answers = Some(Answers { tried, ..answers });
    }
    let began = Instant::now();
    let decided = lint(plan(&seen, context.cluster.now()), &seen);
    context.metrics.planned(began.elapsed());
    match decided {
        Ok(plan) => {
            let result = carry_out(context, key, &found, &seen, &plan).await;
            refused(context, key, &found, result.as_ref().err()).await;
            let sealed = |record: &Record| record.status.as_ref().is_some_and(|status| status.outcome.is_some());
            // Nothing that goes on waits for old records.
            if result.is_ok()
                && stays
                && seen.record.as_ref().is_some_and(sealed)
                && let Err(error) = prune::look(context, key, &found.release).await
            {
                tracing::warn!(namespace, name, %error, "old records could not be pruned; it is tried again");
            }
            result
        }
        Err(notes) => {
            let why = notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            tracing::error!(namespace, name, why, "a plan broke an invariant and was not carried out");
            Err(Error::Invariant { what: format!("the plan of GatedRelease {namespace}/{name}"), why })
        }
    }
}

async fn carry_out(
    context: &Context,
    key: &Key,
    found: &Found,
    seen: &Snapshot,
    linted: &LintedPlan,
) -> Result<Next, Error> {
    let release = &found.release;
    let (namespace, name) = (release.namespace.as_str(), release.name.as_str());
    let target = Target { release, resource_version: &found.resource_version, finalizers: &found.finalizers };
    let Done { writes: done, refused, kept } =
        execute(&context.cluster, linted, target, |action| note(context, seen, action)).await?;
    context.refusals.note(key, refused, context.cluster.now());
    for (route, why) in kept {
        tracing::warn!(
            namespace,
            name,
            route,
            why,
            "the rules of this HTTPRoute stay Tidegate's by field management: who applies it without force is refused; it is tried again, or apply it with force"
        );
    }
    let plan = linted.plan();
    let leaving = plan.actions.contains(&Action::RemoveFinalizer);
    if !leaving
        && context.cluster.write_release_status(namespace, name, &release.uid, &found.status, &plan.status).await?
    {
        context.metrics.wrote("release_status");
        tracing::info!(
            namespace,
            name,
            phase = plan.status.phase.map(tracing::field::display),
            stage = plan.status.stage,
            weight = plan.status.weight.map(|weight| weight.get()),
            record = plan.status.record,
            says = plan.status.message,
            "status"
        );
    }
    let about = About { kind: &GATED_RELEASE, namespace, name, uid: &release.uid };
    for event in &plan.events {
        context.cluster.tell(&about, event).await;
        context.metrics.wrote("event");
    }
    context.metrics.release(namespace, name, &plan.status);
    if done == 0
        && let Some(digest) = seen.record.as_ref().and_then(|record| record.status.as_ref()?.digest.as_ref())
    {
        context.metrics.record_head(namespace, name, digest);
    }
    if done > 0 {
        return Ok(Next::In(lane(&plan.status), AT_ONCE));
    }
    let in_force = plan
        .status
        .conditions
        .iter()
        .any(|condition| condition.kind == "Ready" && condition.status == crate::api::condition::Truth::True);
    let resync = if in_force { RESYNC.mul_f64(0.9 + 0.2 * context.cluster.chance()) } else { RESYNC_PROBLEM };
    Ok(Next::In(lane(&plan.status), plan.wake.map_or(resync, |wake| wake.as_std().clamp(AT_ONCE, resync))))
}

/// A release that goes on is looked at before all that is idle.
fn lane(status: &GatedReleaseStatus) -> Lane {
    match status.phase {
        Some(Phase::Stage | Phase::Release | Phase::Promote | Phase::Verify | Phase::Rollback) => Lane::Urgent,
        Some(Phase::Idle | Phase::Plan | Phase::Complete) | None => Lane::Calm,
    }
}

/// One line and one count for every write.
fn note(context: &Context, seen: &Snapshot, action: &Action) {
    let (namespace, name) = (seen.release.namespace.as_str(), seen.release.name.as_str());
    context.metrics.wrote(word(action));
    let what = match action {
        Action::SetSplit { route, split, .. } => format!("HTTPRoute {route}: {split}"),
        Action::DisownRules { route, .. } => format!("HTTPRoute {route}"),
        Action::OpenRecord { name, status, .. } | Action::UpdateRecord { name, status, .. } => {
            if let Some(log) = begins(seen, status) {
                context.metrics.rollback(namespace, &seen.release.name, log.trigger.as_str());
                tracing::warn!(namespace, name = seen.release.name, trigger = %log.trigger, value = log.value, threshold = log.threshold, from = log.from_weight.get(), "rollback");
            }
            if let (Some(outcome), Some(digest)) = (status.outcome, &status.digest) {
                context.metrics.record_head(namespace, &seen.release.name, digest);
                tracing::info!(namespace, name = seen.release.name, record = name, %outcome, digest, "record sealed");
            }
            format!("{name}: {}", status.phase)
        }
        Action::Apply { carrier, object } => format!("{carrier}: {}", object["kind"].as_str().unwrap_or_default()),
        Action::Delete { carrier } => carrier.to_string(),
        Action::ScaleReplicaSet { name, replicas, .. } => format!("{name}: {replicas} pods"),
        Action::ScaleSide { carrier, replicas } => format!("{carrier}: {replicas} pods"),
        Action::DeleteReplicaSet { name, .. } => name.clone(),
        Action::CreateReplicaSet { object } => object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        Action::SetPartition { partition, .. } => format!("from place {partition} on"),
        Action::DeletePod { name, .. } | Action::StartJob { name, .. } | Action::RemoveJob { name, .. } => name.clone(),
        Action::ScaleDown { name, held, .. } => format!("{name}: {}", if *held { "held" } else { "let go" }),
        Action::WriteLedger { budget, ledger, .. } => {
            context.queue.add(&Key::budget(namespace, budget), Lane::Urgent, Duration::ZERO);
            format!("{budget}: {} charged, {} reserved", ledger.sequence, ledger.reservations.len())
        }
        Action::AddFinalizer | Action::RemoveFinalizer | Action::Resume { .. } | Action::ExplainPause { .. } => {
            String::new()
        }
    };
    tracing::info!(namespace, name, action = word(action), what, "done");
}

/// The rollback that this status begins.
fn begins<'a>(seen: &Snapshot, status: &'a ReleaseRecordStatus) -> Option<&'a RollbackLog> {
    let before =
        seen.record.as_ref().and_then(|record| record.status.as_ref()).and_then(|status| status.rollback.as_ref());
    status.rollback.as_ref().filter(|_| before.is_none() && status.outcome.is_none())
}

/// The user learns what the API server, or a policy in it, does not let Tidegate write.
async fn refused(context: &Context, key: &Key, found: &Found, error: Option<&Error>) {
    let Some(Error::Refused { what, why, .. }) = error else {
        context.old_news(key);
        return;
    };
    if context.is_news(key, format!("{what}: {why}")) {
        let release = &found.release;
        let about =
            About { kind: &GATED_RELEASE, namespace: &release.namespace, name: &release.name, uid: &release.uid };
        let note = format!("The API server refuses: {what}: {why}. It is tried again, every minute at the latest.");
        context.cluster.tell(&about, &warning("WriteRefused", note)).await;
    }
}

/// An object that cannot be read stops nothing else. It is looked at again when it changes.
async fn malformed(context: &Context, key: &Key, what: &str, why: &str) -> Result<Next, Error> {
    let Key::Release { namespace, name } = key else { return Ok(Next::OnChange) };
    context.metrics.unreadable("GatedRelease", namespace, name);
    if context.is_news(key, why.to_owned()) {
        tracing::error!(what, why, "this object cannot be read; the others go on");
        let object = context.cluster.get(&GATED_RELEASE, namespace, name).await?.unwrap_or_default();
        let uid = object.pointer("/metadata/uid").and_then(serde_json::Value::as_str).unwrap_or_default();
        let note = format!(
            "Cannot be read and is not looked after: {why}. Correct the field: kubectl edit gatedrelease {name} -n {namespace}"
        );
        context.cluster.tell(&About { kind: &GATED_RELEASE, namespace, name, uid }, &warning("Malformed", note)).await;
    }
    Ok(Next::In(Lane::Calm, RESYNC))
}

/// An event of this room's own.
pub(super) const fn warning(reason: &'static str, note: String) -> Event {
    Event { kind: EventKind::Warning, reason, note }
}
