//! Jobs of synthetic checks: what was seen of them, how they are called, what they are made of, and what they came to.
//!
//! The rights of a Job are those of its template, which the namespace's owner wrote and allowed; nothing that a GatedRelease
//! says gets into it but the check's name and where the new version is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ask::ports;
use super::snapshot::{Record, Snapshot};
use super::tracking::belongs_to_tools;
use crate::api::names::{CHECK, CHECK_ROLE, CHECK_STARTED_AT, RELEASE, ROLE};
use crate::api::release_record::ReleaseRecordStatus;
use crate::api::synthetic::{JobCheck, SyntheticCheck};
use crate::api::{Span, Time};
use crate::policy::canonical::short;

/// How long a Job that has ended stays for whoever wants to read its whole log.
const KEPT: Span = Span::seconds(3_600);
/// How much later than Tidegate Kubernetes ends a Job, where Tidegate does not look. Until then its pods are there, which tell
/// whether it could run at all.
const GRACE: Span = Span::seconds(30);

/// What was seen for the checks that start Jobs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobsSeen {
    /// What the CronJobs say that checks name, by name.
    pub templates: BTreeMap<String, TemplateSeen>,
    /// The Jobs of this release's checks, those of former stages and attempts included.
    pub all: Vec<JobSeen>,
    /// Jobs that the API server did not let Tidegate make, by name, as far as this process knows.
    pub refused: BTreeMap<String, Refusal>,
}

/// What a check can start its Job from.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateSeen {
    /// `spec.jobTemplate` of a CronJob that may be used.
    Found(Value),
    /// There is no such CronJob.
    Missing,
    /// Its owner has not allowed it.
    NotAllowed,
    /// It may not be read; the API server's words.
    Unread(String),
}

/// A Job of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSeen {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// When it was made, by the clock of the process that made it: the API server's may differ by more than a check's time.
    pub created: Time,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// How far it is.
    pub state: JobState,
    /// What its pods tell.
    pub pods: PodsOfJob,
}

/// How far a Job is, by its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It has not ended.
    Running,
    /// It did what it was for.
    Completed,
    /// It failed; Kubernetes' words.
    Failed(String),
    /// Kubernetes ended it after its time.
    Ended,
}

/// What the pods of a Job tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodsOfJob {
    /// Whether a container of its own ran, or runs.
    pub started: bool,
    /// What a pod waits for, such as `ImagePullBackOff`.
    pub waits: Option<String>,
    /// The end of what the container said that failed last, with its exit code.
    pub last_words: Option<String>,
}

/// A Job that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When that was tried.
    pub at: Time,
    /// The API server's words.
    pub why: String,
}

/// What a Job came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is not known yet.
    Runs,
    /// The new version passed.
    Passed,
    /// It did not; why.
    Failed(String),
    /// It could not find out, and says nothing about the new version; why.
    Nothing(String),
}

impl JobsSeen {
    /// A Job by its name.
    pub fn of(&self, name: &str) -> Option<&JobSeen> {
        self.all.iter().find(|job| job.name == name)
    }
}

impl JobSeen {
    /// What it came to, where it may take so long. Whether it was late is decided here, while its pods tell whether it ran: what
    /// Kubernetes ended nobody looked at.
    pub fn found(&self, within: Span, now: Time) -> Found {
        let PodsOfJob { started, waits, last_words } = &self.pods;
        let said = |why: &str| last_words.as_ref().map_or_else(|| why.to_owned(), |words| format!("{why}; {words}"));
        match &self.state {
            JobState::Completed => Found::Passed,
            JobState::Failed(why) if *started => Found::Failed(last_words.clone().unwrap_or_else(|| why.clone())),
            // Kubernetes counts pods that were taken away as failed ones, those that never ran too.
            JobState::Failed(why) => Found::Nothing(format!("Job {} has no pod that ran: {why}", self.name)),
            JobState::Ended => {
                Found::Nothing(format!("Job {} ended after its time, and nobody looked at it", self.name))
            }
            JobState::Running if now < self.created.plus(within) => Found::Runs,
            JobState::Running if *started => Found::Failed(said(&format!("no result within {within}"))),
            JobState::Running => {
                let waits = waits.as_deref().unwrap_or("Kubernetes made none");
                Found::Nothing(format!("no pod of Job {} started within {within}: {waits}", self.name))
            }
        }
    }

    /// Whether it has not ended.
    pub const fn runs(&self) -> bool {
        matches!(self.state, JobState::Running) && !self.deleting
    }
}

/// The Job of a check in a stage: the same name whoever asks, so that no crash makes a second one.
pub fn name(record: &str, stage: u32, check: &str) -> String {
    let sum = short(format!("{record}/{stage}/{check}"), 4);
    let begins: String = record.chars().take(36).map(|c| if c == '.' { '-' } else { c }).collect();
    format!("{}-check-{}-{sum}", begins.trim_end_matches('-'), stage.saturating_add(1))
}

