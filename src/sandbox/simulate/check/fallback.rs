//! The previous version is as large as `strategy.fallbackPercent` asks for when the workload is let go.

use serde_json::Value;

use super::workload::paused;
use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, image, items, newest_record, number, text};
use crate::api::Time;
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};

const PREVIOUS: &str = "web-previous";

/// What is asked for, in percent of the workload's pods.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Asked {
    /// When it was edited last, and what was asked for before.
    before: Option<(Time, u64)>,
}

pub(super) fn percent(release: &Value) -> u64 {
    let asked = release.pointer("/spec/strategy/fallbackPercent");
    // A whole number of percent in these worlds.
    asked.and_then(|asked| asked.as_u64().or_else(|| asked.as_f64().map(|percent| percent as u64))).unwrap_or(100)
}

/// Somebody edits the GatedRelease.
pub(super) fn edited(checkers: &mut Checkers, seen: &Seen<'_>) {
    if let (Some(before), Some(after)) = (seen.before, seen.after)
        && percent(before) != percent(after)
    {
        checkers.fallback.before = Some((seen.now, percent(before)));
    }
}

/// Tidegate lets the workload go with a new template.
pub(super) fn resumed(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    if seen.name != NAME || !paused(before) || paused(after) {
        return;
    }
    let uid = text(after, "/metadata/uid");
    let runs = seen.objects.list(&REPLICA_SET, NAMESPACE).into_iter().any(|set| {
        text(set, "/metadata/ownerReferences/0/uid") == uid
            && number(set, "/spec/replicas") > 0
            && image(&set["spec"]["template"]) != image(&after["spec"]["template"])
    });
    let promoted = newest_record(seen.objects).is_some_and(|record| text(record, "/status/phase") == Some("Promote"));
    // Without a route no user could be sent to it.
    let routed = |release: &&Value| !items(release, "/spec/traffic/httpRoutes").is_empty();
    let (Some(release), true) = (super::release(seen.objects).filter(routed), runs && promoted) else { return };
    let now = percent(release);
    // A plan goes by what it was made of.
    let lately = checkers.fallback.before.filter(|(at, _)| seen.now.since(*at) <= FRESH);
    let asked = lately.map_or(now, |(_, before)| before.min(now));
    let whole = (number(after, "/spec/replicas") * asked).div_ceil(100).max(1);
    // A lean one carries half of the users, beside the canary, and grows when that goes.
    let lean = text(release, "/spec/strategy/capacity") == Some("Lean");
    let wanted = if lean { whole.div_ceil(2) } else { whole };
    let previous = seen.objects.get(&DEPLOYMENT, NAMESPACE, PREVIOUS);
    let has = previous.map_or(0, |it| number(it, "/spec/replicas"));
    if has < wanted {
        let says = format!("the workload is let go, and {PREVIOUS} has {has} pods; {asked} % are {wanted}");
        checkers.violated(Rule::FallbackSmall, seen.now, says);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    #[rstest]
    #[case::all(json!({}), 3, &[])]
    #[case::one_less(json!({}), 2, &[Rule::FallbackSmall])]
    #[case::half_rounded_up(json!({"fallbackPercent": 50}), 2, &[])]
    #[case::less_than_half(json!({"fallbackPercent": 50.0}), 1, &[Rule::FallbackSmall])]
    #[case::at_least_one(json!({"fallbackPercent": 1}), 0, &[Rule::FallbackSmall])]
    #[case::lean(json!({"capacity": "Lean"}), 2, &[])]
    #[case::less_than_lean(json!({"capacity": "Lean"}), 1, &[Rule::FallbackSmall])]
    fn the_way_back_has_its_size(#[case] asked: Value, #[case] has: u64, #[case] rules: &[Rule]) {
        let routed = json!({"httpRoutes": [{"name": NAME}]});
        assert_eq!(when_it_is_let_go(&asked, &routed, has), rules);
    }

    #[test]
    fn without_a_route_nobody_could_be_sent_there() {
        assert_eq!(when_it_is_let_go(&json!({}), &json!({"service": NAME}), 0), []);
    }

    fn when_it_is_let_go(asked: &Value, traffic: &Value, has: u64) -> Vec<Rule> {
        let template = |image: &str| json!({"spec": {"containers": [{"image": image}]}});
        let workload = |paused: bool| json!({"metadata": {"name": NAME, "uid": "1"}, "spec": {"paused": paused, "replicas": 3, "template": template("shop:2")}});
        let set = json!({
            "metadata": {"name": "web-1", "ownerReferences": [{"uid": "1"}]},
            "spec": {"replicas": 3, "template": template("shop:1")},
        });
        let objects = Kept(vec![
            (REPLICA_SET, set),
            (DEPLOYMENT, json!({"metadata": {"name": PREVIOUS}, "spec": {"replicas": has}})),
            (GATED_RELEASE, json!({"metadata": {"name": NAME}, "spec": {"strategy": asked, "traffic": traffic}})),
            (
                RELEASE_RECORD,
                json!({"metadata": {"name": "web-0002"}, "spec": {"release": NAME, "attempt": 2}, "status": {"phase": "Promote"}}),
            ),
        ]);
        let (before, after) = (workload(true), workload(false));
        let mut checkers = Checkers::default();
        let seen = Seen {
            kind: &DEPLOYMENT,
            namespace: NAMESPACE,
            name: NAME,
            before: Some(&before),
            after: Some(&after),
            process: Some(0),
            objects: &objects,
            now: at("10:00:00"),
        };
        resumed(&mut checkers, &seen);
        broken(&checkers)
    }
}
