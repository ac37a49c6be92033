//! Reads what tells whether Tidegate is installed and whole. Whatever cannot be read is said, never an error.

use serde_json::{Value, json};

use super::kind::{DEPLOYMENT, GATED_RELEASE, LEASE, RISK_BUDGET, STATEFUL_SET};
use super::{Cluster, Error, Kind};

/// How many objects of a kind are looked at.
const LIMIT: u32 = 1_000;
/// The label of what the chart installs.
const INSTALLED: &str = "app.kubernetes.io/name=tidegate";

const CRD: Kind = Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
const CONFIG_MAP: Kind = Kind::new("", "v1", "ConfigMap", "configmaps");
const ACCESS: Kind = Kind::new("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews");

/// The verbs by which people and pipelines act on the gate, and the resources that they are about.
const VERBS: [(&str, &str); 6] = [
    ("bypass", "gatedreleases"),
    ("start", "gatedreleases"),
    ("attest", "evidence"),
    ("purge", "attestations"),
    ("purge", "riskbudgets"),
    ("approve", "releaseroles"),
];

const fn admission(kind: &'static str, plural: &'static str) -> Kind {
    Kind::new("admissionregistration.k8s.io", "v1", kind, plural)
}

const fn rbac(kind: &'static str, plural: &'static str) -> Kind {
    Kind::new("rbac.authorization.k8s.io", "v1", kind, plural)
}

/// What came of a look at a kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Looked {
    /// The objects.
    At(Vec<Value>),
    /// The API server has no such kind.
    NotServed,
    /// It could not be read, and why.
    Unreadable(String),
}

impl Looked {
    /// The objects; none where there was nothing to see.
    pub fn all(&self) -> &[Value] {
        match self {
            Self::At(all) => all,
            Self::NotServed | Self::Unreadable(_) => &[],
        }
    }
}

/// Everything that is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// The namespace whose GatedReleases, budgets and workloads were looked at; empty for all.
    pub namespace: String,
    /// The answer of `/version`.
    pub version: Looked,
    /// The CustomResourceDefinitions of Tidegate's group.
    pub definitions: Looked,
    /// MutatingAdmissionPolicies of the chart.
    pub policies: Looked,
    /// Their bindings.
    pub bindings: Looked,
    /// ValidatingAdmissionPolicies of the chart.
    pub checks: Looked,
    /// Their bindings.
    pub check_bindings: Looked,
    /// MutatingWebhookConfigurations of the chart.
    pub webhooks: Looked,
    /// Deployments of the chart.
    pub controllers: Looked,
    /// The Lease in each namespace of a controller.
    pub leases: Looked,
    /// The ConfigMaps of the chart.
    pub configs: Looked,
    /// GatedReleases.
    pub releases: Looked,
    /// RiskBudgets.
    pub budgets: Looked,
    /// Deployments under the gate.
    pub gated: Looked,
    /// StatefulSets under the gate.
    pub gated_sets: Looked,
    /// ClusterRoles and Roles.
    pub roles: Looked,
    /// ClusterRoleBindings and RoleBindings.
    pub role_bindings: Looked,
    /// What whoever asks may do: verb, resource, and whether; `None` where that could not be asked.
    pub may: Vec<(&'static str, &'static str, Option<bool>)>,
}

/// Looks at all of it; GatedReleases and workloads of one namespace, or of all where it is empty.
pub async fn installation(cluster: &Cluster, namespace: &str) -> Installation {
    let installed = |kind: Kind| async move { look(cluster, &kind, "", INSTALLED).await };
    let version = match cluster.read("/version").await {
        Ok(version) => Looked::At(version.into_iter().collect()),
        Err(error) => Looked::Unreadable(error.to_string()),
    };
    let controllers = installed(DEPLOYMENT).await;
    let leases = leases(cluster, &controllers).await;
    let roles = [rbac("ClusterRole", "clusterroles"), rbac("Role", "roles")];
    let bindings = [rbac("ClusterRoleBinding", "clusterrolebindings"), rbac("RoleBinding", "rolebindings")];
    let mut may = Vec::new();
    for (verb, resource) in VERBS {
        may.push((verb, resource, may_i(cluster, namespace, verb, resource).await));
    }
    Installation {
        namespace: namespace.to_owned(),
        version,
        definitions: definitions(cluster).await,
        policies: installed(admission("MutatingAdmissionPolicy", "mutatingadmissionpolicies")).await,
        bindings: installed(admission("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings")).await,
        checks: installed(admission("ValidatingAdmissionPolicy", "validatingadmissionpolicies")).await,
        check_bindings: installed(admission("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"))
            .await,
        webhooks: installed(admission("MutatingWebhookConfiguration", "mutatingwebhookconfigurations")).await,
        controllers,
        leases,
        configs: installed(CONFIG_MAP).await,
        releases: look(cluster, &GATED_RELEASE, namespace, "").await,
        budgets: look(cluster, &RISK_BUDGET, namespace, "").await,
        gated: look(cluster, &DEPLOYMENT, namespace, crate::api::names::GATED).await,
        gated_sets: look(cluster, &STATEFUL_SET, namespace, crate::api::names::GATED).await,
        roles: both(cluster, &roles).await,
        role_bindings: both(cluster, &bindings).await,
        may,
    }
}

fn unseen(error: &Error) -> Looked {
    if matches!(error, Error::Refused { code: 404, .. }) {
        return Looked::NotServed;
    }
    Looked::Unreadable(error.to_string())
}

async fn look(cluster: &Cluster, kind: &Kind, namespace: &str, labels: &str) -> Looked {
    match cluster.list_some(kind, namespace, labels, LIMIT).await {
        Ok((mut all, _)) => {
            for object in all.iter_mut().filter_map(Value::as_object_mut) {
                object.insert("kind".to_owned(), kind.kind.into());
            }
            Looked::At(all)
        }
        Err(error) => unseen(&error),
    }
}

/// Two kinds in one; what cannot be read of either is said of both.
async fn both(cluster: &Cluster, kinds: &[Kind]) -> Looked {
    let mut together = Vec::new();
    for kind in kinds {
        match look(cluster, kind, "", "").await {
            Looked::At(all) => together.extend(all),
            other @ (Looked::NotServed | Looked::Unreadable(_)) => return other,
        }
    }
    Looked::At(together)
}

async fn definitions(cluster: &Cluster) -> Looked {
    let mut all = Vec::new();
    for crd in crate::api::custom_resource_definitions() {
        match cluster.get(&CRD, "", crd.metadata.name.as_deref().unwrap_or_default()).await {
            Ok(found) => all.extend(found),
            Err(error) => return unseen(&error),
        }
    }
    Looked::At(all)
}

async fn leases(cluster: &Cluster, controllers: &Looked) -> Looked {
    let mut all = Vec::new();
    for controller in controllers.all() {
        let namespace = controller.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        match cluster.get(&LEASE, namespace, "tidegate").await {
            Ok(lease) => all.extend(lease),
            Err(error) => return unseen(&error),
        }
    }
    Looked::At(all)
}

async fn may_i(cluster: &Cluster, namespace: &str, verb: &str, resource: &str) -> Option<bool> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"group": "tidegate.io", "verb": verb, "resource": resource, "namespace": namespace}},
    });
    let answer = cluster.create(&ACCESS, "", &review).await.ok()?;
    answer.pointer("/status/allowed")?.as_bool()
}
