//! Before everybody gets the new version it must have met the objectives of its service for a while without a break, where that
//! is asked for (`spec.analysis.sloCompliance`).

use super::active::Active;
use super::compare;
use super::step::Step;
use super::verify::is_fix;
use crate::analysis::compare::Signal;
use crate::analysis::compliance::{self, Look, Objective, Reach, met_for};
use crate::analysis::{Evidence, Verdict};
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::{Time, Weight};
use crate::release::ask::of_service;
use crate::release::snapshot::Snapshot;

/// The hold of a version that has not met its objectives for long enough.
const NOT_SUSTAINED: &str = "SloNotSustained";

/// The record's status with this look counted in.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let analysis = &seen.release.spec.analysis;
    let asked = analysis.slo_compliance.is_some() && status.phase == Phase::Release;
    let (Some(answers), Some(look)) = (&seen.answers, look(seen, &status).filter(|_| asked)) else { return status };
    let reach = Reach { back: answers.question.recent, apart: analysis.window, every: analysis.interval };
    let complies = compliance::counted(status.complies.as_deref(), &look, reach, now);
    ReleaseRecordStatus { complies: complies.map(Box::new), ..status }
}

/// What the last moments come to; none where nothing was asked.
fn look(seen: &Snapshot, status: &ReleaseRecordStatus) -> Option<Look> {
    let answers = seen.answers.as_ref()?;
    let candidate = &answers.recent.candidate;
    let slow = |threshold| {
        let asked = answers.slow.iter().find(|slow| slow.slower_than == threshold);
        asked.map_or_else(|| Evidence::NoData("nobody asked for it".to_owned()), |slow| slow.requests.clone())
    };
    let objectives = of_service(seen).map(|slo| {
        let (bad_is, bad) = match slo.latency.as_ref().map(|latency| latency.threshold) {
            None => (Signal::Errors, candidate.errors.clone()),
            Some(threshold) => (Signal::Slower(threshold), slow(threshold)),
        };
        Objective { name: &slo.name, objective: slo.objective, bad_is, bad }
    });
    Some(compliance::look(&candidate.requests, &objectives.collect::<Vec<_>>(), compare::scatter(status)))
}

/// Whether the stage that goes on is the last before everybody gets the new version: the next one has 100 %, or there is none.
fn is_last_before_all(active: &Active<'_>) -> bool {
    let index = active.status.stage as usize;
    let weight = |index: usize| active.status.stages.get(index).map(|stage| stage.spec.weight);
    let next = weight(index + 1).is_none_or(|next| next == Weight::FULL);
    // Where the first stage is everybody, its own end is the only one.
    next && (weight(index) != Some(Weight::FULL) || index == 0)
}

/// What a stage comes to that kept every limit: it passes, or waits until the objectives were met for long enough. A fix goes on:
/// what repairs an incident is what ends it.
pub(super) fn sustained(active: &Active<'_>, verdict: &Verdict, passed: impl Fn(&Verdict) -> Step) -> Step {
    let analysis = &active.seen.release.spec.analysis;
    let asked =
        analysis.slo_compliance.filter(|_| is_last_before_all(active) && !is_fix(active.record.spec.change.kind));
    let (Some(rules), Verdict::Pass(figures)) = (asked, verdict) else { return passed(verdict) };
    let stands = active.status.complies.as_deref();
    let look = look(active.seen, &active.status);
    let met = stands.zip(look.as_ref()).map(|(stands, look)| met_for(stands, look, active.now));
    if met.is_some_and(|met| met >= rules.window) {
        let note = format!("objectives met for {}", rules.window);
        let all = [figures.as_str(), &note];
        return passed(&Verdict::Pass(all.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")));
    }
    let how_far = match (stands, look) {
        (_, Some(Look::NotKnown(why))) => format!("whether it meets them is not known: {why}"),
        (Some(stands), _) => {
            let due = stands.since.plus(rules.window).clock();
            let missed =
                stands.missed.as_ref().map(|figures| format!(" (missed before: {figures})")).unwrap_or_default();
            format!("it has met them since {}, and goes on at {due} if it still does{missed}", stands.since.clock())
        }
        (None, _) => "whether it meets them is not known yet".to_owned(),
    };
    let message = format!(
        "{} stays where it is: before everybody gets it, it is to meet the objectives of RiskBudget {} for {} without a break: {how_far}. spec.analysis.sloCompliance asks for it; a fix would go on.",
        active.name(),
        active.record.spec.risk_budget,
        rules.window
    );
    active.hold_for(NOT_SUSTAINED, message, rules.within).wake(analysis.interval)
}
