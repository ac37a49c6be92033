//! What a plan may do. The list is closed: the executor knows these and makes no choices.

use serde_json::Value;

use super::split::{Carrier, Split};
use crate::api::gated_release::GatedReleaseStatus;
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus, RollbackLog};
use crate::api::risk_budget::LedgerStatus;
use crate::api::{Span, Time};

/// One write. Each is fenced by a resourceVersion or idempotent by name.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Put our finalizer on the GatedRelease.
    AddFinalizer,
    /// Take our finalizer off the GatedRelease.
    RemoveFinalizer,
    /// Create a ReleaseRecord and its status. An existing one of that name means the snapshot was old: plan again.
    OpenRecord {
        /// Its name.
        name: String,
        /// What it says for good.
        spec: Box<ReleaseRecordSpec>,
        /// Where it stands.
        status: Box<ReleaseRecordStatus>,
    },
    /// Replace the status of a ReleaseRecord.
    UpdateRecord {
        /// Its name.
        name: String,
        /// The fence.
        resource_version: String,
        /// The new status.
        status: Box<ReleaseRecordStatus>,
    },
    /// Keep risk points for a release, or give its charge a number: in the status of the RiskBudget.
    WriteLedger {
        /// The RiskBudget.
        budget: String,
        /// The fence: nobody else has reserved or charged since.
        resource_version: String,
        /// The new ledger.
        ledger: Box<LedgerStatus>,
    },
    /// Server-side apply one object of the canary or the previous version (Deployment, Service or PodDisruptionBudget; the object says which).
    Apply {
        /// Whose object it is.
        carrier: Carrier,
        /// The object as JSON with apiVersion, kind and metadata.
        object: Value,
    },
    /// Delete the Deployment, Service and PodDisruptionBudget of the canary or the previous version, in the background.
    Delete {
        /// Whose objects go.
        carrier: Carrier,
    },
    /// Write the weights of a route, all rules at once.
    SetSplit {
        /// The route.
        route: String,
        /// The fence.
        resource_version: String,
        /// The weights that it gets.
        split: Split,
        /// The rollback that this write begins: stored in the same write.
        withdrawn: Option<Box<(String, RollbackLog)>>,
    },
    /// Give the rules of a route back to whoever applies them: they become Tidegate's by each write of its weights.
    DisownRules {
        /// The route.
        route: String,
        /// The fence.
        resource_version: String,
    },
    /// Let the workload roll: nothing keeps its template from its pods any more, the explanation goes.
    Resume {
        /// The fence: the template must be the one that was looked at.
        resource_version: String,
    },
    /// Write the text that explains the pause to whoever describes the Deployment.
    ExplainPause {
        /// The fence.
        resource_version: String,
        /// The text.
        text: String,
    },
    /// Scale a ReplicaSet of the paused workload.
    ScaleReplicaSet {
        /// Its name.
        name: String,
        /// The fence.
        resource_version: String,
        /// Pods that it gets.
        replicas: u32,
    },
    /// Delete an empty ReplicaSet of the paused workload that could start instead of stable.
    DeleteReplicaSet {
        /// Its name.
        name: String,
        /// The fence: it is empty still.
        resource_version: String,
    },
    /// Give the paused workload a ReplicaSet of the version that was judged, while its template is a newer one already.
    CreateReplicaSet {
        /// The object as JSON. An existing one of that name means the snapshot was old: plan again.
        object: Value,
    },
    /// Scale the canary or the previous version, whatever template it has.
    ScaleSide {
        /// Whose Deployment.
        carrier: Carrier,
        /// Pods that it gets.
        replicas: u32,
    },
    /// Say from which place on the pods of a StatefulSet run its template.
    SetPartition {
        /// The fence: the template must be the one that was looked at.
        resource_version: String,
        /// The place; pods before it keep, or come back at, the current revision.
        partition: u32,
    },
    /// Delete a pod of a StatefulSet, which comes back at the revision that the partition gives it.
    DeletePod {
        /// Its name.
        name: String,
        /// The fence: just this pod, and not the one that took its place.
        uid: String,
    },
    /// Start the Job of a synthetic check. One of that name that is there already is that Job; what the API server refuses is
    /// told to the next plan and ends no other write.
    StartJob {
        /// Its name.
        name: String,
        /// The object as JSON.
        object: Box<Value>,
    },
    /// Delete the Job of a synthetic check with its pods, in the background.
    RemoveJob {
        /// Its name.
        name: String,
        /// The fence: just this Job.
        uid: String,
    },
    /// Stay an autoscaler's hand for the time of a release, or let it go: one leaf of its spec, by a field manager of its own.
    ScaleDown {
        /// The kind of the object that is written.
        scaler: Scaler,
        /// Its name.
        name: String,
        /// The fence.
        resource_version: String,
        /// Whether it may not take pods away.
        held: bool,
    },
}

/// Who decides how an autoscaler behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaler {
    /// The HorizontalPodAutoscaler itself.
    HorizontalPodAutoscaler,
    /// The KEDA ScaledObject that owns the HorizontalPodAutoscaler and would write its own opinion over it.
    ScaledObject,
}

/// Whether an event tells of something good or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// As wished.
    Normal,
    /// Somebody should look.
    Warning,
}

/// One event on the GatedRelease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Good or bad.
    pub kind: EventKind,
    /// One word for programs.
    pub reason: &'static str,
    /// The sentence; at most 1 kB.
    pub note: String,
}

/// What to do now, when to look again, and what to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The writes, in their order; the first that fails ends the plan.
    pub actions: Vec<Action>,
    /// When to look again at the latest; `None`: when something changes.
    pub wake: Option<Span>,
    /// The status of the GatedRelease after the actions; written only where it differs.
    pub status: GatedReleaseStatus,
    /// The events that tell of the actions; emitted after them.
    pub events: Vec<Event>,
}

impl Plan {
    /// When to look again, as a moment.
    pub fn wake_at(&self, now: Time) -> Option<Time> {
        self.wake.map(|span| now.plus(span))
    }
}
