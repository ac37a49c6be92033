//! What of a RiskBudget's spec is in force: reads what was attested about a loosening, and tells what becomes of it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::budget::condition;
use super::ledger::{cut, restricted};
use super::words::Look;
use super::{Context, lock};
use crate::api::condition::Truth;
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Time};
use crate::cluster::Error;
use crate::cluster::events::About as Regarding;
use crate::cluster::kind::RISK_BUDGET;
use crate::cluster::status::Written;
use crate::policy::Attested;
use crate::policy::loosening::{About, Settled, in_force, settle};
use crate::release::action::{Event, EventKind};

/// Entries of approved loosenings that a status keeps.
const ENTRIES_MAX: usize = 20;

/// Budgets of which something waits for approval: what is attested about them is worth a look.
#[derive(Default)]
pub(super) struct Pending {
    waits: Mutex<BTreeSet<(String, String)>>,
    /// Budgets whose status does not keep what is in force.
    forget: Mutex<BTreeSet<(String, String)>>,
}

/// What is said where the memory does not come back.
pub(super) const FORGETS: &str = "status.inForce was written and did not come back: the cluster's CustomResourceDefinition of RiskBudget is older than this Tidegate and drops the field. What is in force is forgotten, and a loosened spec takes effect without the approval of both roles. Apply the CRDs of this version (kubectl apply --server-side --force-conflicts -f charts/tidegate/crds/)";

impl Pending {
    /// Whether something waits.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        lock(&self.waits).contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// Whether its status does not keep what is in force.
    pub(super) fn forgets(&self, namespace: &str, name: &str) -> bool {
        lock(&self.forget).contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// What became of its status; says whether it is news that it forgets.
    pub(super) fn note_written(&self, namespace: &str, name: &str, written: Written) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        match written {
            Written::Nothing => false,
            Written::Whole => {
                lock(&self.forget).remove(&key);
                false
            }
            Written::Forgotten => lock(&self.forget).insert(key),
        }
    }

    fn note(&self, namespace: &str, name: &str, waits: bool) {
        let key = (namespace.to_owned(), name.to_owned());
        let mut all = lock(&self.waits);
        if waits {
            all.insert(key);
        } else {
            all.remove(&key);
        }
    }
}

/// What is in force of a spec.
pub(super) enum Policy {
    /// By this everything is decided.
    Settled(Box<Settled>),
    /// The window of the spec cannot be cut, or a restricted window not be understood: it is told where windows are counted,
    /// nothing ships, and what was in force stays remembered.
    Uncut,
    /// It cannot be held against what was in force; in words. Nothing ships.
    Unknown(String),
}

/// What of a spec takes effect. Attestations are read only where something would allow more.
pub(super) async fn look(
    context: &Context,
    words: &Look<'_>,
    about: About<'_>,
    wanted: &RiskBudgetSpec,
    before: &RiskBudgetStatus,
    now: Time,
) -> Result<Policy, Error> {
    // Where something is in force its window holds, as that of any other spec that nobody has agreed to.
    if before.in_force.is_none() && cut(wanted).is_err() {
        return Ok(Policy::Uncut);
    }
    let merged = match in_force(wanted, before, now) {
        Ok(merged) => merged,
        Err(why) => return Ok(Policy::Unknown(why.replace("NAME", &format!("{} -n {}", about.name, about.namespace)))),
    };
    // Not remembered, or correcting it would count as loosening.
    if restricted(&merged.spec).is_err() {
        return Ok(Policy::Uncut);
    }
    // A withdrawal that no watch has told of yet counts too.
    let said: &[Attested] = if merged.loosened.is_empty() { &[] } else { words.fresh().await? };
    let settled = match settle(about, wanted, merged, before, said, now) {
        Ok(settled) => settled,
        Err(why) => return Ok(Policy::Unknown(why)),
    };
    context.pending.note(about.namespace, about.name, settled.loosening.is_some());
    Ok(Policy::Settled(Box::new(settled)))
}

impl Policy {
    /// The spec by which the budget is measured and counted.
    pub(super) fn spec<'a>(&'a self, wanted: &'a RiskBudgetSpec) -> &'a RiskBudgetSpec {
        match self {
            Self::Settled(settled) => &settled.spec,
            Self::Uncut | Self::Unknown(_) => wanted,
        }
    }

    /// Puts what is in force into the status, and says it.
    pub(super) fn put(&self, name: &str, before: &RiskBudgetStatus, status: &mut RiskBudgetStatus, now: Time) {
        let generation = status.observed_generation;
        match self {
            Self::Settled(settled) => {
                status.in_force = Some(settled.in_force.clone());
                status.loosening.clone_from(&settled.loosening);
                if let Some(entry) = &settled.entry {
                    status.loosened.insert(0, entry.clone());
                    status.loosened.truncate(ENTRIES_MAX);
                }
                let (truth, reason, message) = settled.told.clone();
                status.conditions.push(condition("Loosening", (truth, reason, message), before, generation, now));
            }
            Self::Uncut => {}
            Self::Unknown(why) => {
                status.suspend();
                let message = format!("RiskBudget {name}: {why}. Nothing is released until it is corrected.");
                let ready = condition("Ready", (Truth::False, "PolicyUnknown", message), before, generation, now);
                status.conditions = vec![ready];
            }
        }
    }

    /// The events that tell of it, once it is written.
    fn events(&self, before: &RiskBudgetStatus) -> Vec<Event> {
        let Self::Settled(settled) = self else { return Vec::new() };
        let event = |kind, reason| Event { kind, reason, note: settled.told.2.clone() };
        let known = before.loosening.as_ref().map(|known| known.revision.as_str());
        let waits = settled.loosening.as_ref().map(|waits| waits.revision.as_str());
        let held = waits.filter(|revision| Some(*revision) != known);
        let held = held.map(|_| event(EventKind::Warning, "LooseningHeld"));
        let approved = settled.entry.as_ref().map(|_| event(EventKind::Normal, "LooseningApproved"));
        held.into_iter().chain(approved).collect()
    }
}

/// Says in the condition that the memory does not come back.
pub(super) fn forgotten(name: &str, before: &RiskBudgetStatus, status: &mut RiskBudgetStatus, now: Time) {
    let message = format!("RiskBudget {name}: {FORGETS}.");
    let facts = (Truth::Unknown, "MemoryDropped", message);
    let told = condition("Loosening", facts, before, status.observed_generation, now);
    status.conditions.retain(|condition| condition.kind != told.kind);
    status.conditions.push(told);
}

/// Tells what came of it.
pub(super) async fn tell(context: &Context, about: About<'_>, policy: &Policy, before: &RiskBudgetStatus) {
    let About { namespace, name, uid, .. } = about;
    for event in policy.events(before) {
        tracing::info!(namespace, name, reason = event.reason, says = event.note, "policy");
        context.cluster.tell(&Regarding { kind: &RISK_BUDGET, namespace, name, uid }, &event).await;
        context.metrics.wrote("event");
    }
}
