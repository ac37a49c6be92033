//! Stories of distinct people for distinct roles, and of who says that they did not make the change.

use rstest::rstest;

use super::policy::{approve, attest, enforced, held, missing, say, waive};
use super::*;
use crate::api::attestation::ClaimOutcome;
use crate::policy::requirement::CATALOGUE;
use crate::policy::{Role, Tier};

const TWO_ROLES: [&str; 2] = ["code-owner-review", "release-captain"];

/// A change of authentication that waits for a code owner and a release captain, and for nothing else.
fn asks_for_two(changed_by: &str) -> World {
    let mut world = enforced(Tier::T3, &["authentication"]);
    for entry in CATALOGUE.iter().filter(|entry| !TWO_ROLES.contains(&entry.name)) {
        waive(&mut world, entry.name);
    }
    world.workload().changed_by = changed_by.into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert_eq!(missing(&world), TWO_ROLES, "{}", held(&world));
    world
}

#[test]
fn one_person_fills_one_role_of_a_release() {
    let mut world = asks_for_two("alice");
    approve(&mut world, Role::CodeOwner, "ann");
    world.now = world.now.plus(Span::seconds(2));
    approve(&mut world, Role::OnCall, "ann");
    world.run(3);
    assert_eq!(missing(&world), ["release-captain"]);
    assert!(
        held(&world).contains("Not counted: ann as on-call, because ann speaks as code-owner already"),
        "{}",
        held(&world)
    );
    // Who takes the first back speaks in the other.
    say(&mut world, "approval", Some("code-owner"), "ann", ClaimOutcome::Withdrawn, &[]);
    world.run(3);
    assert_eq!(missing(&world), ["code-owner-review"]);
    assert!(!held(&world).contains("Not counted"), "{}", held(&world));
    approve(&mut world, Role::CodeOwner, "bob");
    world.run_until(60, |world| world.status().charge.is_some());
}

/// Alice made it. Whatever she says of its author beside what pipelines run, she does not approve it.
#[rstest]
#[case::with_a_start("start")]
#[case::with_a_plan("release-plan")]
#[case::with_her_presence("on-call-presence")]
#[case::with_evidence("sast")]
fn nobody_names_somebody_else_and_approves_their_own(#[case] kind: &str) {
    let mut world = asks_for_two("alice");
    attest(&mut world, kind, "alice", &[("change-author", "mallory")]);
    approve(&mut world, Role::CodeOwner, "alice");
    world.run(3);
    assert!(missing(&world).contains(&"code-owner-review".to_owned()), "{}", held(&world));
}

/// A machine applied it, and who approves it says that somebody else made it: a second person agrees.
#[rstest]
fn who_approves_does_not_say_who_made_it(#[values("sast", "manual-qa", "customer-communication")] kind: &str) {
    let mut world = asks_for_two("system:serviceaccount:argocd:controller");
    attest(&mut world, kind, "alice", &[("change-author", "mallory")]);
    approve(&mut world, Role::CodeOwner, "alice");
    world.run(3);
    assert!(missing(&world).contains(&"code-owner-review".to_owned()), "{}", held(&world));
    attest(&mut world, "sast", "system:serviceaccount:ci:builder", &[("change-author", "mallory")]);
    world.run(3);
    assert_eq!(missing(&world), ["release-captain"]);
}

/// Whoever says afterwards whether it stays is compared with those.
#[rstest]
#[case::a_pipeline_named_them(true, &["vera"], true)]
#[case::nobody_named_them(false, &[], false)]
fn who_made_what_ran_past_its_gate_stands_in_its_record(
    #[case] named: bool,
    #[case] names: &[&str],
    #[case] known: bool,
) {
    let mut world = asks_for_two("system:serviceaccount:argocd:controller");
    if named {
        attest(&mut world, "sast", "system:serviceaccount:ci:builder", &[("change-author", "vera")]);
    }
    world.run(3);
    world.workload().paused = false;
    world.workload().paused_because = None;
    world.workload().break_glass = Some("INC-7".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    let authors = world.status().assessment.clone().unwrap().authors.unwrap();
    assert_eq!((authors.names, authors.known), (names.iter().map(ToString::to_string).collect::<Vec<_>>(), known));
}
