use rstest::rstest;
use serde_json::{Value, json};

use super::Bare;
use crate::sandbox::objects::Objects;
use crate::sandbox::user::User;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
pub(super) const CRDS: [&str; 4] = [
    include_str!("../../../../crds/gatedreleases.yaml"),
    include_str!("../../../../crds/riskbudgets.yaml"),
    include_str!("../../../../crds/releaserecords.yaml"),
    include_str!("../../../../crds/attestations.yaml"),
];
pub(super) const CRD: crate::cluster::Kind =
    crate::cluster::Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");

fn page(path: &str, accept: &str) -> Value {
    let bare = Bare::new();
    bare.with(|api| {
        let crd = serde_saphyr::from_str(include_str!("../../../../crds/gatedreleases.yaml")).unwrap();
        api.create(&User::person("admin"), &CRD, crd).unwrap();
    });
    let (code, _, body) = bare.get(path, accept);
    assert_eq!(code, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn both_forms_of_discovery_name_the_same() {
    let aggregated = page("/apis", AGGREGATED);
    let apps =
        aggregated["items"].as_array().unwrap().iter().find(|group| group["metadata"]["name"] == "apps").unwrap();
    let deployments = &apps["versions"][0]["resources"][0];
    assert_eq!(deployments["resource"], "deployments");
    assert_eq!(deployments["shortNames"], json!(["deploy"]));
    assert_eq!(deployments["subresources"][0]["responseKind"]["group"], "autoscaling");
    let legacy = page("/apis/apps/v1", "application/json");
    let names: Vec<_> =
        legacy["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "deployments",
            "deployments/scale",
            "deployments/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "statefulsets",
            "statefulsets/scale",
            "statefulsets/status",
            "controllerrevisions"
        ]
    );
    let listed = page("/apis", "application/json");
    assert_eq!(listed["groups"].as_array().unwrap().len(), aggregated["items"].as_array().unwrap().len());
    assert_eq!(page("/apis/tidegate.io", "")["preferredVersion"]["groupVersion"], "tidegate.io/v1alpha1");
    assert_eq!(page("/api", "")["versions"], json!(["v1"]));
}

#[rstest]
#[case("/version", "/major", json!("1"))]
#[case("/api/v1", "/groupVersion", json!("v1"))]
#[case("/apis/tidegate.io/v1alpha1", "/resources/0/kind", json!("GatedRelease"))]
#[case("/openapi/v3/apis/tidegate.io/v1alpha1", "/components/schemas/io.tidegate.v1alpha1.GatedRelease/properties/spec/type", json!("object"))]
fn pages_are_served(#[case] path: &str, #[case] pointer: &str, #[case] wanted: Value) {
    assert_eq!(page(path, "application/json").pointer(pointer), Some(&wanted));
}

#[rstest]
#[case("/healthz", 200)]
#[case("/readyz", 200)]
#[case("/livez", 200)]
#[case("/apis/none", 404)]
#[case("/apis/apps/v2", 404)]
#[case("/openapi/v2", 404)]
#[case("/openapi/v3/apis/none/v1", 404)]
fn what_is_not_there_is_not_found(#[case] path: &str, #[case] wanted: u16) {
    assert_eq!(Bare::new().get(path, "").0, wanted);
}

/// What kubectl's query parameter verifier and `explain` look for, for every kind that is served.
#[test]
fn every_kind_has_an_operation_to_patch_it_and_a_schema_without_loose_ends() {
    let index = page("/openapi/v3", "");
    for path in index["paths"].as_object().unwrap().keys() {
        let document = page(&format!("/openapi/v3/{path}"), "application/json");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let discovered = page(&format!("/{path}"), "application/json");
        for resource in discovered["resources"].as_array().unwrap() {
            if resource["name"].as_str().unwrap().contains('/') {
                continue;
            }
            let is_it = |value: &Value| value["kind"] == resource["kind"];
            let marked = schemas.values().filter(|schema| {
                schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|all| all.iter().any(is_it))
            });
            assert_eq!(marked.count(), 1, "{path} {}", resource["kind"]);
            if !resource["verbs"].as_array().unwrap().contains(&json!("patch")) {
                continue;
            }
            let patch = document["paths"].as_object().unwrap().values().filter_map(|path| path.get("patch"));
            let patch = patch.into_iter().find(|patch| is_it(&patch["x-kubernetes-group-version-kind"])).unwrap();
            let names: Vec<_> =
                patch["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
            assert!(names.contains(&"fieldValidation") && names.contains(&"dryRun"), "{names:?}");
        }
        let mut loose = Vec::new();
        refer(&document, &mut |name| {
            if !schemas.contains_key(name) {
                loose.push(name.to_owned());
            }
        });
        assert!(loose.is_empty(), "{path}: {loose:?}");
    }
}

fn refer(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(name)) = fields.get("$ref") {
                see(name.strip_prefix("#/components/schemas/").unwrap());
            }
            fields.values().for_each(|field| refer(field, see));
        }
        Value::Array(all) => all.iter().for_each(|one| refer(one, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_hash_of_a_document_follows_its_content() {
    let hash = |bare: &Bare| {
        let index: Value = serde_json::from_slice(&bare.get("/openapi/v3", "").2).unwrap();
        index["paths"]["apis/tidegate.io/v1alpha1"].clone()
    };
    let bare = Bare::new();
    let install = |text: &str| {
        let crd = serde_saphyr::from_str(text).unwrap();
        bare.with(|api| api.create(&User::person("admin"), &CRD, crd)).unwrap();
    };
    assert_eq!(hash(&bare), Value::Null);
    install(include_str!("../../../../crds/gatedreleases.yaml"));
    let one = hash(&bare);
    install(include_str!("../../../../crds/riskbudgets.yaml"));
    assert!(one.is_object() && one != hash(&bare));
    assert_eq!(hash(&bare), hash(&bare));
}

#[test]
fn a_list_is_drawn_as_a_table_with_its_version() {
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let table = page("/api/v1/namespaces?includeObject=None", accept);
    assert_eq!((&table["kind"], &table["rows"][0]["cells"][0]), (&json!("Table"), &json!("default")));
    assert!(table["metadata"]["resourceVersion"].is_string());
    let one = page("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatedreleases.tidegate.io", accept);
    assert_eq!(one["columnDefinitions"][1]["name"], "Created At");
}
