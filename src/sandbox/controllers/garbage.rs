//! Garbage collection: what belongs to owners that are all gone goes too, and deletions that wait for dependents, or for
//! their release, go on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::look::{has_finalizer, is_set, items, leaving, namespace, text, uid, version};
use super::marks::{Mark, Marks};
use super::write::{Context, Place, add_finalizer, drop_finalizer, drop_owner, place, tried};
use super::{HPA, NAMESPACE};
use crate::api::Time;
use crate::cluster::Kind;
use crate::cluster::kind::{
    CONTROLLER_REVISION, CRON_JOB, DEPLOYMENT, ENDPOINT_SLICE, EVENT, GATED_RELEASE, HTTP_ROUTE, JOB, LEASE, PDB, POD,
    RELEASE_RECORD, REPLICA_SET, RISK_BUDGET, SCALED_OBJECT, SERVICE, STATEFUL_SET,
};
use crate::sandbox::objects::Objects;

/// All kinds that are looked after. Objects of other kinds own nothing here, and outlive their namespace.
pub(super) const KINDS: &[Kind] = &[
    NAMESPACE,
    DEPLOYMENT,
    REPLICA_SET,
    POD,
    SERVICE,
    ENDPOINT_SLICE,
    HTTP_ROUTE,
    HPA,
    PDB,
    GATED_RELEASE,
    RISK_BUDGET,
    RELEASE_RECORD,
    Kind::new("tidegate.io", "v1alpha1", "Attestation", "attestations"),
    STATEFUL_SET,
    CONTROLLER_REVISION,
    JOB,
    CRON_JOB,
    Kind::new("", "v1", "ConfigMap", "configmaps"),
    Kind::new("", "v1", "Secret", "secrets"),
    Kind::new("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind::new("", "v1", "ResourceQuota", "resourcequotas"),
    Kind::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind::new("", "v1", "Endpoints", "endpoints"),
    Kind::new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    Kind::new("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
    SCALED_OBJECT,
    LEASE,
    EVENT,
];

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Up to where each kind has been looked through.
#[derive(Debug, Default)]
pub(super) struct Garbage(BTreeMap<&'static str, Mark>);

enum Deed {
    Delete,
    /// Delete in the foreground.
    DeleteLast,
    /// Forget an owner that is gone, or that lets go.
    Disown(String),
    /// The deletion has nothing more to wait for.
    Release(&'static str),
}

impl Garbage {
    pub(super) fn run(&mut self, cx: &mut Context<'_>, marks: &Marks) -> Option<Time> {
        // A StatefulSet made anew in the moment in which it was deleted leaves its name taken by pods of the old one.
        let known = self.0.get(STATEFUL_SET.plural).map_or(0, |seen| seen.newest);
        let anew = |set: &&Value| version(set) > known && set.get("status").is_none();
        let removed = cx.objects.list(&STATEFUL_SET, "").iter().any(anew)
            || KINDS.iter().any(|kind| self.0.get(kind.plural).is_some_and(|seen| marks.of(kind).count < seen.count));
        let mut deeds = Vec::new();
        for kind in KINDS {
            let mark = marks.of(kind);
            let seen = self.0.insert(kind.plural, mark).unwrap_or_default();
            if mark == seen && !removed {
                continue;
            }
            // Where nothing was removed, only what is new can have lost its owner.
            let after = if removed { 0 } else { seen.newest };
            for object in cx.objects.list(kind, "").into_iter().filter(|object| version(object) > after) {
                orphaned(&*cx.objects, kind, object, &mut deeds);
                if leaving(object) {
                    waiting(&*cx.objects, kind, object, &mut deeds);
                }
            }
        }
        // The way down from an owner that waits does not show in its version.
        let again = deeds.iter().any(|(_, _, deed)| !matches!(deed, Deed::Release(_)));
        for (kind, place, deed) in deeds {
            carry_out(cx, &kind, &place, deed);
        }
        if again {
            self.0.clear();
        }
        None
    }
}

fn known(reference: &Value) -> Option<&'static Kind> {
    let (kind, version) = (text(reference, &["kind"]), text(reference, &["apiVersion"]));
    let group = version.split_once('/').map_or("", |(group, _)| group);
    KINDS.iter().find(|known| known.kind == kind && known.group == group)
}

/// The owner that a reference means, if it is there.
fn owner<'a>(objects: &'a dyn Objects, object: &Value, reference: &Value) -> Option<&'a Value> {
    let kind = known(reference)?;
    let home = if *kind == NAMESPACE { "" } else { namespace(object) };
    objects.get(kind, home, text(reference, &["name"])).filter(|owner| uid(owner) == text(reference, &["uid"]))
}

/// An object goes when all its owners are gone; while one is left it forgets the others.
fn orphaned(objects: &dyn Objects, kind: &Kind, object: &Value, deeds: &mut Vec<(Kind, Place, Deed)>) {
    let references = items(object, &["metadata", "ownerReferences"]);
    if references.is_empty() || leaving(object) {
        return;
    }
    // An owner of a kind that nobody serves cannot be looked up: real collectors wait as well.
    let gone: Vec<&Value> =
        references.iter().filter(|it| known(it).is_some() && owner(objects, object, it).is_none()).collect();
    if gone.len() == references.len() {
        deeds.push((*kind, place(object), Deed::Delete));
    } else {
        deeds.extend(gone.iter().map(|it| (*kind, place(object), Deed::Disown(text(it, &["uid"]).to_owned()))));
    }
}

/// What belongs to an owner, with the reference that says so.
fn dependents<'a>(
    objects: &'a dyn Objects,
    owner: &'a Value,
) -> impl Iterator<Item = (&'static Kind, &'a Value, &'a Value)> {
    KINDS.iter().flat_map(|kind| objects.list(kind, namespace(owner)).into_iter().map(move |it| (kind, it))).filter_map(
        |(kind, object)| {
            let mut references = items(object, &["metadata", "ownerReferences"]).iter();
            references.find(|it| text(it, &["uid"]) == uid(owner)).map(|reference| (kind, object, reference))
        },
    )
}

