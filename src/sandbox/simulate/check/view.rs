//! What a GatedRelease shows is what its record says: attempt, phase, stage, score, gate and hold.

use serde_json::Value;

use super::{Checkers, NAMESPACE, Rule, Seen, items, number, text};
use crate::cluster::kind::RELEASE_RECORD;

/// A write of a GatedRelease.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let status = |object: Option<&Value>| object.and_then(|object| object.pointer("/status")).cloned();
    let (stood, shows) = (status(seen.before), after.pointer("/status").unwrap_or(&Value::Null));
    let Some(record) = text(shows, "/record").filter(|_| stood.as_ref() != Some(shows)) else { return };
    let Some(record) = seen.objects.get(&RELEASE_RECORD, NAMESPACE, record) else { return };
    let name = text(record, "/metadata/name").unwrap_or_default();
    for (what, shown, says) in wrong(shows, record, seen.name) {
        let says = format!("{} shows {what} {shown}, {name} says {says}", seen.name);
        checkers.violated(Rule::ShownWrong, seen.now, says);
    }
}

/// What does not agree: the name of it, what is shown, and what the record says.
fn wrong(shows: &Value, record: &Value, release: &str) -> Vec<(&'static str, String, String)> {
    let mut wrong = Vec::new();
    let mut same = |what: &'static str, shown: Option<&str>, says: Option<&str>| {
        if shown != says {
            wrong.push((what, format!("{shown:?}"), format!("{says:?}")));
        }
    };
    same("records of", Some(release), text(record, "/spec/release"));
    same("revision", text(shows, "/revision"), text(record, "/spec/revision"));
    let (phase, ended) = (text(record, "/status/phase"), text(record, "/status/outcome").is_some());
    // What has ended is over: nothing is released any more, unless the template still stands there.
    let idle = ended && text(shows, "/phase") == Some("Idle");
    same("phase", text(shows, "/phase"), if idle { Some("Idle") } else { phase });
    let going = |phase: &str| !ended && text(record, "/status/phase") == Some(phase);
    let stage = going("Release")
        .then(|| format!("{}/{}", number(record, "/status/stage") + 1, items(record, "/status/stages").len()));
    same("stage", text(shows, "/stage"), stage.as_deref());
    for (what, shown, says) in [
        ("score", "/risk/score", "/status/assessment/score"),
        ("gate", "/risk/gate", "/status/assessment/gate"),
        ("why of the gate", "/risk/why", "/status/assessment/why"),
    ] {
        let (shown, says) = (text(shows, shown), text(record, says));
        // Before it is decided there is nothing on record, and afterwards nothing is at stake any more.
        same(what, shown, if ended { None } else { says.filter(|_| shown.is_some()).or(shown) });
    }
    let held = items(shows, "/conditions").iter().find(|one| one["type"] == "Held" && one["status"] == "True");
    let hold = text(record, "/status/hold/reason").filter(|_| !ended);
    same("hold", held.and_then(|held| text(held, "/reason")), hold);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn record() -> Value {
        json!({"metadata": {"name": "web-0002"}, "spec": {"release": "web", "revision": "r2"}, "status": {
            "phase": "Release", "stage": 1, "stages": [{}, {}, {}],
            "assessment": {"score": "14 RP", "gate": "G2", "why": "14 RP → G2"},
            "hold": {"reason": "NoEvidence"},
        }})
    }

    fn shows() -> Value {
        json!({"record": "web-0002", "revision": "r2", "phase": "Release", "stage": "2/3",
            "risk": {"score": "14 RP", "gate": "G2", "why": "14 RP → G2"},
            "conditions": [{"type": "Held", "status": "True", "reason": "NoEvidence"}]})
    }

    #[rstest]
    #[case::as_it_is(json!({}), json!({}), None)]
    #[case::another_revision(json!({"revision": "r1"}), json!({}), Some("revision"))]
    #[case::a_phase_late(json!({"phase": "Stage", "stage": null}), json!({}), Some("phase"))]
    #[case::a_stage_late(json!({"stage": "1/3"}), json!({}), Some("stage"))]
    #[case::another_score(json!({"risk": {"score": "9 RP"}}), json!({}), Some("score"))]
    #[case::another_gate(json!({"risk": {"gate": "G1"}}), json!({}), Some("gate"))]
    #[case::an_old_hold(json!({}), json!({"status": {"hold": null}}), Some("hold"))]
    #[case::no_hold(json!({"conditions": []}), json!({}), Some("hold"))]
    #[case::not_yet_decided(json!({}), json!({"status": {"assessment": null}}), None)]
    #[case::over(
        json!({"phase": "Idle", "stage": null, "risk": null, "conditions": []}),
        json!({"status": {"outcome": "Superseded", "hold": null}}),
        None
    )]
    #[case::over_and_at_stake(
        json!({"phase": "Idle", "stage": null, "conditions": []}),
        json!({"status": {"outcome": "Superseded", "hold": null}}),
        Some("score")
    )]
    #[case::of_another_release(json!({}), json!({"spec": {"release": "api"}}), Some("records of"))]
    fn what_is_shown_is_what_the_record_says(
        #[case] other: Value,
        #[case] says: Value,
        #[case] expected: Option<&str>,
    ) {
        let (mut shown, mut stands) = (shows(), record());
        json_patch::merge(&mut shown, &other);
        json_patch::merge(&mut stands, &says);
        assert_eq!(wrong(&shown, &stands, "web").first().map(|(what, ..)| *what), expected);
    }
}
