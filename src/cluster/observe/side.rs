//! The objects that carry the canary or the previous version.

use serde_json::Value;

use super::service::Endpoints;
use super::{items, number, strings, text, workload};
use crate::api::names::{RELEASE, REVISION, ROLE};
use crate::cluster::kind::{POD, SERVICE};
use crate::cluster::{Cluster, Error};
use crate::release::ask::leads_to_pods;
use crate::release::snapshot::{Release, Side, SideDeployment, service_of};
use crate::release::split::Carrier;

/// How many crashes are named.
pub(super) const CRASHES_MAX: usize = 4;

/// A side's Deployment, and what it is looked for among: what was read of the namespace already.
pub(super) struct Objects<'a> {
    pub(super) carrier: Carrier,
    pub(super) deployment: Option<Value>,
    pub(super) autoscalers: &'a [Value],
    pub(super) disruption_budgets: &'a [Value],
}

/// Reads a side; its Service only where it can matter.
pub(super) async fn read(
    cluster: &Cluster,
    release: &Release,
    objects: Objects<'_>,
    busy: bool,
    endpoints: &Endpoints,
) -> Result<Option<Side>, Error> {
    let Objects { carrier, deployment, autoscalers, disruption_budgets } = objects;
    let namespace = &release.namespace;
    let service_name = service_of(&release.spec.traffic.service, carrier);
    let name = service_of(&release.spec.workload_ref.name, carrier);
    // Where exposure is by count, the canary needs none: the user's own means its pods too.
    let service = match busy && !release.spec.traffic.by_count() {
        true => cluster.get(&SERVICE, namespace, &service_name).await?,
        false => None,
    };
    let named =
        |all: &[Value]| all.iter().find(|object| text(object, "/metadata/name") == Some(name.as_str())).cloned();
    let (autoscaler, pdb) = (named(autoscalers), named(disruption_budgets));
    let all = [
        ("Deployment", &deployment),
        ("Service", &service),
        ("PodDisruptionBudget", &pdb),
        ("HorizontalPodAutoscaler", &autoscaler),
    ];
    if all.iter().all(|(_, object)| object.is_none()) {
        return Ok(None);
    }
    let foreign = all.iter().find_map(|(kind, object)| {
        let object = object.as_ref().filter(|object| !is_ours(object, release, carrier))?;
        Some(format!("{kind} {namespace}/{}", text(object, "/metadata/name").unwrap_or_default()))
    });
    let ours = |object: Option<Value>| object.filter(|object| is_ours(object, release, carrier));
    // One that was turned to somewhere else is made anew.
    let service = ours(service).filter(leads_to_pods);
    let deployment = match ours(deployment) {
        None => None,
        Some(object) => {
            let crashes = match carrier {
                Carrier::Canary if release.spec.traffic.by_count() => Vec::new(),
                Carrier::Canary => crashes(cluster, namespace, &object).await?,
                Carrier::Workload | Carrier::Previous => Vec::new(),
            };
            Some(seen(object, crashes))
        }
    };
    Ok(Some(Side {
        carrier,
        deployment,
        endpoints: service.as_ref().map(|_| endpoints.of(&service_name)),
        listening: service.as_ref().map(|service| endpoints.listening(&service_name, service)).unwrap_or_default(),
        service: service.map(|mut service| service["spec"].take()),
        pdb: ours(pdb).is_some(),
        autoscaler: ours(autoscaler).map(|mut autoscaler| autoscaler["spec"].take()),
        foreign,
    }))
}

fn is_ours(object: &Value, release: &Release, carrier: Carrier) -> bool {
    let labels = strings(object, "/metadata/labels");
    labels.get(RELEASE) == Some(&release.name) && labels.get(ROLE).map(String::as_str) == Some(carrier.as_str())
}

fn seen(mut object: Value, crashes: Vec<String>) -> SideDeployment {
    SideDeployment {
        revision: strings(&object, "/metadata/annotations").remove(REVISION).unwrap_or_default(),
        replicas: number(&object, "/spec/replicas").unwrap_or(1),
        available: available(&object),
        deleting: object.pointer("/metadata/deletionTimestamp").is_some(),
        refused: refused(&object),
        template: object["spec"]["template"].take(),
        crashes,
    }
}

/// Why pods cannot be made, as the Deployment's controller says it (condition ReplicaFailure): a quota, mostly. Without the
/// pod's name, which is another at every attempt.
pub(super) fn refused(object: &Value) -> Option<String> {
    let failure = items(object, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == "ReplicaFailure" && condition["status"] == "True")?;
    let message = text(failure, "/message").filter(|message| !message.is_empty()).unwrap_or("no reason is given");
    Some(message.split_once(" is forbidden: ").map_or(message, |(_, why)| why).chars().take(200).collect())
}

