//! What Tidegate writes: its own objects, and of those of others only what it says it writes; while it leads.

use serde_json::Value;

use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, SECOND, SECOND_ROUTE, Seen, WORKLOADS, image, number, text};
use crate::cluster::kind::DEPLOYMENT;

const ROLE: &str = "/metadata/labels/tidegate.io~1role";

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>, process: usize) {
    // The API server itself ends a deleted definition, with the write that takes away the last of its objects.
    if matches!(seen.kind.plural, "leases" | "customresourcedefinitions") {
        return;
    }
    if checkers.leader.is_some_and(|leader| leader != process) {
        let says = format!("process {process} wrote {} {} although another leads", seen.kind.kind, seen.name);
        checkers.violated(Rule::ExLeader, seen.now, says);
    }
    if seen.namespace != NAMESPACE {
        let says = format!("{} {}/{} was written", seen.kind.kind, seen.namespace, seen.name);
        return checkers.violated(Rule::OtherNamespace, seen.now, says);
    }
    if matches!(seen.kind.plural, "releaserecords" | "events") {
        return;
    }
    let ours = [seen.before, seen.after].into_iter().flatten().all(|object| text(object, ROLE).is_some());
    if ours {
        if seen.kind.plural == "deployments" {
            template(checkers, seen);
            canary(checkers, seen);
        }
        return;
    }
    let (Some(before), Some(after)) = (seen.before, seen.after) else {
        // Taking our finalizer off lets an object go that somebody has deleted.
        if seen.after.is_none() && seen.before.is_some_and(|it| text(it, "/metadata/deletionTimestamp").is_some()) {
            return;
        }
        if seen.kind.plural == "replicasets" && may_replace(seen) {
            return super::terms::verbatim(checkers, seen);
        }
        let says = format!("{} {} of somebody else was made or deleted", seen.kind.kind, seen.name);
        return checkers.violated(Rule::ForeignField, seen.now, says);
    };
    let (before, after) = (stripped(seen, before), stripped(seen, after));
    if before != after {
        let says = format!("{} {}: {}", seen.kind.kind, seen.name, difference(&before, &after));
        checkers.violated(Rule::ForeignField, seen.now, says);
    }
}

/// In a workload that is held, empty ReplicaSets may go so that none but stable can start, and what was judged may come
/// where a newer template waits already.
fn may_replace(seen: &Seen<'_>) -> bool {
    let empty = |set: &Value| number(set, "/spec/replicas") == 0 && number(set, "/status/replicas") == 0;
    let owner = |set: &Value| text(set, "/metadata/ownerReferences/0/uid").map(str::to_owned);
    WORKLOADS.into_iter().any(|name| {
        let workload = seen.objects.get(&DEPLOYMENT, NAMESPACE, name);
        let held = workload.is_some_and(|it| it.pointer("/spec/paused") == Some(&true.into()));
        let uid = workload.and_then(|it| text(it, "/metadata/uid")).map(str::to_owned);
        held && match (seen.before, seen.after) {
            (Some(before), None) => empty(before) && owner(before) == uid,
            (None, Some(after)) => owner(after) == uid,
            (Some(_), Some(_)) | (None, None) => false,
        }
    })
}

