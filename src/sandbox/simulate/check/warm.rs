//! The previous version keeps the size that Tidegate wanted it to have while it is the way back, or serves: it has no users then,
//! so that an autoscaler beside it would think it far too large.

use serde_json::Value;

use super::fallback::percent;
use super::route::PREVIOUS;
use super::workload::needed;
use super::{Checkers, NAME, NAMESPACE, Rule, Seen, number, text};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, HPA};

/// How long the copy of an autoscaler may leave it less than that.
const WITHIN: Span = Span::seconds(10);

/// How many pods Tidegate wanted there.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Of which Deployment: one that is made anew is made with what is wanted then.
    uid: String,
    pods: u64,
    /// Since when the copy of the autoscaler may take more away.
    low_since: Option<Time>,
}

/// The Deployment of the previous version changes.
pub(super) fn deployment(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(after) = seen.after.filter(|_| seen.name == PREVIOUS) else { return };
    let uid = text(after, "/metadata/uid").unwrap_or_default();
    if checkers.warm.uid != uid {
        checkers.warm = Wanted { uid: uid.to_owned(), ..Wanted::default() };
    }
    let had = seen.before.map_or(0, |before| number(before, "/spec/replicas"));
    let has = number(after, "/spec/replicas");
    if seen.process.is_some() && has > had {
        // What an autoscaler adds is not wanted by Tidegate, which may write it again all the same.
        let grown = if had == 0 { has } else { has.min(share(seen)) };
        checkers.warm.pods = checkers.warm.pods.max(grown);
    }
    if has >= had || has >= checkers.warm.pods {
        return;
    }
    match needed(seen.objects) {
        Some(why) => {
            let (who, wanted) = (&checkers.writer, checkers.warm.pods);
            let says = format!("{who} takes {PREVIOUS} from {had} to {has} pods {why}; Tidegate wanted {wanted}");
            checkers.violated(Rule::FallbackShrinks, seen.now, says);
        }
        // Nothing is kept any more; what it is made for next begins with what it has.
        None => checkers.warm.pods = has,
    }
}

/// As many as the GatedRelease asks for beside the workload as it is.
fn share(seen: &Seen<'_>) -> u64 {
    let replicas = seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME).map_or(0, |it| number(it, "/spec/replicas"));
    (replicas * super::release(seen.objects).map_or(100, percent)).div_ceil(100)
}

/// Looks at every moment whether a copy of the autoscaler leaves it that many.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let low = low(checkers, seen);
    checkers.warm.low_since = low.as_ref().map(|_| checkers.warm.low_since.unwrap_or(seen.now));
    if let (Some(since), Some(says), Some(calm)) = (checkers.warm.low_since, low, checkers.circumstances.calm_since)
        && seen.now.since(since.max(calm)) > WITHIN
    {
        checkers.violated(Rule::FallbackShrinks, seen.now, says);
    }
}

