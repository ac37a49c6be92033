//! What must never be seen, looked for at every write and in every state, by rules of its own: none asks the planner.

use std::collections::BTreeSet;

use crate::api::Weight;
use crate::api::release_record::{Arm, Outcome, Phase, ReleaseRecordStatus};
use crate::release::action::Action;
use crate::release::snapshot::Record;
use crate::release::split::Carrier;
use crate::release::template;
use crate::release::world::World;

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Broken {
    /// The linter refused a plan.
    Linter,
    /// The canary's weight rose without a recorded pass of the stage before.
    Raised,
    /// The new version's weight rose after its rollback had begun.
    RaisedAfterRollback,
    /// A sealed record was changed.
    Sealed,
    /// What has traffic is smaller than it must be.
    Capacity,
    /// Users reached a version in the workload that nobody judged, or that came back.
    Unjudged,
    /// A hold has no deadline, or its deadline moved.
    Hold,
    /// Traffic was taken from somebody who answers and given to nobody.
    Nobody,
}

/// Looks on while one action happens.
pub(super) struct Watch {
    pub(super) judged: BTreeSet<String>,
    pub(super) bypassed: bool,
    pub(super) broken: Option<(Broken, String)>,
}

impl Watch {
    pub(super) const fn new(judged: BTreeSet<String>, bypassed: bool) -> Self {
        Self { judged, bypassed, broken: None }
    }

    pub(super) fn broke(&mut self, what: Broken, why: String) {
        self.broken.get_or_insert((what, why));
    }

    /// A write of the controller's.
    pub(super) fn wrote(&mut self, before: &World, after: &World, write: &Action) {
        self.weights(before, after);
        self.answered(before, after);
        self.record(before.seen.record.as_ref(), after.seen.record.as_ref());
        if let Action::UpdateRecord { status, .. } | Action::OpenRecord { status, .. } = write
            && let Some(hold) = &status.hold
            && hold.deadline <= hold.since
        {
            self.broke(Broken::Hold, format!("{hold:?} has no deadline"));
        }
        self.look_at(after);
    }

    fn weights(&mut self, before: &World, after: &World) {
        let (was, is) = (before.split().weight(Carrier::Canary), after.split().weight(Carrier::Canary));
        if is <= was {
            return;
        }
        let Some((record, status)) = open(before) else {
            return self.broke(Broken::Raised, format!("the canary rose to {is} without an attempt"));
        };
        let runs = before.seen.canary.as_ref().and_then(|side| side.deployment.as_ref());
        if runs.is_none_or(|runs| runs.revision != record.spec.revision) {
            self.broke(Broken::Raised, format!("a canary of another revision rose to {is}"));
        }
        let withdrawn = before.route().withdrawn.as_ref().is_some_and(|(name, _)| *name == record.name);
        if status.rollback.is_some() || withdrawn {
            self.broke(Broken::RaisedAfterRollback, format!("the canary rose to {is}"));
        }
        // The last stage alone has 100; each before it must have passed, and at 100 again in the promotion all have.
        let passed = status.stages.iter().take_while(|stage| stage.passed_at.is_some()).count();
        let allowed = status.stages.get(passed).map_or(Weight::FULL, |stage| stage.spec.weight);
        if is > allowed || !matches!(status.phase, Phase::Release | Phase::Promote) {
            self.broke(Broken::Raised, format!("the canary rose to {is} in {} after {passed} passes", status.phase));
        }
    }

