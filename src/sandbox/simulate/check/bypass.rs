//! Who lets a held template run: under `override.mode: Enforce` who holds the verb `bypass`, and no machine without a reason.

use super::held::{breaks, gated, program};
use super::workload::paused;
use super::{Checkers, NAME, Rule, Seen};

/// A write of the workload by somebody else than Tidegate.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (None, Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    if seen.name != NAME || seen.kind.plural != "deployments" || !gated(before) {
        return;
    }
    let who = checkers.writer.clone();
    let may = checkers.circumstances.bypass.as_ref().is_none_or(|holders| holders.contains(&who));
    let broken = breaks(before, after);
    let changed = program(before) != program(after);
    let lets_go = paused(before) && (!paused(after) || !gated(after));
    let ships = changed && broken && !paused(after);
    if (lets_go || ships) && !may {
        let says = format!("{who} lets a held template run, and does not hold the verb bypass");
        return checkers.violated(Rule::Ungated, seen.now, says);
    }
    let machine = who.starts_with("system:serviceaccount:");
    if machine && gated(after) && !broken && paused(before) && !paused(after) {
        let says = format!("{who}, a machine, lets a held template run without a reason");
        return checkers.violated(Rule::Ungated, seen.now, says);
    }
    if broken && gated(after) && may && paused(after) {
        let says = format!("{who} gives a reason for break-glass, and the template is held");
        checkers.violated(Rule::GlassIgnored, seen.now, says);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::kind::DEPLOYMENT;
    use crate::sandbox::simulate::check::NAMESPACE;
    use crate::sandbox::simulate::check::tests::{Kept, at, broken, with};

    fn workload(more: &Value) -> Value {
        let template = json!({"spec": {"containers": [{"image": "shop:1"}]}});
        let metadata = json!({"name": NAME, "labels": {"tidegate.io/gated": ""}});
        with(json!({"metadata": metadata, "spec": {"paused": true, "template": template}}), more)
    }

    fn look(who: &str, bypass: Option<&str>, before: &Value, after: &Value) -> Vec<Rule> {
        let mut checkers = Checkers { writer: who.to_owned(), ..Checkers::default() };
        checkers.circumstances.bypass = bypass.map(|holder| vec![holder.to_owned()]);
        check(
            &mut checkers,
            &Seen {
                kind: &DEPLOYMENT,
                namespace: NAMESPACE,
                name: NAME,
                before: Some(before),
                after: Some(after),
                process: None,
                objects: &Kept(Vec::new()),
                now: at("10:00:00"),
            },
        );
        broken(&checkers)
    }

    const FLUX: &str = "system:serviceaccount:flux-system:kustomize-controller";

    #[rstest]
    #[case::a_person_in_audit("alice", None, None)]
    #[case::a_person_who_may_not("alice", Some("bob"), Some(Rule::Ungated))]
    #[case::a_person_who_may("bob", Some("bob"), None)]
    #[case::a_machine_in_audit(FLUX, None, Some(Rule::Ungated))]
    #[case::a_machine_that_may(FLUX, Some(FLUX), Some(Rule::Ungated))]
    fn a_resume(#[case] who: &str, #[case] bypass: Option<&str>, #[case] rule: Option<Rule>) {
        let resumed = workload(&json!({"spec": {"paused": null}}));
        assert_eq!(look(who, bypass, &workload(&json!({})), &resumed), Vec::from_iter(rule));
    }

    #[rstest]
    #[case::who_may(Some(FLUX), false, None)]
    #[case::who_may_and_is_held(Some(FLUX), true, Some(Rule::GlassIgnored))]
    #[case::held_in_audit(None, true, Some(Rule::GlassIgnored))]
    #[case::who_may_not(Some("bob"), false, Some(Rule::Ungated))]
    #[case::who_may_not_and_is_held(Some("bob"), true, None)]
    fn break_glass_in_the_same_write(#[case] bypass: Option<&str>, #[case] held: bool, #[case] rule: Option<Rule>) {
        let glass = json!({"metadata": {"annotations": {"tidegate.io/break-glass": "incident 1"}}});
        let template = json!({"spec": {"paused": held, "template": {"spec": {"containers": [{"image": "shop:2"}]}}}});
        let before = workload(&json!({"spec": {"paused": null}}));
        let after = with(with(before.clone(), &glass), &template);
        assert_eq!(look(FLUX, bypass, &before, &after), Vec::from_iter(rule));
    }
}
