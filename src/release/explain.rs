//! The one exit for status: phase, conditions and events are computed here from a step and nowhere else.

mod conditions;
mod events;
mod preflight;
mod routes;
mod watched;

use super::action::{Action, Plan};
use super::assess::{assess, view};
use super::glass::BreakGlass;
use super::plan::patience::completes;
use super::plan::{
    Active, CIRCUIT_OPEN, NO_WAY_BACK, NOBODY_HOME, REVERT_NOT_READY, Say, Step, adopt, count, judged_revision,
};
use super::problem::problems;
use super::snapshot::{BudgetSeen, Snapshot};
use super::split::{Carrier, Split};
use super::{completed, config, wording};
use crate::api::gated_release::{GatedReleaseStatus, HandedOver, RiskView, WorkloadSeen};
use crate::api::names::RELEASE;
use crate::api::release_record::{Arm, Outcome, Phase, ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::{Time, Weight};
use crate::policy::Role;

/// How things stand after a step: what all texts are made from.
pub(super) struct After<'a> {
    seen: &'a Snapshot,
    now: Time,
    say: &'a Say,
    record: Option<(&'a str, &'a ReleaseRecordSpec, &'a ReleaseRecordStatus)>,
    actions: &'a [Action],
    risk: Option<&'a RiskView>,
    asks: &'a [Role],
    handed: Option<HandedOver>,
}

/// Makes a plan of a step: adds what is to be said.
pub(super) fn complete(seen: &Snapshot, mut step: Step, now: Time) -> Plan {
    if step.actions.is_empty() {
        step.actions.extend(explain_pause(seen, &step.say));
    }
    let after = After {
        seen,
        now,
        say: &step.say,
        record: record_after(seen, &step),
        actions: &step.actions,
        risk: step.risk.as_deref(),
        asks: &step.asks,
        handed: adopt::noted_after(seen, &step),
    };
    let status = status(&after);
    let events = events::events(&after, &status);
    Plan { status, events, wake: step.wake, actions: step.actions }
}

fn record_after<'a>(
    seen: &'a Snapshot,
    step: &'a Step,
) -> Option<(&'a str, &'a ReleaseRecordSpec, &'a ReleaseRecordStatus)> {
    let stored = seen.record.as_ref();
    let (name, spec) = match (&step.opened, stored) {
        (Some((name, spec)), _) => (name.as_str(), spec),
        (None, Some(record)) => (record.name.as_str(), &record.spec),
        (None, None) => return None,
    };
    let status = step.record.as_ref().or_else(|| stored.and_then(|record| record.status.as_ref()))?;
    Some((name, spec, status))
}

