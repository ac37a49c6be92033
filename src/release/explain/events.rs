//! Events: what changed between the record as it stands and as it will stand, in sentences for the person on call.

use super::{After, watched};
use crate::api::condition::Truth;
use crate::api::gated_release::{GatedReleaseStatus, WorkloadKind};
use crate::api::release_record::{Outcome, Phase, Promotion, ReleaseRecordSpec, ReleaseRecordStatus, StageRecord};
use crate::api::{Time, units::round2};
use crate::release::action::{Event, EventKind};
use crate::release::plan::{SENT_BACK, Say, count};
use crate::release::template;
use crate::release::wording::{called, why};

/// The longest note that the API server takes is 1 kB.
const NOTE_MAX: usize = 1000;

pub(super) fn events(after: &After<'_>, status: &GatedReleaseStatus) -> Vec<Event> {
    let mut told = Vec::new();
    if let Some((name, spec, now)) = after.record {
        let stored = after.seen.record.as_ref().filter(|record| record.name == name);
        match stored.and_then(|record| record.status.as_ref()) {
            Some(before) => changed(&mut told, after, spec, before, now),
            None => opened(&mut told, spec, now),
        }
    }
    sent_back(&mut told, after);
    not_ready(&mut told, after, status);
    for event in &mut told {
        if event.note.len() > NOTE_MAX {
            let end = (0..=NOTE_MAX).rev().find(|end| event.note.is_char_boundary(*end)).unwrap_or(0);
            event.note.truncate(end);
        }
    }
    told
}

pub(super) fn normal(reason: &'static str, note: String) -> Event {
    Event { kind: EventKind::Normal, reason, note }
}

pub(super) fn warning(reason: &'static str, note: String) -> Event {
    Event { kind: EventKind::Warning, reason, note }
}

fn opened(told: &mut Vec<Event>, spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus) {
    let by = if spec.changed_by.is_empty() { String::new() } else { format!(" by {}", spec.changed_by) };
    let revision = template::short_of(&spec.revision);
    told.push(match status.outcome {
        Some(Outcome::Bypassed) => warning("Bypassed", format!("{}{by}: {}", spec.change, status.summary)),
        Some(_) => normal("Bootstrap", format!("Revision {revision}: {}", status.summary)),
        None => normal(
            "Planned",
            format!("Attempt {}: {}{by}, revision {revision}, is held and judged.", spec.attempt, spec.change),
        ),
    });
}

fn changed(
    told: &mut Vec<Event>,
    after: &After<'_>,
    spec: &ReleaseRecordSpec,
    before: &ReleaseRecordStatus,
    now: &ReleaseRecordStatus,
) {
    worsened(told, spec, before, now);
    hold(told, after, before, now);
    for (index, (old, new)) in before.stages.iter().zip(&now.stages).enumerate() {
        stage(told, spec, (index + 1, now.stages.len()), old, new);
    }
    if before.phase != now.phase && now.rollback.is_none() {
        phase(told, after, spec, now);
    }
    watched::news(told, after, spec, before, now);
    promotion(told, after.seen.by_count(), before.promotion.as_ref(), now.promotion.as_ref());
    rollback(told, after, spec, before, now);
    outcome(told, spec, before, now);
    charged(told, spec, before, now);
}

fn worsened(told: &mut Vec<Event>, spec: &ReleaseRecordSpec, before: &ReleaseRecordStatus, now: &ReleaseRecordStatus) {
    if let Some(worse) = now.worsened.filter(|_| now.worsened != before.worsened) {
        let note = format!(
            "{} began with better budgets than there are now: error budget {}, {} % left; risk budget {}. Whoever must agree to that is asked before its next stage.",
            called(spec),
            worse.status,
            round2(worse.remaining_percent),
            worse.band
        );
        told.push(warning("BudgetWorsened", note));
    }
}

fn hold(told: &mut Vec<Event>, after: &After<'_>, before: &ReleaseRecordStatus, now: &ReleaseRecordStatus) {
    match (&before.hold, &now.hold) {
        (old, Some(new)) if old.as_ref().map(|old| &old.reason) != Some(&new.reason) => {
            told.push(warning("Held", after.held()))
        }
        (Some(old), None) => told.push(normal(
            "HoldEnded",
            format!("No longer held for {}, which began {}.", old.reason, old.since.clock()),
        )),
        _ => {}
    }
}

