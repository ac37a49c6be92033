//! A Deployment and its ReplicaSets in the numbers that decide.

use serde_json::Value;

use super::super::look::{annotation, at, integer, is_set, items, leaving, name, number, scaled, text};
use super::super::template;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// What a Deployment wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) generation: i64,
    pub(super) replicas: i64,
    pub(super) paused: bool,
    pub(super) recreate: bool,
    /// How many pods more than `replicas` there may be.
    pub(super) max_surge: i64,
    /// How many of `replicas` need not be available.
    pub(super) max_unavailable: i64,
    /// `revisionHistoryLimit`.
    pub(super) history: Option<i64>,
    /// `progressDeadlineSeconds`, unless it is the largest number, which stands for none.
    pub(super) deadline: Option<i64>,
    pub(super) min_ready: i64,
    /// `status.replicas` as it stands.
    pub(super) reported: i64,
}

impl Wanted {
    pub(super) fn of(deployment: &Value) -> Self {
        let replicas = integer(deployment, &["spec", "replicas"]).unwrap_or(1);
        let recreate = text(deployment, &["spec", "strategy", "type"]) == "Recreate";
        let rolling = |key: &str, up| {
            let value = at(deployment, &["spec", "strategy", "rollingUpdate", key]);
            scaled(value, replicas, up).unwrap_or(0)
        };
        let (max_surge, max_unavailable) = match (rolling("maxSurge", true), rolling("maxUnavailable", false)) {
            _ if recreate => (0, 0),
            // One of them has to give way, or nothing would ever move.
            (0, 0) => (0, 1),
            both => both,
        };
        Self {
            name: name(deployment).to_owned(),
            generation: number(deployment, &["metadata", "generation"]),
            replicas,
            paused: is_set(deployment, &["spec", "paused"]),
            recreate,
            max_surge,
            max_unavailable: max_unavailable.min(replicas),
            history: integer(deployment, &["spec", "revisionHistoryLimit"]).filter(|it| *it != i64::from(i32::MAX)),
            deadline: integer(deployment, &["spec", "progressDeadlineSeconds"]).filter(|it| *it != i64::from(i32::MAX)),
            min_ready: number(deployment, &["spec", "minReadySeconds"]),
            reported: number(deployment, &["status", "replicas"]),
        }
    }

    /// The most pods that there may be.
    pub(super) const fn most(&self) -> i64 {
        self.replicas + self.max_surge
    }

    /// The fewest pods that have to be available.
    pub(super) const fn least(&self) -> i64 {
        self.replicas - self.max_unavailable
    }
}

/// A ReplicaSet of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) created: String,
    pub(super) leaving: bool,
    /// Whether its template is the Deployment's.
    pub(super) matches: bool,
    pub(super) size: i64,
    pub(super) revision: i64,
    /// What its Deployment wanted when this was sized last.
    pub(super) desired: Option<i64>,
    /// The most that its Deployment allowed then.
    pub(super) max: Option<i64>,
    /// Whether its controller has seen what it wants now.
    pub(super) observed: bool,
    pub(super) pods: i64,
    pub(super) ready: i64,
    pub(super) available: i64,
    pub(super) terminating: i64,
    /// Why pods could not be created.
    pub(super) failure: Option<Value>,
}

impl Set {
    pub(super) fn of(set: &Value, template: Option<&Value>) -> Self {
        let noted = |key: &str| annotation(set, key).and_then(|text| text.parse().ok());
        let status = |key: &str| number(set, &["status", key]);
        let own = at(set, &["spec", "template"]);
        Self {
            name: name(set).to_owned(),
            created: text(set, &["metadata", "creationTimestamp"]).to_owned(),
            leaving: leaving(set),
            matches: own.zip(template).is_some_and(|(own, wanted)| template::same(own, wanted)),
            size: integer(set, &["spec", "replicas"]).unwrap_or(1),
            revision: noted(REVISION).unwrap_or(0),
            desired: noted(DESIRED).filter(|number| *number >= 0),
            max: noted(MAX).filter(|number| *number >= 0),
            observed: number(set, &["metadata", "generation"]) <= status("observedGeneration"),
            pods: status("replicas"),
            ready: status("readyReplicas"),
            available: status("availableReplicas"),
            terminating: status("terminatingReplicas"),
            failure: items(set, &["status", "conditions"])
                .iter()
                .find(|condition| text(condition, &["type"]) == "ReplicaFailure")
                .cloned(),
        }
    }

    /// By age, then by name: creation times are whole seconds.
    pub(super) fn age(&self) -> (&str, &str) {
        (&self.created, &self.name)
    }
}

/// The ReplicaSets of a Deployment, oldest first, and which of them is new.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) all: Vec<Set>,
    pub(super) new: Option<usize>,
}

impl Sets {
    pub(super) fn of(mut all: Vec<Set>) -> Self {
        all.sort_by(|one, other| one.age().cmp(&other.age()));
        // The oldest that matches: a later one can only be somebody's copy.
        let new = all.iter().position(|set| set.matches);
        Self { all, new }
    }

    pub(super) fn newest(&self) -> Option<&Set> {
        self.new.and_then(|new| self.all.get(new))
    }

    /// All but the new one, oldest first.
    pub(super) fn old(&self) -> impl DoubleEndedIterator<Item = &Set> {
        let new = self.new;
        self.all.iter().enumerate().filter(move |(index, _)| Some(*index) != new).map(|(_, set)| set)
    }

    /// Those that want pods, oldest first.
    pub(super) fn active(&self) -> impl Iterator<Item = &Set> {
        self.all.iter().filter(|set| set.size > 0)
    }

    pub(super) fn sum(&self, of: impl Fn(&Set) -> i64) -> i64 {
        self.all.iter().map(of).sum()
    }
}

/// A ReplicaSet is to have this size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resize {
    pub(super) set: String,
    pub(super) to: i64,
}

impl Resize {
    /// Only where the size is another.
    pub(super) fn lazily(set: &Set, to: i64) -> Option<Self> {
        (set.size != to).then(|| Self { set: set.name.clone(), to })
    }
}
