//! Stories of an image that runs on with other configuration: what was said of it then is not said of what changes now.

use rstest::rstest;
use serde_json::{Value, json};

use super::policy::{change, missing};
use super::*;
use crate::api::{AttestationSpec, Time};
use crate::release::snapshot::{AttestationSeen, Proof};
use crate::release::world::pod_template;

const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const OTHER: &str = "sha256:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
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
    let spec: AttestationSpec = serde_json::from_value(json!({
        "releaseRef": {"name": "checkout"}, "revision": image, "type": kind, "author": PIPELINE,
        "facts": {"change-author": "bob"},
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