fn phase(told: &mut Vec<Event>, after: &After<'_>, spec: &ReleaseRecordSpec, now: &ReleaseRecordStatus) {
    let name = called(spec);
    match now.phase {
        Phase::Stage => {
            let stages: Vec<_> =
                now.stages.iter().map(|stage| format!("{} for {}", stage.spec.weight, stage.spec.bake)).collect();
            let budget = now.budget.map_or_else(String::new, |budget| {
                format!(" Error budget {}, {} % left.", budget.status, round2(budget.remaining_percent))
            });
            told.push(normal(
                "Started",
                format!("{name} may ship: {}; then verified for {}.{budget}", stages.join(", "), now.verify),
            ));
        }
        Phase::Release if after.seen.by_count() => {
            told.extend(count::warnings(after.seen).into_iter().map(|(reason, note)| warning(reason, note)));
        }
        Phase::Release => told.push(normal(
            "CanaryReady",
            format!("{name} is ready and known to the router; it takes its first traffic."),
        )),
        Phase::Promote if after.seen.by_count() => told.push(normal(
            "Promoting",
            format!("{name} passed its last stage: the workload is let go. From then on only a revert in Git brings it back."),
        )),
        Phase::Promote => told.push(normal(
            "Promoting",
            format!("{name} passed its last stage: the workload takes it over, the previous version is kept warm."),
        )),
        Phase::Verify if after.seen.by_count() => {
            let who = match after.seen.kind() {
                WorkloadKind::Deployment => "runs in all pods",
                WorkloadKind::StatefulSet => "runs in all pods but the first, which keeps the former version as the way back,",
            };
            told.push(normal("Verifying", format!("{name} {who} and is verified for {}.", now.verify)));
        }
        Phase::Verify => told.push(normal("Verifying", format!("{name} is promoted and verified for {}.", now.verify))),
        Phase::Idle | Phase::Plan | Phase::Complete | Phase::Rollback => {}
    }
}

fn stage(
    told: &mut Vec<Event>,
    spec: &ReleaseRecordSpec,
    (number, of): (usize, usize),
    old: &StageRecord,
    new: &StageRecord,
) {
    let (name, weight) = (called(spec), new.spec.weight);
    if old.started_at.is_none() && new.started_at.is_some() {
        let note = match new.pods {
            None => {
                format!("Stage {number}/{of}: {weight} of the traffic goes to {name}, watched for {}.", new.spec.bake)
            }
            Some(pods) => format!(
                "Stage {number}/{of}: {name} has {pods}, for a stage of {weight}, watched for {}.",
                new.spec.bake
            ),
        };
        told.push(normal("StageStarted", note));
    }
    if old.passed_at.is_none() && new.passed_at.is_some() {
        told.push(normal("StagePassed", format!("Stage {number}/{of} at {weight} passed: {}", new.verdict)));
    }
}

fn promotion(told: &mut Vec<Event>, by_count: bool, before: Option<&Promotion>, now: Option<&Promotion>) {
    let Some(now) = now else { return };
    let newly = |at: fn(&Promotion) -> Option<Time>| at(now).is_some() && before.and_then(at).is_none();
    if by_count {
        if newly(|p| p.resumed_at) {
            told.push(normal(
                "WorkloadResumed",
                "The workload rolls to the new template; the pods beside it serve meanwhile.".to_owned(),
            ));
        }
        if newly(|p| p.home_at) {
            told.push(normal("Promoted", "All pods run the new version; no former pod is kept.".to_owned()));
        }
        return;
    }
    if newly(|p| p.resumed_at) {
        told.push(normal(
            "WorkloadResumed",
            "The workload rolls to the new template; the canary carries the traffic meanwhile.".to_owned(),
        ));
    }
    if newly(|p| p.half_at) {
        told.push(normal(
            "HandingBack",
            "Half of the traffic is back on the workload, which runs the new template now.".to_owned(),
        ));
    }
    if newly(|p| p.home_at) {
        told.push(normal(
            "Promoted",
            "All traffic is back on the workload; the previous version stays warm at weight 0.".to_owned(),
        ));
    }
}

