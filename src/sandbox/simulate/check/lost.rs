//! Stable's ReplicaSet, deleted by a hand while the workload is held: that is told, nothing is judged beside what runs in its place,
//! no way back is made of that, and what is held does not run there.

use serde_json::Value;

use super::workload::paused;
use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, image, items, leaves, newest_record, number, text};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::objects::Objects;

/// A ReplicaSet that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostSet {
    /// Its name.
    pub name: String,
    /// The image of its template, of which no other copy is left.
    pub image: String,
    /// When it was deleted.
    pub at: Time,
}

/// How long it may go unsaid.
const SAID_WITHIN: Span = Span::seconds(20);
const PREVIOUS: &str = "web-previous";

/// Whether it is lost still: the workload is held with another template, and no ReplicaSet of it has that of the lost one.
fn is_lost(objects: &dyn Objects, lost: &LostSet) -> bool {
    let Some(workload) = objects.get(&DEPLOYMENT, NAMESPACE, NAME) else { return false };
    let held = paused(workload) && workload.pointer("/metadata/labels/tidegate.io~1gated").is_some();
    let uid = text(workload, "/metadata/uid");
    let there = objects.list(&REPLICA_SET, NAMESPACE).into_iter().any(|set| {
        text(set, "/metadata/ownerReferences/0/uid") == uid && image(&set["spec"]["template"]) == lost.image
    });
    held && !there && image(&workload["spec"]["template"]) != lost.image
}

/// Looks at every moment whether it is said.
pub(super) fn told(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(lost) = checkers.circumstances.lost.clone() else { return };
    if !is_lost(seen.objects, &lost) {
        (checkers.circumstances.lost, checkers.unsaid_since) = (None, None);
        return;
    }
    let unsaid = unsaid(seen.objects);
    checkers.unsaid_since = unsaid.as_ref().map(|_| checkers.unsaid_since.unwrap_or(seen.now));
    let calm = checkers.circumstances.calm_since.is_some_and(|calm| seen.now.since(calm) > SAID_WITHIN);
    if let (Some(since), Some(says), true) = (checkers.unsaid_since, unsaid, calm)
        && seen.now.since(since) > SAID_WITHIN
    {
        let says = format!("{}, which served, is gone, and the GatedRelease says: {says}", lost.name);
        checkers.violated(Rule::NotTold, seen.now, says);
    }
}

/// What a GatedRelease says that should say that stable is lost; none where it does, or where something else goes on.
fn unsaid(objects: &dyn Objects) -> Option<String> {
    let release = super::release(objects).filter(|release| !leaves(release))?;
    let record = newest_record(objects)?;
    let open = |place: &str| record.pointer(place).is_none_or(Value::is_null);
    let waits = matches!(text(record, "/status/phase"), Some("Stage" | "Release"));
    if !(open("/status/outcome") && open("/status/rollback") && waits) {
        return None;
    }
    let conditions = items(release, "/status/conditions").iter();
    let said = conditions.filter_map(|one| Some((text(one, "/reason")?, text(one, "/message")?)));
    let tells = |(reason, message): (&str, &str)| reason == "StableLost" || message.contains("StableLost");
    (!said.into_iter().any(tells)).then(|| text(release, "/status/message").unwrap_or_default().to_owned())
}

/// The set that is lost, for longer than a look takes.
fn lost<'a>(checkers: &'a Checkers, seen: &Seen<'_>) -> Option<&'a LostSet> {
    let lost = checkers.circumstances.lost.as_ref()?;
    (seen.now.since(lost.at) > FRESH && is_lost(seen.objects, lost)).then_some(lost)
}

/// The canary gets `now` percent of the traffic: more than the stages that began, or what a route lost that was made anew.
pub(super) fn rises(checkers: &mut Checkers, seen: &Seen<'_>, now: u64) {
    let stages = newest_record(seen.objects).map_or(&[][..], |record| items(record, "/status/stages"));
    let begun = stages.iter().filter(|stage| text(stage, "/startedAt").is_some());
    let begun = begun.map(|stage| number(stage, "/weight")).max().unwrap_or(0);
    if let Some(lost) = lost(checkers, seen).filter(|_| now > begun) {
        let says = format!("the canary gets {now} %, and {}, beside which it would be judged, is gone", lost.name);
        checkers.violated(Rule::StableInvented, seen.now, says);
    }
}

/// A record is written: no stage passes.
pub(super) fn record(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let passed = |record: &Value| {
        items(record, "/status/stages").iter().filter(|stage| text(stage, "/passedAt").is_some()).count()
    };
    if let Some(lost) = lost(checkers, seen).filter(|_| passed(after) > passed(before)) {
        let says = format!("a stage of {} passes, and {}, which served, is gone", seen.name, lost.name);
        checkers.violated(Rule::StableInvented, seen.now, says);
    }
}

