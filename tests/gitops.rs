//! The files for GitOps tools, run as the tools run them: the health scripts of Argo CD in Lua 5.1 with no more libraries
//! than Argo CD gives them, the expressions of Flux in CEL and in Flux's order, over objects that were recorded.
//!
//! `tests/gitops/objects/README.md` says where each object comes from; `tests/gitops/expected.yaml` says what each tool
//! must make of it.

#![cfg(feature = "sandbox")]
// Helpers of tests, which clippy cannot tell from others outside of a test function.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mlua::{Lua, LuaOptions, LuaSerdeExt, StdLib};
use serde_json::{Value, json};
use tidegate::cel::{Program, Scope, Val};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn argocd() -> BTreeMap<String, String> {
    let cm = yaml(&root().join("gitops/argocd/argocd-cm.yaml"));
    serde_json::from_value(cm["data"].clone()).unwrap()
}

/// What Argo CD calls the kind in the keys of its ConfigMap.
fn argocd_kind(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    format!("{group}_{}", object["kind"].as_str().unwrap())
}

/// As Argo CD runs a script: the object in `obj`, the base and table libraries, no string, os or io.
fn argocd_health(script: &str, object: &Value) -> (String, String) {
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default()).unwrap();
    for out in ["dofile", "loadfile", "print", "require", "string", "os", "io"] {
        lua.globals().set(out, mlua::Value::Nil).unwrap();
    }
    let options = mlua::serde::SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    lua.globals().set("obj", lua.to_value_with(object, options).unwrap()).unwrap();
    let health: mlua::Table = lua.load(script).eval().unwrap_or_else(|why| panic!("{why}"));
    let status: String = health.get("status").unwrap();
    let message: Option<String> = health.get("message").unwrap();
    (status, message.unwrap_or_default())
}

/// As Flux evaluates its expressions: a generation that was not observed is in progress; then inProgress, failed, current.
/// An expression that cannot be evaluated tells nothing, and Flux looks again.
fn flux_health(expressions: &Value, object: &Value) -> String {
    let number = |place: &str| object.pointer(place).and_then(Value::as_i64);
    if let (Some(observed), Some(generation)) = (number("/status/observedGeneration"), number("/metadata/generation"))
        && observed != generation
    {
        return "InProgress".to_owned();
    }
    for (field, health) in [("inProgress", "InProgress"), ("failed", "Failed"), ("current", "Current")] {
        let Some(text) = expressions[field].as_str() else { continue };
        let program = Program::parse(text).unwrap_or_else(|why| panic!("{why}"));
        let fields = object.as_object().unwrap();
        let scope = Scope::new(fields.iter().map(|(key, value)| (key.as_str(), Val::from(value))).collect());
        match scope.eval(&program).and_then(|value| value.truth()) {
            Ok(true) => return health.to_owned(),
            Ok(false) => {}
            Err(_) => return "Unknown".to_owned(),
        }
    }
    "InProgress".to_owned()
}

fn flux_expressions(object: &Value) -> Value {
    let all = yaml(&root().join("gitops/flux/health-check-exprs.yaml"));
    let all = all["spec"]["healthCheckExprs"].as_array().unwrap();
    let fits = |one: &&Value| one["apiVersion"] == object["apiVersion"] && one["kind"] == object["kind"];
    let mut found = all.iter().filter(fits);
    let one = found.next().unwrap_or_else(|| panic!("no expression for {}", object["kind"]));
    assert!(found.next().is_none(), "two expressions for {}", object["kind"]);
    one.clone()
}

fn judged(object: &Value) -> (String, String, String) {
    let scripts = argocd();
    let key = format!("resource.customizations.health.{}", argocd_kind(object));
    let script = scripts.get(&key).unwrap_or_else(|| panic!("no {key}"));
    let (status, message) = argocd_health(script, object);
    (status, message, flux_health(&flux_expressions(object), object))
}

