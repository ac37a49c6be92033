//! Where pods are counted, no more of them run the new version than its stage allows, however the workload is scaled meanwhile: what
//! an autoscaler or a person adds to a StatefulSet comes up with it, and what they take from a Deployment leaves it a larger share.

use serde_json::Value;

use super::count::allowed;
use super::{Checkers, NAME, NAMESPACE, Rule, Seen, image, items, number, text};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, POD, STATEFUL_SET};
use crate::sandbox::objects::Objects;

/// How long it may take to put back what was added: one pod after the other, each when the others are ready.
const WITHIN: Span = Span::seconds(45);

/// Since when more pods run the new version than may.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Over {
    since: Option<Time>,
    /// How many pods the workload was to have then.
    replicas: u64,
}

/// Looks at every moment.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let over = over(seen.objects);
    let known = checkers.over;
    checkers.over = match &over {
        None => Over::default(),
        // Who scales it again begins anew.
        Some((replicas, _)) if known.since.is_none() || known.replicas != *replicas => {
            Over { since: Some(seen.now), replicas: *replicas }
        }
        Some(_) => known,
    };
    let calm = checkers.circumstances.calm_since;
    if let (Some(since), Some((_, says)), Some(calm)) = (checkers.over.since, over, calm)
        && seen.now.since(since.max(calm)) > WITHIN
    {
        checkers.violated(Rule::Overexposed, seen.now, says);
    }
}

/// How many pods the workload is to have, and what is too much; none where nothing is.
fn over(objects: &dyn Objects) -> Option<(u64, String)> {
    let release = super::release(objects).filter(|release| !super::leaves(release))?;
    let routed = !items(release, "/spec/traffic/httpRoutes").is_empty();
    // What comes back, and what is over, is looked at elsewhere.
    let weight = allowed(objects).ok().filter(|weight| !routed && *weight < 100)?;
    let set = objects.get(&STATEFUL_SET, NAMESPACE, NAME);
    let workload = set.or_else(|| objects.get(&DEPLOYMENT, NAMESPACE, NAME))?;
    workload.pointer("/metadata/labels/tidegate.io~1gated")?;
    let stays = |pod: &&Value| text(pod, "/metadata/deletionTimestamp").is_none();
    let ours = |pod: &&Value| text(pod, "/metadata/labels/app") == Some(NAME);
    let pods: Vec<_> = objects.list(&POD, NAMESPACE).into_iter().filter(stays).filter(ours).collect();
    let new = pods.iter().filter(|pod| match set {
        Some(set) => {
            let revision = |of: &Value, place: &str| text(of, place).map(str::to_owned);
            let updates = revision(set, "/status/updateRevision");
            updates != revision(set, "/status/currentRevision")
                && updates == revision(pod, "/metadata/labels/controller-revision-hash")
        }
        None => text(pod, "/metadata/labels/tidegate.io~1role") == Some("canary"),
    });
    let (new, all) = (u64::try_from(new.count()).ok()?, u64::try_from(pods.len()).ok()?);
    let says = format!("{new} of {all} pods run {} where {weight} % are allowed", image(&workload["spec"]["template"]));
    (new > 1 && new * 100 > weight * all).then(|| (number(workload, "/spec/replicas"), says))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    /// A StatefulSet of so many pods, of which the last `new` run the new version in a stage of half of them.
    fn world(replicas: usize, new: usize) -> Kept {
        let labels = json!({"tidegate.io/gated": ""});
        let mut all = vec![
            (
                STATEFUL_SET,
                json!({
                    "metadata": {"name": NAME, "labels": labels}, "spec": {"replicas": replicas},
                    "status": {"currentRevision": "a", "updateRevision": "b"},
                }),
            ),
            (GATED_RELEASE, json!({"metadata": {"name": NAME}, "spec": {"traffic": {"service": NAME}}})),
            (
                RELEASE_RECORD,
                json!({"metadata": {"name": "web-0002"}, "spec": {"release": NAME, "attempt": 2},
                    "status": {"stages": [{"weight": 50}]}}),
            ),
        ];
        for place in 0..replicas {
            let revision = if place < replicas - new { "a" } else { "b" };
            let labels = json!({"app": NAME, "controller-revision-hash": revision});
            all.push((POD, json!({"metadata": {"name": format!("{NAME}-{place}"), "labels": labels}})));
        }
        Kept(all)
    }

    fn look(checkers: &mut Checkers, objects: &Kept, when: &str) {
        let now = at(when);
        let (kind, namespace, name) = (&POD, NAMESPACE, NAME);
        check(checkers, &Seen { kind, namespace, name, before: None, after: None, process: None, objects, now });
    }

    #[rstest]
    #[case::as_many_as_may(4, 2, &[])]
    #[case::more(4, 3, &[Rule::Overexposed])]
    #[case::one_is_the_least(1, 1, &[])]
    fn no_more_pods_than_the_stage_allows(#[case] replicas: usize, #[case] new: usize, #[case] rules: &[Rule]) {
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        for when in ["10:00:00", "10:01:00"] {
            look(&mut checkers, &world(replicas, new), when);
        }
        assert_eq!(broken(&checkers), rules);
    }

    #[test]
    fn what_is_added_meanwhile_takes_its_time() {
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        for (when, replicas, new) in [("10:00:00", 4, 3), ("10:00:40", 6, 5), ("10:01:20", 6, 4), ("10:01:24", 6, 3)] {
            look(&mut checkers, &world(replicas, new), when);
        }
        assert_eq!(broken(&checkers), []);
    }
}
