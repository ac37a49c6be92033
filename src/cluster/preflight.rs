//! Reads what lies around a workload, for preflight: one bounded list a kind.
//!
//! A kind that the cluster does not have, or that may not be read, is a note and not an error; so is an add-on's kind that
//! cannot be read for another reason, such as a conversion webhook that is down.

use std::fmt;
use std::sync::Arc;

use futures::future::try_join_all;
use serde_json::Value;

use super::elsewhere::Shared;
use super::kind::{
    CONFIG_MAP, DEPLOYMENT, GATED_RELEASE, HTTP_ROUTE, JOB, NETWORK_POLICY, PDB, RISK_BUDGET, SERVICE, STATEFUL_SET,
};
use super::{Cluster, Error, Kind};
use crate::release::Snapshot;
use crate::release::labels::{Labels, labels};
use crate::release::preflight::elsewhere::selects_namespaces;
use crate::release::preflight::{Surroundings, Unseen, is_waited_for};

/// How many objects of a kind are looked at in a namespace.
const LIMIT: u32 = 500;

const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces");

const AUTOSCALER: Kind = Kind::new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
const QUOTA: Kind = Kind::new("", "v1", "ResourceQuota", "resourcequotas");
const CLAIM: Kind = Kind::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
const INGRESS: Kind = Kind::new("networking.k8s.io", "v1", "Ingress", "ingresses");
const GRPC_ROUTE: Kind = Kind::new("gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes");
const BACKEND_TLS: Kind = Kind::new("gateway.networking.k8s.io", "v1", "BackendTLSPolicy", "backendtlspolicies");
const X_BACKEND: Kind =
    Kind::new("gateway.networking.x-k8s.io", "v1alpha1", "XBackendTrafficPolicy", "xbackendtrafficpolicies");
const ENVOY_BACKEND: Kind =
    Kind::new("gateway.envoyproxy.io", "v1alpha1", "BackendTrafficPolicy", "backendtrafficpolicies");
pub(super) const SERVICE_MONITOR: Kind = Kind::new("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors");
pub(super) const POD_MONITOR: Kind = Kind::new("monitoring.coreos.com", "v1", "PodMonitor", "podmonitors");
pub(super) const AUTHORIZATION: Kind =
    Kind::new("security.istio.io", "v1", "AuthorizationPolicy", "authorizationpolicies");
pub(super) const PEER_AUTHENTICATION: Kind =
    Kind::new("security.istio.io", "v1", "PeerAuthentication", "peerauthentications");
const DESTINATION: Kind = Kind::new("networking.istio.io", "v1", "DestinationRule", "destinationrules");

/// Where objects of a kind are put.
type Into = fn(&mut Surroundings) -> &mut Vec<Value>;

/// Every kind that is listed, whether each cluster has it, and where its objects go. `docs/install.md` names the verbs.
const KINDS: &[(Kind, bool, Into)] = &[
    (SERVICE, true, |around| &mut around.services),
    (NETWORK_POLICY, true, |around| &mut around.network_policies),
    (PDB, true, |around| &mut around.budgets),
    (AUTOSCALER, true, |around| &mut around.autoscalers),
    (QUOTA, true, |around| &mut around.quotas),
    (HTTP_ROUTE, true, |around| &mut around.routes),
    (INGRESS, true, |around| &mut around.routes),
    (JOB, false, |around| &mut around.jobs),
    (GRPC_ROUTE, false, |around| &mut around.routes),
    (SERVICE_MONITOR, false, |around| &mut around.service_monitors),
    (POD_MONITOR, false, |around| &mut around.pod_monitors),
    (AUTHORIZATION, false, |around| &mut around.authorizations),
    (PEER_AUTHENTICATION, false, |around| &mut around.peer_authentications),
    (DESTINATION, false, |around| &mut around.destinations),
    (BACKEND_TLS, false, |around| &mut around.attached),
    (X_BACKEND, false, |around| &mut around.attached),
    (ENVOY_BACKEND, false, |around| &mut around.attached),
];

