//! Services and the endpoints behind them that are ready.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{items, strings, text};
use crate::cluster::kind::ENDPOINT_SLICE;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::{ServiceSeen, service_of};
use crate::release::split::Carrier;

/// The label of an EndpointSlice that names its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Ready endpoints by Service.
#[derive(Debug, Default)]
pub(super) struct Endpoints(BTreeMap<String, u32>);

impl Endpoints {
    pub(super) fn of(&self, service: &str) -> u32 {
        self.0.get(service).copied().unwrap_or(0)
    }
}

/// The ready endpoints of the Service, its canary and its previous Service, in one request.
pub(super) async fn ready_endpoints(cluster: &Cluster, namespace: &str, service: &str) -> Result<Endpoints, Error> {
    let names = [Carrier::Workload, Carrier::Canary, Carrier::Previous].map(|carrier| service_of(service, carrier));
    let slices = cluster.list(&ENDPOINT_SLICE, namespace, &format!("{SERVICE_NAME} in ({})", names.join(","))).await?;
    Ok(count(&slices))
}

/// An address that stands in two slices, such as one a family, counts once.
fn count(slices: &[Value]) -> Endpoints {
    let mut ready: BTreeMap<String, std::collections::BTreeSet<String>> = BTreeMap::new();
    for slice in slices {
        let Some(service) = strings(slice, "/metadata/labels").remove(SERVICE_NAME) else { continue };
        let pods = ready.entry(service).or_default();
        for endpoint in items(slice, "/endpoints") {
            // Not said means ready, as the API defines it.
            if endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true) {
                let pod = text(endpoint, "/targetRef/uid").or_else(|| text(endpoint, "/addresses/0"));
                pods.extend(pod.map(str::to_owned));
            }
        }
    }
    Endpoints(
        ready.into_iter().map(|(service, pods)| (service, u32::try_from(pods.len()).unwrap_or(u32::MAX))).collect(),
    )
}

pub(super) fn seen(object: Value, ready_endpoints: u32) -> ServiceSeen {
    ServiceSeen { selector: strings(&object, "/spec/selector"), ready_endpoints, object }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_counts_once_and_only_when_it_is_ready() {
        let slice = |family: &str, endpoints: Value| json!({"metadata": {"labels": {SERVICE_NAME: "web"}}, "addressType": family, "endpoints": endpoints});
        let end = |uid: &str, address: &str, ready: bool| json!({"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"uid": uid}});
        let slices = [
            slice("IPv4", json!([end("a", "10.0.0.1", true), end("b", "10.0.0.2", false)])),
            slice("IPv6", json!([end("a", "fd::1", true)])),
        ];
        assert_eq!((count(&slices).of("web"), count(&slices).of("other")), (1, 0));
    }
}
