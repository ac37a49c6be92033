//! What stands in the cluster when a scenario begins: `examples/checkout`, with what the file says.

use serde_json::{Map, Value, json};

use crate::api::Change;
use crate::api::names::{BREAK_GLASS, CHANGE, CHANGE_SEVERITY, CHANGE_TYPE};
use crate::sandbox::schema::Schemas;

use super::action::by_default;
use super::file::File;

const SURROUNDINGS: &str = include_str!("../../../examples/checkout/1-namespace-and-gateway.yaml");
const APPLICATION: &str = include_str!("../../../examples/checkout/2-application.yaml");
const RISK_BUDGET: &str = include_str!("../../../examples/checkout/3-risk-budget.yaml");
const GATED_RELEASE: &str = include_str!("../../../examples/checkout/4-gated-release.yaml");
/// What differs from the example, so that a story takes minutes.
const SHORT: &str = include_str!("short.yaml");

/// The objects of a scenario, as JSON, ready to be applied in the order of [`Objects::all`].
#[derive(Debug, Clone, PartialEq)]
pub struct Objects {
    /// The Namespace and the Gateway.
    pub surroundings: Vec<Value>,
    /// The Deployment, or the StatefulSet where the GatedRelease names one, with the version that runs at the beginning.
    pub deployment: Value,
    /// The Service.
    pub service: Value,
    /// The HTTPRoute as Git has it.
    pub route: Value,
    /// The HorizontalPodAutoscaler, where there is one.
    pub autoscaler: Option<Value>,
    /// The RiskBudget.
    pub risk_budget: Value,
    /// The GatedRelease.
    pub gated_release: Value,
}

impl Objects {
    /// All of them, each after what it refers to.
    pub fn all(&self) -> impl Iterator<Item = &Value> {
        self.surroundings
            .iter()
            .chain([&self.deployment, &self.service])
            .chain(Some(&self.route).filter(|_| !self.by_count()))
            .chain(&self.autoscaler)
            .chain([&self.risk_budget, &self.gated_release])
    }

    /// Whether users call the Service itself, because the GatedRelease names no route.
    pub fn by_count(&self) -> bool {
        self.gated_release.pointer("/spec/traffic/httpRoutes").is_none()
    }

    /// The Deployment as Git has it with an image and a change; under break-glass where a reason is given. Replicas are
    /// those of the beginning, and left out where there is an autoscaler.
    pub fn deployment(&self, image: &str, change: &Change, break_glass: Option<&str>) -> Value {
        let mut deployment = self.deployment.clone();
        set_image(&mut deployment, image);
        let mut annotations = Map::new();
        annotations.insert(CHANGE.to_owned(), json!(change.reference));
        annotations.insert(CHANGE_TYPE.to_owned(), json!(change.kind));
        annotations.extend(change.severity.map(|severity| (CHANGE_SEVERITY.to_owned(), json!(severity))));
        annotations.extend(break_glass.map(|reason| (BREAK_GLASS.to_owned(), json!(reason))));
        set(&mut deployment, "/metadata", "annotations", Value::Object(annotations));
        deployment
    }

