//! Whatever a release waits for, the canary is as large as its share of the workload's present size asks for.

use serde_json::Value;

use super::route::{CANARY, weight};
use super::{Checkers, NAME, NAMESPACE, Rule, Seen, leaves, newest_record, number, text};
use crate::api::Span;
use crate::cluster::kind::DEPLOYMENT;

/// How long it may take to follow.
const WITHIN: Span = Span::seconds(30);

/// Holds of a version that should go back, or gives its users to another.
const LEAVES: [&str; 4] = ["NoWayBack", "NobodyAnswers", "NobodyHome", "Overtaken"];

/// Looks at every moment.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let small = too_small(seen);
    checkers.small_since = small.as_ref().map(|_| checkers.small_since.unwrap_or(seen.now));
    let (Some(since), Some(says), Some(calm)) = (checkers.small_since, small, checkers.circumstances.calm_since) else {
        return;
    };
    if seen.now.since(since.max(calm)) > WITHIN {
        checkers.violated(Rule::TooSmall, seen.now, says);
    }
}

fn too_small(seen: &Seen<'_>) -> Option<String> {
    let record = newest_record(seen.objects)?;
    let is = |place: &str| text(record, place).unwrap_or_default();
    let going = record.pointer("/status/outcome").is_none_or(Value::is_null)
        && record.pointer("/status/rollback").is_none_or(Value::is_null)
        && matches!(is("/status/phase"), "Release" | "Promote")
        && is("/spec/arm") != "Workload"
        && !LEAVES.contains(&is("/status/hold/reason"));
    let release = super::release(seen.objects).filter(|release| !leaves(release));
    if !going || release.is_none() {
        return None;
    }
    let share = super::routes(seen.objects).into_iter().filter_map(|route| weight(route, CANARY)).max()?;
    let workload = number(seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME)?, "/spec/replicas");
    let has = number(seen.objects.get(&DEPLOYMENT, NAMESPACE, CANARY)?, "/spec/replicas");
    // Its share, and a quarter more, but not more than the workload has.
    let wanted = (workload * share * 125).div_ceil(10_000).min(workload);
    (has < wanted)
        .then(|| format!("{CANARY} has {share} % of the users and {has} pods, beside {workload}: {wanted} are needed"))
}
