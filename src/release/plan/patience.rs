//! What becomes of a wait for evidence: bounded in every phase, and at the bound the manifest decides, or nobody takes back what
//! serves well.

use super::active::{Active, NO_WAY_BACK};
use super::agree::{ON_CALL_LAPSED, PAPERS_MISSING};
use super::circuit::CIRCUIT_OPEN;
use super::step::Step;
use super::{agree, burn, circuit, compare, compliance, synthetic};
use crate::analysis::{Flowed, Limits, NotYet, Observation, Verdict, judge_few};
use crate::api::gated_release::HoldStatus;
use crate::api::release_record::{Phase, Promotion};
use crate::api::{Span, WhenUndecided};
use crate::release::wording;

/// Holds for evidence: what [`NotYet`] gives as its reason, but for a limit that is breached.
const EVIDENCE: [&str; 7] = [
    "MetricsUnreachable",
    "InvalidEvidence",
    "PartialEvidence",
    "NoEvidence",
    "TooLittleTraffic",
    "OtherShare",
    "Undecided",
];

/// Whether a hold says nothing of the version: it could not be looked at, or somebody else's trouble is waited for.
pub(super) fn says_nothing(reason: &str) -> bool {
    let others = [
        burn::BURNING,
        super::blocked::GATE_BLOCKED,
        super::compare::UNDECIDED,
        super::check_job::CHECK_NOT_RUN,
        super::synthetic::NOT_ASKED,
        super::synthetic::NOT_OF_PODS,
    ];
    EVIDENCE.contains(&reason) || others.contains(&reason)
}

/// Whether a verified version is complete in the end without what a hold waits for.
///
/// Figures above a limit that chance would explain (`Undecided`) are among it: of sixty requests one that fails takes nobody's
/// version back.
pub(in crate::release) fn completes(reason: &str) -> bool {
    let others = [PAPERS_MISSING, ON_CALL_LAPSED, CIRCUIT_OPEN, burn::BURNING];
    EVIDENCE.contains(&reason) || others.contains(&reason)
}