/// Available pods of the present template: none until the Deployment's controller has seen it, and none of an older one.
fn available(object: &Value) -> u32 {
    let whole = |place: &str| object.pointer(place).and_then(Value::as_i64).unwrap_or(0);
    if whole("/status/observedGeneration") < whole("/metadata/generation") {
        return 0;
    }
    let of = |place: &str| number(object, place).unwrap_or(0);
    let older = of("/status/replicas").saturating_sub(of("/status/updatedReplicas"));
    of("/status/availableReplicas").saturating_sub(older)
}

async fn crashes(cluster: &Cluster, namespace: &str, deployment: &Value) -> Result<Vec<String>, Error> {
    let Some(selector) = workload::selector(deployment) else { return Ok(Vec::new()) };
    let pods = cluster.list(&POD, namespace, &selector).await?;
    Ok(pods.iter().flat_map(|pod| crashed_containers(pod, 1)).take(CRASHES_MAX).collect())
}

/// Containers of a pod that ended with an error and were, or will be, started again: so often at least, or again and again.
pub(super) fn crashed_containers(pod: &Value, restarted: u32) -> Vec<String> {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return Vec::new();
    }
    let name = text(pod, "/metadata/name").unwrap_or_default();
    let all = items(pod, "/status/containerStatuses").iter().chain(items(pod, "/status/initContainerStatuses"));
    let crashed = all.filter_map(|status| {
        let restarts = number(status, "/restartCount").unwrap_or(0);
        let ended =
            [status.pointer("/state/terminated"), status.pointer("/lastState/terminated")].into_iter().flatten().next();
        let code = ended.and_then(|ended| ended["exitCode"].as_i64()).unwrap_or(0);
        let looping = text(status, "/state/waiting/reason") == Some("CrashLoopBackOff");
        if !looping && (code == 0 || restarts < restarted) {
            return None;
        }
        let why = if looping {
            "CrashLoopBackOff"
        } else {
            ended.and_then(|ended| text(ended, "/reason")).unwrap_or("Error")
        };
        let container = text(status, "/name").unwrap_or_default();
        let times = if restarts == 1 { "restart" } else { "restarts" };
        Some(format!("{name}/{container}: {why}, exit code {code}, {restarts} {times}"))
    });
    crashed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn pod(status: Value) -> Value {
        json!({"metadata": {"name": "web-canary-1"}, "status": {"containerStatuses": [status]}})
    }

    #[rstest]
    #[case(json!({"name": "app", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}}),
        Some("web-canary-1/app: CrashLoopBackOff, exit code 1, 4 restarts"))]
    #[case(json!({"name": "app", "restartCount": 1, "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}),
        Some("web-canary-1/app: OOMKilled, exit code 137, 1 restart"))]
    #[case(json!({"name": "app", "restartCount": 0, "state": {"running": {}}}), None)]
    #[case(json!({"name": "app", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}), None)]
    fn a_container_that_crashed_is_named(#[case] status: Value, #[case] says: Option<&str>) {
        assert_eq!(crashed_containers(&pod(status), 1).first().map(String::as_str), says);
    }

    #[rstest]
    #[case::started_again_once(1, "running", false)]
    #[case::twice(2, "running", true)]
    #[case::waits_to_be(1, "waiting", true)]
    fn where_it_runs_for_hours_one_crash_says_nothing(
        #[case] restarts: u32,
        #[case] state: &str,
        #[case] crashed: bool,
    ) {
        let status = json!({"name": "app", "restartCount": restarts, "state": {state: {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1}}});
        assert_eq!(!crashed_containers(&pod(status), 2).is_empty(), crashed);
    }

    #[test]
    fn why_pods_cannot_be_made_is_the_same_at_every_attempt() {
        let failure = |pod: &str| {
            let message = format!(
                "pods \"{pod}\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=6, limited: pods=3"
            );
            json!({"status": {"conditions": [{"type": "Available", "status": "True"}, {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]}})
        };
        let why = refused(&failure("web-previous-5f-abcde"));
        assert_eq!(why.as_deref(), Some("exceeded quota: small, requested: pods=1, used: pods=6, limited: pods=3"));
        assert_eq!(refused(&failure("web-previous-5f-vwxyz")), why);
        assert_eq!(refused(&json!({"status": {"conditions": [{"type": "ReplicaFailure", "status": "False"}]}})), None);
    }

    #[rstest]
    #[case(json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "availableReplicas": 4, "replicas": 4, "updatedReplicas": 4}}), 0)]
    #[case(json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "availableReplicas": 4, "replicas": 4, "updatedReplicas": 4}}), 4)]
    #[case(json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "availableReplicas": 4, "replicas": 5, "updatedReplicas": 2}}), 1)]
    fn only_pods_of_the_present_template_count(#[case] deployment: Value, #[case] pods: u32) {
        assert_eq!(available(&deployment), pods);
    }
}
