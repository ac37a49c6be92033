//! The Jobs of synthetic checks, what their pods tell, and the CronJobs that they are made from.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde_json::Value;

use super::{created, items, strings, text};
use crate::api::Time;
use crate::api::names::{CHECK, CHECK_ROLE, CHECK_STARTED_AT, RELEASE, ROLE};
use crate::api::synthetic::Asks;
use crate::cluster::kind::{CRON_JOB, JOB, POD};
use crate::cluster::{Cluster, Error};
use crate::release::check_job::{JobSeen, JobState, JobsSeen, PodsOfJob, TemplateSeen};
use crate::release::snapshot::Release;

/// So many characters of what a container said are kept: its end.
const WORDS: usize = 120;

/// What the checks of a release need; nothing is read where none starts a Job. The Jobs only while something may go on.
pub(super) async fn read(cluster: &Cluster, release: &Release, busy: bool) -> Result<JobsSeen, Error> {
    let checks = &release.spec.analysis.checks;
    let mut names: Vec<&str> = checks
        .iter()
        .filter_map(|check| match check.asks() {
            Asks::Job(job) => Some(job.cron_job.as_str()),
            Asks::Http(_) => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(JobsSeen::default());
    }
    let namespace = &release.namespace;
    let asked = names.iter().map(|name| template(cluster, namespace, name));
    let mut templates: BTreeMap<String, TemplateSeen> =
        names.iter().map(|name| (*name).to_owned()).zip(try_join_all(asked).await?).collect();
    let labels = format!("{RELEASE}={},{ROLE}={CHECK_ROLE}", release.name);
    let made = match busy {
        true => cluster.list(&JOB, namespace, &labels).await,
        false => Ok(Vec::new()),
    };
    let made = match made {
        Err(Error::Refused { code: 403, what, why }) => {
            // Who cannot see Jobs could not tell how one ended.
            templates.values_mut().for_each(|one| *one = TemplateSeen::Unread(format!("{what}: {why}")));
            Vec::new()
        }
        other => other?,
    };
    let all = try_join_all(made.iter().map(|job| seen(cluster, namespace, job))).await?;
    Ok(JobsSeen { templates, all, refused: BTreeMap::new() })
}

async fn template(cluster: &Cluster, namespace: &str, name: &str) -> Result<TemplateSeen, Error> {
    match cluster.get(&CRON_JOB, namespace, name).await {
        Ok(object) => Ok(of_cron_job(object)),
        Err(Error::Refused { code: 403, why, .. }) => Ok(TemplateSeen::Unread(why)),
        Err(other) => Err(other),
    }
}

fn of_cron_job(object: Option<Value>) -> TemplateSeen {
    match object {
        None => TemplateSeen::Missing,
        Some(object) if strings(&object, "/metadata/labels").get(CHECK).map(String::as_str) != Some("true") => {
            TemplateSeen::NotAllowed
        }
        Some(mut object) => TemplateSeen::Found(object["spec"]["jobTemplate"].take()),
    }
}

async fn seen(cluster: &Cluster, namespace: &str, job: &Value) -> Result<JobSeen, Error> {
    let name = text(job, "/metadata/name").unwrap_or_default().to_owned();
    let state = state(job);
    let pods = match state {
        JobState::Completed | JobState::Ended => Vec::new(),
        JobState::Running | JobState::Failed(_) => {
            let pods = cluster.list(&POD, namespace, &format!("batch.kubernetes.io/job-name={name}")).await?;
            let uid = text(job, "/metadata/uid").unwrap_or_default();
            pods.into_iter().filter(|pod| super::workload::is_owned(pod, uid)).collect()
        }
    };
    Ok(JobSeen {
        uid: text(job, "/metadata/uid").unwrap_or_default().to_owned(),
        created: made_at(job),
        deleting: job.pointer("/metadata/deletionTimestamp").is_some(),
        state,
        pods: told(&pods),
        name,
    })
}

/// When a Job was made, by the clock of who made it; by the API server's where that is not said.
fn made_at(job: &Value) -> Time {
    let said = strings(job, "/metadata/annotations").get(CHECK_STARTED_AT).and_then(|at| at.parse().ok());
    said.map_or_else(|| created(job), Time)
}

fn state(job: &Value) -> JobState {
    let holds = |kind: &str| {
        let all = items(job, "/status/conditions").iter();
        all.filter(|one| one["status"] == "True").find(|one| one["type"] == kind)
    };
    match (holds("Complete"), holds("Failed")) {
        (Some(_), _) => JobState::Completed,
        (None, Some(failed)) if text(failed, "/reason") == Some("DeadlineExceeded") => JobState::Ended,
        (None, Some(failed)) => {
            let of = |place: &str| text(failed, place).filter(|word| !word.is_empty());
            JobState::Failed(of("/message").or(of("/reason")).unwrap_or("no reason is given").to_owned())
        }
        (None, None) => JobState::Running,
    }
}

fn told(pods: &[Value]) -> PodsOfJob {
    let containers = |pod: &Value| -> Vec<Value> {
        [items(pod, "/status/initContainerStatuses"), items(pod, "/status/containerStatuses")].concat()
    };
    let all: Vec<Value> = pods.iter().flat_map(containers).collect();
    let ended = |status: &&Value| status.pointer("/state/terminated/exitCode").and_then(Value::as_i64) != Some(0);
    let ran = |status: &Value| ["running", "terminated"].iter().any(|state| status["state"].get(*state).is_some());
    let failed = all.iter().filter(|status| status.pointer("/state/terminated").is_some()).filter(ended);
    let last = failed.max_by_key(|status| text(status, "/state/terminated/finishedAt").unwrap_or_default());
    PodsOfJob { started: all.iter().any(ran), waits: pods.iter().find_map(waits), last_words: last.map(last_words) }
}

/// Why a pod does not start, as Kubernetes says it.
fn waits(pod: &Value) -> Option<String> {
    let all = items(pod, "/status/initContainerStatuses").iter().chain(items(pod, "/status/containerStatuses"));
    let container = all.filter_map(|status| {
        let reason = text(status, "/state/waiting/reason").filter(|reason| *reason != "PodInitializing")?;
        Some(format!("{}: {reason}", text(status, "/name").unwrap_or_default()))
    });
    let scheduled = items(pod, "/status/conditions").iter().find(|one| one["type"] == "PodScheduled");
    let unscheduled = scheduled.filter(|one| one["status"] == "False").and_then(|one| text(one, "/message"));
    container.map(|why| short(&why)).next().or_else(|| unscheduled.map(short))
}

/// The exit code of a container and the end of what it said, in one line.
fn last_words(status: &Value) -> String {
    let name = text(status, "/name").unwrap_or_default();
    let code = status.pointer("/state/terminated/exitCode").and_then(Value::as_i64).unwrap_or(-1);
    let reason = text(status, "/state/terminated/reason").filter(|reason| *reason != "Error");
    let said = short(text(status, "/state/terminated/message").unwrap_or_default());
    let how = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    if said.is_empty() {
        format!("{name}: exit code {code}{how}")
    } else {
        format!("{name}: exit code {code}{how}: {said}")
    }
}

/// The end of a text in one line, without what a terminal would obey.
fn short(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    let more = line.chars().count().saturating_sub(WORDS);
    if more == 0 { line } else { ['…'].into_iter().chain(line.chars().skip(more + 1)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn ended(conditions: Value) -> JobState {
        state(&json!({"status": {"conditions": conditions}}))
    }

    #[test]
    fn a_job_has_ended_when_its_conditions_say_so() {
        assert_eq!(ended(json!([])), JobState::Running);
        // Its pods are still being ended.
        assert_eq!(ended(json!([{"type": "FailureTarget", "status": "True"}])), JobState::Running);
        assert_eq!(ended(json!([{"type": "SuccessCriteriaMet", "status": "True"}])), JobState::Running);
        assert_eq!(ended(json!([{"type": "Complete", "status": "True"}])), JobState::Completed);
        let failed = json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]);
        assert_eq!(ended(failed), JobState::Failed("Job has reached the specified backoff limit".into()));
        assert_eq!(ended(json!([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}])), JobState::Ended);
    }

    #[rstest]
    #[case(json!({"tidegate.io/check-started-at": "2026-01-01T09:00:30.5Z"}), "2026-01-01T09:00:30.5Z")]
    #[case(json!({"tidegate.io/check-started-at": "soon"}), "2026-01-01T09:00:00Z")]
    #[case(json!({}), "2026-01-01T09:00:00Z")]
    fn the_time_of_a_job_counts_by_the_clock_of_who_made_it(#[case] annotations: Value, #[case] expected: &str) {
        let job = json!({"metadata": {"creationTimestamp": "2026-01-01T09:00:00Z", "annotations": annotations}});
        assert_eq!(made_at(&job), Time(expected.parse().unwrap()));
    }

    fn container(state: Value) -> Value {
        json!({"status": {"containerStatuses": [{"name": "probe", "state": state}]}})
    }

    #[rstest]
    #[case::newest(
        json!([container(json!({"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:09Z", "message": "no cart\n"}})),
               container(json!({"terminated": {"exitCode": 7, "finishedAt": "2026-01-01T00:00:05Z", "message": "earlier"}}))]),
        (true, None, Some("probe: exit code 1: no cart")))]
    #[case::silent(json!([container(json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}))]), (true, None, Some("probe: exit code 137 (OOMKilled)")))]
    #[case::runs(json!([container(json!({"running": {}}))]), (true, None, None))]
    #[case::no_image(json!([container(json!({"waiting": {"reason": "ImagePullBackOff"}}))]), (false, Some("probe: ImagePullBackOff"), None))]
    #[case::no_node(
        json!([{"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}}]),
        (false, Some("0/1 nodes are available"), None))]
    #[case::none(json!([]), (false, None, None))]
    fn pods_tell_whether_they_ran_and_what_they_said(
        #[case] pods: Value,
        #[case] (started, waits, words): (bool, Option<&str>, Option<&str>),
    ) {
        let told = told(pods.as_array().unwrap());
        assert_eq!((told.started, told.waits.as_deref(), told.last_words.as_deref()), (started, waits, words));
    }

    #[test]
    fn of_a_long_log_the_end_is_kept_in_one_line() {
        let said = short(&format!("{}\n\u{1b}[31mthe\tend", "x ".repeat(4_000)));
        assert!(said.starts_with('…') && said.ends_with("[31mthe end") && said.chars().count() == WORDS, "{said}");
    }

    #[test]
    fn a_cron_job_is_used_only_where_its_owner_allowed_it() {
        let cron_job = |labels: Value| {
            of_cron_job(Some(json!({"metadata": {"labels": labels}, "spec": {"jobTemplate": {"spec": {}}}})))
        };
        assert_eq!(cron_job(json!({"tidegate.io/check": "true"})), TemplateSeen::Found(json!({"spec": {}})));
        assert_eq!(cron_job(json!({"tidegate.io/check": "false"})), TemplateSeen::NotAllowed);
        assert_eq!(cron_job(json!(null)), TemplateSeen::NotAllowed);
        assert_eq!(of_cron_job(None), TemplateSeen::Missing);
    }
}