impl After<'_> {
    /// The attempt that goes on after this step.
    fn active(&self) -> Option<(&ReleaseRecordSpec, &ReleaseRecordStatus)> {
        self.record.filter(|(_, _, status)| status.outcome.is_none()).map(|(_, spec, status)| (spec, status))
    }

    /// Whether edits of ConfigMaps are still to be put on record: only a step that records what runs ungated does so.
    fn keeps_config(&self) -> bool {
        let recorded =
            |action: &Action| matches!(action, Action::OpenRecord { status, .. } if status.outcome.is_some());
        let sealed = self.record.is_some_and(|(_, _, status)| status.outcome.is_some());
        let on_record = self.actions.iter().any(recorded) || sealed && config::is_on_record(self.seen);
        !on_record
    }

    fn outcome(&self) -> Option<Outcome> {
        self.record.and_then(|(_, _, status)| status.outcome)
    }

    fn phase(&self) -> Phase {
        let Some((_, _, status)) = self.record else { return Phase::Idle };
        match (status.outcome, self.say) {
            (None, _) => status.phase,
            (
                Some(
                    Outcome::Superseded | Outcome::Expired | Outcome::Abandoned | Outcome::Reverted | Outcome::Charged,
                ),
                _,
            ) => Phase::Idle,
            // The template that came back is not in the workload any more.
            (Some(Outcome::RolledBack), Say::InForce) => Phase::Idle,
            (Some(_), _) => status.phase,
        }
    }

    /// The sentence that stands in `kubectl get gr`.
    fn message(&self) -> String {
        match self.say {
            Say::Problems(found) => {
                found.first().map_or_else(String::new, |problem| format!("{}: {}", problem.reason, problem.message))
            }
            Say::Unsettled(reason, message) => format!("{reason}: {message}"),
            Say::Going(_, sentence) => sentence.clone(),
            Say::Detached => format!("{}: {}", conditions::DETACHED, conditions::detached(self.seen)),
            Say::Held => self.held(),
            Say::Closed => self.record.map_or_else(String::new, |(_, _, status)| status.summary.clone()),
            Say::InForce => match &self.seen.workload {
                Some(workload) => {
                    format!("Revision {} runs; the next change is held.", judged_revision(self.seen, workload))
                }
                None => "Nothing to do.".to_owned(),
            },
        }
    }

    /// Why it is held, until when, and what then.
    fn held(&self) -> String {
        let Some((_, status)) = self.active() else { return String::new() };
        let Some(hold) = &status.hold else { return String::new() };
        let stays = status.phase == Phase::Rollback || hold.reason == NO_WAY_BACK && self.runs_in_workload();
        if hold.reason == NO_WAY_BACK && !stays && !self.seen.by_count() {
            return format!("Held/{}: {} Since {}.", hold.reason, hold.message, hold.since.clock());
        }
        let then = if hold.reason == REVERT_NOT_READY {
            "closed as reverted, and the roll goes on by itself"
        } else if hold.reason == NOBODY_HOME {
            "home all the same, as was asked"
        } else if stays {
            "closed as what it is, not withdrawn"
        } else if status.phase == Phase::Verify && hold.reason == CIRCUIT_OPEN {
            "complete all the same"
        } else if status.phase == Phase::Verify && completes(&hold.reason) {
            "complete without it, which stays on record"
        } else if status.phase == Phase::Plan {
            "closed unreleased"
        } else {
            "rolled back"
        };
        let despite = self.despite_glass();
        format!("Held/{}: {} Until {}, then {then}.{despite}", hold.reason, hold.message, hold.deadline.clock())
    }

    /// Why the workload is held although a reason for break-glass stands there.
    fn despite_glass(&self) -> String {
        let held = self.seen.workload.as_ref().filter(|workload| workload.paused);
        match held.and_then(|workload| workload.break_glass.as_ref()) {
            Some(BreakGlass::Spent(_)) => {
                let (release, kind) = (&self.seen.release, self.seen.kind());
                let off = wording::glass_spent(kind, &release.namespace, &release.spec.workload_ref.name);
                format!(" The reason for break-glass that stands there was given before. {off}")
            }
            Some(BreakGlass::Counts(_)) | None => String::new(),
        }
    }

    /// Whether the workload itself runs the new version.
    fn runs_in_workload(&self) -> bool {
        Active::of(self.seen, self.now, &[]).is_some_and(|active| active.workload_is_new())
    }

    /// The share of the traffic that goes to the new version after the actions.
    fn weight(&self) -> Option<Weight> {
        let (spec, status) = self.active()?;
        if status.phase == Phase::Plan {
            return None;
        }
        if self.seen.by_count() {
            // What the pods make it, and not what a stage asks for.
            return Some(count::share(self.seen).weight());
        }
        let written = self
            .actions
            .iter()
            .find_map(|action| if let Action::SetSplit { split, .. } = action { Some(*split) } else { None });
        let stands = || {
            let rules = self
                .seen
                .routes
                .iter()
                .filter_map(|route| route.state.as_ref().ok())
                .flat_map(|route| route.rules.iter().flatten());
            rules.copied().max_by_key(|split| new_share(*split, spec, status))
        };
        written.or_else(stands).map(|split| new_share(split, spec, status))
    }
}

/// What of a split goes to the new version, which several carriers may run at once.
fn new_share(split: Split, spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus) -> Weight {
    let resumed = status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
    let workload_is_new = spec.arm == Arm::Workload || resumed;
    if workload_is_new { split.weight(Carrier::Previous).rest() } else { split.weight(Carrier::Canary) }
}

