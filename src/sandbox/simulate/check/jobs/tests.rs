use rstest::rstest;
use serde_json::json;

use super::*;
use crate::cluster::Kind;
use crate::cluster::kind::POD;
use crate::sandbox::simulate::check::tests::{Kept, at, broken, with};

fn record(more: &Value) -> Value {
    let record = json!({
        "metadata": {"name": "web-0002"}, "spec": {"release": "web", "revision": "r2", "arm": "Canary"},
        "status": {"phase": "Release", "stage": 0, "stages": [{"weight": 10}, {"weight": 100}]},
    });
    with(record, more)
}

fn job(more: &Value) -> Value {
    let env = json!([
        {"name": "TIDEGATE_HOST", "value": "web-canary.shop.svc"}, {"name": "TIDEGATE_SERVICE", "value": "web-canary"},
        {"name": "TIDEGATE_RECORD", "value": "web-0002"}, {"name": "TIDEGATE_REVISION", "value": "r2"},
        {"name": "TIDEGATE_STAGE", "value": "1"},
    ]);
    let job = json!({
        "metadata": {"name": "j", "uid": "j1", "annotations": {"tidegate.io/check": "cart"},
            "creationTimestamp": "2026-01-01T09:00:00Z",
            "ownerReferences": [{"kind": "GatedRelease", "name": "web"}]},
        "spec": {"activeDeadlineSeconds": 40, "ttlSecondsAfterFinished": 3600,
            "template": {"spec": {"containers": [{"name": "probe", "env": env}]}}},
    });
    with(job, more)
}

fn objects(record: Value, jobs: &[Value]) -> Kept {
    let release = json!({"metadata": {"name": "web"}, "spec": {"analysis": {"checks": [
        {"name": "cart", "job": {"cronJob": "probe"}},
    ]}}});
    let mut all = vec![(GATED_RELEASE, release), (RELEASE_RECORD, record)];
    all.extend(jobs.iter().map(|job| (JOB, job.clone())));
    Kept(all)
}

/// Checkers that have seen a calm world.
fn calm() -> Checkers {
    let mut checkers = Checkers::default();
    checkers.circumstances.calm_since = Some(at("08:00:00"));
    checkers
}

/// Shows a change to the rules of Jobs alone.
fn see(checkers: &mut Checkers, objects: &Kept, kind: &Kind, (before, after): (Option<&Value>, &Value)) {
    let by_us = kind.plural == "releaserecords" || kind.plural == "jobs" && before.is_none();
    let seen = Seen {
        kind,
        namespace: NAMESPACE,
        name: text(after, "/metadata/name").unwrap(),
        before,
        after: Some(after),
        process: by_us.then_some(0),
        objects,
        now: at("09:00:20"),
    };
    match kind.plural {
        "jobs" => check(checkers, &seen),
        "pods" => pod(checkers, &seen),
        _ => super::record(checkers, &seen),
    }
}

#[rstest]
#[case::as_it_is(json!({}), json!({}), None)]
#[case::of_the_workload(
    json!({"spec": {"template": {"spec": {"containers": [{"env": [
        {"name": "TIDEGATE_HOST", "value": "web.shop.svc"}, {"name": "TIDEGATE_SERVICE", "value": "web"},
        {"name": "TIDEGATE_RECORD", "value": "web-0002"}, {"name": "TIDEGATE_REVISION", "value": "r2"},
        {"name": "TIDEGATE_STAGE", "value": "1"}]}]}}}}),
    json!({}),
    Some(Rule::JobElsewhere)
)]
#[case::of_another_revision(json!({}), json!({"spec": {"revision": "r3"}}), Some(Rule::JobElsewhere))]
#[case::stays_for_ever(json!({"spec": {"ttlSecondsAfterFinished": null}}), json!({}), Some(Rule::JobLeft))]
#[case::of_nobody(json!({"metadata": {"ownerReferences": null}}), json!({}), Some(Rule::JobLeft))]
#[case::brought_back(json!({}), json!({"status": {"rollback": {"trigger": "ErrorRate"}}}), Some(Rule::JobTwice))]
#[case::another_stage(json!({}), json!({"status": {"stage": 1}}), Some(Rule::JobTwice))]
#[case::found_out(json!({}), json!({"status": {"checks": [{"name": "cart", "passed": true}]}}), Some(Rule::JobTwice))]
fn a_job_is_made_for_whom_it_should(#[case] made: Value, #[case] stands: Value, #[case] expected: Option<Rule>) {
    let (made, mut checkers) = (job(&made), calm());
    let objects = objects(record(&stands), std::slice::from_ref(&made));
    see(&mut checkers, &objects, &JOB, (None, &made));
    assert_eq!(broken(&checkers), expected.into_iter().collect::<Vec<_>>(), "{:?}", checkers.violations);
}

