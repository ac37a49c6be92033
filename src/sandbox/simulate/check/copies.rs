//! What Tidegate runs beside the workload: nobody else says what that is, what is deleted of it is made again, and its Services have
//! the ports of the user's.

use serde_json::Value;

use super::route::{CANARY, PREVIOUS};
use super::{
    Checkers, NAME, NAMESPACE, Rule, Seen, goes_on, image, items, leaves, newest_record, number, routes, text,
};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET, SERVICE};
use crate::sandbox::objects::Objects;

/// How long it may take.
const WITHIN: Span = Span::seconds(30);

/// A Deployment changes.
pub(super) fn deployment(checkers: &mut Checkers, seen: &Seen<'_>) {
    if seen.process.is_some() || !matches!(seen.name, CANARY | PREVIOUS) {
        return;
    }
    let Some(before) = seen.before else { return };
    match seen.after {
        Some(after) if program(before) != program(after) => {
            let says = format!("{} lets {} run {}", checkers.writer, seen.name, image(&after["spec"]["template"]));
            checkers.violated(Rule::CopyEdited, seen.now, says);
        }
        None if seen.name == PREVIOUS => {
            checkers.taken = Some((image(&before["spec"]["template"]).to_owned(), seen.now));
        }
        _ => {}
    }
}

/// What its pods run; that somebody restarts them changes nothing of it.
fn program(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]
}

/// Looks at every moment.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let calm = checkers.circumstances.calm_since;
    if let Some((image, at)) = checkers.taken.clone() {
        let there = seen.objects.get(&DEPLOYMENT, NAMESPACE, PREVIOUS).is_some();
        if there || !is_way_back(seen.objects, &image) {
            checkers.taken = None;
        } else if calm.is_some_and(|calm| seen.now.since(at.max(calm)) > WITHIN) {
            let says = format!("{PREVIOUS}, which ran {image}, was deleted at {at}, and is not made again");
            checkers.violated(Rule::WayBackGone, seen.now, says);
        }
    }
    let astray = astray(seen.objects);
    checkers.ports_since = astray.as_ref().map(|_| checkers.ports_since.unwrap_or(seen.now));
    if let (Some(since), Some(says), Some(calm)) = (checkers.ports_since, astray, calm)
        && seen.now.since(since.max(calm)) > WITHIN
    {
        checkers.violated(Rule::PortsAstray, seen.now, says);
    }
}

/// Whether a previous version of that image is the way back, or has users, and could be made: a ReplicaSet has its template.
fn is_way_back(objects: &dyn Objects, taken: &str) -> bool {
    let Some(workload) = objects.get(&DEPLOYMENT, NAMESPACE, NAME) else { return false };
    if super::release(objects).is_none_or(leaves) || number(workload, "/spec/replicas") == 0 {
        return false;
    }
    let uid = text(workload, "/metadata/uid");
    let kept = objects
        .list(&REPLICA_SET, NAMESPACE)
        .into_iter()
        .any(|set| text(set, "/metadata/ownerReferences/0/uid") == uid && image(&set["spec"]["template"]) == taken);
    let verified = goes_on(objects)
        && newest_record(objects).is_some_and(|record| text(record, "/status/phase") == Some("Verify"));
    let serves = routes(objects).into_iter().flat_map(|route| items(route, "/spec/rules")).any(|rule| {
        let backends = items(rule, "/backendRefs").iter();
        backends.into_iter().any(|one| text(one, "/name") == Some(PREVIOUS) && number(one, "/weight") > 0)
    });
    kept && (verified || serves)
}

/// A copy of the Service that has other ports, in words.
fn astray(objects: &dyn Objects) -> Option<String> {
    if !goes_on(objects) {
        return None;
    }
    let wanted = ports(objects.get(&SERVICE, NAMESPACE, NAME)?);
    [CANARY, PREVIOUS].into_iter().find_map(|carrier| {
        let copy = objects.get(&SERVICE, NAMESPACE, carrier)?;
        let says = ports(copy);
        let ends = copy.pointer("/metadata/deletionTimestamp").is_some();
        (!ends && says != wanted).then(|| format!("Service {carrier} has the ports {says:?}, {NAME} {wanted:?}"))
    })
}

