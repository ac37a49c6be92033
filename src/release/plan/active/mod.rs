//! An attempt that is going on, with the facts that every phase needs.
//!
//! Here is what it is: its record, its workload, what runs beside that. [`template`] tells which version the workload has, [`routes`] who
//! gets which share; [`wait`], [`hold`] and [`seal`] are the steps that every phase has in common. What a single phase does stays in its
//! own file.

mod hold;
mod routes;
mod seal;
mod template;
mod wait;

pub(in crate::release) use hold::{NO_WAY_BACK, REVERT_NOT_READY};
pub(super) use routes::steer_route;
pub(in crate::release) use routes::{named, routes, steer, weight};
pub(super) use template::Template;
pub(in crate::release) use template::{active_set, judged_revision};

use super::way_back;
use crate::api::release_record::{Arm, Phase, ReleaseRecordStatus, StageRecord};
use crate::api::{Time, Weight};
use crate::policy::schedule::LEAN_MAX;
use crate::release::action::Action;
use crate::release::objects::{self, canary_size, side};
use crate::release::problem::Problem;
use crate::release::snapshot::{Record, Side, SideDeployment, Snapshot, Workload};
use crate::release::split::{Carrier, Split};
use crate::release::wording;

/// An attempt that has no outcome yet.
pub(in crate::release) struct Active<'a> {
    pub(in crate::release) seen: &'a Snapshot,
    pub(in crate::release) record: &'a Record,
    /// Where the record stands; what a new record says where its status was not written yet.
    pub(in crate::release) status: ReleaseRecordStatus,
    pub(in crate::release) now: Time,
    pub(in crate::release) problems: &'a [Problem],
}

impl<'a> Active<'a> {
    pub(in crate::release) fn of(seen: &'a Snapshot, now: Time, problems: &'a [Problem]) -> Option<Self> {
        let stored = Self::as_stored(seen, now, problems)?;
        let status = super::watch::counted(seen, stored.status, now);
        Some(Self { status, ..stored })
    }

    /// The same without what was seen since: for what is asked while that is counted in.
    pub(in crate::release) fn as_stored(seen: &'a Snapshot, now: Time, problems: &'a [Problem]) -> Option<Self> {
        let record = seen.record.as_ref()?;
        let status = record.status.clone().unwrap_or_else(|| ReleaseRecordStatus::begun(Phase::Plan, now));
        status.outcome.is_none().then_some(Self { seen, record, status, now, problems })
    }

    /// Where the record stands, as the API server has it.
    pub(super) fn stored(&self) -> Option<&ReleaseRecordStatus> {
        self.record.status.as_ref()
    }

    /// The record's status to go on from, without a hold.
    pub(super) fn next(&self) -> ReleaseRecordStatus {
        ReleaseRecordStatus { hold: None, ..self.status.clone() }
    }

    /// The record's status in another phase.
    pub(super) fn enter(&self, phase: Phase) -> ReleaseRecordStatus {
        ReleaseRecordStatus { phase, phase_since: self.now, ..self.next() }
    }

    /// How the change is called in sentences.
    pub(super) fn name(&self) -> String {
        wording::called(&self.record.spec)
    }

    /// What carries the new version while it is judged in stages.
    pub(super) const fn candidate(&self) -> Carrier {
        self.record.candidate()
    }

    /// The stage before the present one; none in the first.
    pub(super) fn stage_before(&self) -> Option<&StageRecord> {
        self.status.stages.get(self.status.stage.checked_sub(1)? as usize)
    }

    /// The weight that passed last, and none before the first.
    pub(super) fn weight_before(&self) -> Weight {
        self.stage_before().map_or(Weight::ZERO, |before| before.spec.weight)
    }

    /// When the raise to this stage began: when the one before it passed.
    pub(super) fn raise_since(&self) -> Time {
        self.stage_before().and_then(|stage| stage.passed_at).unwrap_or(self.status.phase_since)
    }

    /// The weights of a stage.
    pub(super) fn split(&self, candidate: Weight) -> Split {
        match self.record.spec.arm {
            Arm::Canary => Split::canary(candidate),
            Arm::Workload => Split::previous(candidate.rest()),
        }
    }

    /// Whether the canary stops at half of the traffic. The record decides: the manifest may have changed since.
    pub(super) fn is_lean(&self) -> bool {
        let last = self.status.stages.last().map(|stage| stage.spec.weight);
        self.record.spec.arm == Arm::Canary && last.is_some_and(|weight| weight < Weight::FULL)
    }