    pub(super) fn of(file: &File, image: &str) -> Result<Self, String> {
        let mut surroundings: Vec<Value> = read(SURROUNDINGS)?;
        let [mut deployment, service, route] = <[Value; 3]>::try_from(read(APPLICATION)?)
            .map_err(|found| format!("examples/checkout: {} objects instead of 3", found.len()))?;
        surroundings.retain(|object| !object.is_null());
        match &file.autoscaler {
            None => set(&mut deployment, "/spec", "replicas", json!(file.replicas)),
            Some(_) => remove(&mut deployment, "/spec", "replicas"),
        }
        remove(&mut deployment, "/spec/template/spec/containers/0", "env");
        set_image(&mut deployment, image);
        let annotations = json!({CHANGE: by_default(&file.first), CHANGE_TYPE: "Feature"});
        set(&mut deployment, "/metadata", "annotations", annotations);
        let [short]: [Value; 1] = one(SHORT)?;
        let [mut risk_budget]: [Value; 1] = one(RISK_BUDGET)?;
        set(&mut risk_budget, "/spec", "tier", json!(file.tier));
        overlay(&mut risk_budget, &file.risk_budget, "risk-budget")?;
        let [mut gated_release]: [Value; 1] = one(GATED_RELEASE)?;
        overlay(&mut gated_release, &short, "short.yaml")?;
        let own = file.gated_release.pointer("/strategy/schedule").is_some_and(Value::is_string);
        if own {
            // A ready-made schedule takes the place of the short stages.
            remove(&mut gated_release, "/spec/strategy", "stages");
        }
        overlay(&mut gated_release, &file.gated_release, "gated-release")?;
        check("RiskBudget", &risk_budget, "risk-budget")?;
        check("GatedRelease", &gated_release, "gated-release")?;
        let kind = gated_release.pointer("/spec/workloadRef/kind").and_then(Value::as_str).unwrap_or("Deployment");
        if kind == "StatefulSet" {
            remove(&mut deployment, "/spec", "strategy");
            set(&mut deployment, "", "kind", json!(kind));
            let name = deployment.pointer("/metadata/name").cloned().unwrap_or_default();
            set(&mut deployment, "/spec", "serviceName", name);
        }
        let autoscaler = file.autoscaler.map(|wanted| {
            let meta = deployment.get("metadata").cloned().unwrap_or_default();
            json!({
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": meta.get("name"), "namespace": meta.get("namespace")},
                "spec": {
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": meta.get("name")},
                    "minReplicas": wanted.min, "maxReplicas": wanted.max,
                    "metrics": [{"type": "Resource", "resource": {
                        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": wanted.cpu},
                    }}],
                },
            })
        });
        Ok(Self { surroundings, deployment, service, route, autoscaler, risk_budget, gated_release })
    }

    /// The specs after an edit, refused where the API server would refuse them.
    pub(super) fn edited(&self, gated_release: &Value, risk_budget: &Value, field: &str) -> Result<Self, String> {
        let mut after = self.clone();
        overlay(&mut after.gated_release, gated_release, &format!("{field}.gated-release"))?;
        overlay(&mut after.risk_budget, risk_budget, &format!("{field}.risk-budget"))?;
        check("RiskBudget", &after.risk_budget, &format!("{field}.risk-budget"))?;
        check("GatedRelease", &after.gated_release, &format!("{field}.gated-release"))?;
        Ok(after)
    }
}

fn read(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple(text).map_err(|why| format!("examples/checkout: {why}"))
}

fn one(text: &str) -> Result<[Value; 1], String> {
    <[Value; 1]>::try_from(read(text)?)
        .map_err(|found| format!("examples/checkout: {} objects instead of 1", found.len()))
}

fn set(object: &mut Value, at: &str, key: &str, value: Value) {
    if let Some(map) = object.pointer_mut(at).and_then(Value::as_object_mut) {
        map.insert(key.to_owned(), value);
    }
}

fn remove(object: &mut Value, at: &str, key: &str) {
    if let Some(map) = object.pointer_mut(at).and_then(Value::as_object_mut) {
        map.remove(key);
    }
}

fn set_image(deployment: &mut Value, image: &str) {
    set(deployment, "/spec/template/spec/containers/0", "image", json!(image));
}

/// Lays a merge patch (RFC 7396) over an object's spec.
fn overlay(object: &mut Value, patch: &Value, field: &str) -> Result<(), String> {
    match (object.get_mut("spec"), patch) {
        (_, Value::Null) => Ok(()),
        (Some(spec), Value::Object(_)) => {
            json_patch::merge(spec, patch);
            Ok(())
        }
        (_, other) => Err(format!("{field}: {other} is not a part of a spec, such as {{strategy: {{verify: 5m}}}}")),
    }
}

/// Refuses what the API server would refuse, with the path of the field in the scenario's file.
fn check(kind: &str, object: &Value, field: &str) -> Result<(), String> {
    let schemas = Schemas::tidegate()?;
    let in_file = |path: &str| path.replacen("spec", field, 1);
    if let Some(unknown) = schemas.unknown_fields("tidegate.io", kind, object).first() {
        return Err(format!("{}: {kind} has no such field", in_file(unknown)));
    }
    let mut whole = object.clone();
    schemas.default_and_prune("tidegate.io", kind, &mut whole);
    let found = schemas.validate("tidegate.io", kind, &whole, None);
    match found.first() {
        Some(first) => Err(format!("{}: {}", in_file(&first.field), first.message)),
        None => Ok(()),
    }
}
