//! The kinds of object that are read or written, by their place in the API.

use kube::core::{ApiResource, GroupVersionKind};

use crate::api::gated_release::WorkloadKind;

/// A kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// API group; empty for the core.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// Name in manifests.
    pub kind: &'static str,
    /// Name in paths.
    pub plural: &'static str,
}

impl Kind {
    /// A kind, by group (empty for the core), version, name in manifests and name in paths.
    pub const fn new(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self { group, version, kind, plural }
    }

    /// The kind of a workload.
    pub const fn of_workload(kind: WorkloadKind) -> &'static Self {
        match kind {
            WorkloadKind::Deployment => &DEPLOYMENT,
            WorkloadKind::StatefulSet => &STATEFUL_SET,
        }
    }

    /// The path of its objects in a namespace, or in all of them where that is empty.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", self.group) };
        let place = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{root}/{}{place}/{}", self.version, self.plural)
    }

    /// `apps/v1`, `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// As the client library writes it.
    pub fn resource(&self) -> ApiResource {
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(self.group, self.version, self.kind), self.plural)
    }
}

/// GatedRelease.
pub const GATED_RELEASE: Kind = Kind::new("tidegate.io", "v1alpha1", "GatedRelease", "gatedreleases");
/// RiskBudget.
pub const RISK_BUDGET: Kind = Kind::new("tidegate.io", "v1alpha1", "RiskBudget", "riskbudgets");
/// ReleaseRecord.
pub const RELEASE_RECORD: Kind = Kind::new("tidegate.io", "v1alpha1", "ReleaseRecord", "releaserecords");
/// Attestation.
pub const ATTESTATION: Kind = Kind::new("tidegate.io", "v1alpha1", "Attestation", "attestations");
/// Deployment.
pub const DEPLOYMENT: Kind = Kind::new("apps", "v1", "Deployment", "deployments");
/// ReplicaSet.
pub const REPLICA_SET: Kind = Kind::new("apps", "v1", "ReplicaSet", "replicasets");
/// StatefulSet.
pub const STATEFUL_SET: Kind = Kind::new("apps", "v1", "StatefulSet", "statefulsets");
/// ControllerRevision: a pod template that a StatefulSet has, or had.
pub const CONTROLLER_REVISION: Kind = Kind::new("apps", "v1", "ControllerRevision", "controllerrevisions");
/// Service.
pub const SERVICE: Kind = Kind::new("", "v1", "Service", "services");
/// Pod.
pub const POD: Kind = Kind::new("", "v1", "Pod", "pods");
/// Job.
pub const JOB: Kind = Kind::new("batch", "v1", "Job", "jobs");
/// CronJob.
pub const CRON_JOB: Kind = Kind::new("batch", "v1", "CronJob", "cronjobs");
/// PodDisruptionBudget.
pub const PDB: Kind = Kind::new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
/// HorizontalPodAutoscaler.
pub const HPA: Kind = Kind::new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
/// KEDA's ScaledObject, where KEDA is installed.
pub const SCALED_OBJECT: Kind = Kind::new("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");
/// NetworkPolicy.
pub const NETWORK_POLICY: Kind = Kind::new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
/// ConfigMap.
pub const CONFIG_MAP: Kind = Kind::new("", "v1", "ConfigMap", "configmaps");
/// EndpointSlice.
pub const ENDPOINT_SLICE: Kind = Kind::new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");
/// HTTPRoute.
pub const HTTP_ROUTE: Kind = Kind::new("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes");
/// Event.
pub const EVENT: Kind = Kind::new("events.k8s.io", "v1", "Event", "events");
/// Secret.
pub const SECRET: Kind = Kind::new("", "v1", "Secret", "secrets");
/// MutatingWebhookConfiguration.
pub const MUTATING_WEBHOOKS: Kind =
    Kind::new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations");
/// Lease.
pub const LEASE: Kind = Kind::new("coordination.k8s.io", "v1", "Lease", "leases");
