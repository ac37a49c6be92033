//! The schemas of the built-in kinds, from the types of the client library: what `kubectl explain` prints.

use k8s_openapi::api::{
    apps::v1 as apps, autoscaling::v2 as autoscaling, coordination::v1 as coordination, core::v1 as core,
    discovery::v1 as discovery, events::v1 as events, networking::v1 as networking, policy::v1 as policy,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::sandbox::api::Resource;

/// The components of a document: the kinds themselves, marked with what they are, and whatever they refer to.
pub(super) fn components<'r>(rows: impl Iterator<Item = &'r Resource>) -> Map<String, Value> {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let mut own = Vec::new();
    for row in rows {
        if let Some(schema) = &row.schema {
            own.push((component(row), marked(row, schema.as_ref().clone())));
        } else if let Some(of) = built_in(row) {
            // The definition is taken below; here it is only asked for.
            let _ = of(&mut generator);
        } else {
            let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
            own.push((component(row), marked(row, open)));
        }
    }
    let mut all = generator.take_definitions(true);
    all.extend(own);
    all
}

/// Marks the schema of a kind with its place in the API: this is how kubectl finds it.
pub(super) fn mark(components: &mut Map<String, Value>, row: &Resource) {
    if let Some(schema) = components.get_mut(&component(row)) {
        *schema = marked(row, schema.take());
    }
}

fn marked(row: &Resource, mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("x-kubernetes-group-version-kind".to_owned(), json!([place(row)]));
        let properties = fields.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            for key in ["apiVersion", "kind"] {
                properties.entry(key).or_insert_with(|| json!({"type": "string"}));
            }
            properties.entry("metadata").or_insert_with(|| json!({"type": "object"}));
        }
    }
    schema
}

/// Group, version and kind, as extensions write them.
pub(super) fn place(row: &Resource) -> Value {
    json!({"group": row.kind.group, "version": row.kind.version, "kind": row.kind.kind})
}

/// The name of its schema: `io.k8s.api.apps.v1.Deployment`, `io.tidegate.v1alpha1.RiskBudget`.
pub(super) fn component(row: &Resource) -> String {
    let (version, kind) = (row.kind.version, row.kind.kind);
    match row.kind.group {
        "" => format!("io.k8s.api.core.{version}.{kind}"),
        "apiextensions.k8s.io" => format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{kind}"),
        group if built_in(row).is_some() => {
            format!("io.k8s.api.{}.{version}.{kind}", group.split('.').next().unwrap_or(group))
        }
        group => {
            let reversed: Vec<_> = group.rsplit('.').collect();
            format!("{}.{version}.{kind}", reversed.join("."))
        }
    }
}

type Of = fn(&mut SchemaGenerator) -> Schema;

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// None for a kind whose type the client library does not have.
fn built_in(row: &Resource) -> Option<Of> {
    Some(match (row.kind.group, row.kind.version, row.kind.kind) {
        ("", "v1", "Namespace") => of::<core::Namespace>,
        ("", "v1", "Pod") => of::<core::Pod>,
        ("", "v1", "Service") => of::<core::Service>,
        ("", "v1", "Endpoints") => of::<core::Endpoints>,
        ("", "v1", "ConfigMap") => of::<core::ConfigMap>,
        ("", "v1", "Secret") => of::<core::Secret>,
        ("", "v1", "ServiceAccount") => of::<core::ServiceAccount>,
        ("", "v1", "ResourceQuota") => of::<core::ResourceQuota>,
        ("", "v1", "PersistentVolumeClaim") => of::<core::PersistentVolumeClaim>,
        ("", "v1", "Event") => of::<core::Event>,
        ("events.k8s.io", "v1", "Event") => of::<events::Event>,
        ("apps", "v1", "Deployment") => of::<apps::Deployment>,
        ("apps", "v1", "ReplicaSet") => of::<apps::ReplicaSet>,
        ("discovery.k8s.io", "v1", "EndpointSlice") => of::<discovery::EndpointSlice>,
        ("policy", "v1", "PodDisruptionBudget") => of::<policy::PodDisruptionBudget>,
        ("autoscaling", "v2", "HorizontalPodAutoscaler") => of::<autoscaling::HorizontalPodAutoscaler>,
        ("coordination.k8s.io", "v1", "Lease") => of::<coordination::Lease>,
        ("networking.k8s.io", "v1", "NetworkPolicy") => of::<networking::NetworkPolicy>,
        ("apiextensions.k8s.io", "v1", "CustomResourceDefinition") => of::<apiextensions::CustomResourceDefinition>,
        _ => return None,
    })
}
