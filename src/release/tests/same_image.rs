//! Stories of which image evidence speaks: what was said of one that runs on is not said of what changes now, and what is said of one that
//! comes new not of another.

use rstest::rstest;
use serde_json::{Value, json};

use super::policy::{change, missing};
use super::*;
use crate::api::attestation::ClaimOutcome;
use crate::api::{AttestationSpec, Time};
use crate::release::snapshot::{AttestationSeen, Proof};
use crate::release::world::pod_template;

const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const OTHER: &str = "sha256:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
const THIRD: &str = "sha256:0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";
const PIPELINE: &str = "system:serviceaccount:ci:builder";

/// Runs the image, and enforces from now on what the next change must show.
fn settled() -> World {
    let mut world = World::new();
    world.deploy(&format!("shop:v7@{DIGEST}"), GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(20);
    world.seen.risk.as_mut().unwrap().requirements = Default::default();
    change(&mut world, ChangeType::Feature, None);
    world.workload().changed_by = "system:serviceaccount:argocd:controller".into();
    world
}

/// A pipeline says of an image that it passed, and who made it.
fn say_of(world: &mut World, image: &str, kind: &str) {
    say(world, image, kind, ClaimOutcome::Passed, json!({"change-author": "bob"}));
}

fn say(world: &mut World, about: &str, kind: &str, outcome: ClaimOutcome, facts: Value) {
    let spec: AttestationSpec = serde_json::from_value(json!({
        "releaseRef": {"name": "checkout"}, "revision": about, "type": kind, "author": PIPELINE, "outcome": outcome,
        "facts": facts,
    }))
    .unwrap();
    let at = Time(jiff::Timestamp::from_second(world.now.0.as_second()).unwrap());
    world.seen.attestations.push(AttestationSeen { spec, at, proof: Proof::Author });
}

fn with_args(image: &str) -> Value {
    let mut template = pod_template(image);
    template["spec"]["containers"][0]["args"] = json!(["--allow-everything"]);
    template
}

fn with_sidecar(image: &str) -> Value {
    let mut template = pod_template(image);
    let proxy = json!({"name": "proxy", "image": format!("proxy@{OTHER}")});
    template["spec"]["containers"].as_array_mut().unwrap().push(proxy);
    template
}

/// What counts of evidence about an image: all that is asked for, what is run on its source alone, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    All,
    Source,
    Nothing,
}

#[rstest]
#[case::the_same_image_with_other_args(with_args(&format!("shop:v7@{DIGEST}")), DIGEST, Counts::Source)]
#[case::under_another_tag(with_args(&format!("shop:v8@{DIGEST}")), DIGEST, Counts::Source)]
#[case::another_image(pod_template(&format!("shop:v8@{OTHER}")), OTHER, Counts::All)]
#[case::another_image_with_other_args(with_args(&format!("shop:v8@{OTHER}")), OTHER, Counts::All)]
#[case::the_image_before(pod_template(&format!("shop:v8@{OTHER}")), DIGEST, Counts::Nothing)]
#[case::what_stays_beside_a_new_sidecar(with_sidecar(&format!("shop:v7@{DIGEST}")), DIGEST, Counts::Nothing)]
#[case::a_new_sidecar(with_sidecar(&format!("shop:v7@{DIGEST}")), OTHER, Counts::All)]
fn evidence_about_an_image_counts_where_it_comes_with_the_change(
    #[case] template: Value,
    #[case] about: &str,
    #[case] expected: Counts,
) {
    let mut world = settled();
    for kind in ["unit-tests", "sast", "smoke-tests", "peer-review", "code-owner-review"] {
        say_of(&mut world, about, kind);
    }
    world.push(template, GOOD);
    world.run(3);
    let all = missing(&world);
    assert!(all.contains(&"staging-deploy".to_owned()), "it waits for what nobody said: {all:?}");
    let met = |kinds: &[&str]| kinds.iter().all(|kind| !all.contains(&(*kind).to_owned()));
    let none = |kinds: &[&str]| kinds.iter().all(|kind| all.contains(&(*kind).to_owned()));
    let (source, rest) = (["unit-tests", "sast"], ["smoke-tests", "peer-review", "code-owner-review"]);
    let seen = match (met(&source), met(&rest), none(&source), none(&rest)) {
        (true, true, ..) => Counts::All,
        (true, false, _, true) => Counts::Source,
        (false, false, true, true) => Counts::Nothing,
        other => panic!("{other:?}: {all:?}"),
    };
    assert_eq!(seen, expected, "{all:?}");
    let told = "code-owner-review, peer-review, smoke-tests of the image alone, which stable runs too";
    let terms = &world.seen.release.status.risk.as_ref().unwrap().terms;
    assert_eq!(terms.iter().any(|term| term.contains(told)), expected == Counts::Source, "{terms:?}");
}

