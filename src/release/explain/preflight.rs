//! The condition `Preflight`: what was found around the workload, by name.

use super::After;
use super::conditions::Facts;
use crate::api::condition::{Condition, Truth};
use crate::release::preflight::Finding;

const KIND: &str = "Preflight";
/// So many are named; the command tells of all.
const NAMED_MAX: usize = 3;

/// What the last look found; none where this process has not looked yet.
pub(super) fn found(after: &After<'_>) -> Option<Facts> {
    let seen = after.seen;
    let preflight = seen.preflight.as_ref()?;
    let command = format!("tidegate preflight {} -n {}", seen.release.name, seen.release.namespace);
    let refused: Vec<_> = preflight.refused().collect();
    let (truth, reason, mut message) = match (refused.first(), preflight.findings.as_slice()) {
        (Some(first), _) => {
            let say = |finding: &&Finding| format!("{}: {}", finding.object, finding.message);
            (Truth::False, first.reason, sentences(&refused, say, " ", &command))
        }
        (None, []) => (Truth::True, "Passed", "Nothing around the workload stands in the way of a release.".to_owned()),
        (None, warned) => {
            let say = |finding: &&Finding| format!("{} ({})", finding.object, finding.reason);
            let warned: Vec<_> = warned.iter().collect();
            (Truth::True, "Warnings", format!("{}.", sentences(&warned, say, ", ", &command)))
        }
    };
    for unseen in &preflight.unseen {
        message.push_str(&format!(" {unseen}."));
    }
    Some((KIND, truth, reason.to_owned(), message))
}

fn sentences(found: &[&Finding], say: impl Fn(&&Finding) -> String, between: &str, command: &str) -> String {
    let named: Vec<_> = found.iter().take(NAMED_MAX).map(say).collect();
    let named = named.join(between);
    match found.len().saturating_sub(NAMED_MAX) {
        0 => format!("{named}{between}All of it: {command}"),
        more => format!("{named}{between}and {more} more: {command}"),
    }
}

/// What stands, where nothing was looked at: a process that has just begun knows no better.
pub(super) fn stands(after: &After<'_>) -> Option<Condition> {
    let stored = after.seen.release.status.conditions.iter().find(|condition| condition.kind == KIND);
    stored.filter(|_| after.seen.preflight.is_none()).cloned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::api::condition::{Condition, Truth};
    use crate::release::preflight::{Finding, Preflight, Severity};
    use crate::release::world::World;

    fn finding(reason: &'static str, severity: Severity) -> Finding {
        Finding {
            reason,
            severity,
            object: format!("Thing shop/{}", reason.to_lowercase()),
            message: "Mend it.".into(),
        }
    }

    fn said(world: &mut World, findings: Option<Vec<Finding>>) -> Option<Condition> {
        world.seen.preflight = findings.map(|findings| Preflight { findings, unseen: Vec::new() });
        world.look(None);
        world.seen.release.status.conditions.iter().find(|condition| condition.kind == "Preflight").cloned()
    }

    #[rstest]
    #[case::nothing(vec![], Truth::True, "Passed", "Nothing around the workload stands in the way of a release.")]
    #[case::one(vec![finding("A", Severity::Warn)], Truth::True, "Warnings", "Thing shop/a (A), All of it: tidegate preflight checkout -n shop.")]
    #[case::many(["A", "B", "C", "D", "E"].map(|name| finding(name, Severity::Warn)).to_vec(), Truth::True, "Warnings",
        "Thing shop/a (A), Thing shop/b (B), Thing shop/c (C), and 2 more: tidegate preflight checkout -n shop.")]
    #[case::refused(vec![finding("A", Severity::Refuse), finding("B", Severity::Warn)], Truth::False, "A",
        "Thing shop/a: Mend it. All of it: tidegate preflight checkout -n shop")]
    fn what_was_found_stands_in_a_condition(
        #[case] findings: Vec<Finding>,
        #[case] truth: Truth,
        #[case] reason: &str,
        #[case] message: &str,
    ) {
        let said = said(&mut World::new(), Some(findings)).unwrap();
        assert_eq!((said.status, said.reason.as_str(), said.message.as_str()), (truth, reason, message));
    }

    #[test]
    fn what_was_not_looked_at_again_stays_said() {
        let mut world = World::new();
        assert_eq!(said(&mut world, None), None);
        let before = said(&mut world, Some(vec![finding("A", Severity::Warn)]));
        assert_eq!(said(&mut world, None), before);
    }
}
