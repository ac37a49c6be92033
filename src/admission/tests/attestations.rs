use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, Right, World, with};
use crate::admission::{Operation, Override, Policies, Review, User};

const APPROVE: [&str; 4] = ["tidegate.io", "releaseroles", "approve", "sre"];
const START: [&str; 4] = ["tidegate.io", "gatedreleases", "start", ""];
const ATTEST: [&str; 4] = ["tidegate.io", "evidence", "attest", "unit-tests"];
const PURGE: [&str; 4] = ["tidegate.io", "attestations", "purge", ""];
const COLLECTOR: &str = "system:serviceaccount:kube-system:generic-garbage-collector";

/// Where these may do these things.
fn world(rights: &[Right]) -> World {
    let mut world = World::new(Override::Audit, ("tidegate.io", "v1alpha1", "attestations"));
    world.rights = rights.to_vec();
    world
}

/// As somebody types it who leaves out what is filled in.
fn attestation(kind: &str) -> Value {
    let mut spec = json!({"releaseRef": {"name": "shop"}, "revision": "r1", "type": kind});
    if kind == "approval" {
        spec["role"] = "sre".into();
    }
    json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation",
        "metadata": {"name": "c", "namespace": "shop"}, "spec": spec,
    })
}

#[test]
fn author_groups_and_label_are_filled_in() {
    let mut world = world(&[(PERSON, APPROVE)]);
    world.write(PERSON, attestation("approval"), None).unwrap();
    let made = world.object();
    assert_eq!((&made["spec"]["author"], &made["spec"]["groups"]), (&json!(PERSON), &json!(["system:authenticated"])));
    assert_eq!(made["metadata"]["labels"], json!({"tidegate.io/release": "shop"}));
}

#[test]
fn groups_and_label_that_somebody_made_up_are_not_kept() {
    let mut world = world(&[(PERSON, APPROVE)]);
    let forged = json!({
        "metadata": {"labels": {"tidegate.io/release": "other", "team": "a"}},
        "spec": {"groups": ["sre-leads"]},
    });
    world.write(PERSON, with(attestation("approval"), forged), None).unwrap();
    assert_eq!(world.object()["spec"]["groups"], json!(["system:authenticated"]));
    assert_eq!(world.object()["metadata"]["labels"], json!({"tidegate.io/release": "shop", "team": "a"}));
}

/// By this group the controller knows a pipeline that is a plain user: nobody else has it, whatever their provider calls their groups.
#[rstest]
#[case::a_machine_user("jenkins", json!({}), &["system:authenticated", "system:machine"])]
#[case::a_person(PERSON, json!({}), &["system:authenticated"])]
#[case::who_makes_it_up(PERSON, json!({"spec": {"groups": ["system:machine"]}}), &["system:authenticated"])]
#[case::a_service_account(MACHINE, json!({}), &["system:authenticated"])]
fn a_machine_user_is_told_by_its_group(#[case] user: &'static str, #[case] more: Value, #[case] groups: &[&str]) {
    let mut world = World::with_machine_user("jenkins", ("tidegate.io", "v1alpha1", "attestations"));
    world.rights = vec![(user, ATTEST)];
    world.write(user, with(attestation("unit-tests"), more), None).unwrap();
    assert_eq!(world.object()["spec"]["groups"], json!(groups));
}

#[test]
fn a_machine_user_approves_nothing() {
    let mut world = World::with_machine_user("jenkins", ("tidegate.io", "v1alpha1", "attestations"));
    world.rights = vec![("jenkins", APPROVE)];
    let why = world.write("jenkins", attestation("approval"), None).unwrap_err();
    assert!(why.contains("is said by people, whatever roles a machine has, and jenkins is none"), "{why}");
}

#[rstest]
#[case::too_long(&"a".repeat(64))]
#[case::no_label_value("-")]
fn a_release_that_cannot_be_the_value_of_a_label_is_no_label(#[case] release: &str) {
    let mut world = world(&[(PERSON, ["tidegate.io", "releaseroles", "approve", "sre"])]);
    let named = json!({"spec": {"releaseRef": {"name": release}}});
    world.write(PERSON, with(attestation("approval"), named), None).unwrap();
    assert_eq!(world.object()["metadata"].get("labels"), None);
}

#[rstest]
#[case::person("approval", (PERSON, APPROVE))]
#[case::start("start", (PERSON, START))]
#[case::ci("unit-tests", (MACHINE, ATTEST))]
fn whoever_holds_the_verb_says_it(#[case] kind: &str, #[case] right: Right) {
    world(&[right]).write(right.0, attestation(kind), None).unwrap();
}

