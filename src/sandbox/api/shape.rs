//! How the parts of an object merge: maps by field, lists by keys, sets by value, the rest as a whole.
//!
//! For built-in kinds this is what `x-kubernetes-list-type`, `-list-map-keys` and `-map-type` say in Kubernetes' own schemas;
//! for custom resources it is read from theirs.

use serde_json::Value;

use super::resource::Resource;

pub(super) enum Node {
    Atomic,
    Set,
    Map(Fields),
    /// By these keys. A strategic merge patch uses the first alone.
    List(&'static [&'static str], Fields),
}

type Fields = &'static [(&'static str, Node)];

/// The shape of one part of an object.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    BuiltIn(&'static str),
    Custom(&'a Value),
    Node(&'static Node),
    Schema(&'a Value),
    /// Nothing is known: maps by field, lists as a whole.
    Free,
}

/// How one value merges.
#[derive(PartialEq, Eq)]
pub(super) enum Grain<'a> {
    Leaf,
    Map,
    List(Vec<&'a str>),
    Set,
}

impl<'a> Shape<'a> {
    pub(super) fn of(resource: &'a Resource) -> Self {
        resource.schema.as_ref().map_or(Self::BuiltIn(resource.kind.kind), |schema| Self::Custom(schema))
    }

    /// The shape of a field.
    pub(super) fn field(self, key: &str) -> Shape<'a> {
        match self {
            Self::BuiltIn(_) | Self::Custom(_) if key == "metadata" => Shape::Node(&METADATA),
            Self::BuiltIn(kind) => built_in(kind, key).map_or(Shape::Free, Shape::Node),
            Self::Node(Node::Map(fields) | Node::List(_, fields)) => {
                fields.iter().find(|(name, _)| *name == key).map_or(Shape::Free, |(_, node)| Shape::Node(node))
            }
            Self::Node(Node::Atomic | Node::Set) | Self::Free => Shape::Free,
            Self::Custom(schema) | Self::Schema(schema) => schema
                .get("properties")
                .and_then(|fields| fields.get(key))
                .or_else(|| schema.get("additionalProperties").filter(|rest| rest.is_object()))
                .map_or(Shape::Free, Shape::Schema),
        }
    }

    /// The shape of the items of a list.
    pub(super) fn item(self) -> Shape<'a> {
        match self {
            Self::Node(_) => self,
            Self::Schema(schema) => schema.get("items").map_or(Shape::Free, Shape::Schema),
            Self::BuiltIn(_) | Self::Custom(_) | Self::Free => Shape::Free,
        }
    }

    /// How a value of this shape merges.
    pub(super) fn grain(self, value: &Value) -> Grain<'a> {
        match value {
            Value::Object(fields) if fields.is_empty() || self.is_atomic() => Grain::Leaf,
            Value::Object(_) => Grain::Map,
            Value::Array(items) if items.is_empty() => Grain::Leaf,
            Value::Array(items) => match self.list() {
                Grain::List(_) if !items.iter().all(Value::is_object) => Grain::Leaf,
                grain @ (Grain::Leaf | Grain::Map | Grain::List(_) | Grain::Set) => grain,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Grain::Leaf,
        }
    }

    /// Whether a map of this shape is one value.
    pub(super) fn is_atomic(self) -> bool {
        match self {
            Self::Node(Node::Atomic) => true,
            Self::Schema(schema) => schema.get("x-kubernetes-map-type").is_some_and(|kind| kind == "atomic"),
            Self::Node(_) | Self::BuiltIn(_) | Self::Custom(_) | Self::Free => false,
        }
    }

    /// How a list of this shape merges.
    pub(super) fn list(self) -> Grain<'a> {
        match self {
            Self::Node(Node::List(keys, _)) => Grain::List(keys.to_vec()),
            Self::Node(Node::Set) => Grain::Set,
            Self::Schema(schema) => match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
                Some("set") => Grain::Set,
                Some("map") => {
                    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
                    Grain::List(keys.into_iter().flatten().filter_map(Value::as_str).collect())
                }
                _ => Grain::Leaf,
            },
            Self::Node(Node::Map(_) | Node::Atomic) | Self::BuiltIn(_) | Self::Custom(_) | Self::Free => Grain::Leaf,
        }
    }
}

/// What a key of a list is where an item leaves it out.
pub(super) fn default_key(key: &str) -> Value {
    if key == "protocol" { "TCP".into() } else { Value::Null }
}

fn built_in(kind: &str, key: &str) -> Option<&'static Node> {
    Some(match (kind, key) {
        (_, "status") => &STATUS,
        ("Deployment" | "ReplicaSet", "spec") => &WORKLOAD,
        ("Pod", "spec") => &POD_SPEC,
        ("Service", "spec") => &SERVICE,
        ("PodDisruptionBudget", "spec") => &PDB,
        ("HorizontalPodAutoscaler", "spec") => &HPA,
        ("NetworkPolicy", "spec") => &NETWORK_POLICY,
        ("Gateway", "spec") => &GATEWAY,
        ("ServiceAccount", "secrets") => &BY_NAME,
        ("Event", "regarding" | "related" | "involvedObject") => &Node::Atomic,
        _ => return None,
    })
}

use Node::{Atomic, List, Map, Set};

static METADATA: Node = Map(&[("ownerReferences", List(&["uid"], &[])), ("finalizers", Set)]);
static STATUS: Node = Map(&[("conditions", List(&["type"], &[])), ("listeners", List(&["name"], CONDITIONS))]);
const CONDITIONS: Fields = &[("conditions", List(&["type"], &[]))];
static BY_NAME: Node = List(&["name"], &[]);
static WORKLOAD: Node = Map(&[("selector", Atomic), ("template", Map(&[("metadata", META), ("spec", Map(POD))]))]);
const META: Node = Map(&[("ownerReferences", List(&["uid"], &[])), ("finalizers", Set)]);
static POD_SPEC: Node = Map(POD);
static PDB: Node = Map(&[("selector", Atomic)]);
static HPA: Node = Map(&[("metrics", Node::Atomic)]);
static NETWORK_POLICY: Node = Map(&[("podSelector", Atomic)]);
static GATEWAY: Node = Map(&[("listeners", List(&["name"], &[]))]);
static SERVICE: Node = Map(&[("ports", List(&["port", "protocol"], &[])), ("selector", Atomic)]);

const POD: Fields = &[
    ("containers", List(&["name"], CONTAINER)),
    ("initContainers", List(&["name"], CONTAINER)),
    ("ephemeralContainers", List(&["name"], CONTAINER)),
    ("volumes", List(&["name"], &[])),
    ("imagePullSecrets", List(&["name"], &[])),
    ("hostAliases", List(&["ip"], &[])),
    ("schedulingGates", List(&["name"], &[])),
    ("resourceClaims", List(&["name"], &[])),
    ("topologySpreadConstraints", List(&["topologyKey", "whenUnsatisfiable"], &[("labelSelector", Atomic)])),
    ("nodeSelector", Atomic),
];

const CONTAINER: Fields = &[
    ("env", List(&["name"], &[("valueFrom", Map(VALUE_FROM))])),
    ("ports", List(&["containerPort", "protocol"], &[])),
    ("volumeMounts", List(&["mountPath"], &[])),
    ("volumeDevices", List(&["devicePath"], &[])),
    ("resources", Map(&[("claims", List(&["name"], &[]))])),
];

const VALUE_FROM: Fields =
    &[("configMapKeyRef", Atomic), ("secretKeyRef", Atomic), ("fieldRef", Atomic), ("resourceFieldRef", Atomic)];
