//! What is gated, and what Tidegate remembers of it.

use std::collections::BTreeMap;
use std::fmt;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A workload by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadRef {
    /// Deployment or StatefulSet. A DaemonSet cannot be gated: nothing in its API keeps a changed template from its pods.
    #[serde(default)]
    #[schemars(with = "String", length(max = 63))]
    #[x_kube(validation = Rule::new("self != 'DaemonSet'").message("a DaemonSet cannot be gated: no field of it keeps a changed template from its pods for sure, and its pods have no share of the traffic that could be raised in stages. Gate the Deployment that takes the users' requests instead"))]
    #[x_kube(validation = Rule::new("self in ['Deployment', 'StatefulSet', 'DaemonSet']").message("kind must be Deployment or StatefulSet"))]
    pub kind: WorkloadKind,
    /// The workload's name; at most 54 characters, because `-previous` is put behind it.
    #[schemars(length(min = 1, max = 54))]
    pub name: String,
}

/// Kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum WorkloadKind {
    /// apps/v1 Deployment, held by `spec.paused`.
    #[default]
    Deployment,
    /// apps/v1 StatefulSet, held by `spec.updateStrategy.rollingUpdate.partition`; only by the number of pods.
    StatefulSet,
}

impl WorkloadKind {
    /// The name in manifests and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// The name in kubectl's commands, such as `deployment` in `kubectl get deployment/web`.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What ran in a workload when a GatedRelease was given it. Whichever of it is left is taken as stable without a charge; any other
/// template that runs was let past the gate.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedOver {
    /// The workload's UID.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// The revisions that had pods, and the one that rolled; at most 16.
    #[schemars(length(max = 16), inner(length(max = 64)))]
    pub running: Vec<String>,
}

/// The workload as it was last judged.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSeen {
    /// The workload's UID.
    pub uid: String,
    /// The workload's generation.
    pub generation: i64,
    /// The revision that its template was.
    pub revision: String,
    /// The ConfigMaps that its template reads, each with a mark that changes when its content is edited in place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
}
