//! Phase Verify: the promoted version is watched while the previous one is kept warm; and how a verdict becomes a step.

use super::active::{Active, Template};
use super::patience::hold;
use super::step::{LOOK_AGAIN, Step};
use super::{agree, burn, circuit, compare, compliance, open, patience, promote, roll_back, slow, synthetic, way_back};
use crate::analysis::{LastSeen, Limits, NotYet, Share, Verdict, figure, judge};
use crate::api::release_record::{Outcome, Phase, ReleaseRecordStatus, Trigger};
use crate::api::{ChangeType, Time, Weight};
use crate::release::action::Action;
use crate::release::split::{Carrier, Split};

/// Who pushed a newer template asks why nothing happens.
const NEWER_WAITS: &str = " A newer template waits until then; a fix would not (tidegate.io/change-type: BugFix, IncidentFix or SecurityFix).";

pub(super) fn step(active: &Active<'_>) -> Step {
    let since = active.status.phase_since;
    let until = since.plus(active.status.verify);
    if let Some(step) = super::release::hurts(active) {
        return step;
    }
    if let Some(workload) = active.workload() {
        match active.template(workload) {
            Template::Ours => {}
            Template::Stable => {
                return roll_back::begin(
                    active,
                    Trigger::Reverted,
                    "the template went back to the stable one".to_owned(),
                    "the template stays".to_owned(),
                );
            }
            Template::Newer if !workload.paused => return promote::overtaken(active, workload),
            // A fix does not wait (DESIGN, events): the verification ends and the fix is planned at once.
            Template::Newer if is_fix(open::seen_change(active.seen, workload, active.now).kind) => {
                return finish(active, "Released; a fix ended its verification early.");
            }
            Template::Newer => {}
        }
    }
    let writes = active.steer(Split::previous(Weight::ZERO));
    if !writes.is_empty() {
        return Step::going(
            "Restoring",
            "The rules of a route or their weights were changed: the weights are put back.".to_owned(),
        )
        .all(writes)
        .wake(LOOK_AGAIN);
    }
    let newer = active.workload().is_some_and(|workload| active.template(workload) == Template::Newer);
    let waits = if newer { NEWER_WAITS } else { "" };
    let going = || {
        let (name, until) = (active.name(), until.clock());
        let kept = match way_back::is_lost(active) {
            false => "the previous version is kept warm",
            true => {
                "the previous version was deleted and no ReplicaSet has its template any more, so that nothing can be gone back to but by Git; it is watched"
            }
        };
        let sentence = format!("{name} serves all users; {kept} until {until}.{waits}");
        Step::going("Verifying", sentence)
    };
    let step = on_verdict(active, since, until, going, |verdict| {
        if let Some(hold) = agree::before_completion(active) {
            return hold;
        }
        let promotion = patience::verified_now(active, verdict);
        let next =
            ReleaseRecordStatus { promotion: Some(promotion), assessment: agree::completed(active), ..active.next() };
        Step::going("Finishing", "Verified.".to_owned()).update(active, next)
    });
    if step.record.is_some() { step } else { step.all(way_back::kept(active)) }
}

/// What is left to do once the version is verified; the former version may be gone already.
pub(super) fn verified(active: &Active<'_>) -> Option<Step> {
    let verified = active.status.promotion.as_ref().is_some_and(|promotion| promotion.verified_at.is_some());
    let over = verified && active.status.phase == Phase::Verify;
    over.then(|| finish(active, &patience::summary(active)).clearing_hold(active))
}

pub(super) const fn is_fix(kind: ChangeType) -> bool {
    matches!(kind, ChangeType::IncidentFix | ChangeType::SecurityFix | ChangeType::BugFix | ChangeType::Rollback)
}

/// The route is what Git says, the previous version goes, the record is sealed.
fn finish(active: &Active<'_>, summary: &str) -> Step {
    let going = || Step::going("Finishing", "Taking away what the release needed.".to_owned());
    let writes = active.steer(Split::HOME);
    if !writes.is_empty() {
        return going().all(writes).wake(LOOK_AGAIN);
    }
    let leaving: Vec<_> = [Carrier::Canary, Carrier::Previous]
        .into_iter()
        .filter(|carrier| active.is_left(*carrier))
        .map(|carrier| Action::Delete { carrier })
        .collect();
    if !leaving.is_empty() {
        return going().all(leaving).wake(LOOK_AGAIN);
    }
    active.seal(Outcome::Succeeded, summary.to_owned())
}

