//! Stories of what is in a new image: whoever edits the workload may call it harmless, and is not believed in tier 3.

use rstest::rstest;
use serde_json::json;

use super::policy::{attest, enforced, held, say};
use super::*;
use crate::api::attestation::ClaimOutcome;
use crate::policy::Tier;

const PIPELINE: &str = "system:serviceaccount:ci:builder";

/// Somebody writes `telemetry` beside a new image.
fn world(tier: Tier, explained_by: Option<&str>, changed_by: &str) -> World {
    let mut world = enforced(tier, &["telemetry"]);
    world.seen.risk.as_mut().unwrap().requirements =
        serde_json::from_value(json!({"explainedBy": explained_by})).unwrap();
    world.workload().changed_by = changed_by.into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    world
}

fn is_riddle(world: &World) -> bool {
    let risk = world.seen.release.status.risk.as_ref().unwrap();
    risk.terms.iter().any(|term| term.contains("unclassified-code"))
}

#[rstest]
#[case::money(Tier::T3, None, true)]
#[case::money_where_both_managers_chose(Tier::T3, Some("Annotation"), false)]
#[case::a_page(Tier::T1, None, false)]
#[case::a_page_where_they_chose(Tier::T1, Some("Attestation"), true)]
fn an_annotation_only_adds(#[case] tier: Tier, #[case] explained_by: Option<&str>, #[case] riddle: bool) {
    let world = world(tier, explained_by, "system:serviceaccount:argocd:controller");
    assert_eq!(is_riddle(&world), riddle, "{}", held(&world));
    let told = "tidegate.io/change-categories as what is in the new image, because whoever edits the workload writes it; let a pipeline say it: kubectl tidegate attest checkout -n shop --type classification --fact categories=telemetry";
    let terms = &world.seen.release.status.risk.as_ref().unwrap().terms;
    assert_eq!(terms.iter().any(|term| term.contains(told)), riddle, "{terms:?}");
}

#[rstest]
#[case::a_pipeline("alice", PIPELINE, false)]
#[case::a_pipeline_where_nobody_is_known("system:serviceaccount:argocd:controller", PIPELINE, false)]
#[case::somebody_else("alice", "bob", false)]
#[case::who_made_it("alice", "alice", true)]
#[case::somebody_who_may_have_made_it("system:serviceaccount:argocd:controller", "bob", true)]
fn who_says_what_is_in_it(#[case] changed_by: &str, #[case] author: &str, #[case] riddle: bool) {
    let mut world = world(Tier::T3, None, changed_by);
    attest(&mut world, "classification", author, &[("categories", "telemetry")]);
    world.run(3);
    assert_eq!(is_riddle(&world), riddle, "{}", held(&world));
}

/// Who made it takes nothing away from what a pipeline found.
#[rstest]
#[case::with_less(ClaimOutcome::Passed)]
#[case::by_saying_that_it_failed(ClaimOutcome::Failed)]
fn a_later_word_of_its_author_only_adds(#[case] outcome: ClaimOutcome) {
    let mut world = world(Tier::T3, None, "alice");
    attest(&mut world, "classification", PIPELINE, &[("categories", "authentication")]);
    world.now = world.now.plus(Span::seconds(2));
    say(&mut world, "classification", None, "alice", outcome, &[("categories", "telemetry")]);
    world.run(3);
    let risk = world.seen.release.status.risk.clone().unwrap();
    assert!(risk.terms.iter().any(|term| term.contains("authentication")), "{:?}", risk.terms);
    assert!(!is_riddle(&world), "{:?}", risk.terms);
}
