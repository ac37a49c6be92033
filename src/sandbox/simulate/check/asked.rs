//! An error budget that gets worse while a release goes on: nobody more meets it until those agreed whom the process of that
//! status asks before a start (`001_…`, Enhanced Process, step 1; Emergency Process, step 1).

use serde_json::Value;

use super::{Checkers, FRESH, NAME, Rule, Seen, items, number, shown, text, time};
use crate::api::Time;

/// The statuses of an error budget, from the best to the worst, each with whom it asks about every change.
const ASKS: [(&str, &[&str]); 4] = [
    ("Healthy", &[]),
    ("Warning", &["senior-engineer"]),
    ("Critical", &["sre", "vp-engineering"]),
    ("Emergency", &["sre", "vp-engineering"]),
];

/// The statuses that a budget had, each with its beginning.
pub(super) type Levels = Vec<(Time, usize)>;

fn level(object: &Value, place: &str) -> Option<usize> {
    let status = text(object, place)?;
    ASKS.iter().position(|(name, _)| *name == status)
}

/// A write of the RiskBudget.
pub(super) fn remember(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(level) = seen.after.and_then(|after| level(after, "/status/errorBudget/status")) else { return };
    if checkers.levels.last().is_none_or(|(_, known)| *known != level) {
        checkers.levels.push((seen.now, level));
    }
}

/// A write of a record: a stage begins, or, where the stages stop before all of the traffic, the rest of it.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let new = |place: &str| {
        let before = seen.before.and_then(|before| text(before, place));
        before.is_none() && text(after, place).is_some()
    };
    let stages = items(after, "/status/stages");
    let begun = (0..stages.len()).find(|index| new(&format!("/status/stages/{index}/startedAt")));
    let rest = stages.last().is_some_and(|last| number(last, "/weight") < 100) && new("/status/promotion/halfAt");
    match begun {
        Some(index) => goes_on(checkers, seen, after, &format!("stage {index} begins")),
        None if rest => goes_on(checkers, seen, after, "all users have it"),
        None => {}
    }
}

/// The canary's weight rises to `now`: beyond the stages that began, it is the next one's.
pub(super) fn rises(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value, now: u64) {
    let begun = items(record, "/status/stages").iter().filter(|stage| text(stage, "/startedAt").is_some());
    if now > begun.map(|stage| number(stage, "/weight")).max().unwrap_or(0) {
        goes_on(checkers, seen, record, &format!("its weight rises to {now} %"));
    }
}

fn goes_on(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value, how: &str) {
    let rollback = text(record, "/spec/change/type") == Some("Rollback");
    // What is attested of the second service nobody here listens to.
    if rollback || text(record, "/spec/release") != Some(NAME) {
        return;
    }
    let (Some(began), Some(is)) = (level(record, "/status/budget/status"), lately(&checkers.levels, seen.now)) else {
        return;
    };
    if is <= began {
        return;
    }
    // Who agreed since it got worse at all agreed; a process's clock may be behind.
    let made = time(record, "/metadata/creationTimestamp");
    let worse = |(at, level): &&(Time, usize)| *level > began && made.is_none_or(|made| *at >= made);
    let since = checkers.levels.iter().find(worse).map(|(at, _)| *at).or(made);
    let what = text(record, "/spec/revision").unwrap_or_default();
    let missing = ASKS[is].1.iter().filter(|role| !ASKS[began].1.contains(role));
    let missing: Vec<_> =
        missing.filter(|role| !shown::approved(checkers, seen.now, what, role, since)).copied().collect();
    if !missing.is_empty() {
        let name = text(record, "/metadata/name").unwrap_or_default();
        let (began, is) = (ASKS[began].0, ASKS[is].0);
        let says =
            format!("{name}: {how}; it began in {began}, it is {is}, and nobody agrees as {}", missing.join(", "));
        checkers.violated(Rule::NotAsked, seen.now, says);
    }
}

