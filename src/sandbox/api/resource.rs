//! The table of what is served: built-in kinds, and those that a CustomResourceDefinition adds.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::cluster::Kind;

/// A part of an object with a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subresource {
    /// What is observed.
    Status,
    /// The number of replicas.
    Scale,
    /// The finalizers of a namespace.
    Finalize,
    /// The eviction of a pod: a deletion that asks the PodDisruptionBudgets.
    Eviction,
}

impl Subresource {
    /// Its name in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
            Self::Eviction => "eviction",
        }
    }
}

/// A kind as it is served.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its place in the API.
    pub kind: Kind,
    /// Name for one, in lower case.
    pub singular: String,
    /// Short names, such as `deploy`.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Parts with a path of their own.
    pub subresources: Vec<Subresource>,
    /// Verbs, in the order of the alphabet.
    pub verbs: &'static [&'static str],
    /// Whether `metadata.generation` counts the changes of what is wanted.
    pub generation: bool,
    /// `additionalPrinterColumns` of a custom resource.
    pub columns: Vec<Value>,
    /// `openAPIV3Schema` of a custom resource; none for built-in kinds.
    pub schema: Option<Arc<Value>>,
    /// Which shelf of the store holds the objects: versions of one kind share it.
    pub(super) shelf: usize,
}

impl Resource {
    /// Whether it comes from a CustomResourceDefinition.
    pub const fn custom(&self) -> bool {
        self.schema.is_some()
    }

    /// Whether it has this part.
    pub fn has(&self, part: Subresource) -> bool {
        self.subresources.contains(&part)
    }

    /// `deployments.apps`, `pods`.
    pub fn group_resource(&self) -> String {
        dotted(self.kind.plural, self.kind.group)
    }

    /// `Deployment.apps`, `Pod`.
    pub fn group_kind(&self) -> String {
        dotted(self.kind.kind, self.kind.group)
    }
}

fn dotted(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

const ALL: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];

/// The v1 event, the older face of `events.k8s.io/v1`.
pub(super) const CORE_EVENT: Kind = Kind::new("", "v1", "Event", "events");
/// ResourceQuota.
pub const RESOURCE_QUOTA: Kind = Kind::new("", "v1", "ResourceQuota", "resourcequotas");
/// Namespace.
pub(super) const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces");
/// CustomResourceDefinition.
pub(super) const CRD: Kind =
    Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");

/// What is served, in the order in which it was added.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Arc<Resource>>,
    shelves: usize,
}

impl Table {
    /// All of it.
    pub fn rows(&self) -> &[Arc<Resource>] {
        &self.rows
    }

    /// A kind, by group, version and plural.
    pub fn at_path(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.rows.iter().find(|row| row.kind.plural == plural && row.kind.group == group && row.kind.version == version)
    }

    /// A kind, by its place in the API.
    pub fn of(&self, kind: &Kind) -> Option<&Arc<Resource>> {
        self.at_path(kind.group, kind.version, kind.plural)
    }

    pub(super) fn new_shelf(&mut self) -> usize {
        self.shelves += 1;
        self.shelves - 1
    }

    pub(super) fn add(&mut self, resource: Resource) {
        match self.rows.iter_mut().find(|row| row.kind == resource.kind) {
            Some(row) => *row = Arc::new(resource),
            None => self.rows.push(Arc::new(resource)),
        }
    }

    pub(super) fn remove_shelf(&mut self, shelf: usize) {
        self.rows.retain(|row| row.shelf != shelf);
    }

