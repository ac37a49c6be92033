//! The service's error budget goes too fast while a release has users: is it the new version?

use super::active::Active;
use super::compare;
use super::patience;
use super::step::Step;
use super::verify::is_fix;
use crate::analysis::{Breach, blame};
use crate::api::release_record::{Phase, Trigger};
use crate::policy::burn::BurnLevel;
use crate::release::ask::Burning;

/// The hold of a release beside which the error budget goes for another reason.
pub(super) const BURNING: &str = "BudgetBurning";

fn page<'a>(active: &'a Active<'_>) -> Option<&'a Burning> {
    let burning = active.seen.answers.as_ref()?.burning.as_ref()?;
    (burning.burn.pair.level == BurnLevel::Page).then_some(burning)
}

/// A burn that calls somebody, and that the new version explains: it comes back.
pub(super) fn breach(active: &Active<'_>) -> Option<Breach> {
    let burning = page(active)?;
    let recent = &active.seen.answers.as_ref()?.recent;
    let recent = compare::beside_who_serves(active.seen, &active.status, recent);
    let figures = blame(&recent, compare::scatter(&active.status), compare::looked(active.seen, active.now))?;
    Some(Breach {
        trigger: Trigger::BudgetBurn,
        value: format!("objective {} {}; {figures}", burning.objective, burning.burn),
        threshold: format!("{} times", burning.burn.pair.factor),
        sentence: format!("objective {} {}, and it is this version: {figures}", burning.objective, burning.burn),
    })
}

/// A burn that the new version does not explain: it waits, because another change into an incident hurts whoever is at fault. A fix goes on.
pub(super) fn hold(active: &Active<'_>) -> Option<Step> {
    let burning = page(active)?;
    // What repairs an incident is what ends it.
    if is_fix(active.record.spec.change.kind) {
        return None;
    }
    let verifies = active.status.phase == Phase::Verify;
    let message = format!(
        "{} stays where it is: objective {} {}. Not held against the new version, which fails no more often than stable as far \
         as can be told; it goes on when the burn is over, and a hold that runs out {}.",
        active.name(),
        burning.objective,
        burning.burn,
        if verifies { "completes it all the same, which stays on record" } else { "brings it back" }
    );
    let analysis = &active.seen.release.spec.analysis;
    let hold = match verifies {
        // What serves everybody well is not taken back for somebody else's trouble.
        true => patience::to_complete(active, BURNING, message)?,
        false => active.hold(BURNING, message, analysis.evidence_within),
    };
    Some(hold.wake(analysis.interval))
}

/// The burn in words, where one goes on that was waited for.
pub(super) fn told(active: &Active<'_>) -> Option<String> {
    let burning = page(active).filter(|_| !is_fix(active.record.spec.change.kind))?;
    Some(format!("objective {} {}", burning.objective, burning.burn))
}
