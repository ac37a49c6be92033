//! What is seen between two templates, what it implies, and that nothing is overlooked or given away.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::super::same;
use super::{Image, Matter, diff, findings, image};
use crate::policy::category::Origin;

fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "shop"}, "annotations": {"note": "one"}},
        "spec": {
            "containers": [
                {
                    "name": "app", "image": "registry.example/shop:1.4", "command": ["/shop"], "args": ["--level=info"],
                    "env": [
                        {"name": "LEVEL", "value": "info"},
                        {"name": "DB_PASSWORD", "value": "hunter2"},
                        {"name": "DSN_FROM", "valueFrom": {"secretKeyRef": {"name": "db", "key": "dsn"}}}
                    ],
                    "envFrom": [{"configMapRef": {"name": "settings"}}],
                    "ports": [{"containerPort": 8080, "name": "http"}],
                    "resources": {"requests": {"cpu": "1"}},
                    "readinessProbe": {"httpGet": {"path": "/ready", "httpHeaders": [{"name": "Authorization", "value": "hunter2"}]}},
                    "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "keys", "mountPath": "/keys"}]
                },
                {"name": "proxy", "image": "envoy:1.30.1"}
            ],
            "initContainers": [{"name": "migrate", "image": "migrate:4.1", "command": ["sh", "-c"], "args": ["migrate up"]}],
            "serviceAccountName": "shop",
            "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "keys", "secret": {"secretName": "keys"}}]
        }
    })
}

/// The template with one place set; null takes it away.
fn with(place: &str, value: Value) -> Value {
    let mut template = template();
    let (parent, field) = place.rsplit_once('/').unwrap();
    let parent = template.pointer_mut(parent).unwrap();
    match parent.as_array_mut() {
        Some(list) if field == "-" => list.push(value),
        Some(list) if value.is_null() => drop(list.remove(field.parse().unwrap())),
        Some(list) => list[field.parse::<usize>().unwrap()] = value,
        None => parent[field] = value,
    }
    template
}

fn told(after: &Value) -> (String, String) {
    let all = diff(&template(), after);
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    let mut categories: Vec<&str> = findings(&all).iter().map(|finding| finding.category.as_str()).collect();
    categories.dedup();
    (words.join("; "), categories.join(" "))
}

const APP: &str = "/spec/containers/0";

