//! Before everybody gets the new version it must have met the objectives of its service over a while, where that is asked for
//! (`spec.analysis.sloCompliance`).

use super::active::Active;
use super::compare;
use super::step::Step;
use super::verify::is_fix;
use crate::analysis::compare::Signal;
use crate::analysis::compliance::{self, Look, Objective, Reach, Standing};
use crate::analysis::{Evidence, Verdict};
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::{Span, Time, Weight};
use crate::release::ask::of_service;
use crate::release::snapshot::Snapshot;

/// The hold of a version that has not met its objectives for long enough.
const NOT_SUSTAINED: &str = "SloNotSustained";

/// The record's status with this look counted in.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let rules = seen.release.spec.analysis.slo_compliance.filter(|_| status.phase == Phase::Release);
    let (Some(rules), Some(answers), Some(look)) = (rules, &seen.answers, look(seen)) else { return status };
    let reach = Reach { back: answers.question.recent, over: rules.window };
    let complies = compliance::counted(status.complies.as_deref(), &look, reach, now);
    ReleaseRecordStatus { complies: complies.map(Box::new), ..status }
}

/// What the last moments count; none where nothing was asked.
fn look(seen: &Snapshot) -> Option<Result<Look, String>> {
    let requests = &seen.answers.as_ref()?.recent.candidate.requests;
    Some(compliance::look(requests, &objectives(seen)))
}

/// The objectives of the Service, with what the last moments say by each.
fn objectives(seen: &Snapshot) -> Vec<Objective<'_>> {
    let not_asked = || Evidence::NoData("nobody asked for it".to_owned());
    let slow = |threshold| {
        let asked = seen.answers.iter().flat_map(|answers| &answers.slow).find(|slow| slow.slower_than == threshold);
        asked.map_or_else(not_asked, |slow| slow.requests.clone())
    };
    let errors = || seen.answers.as_ref().map_or_else(not_asked, |answers| answers.recent.candidate.errors.clone());
    let of = of_service(seen).map(|slo| {
        let (bad_is, bad) = match slo.latency.as_ref().map(|latency| latency.threshold) {
            None => (Signal::Errors, errors()),
            Some(threshold) => (Signal::Slower(threshold), slow(threshold)),
        };
        Objective { name: &slo.name, objective: slo.objective, bad_is, bad }
    });
    of.collect()
}

/// Whether the stage that goes on is the last before everybody gets the new version: the next one has 100 %, or there is none.
fn is_last_before_all(active: &Active<'_>) -> bool {
    let index = active.status.stage as usize;
    let weight = |index: usize| active.status.stages.get(index).map(|stage| stage.spec.weight);
    let next = weight(index + 1).is_none_or(|next| next == Weight::FULL);
    // Where the first stage is everybody, its own end is the only one.
    next && (weight(index) != Some(Weight::FULL) || index == 0)
}

/// What a stage comes to that kept every limit: it passes, or waits until the objectives were met over long enough. A fix goes on:
/// what repairs an incident is what ends it.
pub(super) fn sustained(active: &Active<'_>, verdict: &Verdict, passed: impl Fn(&Verdict) -> Step) -> Step {
    let analysis = &active.seen.release.spec.analysis;
    let asked =
        analysis.slo_compliance.filter(|_| is_last_before_all(active) && !is_fix(active.record.spec.change.kind));
    let (Some(rules), Verdict::Pass(figures)) = (asked, verdict) else { return passed(verdict) };
    let scatter = compare::scatter(&active.status);
    let sums = active.status.complies.as_deref();
    let stands = sums.and_then(|sums| compliance::standing(sums, &objectives(active.seen), scatter));
    let how_far = match (stands, look(active.seen)) {
        (Some(Standing { over, missed: None }), _) if over >= rules.window => {
            let note = format!("objectives met over {}", rules.window);
            let all = [figures.as_str(), &note];
            let all: Vec<_> = all.into_iter().filter(|text| !text.is_empty()).collect();
            return passed(&Verdict::Pass(all.join("; ")));
        }
        (Some(Standing { missed: Some(missed), over }), _) => {
            format!("over the last {over} it has not ({missed}), and goes on when what was bad is longer ago")
        }
        (_, Some(Err(why))) => format!("whether it meets them is not known: {why}"),
        (Some(Standing { over, missed: None }), _) if over > Span::ZERO => {
            format!("it has met them over {over} up to now, and goes on when that is long enough")
        }
        (Some(_) | None, _) => "whether it meets them is not known yet".to_owned(),
    };
    let message = format!(
        "{} stays where it is: before everybody gets it, it is to meet the objectives of RiskBudget {} over {}, all its requests together: {how_far}. spec.analysis.sloCompliance asks for it; a fix would go on.",
        active.name(),
        active.record.spec.risk_budget,
        rules.window
    );
    active.hold_for(NOT_SUSTAINED, message, rules.within).wake(analysis.interval)
}
