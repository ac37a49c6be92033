//! Every word that a finding can have: docs/preflight.md has a section for each, and a test makes each fire.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::change::words;
use crate::api::units::UnitError;

words! {
    /// What was found, in one word for programs.
    Reason, "a reason of preflight; docs/preflight.md lists them" {
        /// More than one revision of the workload is active.
        NotSettled,
        /// Kubernetes deletes the ReplicaSet of stable when the held workload is scaled to nothing.
        HistoryTooShort,
        /// Somebody else paused the workload, or gave it a partition.
        PausedByOthers,
        /// A field manager owns `spec.paused`.
        PausedOwned,
        /// A field manager owns the partition.
        PartitionOwned,
        /// The manifest that was applied last states a partition.
        PartitionStated,
        /// The annotation of break-glass was not taken off.
        BreakGlassStands,
        /// Argo CD waits for the workload before it applies what comes later.
        ArgoSyncWave,
        /// Argo CD runs the workload as a hook.
        ArgoHook,
        /// Two autoscalers scale the workload.
        TwoAutoscalers,
        /// Somebody else, such as KEDA, owns the autoscaler.
        AutoscalerOwned,
        /// A NetworkPolicy lets the workload's pods in or out, and not the copies', which others close.
        NetworkPolicyMissesCanary,
        /// A NetworkPolicy closes the workload's pods, and not the copies'.
        NetworkPolicyNotBinding,
        /// A NetworkPolicy names the workload's pods as a peer, and not the copies'.
        NetworkPolicyPeerMissesCanary,
        /// An AuthorizationPolicy selects the workload's pods, and not the copies'.
        AuthorizationPolicyMissesCanary,
        /// A PeerAuthentication demands mutual TLS on a port that a check asks in plain HTTP.
        PeerAuthenticationStrict,
        /// Another Service selects the workload's pods, and not the copies'.
        ServiceMissesCanary,
        /// Another Service selects the copies' pods as well.
        ServiceReachesCanary,
        /// The Service is open to the outside.
        ServiceExposed,
        /// Another route or an Ingress sends traffic to the Service.
        RouteNotGoverned,
        /// The Service's backendRef has filters of its own.
        BackendFilters,
        /// A PodDisruptionBudget counts the copies' pods.
        PdbCoversCanary,
        /// A policy is attached to the Service alone.
        PolicyMissesCanary,
        /// A DestinationRule is about the Service alone.
        DestinationRuleMissesCanary,
        /// A ServiceMonitor selects the Service, and not the copies'.
        ServiceMonitorMissesCanary,
        /// A PodMonitor selects the workload's pods, and not the copies'.
        PodMonitorMissesCanary,
        /// A PersistentVolumeClaim does not exist.
        ClaimMissing,
        /// A volume can be mounted by one pod, or the pods of one node.
        VolumeNotShareable,
        /// A directory of the node is mounted.
        HostPathShared,
        /// A port of the node is taken.
        HostPortTaken,
        /// A required podAntiAffinity keeps the copies' pods from the workload's nodes.
        AffinityKeepsCanaryAway,
        /// A required podAffinity leaves the copies' pods no place at all.
        AffinityUnsatisfiable,
        /// The program reads the label that is rewritten.
        LabelIsRead,
        /// The quota does not allow a release's worst moment.
        QuotaTooSmall,
        /// Whether the quota allows it is not computed.
        QuotaNotComputed,
    }
}
