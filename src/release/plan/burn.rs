//! The service's error budget goes too fast while a release has users: is it the new version?

use super::active::Active;
use super::compare;
use super::patience;
use super::step::Step;
use super::verify::is_fix;
use crate::analysis::compare::{Overdispersion, Setup, Signal};
use crate::analysis::{ArmSample, Beside, Breach, Observation, blame};
use crate::api::release_record::{Phase, ReleaseRecordStatus, Trigger};
use crate::api::watched::StandingBurn;
use crate::api::{Span, Time};
use crate::policy::burn::Pace;
use crate::release::ask::Burning;
use crate::release::snapshot::Snapshot;
use crate::release::wording;

/// The hold of a release beside which the error budget goes for another reason.
pub(super) const BURNING: &str = "BudgetBurning";

/// The record's status with the burn as it is now: one that calls somebody is remembered as long as it is not known to be over.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let Some(answers) = &seen.answers else { return status };
    let burning = match &answers.burning.page {
        Pace::Calm => None,
        Pace::NotKnown(_) => status.burning,
        Pace::Burns(Burning { objective, burn }) => {
            let same = |stands: &StandingBurn| stands.objective == *objective && stands.over == burn.pair.long;
            Some(status.burning.filter(same).unwrap_or_else(|| StandingBurn {
                objective: objective.clone(),
                since: now,
                over: burn.pair.long,
                pace: burn.to_string(),
            }))
        }
    };
    ReleaseRecordStatus { burning, ..status }
}

/// What is known to call somebody now.
fn page<'a>(active: &'a Active<'_>) -> Option<&'a Burning> {
    active.seen.answers.as_ref()?.burning.page.burning()
}

/// Why nobody can tell whether something burns that calls somebody; None where it is known.
fn unknown<'a>(active: &'a Active<'_>) -> Option<&'a str> {
    match &active.seen.answers.as_ref()?.burning.page {
        Pace::NotKnown(why) => Some(why),
        Pace::Calm | Pace::Burns(_) => None,
    }
}

/// What tells whose doing a burn is.
struct Clue<'a> {
    /// The last moments, with what the budget goes by in the place of errors.
    seen: Observation,
    signal: Signal,
    /// How stable was the day before.
    day: Option<&'a Setup>,
}

impl Clue<'_> {
    /// What the new version is held against; None where stable has no users and its day is not known.
    fn beside(&self, active: &Active<'_>) -> Option<Beside> {
        let base = active.seen.answers.as_ref()?.question.base;
        match compare::base_serves(active.seen, &active.status, base) {
            true => Some(Beside::Stable),
            false => self.day.and_then(Beside::day_of),
        }
    }

    fn blames(&self, active: &Active<'_>) -> Option<String> {
        let scatter = self.day.map_or(Overdispersion::ASSUMED, |day| day.overdispersion);
        let looked = compare::looked(active.seen, active.now);
        blame(&self.seen, self.beside(active)?, self.signal, scatter, looked)
    }
}

/// Failed requests.
fn failed<'a>(active: &'a Active<'_>) -> Option<Clue<'a>> {
    let seen = active.seen.answers.as_ref()?.recent.clone();
    let day = active.status.comparison.as_ref().map(|record| &record.errors.setup);
    Some(Clue { seen, signal: Signal::Errors, day })
}

/// Slow ones by the threshold of the objective; None where they are not asked for.
fn slow<'a>(active: &'a Active<'_>, threshold: Span) -> Option<Clue<'a>> {
    let answers = active.seen.answers.as_ref()?;
    let slow = answers.slow.iter().find(|slow| slow.slower_than == threshold)?;
    let arm = |arm: &ArmSample, errors| ArmSample { errors, ..arm.clone() };
    let seen = Observation {
        candidate: arm(&answers.recent.candidate, slow.requests.clone()),
        base: arm(&answers.recent.base, slow.base.clone()),
        ..answers.recent.clone()
    };
    let mut compared = active.status.comparison.iter().flat_map(|record| &record.slow);
    let day = compared.find(|slow| slow.slower_than == threshold).map(|slow| &slow.signal.setup);
    Some(Clue { seen, signal: Signal::Slower(threshold), day })
}