    /// A write of weights; the pods stand as before it.
    fn answered(&mut self, before: &World, after: &World) {
        let seen = &before.seen;
        let ready = |carrier: Carrier| match carrier {
            Carrier::Workload => seen.service.as_ref().map_or(0, |service| service.ready_endpoints),
            Carrier::Canary => seen.canary.as_ref().and_then(|side| side.endpoints).unwrap_or(0),
            Carrier::Previous => seen.previous.as_ref().and_then(|side| side.endpoints).unwrap_or(0),
        };
        let weights = |carrier: Carrier| (before.split().weight(carrier), after.split().weight(carrier));
        let all = [Carrier::Workload, Carrier::Canary, Carrier::Previous];
        let to = all.into_iter().find(|carrier| weights(*carrier).1 > weights(*carrier).0 && ready(*carrier) == 0);
        let from = all.into_iter().find(|carrier| weights(*carrier).1 < weights(*carrier).0 && ready(*carrier) > 0);
        // Who takes the release away is kept waiting for a while only.
        let taken = seen.release.deleting || seen.workload.as_ref().is_none_or(|workload| !workload.gated);
        if let (Some(to), Some(from), false) = (to, from, taken) {
            self.broke(Broken::Nobody, format!("traffic of {from:?} went to {to:?}, which has no ready pod"));
        }
    }

    fn record(&mut self, before: Option<&Record>, after: Option<&Record>) {
        let (Some(before), Some(after)) = (before, after) else { return };
        let (Some(was), Some(is)) = (&before.status, &after.status) else { return };
        if before.name != after.name {
            if was.outcome.is_none() {
                self.broke(Broken::Sealed, format!("{} was opened before {} was sealed", after.name, before.name));
            }
            return;
        }
        if was.outcome.is_some() && was != is {
            self.broke(Broken::Sealed, format!("{} was sealed and changed", before.name));
        }
        if let (Some(was), Some(is)) = (&was.hold, &is.hold)
            && was.deadline != is.deadline
            // A version that should go back and cannot, or is missed for a moment, has a patience of its own, once.
            && !(["NoWayBack", "NobodyAnswers", "NobodyHome"].contains(&is.reason.as_str()) && was.reason != is.reason)
            && was.reason != "NobodyAnswers"
        {
            self.broke(Broken::Hold, format!("the deadline of {} moved", is.reason));
        }
    }

    /// Another writer gave the workload all traffic; until it is put right users may meet what runs there.
    pub(super) const fn wiped(&mut self, _: &World) {
        self.bypassed = true;
    }

    /// How things stand.
    pub(super) fn look_at(&mut self, world: &World) {
        self.learn(world);
        let Some(workload) = &world.seen.workload else { return };
        let split = world.split();
        if split.weight(Carrier::Previous) > Weight::ZERO {
            let previous = world.seen.previous.as_ref().and_then(|side| side.deployment.as_ref());
            let has = previous.filter(|previous| !previous.deleting).map_or(0, |previous| previous.replicas);
            if has < workload.replicas {
                self.broke(Broken::Capacity, format!("previous has traffic and {has} of {} pods", workload.replicas));
            }
        }
        if split.weight(Carrier::Workload) == Weight::ZERO || self.bypassed {
            return;
        }
        let has: u32 = workload.sets.iter().map(|set| set.replicas).sum();
        if has < workload.replicas {
            self.broke(Broken::Capacity, format!("the workload has traffic and {has} of {} pods", workload.replicas));
        }
        let judged_there =
            open(world).filter(|(record, _)| record.spec.arm == Arm::Workload).map(|(record, _)| &record.spec.revision);
        for set in workload.sets.iter().filter(|set| set.replicas > 0) {
            let revision = template::revision(&set.template);
            if !self.judged.contains(&revision) && judged_there != Some(&revision) {
                let image = &set.template["spec"]["containers"][0]["image"];
                self.broke(Broken::Unjudged, format!("the workload has traffic and runs {image}"));
            }
        }
    }

    fn learn(&mut self, world: &World) {
        let Some(record) = &world.seen.record else { return };
        let Some(status) = &record.status else { return };
        let stays = status.outcome == Some(Outcome::NotWithdrawn);
        if status.rollback.is_some() && !stays {
            self.judged.remove(&record.spec.revision);
        } else if !status.stages.is_empty() && status.stages.iter().all(|stage| stage.passed_at.is_some()) {
            self.judged.insert(record.spec.revision.clone());
        }
    }
}

/// The attempt that is going on.
fn open(world: &World) -> Option<(&Record, &ReleaseRecordStatus)> {
    let record = world.seen.record.as_ref()?;
    record.status.as_ref().filter(|status| status.outcome.is_none()).map(|status| (record, status))
}
