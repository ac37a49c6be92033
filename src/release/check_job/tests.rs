use rstest::rstest;

use super::*;
use crate::api::Weight;
use crate::release::split::Carrier;
use crate::release::world::{GOOD, World};

fn check() -> SyntheticCheck {
    serde_json::from_value(json!({"name": "a cart", "job": {"cronJob": "probe"}, "retries": 3, "timeout": "2m"}))
        .unwrap()
}

fn made(template: &Value) -> Value {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(60, |world| world.split().weight(Carrier::Canary) > Weight::ZERO);
    let record = world.seen.record.clone().unwrap();
    let status = record.status.clone().unwrap();
    object(&world.seen, (&record, &status), (&check(), template), Time("2026-01-01T09:00:00.25Z".parse().unwrap()))
}

fn env(container: &Value, name: &str) -> Vec<String> {
    let all = container["env"].as_array().unwrap().iter();
    all.filter(|one| one["name"] == name).map(|one| one["value"].as_str().unwrap_or("a reference").to_owned()).collect()
}

#[test]
fn a_job_is_what_its_template_says_with_the_bounds_of_its_check() {
    let template = json!({
        "metadata": {"labels": {"team": "shop", "argocd.argoproj.io/instance": "shop"}, "annotations": {"note": "n"}},
        "spec": {
            "suspend": true, "backoffLimit": 99, "parallelism": 2,
            "template": {
                "metadata": {"labels": {"app": "probe"}},
                "spec": {
                    "restartPolicy": "OnFailure", "serviceAccountName": "probe",
                    "initContainers": [{"name": "wait", "image": "i"}],
                    "containers": [{
                        "name": "probe", "image": "p", "args": ["$(TIDEGATE_HOST)"],
                        "env": [{"name": "TIDEGATE_HOST", "value": "elsewhere"}, {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "t", "key": "k"}}}],
                    }],
                },
            },
        },
    });
    let job = made(&template);
    assert_eq!(
        job["metadata"]["labels"],
        json!({"team": "shop", "tidegate.io/release": "checkout", "tidegate.io/role": "check"})
    );
    assert_eq!(
        job["metadata"]["annotations"],
        json!({"note": "n", "tidegate.io/check": "a cart", "tidegate.io/check-started-at": "2026-01-01T09:00:00.25Z"})
    );
    assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], "g1");
    let spec = &job["spec"];
    assert_eq!(
        [
            &spec["suspend"],
            &spec["backoffLimit"],
            &spec["activeDeadlineSeconds"],
            &spec["ttlSecondsAfterFinished"],
            &spec["parallelism"]
        ],
        [&json!(false), &json!(3), &json!(150), &json!(3600), &json!(2)]
    );
    let pod = &spec["template"]["spec"];
    assert_eq!((&pod["restartPolicy"], &pod["serviceAccountName"]), (&json!("Never"), &json!("probe")));
    assert_eq!(
        spec["template"]["metadata"],
        json!({"labels": {"app": "probe"}}),
        "no Service takes it for a pod of Tidegate's"
    );
    for container in [&pod["initContainers"][0], &pod["containers"][0]] {
        assert_eq!(container["terminationMessagePolicy"], "FallbackToLogsOnError");
        assert_eq!(env(container, "TIDEGATE_HOST"), ["checkout-canary.shop.svc"]);
        assert_eq!(env(container, "TIDEGATE_PORT"), ["80"]);
        assert_eq!(env(container, "TIDEGATE_STAGE"), ["1"]);
        assert_eq!(env(container, "TIDEGATE_WEIGHT"), ["5"]);
    }
    assert_eq!(env(&pod["containers"][0], "TOKEN"), ["a reference"]);
    assert_eq!(pod["containers"][0]["image"], "p");
}

#[rstest]
#[case(json!(null))]
#[case(json!({"spec": "no object"}))]
#[case(json!({"spec": {"template": {"spec": {"containers": ["no object", {"env": 1}]}}}}))]
fn an_odd_template_is_for_the_api_server_to_refuse(#[case] template: Value) {
    assert_eq!(made(&template)["kind"], "Job");
}

#[test]
fn names_are_the_same_for_whoever_asks_and_fit() {
    let long = "a.very-long-record-name-of-a-release-with-a-very-long-name-0001";
    assert_eq!(name(long, 0, "a cart"), name(long, 0, "a cart"));
    for other in [name(long, 1, "a cart"), name(long, 0, "b cart"), name("b", 0, "a cart")] {
        assert_ne!(name(long, 0, "a cart"), other);
    }
    let longest = name(long, u32::MAX - 1, "a cart");
    assert!(longest.len() <= 63 && longest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{longest}");
}

fn job(state: JobState, started: bool, age: u64, words: Option<&str>) -> Found {
    let created = Time(jiff::Timestamp::UNIX_EPOCH);
    let pods = PodsOfJob { started, waits: None, last_words: words.map(str::to_owned) };
    let job = JobSeen { name: "j".into(), uid: "u".into(), created, deleting: false, state, pods };
    job.found(Span::seconds(60), created.plus(Span::seconds(age)))
}

#[rstest]
#[case::passed(job(JobState::Completed, false, 90, None), Found::Passed)]
#[case::failed(job(JobState::Failed("backoff".into()), true, 9, None), Found::Failed("backoff".into()))]
#[case::said(job(JobState::Failed("backoff".into()), true, 9, Some("p: exit code 1: no cart")), Found::Failed("p: exit code 1: no cart".into()))]
#[case::taken_away(job(JobState::Failed("backoff".into()), false, 9, None), Found::Nothing("Job j has no pod that ran: backoff".into()))]
#[case::runs(job(JobState::Running, true, 59, None), Found::Runs)]
#[case::late(job(JobState::Running, true, 60, Some("p: exit code 1: no cart")), Found::Failed("no result within 1m; p: exit code 1: no cart".into()))]
#[case::not_begun(job(JobState::Running, false, 59, None), Found::Runs)]
#[case::never_began(job(JobState::Running, false, 60, None), Found::Nothing("no pod of Job j started within 1m: Kubernetes made none".into()))]
#[case::unseen(job(JobState::Ended, true, 90, None), Found::Nothing("Job j ended after its time, and nobody looked at it".into()))]
fn only_what_ran_tells_something_about_the_version(#[case] found: Found, #[case] expected: Found) {
    assert_eq!(found, expected);
}