/// What lets a version with little traffic go on.
pub(super) fn more_traffic_helps(active: &Active<'_>) -> &'static str {
    match active.seen.release.spec.analysis.undecided().then {
        WhenUndecided::RollBack => {
            " More traffic, a larger weight, or spec.analysis.whenUndecided: PassOnLimits lets it go on."
        }
        WhenUndecided::PassOnLimits => " More traffic or a larger weight lets it go on.",
    }
}

/// Waits with figures that move at each look. They are written anew with an interval that was counted, for which the record is written
/// anyway, and stay as they are in between.
pub(super) fn hold_by_figures(active: &Active<'_>, reason: &str, message: String, patience: Span) -> Step {
    let hold = if compare::moved(active) { Active::hold_for } else { Active::hold };
    hold(active, reason, message, patience)
}

/// Waits for what cannot be told yet. A verified version waits as for its papers; none where that is over.
pub(super) fn hold(active: &Active<'_>, not_yet: &NotYet) -> Option<Step> {
    let analysis = &active.seen.release.spec.analysis;
    let reason = not_yet.reason();
    // What was to go back and could not is not forgotten because nobody sees it any more.
    if let Some(back) = active.status.hold.as_ref().filter(|hold| hold.reason == NO_WAY_BACK) {
        let step = active.hold(&back.reason, back.message.clone(), analysis.evidence_within);
        return Some(step.wake(analysis.interval));
    }
    let completes = active.status.phase == Phase::Verify && completes(reason) && !active.leaves();
    let blame = match (not_yet, completes) {
        (NotYet::Breached { .. }, _) => {
            "One more check that keeps the limit lets it go on; a hold that runs out brings it back"
        }
        (NotYet::Undecided { .. }, true) => {
            "Not held against the new version; a hold that runs out completes it with these figures, which stay on record"
        }
        (_, true) => {
            "Not held against the new version; a hold that runs out completes it unseen, which stays on record"
        }
        (_, false) => "Not held against the new version; a hold that runs out brings it back",
    };
    let remedy = match not_yet {
        NotYet::OtherShare(_) => {
            " Look at the proxies, at sessions that stick to a version, and at callers that go past the route; where this is right, raise spec.analysis.shareTolerancePercent."
        }
        NotYet::TooLittle { .. } | NotYet::Undecided { .. } if !completes => more_traffic_helps(active),
        NotYet::Breached { .. }
        | NotYet::Unreachable(_)
        | NotYet::Invalid(_)
        | NotYet::Partial(_)
        | NotYet::NoData(_)
        | NotYet::TooLittle { .. }
        | NotYet::Undecided { .. }
        | NotYet::Baking { .. } => "",
    };
    let needed = needed(active, not_yet);
    let message = format!("{} stays where it is: {not_yet}{needed}. {blame}.{remedy}", active.name());
    let step = match not_yet {
        _ if completes => to_complete(active, reason, &[], message)?,
        NotYet::TooLittle { .. } | NotYet::Undecided { .. } => {
            hold_by_figures(active, reason, message, analysis.undecided().within)
        }
        NotYet::Breached { .. }
        | NotYet::Unreachable(_)
        | NotYet::Invalid(_)
        | NotYet::Partial(_)
        | NotYet::NoData(_)
        | NotYet::OtherShare(_)
        | NotYet::Baking { .. } => active.hold(reason, message, analysis.evidence_within),
    };
    Some(step.wake(analysis.interval))
}

/// Waits in the verification for what a version is complete without in the end. Its figures move: the message stays as it is until
/// an interval is counted, as in [`hold_by_figures`], and as long as it tells of the same causes, each word for word.
pub(super) fn to_complete(active: &Active<'_>, reason: &str, causes: &[&str], message: String) -> Option<Step> {
    let tells = |hold: &&HoldStatus| hold.reason == reason && causes.iter().all(|cause| hold.message.contains(cause));
    let stands = active.status.hold.as_ref().filter(tells).filter(|_| !compare::moved(active));
    active.hold_to_complete(reason, &stands.map_or(message, |hold| hold.message.clone()))
}

/// How much longer the present traffic must flow until it can be told; empty where something else is missing.
fn needed(active: &Active<'_>, not_yet: &NotYet) -> String {
    match (not_yet, &active.seen.answers) {
        (NotYet::TooLittle { have, need }, Some(answers)) => {
            // Where traffic is little, the longer look tells more of it.
            let seen = answers.whole.as_ref().unwrap_or(&answers.recent);
            let requests = seen.candidate.requests.value().copied().unwrap_or(0.0);
            Flowed::to_the_new_version(requests, seen.window).until(f64::from(*need) - have)
        }
        (NotYet::Undecided { needed, .. }, _) => needed.clone(),
        (
            NotYet::TooLittle { .. }
            | NotYet::Breached { .. }
            | NotYet::Unreachable(_)
            | NotYet::Invalid(_)
            | NotYet::Partial(_)
            | NotYet::NoData(_)
            | NotYet::OtherShare(_)
            | NotYet::Baking { .. },
            _,
        ) => String::new(),
    }
}

/// A stage that kept its limits as far as so few requests can show.
pub(super) struct Few {
    /// What could not be told.
    not_yet: NotYet,
    /// The figures of the limits.
    kept: Verdict,
}

/// What a wait for more requests comes to where the manifest lets a version pass on the limits alone: that it may, or what it waits for
/// besides. None where more than requests is missing anyway, or the manifest wants them. No request at all is no evidence, and
/// never passes. A figure above a limit is waited for in Verify as long as it may be: there it completes anyway.
pub(super) fn few(
    active: &Active<'_>,
    limits: Limits<'_>,
    seen: &Observation,
    whole: &Verdict,
) -> Option<Result<Few, NotYet>> {
    if active.seen.release.spec.analysis.undecided().then != WhenUndecided::PassOnLimits || active.leaves() {
        return None;
    }
    let in_stage = active.status.phase == Phase::Release;
    let not_yet = match whole {
        Verdict::NotYet(not_yet @ NotYet::TooLittle { .. }) => not_yet,
        Verdict::NotYet(not_yet @ NotYet::Undecided { .. }) if in_stage => not_yet,
        Verdict::NotYet(_) | Verdict::Pass(_) | Verdict::Fail(_) => return None,
    };
    let some = seen.candidate.requests.value().is_some_and(|requests| *requests >= 1.0);
    match judge_few(limits, seen) {
        Verdict::NotYet(why) if some => Some(Err(why)),
        kept @ Verdict::Pass(_) if some => Some(Ok(Few { not_yet: not_yet.clone(), kept })),
        Verdict::Pass(_) | Verdict::Fail(_) | Verdict::NotYet(_) => None,
    }
}

/// What is waited for besides more requests, then for these, and then it passes on the limits alone, which its verdict says.
pub(super) fn end_of_few(active: &Active<'_>, few: &Few, passed: impl Fn(&Verdict) -> Step) -> Step {
    let others = circuit::hold(active).or_else(|| burn::hold(active)).or_else(|| agree::unwatched(active));
    if let Some(hold) = others {
        return hold;
    }
    let end = |verdict: &Verdict| more_traffic(active, few, verdict, &passed);
    match active.status.phase {
        // The time decides: a version that is found bad comes back.
        Phase::Verify => passed(&Verdict::NotYet(few.not_yet.clone())),
        Phase::Release => {
            synthetic::end_of_stage(active, &few.kept, |verdict| compliance::sustained(active, verdict, end))
        }
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Promote | Phase::Complete | Phase::Rollback => end(&few.kept),
    }
}

fn more_traffic(active: &Active<'_>, few: &Few, verdict: &Verdict, passed: impl Fn(&Verdict) -> Step) -> Step {
    let analysis = &active.seen.release.spec.analysis;
    let patience = analysis.undecided().within;
    let not_yet = &few.not_yet;
    if patience == Span::ZERO || is_over(active) {
        let Verdict::Pass(figures) = verdict else { return passed(verdict) };
        // The figures of what is undecided are among those of the limits, with what chance would explain of each.
        let told_there = matches!(not_yet, NotYet::Undecided { .. });
        let why = if told_there { figures.clone() } else { format!("{not_yet}; {figures}") };
        return passed(&Verdict::Pass(format!("passed on the limits alone: {why}")));
    }
    let message = format!(
        "{} stays where it is: {not_yet}{}. Not held against the new version; a hold that runs out passes on the limits alone.",
        active.name(),
        needed(active, not_yet)
    );
    hold_by_figures(active, not_yet.reason(), message, patience).wake(analysis.interval)
}

/// Whether what was waited for has run out. A wait for nobody to go back to is none for evidence.
pub(super) fn is_over(active: &Active<'_>) -> bool {
    let over = |hold: &HoldStatus| active.now >= hold.deadline && !active.leaves();
    active.status.hold.as_ref().is_some_and(over)
}

/// The promotion's record with the end of the verification, and what it is complete without.
pub(super) fn verified_now(active: &Active<'_>, verdict: &Verdict) -> Promotion {
    let unseen = match verdict {
        Verdict::NotYet(why) => Some(why.to_string()),
        Verdict::Pass(_) | Verdict::Fail(_) => burn::told(active),
    };
    let complete_without = unseen.map(|why| wording::at_most(256, &why));
    Promotion { verified_at: Some(active.now), complete_without, ..active.status.promotion.clone().unwrap_or_default() }
}

/// What the record says of the end of a verification.
pub(super) fn summary(active: &Active<'_>) -> String {
    match active.status.promotion.as_ref().and_then(|promotion| promotion.complete_without.as_ref()) {
        None => "Released and verified.".to_owned(),
        Some(why) => format!("Released; complete without all of the evidence: {why}."),
    }
}
