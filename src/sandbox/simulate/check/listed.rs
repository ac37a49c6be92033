//! The routes that a GatedRelease names: one that leads beside the workload stays named, and so do the Service and the label by which
//! that was made, or its users would be led to nobody when it goes.

use serde_json::Value;

use super::route::{CANARY, PREVIOUS, weight};
use super::{Checkers, NAMESPACE, Rule, Seen, items, leaves, text};
use crate::cluster::kind::HTTP_ROUTE;

fn named(release: &Value) -> impl Iterator<Item = &str> {
    items(release, "/spec/traffic/httpRoutes").iter().filter_map(|one| text(one, "/name"))
}

/// Somebody edits a GatedRelease.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (None, Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    if leaves(after) || items(before, "/metadata/finalizers").is_empty() {
        return;
    }
    let held: Vec<_> = items(before, "/status/heldRoutes").iter().filter_map(Value::as_str).collect();
    let gone: Vec<_> = named(before).filter(|name| !named(after).any(|one| one == *name)).collect();
    let leads = |name: &str| {
        let route = seen.objects.get(&HTTP_ROUTE, NAMESPACE, name);
        [CANARY, PREVIOUS].iter().any(|to| route.and_then(|route| weight(route, to)).is_some_and(|weight| weight > 0))
    };
    // What Tidegate had no time to say of, because something failed, is looked at by the next rule alone.
    let calm = checkers.circumstances.calm_since.is_some();
    if let Some(name) = gone.into_iter().find(|name| held.contains(name) || calm && leads(name)) {
        let says = format!("{name} leads beside the workload and is given up");
        return checkers.violated(Rule::HeldRouteGivenUp, seen.now, says);
    }
    let other = |place: &str| before.pointer(place) != after.pointer(place);
    if before.pointer("/status/weight").is_some_and(Value::is_number) && other("/spec/traffic") {
        let says = "spec.traffic is edited while a release is going on".to_owned();
        return checkers.violated(Rule::HeldRouteGivenUp, seen.now, says);
    }
    if !held.is_empty() && (other("/spec/traffic/service") || other("/spec/traffic/canaryLabel")) {
        let says = format!("{held:?} lead beside the workload, and Service or label become others");
        checkers.violated(Rule::HeldRouteGivenUp, seen.now, says);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::GATED_RELEASE;
    use crate::sandbox::simulate::check::NAME;
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    #[rstest]
    #[case::not_held(json!({}), 0, json!({"httpRoutes": [{"name": "a"}]}), &[])]
    #[case::going_on(
        json!({"weight": 0}), 0, json!({"httpRoutes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}), &[Rule::HeldRouteGivenUp]
    )]
    #[case::held(json!({"heldRoutes": ["b"]}), 0, json!({"httpRoutes": [{"name": "a"}]}), &[Rule::HeldRouteGivenUp])]
    #[case::not_said_and_leads(json!({}), 10, json!({"httpRoutes": [{"name": "a"}]}), &[Rule::HeldRouteGivenUp])]
    #[case::one_more(json!({"heldRoutes": ["b"]}), 10, json!({"httpRoutes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}), &[])]
    #[case::a_label(
        json!({"heldRoutes": ["b"]}), 0, json!({"httpRoutes": [{"name": "a"}, {"name": "b"}], "canaryLabel": "app"}), &[Rule::HeldRouteGivenUp]
    )]
    fn a_route_that_leads_beside_the_workload_stays_named(
        #[case] held: Value,
        #[case] share: u64,
        #[case] traffic: Value,
        #[case] rules: &[Rule],
    ) {
        let release = |traffic: Value| {
            let metadata = json!({"name": NAME, "finalizers": ["tidegate.io/release"]});
            json!({"metadata": metadata, "spec": {"traffic": traffic}, "status": held})
        };
        let refs = json!([{"name": NAME, "weight": 100 - share}, {"name": CANARY, "weight": share}]);
        let route = json!({"metadata": {"name": "b"}, "spec": {"rules": [{"backendRefs": refs}]}});
        let (before, after) = (release(json!({"httpRoutes": [{"name": "a"}, {"name": "b"}]})), release(traffic));
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        let objects = Kept(vec![(HTTP_ROUTE, route)]);
        let seen = Seen {
            kind: &GATED_RELEASE,
            namespace: NAMESPACE,
            name: NAME,
            before: Some(&before),
            after: Some(&after),
            process: None,
            objects: &objects,
            now: at("10:00:00"),
        };
        check(&mut checkers, &seen);
        assert_eq!(broken(&checkers), rules);
    }
}