#[rstest]
// Images.
#[case("/spec/containers/0/image", json!("registry.example/shop:1.5"), "spec.containers[app].image tag: 1.4 → 1.5", "unclassified-code")]
#[case("/spec/containers/0/image", json!("registry.example/shop:1.4@sha256:ab"), "spec.containers[app].image digest: added sha256:ab", "unclassified-code")]
#[case("/spec/containers/0/image", json!("registry.example/cart:1.4"), "spec.containers[app].image repository: shop → cart", "unclassified-code dependency-major")]
#[case("/spec/containers/0/image", json!("ghcr.io/shop:1.4"), "spec.containers[app].image registry: registry.example → ghcr.io", "unclassified-code dependency-major")]
#[case("/spec/containers/1/image", json!("envoy:1.31.0"), "spec.containers[proxy].image tag: 1.30.1 → 1.31.0", "dependency-minor")]
#[case("/spec/containers/1/image", json!("envoy:2.0.0"), "spec.containers[proxy].image tag: 1.30.1 → 2.0.0", "dependency-major")]
#[case("/spec/containers/1/image", json!("envoy:latest"), "spec.containers[proxy].image tag: 1.30.1 → latest", "dependency-major")]
#[case("/spec/containers/1/image", json!("envoy:1.30.1@sha256:cd"), "spec.containers[proxy].image digest: added sha256:cd", "dependency-minor")]
#[case("/spec/containers/1/image", json!("mirror/envoy:1.30.1"), "spec.containers[proxy].image repository: envoy → mirror/envoy", "dependency-major")]
#[case("/spec/initContainers/0/image", json!("migrate:4.2"), "spec.initContainers[migrate].image tag: 4.1 → 4.2", "dependency-minor")]
// What runs and with what.
#[case("/spec/containers/0/command", json!(["/other"]), "spec.containers[app].command: changed (1 word)", "unclassified-code")]
#[case("/spec/containers/0/args", json!(["--level=debug", "--fast"]), "spec.containers[app].args: 1 word, of them --level → 2 words, of them --fast --level", "runtime-config")]
#[case(
    "/spec/containers/0/args",
    Value::Null,
    "spec.containers[app].args: removed 1 word, of them --level",
    "runtime-config"
)]
#[case("/spec/initContainers/0/args", json!(["migrate down"]), "spec.initContainers[migrate].args: changed (1 word)", "unclassified-code")]
// Environment: never a value.
#[case("/spec/containers/0/env/0", json!({"name": "LEVEL", "value": "debug"}), "spec.containers[app].env[LEVEL]: changed (a value)", "runtime-config")]
#[case("/spec/containers/0/env/-", json!({"name": "FAST", "value": "yes"}), "spec.containers[app].env[FAST]: added a value", "runtime-config")]
#[case("/spec/containers/0/env/1", json!({"name": "DB_PASSWORD", "value": "hunter3"}), "spec.containers[app].env[DB_PASSWORD]: changed (a value)", "secrets")]
#[case("/spec/containers/0/env/0", json!({"name": "LEVEL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "level"}}}), "spec.containers[app].env[LEVEL]: a value → secret db, key level", "secrets")]
#[case("/spec/containers/0/env/0", json!({"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}}), "spec.containers[app].env[LEVEL]: a value → configmap settings, key level", "runtime-config")]
#[case(
    "/spec/containers/0/env/2",
    Value::Null,
    "spec.containers[app].env[DSN_FROM]: removed secret db, key dsn",
    "secrets"
)]
#[case("/spec/containers/0/envFrom/-", json!({"secretRef": {"name": "all"}}), "spec.containers[app].envFrom[secret all]: added all its keys", "secrets")]
#[case(
    "/spec/containers/0/envFrom/0",
    Value::Null,
    "spec.containers[app].envFrom[configmap settings]: removed all its keys",
    "runtime-config"
)]
// How it runs.
#[case("/spec/containers/0/resources/requests/cpu", json!("2"), "spec.containers[app].resources.requests.cpu: 1 → 2", "runtime-config")]
#[case("/spec/containers/0/resources/limits", json!({"memory": "1Gi"}), "spec.containers[app].resources.limits.memory: added 1Gi", "runtime-config")]
#[case("/spec/containers/0/readinessProbe/httpGet/path", json!("/health"), "spec.containers[app].readinessProbe.httpGet.path: /ready → /health", "runtime-config")]
#[case("/spec/containers/0/readinessProbe/httpGet/httpHeaders", json!([{"name": "Authorization", "value": "hunter3"}]), "spec.containers[app].readinessProbe.httpGet.httpHeaders: changed (1 entry)", "runtime-config")]
#[case("/spec/containers/0/livenessProbe", json!({"periodSeconds": 5}), "spec.containers[app].livenessProbe.periodSeconds: added 5", "runtime-config")]
#[case("/spec/containers/0/workingDir", json!("/srv"), "spec.containers[app].workingDir: added /srv", "runtime-config")]
#[case("/spec/terminationGracePeriodSeconds", json!(60), "spec.terminationGracePeriodSeconds: added 60", "runtime-config")]
// Ports and names.
#[case("/spec/containers/0/ports/-", json!({"containerPort": 9090}), "spec.containers[app].ports[9090/TCP]: added a port", "networking")]
#[case("/spec/containers/0/ports/0", json!({"containerPort": 8080, "name": "web"}), "spec.containers[app].ports[8080/TCP]: port http → port web", "networking")]
#[case("/spec/containers/0/ports/0", json!({"containerPort": 8080, "name": "http", "hostPort": 80}), "spec.containers[app].ports[8080/TCP]: port http → port http on the node's 80", "permissions networking")]
#[case("/spec/dnsPolicy", json!("Default"), "spec.dnsPolicy: added Default", "dns")]
// Volumes.
#[case("/spec/volumes/0", json!({"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}), "spec.volumes[scratch]: changed (emptyDir)", "runtime-config")]
#[case("/spec/volumes/0", json!({"name": "scratch", "hostPath": {"path": "/var"}}), "spec.volumes[scratch]: emptyDir → hostPath /var; spec.volumes[scratch]: emptyDir → hostPath /var", "runtime-config permissions")]
#[case("/spec/volumes/1", json!({"name": "keys", "secret": {"secretName": "other"}}), "spec.volumes[keys]: secret keys → secret other", "secrets")]
#[case("/spec/volumes/-", json!({"name": "data", "persistentVolumeClaim": {"claimName": "data"}}), "spec.volumes[data]: added persistentVolumeClaim data", "infrastructure")]
#[case("/spec/volumes/-", json!({"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}), "spec.volumes[token]: added projected", "secrets")]
#[case("/spec/volumes/-", json!({"name": "info", "projected": {"sources": [{"configMap": {"name": "c"}}]}}), "spec.volumes[info]: added projected", "runtime-config")]
#[case("/spec/volumes/-", json!({"name": "vault", "csi": {"driver": "secrets-store.csi.k8s.io"}}), "spec.volumes[vault]: added csi secrets-store.csi.k8s.io", "secrets")]
#[case("/spec/containers/0/volumeMounts/0", json!({"name": "scratch", "mountPath": "/tmp", "readOnly": true}), "spec.containers[app].volumeMounts[/tmp]: changed (volume scratch)", "runtime-config")]
#[case(
    "/spec/containers/0/volumeMounts/1",
    Value::Null,
    "spec.containers[app].volumeMounts[/keys]: removed volume keys",
    "secrets"
)]
// Rights.
#[case("/spec/serviceAccountName", json!("admin"), "spec.serviceAccountName: shop → admin", "permissions")]
#[case("/spec/automountServiceAccountToken", json!(true), "spec.automountServiceAccountToken: added true", "permissions")]
#[case("/spec/securityContext", json!({"runAsUser": 0}), "spec.securityContext.runAsUser: added 0", "permissions")]
#[case("/spec/containers/0/securityContext", json!({"privileged": true}), "spec.containers[app].securityContext.privileged: added true", "permissions")]
#[case("/spec/hostPID", json!(true), "spec.hostPID: added true", "permissions")]
#[case("/spec/hostNetwork", json!(true), "spec.hostNetwork: added true", "permissions networking")]
#[case("/spec/imagePullSecrets", json!([{"name": "pull"}]), "spec.imagePullSecrets: added 1 entry", "secrets")]
// Containers that come and go, with what they bring.
#[case("/spec/containers/-", json!({"name": "agent", "image": "agent:1"}), "spec.containers[agent]: added agent:1", "dependency-major")]
#[case("/spec/containers/-", json!({"name": "agent", "image": "agent:1", "securityContext": {"privileged": true}}), "spec.containers[agent]: added agent:1; spec.containers[agent].securityContext.privileged: added true", "dependency-major permissions")]
#[case("/spec/containers/1", Value::Null, "spec.containers[proxy]: removed envoy:1.30.1", "dependency-major")]
#[case("/spec/initContainers/0", Value::Null, "spec.initContainers[migrate]: removed migrate:4.1", "dependency-major")]
#[case("/spec/initContainers/0/restartPolicy", json!("Always"), "spec.initContainers[migrate].restartPolicy: added Always", "dependency-major")]
// Where it runs.
#[case("/spec/nodeSelector", json!({"disk": "ssd"}), "spec.nodeSelector.disk: added ssd", "infrastructure")]
#[case("/spec/priorityClassName", json!("high"), "spec.priorityClassName: added high", "infrastructure")]
// Metadata.
#[case("/metadata/labels/tier", json!("web"), "metadata.labels[tier]: added web", "runtime-config")]
#[case("/metadata/labels/app.kubernetes.io~1version", json!("2"), "metadata.labels[app.kubernetes.io~1version]: added 2", "runtime-config")]
#[case("/metadata/annotations/note", json!("hunter3"), "metadata.annotations[note]: changed (a value)", "runtime-config")]
// What this version does not know is not taken lightly.
#[case("/spec/teleport", json!("yes"), "spec.teleport: added yes", "infrastructure")]
#[case("/spec/containers/0/teleport", json!({"to": "mars"}), "spec.containers[app].teleport.to: added mars", "infrastructure")]
fn a_difference_has_words_and_categories(
    #[case] place: &str,
    #[case] value: Value,
    #[case] words: &str,
    #[case] categories: &str,
) {
    assert_eq!(told(&with(place, value)), (words.to_owned(), categories.to_owned()));
}