/// A deletion that waits for dependents to go, or to be let go.
fn waiting(objects: &dyn Objects, kind: &Kind, owner: &Value, deeds: &mut Vec<(Kind, Place, Deed)>) {
    let (orphan, foreground) = (has_finalizer(owner, ORPHAN), has_finalizer(owner, FOREGROUND));
    if !orphan && !foreground {
        return;
    }
    let mut blocked = false;
    for (below, object, reference) in dependents(objects, owner) {
        if orphan {
            deeds.push((*below, place(object), Deed::Disown(uid(owner).to_owned())));
            continue;
        }
        blocked |= is_set(reference, &["blockOwnerDeletion"]);
        if !leaving(object) {
            // Who has dependents waits for them in turn.
            let waits = dependents(objects, object).next().is_some();
            deeds.push((*below, place(object), if waits { Deed::DeleteLast } else { Deed::Delete }));
        }
    }
    if orphan {
        deeds.push((*kind, place(owner), Deed::Release(ORPHAN)));
    } else if !blocked {
        deeds.push((*kind, place(owner), Deed::Release(FOREGROUND)));
    }
}

fn carry_out(cx: &mut Context<'_>, kind: &Kind, place: &Place, deed: Deed) {
    let by = &cx.users.garbage;
    let (home, called) = (place.0.as_str(), place.1.as_str());
    match deed {
        Deed::Delete => cx.delete(by, kind, place),
        Deed::DeleteLast => {
            tried(cx.edit(by, kind, home, called, |object| add_finalizer(object, FOREGROUND)));
            cx.delete(by, kind, place);
        }
        Deed::Disown(owner) => tried(cx.edit(by, kind, home, called, |object| drop_owner(object, &owner))),
        Deed::Release(finalizer) => {
            tried(cx.edit(by, kind, home, called, |object| drop_finalizer(object, finalizer)));
        }
    }
}
