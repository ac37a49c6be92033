//! Whether what is waited for was reached: a pure function of the GatedRelease and its records.

use std::fmt;

use clap::ValueEnum;

use crate::api::condition::Truth;
use crate::api::release_record::{Outcome, Phase};
use crate::api::{GatedRelease, ReleaseRecord};
use crate::release::template;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// The release ended well, or the template runs already.
    Released,
    /// The release ended, however it did.
    Ended,
    /// The workload itself runs the new version and has all traffic (of a StatefulSet: all pods but the first run it); its
    /// verification may go on.
    Promoted,
    /// The release is held, for whatever reason.
    Held,
    /// No release goes on, and the workload's template has been looked at.
    Idle,
}

/// Which release is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// That of the workload's template as it stood at the start.
    Template,
    /// That of a change, by its reference.
    Change(String),
    /// That of a revision.
    Revision(String),
    /// None in particular.
    Any,
}

/// The workload's template as it stood at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) uid: String,
    pub(super) generation: i64,
    pub(super) revision: String,
}

/// What is waited for, of which release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) goal: Goal,
    pub(super) target: Target,
    /// None where there was no workload.
    pub(super) template: Option<Template>,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, &self.template) {
            (Target::Change(change), _) => write!(f, "{change} ")?,
            (Target::Revision(revision), _) => write!(f, "revision {revision} ")?,
            (Target::Template, Some(template)) => write!(f, "revision {} ", template.revision)?,
            (Target::Template | Target::Any, _) => {}
        }
        f.write_str(match self.goal {
            Goal::Released => "is released",
            Goal::Ended => "has ended",
            Goal::Promoted => "is promoted",
            Goal::Held => "is held",
            Goal::Idle => "no release goes on",
        })
    }
}

/// What is known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Not yet.
    Going,
    /// Reached, with what happened.
    Reached(String),
    /// The release ended in another way.
    Otherwise(String),
    /// It will never be known.
    Impossible(String),
}

/// Judges what was seen. `records` are those of this GatedRelease, in any order.
pub(super) fn judge(wanted: &Wanted, release: &GatedRelease, records: &[&ReleaseRecord]) -> Answer {
    let status = release.status.clone().unwrap_or_default();
    let name = release.metadata.name.clone().unwrap_or_default();
    let ready = status.conditions.iter().find(|condition| condition.kind == "Ready");
    if let Some(ready) = ready.filter(|ready| ready.reason == "Detached") {
        return Answer::Impossible(format!("GatedRelease {name} is detached. {}", ready.message));
    }
    // A template that nobody has looked at yet may begin a release, whatever older records say.
    let looked_at = wanted.template.as_ref().is_none_or(|template| {
        status.workload.as_ref().is_some_and(|seen| seen.uid != template.uid || seen.generation >= template.generation)
    });
    if !looked_at {
        return Answer::Going;
    }
    let newest = records.iter().copied().max_by_key(|record| record.spec.attempt);
    let open = |record: &ReleaseRecord| outcome(record).is_none();
    if wanted.goal == Goal::Idle && !matches!(wanted.target, Target::Change(_) | Target::Revision(_)) {
        return match newest {
            Some(record) if open(record) => Answer::Going,
            Some(record) => Answer::Reached(told(record)),
            None => Answer::Going,
        };
    }
    let ours =
        records.iter().copied().filter(|record| is_ours(wanted, record)).max_by_key(|record| record.spec.attempt);
    let is_newest = |record: &ReleaseRecord| newest.is_some_and(|newest| newest.spec.attempt == record.spec.attempt);
    let runs = revision(wanted)
        .is_some_and(|said| status.workload.is_some_and(|seen| template::is_named(&seen.revision, said)));
    let in_force = ready.is_some_and(|ready| ready.status == Truth::True);
    match ours {
        // Perhaps the template went back to one that was released long ago: then there is nothing to release.
        Some(record) if !is_newest(record) && runs => match newest.is_some_and(open) {
            true => Answer::Going,
            false if in_force => settled(wanted.goal, format!("The workload runs it: {}", told(record))),
            false => Answer::Going,
        },
        Some(record) if is_newest(record) && asked_again(release, record) => Answer::Going,
        Some(record) => of_record(wanted.goal, record),
        None if runs && in_force && !newest.is_some_and(open) => {
            settled(wanted.goal, "The workload runs it, and no release goes on.".to_owned())
        }
        None => Answer::Going,
    }
}

fn revision(wanted: &Wanted) -> Option<&str> {
    match &wanted.target {
        Target::Revision(revision) => Some(revision),
        Target::Template => wanted.template.as_ref().map(|template| template.revision.as_str()),
        Target::Change(_) | Target::Any => None,
    }
}