fn low(checkers: &Checkers, seen: &Seen<'_>) -> Option<String> {
    let there = seen.objects.get(&DEPLOYMENT, NAMESPACE, PREVIOUS)?;
    let copy = seen.objects.get(&HPA, NAMESPACE, PREVIOUS)?;
    let ends = |object: &Value| text(object, "/metadata/deletionTimestamp").is_some();
    let Wanted { uid, pods, .. } = &checkers.warm;
    let least = copy.pointer("/spec/minReplicas").and_then(Value::as_u64).unwrap_or(1);
    if ends(there) || ends(copy) || text(there, "/metadata/uid") != Some(uid.as_str()) || least >= *pods {
        return None;
    }
    needed(seen.objects).map(|why| format!("the autoscaler of {PREVIOUS} leaves it {least} of {pods} pods {why}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    /// A world in such a phase, of a workload of so many pods, with an autoscaler that leaves the previous version `least`.
    fn world(phase: &str, replicas: u64, least: u64) -> Kept {
        let verified = if phase == "Verify" { Value::Null } else { json!("2026-01-01T09:00:00Z") };
        let promotion = json!({"resumedAt": "2026-01-01T08:00:00Z", "verifiedAt": verified});
        Kept(vec![
            (DEPLOYMENT, json!({"metadata": {"name": NAME}, "spec": {"replicas": replicas}})),
            (DEPLOYMENT, previous(replicas)),
            (HPA, json!({"metadata": {"name": PREVIOUS}, "spec": {"minReplicas": least}})),
            (GATED_RELEASE, json!({"metadata": {"name": NAME}, "spec": {}})),
            (
                RELEASE_RECORD,
                json!({"spec": {"release": NAME, "attempt": 2}, "status": {"phase": phase, "promotion": promotion}}),
            ),
        ])
    }

    fn previous(replicas: u64) -> Value {
        json!({"metadata": {"name": PREVIOUS, "uid": "1"}, "spec": {"replicas": replicas}})
    }

    /// It is made with three pods for a workload of as many; then whoever writes gives it these sizes, with the workload as it is.
    fn resized(objects: &Kept, writes: &[(Option<usize>, u64)]) -> Checkers {
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        let mut before: Option<Value> = None;
        for (process, size) in [(Some(0), 3)].iter().chain(writes) {
            let after = previous(*size);
            let seen = Seen {
                kind: &DEPLOYMENT,
                namespace: NAMESPACE,
                name: PREVIOUS,
                before: before.as_ref(),
                after: Some(&after),
                process: *process,
                objects,
                now: at("10:00:00"),
            };
            deployment(&mut checkers, &seen);
            before = Some(after);
        }
        checkers
    }

    const TIDEGATE: Option<usize> = Some(0);
    const AUTOSCALER: Option<usize> = None;

    #[rstest]
    #[case::as_it_was(&[], 3, &[])]
    #[case::what_an_autoscaler_adds_is_its_own(&[(AUTOSCALER, 5), (AUTOSCALER, 3)], 3, &[])]
    #[case::though_tidegate_writes_it_again(&[(AUTOSCALER, 4), (TIDEGATE, 5), (AUTOSCALER, 3)], 3, &[])]
    #[case::what_it_was_made_with_is_not(&[(AUTOSCALER, 2)], 3, &[Rule::FallbackShrinks])]
    #[case::nor_what_it_grew_by(&[(TIDEGATE, 6), (AUTOSCALER, 4)], 6, &[Rule::FallbackShrinks])]
    #[case::nor_does_tidegate_take_it(&[(TIDEGATE, 2)], 3, &[Rule::FallbackShrinks])]
    fn nobody_takes_pods_of_the_way_back(
        #[case] writes: &[(Option<usize>, u64)],
        #[case] workload: u64,
        #[case] rules: &[Rule],
    ) {
        assert_eq!(broken(&resized(&world("Verify", workload, 3), writes)), rules);
        assert_eq!(broken(&resized(&world("Complete", workload, 3), writes)), [], "nobody needs it any more");
    }

    #[rstest]
    #[case::as_many("Verify", 3, &[])]
    #[case::fewer("Verify", 2, &[Rule::FallbackShrinks])]
    #[case::nobody_needs_it("Complete", 2, &[])]
    fn its_autoscaler_leaves_it_what_it_has(#[case] phase: &str, #[case] least: u64, #[case] rules: &[Rule]) {
        let objects = world(phase, 3, least);
        let mut checkers = resized(&objects, &[]);
        for when in ["10:00:00", "10:01:00"] {
            let seen = Seen {
                kind: &HPA,
                namespace: NAMESPACE,
                name: PREVIOUS,
                before: None,
                after: None,
                process: None,
                objects: &objects,
                now: at(when),
            };
            check(&mut checkers, &seen);
        }
        assert_eq!(broken(&checkers), rules);
    }
}