#[test]
fn one_job_tries_a_stage_at_a_time() {
    let (one, other) = (job(&json!({})), job(&json!({"metadata": {"name": "k", "uid": "k1"}})));
    let objects = objects(record(&json!({})), &[one, other.clone()]);
    let mut checkers = calm();
    see(&mut checkers, &objects, &JOB, (None, &other));
    assert_eq!(broken(&checkers), [Rule::JobTwice]);
}

#[rstest]
#[case::completed(json!([{"type": "Complete", "status": "True"}]), &[])]
#[case::failed(json!([{"type": "Failed", "status": "True"}]), &[Rule::PassedUntried])]
#[case::runs(json!([]), &[Rule::PassedUntried])]
fn a_stage_passes_with_its_job_alone(#[case] conditions: Value, #[case] expected: &[Rule]) {
    let made = job(&json!({}));
    let ended = job(&json!({"status": {"conditions": conditions}}));
    let (stood, stands) =
        (record(&json!({})), record(&json!({"status": {"stages": [{"passedAt": "2026-01-01T09:00:19Z"}, {}]}})));
    let objects = objects(stands.clone(), std::slice::from_ref(&ended));
    let mut checkers = calm();
    see(&mut checkers, &objects, &JOB, (None, &made));
    checkers.violations.clear();
    see(&mut checkers, &objects, &JOB, (Some(&made), &ended));
    see(&mut checkers, &objects, &RELEASE_RECORD, (Some(&stood), &stands));
    assert_eq!(broken(&checkers), expected);
}

#[rstest]
#[case::ran(json!({"terminated": {"exitCode": 1}}), &[])]
#[case::waits(json!({"waiting": {"reason": "ImagePullBackOff"}}), &[Rule::JobBlamed])]
fn only_a_job_that_ran_brings_a_version_back(#[case] state: Value, #[case] expected: &[Rule]) {
    let made = job(&json!({}));
    let pod = json!({
        "metadata": {"name": "j-1", "ownerReferences": [{"kind": "Job", "uid": "j1"}]},
        "status": {"containerStatuses": [{"name": "probe", "state": state}]},
    });
    let (stood, stands) = (record(&json!({})), record(&json!({"status": {"rollback": {"trigger": "SyntheticCheck"}}})));
    let objects = objects(stood.clone(), std::slice::from_ref(&made));
    let mut checkers = calm();
    see(&mut checkers, &objects, &JOB, (None, &made));
    see(&mut checkers, &objects, &POD, (None, &pod));
    see(&mut checkers, &objects, &RELEASE_RECORD, (Some(&stood), &stands));
    assert_eq!(broken(&checkers), expected);
}

#[test]
fn no_job_runs_on_when_its_record_is_closed() {
    let made = job(&json!({}));
    let (stood, stands) = (record(&json!({})), record(&json!({"status": {"outcome": "Superseded"}})));
    let objects = objects(stands.clone(), std::slice::from_ref(&made));
    let mut checkers = calm();
    see(&mut checkers, &objects, &RELEASE_RECORD, (Some(&stood), &stands));
    assert_eq!(broken(&checkers), [Rule::JobLeft]);
    assert_eq!(left_over(&objects), Some("Job j still runs".to_owned()));
}
