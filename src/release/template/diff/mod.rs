//! What differs between two pod templates, as typed differences, and which categories of `000_…` §6.1 they imply.
//!
//! Reads raw templates, so that a field that Kubernetes learns later is seen too: what is not known counts as
//! infrastructure. Values of environment variables, arguments and annotations are never shown: any of them may be a
//! secret.

mod category;
mod container;
mod image;
mod list;
mod shown;
#[cfg(test)]
mod tests;
mod volume;

use std::fmt;

use serde_json::Value;

use list::pairs;
use shown::{leaves, shown};

pub use category::findings;
pub use image::Image;

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matter {
    /// The place an image comes from: registry or repository.
    ImageSource,
    /// The version of an image: its tag.
    ImageTag,
    /// The content of an image: its digest.
    ImageDigest,
    /// A container that comes or goes, or becomes one of another kind.
    Container,
    /// The program that a container starts.
    Command,
    /// What it is started with.
    Args,
    /// What it is started with, where that is a script.
    Script,
    /// An environment variable that is no secret.
    Env,
    /// A secret: a reference to one, or a variable that is named like one.
    Secret,
    /// Requests and limits.
    Resources,
    /// A liveness, readiness or startup probe.
    Probe,
    /// A port.
    Port,
    /// A volume with configuration or scratch space, or where one is mounted.
    Volume,
    /// A volume with data that outlives the pod.
    Storage,
    /// The service account, and whether its token is mounted.
    ServiceAccount,
    /// What the processes may do.
    SecurityContext,
    /// Reach into the node: its processes, its files, its users.
    HostAccess,
    /// Reach into the node's network.
    HostNetwork,
    /// Where the pod may run and what goes first.
    Placement,
    /// Names and how they resolve.
    Dns,
    /// Other settings of how the pod runs.
    Runtime,
    /// A label or an annotation that something may go by.
    Metadata,
    /// A label or an annotation that only informs.
    Information,
    /// A field that this version does not know.
    Unknown,
}

/// Which kind of container a difference is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The program itself: the default container, the first where none is named.
    Program,
    /// A container beside it.
    Side,
    /// A container that runs before it.
    Init,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `spec.containers[app].env[LOG_LEVEL]`; lists go by name.
    pub path: String,
    /// What it is about.
    pub matter: Matter,
    /// The kind of container it is in; None outside containers.
    pub part: Option<Part>,
    /// What stood there, shortened; None for nothing.
    pub before: Option<String>,
    /// What stands there, shortened; None for nothing.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    /// `spec.containers[app].image: tag 1.4 → 1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before == after => write!(f, "{}: changed ({after})", self.path),
            (Some(before), Some(after)) => write!(f, "{}: {before} → {after}", self.path),
            (None, Some(after)) => write!(f, "{}: added {after}", self.path),
            (Some(before), None) => write!(f, "{}: removed {before}", self.path),
            (None, None) => write!(f, "{}: changed", self.path),
        }
    }
}

/// What differs between two templates, in the order of the pod's fields. Empty exactly where [`super::same`] holds.
pub fn diff(before: &Value, after: &Value) -> Vec<Difference> {
    let (before, after) = (super::normal(before), super::normal(after));
    let mut out = Vec::new();
    for (field, old, new) in shown::fields(&before, &after) {
        match field {
            "metadata" => metadata(old, new, &mut out),
            "spec" => spec(old, new, &mut out),
            other => leaves(other, Matter::Unknown, None, old, new, &mut out),
        }
    }
    out
}

/// Labels and annotations that only inform.
const INFORMATION: &[&str] = &[
    "app.kubernetes.io/version",
    "helm.sh/chart",
    "kubernetes.io/change-cause",
    "kubectl.kubernetes.io/default-container",
];

fn metadata(before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    for (field, old, new) in shown::fields(before, after) {
        let path = format!("metadata.{field}");
        if field != "labels" && field != "annotations" {
            leaves(&path, Matter::Unknown, None, old, new, out);
            continue;
        }
        for (key, old, new) in shown::fields(old, new) {
            let matter = if INFORMATION.contains(&key) { Matter::Information } else { Matter::Metadata };
            // An annotation may hold a whole configuration, with its secrets.
            let text = |value: &Value| match (value, field) {
                (Value::Null, _) => None,
                (_, "annotations") => Some("a value".to_owned()),
                _ => Some(shown(value)),
            };
            out.push(Difference {
                path: format!("{path}[{key}]"),
                matter,
                part: None,
                before: text(old),
                after: text(new),
            });
        }
    }
    something(known, "metadata", Matter::Metadata, None, out);
}

/// The fields of a pod that are compared leaf by leaf.
const SPEC: &[(Matter, &[&str])] = &[
    (Matter::ServiceAccount, &["serviceAccountName", "serviceAccount", "automountServiceAccountToken"]),
    (Matter::SecurityContext, &["securityContext"]),
    (Matter::HostNetwork, &["hostNetwork"]),
    (Matter::HostAccess, &["hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"]),
    (
        Matter::Placement,
        &[
            "nodeSelector",
            "nodeName",
            "affinity",
            "tolerations",
            "topologySpreadConstraints",
            "schedulerName",
            "schedulingGates",
            "priorityClassName",
            "priority",
            "preemptionPolicy",
            "runtimeClassName",
            "os",
            "overhead",
            "resourceClaims",
        ],
    ),
    (
        Matter::Dns,
        &["dnsPolicy", "dnsConfig", "hostAliases", "hostname", "hostnameOverride", "subdomain", "setHostnameAsFQDN"],
    ),
    (Matter::Secret, &["imagePullSecrets"]),
    (Matter::Resources, &["resources"]),
    (
        Matter::Runtime,
        &[
            "terminationGracePeriodSeconds",
            "activeDeadlineSeconds",
            "restartPolicy",
            "readinessGates",
            "enableServiceLinks",
        ],
    ),
];

fn spec(before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    let pod = container::Pod::of(before, after);
    for (field, old, new) in shown::fields(before, after) {
        let path = format!("spec.{field}");
        match field {
            "containers" | "initContainers" => container::containers(&path, field, &pod, old, new, out),
            "volumes" => volume::volumes(old, new, out),
            _ => {
                let matter = SPEC.iter().find(|(_, fields)| fields.contains(&field)).map(|(matter, _)| *matter);
                leaves(&path, matter.unwrap_or(Matter::Unknown), None, old, new, out);
            }
        }
    }
    something(known, "spec", Matter::Runtime, None, out);
}

/// Where a difference was seen and none was named (an order, an empty list), that itself is one.
fn something(known: usize, path: &str, matter: Matter, part: Option<Part>, out: &mut Vec<Difference>) {
    if out.len() == known {
        out.push(Difference { path: path.to_owned(), matter, part, before: None, after: None });
    }
}