#[test]
fn a_version_label_only_informs() {
    let mut after = template();
    after["metadata"]["labels"]["app.kubernetes.io/version"] = json!("2");
    assert_eq!(told(&after).1, "metadata");
}

#[test]
fn an_order_that_changes_is_a_difference() {
    let mut after = template();
    after["spec"]["containers"].as_array_mut().unwrap().reverse();
    let (words, categories) = told(&after);
    assert_eq!((words.as_str(), categories.as_str()), ("spec.containers: changed", "runtime-config"));
    let mut after = template();
    after["spec"]["containers"][0]["env"].as_array_mut().unwrap().reverse();
    assert_eq!(told(&after).0, "spec.containers[app].env: changed");
}

#[test]
fn nothing_is_nothing_and_a_restart_too() {
    let restarted = with("/metadata/annotations/kubectl.kubernetes.io~1restartedAt", json!("now"));
    let mut hashed = template();
    hashed["metadata"]["labels"]["pod-template-hash"] = json!("abc");
    hashed["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(diff(&template(), &hashed), []);
    // The pointer above writes its key as it stands: another annotation, which is seen.
    assert_eq!(diff(&template(), &restarted).len(), 1);
}

#[test]
fn what_is_seen_is_told_as_seen() {
    let all = findings(&diff(&template(), &with(&format!("{APP}/image"), json!("registry.example/shop:2"))));
    assert!(all.iter().all(|finding| finding.origin == Origin::Seen));
    assert_eq!(all[0].evidence, "spec.containers[app].image tag: 1.4 → 2");
}

#[rstest]
#[case("shop", "", "shop", "", "")]
#[case("library/shop:1.4", "", "library/shop", "1.4", "")]
#[case("localhost/shop", "localhost", "shop", "", "")]
#[case("registry.example:5000/a/shop", "registry.example:5000", "a/shop", "", "")]
#[case("registry.example:5000/a/shop:1@sha256:ab", "registry.example:5000", "a/shop", "1", "sha256:ab")]
#[case("shop@sha256:ab", "", "shop", "", "sha256:ab")]
fn an_image_has_parts(
    #[case] reference: &str,
    #[case] registry: &str,
    #[case] repository: &str,
    #[case] tag: &str,
    #[case] digest: &str,
) {
    let image = Image::of(reference);
    assert_eq!(image, Image { registry, repository, tag, digest });
    assert_eq!(image.to_string(), reference);
}

#[rstest]
#[case("1.4.2", Some((1, 0)))]
#[case("v2.0-alpine", Some((2, 0)))]
#[case("0.4.2", Some((0, 4)))]
#[case("14", None)]
#[case("latest", None)]
#[case("2026-01-02", Some((2026, 0)))]
fn a_tag_has_a_major_version(#[case] tag: &str, #[case] expected: Option<(u64, u64)>) {
    assert_eq!(image::major(tag), expected);
}

/// Small templates of fields that matter, of which any two can be compared.
fn any_template() -> impl Strategy<Value = Value> {
    let word = "[ab]";
    let env = proptest::collection::vec((word, "hunter[23]"), 0..3)
        .prop_map(|all| all.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>());
    let container = (word, word, env, proptest::option::of(any::<bool>()), proptest::option::of("--[ab]=hunter[23]"))
        .prop_map(|(name, image, env, privileged, arg)| {
            let args: Vec<String> = arg.into_iter().collect();
            json!({"name": name, "image": image, "env": env, "args": args, "securityContext": {"privileged": privileged}})
        });
    let volume = (word, 0..4).prop_map(|(name, kind)| match kind {
        0 => json!({"name": name, "emptyDir": {}}),
        1 => json!({"name": name, "secret": {"secretName": name}}),
        2 => json!({"name": name}),
        _ => json!({"name": name, "hostPath": {"path": "/"}}),
    });
    (
        proptest::collection::vec(container.clone(), 0..3),
        proptest::option::of(proptest::collection::vec(container, 0..2)),
        proptest::option::of(proptest::collection::vec(volume, 0..3)),
        proptest::option::of(proptest::collection::btree_map(word, "hunter[23]", 0..2)),
        proptest::option::of(any::<bool>()),
    )
        .prop_map(|(containers, init, volumes, annotations, host)| {
            json!({
                "metadata": {"annotations": annotations},
                "spec": {"containers": containers, "initContainers": init, "volumes": volumes, "hostNetwork": host}
            })
        })
}

proptest! {
    #[test]
    fn nothing_is_overlooked(before in any_template(), after in any_template()) {
        let all = diff(&before, &after);
        prop_assert_eq!(all.is_empty(), same(&before, &after), "{} {}", before, after);
        prop_assert!(all.iter().all(|difference| !difference.categories().is_empty()));
        prop_assert_eq!(findings(&all).is_empty(), all.is_empty());
    }

    #[test]
    fn no_secret_is_given_away(before in any_template(), after in any_template()) {
        for difference in diff(&before, &after) {
            prop_assert!(!difference.to_string().contains("hunter"), "{difference}");
        }
    }

    #[test]
    fn the_way_back_differs_in_the_same_places(before in any_template(), after in any_template()) {
        let places = |from: &Value, to: &Value| {
            let mut all: Vec<_> = diff(from, to).into_iter().filter(|one| one.matter == Matter::SecurityContext && one.before.is_some() && one.after.is_some()).map(|one| one.path).collect();
            all.sort();
            all
        };
        prop_assert_eq!(places(&before, &after), places(&after, &before));
    }

    #[test]
    fn any_image_reference_is_read(reference in "[a-z0-9.:/@-]{0,40}") {
        let image = Image::of(&reference);
        prop_assert!(image.to_string().len() <= reference.len());
    }
}
