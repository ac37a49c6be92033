//! What lies around a workload, as raw JSON: rules ask single fields of kinds that come in many versions.

use std::fmt;

use serde_json::Value;

use super::elsewhere::Elsewhere;
use crate::release::labels::Labels;

/// Everything that preflight looks at beside the snapshot: all of the release's namespace, but for `elsewhere`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Surroundings {
    /// The workload's own object: its metadata says who owns which field.
    pub workload: Value,
    /// v1 Services.
    pub services: Vec<Value>,
    /// networking.k8s.io NetworkPolicies.
    pub network_policies: Vec<Value>,
    /// PodDisruptionBudgets.
    pub budgets: Vec<Value>,
    /// HorizontalPodAutoscalers.
    pub autoscalers: Vec<Value>,
    /// ResourceQuotas.
    pub quotas: Vec<Value>,
    /// batch Jobs, among them the hooks of a sync.
    pub jobs: Vec<Value>,
    /// Metadata alone, of Deployments, StatefulSets, ConfigMaps, GatedReleases and RiskBudgets: what Argo CD may apply later. Read
    /// only where a sync would wait for the workload.
    pub applied: Vec<Value>,
    /// PersistentVolumeClaims that the templates name; a name without an object is one that does not exist.
    pub claims: Vec<(String, Option<Value>)>,
    /// HTTPRoutes, GRPCRoutes and Ingresses.
    pub routes: Vec<Value>,
    /// monitoring.coreos.com ServiceMonitors.
    pub service_monitors: Vec<Value>,
    /// monitoring.coreos.com PodMonitors.
    pub pod_monitors: Vec<Value>,
    /// security.istio.io AuthorizationPolicies.
    pub authorizations: Vec<Value>,
    /// security.istio.io PeerAuthentications.
    pub peer_authentications: Vec<Value>,
    /// networking.istio.io DestinationRules.
    pub destinations: Vec<Value>,
    /// Policies that name what they are attached to in `spec.targetRef` or `spec.targetRefs`.
    pub attached: Vec<Value>,
    /// Labels of the release's namespace, where one of the policies selects namespaces; its name is known without.
    pub home: Labels,
    /// What stands in other namespaces. Nothing where no copies are made, which it could miss.
    pub elsewhere: Elsewhere,
    /// Kinds that could not be listed, or not whole.
    pub unseen: Vec<Unseen>,
}

/// A kind that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The kind, such as `ServiceMonitor.monitoring.coreos.com`.
    pub kind: String,
    /// Why, such as `forbidden`.
    pub why: String,
    /// Whether the cluster has such a kind at all: where it has not, there is nothing to find.
    pub exists: bool,
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be looked at: {}", self.kind, self.why)
    }
}