fn is_ours(wanted: &Wanted, record: &ReleaseRecord) -> bool {
    match &wanted.target {
        Target::Change(change) => record.spec.change.reference == *change,
        Target::Any => true,
        Target::Revision(_) | Target::Template => {
            revision(wanted).is_some_and(|said| template::is_named(&record.spec.revision, said))
        }
    }
}

fn outcome(record: &ReleaseRecord) -> Option<Outcome> {
    record.status.as_ref().and_then(|status| status.outcome)
}

/// Whether somebody asked to try a closed revision again, which has not begun yet.
fn asked_again(release: &GatedRelease, record: &ReleaseRecord) -> bool {
    let asked = release.metadata.annotations.as_ref().and_then(|all| all.get(crate::api::names::RETRY));
    let closed = matches!(outcome(record), Some(Outcome::RolledBack | Outcome::Expired | Outcome::Abandoned));
    closed && asked.is_some() && asked != record.spec.retry.as_ref()
}

/// What runs and is not released any more.
fn settled(goal: Goal, says: String) -> Answer {
    match goal {
        Goal::Released | Goal::Ended | Goal::Promoted | Goal::Idle => Answer::Reached(says),
        Goal::Held => Answer::Otherwise(says),
    }
}

fn of_record(goal: Goal, record: &ReleaseRecord) -> Answer {
    let Some(status) = &record.status else { return Answer::Going };
    let well = matches!(status.outcome, Some(Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed));
    let reached = match goal {
        Goal::Released => well,
        Goal::Ended | Goal::Idle => status.outcome.is_some(),
        Goal::Promoted => {
            let there = matches!(status.phase, Phase::Verify | Phase::Complete) && status.rollback.is_none();
            well || (there && status.outcome.is_none())
        }
        Goal::Held => status.hold.is_some() && status.outcome.is_none(),
    };
    match (reached, status.outcome) {
        (true, _) => Answer::Reached(told(record)),
        (false, Some(_)) => Answer::Otherwise(told(record)),
        (false, None) => Answer::Going,
    }
}