#[test]
fn each_recorded_object_is_what_it_should_be_to_both_tools() {
    let folder = root().join("tests/gitops/objects");
    let expected = yaml(&root().join("tests/gitops/expected.yaml"));
    let expected = expected.as_object().unwrap();
    let files: BTreeSet<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    let awaited = |wanted: &Value| wanted["awaited"] == true;
    let lines = |which: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        expected.iter().filter(|(_, wanted)| which(wanted)).map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(
        files,
        lines(&|wanted| !awaited(wanted)),
        "each object has one line, each line that is not awaited one object"
    );
    let mut wrong = Vec::new();
    for (name, wanted) in expected.iter().filter(|(_, wanted)| !awaited(wanted)) {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let object: Value = serde_json::from_str(&text).unwrap();
        let (argocd, message, flux) = judged(&object);
        let says = wanted["says"].as_str().unwrap_or_default();
        if wanted["argocd"] != argocd.as_str() || wanted["flux"] != flux.as_str() || !message.contains(says) {
            wrong.push(format!("{name}: wanted {wanted}, got Argo CD {argocd} ({message}), Flux {flux}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What no recording shows, made from one that does: name, the object it is made from, a merge patch, Argo CD, Flux.
#[test]
fn what_is_rare_is_judged_too() {
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": "m"});
    let cases = [
        (
            "a rolling update is under way",
            "deployment-idle",
            json!({"status": {"updatedReplicas": 1}}),
            "Progressing",
            "InProgress",
        ),
        (
            "old pods are still there",
            "deployment-idle",
            json!({"status": {"replicas": 6}}),
            "Progressing",
            "InProgress",
        ),
        (
            "new pods are not available",
            "deployment-idle",
            json!({"status": {"availableReplicas": 1}}),
            "Progressing",
            "InProgress",
        ),
        (
            "the spec was not looked at",
            "deployment-idle",
            json!({"status": {"observedGeneration": 0}}),
            "Progressing",
            "InProgress",
        ),
        (
            "the deadline is over",
            "deployment-idle",
            json!({"status": {"updatedReplicas": 1, "conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]}}),
            "Degraded",
            "Failed",
        ),
        (
            "somebody else paused one that is not gated",
            "deployment-idle",
            json!({"metadata": {"labels": null}, "spec": {"paused": true}, "status": {"updatedReplicas": null}}),
            "Suspended",
            "InProgress",
        ),
        (
            "held, and nobody serves",
            "deployment-held",
            json!({"status": {"availableReplicas": null}}),
            "Degraded",
            "Failed",
        ),
        (
            "held at no pods",
            "deployment-held",
            json!({"spec": {"replicas": 0}, "status": {"availableReplicas": null, "replicas": null}}),
            "Healthy",
            "Current",
        ),
        ("not looked at yet", "release-idle", json!({"status": null}), "Progressing", "Unknown"),
        (
            "an edit was not looked at",
            "release-idle",
            json!({"metadata": {"generation": 99}}),
            "Progressing",
            "InProgress",
        ),
        (
            "applied before its workload",
            "release-idle",
            json!({"status": {"record": null, "conditions": [condition("Ready", "False", "WorkloadMissing")]}}),
            "Progressing",
            "InProgress",
        ),
        (
            "its workload vanished",
            "release-idle",
            json!({"status": {"conditions": [condition("Ready", "False", "WorkloadMissing")]}}),
            "Degraded",
            "Failed",
        ),
        (
            "stages that rise in no order",
            "release-idle",
            json!({"status": {"record": null, "conditions": [condition("Ready", "False", "StagesInvalid"), condition("Stalled", "True", "StagesInvalid")]}}),
            "Degraded",
            "Failed",
        ),
        (
            "an objective that cannot be asked for",
            "budget",
            json!({"status": {"conditions": [condition("Ready", "False", "InvalidQuery")]}}),
            "Degraded",
            "Failed",
        ),
        (
            "Prometheus is down",
            "budget",
            json!({"status": {"conditions": [condition("Ready", "False", "PrometheusUnavailable")]}}),
            "Healthy",
            "Current",
        ),
        ("not measured yet", "budget", json!({"status": null}), "Progressing", "Unknown"),
    ];
    for (what, from, patch, argocd, flux) in cases {
        let text = std::fs::read_to_string(root().join(format!("tests/gitops/objects/{from}.json"))).unwrap();
        let mut object: Value = serde_json::from_str(&text).unwrap();
        json_patch::merge(&mut object, &patch);
        let (status, message, flux_says) = judged(&object);
        assert_eq!((status.as_str(), flux_says.as_str()), (argocd, flux), "{what}: {message}");
    }
}

/// A StatefulSet of three pods at rest, as the API server stores it: with the default partition.
fn stateful_set() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "db", "generation": 4, "labels": {"tidegate.io/gated": ""}},
        "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
        "status": {"observedGeneration": 4, "replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "currentReplicas": 3,
            "updatedReplicas": 3, "currentRevision": "db-1", "updateRevision": "db-1"},
    })
}

/// What a template that Tidegate holds makes of it.
fn held_by_partition(partition: u32, updated: u32) -> Value {
    json!({
        "metadata": {"annotations": {"tidegate.io/paused-because": "shipped by Tidegate"}},
        "spec": {"updateStrategy": {"rollingUpdate": {"partition": partition}}},
        "status": {"updateRevision": "db-2", "updatedReplicas": updated},
    })
}

/// One merge patch with another in it, nulls included, which take a field away.
fn with(mut one: Value, more: Value) -> Value {
    fn lay(under: &mut Value, over: Value) {
        match (under, over) {
            (Value::Object(under), Value::Object(over)) => {
                over.into_iter().for_each(|(key, value)| lay(under.entry(key).or_insert(Value::Null), value));
            }
            (under, over) => *under = over,
        }
    }
    lay(&mut one, more);
    one
}

#[test]
fn a_stateful_set_is_healthy_while_it_is_held_and_serves() {
    const MOST: u32 = 2_147_483_647;
    let ready = |pods: u32| json!({"status": {"readyReplicas": pods}});
    let cases = [
        ("at rest", json!({}), "Healthy", "Current", "3 pods"),
        (
            "held",
            held_by_partition(MOST, 0),
            "Healthy",
            "Current",
            "Held by Tidegate, 3 of 3 pods ready: shipped by Tidegate",
        ),
        ("held in mid-release", held_by_partition(2, 1), "Healthy", "Current", "Held by Tidegate, 3 of 3"),
        (
            "a pod is being replaced",
            with(held_by_partition(1, 1), ready(2)),
            "Healthy",
            "Current",
            "Held by Tidegate, 2 of 3",
        ),
        (
            "held, and nobody serves",
            with(held_by_partition(MOST, 0), ready(0)),
            "Degraded",
            "Failed",
            "no pod is ready",
        ),
        (
            "held at no pods",
            with(
                held_by_partition(MOST, 0),
                json!({"spec": {"replicas": 0}, "status": {"readyReplicas": null, "replicas": 0}}),
            ),
            "Healthy",
            "Current",
            "0 of 0",
        ),
        ("rolls", with(held_by_partition(0, 1), ready(2)), "Progressing", "InProgress", "2 of 3 pods are ready"),
        (
            "rolls, and all are ready for now",
            held_by_partition(0, 1),
            "Progressing",
            "InProgress",
            "1 of 3 pods run the template",
        ),
        (
            "held by nobody's label",
            with(with(held_by_partition(MOST, 0), ready(0)), json!({"metadata": {"labels": null}})),
            "Progressing",
            "InProgress",
            "0 of 3 pods are ready",
        ),
        (
            "a partition of the user's own, reached",
            with(held_by_partition(2, 1), json!({"metadata": {"annotations": null}})),
            "Healthy",
            "Current",
            "1 pods run the template",
        ),
        (
            "a partition of the user's own, not reached",
            with(held_by_partition(1, 1), json!({"metadata": {"annotations": null}})),
            "Progressing",
            "InProgress",
            "1 of 2 pods run the template",
        ),
        (
            "the spec was not looked at",
            json!({"status": {"observedGeneration": 3}}),
            "Progressing",
            "InProgress",
            "not looked",
        ),
        (
            "without a partition, in the middle of a roll",
            json!({"spec": {"updateStrategy": {"rollingUpdate": null}}, "status": {"updateRevision": "db-2", "updatedReplicas": 1}}),
            "Progressing",
            "InProgress",
            "1 of 3",
        ),
        (
            "without a partition, at rest",
            json!({"spec": {"updateStrategy": {"rollingUpdate": null}}}),
            "Healthy",
            "Current",
            "3 pods are ready",
        ),
        (
            "OnDelete",
            json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}, "status": {"updateRevision": "db-2"}}),
            "Healthy",
            "Current",
            "3 pods are ready",
        ),
    ];
    for (what, patch, argocd, flux, says) in cases {
        let mut object = stateful_set();
        json_patch::merge(&mut object, &patch);
        let (status, message, flux_says) = judged(&object);
        assert_eq!((status.as_str(), flux_says.as_str()), (argocd, flux), "{what}: {message}");
        assert!(message.contains(says), "{what}: {message}");
    }
}

#[test]
fn an_attestation_waits_for_nothing() {
    let object = json!({"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": {"name": "a", "generation": 1}, "spec": {}});
    let (argocd, _, flux) = judged(&object);
    assert_eq!((argocd.as_str(), flux.as_str()), ("Healthy", "Current"));
}

/// Every kind of ours is known to both tools.
#[test]
fn no_kind_of_ours_is_forgotten() {
    let scripts = argocd();
    for entry in std::fs::read_dir(root().join("crds")).unwrap() {
        let crd = yaml(&entry.unwrap().path());
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap();
        let object = json!({"apiVersion": "tidegate.io/v1alpha1", "kind": kind});
        assert!(scripts.contains_key(&format!("resource.customizations.health.tidegate.io_{kind}")), "{kind}");
        assert_eq!(flux_expressions(&object)["kind"], kind);
    }
}