/// What Argo CD may apply after the workload, beside the others: of these nothing but metadata is asked for.
const APPLIED: [&Kind; 5] = [&DEPLOYMENT, &STATEFUL_SET, &CONFIG_MAP, &GATED_RELEASE, &RISK_BUDGET];

/// What lies around the workload of a snapshot. What other namespaces hold is of the last look that all releases share.
pub async fn surroundings(cluster: &Cluster, seen: &Snapshot, shared: &Shared) -> Result<Surroundings, Error> {
    let namespace = &seen.release.namespace;
    let (kind, workload) = (Kind::of_workload(seen.kind()), &seen.release.spec.workload_ref.name);
    let lists = try_join_all(KINDS.iter().map(|(kind, core, _)| listed(cluster, kind, namespace, *core)));
    let claims = try_join_all(claim_names(seen).into_iter().map(|name| claim(cluster, namespace, name)));
    // No pods under another label, and so nothing that misses them.
    let elsewhere = async { if seen.by_count() { Ok(Arc::default()) } else { shared.seen(cluster).await } };
    let object = cluster.get(kind, namespace, workload);
    let (lists, claims, object, elsewhere) = tokio::try_join!(lists, claims, object, elsewhere)?;
    let mut around = Surroundings {
        workload: object.unwrap_or_default(),
        elsewhere: Arc::unwrap_or_clone(elsewhere),
        ..Surroundings::default()
    };
    for ((_, _, place), (items, unseen)) in KINDS.iter().zip(lists) {
        place(&mut around).extend(items);
        around.unseen.extend(unseen);
    }
    for claim in claims {
        match claim {
            Ok(claim) => around.claims.push(claim),
            Err(unseen) => around.unseen.push(unseen),
        }
    }
    if around.elsewhere.network_policies.iter().chain(&around.network_policies).any(selects_namespaces) {
        match home(cluster, namespace).await? {
            Ok(labels) => around.home = labels,
            Err(unseen) => around.unseen.push(unseen),
        }
    }
    if is_waited_for(seen, &around.workload) {
        let lists = APPLIED.map(|kind| async move {
            read(kind, "", false, LIMIT, cluster.list_some_metadata(kind, namespace, LIMIT).await)
        });
        for (items, unseen) in try_join_all(lists).await? {
            around.applied.extend(items);
            around.unseen.extend(unseen);
        }
    }
    Ok(around)
}

/// The objects of a kind, and what is to be said of the list.
async fn listed(cluster: &Cluster, kind: &Kind, namespace: &str, core: bool) -> Result<Listed, Error> {
    read(kind, "", core, LIMIT, cluster.list_some(kind, namespace, "", LIMIT).await)
}

/// Objects of a kind, and what is to be said of the list.
pub(super) type Listed = (Vec<Value>, Option<Unseen>);

/// An answer to a list: with the kind written in each object, and with a note instead of an error where that is enough. `of` says
/// of which namespaces they are, where it is not the release's own.
pub(super) fn read(
    kind: &Kind,
    of: &str,
    core: bool,
    limit: impl fmt::Display,
    answer: Result<(Vec<Value>, bool), Error>,
) -> Result<Listed, Error> {
    let unseen = |why: String, exists: bool| {
        let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
        Some(Unseen { kind: format!("{}{group}{of}", kind.kind), why, exists })
    };
    match answer {
        Ok((mut items, more)) => {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.insert("kind".to_owned(), kind.kind.into());
            }
            let note = more.then(|| unseen(format!("there are more than {limit}, and the others were left out"), true));
            Ok((items, note.flatten()))
        }
        Err(Error::Refused { code: 404, .. }) => {
            Ok((Vec::new(), unseen("the cluster does not serve it".into(), false)))
        }
        Err(Error::Refused { code: 403, .. }) => Ok((Vec::new(), unseen(forbidden(kind), true))),
        // What each cluster has decides too much to be skipped for a moment's failure.
        Err(error) if core => Err(error),
        Err(Error::Refused { code, .. }) => Ok((Vec::new(), unseen(format!("the API server answers {code}"), true))),
        Err(error) => Ok((Vec::new(), unseen(error.kind().to_owned(), true))),
    }
}

