//! The user's workload, its pods, and who scales it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{Change, Span, Time};
use crate::release::glass::BreakGlass;

/// The user's Deployment or StatefulSet.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its kind, with what only a StatefulSet has.
    pub kind: KindSeen,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion, which fences every write to it.
    pub resource_version: String,
    /// Its generation.
    pub generation: i64,
    /// Whether the gate's label is on it.
    pub gated: bool,
    /// Whether something keeps the template from its pods: `spec.paused` of a Deployment, a partition above 0 of a StatefulSet.
    pub paused: bool,
    /// `spec.replicas`.
    pub replicas: u32,
    /// The pod template as raw JSON.
    pub template: Value,
    /// The name of the template ([`super::template::revision`]).
    pub revision: String,
    /// `spec.selector` as raw JSON.
    pub selector: Value,
    /// `spec.strategy.type`, `spec.updateStrategy.type` of a StatefulSet.
    pub strategy: String,
    /// The whole `spec` as raw JSON, for what a copy keeps (minReadySeconds, progressDeadlineSeconds …).
    pub spec: Value,
    /// The metadata labels, without those of GitOps tools' tracking.
    pub labels: BTreeMap<String, String>,
    /// The change as annotated, with what could not be read.
    pub change: Change,
    /// Annotations that claim something unreadable, each in a sentence.
    pub change_problems: Vec<String>,
    /// Whether any `tidegate.io/change…` annotation is there.
    pub change_annotated: bool,
    /// Who changed the template, as admission stamped it.
    pub changed_by: String,
    /// Who resumed it by hand, as admission stamped it.
    pub resumed_by: Option<String>,
    /// The reason for break-glass that stands there.
    pub break_glass: Option<BreakGlass>,
    /// The text that explains the pause to whoever describes the Deployment.
    pub paused_because: Option<String>,
    /// The ReplicaSets that it owns; of a StatefulSet its current ControllerRevision and those that have pods.
    pub sets: Vec<ReplicaSetSeen>,
    /// Why its pods cannot be made, such as `exceeded quota: …`; as the API server tells its controller.
    pub refused: Option<String>,
    /// The ConfigMaps that its template reads, by name.
    pub config: BTreeMap<String, ConfigSeen>,
}

/// A ConfigMap, as its metadata tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSeen {
    /// Changes with every edit of its content.
    pub mark: String,
    /// The field manager that edited its content last.
    pub by: String,
}

/// What kind of workload it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindSeen {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet(Ordinals),
}

/// What a StatefulSet says about which of its pods run which template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordinals {
    /// `spec.updateStrategy.rollingUpdate.partition`: pods from this place on run the template.
    pub partition: u32,
    /// `status.currentRevision`: what pods before the partition run, and come back at.
    pub current: String,
    /// `status.updateRevision`: the template's revision, once it was observed.
    pub update: String,
    /// Whether its controller has seen the present generation.
    pub observed: bool,
}

/// A pod, where exposure is by the number of pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSeen {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// What it belongs to: the ReplicaSet's name, or the ControllerRevision's of a StatefulSet.
    pub of: String,
    /// Whether it belongs to the canary.
    pub canary: bool,
    /// Its place in a StatefulSet, from 0; 0 elsewhere.
    pub place: u32,
    /// Whether it takes requests.
    pub ready: bool,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// Since when it is as it is: ready, not ready, or on its way out; `None` where that is not known, which counts as long ago.
    pub since: Option<Time>,
    /// Its containers that crash, as in [`SideDeployment::crashes`].
    pub crashes: Vec<String>,
}

/// A ReplicaSet of the workload, or a ControllerRevision of a StatefulSet with its pods counted.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaSetSeen {
    /// Its name.
    pub name: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// When it was made.
    pub created: Time,
    /// `spec.replicas`.
    pub replicas: u32,
    /// `status.replicas`: pods that exist.
    pub existing: u32,
    /// `status.availableReplicas`.
    pub available: u32,
    /// Its pod template without the `pod-template-hash` label.
    pub template: Value,
    /// Its containers that crash, as in [`SideDeployment::crashes`]; read while a Deployment runs what is judged, else none.
    pub crashes: Vec<String>,
}

impl PodSeen {
    /// Whether it has been taking requests for so long that its workload counts on it (`minReadySeconds`).
    pub fn is_available(&self, workload: &Workload, now: Time) -> bool {
        let seconds = workload.spec.get("minReadySeconds").and_then(Value::as_u64).unwrap_or(0);
        let since = self.since.filter(|_| seconds > 0);
        self.ready && !self.deleting && since.is_none_or(|since| now >= since.plus(Span::from_millis(seconds * 1000)))
    }
}

impl Workload {
    /// Whether Kubernetes deletes each ReplicaSet that has no pods, whatever its template: `revisionHistoryLimit` 0 of a Deployment.
    pub fn keeps_no_history(&self) -> bool {
        self.kind == KindSeen::Deployment && self.spec.get("revisionHistoryLimit").and_then(Value::as_u64) == Some(0)
    }
}

impl ReplicaSetSeen {
    /// Whether it has pods, or wants some.
    pub const fn is_active(&self) -> bool {
        self.replicas > 0 || self.existing > 0
    }
}

/// A HorizontalPodAutoscaler of the workload.
#[derive(Debug, Clone, PartialEq)]
pub struct AutoscalerSeen {
    /// Its name.
    pub name: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// `spec` as raw JSON, for the copy that the previous version gets.
    pub spec: Value,
    /// Whether Tidegate keeps it from taking pods away.
    pub held: bool,
    /// How long it looks back before it takes pods away.
    pub window: Span,
    /// The KEDA ScaledObject that owns it.
    pub scaled_object: Option<ScaledObjectSeen>,
}

/// A KEDA ScaledObject.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledObjectSeen {
    /// Its name.
    pub name: String,
    /// Its resourceVersion; empty where it could not be read, so that its autoscaler cannot be held.
    pub resource_version: String,
    /// Whether Tidegate keeps it from taking pods away.
    pub held: bool,
}