fn status(after: &After<'_>) -> GatedReleaseStatus {
    let before = &after.seen.release.status;
    let phase = after.phase();
    let stage = after
        .active()
        .filter(|_| phase == Phase::Release)
        .map(|(_, status)| format!("{}/{}", status.stage + 1, status.stages.len()));
    let budget = match &after.seen.budget {
        BudgetSeen::Measured { status, .. } => Some(*status),
        BudgetSeen::Missing | BudgetSeen::Unmeasured(_) => None,
    };
    let noted = before.workload.as_ref().map(|workload| workload.config.clone()).unwrap_or_default();
    let workload = after.seen.workload.as_ref().map(|workload| WorkloadSeen {
        uid: workload.uid.clone(),
        generation: workload.generation,
        revision: judged_revision(after.seen, workload),
        config: config::note(&noted, workload, after.keeps_config()),
    });
    GatedReleaseStatus {
        observed_generation: after.seen.release.generation,
        phase: Some(phase),
        stage,
        weight: after.weight(),
        held_routes: routes::held(after.seen),
        budget,
        risk: risk(after),
        rollback_proven_at: rollback_proven(after),
        message: shortened(after.message()),
        revision: after.record.map(|(_, spec, _)| spec.revision.clone()),
        record: after.record.map(|(name, _, _)| name.to_owned()),
        attempts: after.record.map_or(0, |(_, spec, _)| spec.attempt).max(before.attempts),
        records: before.records.clone(),
        completed: completed::after(after.seen, after.record),
        workload: workload.or_else(|| before.workload.clone()),
        handed_over: after.handed.clone(),
        conditions: conditions::conditions(after, &problems(after.seen)),
    }
}

/// What is at stake with the attempt that goes on. Shown from its beginning; once it ships, as it was decided. What the step
/// judged already is not judged again.
fn risk(after: &After<'_>) -> Option<RiskView> {
    let (spec, status) = after.active()?;
    let mut shown = match after.risk {
        Some(judged) => judged.clone(),
        None => view(&assess(after.seen, spec, status, after.now)?, status.assessment.as_ref()),
    };
    for role in after.asks {
        if !shown.asks.contains(role) {
            shown.asks.push(*role);
        }
    }
    Some(shown)
}

/// When a rollback last brought all traffic home within its time: kept until a later one does.
fn rollback_proven(after: &After<'_>) -> Option<Time> {
    let proven = after.record.and_then(|(_, _, status)| {
        let log = status.rollback.as_ref()?;
        let way_back_was_whole = status.outcome == Some(Outcome::RolledBack) && log.within_time_budget == Some(true);
        log.home_at.filter(|_| way_back_was_whole)
    });
    proven.max(after.seen.release.status.rollback_proven_at)
}

/// For the column of `kubectl get`: the conditions have the whole text.
fn shortened(message: String) -> String {
    const CHARACTERS_MAX: usize = 140;
    if message.chars().count() <= CHARACTERS_MAX {
        return message;
    }
    let cut: String = message.chars().take(CHARACTERS_MAX).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{} …", &cut[..end])
}

/// Whoever describes the paused Deployment learns what to look at.
fn explain_pause(seen: &Snapshot, say: &Say) -> Option<Action> {
    let workload = seen.workload.as_ref().filter(|workload| workload.paused)?;
    let stands = workload.paused_because.as_ref()?;
    let (namespace, name) = (&seen.release.namespace, &seen.release.name);
    let look = format!("kubectl describe gatedrelease {name} -n {namespace}");
    let text = match say {
        Say::Closed => format!("{RELEASE}={name}: this template was not released; stable serves. {look}"),
        Say::Going(..) | Say::Held => {
            format!("{RELEASE}={name}: this template is shipped by Tidegate, not by a rolling update. {look}")
        }
        Say::Problems(_) | Say::Unsettled(..) | Say::InForce | Say::Detached => return None,
    };
    (*stands != text).then(|| Action::ExplainPause { resource_version: workload.resource_version.clone(), text })
}
