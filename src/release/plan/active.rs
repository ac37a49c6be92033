//! An attempt that is going on, with the facts that every phase needs.

use super::lost;
use super::patience::{completes, says_nothing};
use super::promote::OVERTAKEN;
use super::stable::{noted_set, stable_set};
use super::step::{LOOK_AGAIN, Say, Step};
use super::stranded::{NOBODY_ANSWERS, NOBODY_HOME};
use crate::api::gated_release::HoldStatus;
use crate::api::release_record::{
    Arm, Outcome, Phase, Promotion, Readiness, ReleaseRecordStatus, RollbackLog, StageRecord, Trigger,
};
use crate::api::{Span, Time, Weight};
use crate::policy::schedule::LEAN_MAX;
use crate::release::action::Action;
use crate::release::config;
use crate::release::objects::{self, canary_size, relabel, side};
use crate::release::problem::Problem;
use crate::release::snapshot::{Record, ReplicaSetSeen, RouteState, SideDeployment, Snapshot, Workload};
use crate::release::split::{Carrier, Split};
use crate::release::{template, wording};

/// The hold of a release whose router does not follow.
const ROUTE_NOT_EFFECTIVE: &str = "RouteNotEffective";

/// The hold of a release that should go back and has nobody to go back to.
pub(in crate::release) const NO_WAY_BACK: &str = "NoWayBack";

/// Holds of a version that should go back and cannot, or that gives its users to somebody else: it gets ready for nothing, and
/// nothing of it is kept up.
const LEAVES: [&str; 4] = [NO_WAY_BACK, NOBODY_ANSWERS, NOBODY_HOME, OVERTAKEN];

/// The hold of a release whose former template is back in the workload and does not get ready.
pub(in crate::release) const REVERT_NOT_READY: &str = "RevertNotReady";

/// An attempt that has no outcome yet.
pub(in crate::release) struct Active<'a> {
    pub(in crate::release) seen: &'a Snapshot,
    pub(in crate::release) record: &'a Record,
    /// Where the record stands; what a new record says where its status was not written yet.
    pub(in crate::release) status: ReleaseRecordStatus,
    pub(in crate::release) now: Time,
    pub(in crate::release) problems: &'a [Problem],
}

