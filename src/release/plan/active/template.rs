//! Which template the workload has, and which of its ReplicaSets runs the attempt's.

use super::super::lost;
use super::super::stable::{noted_set, stable_set};
use super::Active;
use crate::api::release_record::{Arm, Phase};
use crate::release::objects::relabel;
use crate::release::snapshot::{ReplicaSetSeen, Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::template;

/// The workload's template, compared with the attempt's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::release::plan) enum Template {
    /// It is the attempt's.
    Ours,
    /// It is the one that served before.
    Stable,
    /// It is a newer one.
    Newer,
}

impl<'a> Active<'a> {
    /// Whether the workload runs, or is about to run, the new version itself: it has then no way back to stable.
    pub(in crate::release) fn workload_is_new(&self) -> bool {
        if self.record.spec.arm == Arm::Workload {
            return true;
        }
        if let Some(log) = &self.status.rollback {
            return log.traffic_to == self.seen.service_of(Carrier::Previous);
        }
        match self.status.phase {
            Phase::Verify => true,
            // What was let go may have been paused again before it began to roll, and a roll may not be on record yet: what
            // runs decides. Where no version alone has pods, there is nothing to go back to either.
            Phase::Promote => {
                let rolled = self.status.promotion.as_ref().is_some_and(|promotion| promotion.rolled_at.is_some());
                let resumed = self.status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
                rolled
                    || self.rolls()
                    || self.overtaken()
                    || self.workload().map_or(resumed, |workload| match running(workload) {
                        // Scaled to nothing: stable starts again as long as it is held.
                        0 => resumed,
                        several => several > 1,
                    })
            }
            Phase::Idle | Phase::Plan | Phase::Stage | Phase::Release | Phase::Rollback | Phase::Complete => false,
        }
    }

    /// Whether another template than the attempt's and the stable one was let go in the workload, as under break-glass.
    pub(in crate::release::plan) fn overtaken(&self) -> bool {
        self.workload().is_some_and(|workload| {
            let is_stable =
                self.stable_template(workload).is_some_and(|stable| template::same(&stable, &workload.template));
            let is_ours = template::revision(&workload.template) == self.record.spec.revision
                || judged_revision(self.seen, workload) == self.record.spec.revision
                || self.canary_runs(&workload.template);
            !workload.paused && !is_ours && !is_stable
        })
    }

    /// Whether pods of the attempt's template run in the workload, or are about to.
    fn rolls(&self) -> bool {
        let ours = |template: &serde_json::Value| {
            template::revision(template) == self.record.spec.revision || self.canary_runs(template)
        };
        self.workload().is_some_and(|workload| {
            (!workload.paused && ours(&workload.template))
                || workload.sets.iter().any(|set| set.is_active() && ours(&set.template))
        })
    }

    /// Whether pods of another template than the attempt's still run in the workload.
    pub(in crate::release::plan) fn others_run(&self, workload: &Workload) -> bool {
        let new = self.new_set().map(|set| set.name.as_str());
        workload.sets.iter().any(|set| Some(set.name.as_str()) != new && set.is_active())
    }

    /// The workload's template, compared with the attempt's.
    pub(in crate::release::plan) fn template(&self, workload: &Workload) -> Template {
        if judged_revision(self.seen, workload) == self.record.spec.revision || self.canary_runs(&workload.template) {
            return Template::Ours;
        }
        let stable = match self.workload_is_new() {
            // The workload's own ReplicaSets are the new version's by now.
            true => self.side_runs(Carrier::Previous, &workload.template),
            false => {
                // Where its ReplicaSet is gone, the name alone is left.
                let named = || {
                    let stable = self.record.spec.stable.as_ref();
                    let alone = lost::nothing_starts(workload) && stable == Some(&judged_revision(self.seen, workload));
                    alone || lost::is_back(self.seen, workload)
                };
                stable_set(self.seen, workload)
                    .map_or_else(named, |set| template::same(&set.template, &workload.template))
            }
        };
        if stable { Template::Stable } else { Template::Newer }
    }

    fn canary_runs(&self, template: &serde_json::Value) -> bool {
        let made_for = self.seen.canary.as_ref().and_then(|side| side.deployment.as_ref()).map(|d| d.revision.as_str());
        made_for == Some(self.record.spec.revision.as_str()) && self.side_runs(Carrier::Canary, template)
    }

    fn side_runs(&self, carrier: Carrier, template: &serde_json::Value) -> bool {
        let Some(workload) = self.workload() else { return false };
        let Some(deployment) = self.deployment(carrier) else { return false };
        relabel(self.seen, workload, carrier)
            .is_ok_and(|relabel| template::same(&relabel.template(template), &deployment.template))
    }

    /// The ReplicaSet of the workload that runs the attempt's template, once the workload was let go.
    pub(in crate::release::plan) fn new_set(&self) -> Option<&'a ReplicaSetSeen> {
        let workload = self.workload()?;
        let ours = self.template(workload) == Template::Ours;
        let is = |set: &&ReplicaSetSeen| {
            if ours {
                template::same(&set.template, &workload.template)
            } else {
                template::revision(&set.template) == self.record.spec.revision || self.canary_runs(&set.template)
            }
        };
        // Restarts leave several of the same program: the Deployment controller goes by every annotation, else what has
        // pods is meant.
        let exact = |set: &ReplicaSetSeen| ours && set.template == template::without_hash(workload.template.clone());
        workload.sets.iter().filter(is).max_by_key(|set| (exact(set), set.replicas, set.created))
    }

    /// The template that served before: that of the ReplicaSet that the record names; none where that is gone.
    pub(in crate::release::plan) fn stable_template(&self, workload: &Workload) -> Option<serde_json::Value> {
        let set = noted_set(self.seen, workload, self.record)?;
        // Once the workload was let go, what runs there alone is the attempt's.
        (template::revision(&set.template) != self.record.spec.revision).then(|| set.template.clone())
    }
}

/// The name of the workload's template: the stored one while the generation has not moved, so that an API server with
/// new defaults makes no new revision of an old template.
pub(in crate::release) fn judged_revision(seen: &Snapshot, workload: &Workload) -> String {
    match &seen.release.status.workload {
        Some(stored) if stored.uid == workload.uid && stored.generation == workload.generation => {
            stored.revision.clone()
        }
        _ => workload.revision.clone(),
    }
}

/// How many ReplicaSets have or want pods.
fn running(workload: &Workload) -> usize {
    workload.sets.iter().filter(|set| set.is_active()).count()
}

/// The one ReplicaSet that has or wants pods; `None` where there are none or several.
pub(in crate::release) fn active_set(workload: &Workload) -> Option<&ReplicaSetSeen> {
    let mut active = workload.sets.iter().filter(|set| set.is_active());
    active.next().filter(|_| active.next().is_none())
}