    pub(in crate::release) fn workload(&self) -> Option<&'a Workload> {
        self.seen.workload.as_ref()
    }

    pub(super) fn deployment(&self, carrier: Carrier) -> Option<&'a SideDeployment> {
        self.seen.side(carrier)?.deployment.as_ref().filter(|deployment| !deployment.deleting)
    }

    /// Whether anything of a carrier is to be taken away; a hand may have deleted its Deployment and nothing else.
    pub(super) fn is_left(&self, carrier: Carrier) -> bool {
        self.deployment(carrier).is_some() || self.seen.side(carrier).is_some_and(Side::is_left)
    }

    /// Pods that the canary needs for a weight.
    pub(super) fn canary_size(&self, weight: Weight) -> u32 {
        canary_size(self.workload().map_or(0, |workload| workload.replicas), weight)
    }

    /// The writes that give a carrier its objects, none where they stand as wished already.
    pub(super) fn bring_up(&self, carrier: Carrier, replicas: u32) -> Result<Vec<Action>, Problem> {
        let Some(workload) = self.workload() else { return Ok(Vec::new()) };
        let (source, revision) = match carrier {
            Carrier::Previous => (self.stable_template(workload), self.record.spec.stable.clone().unwrap_or_default()),
            Carrier::Canary | Carrier::Workload => {
                let ours = self.template(workload) == Template::Ours;
                (ours.then(|| workload.template.clone()), self.record.spec.revision.clone())
            }
        };
        let Some(source) = source else {
            // The workload has a newer template already: what stands can still grow.
            return Ok(way_back::grown(self.seen, workload, carrier, replicas));
        };
        let have = self.seen.side(carrier);
        let size = have.and_then(|side| side.deployment.as_ref()).filter(|d| !d.deleting).map(|d| d.replicas);
        // The previous version has an autoscaler of its own, which may have made it larger.
        let scaled = carrier == Carrier::Previous && !self.seen.autoscalers.is_empty();
        let floor = replicas;
        let replicas = if scaled { size.map_or(replicas, |size| size.max(replicas)) } else { replicas };
        let stands = have.is_some_and(|side| {
            side.pdb
                && side.endpoints.is_some()
                && side.floor().map_or(!scaled, |least| least >= floor)
                && size == Some(replicas)
                && side.deployment.as_ref().is_some_and(|d| d.revision == revision)
        });
        if stands {
            return Ok(Vec::new());
        }
        let objects = side(self.seen, workload, carrier, &source, &revision, replicas)?;
        Ok(objects.into_iter().map(|object| Action::Apply { carrier, object }).collect())
    }

    /// Endpoints of a carrier's Service that are ready.
    pub(super) fn endpoints(&self, carrier: Carrier) -> u32 {
        match carrier {
            Carrier::Workload => self.seen.service.as_ref().map_or(0, |service| service.ready_endpoints),
            Carrier::Canary | Carrier::Previous => self.seen.side(carrier).and_then(|side| side.endpoints).unwrap_or(0),
        }
    }

    /// Whether a carrier can take a share of the traffic that needs so many pods; otherwise what is missing.
    pub(super) fn ready(&self, carrier: Carrier, pods: u32) -> Result<(), String> {
        let available = match carrier {
            Carrier::Workload => self.new_set().map_or(0, |set| set.available),
            Carrier::Canary | Carrier::Previous => self.deployment(carrier).map_or(0, |d| d.available),
        };
        let endpoints = self.endpoints(carrier);
        if available < pods {
            return Err(format!("{available} of {pods} {carrier} pods are available"));
        }
        if endpoints < pods {
            return Err(format!(
                "{endpoints} of {pods} {carrier} endpoints are ready in Service {}",
                self.seen.service_of(carrier)
            ));
        }
        Ok(())
    }

    /// What crashes in the workload's own pods of the new version.
    pub(super) fn crashes_in_workload(&self) -> Option<&'a str> {
        self.new_set()?.crashes.first().map(String::as_str)
    }

    /// What crashes in the pods of the new version beside the workload, or, where exposure is by count, in any.
    pub(super) fn crashes(&self) -> Option<&'a str> {
        if self.seen.by_count() {
            let new = super::count::pods(self.seen, true);
            return new.into_iter().flat_map(|pod| &pod.crashes).next().map(String::as_str);
        }
        self.seen.canary.as_ref()?.deployment.as_ref()?.crashes.first().map(String::as_str)
    }
}

/// Pods of the previous version that this release wants.
pub(super) fn previous_size(active: &Active<'_>) -> u32 {
    let replicas = active.workload().map_or(0, |workload| workload.replicas);
    if active.is_lean() && active.status.rollback.is_none() && active.deployment(Carrier::Canary).is_some() {
        return canary_size(replicas, LEAN_MAX);
    }
    objects::previous_size(replicas, active.seen.release.spec.strategy.fallback_percent)
}
