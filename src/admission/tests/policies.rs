//! What an API server does with any policy.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::{MACHINE, deployment};
use crate::admission::{Operation, Override, Policies, Refusal, Review, User};

fn mutating(name: &str, expression: &str, more: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {{name: {name}}}\nspec:\n  \
         matchConstraints: {{resourceRules: [{{apiGroups: [apps], apiVersions: ['*'], operations: [CREATE], resources: ['*']}}]}}\n  \
         {more}\n  mutations: [{{patchType: JSONPatch, jsonPatch: {{expression: \"{expression}\"}}}}]\n---\n\
         apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicyBinding\nmetadata: {{name: {name}}}\n\
         spec: {{policyName: {name}}}\n"
    )
}

fn admit(policies: &str) -> Result<Option<Value>, Refusal> {
    let (user, object) =
        (User::person("dana"), json!({"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"n": 1}}));
    Policies::read(policies).unwrap().admit(&Review {
        operation: Operation::Create,
        group: "apps",
        version: "v1",
        resource: "deployments",
        subresource: None,
        user: &user,
        namespace: "shop",
        name: "a",
        object: Some(&object),
        old: None,
        dry_run: false,
        may: &|_| false,
    })
}

const RAISE: &str = "[JSONPatch{op: 'replace', path: '/spec/n', value: object.spec.n + 1}]";

#[test]
fn policies_run_by_name_and_see_what_those_before_them_changed() {
    let double = mutating("b-double", "[JSONPatch{op: 'replace', path: '/spec/n', value: object.spec.n * 10}]", "");
    let changed = admit(&format!("{double}---\n{}", mutating("a-raise", RAISE, ""))).unwrap();
    assert_eq!(changed.unwrap()["spec"]["n"], 20);
}

#[test]
fn who_wants_to_runs_again_after_a_later_change() {
    let double = mutating("b-double", "[JSONPatch{op: 'replace', path: '/spec/n', value: object.spec.n * 10}]", "");
    let raise = mutating("a-raise", RAISE, "reinvocationPolicy: IfNeeded");
    assert_eq!(admit(&format!("{raise}---\n{double}")).unwrap().unwrap()["spec"]["n"], 21);
}

#[test]
fn a_policy_without_a_binding_is_not_in_force() {
    let text = mutating("raise", RAISE, "");
    assert_eq!(admit(text.split("---").next().unwrap()).unwrap(), None);
}

#[rstest]
#[case::fails_by_default("", Some("no such key: nothing"))]
#[case::or_is_ignored("failurePolicy: Ignore", None)]
fn an_expression_with_an_error(#[case] more: &str, #[case] expected: Option<&str>) {
    let answer = admit(&mutating("broken", "[JSONPatch{op: 'add', path: '/x', value: object.nothing}]", more));
    match expected {
        Some(why) => assert!(answer.unwrap_err().message.contains(why)),
        None => assert_eq!(answer.unwrap(), None),
    }
}

#[rstest]
#[case::one_that_is_false_outweighs_errors(
    "{name: a, expression: 'object.nothing'}, {name: b, expression: 'false'}",
    true
)]
#[case::an_error_counts("{name: a, expression: 'object.nothing'}, {name: b, expression: 'true'}", false)]
fn match_conditions(#[case] conditions: &str, #[case] admitted: bool) {
    assert_eq!(admit(&mutating("raise", RAISE, &format!("matchConditions: [{conditions}]"))).is_ok(), admitted);
}

#[rstest]
#[case::parameters("paramKind: {apiVersion: v1, kind: ConfigMap}", "parameters")]
#[case::syntax("variables: [{name: a, expression: '1 +'}]", "raise: 1 +: ")]
fn what_is_wrong_or_not_supported_is_refused_when_read(#[case] more: &str, #[case] expected: &str) {
    let why = Policies::read(&mutating("raise", RAISE, more)).unwrap_err();
    assert!(why.contains(expected), "{why}");
}

/// How long it takes: `cargo test --profile e2e admission -- --ignored --nocapture`.
#[test]
#[ignore = "prints a figure"]
fn speed() {
    let start = std::time::Instant::now();
    let policies = Policies::shipped(Override::Enforce).unwrap();
    println!("read and compiled: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let (user, before, after) = (User::person(MACHINE), deployment("app:1"), deployment("app:2"));
    let review = |object, subresource| Review {
        operation: Operation::Update,
        group: "apps",
        version: "v1",
        resource: "deployments",
        subresource,
        user: &user,
        namespace: "shop",
        name: "c",
        object: Some(object),
        old: Some(&before),
        dry_run: false,
        may: &|_| false,
    };
    for (what, object, subresource) in
        [("template changed", &after, None), ("nothing changed", &before, None), ("status", &after, Some("status"))]
    {
        let start = std::time::Instant::now();
        for _ in 0..1000 {
            policies.admit(&review(object, subresource)).unwrap();
        }
        println!("{what}: {:.1} µs", start.elapsed().as_secs_f64() * 1e3);
    }
}