/// The ports of a Service: name, port, and where they lead.
fn ports(service: &Value) -> Vec<(Option<&str>, u64, &Value)> {
    let all = items(service, "/spec/ports").iter();
    all.map(|port| (text(port, "/name"), number(port, "/port"), &port["targetPort"])).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::Kind;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    fn runs(image: &str) -> Value {
        json!({"spec": {"template": {"spec": {"containers": [{"image": image}]}}}})
    }

    fn seen<'a>(objects: &'a Kept, kind: &'a Kind, name: &'a str, when: &str) -> Seen<'a> {
        let now = at(when);
        Seen { kind, namespace: NAMESPACE, name, before: None, after: None, process: None, objects, now }
    }

    /// A world in verification, of a workload that ran `shop:1` before.
    fn verified(phase: &str, ports: &[u64]) -> Kept {
        let labels = json!({"tidegate.io/gated": ""});
        let service = |name: &str, ports: &[u64]| {
            let ports: Vec<Value> = ports.iter().map(|port| json!({"port": port, "targetPort": 8080})).collect();
            (SERVICE, json!({"metadata": {"name": name}, "spec": {"ports": ports}}))
        };
        let mut set = runs("shop:1");
        set["metadata"] = json!({"name": "web-1", "ownerReferences": [{"uid": "1"}]});
        let routes = json!({"metadata": {"name": NAME}, "spec": {"traffic": {"httpRoutes": [{"name": NAME}]}}});
        Kept(vec![
            (DEPLOYMENT, json!({"metadata": {"name": NAME, "uid": "1", "labels": labels}, "spec": {"replicas": 3}})),
            (REPLICA_SET, set),
            (GATED_RELEASE, routes),
            (RELEASE_RECORD, json!({"spec": {"release": NAME, "attempt": 2}, "status": {"phase": phase}})),
            service(NAME, &[80, 81]),
            service(PREVIOUS, ports),
        ])
    }

    #[rstest]
    #[case::restarted("shop:1", &[])]
    #[case::another("shop:2", &[Rule::CopyEdited])]
    fn nobody_else_says_what_runs_beside(#[case] image: &str, #[case] rules: &[Rule]) {
        let (mut checkers, objects) = (Checkers::default(), Kept(Vec::new()));
        let (before, mut after) = (runs("shop:1"), runs(image));
        after["spec"]["template"]["metadata"] = json!({"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}});
        let write = seen(&objects, &DEPLOYMENT, CANARY, "10:00:00");
        deployment(&mut checkers, &Seen { before: Some(&before), after: Some(&after), ..write });
        assert_eq!(broken(&checkers), rules);
    }

    #[rstest]
    #[case::the_way_back("Verify", false, &[Rule::WayBackGone])]
    #[case::over("Complete", false, &[])]
    #[case::made_again("Verify", true, &[])]
    fn a_way_back_is_made_again(#[case] phase: &str, #[case] again: bool, #[case] rules: &[Rule]) {
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        let (mut objects, before) = (verified(phase, &[80, 81]), runs("shop:1"));
        let write = seen(&objects, &DEPLOYMENT, PREVIOUS, "10:00:00");
        deployment(&mut checkers, &Seen { before: Some(&before), ..write });
        if again {
            let mut made = runs("shop:1");
            made["metadata"] = json!({"name": PREVIOUS});
            objects.0.push((DEPLOYMENT, made));
        }
        check(&mut checkers, &seen(&objects, &SERVICE, NAME, "10:01:00"));
        assert_eq!(broken(&checkers), rules);
    }

    #[rstest]
    #[case::the_same(&[80, 81], &[])]
    #[case::one_is_missing(&[80], &[Rule::PortsAstray])]
    fn copies_have_the_ports_of_the_service(#[case] ports: &[u64], #[case] rules: &[Rule]) {
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        let objects = verified("Verify", ports);
        for when in ["10:00:00", "10:01:00"] {
            check(&mut checkers, &seen(&objects, &SERVICE, NAME, when));
        }
        assert_eq!(broken(&checkers), rules);
    }
}