/// One line on a record.
fn told(record: &ReleaseRecord) -> String {
    let name = record.metadata.name.clone().unwrap_or_default();
    let Some(status) = &record.status else { return format!("{name}: {}", record.spec.change) };
    let how = match (status.outcome, &status.hold) {
        (Some(outcome), _) => format!("{outcome}: {}", status.summary),
        (None, Some(hold)) => format!("held, {}: {}", hold.reason, hold.message),
        (None, None) => status.phase.to_string(),
    };
    format!("{name}: {}: {how}", record.spec.change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn release(generation: i64, revision: &str, ready: (&str, &str)) -> GatedRelease {
        serde_json::from_value(json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease", "metadata": {"name": "web"},
            "spec": {"workloadRef": {"name": "web"}, "riskBudgetRef": {"name": "web"},
                "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]}, "rollback": {"errorRatePercent": 1, "latencyFactor": 2}},
            "status": {"workload": {"uid": "u", "generation": generation, "revision": revision}, "conditions": [
                {"type": "Ready", "status": ready.0, "reason": ready.1, "message": "m.", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
        }))
        .unwrap()
    }

    fn record(attempt: u32, revision: &str, status: &Value) -> ReleaseRecord {
        let mut all = json!({"phase": "Release", "phaseSince": "2026-01-01T10:06:00Z", "summary": "Said."});
        all.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
        serde_json::from_value(json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "ReleaseRecord", "metadata": {"name": format!("web-{attempt}")},
            "spec": {"release": "web", "attempt": attempt, "workloadUid": "u", "revision": revision,
                "change": {"reference": format!("git:{revision}"), "type": "Feature"}, "riskBudget": "web"},
            "status": all,
        }))
        .unwrap()
    }

    fn ended(outcome: &str) -> Value {
        json!({"outcome": outcome, "endedAt": "2026-01-01T10:06:00Z"})
    }

    fn held() -> Value {
        json!({"hold": {"reason": "Frozen", "message": "Wait.", "since": "2026-01-01T10:06:00Z", "deadline": "2026-01-01T11:06:00Z"}})
    }

    fn word(answer: &Answer) -> &'static str {
        match answer {
            Answer::Going => "going",
            Answer::Reached(_) => "reached",
            Answer::Otherwise(_) => "otherwise",
            Answer::Impossible(_) => "impossible",
        }
    }

    const IN_FORCE: (&str, &str) = ("True", "InForce");
    const BACK: (&str, &str) = ("False", "RolledBack");

    /// The Deployment stands at generation 5 with v2; v1 was released before.
    #[rstest]
    #[case::not_looked_at(Goal::Released, 4, "v1", IN_FORCE, vec![record(1, "v1", &ended("Succeeded"))], "going")]
    #[case::not_looked_at_though_tried_before(Goal::Released, 4, "v1", IN_FORCE, vec![record(1, "v2", &ended("Succeeded"))], "going")]
    #[case::under_way(Goal::Released, 5, "v2", IN_FORCE, vec![record(2, "v2", &json!({}))], "going")]
    #[case::released(Goal::Released, 7, "v2", IN_FORCE, vec![record(2, "v2", &ended("Succeeded"))], "reached")]
    #[case::taken_as_it_ran(Goal::Released, 5, "v2", IN_FORCE, vec![record(2, "v2", &ended("Bootstrap"))], "reached")]
    #[case::rolled_back(Goal::Released, 5, "v2", BACK, vec![record(2, "v2", &ended("RolledBack"))], "otherwise")]
    #[case::rolled_back_is_an_end(Goal::Ended, 5, "v2", BACK, vec![record(2, "v2", &ended("RolledBack"))], "reached")]
    #[case::superseded(Goal::Released, 6, "v3", IN_FORCE, vec![record(2, "v2", &ended("Superseded")), record(3, "v3", &json!({}))], "otherwise")]
    #[case::in_verification(Goal::Promoted, 6, "v2", IN_FORCE, vec![record(2, "v2", &json!({"phase": "Verify"}))], "reached")]
    #[case::not_promoted(Goal::Promoted, 6, "v2", IN_FORCE, vec![record(2, "v2", &json!({"phase": "Promote"}))], "going")]
    #[case::promoted_and_came_back(Goal::Promoted, 6, "v2", BACK, vec![record(2, "v2", &ended("RolledBack"))], "otherwise")]
    #[case::held(Goal::Held, 5, "v2", IN_FORCE, vec![record(2, "v2", &held())], "reached")]
    #[case::never_held(Goal::Held, 5, "v2", IN_FORCE, vec![record(2, "v2", &ended("Succeeded"))], "otherwise")]
    #[case::idle(Goal::Idle, 5, "v2", BACK, vec![record(2, "v2", &ended("RolledBack"))], "reached")]
    #[case::not_idle(Goal::Idle, 5, "v2", IN_FORCE, vec![record(2, "v2", &json!({}))], "going")]
    #[case::back_to_one_released_long_ago(Goal::Released, 6, "v2", IN_FORCE, vec![record(2, "v2", &ended("Succeeded")), record(3, "v3", &ended("Reverted"))], "reached")]
    #[case::still_going_back_to_it(Goal::Released, 6, "v2", IN_FORCE, vec![record(2, "v2", &ended("Succeeded")), record(3, "v3", &json!({"phase": "Rollback"}))], "going")]
    #[case::detached(Goal::Released, 5, "v2", ("False", "Detached"), vec![record(2, "v2", &ended("Abandoned"))], "impossible")]
    fn what_is_waited_for(
        #[case] goal: Goal,
        #[case] generation: i64,
        #[case] runs: &str,
        #[case] ready: (&str, &str),
        #[case] records: Vec<ReleaseRecord>,
        #[case] answer: &str,
    ) {
        let template = Some(Template { uid: "u".into(), generation: 5, revision: "v2".into() });
        let target = if goal == Goal::Idle { Target::Any } else { Target::Template };
        let records: Vec<_> = records.iter().collect();
        let given = judge(&Wanted { goal, target, template }, &release(generation, runs, ready), &records);
        assert_eq!(word(&given), answer, "{given:?}");
    }

    #[rstest]
    #[case::not_begun(vec![record(1, "v1", &ended("Succeeded"))], "going")]
    #[case::begun(vec![record(1, "v1", &ended("Succeeded")), record(2, "v2", &json!({}))], "going")]
    #[case::released(vec![record(2, "v2", &ended("Succeeded"))], "reached")]
    #[case::only_its_newest_attempt_counts(vec![record(2, "v2", &ended("RolledBack")), record(3, "v2", &json!({}))], "going")]
    fn a_change_may_begin_later(#[case] records: Vec<ReleaseRecord>, #[case] answer: &str) {
        let wanted = Wanted { goal: Goal::Released, target: Target::Change("git:v2".into()), template: None };
        let records: Vec<_> = records.iter().collect();
        assert_eq!(word(&judge(&wanted, &release(5, "v1", IN_FORCE), &records)), answer);
    }

    #[test]
    fn a_revision_that_is_to_be_tried_again_has_not_ended() {
        let wanted = Wanted { goal: Goal::Released, target: Target::Change("git:v2".into()), template: None };
        let mut release = release(5, "v2", BACK);
        release.metadata.annotations = Some([("tidegate.io/retry".to_owned(), "now".to_owned())].into());
        let back = record(2, "v2", &ended("RolledBack"));
        assert_eq!(word(&judge(&wanted, &release, &[&back])), "going");
        release.metadata.annotations = None;
        assert_eq!(
            judge(&wanted, &release, &[&back]),
            Answer::Otherwise("web-2: Feature git:v2: RolledBack: Said.".into())
        );
    }
}
