//! The Jobs that try new versions, as the people of a world see to them and get in their way.

use serde_json::{Value, json};

use super::check::{NAME, NAMESPACE};
use super::people::{apply, call, delete, merge};
use super::schedule::{Trial, Tried};
use super::world::World;
use crate::api::Time;
use crate::cluster::kind::{CRON_JOB, JOB, POD};
use crate::sandbox::api::{ApiServer, RESOURCE_QUOTA};
use crate::sandbox::controllers::ENDS;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::user::User;

const CRON_JOBS: &str = "/apis/batch/v1/namespaces/shop/cronjobs";
const JOBS: &str = "/apis/batch/v1/namespaces/shop/jobs";
const PODS: &str = "/api/v1/namespaces/shop/pods";
const QUOTAS: &str = "/api/v1/namespaces/shop/resourcequotas";
const QUOTA: &str = "few-jobs";
/// The CronJob that the Jobs are made from.
const PROBE: &str = "cart-probe";

/// What goes on for a while.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    /// Until when each Job is deleted.
    deletes_until: Option<Time>,
    /// Until when each pod of a Job is taken away.
    drains_until: Option<Time>,
}

/// The checks of the release.
pub fn checks() -> Value {
    json!([{"name": "cart", "job": {"cronJob": PROBE}, "timeout": "10s", "retries": 0}])
}

/// Puts the CronJob there as Git has it; the HTTP status that came of it.
pub fn install(api: &mut ApiServer) -> u16 {
    program(api, Tried::Version)
}

/// The CronJob, with a program of that kind.
fn program(api: &mut ApiServer, tried: Tried) -> u16 {
    let mut template = json!({"spec": {"template": {
        "metadata": {"labels": {"job": PROBE}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "probe", "image": "probe:1"}]},
    }}});
    match tried {
        Tried::Version => {}
        Tried::Fails => template["metadata"] = json!({"annotations": {ENDS: "a mistake of its own"}}),
        Tried::Hangs => template["metadata"] = json!({"annotations": {ENDS: "Never"}}),
        Tried::NoNode => template["spec"]["template"]["spec"]["schedulerName"] = json!("nobody"),
    }
    let cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": PROBE, "namespace": NAMESPACE, "labels": {"tidegate.io/check": "true", "app": NAME}},
        "spec": {"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": template},
    });
    apply(api, &flux(), CRON_JOBS, &cron_job)
}

fn flux() -> User {
    User::service_account("flux-system", "kustomize-controller")
}

/// Does one thing; the HTTP status that came of it, none where there is nothing that it could be done to.
pub fn happen(world: &mut World, trial: Trial) -> Option<u16> {
    let (person, admin) = (User::person("alice"), User::person("admin"));
    let now = world.cluster.api.now();
    let api = &mut world.cluster.api;
    let probe = format!("{CRON_JOBS}/{PROBE}");
    let there = api.get(&CRON_JOB, NAMESPACE, PROBE).is_some();
    match trial {
        Trial::Remove => there.then(|| delete(api, &person, &probe)),
        Trial::Anew => (!there).then(|| install(api)),
        Trial::Disallow => {
            there.then(|| merge(api, &person, &probe, &json!({"metadata": {"labels": {"tidegate.io/check": null}}})))
        }
        Trial::Allow => {
            there.then(|| merge(api, &person, &probe, &json!({"metadata": {"labels": {"tidegate.io/check": "true"}}})))
        }
        Trial::Program(tried) => there.then(|| program(api, tried)),
        Trial::DeleteJobs(span) => {
            world.trials.deletes_until = Some(now.plus(span));
            None
        }
        Trial::Drain(span) => {
            world.trials.drains_until = Some(now.plus(span));
            None
        }
        Trial::Quota(Some(more)) => {
            let jobs = api.list(&JOB, NAMESPACE).len() + more as usize;
            let quota = json!({
                "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": QUOTA, "namespace": NAMESPACE},
                "spec": {"hard": {"count/jobs.batch": jobs.to_string()}},
            });
            Some(apply(api, &admin, QUOTAS, &quota))
        }
        Trial::Quota(None) => lift(api, &admin),
    }
}

fn lift(api: &mut ApiServer, admin: &User) -> Option<u16> {
    let there = api.get(&RESOURCE_QUOTA, NAMESPACE, QUOTA).is_some();
    there.then(|| delete(api, admin, &format!("{QUOTAS}/{QUOTA}")))
}

/// What goes on for a while, at a moment.
pub fn step(world: &mut World, now: Time) {
    let lasts = |until: Option<Time>| until.is_some_and(|until| now < until);
    let person = User::person("alice");
    let api = &mut world.cluster.api;
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    // One that has just been made is let alone until it has begun.
    if lasts(world.trials.deletes_until) {
        let begun = |job: &&Value| job["status"]["active"] == 1 && job["status"]["conditions"].is_null();
        let jobs: Vec<String> = api.list(&JOB, NAMESPACE).into_iter().filter(begun).map(name).collect();
        for job in jobs {
            let background = "propagationPolicy=Background";
            call(api, &person, http::Method::DELETE, format!("{JOBS}/{job}"), background, "", &Value::Null);
        }
    }
    if lasts(world.trials.drains_until) {
        let of_job = |pod: &&Value| pod.pointer("/metadata/ownerReferences/0/kind").is_some_and(|kind| kind == "Job");
        let stays = |pod: &&Value| pod.pointer("/metadata/deletionTimestamp").is_none();
        let pods: Vec<String> = api.list(&POD, NAMESPACE).into_iter().filter(of_job).filter(stays).map(name).collect();
        for pod in pods {
            delete(api, &person, &format!("{PODS}/{pod}"));
        }
    }
}

/// Nobody gets in the way of Jobs any more.
pub fn mend(world: &mut World) {
    world.trials = Trials::default();
    let api = &mut world.cluster.api;
    let _ = lift(api, &User::person("admin"));
    if world.people.tried {
        install(api);
    }
}
