//! Stories of statements signed outside the cluster: whose word counts, about which change, and what is told of the rest.

use rstest::rstest;
use serde_json::json;

use super::policy::{enforced, missing};
use super::*;
use crate::api::{AttestationSpec, Time};
use crate::policy::Tier;
use crate::release::snapshot::{AttestationSeen, Proof};
use crate::statement::Signed;

const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const COMMIT: &str = "git:4f2c9e1a4f2c9e1a4f2c9e1a4f2c9e1a4f2c9e1a";
const WORKFLOW: &str = "github.com/acme/checkout/.github/workflows/ci.yaml@refs/heads/main";

/// A change of one commit and one image that waits for what its gate asks for.
fn world(reference: &str) -> World {
    let mut world = enforced(Tier::T3, &["authentication"]);
    world.workload().change.reference = reference.to_owned();
    world.deploy(&format!("shop@{DIGEST}"), GOOD);
    world.run(3);
    assert!(missing(&world).contains(&"sast".to_owned()), "{:?}", missing(&world));
    world
}

/// Somebody brings a statement that the passed static analysis was signed for.
fn bring(world: &mut World, about: &str, proof: Proof) {
    let spec: AttestationSpec = serde_json::from_value(json!({
        "releaseRef": {"name": "checkout"}, "revision": about, "type": "sast", "author": "relay",
        "statement": {"token": "a.b.c"},
    }))
    .unwrap();
    let at = world.now;
    world.seen.attestations.push(AttestationSeen { spec, at, proof });
    world.run(2);
}

fn signed(world: &World, before: Span) -> Proof {
    let at = Time(world.now.0.saturating_sub(before.as_signed()).unwrap());
    Proof::Signed(Signed { by: WORKFLOW.to_owned(), at })
}

fn told(world: &World) -> String {
    let risk = world.seen.release.status.risk.as_ref().unwrap();
    risk.terms.iter().filter(|term| term.starts_with("not heard")).cloned().collect::<Vec<_>>().join("\n")
}

#[rstest]
#[case::its_image(DIGEST, COMMIT)]
#[case::its_commit(COMMIT, COMMIT)]
fn what_is_signed_for_the_change_counts_with_issuer_and_subject(#[case] about: &str, #[case] reference: &str) {
    let mut world = world(reference);
    let proof = signed(&world, Span::minutes(2));
    bring(&mut world, about, proof);
    let met = world.seen.release.status.risk.clone().unwrap().met;
    assert!(met.iter().any(|line| line.starts_with(&format!("sast: met by {WORKFLOW} ("))), "{met:?}");
    assert_eq!(told(&world), "");
}

#[rstest]
#[case::another_image(&DIGEST.replace("0a", "0b"))]
#[case::another_commit(&COMMIT.replace("4f", "5f"))]
fn what_is_signed_for_something_else_says_nothing(#[case] about: &str) {
    let mut world = world(COMMIT);
    let proof = signed(&world, Span::ZERO);
    bring(&mut world, about, proof);
    assert!(missing(&world).contains(&"sast".to_owned()));
    assert_eq!(told(&world), "");
}

#[test]
fn a_change_that_abbreviates_its_commit_is_told_to_write_it_whole() {
    let mut world = world("git:4f2c9e1");
    let proof = signed(&world, Span::ZERO);
    bring(&mut world, COMMIT, proof);
    assert!(missing(&world).contains(&"sast".to_owned()));
    assert_eq!(
        told(&world),
        format!(
            "not heard: sast is signed for {COMMIT}, and the change says git:4f2c9e1, with which other commits may begin too; write the whole commit: tidegate.io/change: {COMMIT}"
        )
    );
}

/// Of a commit only a signature speaks: who changes the workload writes which one it is.
#[test]
fn an_author_says_nothing_about_a_commit() {
    let mut world = world(COMMIT);
    bring(&mut world, COMMIT, Proof::Author);
    assert!(missing(&world).contains(&"sast".to_owned()));
}

#[test]
fn a_statement_that_does_not_count_is_told_with_who_brought_it() {
    let mut world = world(COMMIT);
    for minute in 0..5 {
        bring(&mut world, DIGEST, Proof::Refused(format!("it expired 1 Jan 00:0{minute}:00 UTC; ask for another")));
    }
    assert!(missing(&world).contains(&"sast".to_owned()));
    let told = told(&world);
    // The newest first: a message that is cut loses the others.
    let newest =
        "not heard: the signed statement of sast that relay brought: it expired 1 Jan 00:04:00 UTC; ask for another";
    assert!(told.starts_with(newest), "{told}");
    assert!(told.ends_with("not heard: 2 older signed statements") && told.lines().count() == 4, "{told}");
}

/// A copy of an older statement that is applied again does not go before a newer one that says the opposite.
#[test]
fn a_statement_is_as_old_as_its_signature() {
    let mut world = world(COMMIT);
    let failed = signed(&world, Span::minutes(1));
    bring(&mut world, DIGEST, failed);
    world.seen.attestations[0].spec.outcome = crate::api::attestation::ClaimOutcome::Failed;
    let older = signed(&world, Span::minutes(10));
    bring(&mut world, DIGEST, older);
    assert!(missing(&world).contains(&"sast".to_owned()), "{:?}", missing(&world));
}

/// Whoever made the change as a signed statement says does not approve it.
#[test]
fn facts_that_are_signed_are_heard() {
    let unknown = |world: &World| {
        let missing = &world.seen.release.status.risk.as_ref().unwrap().missing;
        missing.iter().any(|line| line.contains("who made the change is not known"))
    };
    let mut world = world(COMMIT);
    assert!(unknown(&world));
    let proof = signed(&world, Span::ZERO);
    bring(&mut world, DIGEST, proof);
    assert!(unknown(&world));
    world.seen.attestations[0].spec.facts.insert("change-author".to_owned(), "bob".to_owned());
    world.run(2);
    assert!(!unknown(&world));
}
