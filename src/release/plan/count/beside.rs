//! A Deployment: held by its pause, with a Deployment of the new version beside it whose pods carry the same labels, so that
//! the Service spreads requests over both.

use serde_json::{Map, Value, json};

use super::super::active::Active;
use super::{Exposure, count, share};
use crate::api::Weight;
use crate::api::names::{CANARY_SUFFIX, RELEASE, REVISION, ROLE};
use crate::api::release_record::PodShare;
use crate::release::action::Action;
use crate::release::objects::own_labels;
use crate::release::problem::Problem;
use crate::release::snapshot::{PodSeen, Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::template;

pub(super) struct Beside<'a> {
    seen: &'a Snapshot,
    workload: &'a Workload,
    /// The ReplicaSet of the workload that runs the new version, once it was let go.
    new_set: Option<&'a str>,
}

impl<'a> Beside<'a> {
    pub(super) fn of(active: &Active<'a>, workload: &'a Workload) -> Self {
        let revision = &active.record.spec.revision;
        let own = workload.sets.iter().find(|set| template::revision(&set.template) == *revision);
        Self { seen: active.seen, workload, new_set: own.map(|set| set.name.as_str()) }
    }

    fn beside(&self) -> impl Iterator<Item = &'a PodSeen> {
        self.seen.pods.iter().filter(|pod| pod.canary && !pod.deleting)
    }
}

impl Exposure for Beside<'_> {
    fn pods_for(&self, weight: Weight) -> u32 {
        share::beside(self.workload.replicas, weight)
    }

    fn share_of(&self, pods: u32) -> PodShare {
        PodShare { new: pods, of: pods.saturating_add(self.workload.replicas) }
    }

    fn is_new(&self, pod: &PodSeen) -> bool {
        pod.canary || Some(pod.of.as_str()) == self.new_set
    }

    fn exposes(&self) -> u32 {
        let deployment = self.seen.canary.as_ref().and_then(|side| side.deployment.as_ref());
        deployment.filter(|deployment| !deployment.deleting).map_or(0, |deployment| deployment.replicas)
    }

    fn expose(&self, active: &Active<'_>, pods: u32) -> Result<Vec<Action>, Problem> {
        let side = self.seen.canary.as_ref();
        if let Some(foreign) = side.and_then(|side| side.foreign.as_ref()) {
            return Err(Problem::name_taken(foreign, Carrier::Canary));
        }
        let revision = &active.record.spec.revision;
        match side.and_then(|side| side.deployment.as_ref()) {
            // What an older attempt left is on its way out; its name is free soon.
            Some(have) if have.deleting => return Ok(Vec::new()),
            Some(have) if have.revision != *revision => return Ok(vec![Action::Delete { carrier: Carrier::Canary }]),
            Some(have) if have.replicas == pods => return Ok(Vec::new()),
            Some(_) | None => {}
        }
        let object = canary(self.seen, self.workload, revision, pods);
        Ok(vec![Action::Apply { carrier: Carrier::Canary, object }])
    }

    fn exposed(&self, active: &Active<'_>, pods: u32) -> Result<(), String> {
        let ready = count(self.beside().filter(|pod| pod.is_available(self.workload, active.now)).count());
        let there = count(self.beside().count());
        match ready == pods && there == pods {
            true => Ok(()),
            false => Err(format!("{ready} of {pods} canary pods are ready, {there} are there")),
        }
    }

    /// First to no pods, so that it can be seen when the last of them is gone; then the Deployment goes.
    fn withdraw(&self, _: &Active<'_>) -> Vec<Action> {
        let Some(side) = self.seen.canary.as_ref().and_then(|side| side.deployment.as_ref()) else { return Vec::new() };
        let carrier = Carrier::Canary;
        match (side.deleting, side.replicas, self.seen.pods.iter().any(|pod| pod.canary)) {
            (true, ..) => Vec::new(),
            (false, 0, true) => Vec::new(),
            (false, 0, false) => vec![Action::Delete { carrier }],
            (false, ..) => vec![Action::ScaleSide { carrier, replicas: 0 }],
        }
    }

    fn withdrawing(&self) -> String {
        format!("{} canary pods are on their way out", self.seen.pods.iter().filter(|pod| pod.canary).count())
    }

    /// What waits for pods that never end is nobody's wait: they take no requests.
    fn stuck(&self, _: &Active<'_>) -> Option<String> {
        None
    }

    fn keeps_way_back(&self) -> bool {
        false
    }
}

/// The Deployment beside the workload: its template with two labels more, by which its ReplicaSets are its own.
fn canary(seen: &Snapshot, workload: &Workload, revision: &str, replicas: u32) -> Value {
    let marks = [(RELEASE, seen.release.name.as_str()), (ROLE, Carrier::Canary.as_str())];
    let with_marks = |mut labels: Map<String, Value>| {
        labels.extend(marks.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))));
        labels
    };
    let labels_at =
        |value: &Value, place: &str| value.pointer(place).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut selector = workload.selector.clone();
    selector["matchLabels"] = with_marks(labels_at(&workload.selector, "/matchLabels")).into();
    let mut template = workload.template.clone();
    template["metadata"]["labels"] = with_marks(labels_at(&workload.template, "/metadata/labels")).into();
    let mut spec = json!({"replicas": replicas, "selector": selector, "template": template, "revisionHistoryLimit": 1});
    for field in ["minReadySeconds", "progressDeadlineSeconds"] {
        if let Some(value) = workload.spec.get(field) {
            spec[field] = value.clone();
        }
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": format!("{}{CANARY_SUFFIX}", seen.release.spec.workload_ref.name),
            "namespace": seen.release.namespace,
            "labels": with_marks(own_labels(workload)),
            "annotations": {REVISION: revision},
        },
        "spec": spec,
    })
}