/// Judges what Prometheus answered: a breach goes back at once; a pass counts when the bake time is over; anything else holds.
pub(super) fn on_verdict(
    active: &Active<'_>,
    since: Time,
    until: Time,
    going: impl Fn() -> Step,
    passed: impl Fn(&Verdict) -> Step,
) -> Step {
    let analysis = &active.seen.release.spec.analysis;
    let Some(answers) = &active.seen.answers else {
        return agree::unwatched(active).unwrap_or_else(|| going().wake(analysis.interval));
    };
    let limits = limits(active);
    let beside = |seen| compare::beside_who_serves(active.seen, &active.status, seen);
    let seen_whole = answers.whole.as_ref().map(beside);
    let recent = judge(limits, &beside(&answers.recent));
    let whole = seen_whole.as_ref().map(|whole| judge(limits, whole));
    for verdict in [Some(&recent), whole.as_ref()].into_iter().flatten() {
        if let Verdict::Fail(breach) = verdict {
            return roll_back::begin(active, breach.trigger, breach.value.clone(), breach.threshold.clone());
        }
    }
    // A limit that is breached is not passed, however much longer the contract waits until it goes back.
    let breached = [Some(&recent), whole.as_ref()].into_iter().flatten().find_map(|verdict| match verdict {
        Verdict::NotYet(not_yet @ NotYet::Breached { .. }) => Some(not_yet),
        Verdict::NotYet(_) | Verdict::Pass(_) | Verdict::Fail(_) => None,
    });
    if let Some(step) = breached.filter(|_| active.now >= until).and_then(|breached| hold(active, breached)) {
        return step;
    }
    let kept = active.now >= until && matches!(whole, Some(Verdict::Pass(_)));
    // A stage without bake time is not held before one window has passed: there was no time to see anything.
    let due = active.now >= until && active.now.since(since) >= analysis.window;
    let few = seen_whole.as_ref().zip(whole.as_ref()).filter(|_| due);
    let few = few.and_then(|(seen, whole)| patience::few(active, limits, seen, whole));
    let (few, not_few) = match few {
        Some(Ok(few)) => (Some(few), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, None),
    };
    let late = if kept || few.is_some() { last_moments(active, until).err() } else { None };
    let over = kept && late.is_none();
    if let Some(hold) = over.then(|| circuit::hold(active).or_else(|| burn::hold(active))).flatten() {
        return hold;
    }
    if let Some(few) = few.filter(|_| late.is_none()) {
        return patience::end_of_few(active, &few, passed);
    }
    let missing = match (&whole, &recent) {
        _ if over => None,
        // A window holds two scrapes, or nothing could be judged: that long they may take.
        _ if late.is_some() => late.as_ref().filter(|_| active.now.since(until) > analysis.window),
        (Some(Verdict::NotYet(not_yet)), _) if due => Some(not_few.as_ref().unwrap_or(not_yet)),
        // During the bake only a Prometheus that does not answer, or a version that stays unseen for a whole window, is worth a hold.
        (_, Verdict::NotYet(not_yet @ NotYet::Unreachable(_))) => Some(not_yet),
        (_, Verdict::NotYet(not_yet @ (NotYet::NoData(_) | NotYet::OtherShare(_)))) => {
            (active.now.since(since) > analysis.window).then_some(not_yet)
        }
        _ => None,
    };
    let missing_slow = || if over { None } else { slow::not_seen(active) };
    // What is not seen is waited for first: its patience is the shorter one.
    let not_seen = missing.and_then(|not_yet| hold(active, not_yet)).or_else(missing_slow);
    if let Some(step) = not_seen.or_else(|| agree::unwatched(active)) {
        return step;
    }
    // What serves well is not taken back because nobody could look: it was waited for as long as it may be.
    if let Some(unseen) = missing {
        return passed(&Verdict::NotYet(unseen.clone()));
    }
    match &whole {
        // In Verify there is nothing left to tell apart: a version that is found worse comes back, and the time decides.
        Some(verdict @ Verdict::Pass(_)) if over && active.status.phase == Phase::Release => {
            let compared = |verdict: &Verdict| compare::end_of_stage(active, verdict, until, &going, &passed);
            let sustained = |verdict: &Verdict| compliance::sustained(active, verdict, compared);
            synthetic::end_of_stage(active, verdict, sustained)
        }
        Some(verdict @ Verdict::Pass(_)) if over => passed(verdict),
        _ => {
            let rest = until.since(active.now);
            let soon = if active.now < until { analysis.interval.min(rest) } else { analysis.interval };
            going().wake(soon)
        }
    }
}