/// What people owe is a claim about a RiskBudget, by whoever holds the verb for its type.
#[rstest]
#[case::of_its_type(&[(PERSON, ["tidegate.io", "evidence", "attest", "post-mortem"])], true)]
#[case::of_another(&[(PERSON, ATTEST)], false)]
fn an_obligation_is_met_by_who_may_attest_its_type(#[case] rights: &[Right], #[case] taken: bool) {
    let about = json!({"spec": {"releaseRef": {"kind": "RiskBudget"}, "revision": "post-mortem-shop-0007"}});
    let mut world = world(rights);
    let answer = world.write(PERSON, with(attestation("post-mortem"), about), None);
    assert_eq!(answer.is_ok(), taken, "{answer:?}");
    if taken {
        assert_eq!(world.object()["metadata"]["labels"], json!({"tidegate.io/release": "shop"}));
        assert_eq!(world.object()["spec"]["author"], json!(PERSON));
    }
}

#[test]
fn no_machine_says_that_people_did_what_they_owe() {
    let about = json!({"spec": {"releaseRef": {"kind": "RiskBudget"}, "revision": "post-mortem-shop-0007"}});
    let mut world = world(&[(MACHINE, ["tidegate.io", "evidence", "attest", ""])]);
    let why = world.write(MACHINE, with(attestation("post-mortem"), about), None).unwrap_err().to_string();
    assert!(why.contains("spec.type: post-mortem says that people did what they owe"), "{why}");
    // A pipeline charges.
    let charge = json!({"spec": {"releaseRef": {"kind": "RiskBudget"}, "revision": "git:1"}});
    world.write(MACHINE, with(attestation("charge"), charge), None).unwrap();
}

const EVERYTHING: [[&str; 4]; 3] = [
    ["tidegate.io", "releaseroles", "approve", ""],
    ["tidegate.io", "gatedreleases", "start", ""],
    ["tidegate.io", "evidence", "attest", ""],
];

#[rstest]
#[case::service_account(MACHINE)]
#[case::node("system:node:a")]
#[case::component("system:kube-scheduler")]
#[case::the_controller_itself(CONTROLLER)]
#[case::nobody("system:anonymous")]
fn no_machine_approves_or_starts_whatever_its_roles_say(
    #[case] machine: &'static str,
    #[values("approval", "start")] kind: &str,
) {
    let why = world(&EVERYTHING.map(|right| (machine, right))).write(machine, attestation(kind), None).unwrap_err();
    assert!(why.contains(&format!("spec.type: {kind} is said by people")), "{why}");
    assert!(why.contains(&format!("and {machine} is none")), "{why}");
    let command = if kind == "start" { "approve shop -n shop --start" } else { "approve shop -n shop --role sre" };
    assert!(why.ends_with(command), "{why}");
}

#[rstest]
#[case::another_name(PERSON, "approval", json!({"spec": {"author": "sam"}}),
    "spec.author: sam is not you; an attestation is made in one's own name: write dana")]
#[case::no_verb(PERSON, "approval", json!({}),
    "spec.role: dana may not speak as sre in shop: it needs the verb approve on releaseroles.tidegate.io named sre. \
     Who holds it: kubectl tidegate who-can shop -n shop --role sre. \
     To grant it: kubectl create rolebinding approve-sre -n shop --clusterrole=tidegate-approve-sre --user=dana")]
#[case::a_role_of_ones_own(PERSON, "approval", json!({"spec": {"role": "gatekeeper"}}),
    "A role of your own needs a ClusterRole that names it: see examples/approvals/rbac-sre.yaml")]
#[case::no_start(PERSON, "start", json!({}),
    "spec.type: dana may not start release shop in shop: it needs the verb start on gatedreleases.tidegate.io. \
     To grant it: kubectl create rolebinding start-releases -n shop --clusterrole=tidegate-start --user=dana")]
#[case::no_evidence(MACHINE, "sast", json!({}),
    "it needs the verb attest on evidence.tidegate.io named sast. To grant it for all evidence: kubectl create rolebinding \
     attest-evidence -n shop --clusterrole=tidegate-ci --serviceaccount=flux-system:kustomize-controller; \
     for some: see examples/approvals/rbac-ci.yaml")]
fn who_does_not_is_told_what_is_missing(
    #[case] user: &str,
    #[case] kind: &str,
    #[case] more: Value,
    #[case] expected: &str,
) {
    // What they hold is next to it.
    let mut world =
        world(&[(PERSON, ATTEST), (MACHINE, ATTEST), (PERSON, [APPROVE[0], APPROVE[1], APPROVE[2], "dba"])]);
    let why = world.write(user, with(attestation(kind), more), None).unwrap_err();
    assert!(why.ends_with(expected), "{why}");
}

/// What the policy that only refuses says where the one that fills in does not run.
#[rstest]
#[case::whole(json!({}), None)]
#[case::other_groups(json!({"spec": {"groups": ["sre-leads"]}}),
    Some("spec.groups: [sre-leads] are not your groups, as kubectl auth whoami shows them: write [system:authenticated]"))]