/// The best status at any moment that the look behind this write may be from.
fn lately(levels: &Levels, now: Time) -> Option<usize> {
    let until = |place: usize| levels.get(place + 1).map_or(now, |(at, _)| *at);
    let known = levels.iter().enumerate().filter(|(place, _)| now.since(until(*place)) <= FRESH);
    known.map(|(_, (_, level))| *level).min()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::Kind;
    use crate::cluster::kind::{ATTESTATION, RELEASE_RECORD, RISK_BUDGET};
    use crate::sandbox::simulate::check::NAMESPACE;
    use crate::sandbox::simulate::check::tests::Kept;

    /// What happens at a second, in a line: `budget Warning`, `approve sre`, `withdraw sre`, of another person `reject sre` and
    /// `accept sre`, `stage 1`, `half`.
    fn play(kind: &str, steps: &[(u32, &str)]) -> Vec<Rule> {
        let mut checkers = Checkers::default();
        let stages = || json!([{"weight": 10}, {"weight": 50}]);
        let mut record = json!({
            "metadata": {"name": "web-0002", "creationTimestamp": "2026-01-01T09:00:00Z"},
            "spec": {"release": NAME, "revision": "b", "change": {"type": kind}},
            "status": {"budget": {"status": "Healthy"}, "stages": stages(), "promotion": {}},
        });
        for (number, (second, what)) in steps.iter().enumerate() {
            let now = Time(format!("2026-01-01T09:00:{second:02}Z").parse().unwrap());
            let before = record.clone();
            let (word, rest) = what.split_once(' ').unwrap_or((what, ""));
            let says = |author: &str, outcome: &str| {
                json!({"metadata": {"name": number.to_string()}, "spec": {"releaseRef": {"name": NAME},
                    "revision": "b", "type": "approval", "role": rest, "author": author, "outcome": outcome}})
            };
            let said = |outcome: &str| says("ann", outcome);
            let (kind, before, after): (&Kind, _, _) = match word {
                "budget" => {
                    let budget = json!({"metadata": {"name": NAME}, "status": {"errorBudget": {"status": rest}}});
                    (&RISK_BUDGET, Some(budget.clone()), budget)
                }
                "approve" => (&ATTESTATION, None, said("Passed")),
                "withdraw" => (&ATTESTATION, None, said("Withdrawn")),
                "reject" => (&ATTESTATION, None, says("carl", "Failed")),
                "accept" => (&ATTESTATION, None, says("carl", "Withdrawn")),
                "stage" => {
                    let index: usize = rest.parse().unwrap();
                    record["status"]["stages"][index]["startedAt"] = json!(now);
                    (&RELEASE_RECORD, Some(before), record.clone())
                }
                _ => {
                    record["status"]["promotion"]["halfAt"] = json!(now);
                    (&RELEASE_RECORD, Some(before), record.clone())
                }
            };
            let seen = Seen {
                kind,
                namespace: NAMESPACE,
                name: NAME,
                before: before.as_ref(),
                after: Some(&after),
                process: Some(0),
                objects: &Kept(Vec::new()),
                now,
            };
            match kind.plural {
                "riskbudgets" => remember(&mut checkers, &seen),
                "attestations" => shown::remember(&mut checkers, &seen),
                _ => check(&mut checkers, &seen),
            }
        }
        checkers.violations.iter().map(|one| one.rule).collect()
    }

    #[rstest]
    #[case::as_it_was("Feature", &[(1, "budget Healthy"), (20, "stage 1")], false)]
    #[case::nobody("Feature", &[(1, "budget Healthy"), (5, "budget Warning"), (20, "stage 1")], true)]
    #[case::too_lately_to_be_known("Feature", &[(1, "budget Healthy"), (18, "budget Warning"), (20, "stage 1")], false)]
    #[case::better_again("Feature", &[(1, "budget Warning"), (5, "budget Healthy"), (20, "stage 1")], false)]
    #[case::agreed("Feature", &[(5, "budget Warning"), (10, "approve senior-engineer"), (20, "stage 1")], false)]
    #[case::in_another_role("Feature", &[(5, "budget Warning"), (10, "approve code-owner"), (20, "stage 1")], true)]
    #[case::before_it_was_worse("Feature", &[(1, "approve senior-engineer"), (10, "budget Warning"), (20, "stage 1")], true)]
    #[case::taken_back("Feature", &[(5, "budget Warning"), (8, "approve senior-engineer"), (12, "withdraw senior-engineer"), (20, "stage 1")], true)]
    #[case::rejected("Feature", &[(5, "budget Warning"), (8, "reject senior-engineer"), (10, "approve senior-engineer"), (20, "stage 1")], true)]
    #[case::rejected_before_it_was_worse("Feature", &[(1, "reject senior-engineer"), (5, "budget Warning"), (10, "approve senior-engineer"), (20, "stage 1")], true)]
    #[case::rejected_and_taken_back("Feature", &[(1, "reject senior-engineer"), (5, "budget Warning"), (8, "accept senior-engineer"), (10, "approve senior-engineer"), (20, "stage 1")], false)]
    #[case::rejected_in_another_role("Feature", &[(5, "budget Warning"), (8, "reject sre"), (10, "approve senior-engineer"), (20, "stage 1")], false)]
    #[case::half_of_those_asked("Feature", &[(5, "budget Critical"), (10, "approve sre"), (20, "stage 1")], true)]
    #[case::all_of_those_asked("Feature", &[(5, "budget Emergency"), (10, "approve sre"), (11, "approve vp-engineering"), (20, "stage 1")], false)]
    #[case::the_last_half("Feature", &[(1, "stage 0"), (5, "budget Warning"), (20, "half")], true)]
    #[case::a_rollback("Rollback", &[(5, "budget Emergency"), (20, "stage 1")], false)]
    fn a_worse_budget_asks(#[case] kind: &str, #[case] steps: &[(u32, &str)], #[case] broken: bool) {
        assert_eq!(play(kind, steps), Vec::from_iter(broken.then_some(Rule::NotAsked)));
    }
}