fn rollback(
    told: &mut Vec<Event>,
    after: &After<'_>,
    spec: &ReleaseRecordSpec,
    before: &ReleaseRecordStatus,
    now: &ReleaseRecordStatus,
) {
    let Some(log) = &now.rollback else { return };
    if before.rollback.is_none() && after.seen.by_count() {
        let what = match count::is_late(after.seen, now, log) {
            true => "It runs in the workload itself: only a revert in Git brings it back, which ships at once.",
            false => "Its pods are taken back now.",
        };
        let goes = if count::is_late(after.seen, now, log) { "should go back" } else { "goes back" };
        told.push(warning(
            "RollingBack",
            format!("{} {goes} from {}: {}. {what}", called(spec), log.from_weight, why(log)),
        ));
    } else if before.rollback.is_none() && now.outcome != Some(Outcome::NotWithdrawn) {
        told.push(warning(
            "RollingBack",
            format!(
                "{} goes back from {}: {}. Traffic goes to {} now.",
                called(spec),
                log.from_weight,
                why(log),
                log.traffic_to
            ),
        ));
    }
    let was_home = before.rollback.as_ref().is_some_and(|log| log.home_at.is_some());
    if let (false, Some(took), Some(within)) = (was_home, log.took, log.within_time_budget) {
        let note = format!("No request goes to {} any more, {took} after the trigger.", called(spec));
        told.push(if within {
            normal("TrafficHome", note)
        } else {
            warning("TimeBudgetExceeded", format!("{note} That is more than the contract's time budget."))
        });
    }
}

/// What ran past its gate while its budget was not known is charged now, or nobody could say from what.
fn charged(told: &mut Vec<Event>, spec: &ReleaseRecordSpec, before: &ReleaseRecordStatus, now: &ReleaseRecordStatus) {
    if before.charge_waits.is_some() && now.charge_waits.is_none() {
        told.push(warning("Charged", format!("{}: {}", called(spec), now.summary)));
    }
}

fn outcome(told: &mut Vec<Event>, spec: &ReleaseRecordSpec, before: &ReleaseRecordStatus, now: &ReleaseRecordStatus) {
    let (None, Some(outcome)) = (before.outcome, now.outcome) else { return };
    let note = match &now.rollback {
        Some(log) if !log.check.is_empty() => format!("{} {}", now.summary, log.check),
        _ => format!("{}: {}", called(spec), now.summary),
    };
    told.push(match outcome {
        Outcome::Succeeded => normal("Released", note),
        Outcome::RolledBack => warning("RolledBack", note),
        Outcome::Bypassed => warning("Bypassed", note),
        Outcome::Expired => warning("Expired", note),
        Outcome::Superseded => normal("Superseded", note),
        Outcome::Reverted => normal("Reverted", note),
        Outcome::Abandoned => normal("Abandoned", note),
        Outcome::Charged => normal("Charged", note),
        Outcome::NotWithdrawn => warning("NotWithdrawn", note),
        Outcome::Bootstrap => normal("Bootstrap", note),
    });
}

/// Somebody wrote a route that led users to a version that came back, and no attempt goes on that could tell.
fn sent_back(told: &mut Vec<Event>, after: &After<'_>) {
    if let (Say::Going(SENT_BACK, sentence), None) = (after.say, after.active()) {
        told.push(warning("SentBack", sentence.clone()));
    }
}

/// Said once, when the gate goes out of force for a reason that a person must mend.
fn not_ready(told: &mut Vec<Event>, after: &After<'_>, status: &GatedReleaseStatus) {
    let find =
        |status: &GatedReleaseStatus| status.conditions.iter().find(|condition| condition.kind == "Ready").cloned();
    let Some(now) = find(status).filter(|ready| ready.status == Truth::False) else { return };
    let closed = after.outcome().is_some_and(|outcome| now.reason == outcome.as_str());
    let before = find(&after.seen.release.status);
    if !closed && before.is_none_or(|before| before.status != now.status || before.reason != now.reason) {
        told.push(warning("NotReady", format!("{}: {}", now.reason, now.message)));
    }
}
