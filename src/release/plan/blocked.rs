//! What holds a release that was let start: the gate blocks such a change by now (`000_…` §6.3, "If active incident …: block non-fix
//! releases by default"; §5.3, "release during restricted windows … via exception").
//!
//! Here belongs what is asked before a stage. What must never enter: what blocks a start (`start.rs`), and whom budgets ask that
//! got worse (`agree.rs`).

use super::active::Active;
use super::step::Step;
use crate::release::assess::Assessed;

/// The hold of a change that its gate blocks, before its start or in its course.
pub(super) const GATE_BLOCKED: &str = "GateBlocked";

/// A hold before a stage, the first one or a later: during an incident no weight rises, and in a restricted window nobody meets the
/// version first. A fix of an incident and an exception are not blocked; a rollback is not asked.
pub(super) fn before_stage(active: &Active<'_>, assessed: &Assessed<'_>, first: bool) -> Option<Step> {
    let block = assessed.decision.blocks.iter().find(|block| block.cause.holds_underway(first))?;
    let stays = if first { "no user meets it yet" } else { "the weight stays" };
    let seen = assessed.incident().filter(|_| block.cause.is_incident());
    let seen = seen.map(|seen| format!(" ({seen})")).unwrap_or_default();
    let fixes = if block.cause.is_incident() { " A fix does not wait for that, nor does a rollback." } else { "" };
    let message = format!(
        "{}: {stays}: blocked by {}{seen}. It goes on once {}; not held against the new version.{fixes}{}",
        active.name(),
        block.by,
        block.until,
        if first { again(active) } else { String::new() }
    );
    // What could not be asked is told with words that may be others at every look.
    let known = seen.split(':').next().unwrap_or_default();
    let causes = [stays, block.until.as_ref(), known];
    let hold = active.hold_while(GATE_BLOCKED, &causes, message, active.seen.release.spec.strategy.hold_for);
    Some(hold.wake(active.seen.release.spec.analysis.interval))
}

/// What comes of a release that nobody met when its hold runs out. Charged it is where the controller died before the first weight.
fn again(active: &Active<'_>) -> String {
    let (release, namespace) = (&active.seen.release.name, &active.seen.release.namespace);
    let costs = if active.status.charge.is_none() { ", and it costs nothing if the hold runs out" } else { "" };
    format!(" Nobody has met it{costs}; to try it again then: kubectl tidegate retry {release} -n {namespace}.")
}