/// Whom evidence of the change before names made that one.
#[rstest]
#[case::the_same_image_with_other_args(with_args(&format!("shop:v7@{DIGEST}")), DIGEST, false)]
#[case::another_image(pod_template(&format!("shop:v8@{OTHER}")), OTHER, true)]
fn who_made_the_image_did_not_make_what_changes_around_it(
    #[case] template: Value,
    #[case] about: &str,
    #[case] known: bool,
) {
    let mut world = settled();
    say_of(&mut world, about, "unit-tests");
    world.push(template, GOOD);
    world.run(3);
    let risk = world.seen.release.status.risk.as_ref().unwrap();
    let review = risk.missing.iter().find(|line| line.starts_with("peer-review")).unwrap();
    assert_eq!(review.contains("who made the change is not known"), !known, "{review}");
}

/// A workload of which nothing served before: the evidence is of all there is.
#[test]
fn where_there_is_no_stable_everything_counts() {
    let mut world = settled();
    say_of(&mut world, DIGEST, "peer-review");
    world.push(with_args(&format!("shop:v7@{DIGEST}")), GOOD);
    world.run(3);
    assert!(missing(&world).contains(&"peer-review".to_owned()), "{:?}", missing(&world));
    world.seen.record.as_mut().unwrap().spec.stable = None;
    world.run(2);
    assert!(!missing(&world).contains(&"peer-review".to_owned()), "{:?}", missing(&world));
}

/// Both of the workload's own images are new.
fn with_both_new() -> Value {
    let mut template = with_sidecar(&format!("shop:v8@{OTHER}"));
    template["spec"]["containers"][1]["image"] = json!(format!("registry.example/proxy:2@{THIRD}"));
    template
}

/// One requirement as it stands in the hold.
fn line(world: &World, kind: &str) -> String {
    let risk = world.seen.release.status.risk.as_ref().unwrap();
    risk.missing.iter().find(|line| line.starts_with(kind)).cloned().unwrap_or_default()
}

/// What the pipeline says of app and proxy, and of the revision, a minute between each and the next.
#[rstest]
#[case::each_passed(&[(OTHER, ClaimOutcome::Passed), (THIRD, ClaimOutcome::Passed)], "")]
#[case::the_app_failed_before(&[(OTHER, ClaimOutcome::Failed), (THIRD, ClaimOutcome::Passed)], " says that it failed for shop:v8@sha256:0b0b0b0b0b0b: ")]
#[case::and_is_mended(&[(OTHER, ClaimOutcome::Failed), (THIRD, ClaimOutcome::Passed), (OTHER, ClaimOutcome::Passed)], "")]
#[case::the_proxy_alone(&[(THIRD, ClaimOutcome::Passed)], ", nobody says it of shop:v8@sha256:0b0b0b0b0b0b, new with this change; said of the revision it is of all: an attestation of type sast: kubectl tidegate attest checkout -n shop --type sast")]
#[case::the_proxy_and_the_revision(&[(THIRD, ClaimOutcome::Passed), ("", ClaimOutcome::Passed)], "")]
#[case::the_revision_failed(&[(OTHER, ClaimOutcome::Passed), (THIRD, ClaimOutcome::Passed), ("", ClaimOutcome::Failed)], " says that it failed: ")]
#[case::the_app_is_taken_back(&[(OTHER, ClaimOutcome::Passed), (THIRD, ClaimOutcome::Passed), (OTHER, ClaimOutcome::Withdrawn)], ", nobody says it of shop:v8@sha256:0b0b0b0b0b0b, ")]
fn a_word_about_one_new_image_is_none_about_another(#[case] said: &[(&str, ClaimOutcome)], #[case] missing: &str) {
    let mut world = settled();
    world.push(with_both_new(), GOOD);
    world.run(3);
    let revision = world.workload().revision.clone();
    for (about, outcome) in said {
        let about = if about.is_empty() { &revision } else { *about };
        say(&mut world, about, "sast", *outcome, json!({"change-author": "bob"}));
        world.run(60);
    }
    let told = line(&world, "sast");
    assert_eq!(told.is_empty(), missing.is_empty(), "{told}");
    assert!(told.contains(missing), "{told}");
}

