//! How the users' traffic comes to the workload.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::attestation::NameRef;

/// Where the users' traffic comes from.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traffic {
    /// The Service that the routes point to, or that stands before the workload's pods; at most 54 characters, because `-previous` is put behind it.
    #[schemars(length(min = 1, max = 54))]
    pub service: String,
    /// The HTTPRoutes that carry the traffic to that Service, in the same namespace. Left out: the new version is exposed by
    /// the number of its pods behind the Service, as coarsely as that number allows (docs/by-count.md).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub http_routes: Vec<NameRef>,
    /// The label that tells canary from stable. By default the first of `app.kubernetes.io/instance`,
    /// `app.kubernetes.io/component`, `app.kubernetes.io/name`, `app`, `k8s-app` that stands in the selectors of both
    /// the Service and the Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 317),
        regex(pattern = r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
    )]
    pub canary_label: Option<String>,
    /// Whether NetworkPolicies of the namespace that speak of the workload's pods by that label are copied for canary and
    /// previous version for the time of a release, with the label rewritten. Default: false: such a policy keeps a
    /// release from starting where the canary would be cut off by it.
    #[serde(default)]
    pub clone_network_policies: bool,
}

impl Traffic {
    /// Whether the new version is exposed by the number of its pods, because no route divides the traffic.
    pub fn by_count(&self) -> bool {
        self.http_routes.is_empty()
    }
}