/// The workload's template, compared with the attempt's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Template {
    /// It is the attempt's.
    Ours,
    /// It is the one that served before.
    Stable,
    /// It is a newer one.
    Newer,
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
    pub(super) fn overtaken(&self) -> bool {
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
    pub(super) fn others_run(&self, workload: &Workload) -> bool {
        let new = self.new_set().map(|set| set.name.as_str());
        workload.sets.iter().any(|set| Some(set.name.as_str()) != new && set.is_active())
    }

    pub(in crate::release) fn workload(&self) -> Option<&'a Workload> {
        self.seen.workload.as_ref()
    }

    /// The workload's template, compared with the attempt's.
    pub(super) fn template(&self, workload: &Workload) -> Template {
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

    pub(super) fn deployment(&self, carrier: Carrier) -> Option<&'a SideDeployment> {
        self.seen.side(carrier)?.deployment.as_ref().filter(|deployment| !deployment.deleting)
    }

    /// The ReplicaSet of the workload that runs the attempt's template, once the workload was let go.
    pub(super) fn new_set(&self) -> Option<&'a ReplicaSetSeen> {
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
            let have = self.deployment(carrier).map(|deployment| deployment.replicas);
            let grows = have.is_some_and(|have| have < replicas);
            return Ok(grows.then_some(Action::ScaleSide { carrier, replicas }).into_iter().collect());
        };
        let have = self.seen.side(carrier);
        let size = have.and_then(|side| side.deployment.as_ref()).filter(|d| !d.deleting).map(|d| d.replicas);
        // The previous version has an autoscaler of its own, which may have made it larger.
        let scaled = carrier == Carrier::Previous && !self.seen.autoscalers.is_empty();
        let replicas = if scaled { size.map_or(replicas, |size| size.max(replicas)) } else { replicas };
        let stands = have.is_some_and(|side| {
            side.pdb
                && side.endpoints.is_some()
                && (side.autoscaler || !scaled)
                && size == Some(replicas)
                && side.deployment.as_ref().is_some_and(|d| d.revision == revision)
        });
        if stands {
            return Ok(Vec::new());
        }
        let objects = side(self.seen, workload, carrier, &source, &revision, replicas)?;
        Ok(objects.into_iter().map(|object| Action::Apply { carrier, object }).collect())
    }

    /// The template that served before: that of the ReplicaSet that the record names; none where that is gone.
    fn stable_template(&self, workload: &Workload) -> Option<serde_json::Value> {
        let set = noted_set(self.seen, workload, self.record)?;
        // Once the workload was let go, what runs there alone is the attempt's.
        (template::revision(&set.template) != self.record.spec.revision).then(|| set.template.clone())
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

    /// Routes that can be steered.
    pub(super) fn routes(&self) -> impl Iterator<Item = (&'a str, &'a RouteState)> {
        routes(self.seen)
    }

    /// The writes that give every route these weights, none where they say so already.
    pub(super) fn steer(&self, split: Split) -> Vec<Action> {
        steer(self.seen, split)
    }

    /// Whether the router has taken the present routes over; otherwise why not.
    pub(super) fn effective(&self) -> Result<(), String> {
        self.routes()
            .try_for_each(|(name, route)| route.effective.clone().map_err(|why| format!("HTTPRoute {name}: {why}")))
    }

    /// The largest share of a carrier in any rule.
    pub(super) fn weight(&self, carrier: Carrier) -> Weight {
        weight(self.seen, carrier)
    }

    /// A step that waits for the router, and is held where that takes longer than the contract's time for readiness.
    pub(super) fn wait_for_router(&self, since: Time, reason: &'static str, what: &str) -> Step {
        let within = self.seen.release.spec.strategy.ready_within;
        let until = since.plus(within);
        if self.now >= until {
            // The moment that is counted from may be long ago, where nobody looked meanwhile: the router gets its time anew.
            let name = self.name();
            return self.hold(
                ROUTE_NOT_EFFECTIVE,
                format!("{name}: the router has not taken the weights over: {what}."),
                within,
            );
        }
        self.waits(until, reason, what)
    }

    /// A step that waits for pods within the contract's time for readiness, and goes back where that is over; `due` is the moment
    /// since when they are needed, which tells this step from any other.
    pub(super) fn wait(&self, due: Time, reason: &'static str, what: &str) -> Step {
        self.wait_for(Vec::new(), due, reason, what)
    }

    /// The same, with the writes that bring about what is waited for; none any more where the time is over.
    pub(super) fn wait_for(&self, writes: Vec<Action>, due: Time, reason: &'static str, what: &str) -> Step {
        let readiness = self.readiness(due);
        if self.now >= readiness.by {
            return self.not_ready(what);
        }
        let step = self.waits(readiness.by, reason, what);
        if self.status.readiness == Some(readiness) {
            return step.all(writes);
        }
        // On record before the writes: one that is refused at every look would keep it from ever standing there.
        step.update(self, ReleaseRecordStatus { readiness: Some(readiness), ..self.next() }).all(writes)
    }

    /// Its own time to be ready: begun when it first waits, and prolonged by what it is held for in between, whatever that is.
    fn readiness(&self, step: Time) -> Readiness {
        let within = self.seen.release.spec.strategy.ready_within;
        let Some(stands) = self.status.readiness.filter(|stands| stands.step == step) else {
            return Readiness { step, by: self.now.plus(within) };
        };
        let hold = self.status.hold.as_ref().filter(|_| !self.leaves());
        let held = hold.map_or(Span::ZERO, |hold| self.now.since(hold.since));
        Readiness { by: stands.by.plus(held), ..stands }
    }

    /// Whether it is held because it should go back, or because somebody else takes its users over.
    pub(super) fn leaves(&self) -> bool {
        self.status.hold.as_ref().is_some_and(|hold| LEAVES.contains(&hold.reason.as_str()))
    }

    fn waits(&self, until: Time, reason: &'static str, what: &str) -> Step {
        let rest = until.since(self.now);
        let (name, until) = (self.name(), until.clock());
        let sentence = match self.refused() {
            Some(why) => {
                format!("{name}: no pods are made: {why} ({what}); rolled back if it is not ready by {until}.")
            }
            None => format!(
                "{name}: waiting until it is ready to take traffic ({what}); rolled back if it is not by {until}."
            ),
        };
        Step::going(reason, sentence).wake(LOOK_AGAIN.min(rest))
    }

    fn not_ready(&self, what: &str) -> Step {
        let within = self.seen.release.spec.strategy.ready_within;
        let why = self.refused().map(|why| format!("no pods are made: {why}"));
        let why = why.or_else(|| self.crashes().map(str::to_owned));
        let value = why.map_or_else(|| what.to_owned(), |why| format!("{what}; {why}"));
        super::roll_back::begin(self, Trigger::NotReady, value, format!("ready within {within}"))
    }

    /// Why pods that the release needs cannot be made.
    fn refused(&self) -> Option<&'a str> {
        let sides = [Carrier::Canary, Carrier::Previous].into_iter().filter_map(|carrier| self.deployment(carrier));
        let of_sides = sides.filter_map(|deployment| deployment.refused.as_deref());
        of_sides.chain(self.workload().and_then(|workload| workload.refused.as_deref())).next()
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

    /// Waits for somebody or something, for so long at most.
    pub(super) fn hold(&self, reason: &str, message: String, patience: Span) -> Step {
        self.held(reason, message, patience, false)
    }

    /// The same, telling what is missing now: for messages without figures that move by themselves, which would be written
    /// at every look.
    pub(super) fn hold_for(&self, reason: &str, message: String, patience: Span) -> Step {
        self.held(reason, message, patience, true)
    }

    /// The same for a message with figures that move by themselves: it stays as long as it tells of the same causes, each word for
    /// word, and is written anew where one of them is another.
    pub(super) fn hold_while(&self, reason: &str, causes: &[&str], message: String, patience: Span) -> Step {
        let stands = self.status.hold.as_ref().filter(|hold| hold.reason == reason);
        let tells = stands.is_some_and(|hold| causes.iter().all(|cause| hold.message.contains(cause)));
        self.held(reason, message, patience, !tells)
    }

    /// When a hold ends that is written now, if it begins now: one that stands keeps its deadline, whatever it waits for by now.
    pub(super) fn hold_ends(&self, patience: Span) -> Time {
        let stands = self.status.hold.as_ref();
        let stands = stands.filter(|hold| hold.reason != NOBODY_ANSWERS && !self.is_of_papers(hold));
        stands.map_or(self.now.plus(patience), |hold| hold.deadline)
    }

    fn held(&self, reason: &str, message: String, patience: Span, anew: bool) -> Step {
        let message = wording::at_most(1_000, &message);
        let hold = match &self.status.hold {
            Some(hold) if hold.reason == reason && !anew => hold.clone(),
            // What it waits for besides changes nothing while a release that should go back cannot.
            Some(hold) if hold.reason == NO_WAY_BACK && self.cannot_go_back() => hold.clone(),
            // Another reason does not begin the patience anew: a hold ends. The moment for which a missed probe is waited for is
            // no patience with anything else.
            Some(hold) if hold.reason != NOBODY_ANSWERS && !self.is_of_papers(hold) => {
                HoldStatus { reason: reason.to_owned(), message, ..hold.clone() }
            }
            Some(_) | None => {
                HoldStatus { reason: reason.to_owned(), message, since: self.now, deadline: self.now.plus(patience) }
            }
        };
        if self.now >= hold.deadline {
            return self.expire(&hold);
        }
        let rest = hold.deadline.since(self.now);
        let step = Step::says(Say::Held).wake(rest);
        if self.status.hold.as_ref() == Some(&hold) {
            return step;
        }
        step.update(self, ReleaseRecordStatus { hold: Some(hold), ..self.status.clone() })
    }

    /// Waits as [`Active::hold`] does, with a deadline of its own whatever was waited for before; when it is over, what `over`
    /// says happens, and nothing else.
    pub(super) fn hold_until(
        &self,
        reason: &str,
        message: &str,
        patience: Span,
        over: impl FnOnce(&HoldStatus) -> Step,
    ) -> Step {
        let stands = self.status.hold.as_ref().filter(|hold| hold.reason == reason);
        match stands {
            Some(hold) if self.now >= hold.deadline => over(hold),
            Some(hold) => Step::says(Say::Held).wake(hold.deadline.since(self.now)),
            None => {
                let message = wording::at_most(1_000, message);
                let (since, deadline) = (self.now, self.now.plus(patience));
                let hold = HoldStatus { reason: reason.to_owned(), message, since, deadline };
                let next = ReleaseRecordStatus { hold: Some(hold), ..self.status.clone() };
                Step::says(Say::Held).update(self, next).wake(patience)
            }
        }
    }

    /// Whether nobody who could take the traffic over is ready.
    fn cannot_go_back(&self) -> bool {
        let stranded = !self.seen.by_count() && !self.workload_is_new() && super::stranded::strands_users(self);
        self.lacks_way_back() || stranded
    }

    /// Whether the workload runs the new version and nobody is ready who could take the traffic over.
    pub(super) fn lacks_way_back(&self) -> bool {
        !self.seen.by_count() && self.workload_is_new() && self.ready(Carrier::Previous, 1).is_err()
    }

    /// Whether a verified version waits for what it is complete without in the end: the end of that hold is no way back, so that
    /// it lends its patience to no other.
    fn is_of_papers(&self, hold: &HoldStatus) -> bool {
        self.status.phase == Phase::Verify && completes(&hold.reason)
    }

    /// Waits in the verification for what a version is complete without in the end. All such waits together have one deadline, on
    /// record with the first of them; none where that is over. What is waited for besides neither shortens nor prolongs it.
    pub(super) fn hold_to_complete(&self, reason: &str, message: &str) -> Option<Step> {
        let promotion = self.status.promotion.clone().unwrap_or_default();
        let verified = self.status.phase_since.plus(self.status.verify).max(self.now);
        let deadline = promotion.complete_by.unwrap_or(verified.plus(self.seen.release.spec.strategy.hold_for));
        if self.now >= deadline {
            return None;
        }
        let stands = self.status.hold.as_ref().filter(|hold| self.is_of_papers(hold));
        let since = stands.map_or(self.now, |hold| hold.since);
        let hold = HoldStatus { reason: reason.to_owned(), message: wording::at_most(1_000, message), since, deadline };
        let step = Step::says(Say::Held).wake(deadline.since(self.now));
        if self.status.hold.as_ref() == Some(&hold) {
            return Some(step);
        }
        let promotion = Some(Promotion { complete_by: Some(deadline), ..promotion });
        Some(step.update(self, ReleaseRecordStatus { hold: Some(hold), promotion, ..self.status.clone() }))
    }

    fn expire(&self, hold: &HoldStatus) -> Step {
        let is_verdict = !says_nothing(&hold.reason);
        let policy = if is_verdict { "" } else { ", which is no verdict on the version" };
        let waited = format!("held {} since {}{policy}", hold.reason, hold.since.clock());
        if self.status.phase == Phase::Plan {
            return self.seal(
                Outcome::Expired,
                format!("Closed unreleased: {waited}, until its deadline {}.", hold.deadline.clock()),
            );
        }
        let trigger =
            if hold.reason == ROUTE_NOT_EFFECTIVE { Trigger::RouteNotEffective } else { Trigger::HoldExpired };
        super::roll_back::begin(self, trigger, waited, format!("deadline {}", hold.deadline.clock()))
    }

    /// Ends the attempt.
    pub(super) fn seal(&self, outcome: Outcome, summary: String) -> Step {
        self.seal_back(outcome, summary, self.status.rollback.clone())
    }

    /// Ends an attempt that was to go back, with what its way back came to.
    pub(super) fn seal_back(&self, outcome: Outcome, summary: String, rollback: Option<RollbackLog>) -> Step {
        // Whoever lets go what users have met already pays the rest of what an exception costs.
        let charge = self.status.charge.as_ref().filter(|charge| outcome == Outcome::Bypassed && !charge.exception);
        let charge = charge.map(|charge| (charge.points, super::ledger::with_penalty(charge)));
        let more = charge.as_ref().map(|(plain, charge)| {
            format!(" It was charged {plain} RP when users met it first, and costs {} past its gate.", charge.points)
        });
        let summary = wording::at_most(1_000, &(summary + &more.unwrap_or_default()));
        // A number that was given is never taken back, or its record would be missed.
        let given = || super::ledger::on_its_way(self).filter(|_| outcome != Outcome::Bypassed).cloned();
        // What is not withdrawn at its end was not so in time either.
        let rollback = rollback.map(|log| match outcome {
            Outcome::NotWithdrawn => RollbackLog { within_time_budget: Some(false), ..log },
            Outcome::Bootstrap
            | Outcome::Succeeded
            | Outcome::RolledBack
            | Outcome::Superseded
            | Outcome::Expired
            | Outcome::Reverted
            | Outcome::Bypassed
            | Outcome::Abandoned
            | Outcome::Charged => log,
        });
        let phase = match outcome {
            Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed | Outcome::NotWithdrawn => Phase::Complete,
            Outcome::RolledBack | Outcome::Reverted => Phase::Rollback,
            Outcome::Superseded | Outcome::Expired | Outcome::Abandoned | Outcome::Charged => self.status.phase,
        };
        let status = ReleaseRecordStatus {
            outcome: Some(outcome),
            ended_at: Some(self.now),
            // Who let the template go had nothing to do with an edit beside it.
            resumed_by: super::open::resumed_by(self.seen)
                .filter(|_| outcome == Outcome::Bypassed && !config::is_record(&self.record.spec)),
            summary,
            rollback,
            // What it needs to go on: nothing goes on.
            baseline_latency_at_most: None,
            comparison: None,
            business: None,
            checks: Vec::new(),
            streaks: Vec::new(),
            complies: None,
            circuits: Vec::new(),
            readiness: None,
            charge: charge.map(|(_, charge)| charge).or_else(|| self.status.charge.clone()).or_else(given),
            ..self.enter(phase)
        };
        // Whoever lets go what was held before users met it pays as for an exception.
        let (write, status) = match outcome == Outcome::Bypassed && status.charge.is_none() {
            true => {
                let record = (self.record.name.as_str(), &self.record.spec);
                super::unpaid::charged(self.seen, record, &self.status, status, self.now)
            }
            false => (None, status),
        };
        Step::going("Closed", status.summary.clone()).all(write).update(self, status)
    }

    /// Problems that keep traffic from being steered.
    pub(super) fn steering_problem(&self) -> Option<&'a Problem> {
        self.problems.iter().find(|problem| problem.steering)
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

/// Routes that can be steered.
pub(in crate::release) fn routes(seen: &Snapshot) -> impl Iterator<Item = (&str, &RouteState)> {
    seen.routes.iter().filter_map(|route| Some((route.name.as_str(), route.state.as_ref().ok()?)))
}

/// The writes that give every route these weights, none where they say so already.
pub(in crate::release) fn steer(seen: &Snapshot, split: Split) -> Vec<Action> {
    routes(seen).filter(|(_, route)| !route.is(split)).map(|(name, route)| steer_route(name, route, split)).collect()
}

/// The write that gives one route these weights.
pub(super) fn steer_route(name: &str, route: &RouteState, split: Split) -> Action {
    Action::SetSplit {
        route: name.to_owned(),
        resource_version: route.resource_version.clone(),
        split,
        withdrawn: None,
    }
}

/// The largest share of a carrier in any rule.
pub(in crate::release) fn weight(seen: &Snapshot, carrier: Carrier) -> Weight {
    let shares = routes(seen).flat_map(|(_, route)| route.rules.iter().flatten()).map(|split| split.weight(carrier));
    shares.max().unwrap_or(Weight::ZERO)
}

/// Whether any rule names a carrier, with weight or without.
pub(in crate::release) fn named(seen: &Snapshot, carrier: Carrier) -> bool {
    routes(seen)
        .flat_map(|(_, route)| route.rules.iter())
        .any(|rule| rule.is_none_or(|split| split.of(carrier).is_some()))
}

/// Pods of the previous version that this release wants.
pub(super) fn previous_size(active: &Active<'_>) -> u32 {
    let replicas = active.workload().map_or(0, |workload| workload.replicas);
    if active.is_lean() && active.status.rollback.is_none() && active.deployment(Carrier::Canary).is_some() {
        return canary_size(replicas, LEAN_MAX);
    }
    objects::previous_size(replicas, active.seen.release.spec.strategy.fallback_percent)
}