/// The object without what Tidegate may write in it, and without what the API server writes.
fn stripped(seen: &Seen<'_>, object: &Value) -> Value {
    let keda = text(object, "/metadata/ownerReferences/0/kind") == Some("ScaledObject");
    let mut object = object.clone();
    let mut drop = |place: &str, keys: &[&str]| {
        if let Some(map) = object.pointer_mut(place).and_then(Value::as_object_mut) {
            keys.iter().for_each(|key| drop(map.remove(*key)));
            map.is_empty()
        } else {
            true
        }
    };
    drop("/metadata", &["resourceVersion", "generation", "managedFields"]);
    match seen.kind.plural {
        "gatedreleases" => {
            drop("", &["status"]);
            drop("/metadata", &["finalizers", "deletionTimestamp", "deletionGracePeriodSeconds"]);
        }
        "riskbudgets" => {
            drop("", &["status"]);
        }
        "deployments" if WORKLOADS.contains(&seen.name) => {
            drop("/spec", &["paused"]);
            if drop("/metadata/annotations", &["tidegate.io/paused-because", "tidegate.io/resumed-by"]) {
                drop("/metadata", &["annotations"]);
            }
        }
        "statefulsets" if seen.name == NAME => {
            drop("/spec/updateStrategy/rollingUpdate", &["partition"]);
            if drop("/metadata/annotations", &["tidegate.io/paused-because", "tidegate.io/resumed-by"]) {
                drop("/metadata", &["annotations"]);
            }
        }
        // A pod of the StatefulSet may be deleted; which, and when, is looked at elsewhere.
        "pods" if text(object_of(seen), "/metadata/ownerReferences/0/kind") == Some("StatefulSet") => {
            drop("/metadata", &["deletionTimestamp", "deletionGracePeriodSeconds"]);
        }
        "replicasets" => {
            drop("/spec", &["replicas"]);
        }
        "scaledobjects" => {
            let mut whole = "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown".to_owned();
            let mut emptied = drop(&whole, &["selectPolicy"]);
            while let Some((outer, inner)) = whole.rsplit_once('/').filter(|(outer, _)| emptied && !outer.is_empty()) {
                emptied = drop(outer, &[inner]);
                whole = outer.to_owned();
            }
        }
        // What KEDA makes is KEDA's, in every field.
        "horizontalpodautoscalers" if keda => {}
        "horizontalpodautoscalers" => {
            let emptied = drop("/spec/behavior/scaleDown", &["selectPolicy"]) && drop("/spec/behavior", &["scaleDown"]);
            let gone: &[&str] = if emptied { &["behavior"] } else { &[] };
            drop("/spec", gone);
        }
        "httproutes" if [NAME, SECOND_ROUTE, SECOND].contains(&seen.name) => {
            let marks = ["tidegate.io/weights", "tidegate.io/weights-before", "tidegate.io/withdrawn"];
            if drop("/metadata/annotations", &marks) {
                drop("/metadata", &["annotations"]);
            }
            for rule in object.pointer_mut("/spec/rules").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(refs) = rule.get_mut("backendRefs").and_then(Value::as_array_mut) {
                    // The first service's route may lead to both.
                    let of: &[&str] = if seen.name == SECOND { &[SECOND] } else { &WORKLOADS };
                    let ends = ["", "-canary", "-previous"];
                    let family =
                        |name: &Value| of.iter().any(|of| ends.iter().any(|end| *name == format!("{of}{end}")));
                    refs.retain(|one| !family(&one["name"]));
                }
            }
        }
        _ => {}
    }
    object
}

fn object_of<'a>(seen: &Seen<'a>) -> &'a Value {
    seen.after.or(seen.before).unwrap_or(&Value::Null)
}

fn difference(before: &Value, after: &Value) -> String {
    crate::cluster::status::difference(before, after).map_or_else(String::new, |patch| patch.to_string())
}

/// Canary and previous run what a user gave, but for the label that tells them apart.
fn template(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(template) = seen.after.and_then(|after| after.pointer("/spec/template")) else { return };
    let Some(given) = checkers.templates.get(image(template)) else {
        let says = format!("{} runs {}, which nobody gave", seen.name, image(template));
        return checkers.violated(Rule::TemplateDiffers, seen.now, says);
    };
    let plain = |template: &Value| {
        let mut template = super::terms::named(template);
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove("app");
            labels.retain(|key, _| !key.starts_with("tidegate.io/"));
        }
        if let Some(meta) = template.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            meta.retain(|_, value| !value.is_null());
            meta.remove("creationTimestamp");
            // A restart is no change of the program.
            meta.remove("annotations");
        }
        template
    };
    let (one, other) = (plain(template), plain(given));
    if one != other {
        let says = format!("{}: {}", seen.name, difference(&other, &one));
        checkers.violated(Rule::TemplateDiffers, seen.now, says);
    }
}

/// The canary gets the workload's template: the present one, or one that was replaced a moment ago; never what serves.
fn canary(checkers: &mut Checkers, seen: &Seen<'_>) {
    let image_of = |deployment: Option<&Value>| {
        deployment.and_then(|it| it.pointer("/spec/template")).map(|template| image(template).to_owned())
    };
    let (had, gets) = (image_of(seen.before), image_of(seen.after));
    let Some(gets) = gets.filter(|_| seen.after.and_then(|it| text(it, ROLE)) == Some("canary")) else { return };
    let pods = |it: &Value| {
        (it.pointer("/spec/template/spec").cloned(), it.pointer("/spec/template/metadata/annotations").cloned())
    };
    let of = seen.name.strip_suffix("-canary").unwrap_or(NAME);
    // One that somebody deleted while the workload takes its users over still has some, and gets its pods back for them.
    let shares = super::routes(seen.objects).into_iter().filter_map(|route| super::route::weight(route, seen.name));
    let has_users = shares.max().is_some_and(|share| share > 0);
    if let (Some(canary), [stable]) = (seen.after, super::workload::active_of(seen.objects, of).as_slice())
        && had.is_none()
        && !has_users
        && pods(canary) == pods(stable)
    {
        let says = format!("{} is made of {gets}, which serves already", seen.name);
        return checkers.violated(Rule::TemplateDiffers, seen.now, says);
    }
    let stands = image_of(seen.objects.get(&DEPLOYMENT, NAMESPACE, of));
    let lately = checkers.replaced.get(&gets).is_some_and(|until| seen.now.since(*until) <= FRESH);
    if had.as_ref() != Some(&gets) && stands.as_ref() != Some(&gets) && !lately {
        let says = format!("{} gets {gets}, the workload has {stands:?}", seen.name);
        checkers.violated(Rule::TemplateDiffers, seen.now, says);
    }
}