/// Why a check has nothing to start, as a word and a sentence that ends with what to do.
pub fn trouble(seen: &Snapshot, check: &SyntheticCheck, job: &JobCheck) -> Option<(&'static str, String)> {
    let (namespace, cron_job) = (&seen.release.namespace, &job.cron_job);
    let wants = format!("check {:?} starts its Job from CronJob {namespace}/{cron_job}", check.name);
    match seen.jobs.templates.get(cron_job)? {
        TemplateSeen::Found(_) => None,
        TemplateSeen::Missing => Some((
            "CheckJobMissing",
            format!(
                "{wants}, which does not exist. Create it (with suspend: true it never runs by itself), or name another."
            ),
        )),
        TemplateSeen::NotAllowed => Some((
            "CheckJobNotAllowed",
            format!(
                "{wants}, which does not carry the label {CHECK}=true. Its owner allows it with: kubectl label cronjob {cron_job} -n {namespace} {CHECK}=true"
            ),
        )),
        TemplateSeen::Unread(why) => Some((
            "CheckJobUnread",
            format!(
                "{wants}, which Tidegate may not read: {why}. Give its ClusterRole get on cronjobs (docs/install.md)."
            ),
        )),
    }
}

/// The Job of a check, made from what the CronJob says.
pub fn object(
    seen: &Snapshot,
    (record, status): (&Record, &ReleaseRecordStatus),
    (check, template): (&SyntheticCheck, &Value),
    now: Time,
) -> Value {
    let release = &seen.release;
    let kept = |place: &str| -> Map<String, Value> {
        let map = template.pointer(place).and_then(Value::as_object).cloned().unwrap_or_default();
        map.into_iter().filter(|(key, _)| !belongs_to_tools(key)).collect()
    };
    let (mut labels, mut annotations) = (kept("/metadata/labels"), kept("/metadata/annotations"));
    labels.insert(RELEASE.to_owned(), Value::from(release.name.as_str()));
    labels.insert(ROLE.to_owned(), Value::from(CHECK_ROLE));
    annotations.insert(CHECK.to_owned(), Value::from(check.name.as_str()));
    annotations.insert(CHECK_STARTED_AT.to_owned(), Value::from(now.to_string()));
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": name(&record.name, status.stage, &check.name), "namespace": release.namespace,
            "labels": labels, "annotations": annotations,
            // Whatever becomes of Tidegate, no Job outlives what it was made for.
            "ownerReferences": [{
                "apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease", "name": release.name, "uid": release.uid,
            }],
        },
        "spec": spec(template, check, &told(seen, record, status)),
    })
}

/// What the template says, with the bounds of the check. A pod that failed stays, and says why in its status.
fn spec(template: &Value, check: &SyntheticCheck, told: &[(&str, String)]) -> Value {
    let mut spec = template.get("spec").filter(|spec| spec.is_object()).cloned().unwrap_or_else(|| json!({}));
    spec["suspend"] = json!(false);
    spec["backoffLimit"] = json!(check.retries);
    spec["activeDeadlineSeconds"] = json!((check.within().as_millis() + GRACE.as_millis()) / 1_000);
    spec["ttlSecondsAfterFinished"] = json!(KEPT.as_millis() / 1_000);
    let Some(pod) = spec.pointer_mut("/template/spec").filter(|pod| pod.is_object()) else { return spec };
    pod["restartPolicy"] = json!("Never");
    for list in ["initContainers", "containers"] {
        let all = pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in all.filter(|container| container.is_object()) {
            container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
            let own = container.get("env").and_then(Value::as_array).cloned().unwrap_or_default();
            let is_ours = |one: &Value| told.iter().any(|(name, _)| one["name"] == *name);
            // First, so that what the template says may refer to them.
            let ours = told.iter().map(|(name, value)| json!({"name": name, "value": value}));
            container["env"] = ours.chain(own.into_iter().filter(|one| !is_ours(one))).collect();
        }
    }
    spec
}

/// What a Job is told: where the new version answers, and what it is.
fn told(seen: &Snapshot, record: &Record, status: &ReleaseRecordStatus) -> Vec<(&'static str, String)> {
    let service = seen.service_of(record.candidate());
    let weight = status.stages.get(status.stage as usize).map_or(0, |stage| stage.spec.weight.get());
    let mut told = vec![
        ("TIDEGATE_HOST", format!("{service}.{}.svc", seen.release.namespace)),
        ("TIDEGATE_SERVICE", service),
        ("TIDEGATE_RELEASE", seen.release.name.clone()),
        ("TIDEGATE_RECORD", record.name.clone()),
        ("TIDEGATE_REVISION", record.spec.revision.clone()),
        ("TIDEGATE_STAGE", status.stage.saturating_add(1).to_string()),
        ("TIDEGATE_WEIGHT", weight.to_string()),
    ];
    told.extend(ports(seen).first().map(|port| ("TIDEGATE_PORT", port.to_string())));
    told
}

#[cfg(test)]
mod tests;
