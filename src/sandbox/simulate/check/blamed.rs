//! What a check of Tidegate's own is blamed on: a new version that was asked, and answered wrongly more often than it may.

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, items, number, text};
use crate::cluster::kind::GATED_RELEASE;
use crate::sandbox::simulate::people::RETRIES;

/// A write of a record: a stage begins, or a check brings it back.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(after) = seen.after.filter(|record| text(record, "/spec/release") == Some(NAME)) else { return };
    let new = |place: &str| {
        let before = seen.before.and_then(|before| text(before, place));
        text(after, place).filter(|_| before.is_none())
    };
    if new(&format!("/status/stages/{}/startedAt", number(after, "/status/stage"))).is_some() {
        checkers.circumstances.answered_wrongly = 0;
    }
    let times = checkers.circumstances.answered_wrongly;
    // A Job asks by itself; what it says is judged by its end (`jobs.rs`).
    let release = seen.objects.get(&GATED_RELEASE, NAMESPACE, NAME);
    let by_job =
        release.is_some_and(|it| items(it, "/spec/analysis/checks").iter().any(|one| one.get("job").is_some()));
    if new("/status/rollback/trigger") == Some("SyntheticCheck") && times <= RETRIES && !by_job {
        let says =
            format!("{} comes back by a check, and {times} requests were answered wrongly in its stage", seen.name);
        checkers.violated(Rule::BlamedUnasked, seen.now, says);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::Time;
    use crate::cluster::kind::RELEASE_RECORD;
    use crate::sandbox::simulate::check::NAMESPACE;
    use crate::sandbox::simulate::check::tests::Kept;

    fn record(stages: Value, trigger: Option<&str>) -> Value {
        let rollback = trigger.map(|trigger| json!({"trigger": trigger}));
        json!({
            "metadata": {"name": "web-0002"}, "spec": {"release": NAME},
            "status": {"stage": 1, "stages": stages, "rollback": rollback},
        })
    }

    fn write(checkers: &mut Checkers, before: &Value, after: &Value) {
        let objects = Kept(Vec::new());
        let now = Time("2026-01-01T10:00:30Z".parse().unwrap());
        let (before, after, process) = (Some(before), Some(after), Some(0));
        let kind = &RELEASE_RECORD;
        let objects = &objects;
        check(checkers, &Seen { kind, namespace: NAMESPACE, name: "web-0002", before, after, process, objects, now });
    }

    #[rstest]
    #[case::asked_often_enough("SyntheticCheck", 0, 2, false)]
    #[case::of_the_stage_before("SyntheticCheck", 2, 1, true)]
    #[case::not_often_enough("SyntheticCheck", 0, 1, true)]
    #[case::nobody_was_asked("SyntheticCheck", 0, 0, true)]
    #[case::by_something_else("ErrorRate", 0, 0, false)]
    fn a_check_blames_what_answered_it(
        #[case] trigger: &str,
        #[case] in_stage_before: usize,
        #[case] in_stage: usize,
        #[case] broken: bool,
    ) {
        let waits = json!([{"startedAt": "2026-01-01T10:00:00Z"}, {}]);
        let bakes = json!([{"startedAt": "2026-01-01T10:00:00Z"}, {"startedAt": "2026-01-01T10:00:10Z"}]);
        let mut checkers = Checkers::default();
        checkers.circumstances.answered_wrongly = in_stage_before;
        write(&mut checkers, &record(waits, None), &record(bakes.clone(), None));
        checkers.circumstances.answered_wrongly += in_stage;
        write(&mut checkers, &record(bakes.clone(), None), &record(bakes, Some(trigger)));
        assert_eq!(!checkers.violations.is_empty(), broken, "{:?}", checkers.violations);
    }
}
