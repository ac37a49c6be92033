//! The Deployment controller of Kubernetes 1.36: it keeps one ReplicaSet per template and moves pods from one to the next.
//!
//! [`view`] holds the numbers, [`scale`] and [`roll`] decide without I/O, [`create`] writes new ReplicaSets and what stands
//! in their annotations, [`status`] reports. Here is the order of one look at a Deployment.

mod create;
mod roll;
mod scale;
mod status;
mod view;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::status::{Conditions, Report};
use self::view::{Resize, Set, Sets, Wanted};
use super::look::{
    at, controller, controller_uid, is_over, labels, leaving, matches, name, namespace, owner_reference, stamp, text,
    uid, version,
};
use super::write::{Context, Place, drop_owner, place, put, refused};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, POD, REPLICA_SET};
use crate::sandbox::objects::Refusal;

/// How long until what was refused is tried again.
const RETRY: Span = Span::seconds(1);

/// What is known of Deployments beside their objects.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    /// At which versions each was looked at, and when it is to be again.
    seen: BTreeMap<Place, (Versions, Option<Time>)>,
}

/// What a look at a Deployment depends on: its version, and those of the ReplicaSets that may be its own.
#[derive(Debug, PartialEq, Eq)]
struct Versions {
    own: u64,
    sets: Vec<u64>,
    /// The pods of its namespace, where their end is waited for.
    pods: (usize, u64),
}

impl Deployments {
    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Option<Time> {
        let mut next: BTreeMap<Place, (Versions, Option<Time>)> = BTreeMap::new();
        let mut work: Vec<(Value, Vec<Value>, Versions)> = Vec::new();
        let all_sets = cx.objects.list(&REPLICA_SET, "");
        for deployment in cx.objects.list(&DEPLOYMENT, "") {
            let sets: Vec<&Value> = all_sets.iter().copied().filter(|set| concerns(deployment, set)).collect();
            let versions = Versions {
                own: version(deployment),
                sets: sets.iter().map(|set| version(set)).collect(),
                pods: pods_matter(cx, deployment),
            };
            match self.seen.remove(&place(deployment)) {
                Some((seen, due)) if seen == versions && due.is_none_or(|due| due > cx.now) => {
                    next.insert(place(deployment), (seen, due));
                }
                Some(_) | None => work.push((deployment.clone(), sets.into_iter().cloned().collect(), versions)),
            }
        }
        for (deployment, sets, versions) in work {
            let due = look_at(cx, &deployment, sets).unwrap_or_else(|refusal| {
                refused(&refusal);
                Some(cx.now.plus(RETRY))
            });
            next.insert(place(&deployment), (versions, due));
        }
        self.seen = next;
        self.seen.values().filter_map(|(_, due)| *due).min()
    }
}

/// Whether a ReplicaSet is, or may become, a Deployment's own.
fn concerns(deployment: &Value, set: &Value) -> bool {
    if namespace(deployment) != namespace(set) {
        return false;
    }
    let owner = controller_uid(set);
    owner == uid(deployment) || (owner.is_empty() && matches(at(deployment, &["spec", "selector"]), labels(set)))
}

/// Pods matter to a Recreate alone.
fn pods_matter(cx: &Context<'_>, deployment: &Value) -> (usize, u64) {
    if text(deployment, &["spec", "strategy", "type"]) != "Recreate" {
        return (0, 0);
    }
    let pods = cx.objects.list(&POD, namespace(deployment));
    (pods.len(), pods.iter().map(|pod| version(pod)).max().unwrap_or(0))
}

