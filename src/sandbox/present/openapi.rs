//! OpenAPI v3: as much as `kubectl explain`, `apply` and `--validate` read of it.
//!
//! PATCH does not list strategic merge patches, on purpose: kubectl then computes them from the Go types that it carries,
//! which know the merge keys; the schemas at hand do not.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::discovery::{group_versions, rows_of};
use super::schemas::{component, components, mark, place};
use crate::sandbox::api::Resource;

/// `/openapi/v3`: where the documents are. The hash changes with the content, so that clients may keep what they have.
pub(super) fn index(rows: &[Arc<Resource>]) -> Value {
    let mut paths = Map::new();
    for (group, version) in group_versions(rows) {
        let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
        let mut hash = Sha256::new();
        for row in rows_of(rows, group, version) {
            hash.update(format!("{:?}{:?}{:?}", row.kind, row.subresources, row.schema));
        }
        let hash: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02X}")).collect();
        paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")}));
    }
    json!({"paths": paths})
}

/// The document of one version of a group; none where nothing is served.
pub(super) fn document(rows: &[Arc<Resource>], group: &str, version: &str) -> Option<Value> {
    let mut schemas = components(rows_of(rows, group, version));
    let mut paths = Map::new();
    for row in rows_of(rows, group, version) {
        mark(&mut schemas, row);
        add_paths(&mut paths, row);
    }
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Tidegate sandbox", "version": "v1.36"},
        "paths": paths, "components": {"schemas": schemas},
    });
    (!paths.is_empty()).then_some(document)
}

fn add_paths(paths: &mut Map<String, Value>, row: &Resource) {
    let root = row.kind.path(if row.namespaced { "{namespace}" } else { "" });
    let names: &[&str] = if row.namespaced { &["namespace"] } else { &[] };
    let mut all = json!({"parameters": in_path(names)});
    let mut one = json!({"parameters": in_path(&[names, &["name"]].concat())});
    for verb in row.verbs {
        let (method, on_one) = match *verb {
            "list" => ("get", false),
            "create" => ("post", false),
            "get" => ("get", true),
            "update" => ("put", true),
            "patch" => ("patch", true),
            "delete" => ("delete", true),
            // A watch is a list with a parameter; a collection is deleted without a document.
            _ => continue,
        };
        if on_one {
            one[method] = operation(row, method, verb);
        } else {
            all[method] = operation(row, method, verb);
        }
    }
    paths.insert(format!("{root}/{{name}}"), one);
    if row.namespaced && row.verbs.contains(&"list") {
        paths.insert(row.kind.path(""), json!({"get": operation(row, "get", "list")}));
    }
    paths.insert(root, all);
}

fn operation(row: &Resource, method: &str, verb: &str) -> Value {
    let schema = json!({"$ref": format!("#/components/schemas/{}", component(row))});
    let mut operation = json!({
        "operationId": format!("{verb}{}{}", row.kind.version, row.kind.kind),
        "x-kubernetes-action": verb, "x-kubernetes-group-version-kind": place(row),
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
    });
    let media: &[&str] = match method {
        "get" => return operation,
        "patch" => &["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"],
        _ => &["application/json"],
    };
    let body = if method == "patch" || method == "delete" { json!({"type": "object"}) } else { schema };
    let content: Map<_, _> = media.iter().map(|media| ((*media).to_owned(), json!({"schema": body}))).collect();
    operation["requestBody"] = json!({"content": content});
    let parameters = match method {
        "delete" => vec![in_query("dryRun"), in_query("propagationPolicy"), in_query("gracePeriodSeconds")],
        "patch" => vec![in_query("dryRun"), in_query("fieldManager"), in_query("fieldValidation"), in_query("force")],
        _ => vec![in_query("dryRun"), in_query("fieldManager"), in_query("fieldValidation")],
    };
    operation["parameters"] = json!(parameters);
    operation
}

fn in_query(name: &str) -> Value {
    let kind = match name {
        "force" => "boolean",
        "gracePeriodSeconds" => "integer",
        _ => "string",
    };
    json!({"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": true}})
}

fn in_path(names: &[&str]) -> Vec<Value> {
    names
        .iter()
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect()
}