/// Who made one of two images did not make the other; nobody of all approves.
#[rstest]
#[case::of_each(&[OTHER, THIRD], true)]
#[case::of_one(&[THIRD], false)]
fn the_author_is_known_where_each_image_names_one(#[case] of: &[&str], #[case] known: bool) {
    let mut world = settled();
    for image in of {
        say_of(&mut world, image, "unit-tests");
    }
    world.push(with_both_new(), GOOD);
    world.run(3);
    assert_eq!(line(&world, "peer-review").contains("who made the change is not known"), !known);
}

/// What explains one image leaves the other a riddle.
#[rstest]
#[case::each(&[(OTHER, "telemetry"), (THIRD, "authentication")], false)]
#[case::one(&[(THIRD, "telemetry")], true)]
#[case::one_by_its_documents(&[(OTHER, "docs"), (THIRD, "telemetry")], true)]
fn each_new_image_is_explained(#[case] said: &[(&str, &str)], #[case] riddle: bool) {
    let mut world = settled();
    world.seen.risk.as_mut().unwrap().requirements =
        serde_json::from_value(json!({"explainedBy": "Attestation"})).unwrap();
    for (image, categories) in said {
        say(&mut world, image, "classification", ClaimOutcome::Passed, json!({"categories": categories}));
    }
    world.push(with_both_new(), GOOD);
    world.run(3);
    let terms = &world.seen.release.status.risk.as_ref().unwrap().terms;
    assert_eq!(terms.iter().any(|term| term.contains("unclassified-code")), riddle, "{terms:?}");
    for (_, categories) in said {
        assert!(terms.iter().any(|term| term.contains(categories)), "what is said adds all the same: {terms:?}");
    }
}

/// An init container that runs what was attested a month ago and does nothing, beside a program that nobody looked at.
#[test]
fn an_image_that_is_brought_along_covers_no_other() {
    let mut world = settled();
    world.seen.risk.as_mut().unwrap().requirements =
        serde_json::from_value(json!({"explainedBy": "Attestation"})).unwrap();
    let kinds = ["unit-tests", "sast", "smoke-tests", "peer-review", "code-owner-review", "staging-deploy"];
    for kind in kinds.into_iter().chain(["isolation"]) {
        say_of(&mut world, OTHER, kind);
    }
    say(&mut world, OTHER, "classification", ClaimOutcome::Passed, json!({"categories": "telemetry"}));
    let mut template = pod_template("registry.example/shop:v9");
    template["spec"]["initContainers"] =
        json!([{"name": "warm", "image": format!("shop@{OTHER}"), "command": ["true"]}]);
    world.push(template, GOOD);
    world.run(3);
    let all = missing(&world);
    assert!(kinds.iter().all(|kind| all.contains(&(*kind).to_owned())), "{all:?}");
    let told = line(&world, "sast");
    assert!(
        told.contains(
            "nobody says it of shop:v9 (without a sha256 digest), new with this change; said of the revision"
        ),
        "{told}"
    );
    assert!(line(&world, "peer-review").contains("who made the change is not known"), "bob made another one");
    let terms = world.seen.release.status.risk.as_ref().unwrap().terms.clone();
    assert!(terms.iter().any(|term| term.contains("unclassified-code")), "{terms:?}");
    assert!(!terms.iter().any(|term| term.contains("permission boundary")), "{terms:?}");
    let revision = world.workload().revision.clone();
    for kind in kinds {
        say_of(&mut world, &revision, kind);
    }
    world.run(3);
    let all = missing(&world);
    assert!(!kinds.iter().any(|kind| all.contains(&(*kind).to_owned())), "what is attested for the revision: {all:?}");
}