    /// The kinds that every server here has.
    pub(super) fn built_in() -> Self {
        use Subresource::{Eviction, Finalize, Scale, Status};
        let mut table = Self::default();
        let mut add = |kind: Kind, short: &[&str], all: bool, namespaced: bool, parts: &[Subresource]| {
            let shelf = table.new_shelf();
            table.add(built_in(kind, short, all, namespaced, parts, shelf));
            shelf
        };
        add(NAMESPACE, &["ns"], false, false, &[Status, Finalize]);
        add(crate::cluster::kind::POD, &["po"], true, true, &[Eviction, Status]);
        add(crate::cluster::kind::SERVICE, &["svc"], true, true, &[Status]);
        add(Kind::new("", "v1", "Endpoints", "endpoints"), &["ep"], false, true, &[]);
        add(Kind::new("", "v1", "ConfigMap", "configmaps"), &["cm"], false, true, &[]);
        add(Kind::new("", "v1", "Secret", "secrets"), &[], false, true, &[]);
        add(Kind::new("", "v1", "ServiceAccount", "serviceaccounts"), &["sa"], false, true, &[]);
        add(RESOURCE_QUOTA, &["quota"], false, true, &[Status]);
        let claim = Kind::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
        add(claim, &["pvc"], false, true, &[Status]);
        add(crate::cluster::kind::DEPLOYMENT, &["deploy"], true, true, &[Scale, Status]);
        add(crate::cluster::kind::REPLICA_SET, &["rs"], true, true, &[Scale, Status]);
        add(crate::cluster::kind::STATEFUL_SET, &["sts"], true, true, &[Scale, Status]);
        add(crate::cluster::kind::CONTROLLER_REVISION, &[], false, true, &[]);
        add(crate::cluster::kind::JOB, &[], true, true, &[Status]);
        add(crate::cluster::kind::CRON_JOB, &["cj"], true, true, &[Status]);
        add(crate::cluster::kind::ENDPOINT_SLICE, &[], false, true, &[]);
        add(crate::cluster::kind::PDB, &["pdb"], false, true, &[Status]);
        let hpa = Kind::new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
        add(hpa, &["hpa"], true, true, &[Status]);
        add(crate::cluster::kind::LEASE, &[], false, true, &[]);
        add(Kind::new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"), &["netpol"], false, true, &[]);
        add(CRD, &["crd", "crds"], false, false, &[Status]);
        add(crate::cluster::kind::HTTP_ROUTE, &[], false, true, &[Status]);
        add(Kind::new("gateway.networking.k8s.io", "v1", "Gateway", "gateways"), &["gtw"], false, true, &[Status]);
        let events = add(crate::cluster::kind::EVENT, &["ev"], false, true, &[]);
        table.add(built_in(CORE_EVENT, &["ev"], false, true, &[], events));
        let review = |version_kind: (&'static str, &'static str, &'static str)| {
            let (group, kind, plural) = version_kind;
            Kind::new(group, "v1", kind, plural)
        };
        for kind in [
            review(("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews")),
            review(("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews")),
            review(("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews")),
        ] {
            let shelf = table.new_shelf();
            table.add(Resource { verbs: CREATE, ..built_in(kind, &[], false, false, &[], shelf) });
        }
        table
    }
}

/// Kinds whose `metadata.generation` counts, beside those with a status.
const NO_GENERATION: &[&str] = &["Namespace", "Service", "ResourceQuota", "PersistentVolumeClaim"];
const GENERATION: &[&str] = &["NetworkPolicy", "EndpointSlice"];

fn built_in(kind: Kind, short: &[&str], all: bool, namespaced: bool, parts: &[Subresource], shelf: usize) -> Resource {
    let counts = parts.contains(&Subresource::Status) && !NO_GENERATION.contains(&kind.kind);
    Resource {
        kind,
        singular: kind.kind.to_lowercase(),
        short_names: short.iter().map(|&name| name.to_owned()).collect(),
        categories: if all { vec!["all".to_owned()] } else { Vec::new() },
        namespaced,
        subresources: parts.to_vec(),
        verbs: ALL,
        generation: counts || GENERATION.contains(&kind.kind),
        columns: Vec::new(),
        schema: None,
        shelf,
    }
}

/// A custom kind, before its names of the second rank are filled in.
pub(super) fn custom(kind: Kind, schema: Arc<Value>, shelf: usize) -> Resource {
    Resource { schema: Some(schema), generation: true, ..built_in(kind, &[], false, true, &[], shelf) }
}

/// The text for the rest of the process: the names of kinds are few, and `Kind` is copied everywhere.
pub(super) fn intern(text: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

/// `apps/v1`, `v1`, without a new text each time.
pub(super) fn api_version(kind: &Kind) -> &'static str {
    if kind.group.is_empty() { kind.version } else { intern(&kind.api_version()) }
}