/// Whether what was scraped after the bake time is in what was looked at, and so its last moments; why not. A look at the moment
/// of the end sees up to the last scrape before it, a minute ago perhaps.
fn last_moments(active: &Active<'_>, until: Time) -> Result<(), NotYet> {
    let what = format!("requests of the new version since its bake time ended at {}", until.clock());
    let after = active.seen.answers.as_ref().and_then(|answers| answers.after.as_ref());
    after.map_or_else(|| Err(NotYet::NoData(what.clone())), |after| figure(after, &what)).map(drop)
}

/// What the last moments come to, where something was asked; a version that was found worse fails whatever they were.
pub(super) fn verdict_now(active: &Active<'_>) -> Option<Verdict> {
    let answers = active.seen.answers.as_ref()?;
    let recent = compare::beside_who_serves(active.seen, &active.status, &answers.recent);
    let limits = judge(limits(active), &recent);
    // What went back already is not blamed again.
    let judged = compare::is_judged(&active.status);
    let found = || burn::breach(active).or_else(|| synthetic::breach(active)).filter(|_| judged);
    let worse = compare::worse(active).or_else(|| found().map(Verdict::Fail));
    Some(match (limits, worse) {
        (failed @ Verdict::Fail(_), _) => failed,
        (Verdict::Pass(_) | Verdict::NotYet(_), Some(worse)) => worse,
        (other @ (Verdict::Pass(_) | Verdict::NotYet(_)), None) => other,
    })
}

fn limits<'a>(active: &'a Active<'_>) -> Limits<'a> {
    Limits {
        contract: &active.seen.release.spec.rollback,
        min_requests: active.seen.release.spec.analysis.min_requests,
        last_seen: active.status.last_seen(),
        scatter: compare::scatter(&active.status),
        looked: compare::looked(active.seen, active.now),
        course: compare::course(&active.status),
        share: share(active),
        // What serves after a rollback is told as it is.
        business: active.status.business.as_deref().filter(|_| compare::is_judged(&active.status)),
        in_a_row: if compare::is_judged(&active.status) { active.seen.release.spec.rollback.consecutive } else { 1 },
        streaks: &active.status.streaks,
    }
}

/// What the routes give the new version, of what they give the two that are compared.
fn share(active: &Active<'_>) -> Option<Share> {
    let question = active.seen.answers.as_ref()?.question;
    let weight = |carrier| f64::from(active.weight(carrier).get());
    let (new, base) = (weight(question.candidate), weight(question.base));
    let divided = new > 0.0 && base > 0.0 && !active.seen.by_count();
    let tolerance = active.seen.release.spec.analysis.share_tolerance_percent.filter(|_| divided)?;
    Some(Share { expected: new / (new + base), tolerance })
}

/// The record's next status with stable's latency as it is seen now, to judge by where stable has no traffic any more.
pub(super) fn with_stables_latency(active: &Active<'_>, next: ReleaseRecordStatus) -> ReleaseRecordStatus {
    let answers = active.seen.answers.as_ref();
    let observation = answers.map(|answers| answers.whole.as_ref().unwrap_or(&answers.recent));
    let now = observation.and_then(|seen| LastSeen::of(seen, active.seen.release.spec.analysis.min_requests));
    match LastSeen::latest(active.status.last_seen(), now) {
        Some(LastSeen { seconds, at_most }) => {
            ReleaseRecordStatus { baseline_latency: Some(seconds), baseline_latency_at_most: at_most, ..next }
        }
        None => next,
    }
}