/// From when on a request is slow by the objective; None where it speaks of something else.
fn threshold(active: &Active<'_>, objective: &str) -> Option<Span> {
    let slos = &active.seen.risk.as_ref()?.objectives.slos;
    let slo = slos.iter().find(|slo| slo.name == objective)?;
    slo.latency.as_ref().map(|latency| latency.threshold)
}

/// A burn that calls somebody, and that the new version explains: it comes back. Who fails more often is blamed for a burn of latency too.
pub(super) fn breach(active: &Active<'_>) -> Option<Breach> {
    let burning = page(active)?;
    let slow = threshold(active, &burning.objective).and_then(|threshold| slow(active, threshold));
    let figures = slow.into_iter().chain(failed(active)).find_map(|clue| clue.blames(active))?;
    Some(Breach {
        trigger: Trigger::BudgetBurn,
        value: format!("objective {} {}; {figures}", burning.objective, burning.burn),
        threshold: format!("{} times", burning.burn.pair.factor),
        sentence: format!("objective {} {}, and it is this version: {figures}", burning.objective, burning.burn),
    })
}

/// Why the new version is not blamed.
fn not_blamed(active: &Active<'_>, objective: &str) -> String {
    let threshold = threshold(active, objective);
    let clue = match threshold {
        Some(threshold) => slow(active, threshold),
        None => failed(active),
    };
    match clue.map(|clue| (clue.signal, clue.beside(active))) {
        Some((Signal::Errors, Some(_))) => "which fails no more often than stable as far as can be told".to_owned(),
        Some((Signal::Slower(_), Some(_))) => {
            "which is slow no more often than stable as far as can be told".to_owned()
        }
        Some((_, None)) => "because stable has no users to compare it with, and its day before is not known".to_owned(),
        None => "whose slow requests are not asked for beside stable's (spec.analysis.sloCompliance asks for them)"
            .to_owned(),
    }
}

/// A burn that the new version does not explain: it waits, because another change into an incident hurts whoever is at fault. A fix goes
/// on. A burn that was there and cannot be asked for any more is waited for as before: nobody has seen it end.
pub(super) fn hold(active: &Active<'_>) -> Option<Step> {
    let standing = active.status.burning.as_ref()?;
    // What repairs an incident is what ends it.
    if is_fix(active.record.spec.change.kind) {
        return None;
    }
    let burns = standing.to_string();
    let (is, goes_on) = match unknown(active) {
        None => (String::new(), "it goes on when the burn is over".to_owned()),
        Some(why) => (
            format!(
                "; seen since {}, and whether it still does is not known: {}; held as before",
                standing.since.clock(),
                wording::at_most(300, why)
            ),
            "it goes on when the burn is known to be over".to_owned(),
        ),
    };
    let verifies = active.status.phase == Phase::Verify;
    let message = format!(
        "{} stays where it is: {burns}{is}. Not held against the new version, {}; {goes_on}, and a hold that runs out {}.",
        active.name(),
        not_blamed(active, &standing.objective),
        if verifies { "completes it all the same, which stays on record" } else { "brings it back" }
    );
    let causes = [burns.as_str(), is.as_str(), goes_on.as_str()];
    let analysis = &active.seen.release.spec.analysis;
    let hold = match verifies {
        // What serves everybody well is not taken back for somebody else's trouble.
        true => patience::to_complete(active, BURNING, &causes, message)?,
        false => active.hold_while(BURNING, &causes, message, analysis.evidence_within),
    };
    Some(hold.wake(analysis.interval))
}

/// The burn in words, where one goes on that was waited for.
pub(super) fn told(active: &Active<'_>) -> Option<String> {
    let standing = active.status.burning.as_ref().filter(|_| !is_fix(active.record.spec.change.kind))?;
    let known = if unknown(active).is_some() { ", and whether it still does is not known" } else { "" };
    Some(format!("{standing}{known}"))
}

/// What the verdict of a stage says besides, where nobody could tell whether the budget burns: that it passed on what was seen of the
/// version itself. Empty where it is known.
pub(super) fn unseen(active: &Active<'_>) -> String {
    let told = |why| format!("; whether the error budget burns was not known: {}", wording::at_most(120, why));
    unknown(active).map(told).unwrap_or_default()
}
