//! What every rule needs, worked out once: whose pods carry which labels with and without the rewritten one.

use serde_json::Value;

use super::elsewhere::Elsewhere;
use super::surroundings::Surroundings;
use super::{Finding, Reason, Severity};
use crate::release::labels::{Labels, labels};
use crate::release::objects::relabel;
use crate::release::plan::active_set;
use crate::release::snapshot::{KindSeen, Ordinals, Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::template::Relabel;

/// What every namespace is labelled with: its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

pub(super) struct Facts<'a> {
    pub(super) seen: &'a Snapshot,
    pub(super) around: &'a Surroundings,
    pub(super) workload: &'a Workload,
    /// The template that serves.
    pub(super) old: &'a Value,
    /// Canary and previous version; empty where no label can tell them apart, which is a problem told elsewhere, and where
    /// no route divides the traffic: then every pod of the new version carries the workload's own labels.
    pub(super) copies: Vec<Copied>,
    /// How a new version gets its share of the users.
    pub(super) way: Way,
    /// Labels of the release's namespace: its name, and what else is known.
    pub(super) home: Labels,
}

/// How a new version gets its share of the users, and so what of it stands beside the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the weights of routes: canary and previous version beside the workload, under a rewritten label.
    Routes,
    /// By the number of pods of a Deployment: a canary beside it, under the workload's own labels.
    Beside,
    /// By the ordinals of a StatefulSet: nothing beside it.
    Within,
}

impl Way {
    fn of(seen: &Snapshot, workload: &Workload) -> Self {
        match (seen.by_count(), &workload.kind) {
            (_, KindSeen::StatefulSet(_)) => Self::Within,
            (true, KindSeen::Deployment) => Self::Beside,
            (false, KindSeen::Deployment) => Self::Routes,
        }
    }

    /// Whose pods run beside the workload's, to follow `pods of`; none where nothing does.
    pub(super) const fn alongside(self) -> Option<&'static str> {
        match self {
            Self::Routes => Some("canary and previous version"),
            Self::Beside => Some("the canary"),
            Self::Within => None,
        }
    }
}

/// The pods that Tidegate makes.
pub(super) struct Copied {
    pub(super) carrier: Carrier,
    pub(super) relabel: Relabel,
    /// Labels of the template as the user wrote it.
    pub(super) plain: Labels,
    /// The same with the label rewritten.
    pub(super) labels: Labels,
}

impl Copied {
    /// `the canary (app=checkout-canary)`.
    fn named(&self) -> String {
        let who = match self.carrier {
            Carrier::Previous => "the previous version",
            Carrier::Canary | Carrier::Workload => "the canary",
        };
        format!("{who} ({}={})", self.relabel.key, self.relabel.to)
    }
}

/// Names them all: `the canary (app=web-canary) and the previous version (app=web-previous)`.
pub(super) fn named(copies: &[&Copied]) -> String {
    copies.iter().map(|copy| copy.named()).collect::<Vec<_>>().join(" and ")
}

impl<'a> Facts<'a> {
    pub(super) fn of(seen: &'a Snapshot, around: &'a Surroundings) -> Option<Self> {
        let workload = seen.workload.as_ref()?;
        let old = active_set(workload).map_or(&workload.template, |set| &set.template);
        let copied = |(carrier, template): (Carrier, &Value)| {
            let relabel = relabel(seen, workload, carrier).ok()?;
            let plain = labels(template, "/metadata/labels");
            let labels = labels(&relabel.template(template), "/metadata/labels");
            Some(Copied { carrier, relabel, plain, labels })
        };
        let way = Way::of(seen, workload);
        let all = [(Carrier::Canary, &workload.template), (Carrier::Previous, old)];
        let copies = all.into_iter().filter(|_| way == Way::Routes).filter_map(copied).collect();
        let mut home = around.home.clone();
        home.insert(NAMESPACE_NAME.to_owned(), seen.release.namespace.clone());
        Some(Self { seen, around, workload, old, copies, way, home })
    }

    pub(super) fn namespace(&self) -> &str {
        &self.seen.release.namespace
    }

    pub(super) fn service(&self) -> &str {
        &self.seen.release.spec.traffic.service
    }

    /// Copies that a selector misses although it means the user's pods.
    pub(super) fn missed(&self, selects: impl Fn(&Labels) -> bool) -> Vec<&Copied> {
        self.copies.iter().filter(|copy| selects(&copy.plain) && !selects(&copy.labels)).collect()
    }

    /// Copies that a selector selects as well as the user's pods.
    pub(super) fn shared(&self, selects: impl Fn(&Labels) -> bool) -> Vec<&Copied> {
        self.copies.iter().filter(|copy| selects(&copy.plain) && selects(&copy.labels)).collect()
    }

    /// `NetworkPolicy shop/allow`.
    pub(super) fn object(&self, kind: &str, object: &Value) -> String {
        let namespace = if self.is_home(object) { self.namespace() } else { text(object, "/metadata/namespace") };
        format!("{kind} {namespace}/{}", text(object, "/metadata/name"))
    }

    /// Whether an object stands in the release's namespace.
    pub(super) fn is_home(&self, object: &Value) -> bool {
        let namespace = text(object, "/metadata/namespace");
        namespace.is_empty() || namespace == self.namespace()
    }

    /// What stands in other namespaces.
    pub(super) fn elsewhere(&self, of: fn(&Elsewhere) -> &Vec<Value>) -> Vec<&'a Value> {
        let around: &'a Surroundings = self.around;
        of(&around.elsewhere).iter().filter(|object| !self.is_home(object)).collect()
    }

    pub(super) fn finding(
        &self,
        reason: Reason,
        severity: Severity,
        (kind, object): (&str, &Value),
        message: impl Into<String>,
    ) -> Finding {
        Finding { reason: reason.as_str(), severity, object: self.object(kind, object), message: message.into() }
    }

    /// What only a StatefulSet has.
    pub(super) const fn ordinals(&self) -> Option<&Ordinals> {
        match &self.workload.kind {
            KindSeen::StatefulSet(ordinals) => Some(ordinals),
            KindSeen::Deployment => None,
        }
    }

    /// Of the workload itself.
    pub(super) fn of_workload(&self, reason: Reason, severity: Severity, message: impl Into<String>) -> Finding {
        let object = format!("{} {}/{}", self.seen.kind(), self.namespace(), self.seen.release.spec.workload_ref.name);
        Finding { reason: reason.as_str(), severity, object, message: message.into() }
    }

    /// Whether an attempt is past its start: what has begun is not held up by what stands around it.
    pub(super) fn is_under_way(&self) -> bool {
        use crate::api::release_record::Phase;
        let status = self.seen.record.as_ref().and_then(|record| record.status.as_ref());
        status.is_some_and(|status| status.outcome.is_none() && status.phase != Phase::Plan)
    }
}

/// A text in an object; empty where there is none.
pub(super) fn text<'v>(object: &'v Value, place: &str) -> &'v str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// A list in an object; empty where there is none.
pub(super) fn list<'v>(object: &'v Value, place: &str) -> &'v [Value] {
    object.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