fn forbidden(kind: &Kind) -> String {
    format!("the verb list on {} is not granted", kind.plural)
}

/// Labels of the namespace. Where they may not be read, it is known by its name alone.
async fn home(cluster: &Cluster, namespace: &str) -> Result<Result<Labels, Unseen>, Error> {
    match cluster.get_metadata(&NAMESPACE, "", namespace).await {
        Ok(object) => Ok(Ok(labels(&object.unwrap_or_default(), "/metadata/labels"))),
        Err(Error::Refused { code: 403, .. }) => {
            let why =
                "the verb get on namespaces is not granted, so that policies find it by its name alone".to_owned();
            Ok(Err(Unseen { kind: format!("{} {namespace}", NAMESPACE.kind), why, exists: true }))
        }
        Err(other) => Err(other),
    }
}

/// Claims that the workload's template mounts.
fn claim_names(seen: &Snapshot) -> Vec<&str> {
    let volumes = seen.workload.as_ref().and_then(|workload| workload.template.pointer("/spec/volumes")?.as_array());
    let names = volumes.into_iter().flatten();
    names.filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str()).collect()
}

type Claim = (String, Option<Value>);

async fn claim(cluster: &Cluster, namespace: &str, name: &str) -> Result<Result<Claim, Unseen>, Error> {
    match cluster.get(&CLAIM, namespace, name).await {
        Ok(claim) => Ok(Ok((name.to_owned(), claim))),
        Err(Error::Refused { code: 403, .. }) => {
            let why = format!("the verb get on {} is not granted", CLAIM.plural);
            Ok(Err(Unseen { kind: format!("{} {name}", CLAIM.kind), why, exists: true }))
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn refused(code: u16) -> Result<(Vec<Value>, bool), Error> {
        Err(Error::Refused { what: "list".into(), code, why: "no".into() })
    }

    const OF: &str = " of other namespaces";

    #[rstest]
    #[case::forbidden(&NETWORK_POLICY, true, refused(403), Some((true, "NetworkPolicy.networking.k8s.io of other namespaces could not be looked at: the verb list on networkpolicies is not granted")))]
    #[case::not_served(&POD_MONITOR, false, refused(404), Some((false, "PodMonitor.monitoring.coreos.com of other namespaces could not be looked at: the cluster does not serve it")))]
    #[case::an_add_on_that_is_down(&POD_MONITOR, false, refused(500), Some((true, "PodMonitor.monitoring.coreos.com of other namespaces could not be looked at: the API server answers 500")))]
    #[case::too_many(&SERVICE, true, Ok((vec![json!({})], true)), Some((true, "Service of other namespaces could not be looked at: there are more than 5, and the others were left out")))]
    #[case::all(&SERVICE, true, Ok((vec![json!({})], false)), None)]
    fn what_may_not_be_listed_is_a_note(
        #[case] kind: &Kind,
        #[case] core: bool,
        #[case] answer: Result<(Vec<Value>, bool), Error>,
        #[case] wanted: Option<(bool, &str)>,
    ) {
        let (items, note) = read(kind, OF, core, 5, answer).unwrap();
        assert!(items.iter().all(|item| item["kind"] == kind.kind));
        let note = note.map(|note| (note.exists, note.to_string()));
        assert_eq!(note, wanted.map(|(exists, text)| (exists, text.to_owned())));
    }

    #[test]
    fn a_failure_of_what_each_cluster_has_is_an_error() {
        assert!(read(&NETWORK_POLICY, OF, true, 5, refused(500)).is_err());
    }
}