/// One look at a Deployment; answers when the next is due though nothing changes.
fn look_at(cx: &mut Context<'_>, deployment: &Value, sets: Vec<Value>) -> Result<Option<Time>, Refusal> {
    let wanted = Wanted::of(deployment);
    let raw = claim(cx, deployment, sets)?;
    let template = at(deployment, &["spec", "template"]);
    let mut sets = Sets::of(raw.iter().map(|set| Set::of(set, template)).collect());
    let mut conditions = Conditions::of(deployment, &stamp(cx.now));
    let goes = leaving(deployment);
    if !goes {
        conditions.pause(&wanted);
    }
    create::annotate_new(cx, deployment, &wanted, &mut sets, &mut conditions)?;
    let rolling = !goes && !wanted.paused && !scale::is_due(&wanted, &sets);
    if goes {
        // Only reported: its ReplicaSets go with it.
    } else if !rolling {
        resize(cx, deployment, &wanted, scale::scale(&wanted, &sets))?;
        if wanted.paused {
            forget(cx, deployment, &wanted, &sets)?;
        }
    } else if wanted.recreate {
        let old_pods = old_pods(cx, &raw, &sets);
        let down = roll::recreate(&wanted, &sets, old_pods);
        if down.is_empty() && !old_pods && sets.new.is_none() {
            create::create_new(cx, deployment, &wanted, &mut sets, &mut conditions)?;
        }
        advance(cx, deployment, &wanted, &sets, down)?;
    } else {
        if sets.new.is_none() {
            create::create_new(cx, deployment, &wanted, &mut sets, &mut conditions)?;
        }
        advance(cx, deployment, &wanted, &sets, roll::roll(&wanted, &sets))?;
    }
    let Report { status, due } = status::report(&wanted, &sets, deployment, conditions, rolling, cx.now);
    cx.set_status(&cx.users.deployment, &DEPLOYMENT, namespace(deployment), name(deployment), status)?;
    Ok(due)
}

fn advance(
    cx: &mut Context<'_>,
    deployment: &Value,
    wanted: &Wanted,
    sets: &Sets,
    steps: Vec<Resize>,
) -> Result<(), Refusal> {
    if steps.is_empty() && status::is_complete(wanted, deployment) {
        return forget(cx, deployment, wanted, sets);
    }
    resize(cx, deployment, wanted, steps)
}

/// Adopts ReplicaSets that match and belong to nobody, and lets go of its own that do not match any more.
fn claim(cx: &mut Context<'_>, deployment: &Value, sets: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    let mut own = Vec::with_capacity(sets.len());
    for set in sets {
        let fits = matches(at(deployment, &["spec", "selector"]), labels(&set));
        let (space, called) = place(&set);
        match (controller(&set).is_some(), fits) {
            (true, true) => own.push(set),
            (true, false) => {
                cx.edit(&cx.users.deployment, &REPLICA_SET, &space, &called, |set| drop_owner(set, uid(deployment)))?;
            }
            (false, true) if !leaving(&set) && !leaving(deployment) => {
                let owner = owner_reference(&DEPLOYMENT, deployment);
                let adopted = cx.edit(&cx.users.deployment, &REPLICA_SET, &space, &called, |set| {
                    match set
                        .get_mut("metadata")
                        .and_then(|it| it.get_mut("ownerReferences"))
                        .and_then(Value::as_array_mut)
                    {
                        Some(owners) => owners.push(owner),
                        None => put(set, &["metadata", "ownerReferences"], json!([owner])),
                    }
                })?;
                own.extend(adopted);
            }
            (false, _) => {}
        }
    }
    Ok(own)
}

fn resize(cx: &mut Context<'_>, deployment: &Value, wanted: &Wanted, steps: Vec<Resize>) -> Result<(), Refusal> {
    for Resize { set, to } in steps {
        cx.edit(&cx.users.deployment, &REPLICA_SET, namespace(deployment), &set, |set| {
            put(set, &["spec", "replicas"], to.into());
            create::note_size(set, wanted);
        })?;
    }
    Ok(())
}

fn forget(cx: &mut Context<'_>, deployment: &Value, wanted: &Wanted, sets: &Sets) -> Result<(), Refusal> {
    for set in roll::forgotten(wanted, sets) {
        cx.objects.delete(&cx.users.deployment, &REPLICA_SET, namespace(deployment), &set)?;
    }
    Ok(())
}

/// Whether pods of old ReplicaSets run, those that are ending included.
fn old_pods(cx: &Context<'_>, raw: &[Value], sets: &Sets) -> bool {
    let new = sets.newest().map_or("", |new| new.name.as_str());
    let old: Vec<&str> = raw.iter().filter(|set| name(set) != new).map(uid).collect();
    let space = raw.first().map_or("", namespace);
    sets.old().any(|set| set.pods > 0)
        || (!old.is_empty()
            && cx.objects.list(&POD, space).iter().any(|pod| !is_over(pod) && old.contains(&controller_uid(pod))))
}