#[case::no_groups(json!({"spec": {"groups": null}}), Some("spec.groups: [] are not your groups"))]
#[case::another_label(json!({"metadata": {"labels": {"tidegate.io/release": "other"}}}),
    Some("metadata.labels[tidegate.io/release]: is other, and Tidegate finds by it what was said about a release: write shop"))]
#[case::no_label(json!({"metadata": {"labels": null}}), Some("metadata.labels[tidegate.io/release]: is missing, and"))]
#[case::a_name_that_is_no_label(json!({"metadata": {"labels": null}, "spec": {"releaseRef": {"name": "a".repeat(64)}}}), None)]
fn without_the_policy_that_fills_in_nothing_is_made_up(#[case] more: Value, #[case] expected: Option<&str>) {
    let written = json!({
        "metadata": {"labels": {"tidegate.io/release": "shop"}},
        "spec": {"author": PERSON, "groups": ["system:authenticated"]},
    });
    let (user, object) = (User::person(PERSON), with(with(attestation("approval"), written), more));
    let answer = Policies::shipped(Override::Audit).unwrap().validate(&Review {
        operation: Operation::Create,
        group: "tidegate.io",
        version: "v1alpha1",
        resource: "attestations",
        subresource: None,
        user: &user,
        namespace: "shop",
        name: "c",
        object: Some(&object),
        old: None,
        dry_run: false,
        may: &|_| true,
    });
    match expected {
        Some(expected) => assert!(answer.as_ref().unwrap_err().message.contains(expected), "{answer:?}"),
        None => answer.unwrap(),
    }
}

#[rstest]
#[case::its_author(PERSON, &[], true)]
#[case::the_controller(CONTROLLER, &[], true)]
#[case::the_garbage_collector(COLLECTOR, &[], true)]
#[case::the_namespaces_end("system:serviceaccount:kube-system:namespace-controller", &[], true)]
#[case::who_may_purge("sam", &[("sam", PURGE)], true)]
#[case::somebody_else("sam", &[("sam", APPROVE)], false)]
#[case::a_machine(MACHINE, &[], false)]
fn an_attestation_is_deleted_by(#[case] user: &str, #[case] rights: &[Right], #[case] goes: bool) {
    let mut world = world(&[&[(PERSON, APPROVE)], rights].concat());
    world.write(PERSON, with(attestation("approval"), json!({"spec": {"outcome": "Failed"}})), None).unwrap();
    match (world.delete(user), goes) {
        (Ok(()), true) => {}
        (Err(why), false) => {
            assert!(why.contains("deleted by its author, dana, or by who holds the verb purge"), "{why}");
            assert!(why.contains(&format!("not by {user}")), "{why}");
            assert!(why.ends_with("kubectl tidegate withdraw shop -n shop"), "{why}");
        }
        (answer, _) => panic!("{answer:?}"),
    }
}

#[rstest]
#[case::its_release(json!({"labels": {"tidegate.io/release": "other"}}), Some("metadata.labels: the labels tidegate.io/… of attestation shop/c"))]
#[case::taken_away(json!({"labels": null}), Some("metadata.labels: "))]
#[case::another_of_ours(json!({"labels": {"tidegate.io/role": "canary"}}), Some("metadata.labels: "))]
#[case::an_owner(json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}]}),
    Some("metadata.ownerReferences: an owner would let attestation shop/c be deleted"))]
#[case::a_label_of_their_own(json!({"labels": {"team": "shop"}}), None)]
#[case::an_annotation(json!({"annotations": {"note": "seen"}}), None)]
fn metadata_by_which_it_is_found_and_kept_stays(#[case] metadata: Value, #[case] expected: Option<&str>) {
    let mut world = world(&[(PERSON, APPROVE)]);
    world.write(PERSON, attestation("approval"), None).unwrap();
    let answer = world.patch(PERSON, json!({"metadata": metadata}));
    match expected {
        Some(expected) => assert!(answer.as_ref().unwrap_err().contains(expected), "{answer:?}"),
        None => answer.unwrap(),
    }
    world.patch(CONTROLLER, json!({"metadata": metadata})).unwrap();
}

/// Whoever brings what somebody else signed needs no verb for it: the controller goes by the signature.
#[rstest]
#[case::evidence("unit-tests", None)]
#[case::an_approval("approval", Some("spec.type: approval is said by people"))]
#[case::a_start("start", Some("spec.type: start is said by people"))]
fn a_signed_statement_takes_no_verb_for_evidence(#[case] kind: &str, #[case] expected: Option<&str>) {
    let signed = json!({"spec": {"statement": {"token": "a.b.c"}}});
    match (world(&[]).write(MACHINE, with(attestation(kind), signed), None), expected) {
        (Ok(()), None) => {}
        (Err(why), Some(expected)) => assert!(why.contains(expected), "{why}"),
        (answer, _) => panic!("{answer:?}"),
    }
}