/// Tidegate writes a Deployment: no way back is made of another version, and what is held does not run.
pub(super) fn deployment(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let Some(lost) = checkers.circumstances.lost.clone().filter(|lost| seen.now.since(lost.at) > FRESH) else { return };
    let runs = image(&after["spec"]["template"]);
    match seen.name {
        PREVIOUS if seen.before.is_none() && runs != lost.image => {
            let says = format!("{PREVIOUS} is made of {runs}, and {}, which served, was {}", lost.name, lost.image);
            checkers.violated(Rule::StableInvented, seen.now, says);
        }
        NAME if seen.before.is_some_and(paused) && !paused(after) && runs != lost.image => {
            let previous = seen.objects.get(&DEPLOYMENT, NAMESPACE, PREVIOUS);
            let warm = previous.is_some_and(|it| image(&it["spec"]["template"]) == lost.image);
            if !warm && number(after, "/spec/replicas") > 0 {
                let says = format!("{runs} is let go where {}, which served, is gone", lost.name);
                checkers.violated(Rule::UnsafeResume, seen.now, says);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::Kind;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    fn workload() -> Value {
        json!({
            "metadata": {"name": NAME, "uid": "1", "labels": {"tidegate.io/gated": ""}},
            "spec": {"paused": true, "replicas": 3, "template": {"spec": {"containers": [{"image": "shop:2"}]}}},
        })
    }

    fn stages(passed: bool) -> Value {
        let mut stage = json!({"weight": 10, "startedAt": "2026-01-01T09:00:00Z"});
        if passed {
            stage["passedAt"] = json!("2026-01-01T10:00:00Z");
        }
        json!({
            "metadata": {"name": "web-0002"}, "spec": {"release": NAME, "attempt": 2},
            "status": {"phase": "Release", "stages": [stage]},
        })
    }

    /// Checkers that know of a lost set, and the world in which it is: the release says `reason`.
    fn world(reason: &str) -> (Checkers, Kept) {
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        let (name, image) = ("web-1".to_owned(), "shop:1".to_owned());
        checkers.circumstances.lost = Some(LostSet { name, image, at: at("10:00:00") });
        let says = json!([{"type": "Held", "reason": reason, "message": "x"}]);
        let release = json!({"metadata": {"name": NAME}, "status": {"conditions": says}});
        let objects = vec![(DEPLOYMENT, workload()), (GATED_RELEASE, release), (RELEASE_RECORD, stages(false))];
        (checkers, Kept(objects))
    }

    fn seen<'a>(objects: &'a Kept, kind: &'a Kind, name: &'a str, when: &str) -> Seen<'a> {
        let now = at(when);
        Seen { kind, namespace: NAMESPACE, name, before: None, after: None, process: Some(0), objects, now }
    }

    #[rstest]
    #[case::said("StableLost", &[])]
    #[case::not_said("NoEvidence", &[Rule::NotTold])]
    fn that_it_is_gone_is_said(#[case] reason: &str, #[case] rules: &[Rule]) {
        let (mut checkers, objects) = world(reason);
        for when in ["10:00:10", "10:00:40"] {
            told(&mut checkers, &seen(&objects, &DEPLOYMENT, NAME, when));
        }
        assert_eq!(broken(&checkers), rules);
    }

    #[test]
    fn nothing_rises_or_passes_and_no_way_back_is_made_of_another() {
        let (mut checkers, objects) = world("StableLost");
        rises(&mut checkers, &seen(&objects, &DEPLOYMENT, NAME, "10:00:10"), 10);
        assert_eq!(broken(&checkers), [], "a route that was made anew gets the present share again");
        rises(&mut checkers, &seen(&objects, &DEPLOYMENT, NAME, "10:00:10"), 50);
        assert_eq!(broken(&checkers), [Rule::StableInvented]);

        let (mut checkers, objects) = world("StableLost");
        let (before, after) = (stages(false), stages(true));
        let write = seen(&objects, &RELEASE_RECORD, "web-0002", "10:00:10");
        record(&mut checkers, &Seen { before: Some(&before), after: Some(&after), ..write });
        assert_eq!(broken(&checkers), [Rule::StableInvented]);

        let (mut checkers, objects) = world("StableLost");
        let made = json!({"spec": {"template": {"spec": {"containers": [{"image": "shop:0"}]}}}});
        let write = seen(&objects, &DEPLOYMENT, PREVIOUS, "10:00:10");
        deployment(&mut checkers, &Seen { after: Some(&made), ..write });
        assert_eq!(broken(&checkers), [Rule::StableInvented]);
    }

    #[test]
    fn what_is_held_does_not_run_in_its_place() {
        let (mut checkers, objects) = world("StableLost");
        let (before, mut after) = (workload(), workload());
        after["spec"]["paused"] = Value::Null;
        let write = seen(&objects, &DEPLOYMENT, NAME, "10:00:10");
        deployment(&mut checkers, &Seen { before: Some(&before), after: Some(&after), ..write });
        assert_eq!(broken(&checkers), [Rule::UnsafeResume]);
    }

    #[test]
    fn once_git_has_its_template_again_it_is_not_lost() {
        let (mut checkers, mut objects) = world("NoEvidence");
        objects.0[0].1["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop:1");
        told(&mut checkers, &seen(&objects, &DEPLOYMENT, NAME, "10:01:00"));
        assert_eq!((checkers.circumstances.lost, checkers.violations.len()), (None, 0));
    }
}
