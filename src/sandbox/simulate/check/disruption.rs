//! PodDisruptionBudgets: that of a canary or previous version says of its pods what the user's says of the workload's, and goes with
//! them.

use serde_json::Value;

use super::route::{CANARY, PREVIOUS};
use super::{Checkers, NAME, NAMESPACE, Rule, Seen, goes_on, text};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, PDB};
use crate::sandbox::objects::Objects;

const ROLE: &str = "/metadata/labels/tidegate.io~1role";
const SELECTED: &str = "/spec/selector/matchLabels/app";

/// How long it may take to follow.
const WITHIN: Span = Span::seconds(30);

/// Looks at every moment.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let astray = astray(seen.objects);
    checkers.astray_since = astray.as_ref().map(|_| checkers.astray_since.unwrap_or(seen.now));
    let (Some(since), Some(says), Some(calm)) = (checkers.astray_since, astray, checkers.circumstances.calm_since)
    else {
        return;
    };
    if seen.now.since(since.max(calm)) > WITHIN {
        checkers.violated(Rule::DisruptionAstray, seen.now, says);
    }
}

/// Whether it lets none of the pods go, and what it says of pods that are not ready.
fn says(budget: &Value) -> (bool, Option<&str>) {
    let nobody = budget.pointer("/spec/maxUnavailable").is_some_and(|most| *most == 0 || *most == "0%");
    (nobody, text(budget, "/spec/unhealthyPodEvictionPolicy"))
}

/// What one of them does not say, in words.
fn astray(objects: &dyn Objects) -> Option<String> {
    if !goes_on(objects) {
        return None;
    }
    let all = objects.list(&PDB, NAMESPACE);
    let mut own = all.iter().filter(|budget| text(budget, ROLE).is_none() && text(budget, SELECTED) == Some(NAME));
    // Where there is none, one pod at a time may go.
    let wanted = match (own.next(), own.next()) {
        (Some(one), None) => says(one),
        _ => (false, None),
    };
    [CANARY, PREVIOUS].into_iter().find_map(|carrier| {
        let pods = objects.get(&DEPLOYMENT, NAMESPACE, carrier)?;
        if pods.pointer("/metadata/deletionTimestamp").is_some() {
            return None;
        }
        let Some(budget) = objects.get(&PDB, NAMESPACE, carrier) else {
            return Some(format!("{carrier} has no PodDisruptionBudget"));
        };
        let label = text(pods, "/spec/template/metadata/labels/app");
        if text(budget, SELECTED) != label {
            return Some(format!(
                "the PodDisruptionBudget of {carrier} means {:?}, not {label:?}",
                text(budget, SELECTED)
            ));
        }
        (says(budget) != wanted)
            .then(|| format!("the PodDisruptionBudget of {carrier} says {:?}, the user's {wanted:?}", says(budget)))
    })
}

/// One of a service's that is still there when nothing goes on; `late` where its former version serves after a late rollback.
pub(super) fn left_over(objects: &dyn Objects, service: &str, late: bool) -> Option<String> {
    let all = objects.list(&PDB, NAMESPACE);
    let its = |budget: &&&Value| {
        let name = text(budget, "/metadata/name").and_then(|name| name.rsplit_once('-'));
        name.is_some_and(|(of, _)| of == service)
    };
    let left = all.iter().filter(its).find(|budget| match text(budget, ROLE) {
        Some("previous") => !late,
        role => role.is_some(),
    });
    left.map(|budget| {
        format!("PodDisruptionBudget {} is still there", text(budget, "/metadata/name").unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken, with};

    fn budget(name: &str, app: &str, more: &Value) -> Value {
        let selector = json!({"matchLabels": {"app": app}});
        with(json!({"metadata": {"name": name}, "spec": {"maxUnavailable": 1, "selector": selector}}), more)
    }

    #[rstest]
    #[case::the_same(json!({}), Some(json!({})), &[])]
    #[case::no_pod_may_go(json!({"spec": {"maxUnavailable": 0}}), Some(json!({})), &[Rule::DisruptionAstray])]
    #[case::nobodys_pod_may_go(json!({"spec": {"maxUnavailable": 0}}), Some(json!({"spec": {"maxUnavailable": 0}})), &[])]
    #[case::unready_pods(
        json!({"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}), Some(json!({})), &[Rule::DisruptionAstray]
    )]
    #[case::of_other_pods(
        json!({}), Some(json!({"spec": {"selector": {"matchLabels": {"app": NAME}}}})), &[Rule::DisruptionAstray]
    )]
    #[case::none(json!({}), None, &[Rule::DisruptionAstray])]
    fn it_follows_the_users(#[case] own: Value, #[case] copy: Option<Value>, #[case] rules: &[Rule]) {
        let labels = json!({"labels": {"tidegate.io/role": "canary"}});
        let copy = copy.map(|more| budget(CANARY, CANARY, &with(json!({"metadata": labels}), &more)));
        let gated = json!({"metadata": {"name": NAME, "labels": {"tidegate.io/gated": ""}}});
        let pods =
            json!({"metadata": {"name": CANARY}, "spec": {"template": {"metadata": {"labels": {"app": CANARY}}}}});
        let mut objects = vec![
            (DEPLOYMENT, gated),
            (DEPLOYMENT, pods),
            (PDB, budget(NAME, NAME, &own)),
            (GATED_RELEASE, json!({"metadata": {"name": NAME}, "spec": {"traffic": {"httpRoutes": [{"name": NAME}]}}})),
            (RELEASE_RECORD, json!({"metadata": {"name": "web-0002"}, "spec": {"release": NAME, "attempt": 2}})),
        ];
        objects.extend(copy.map(|copy| (PDB, copy)));
        let objects = Kept(objects);
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        for now in [at("10:00:00"), at("10:00:40")] {
            let (kind, before, after) = (&PDB, None, None);
            let objects = &objects;
            check(
                &mut checkers,
                &Seen { kind, namespace: NAMESPACE, name: NAME, before, after, process: None, objects, now },
            );
        }
        assert_eq!(broken(&checkers), rules);
    }
}
