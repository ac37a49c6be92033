//! Services and the endpoints behind them that are ready.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use super::{items, strings, text};
use crate::cluster::kind::ENDPOINT_SLICE;
use crate::cluster::{Cluster, Error};
use crate::release::ask::leads_by_pods;
use crate::release::snapshot::{Listening, ServiceSeen, service_of};
use crate::release::split::Carrier;

/// The label of an EndpointSlice that names its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Ready endpoints by Service.
#[derive(Debug, Default)]
pub(super) struct Endpoints(BTreeMap<String, Ready>);

/// What is ready behind one Service.
#[derive(Debug, Default)]
struct Ready {
    pods: BTreeSet<String>,
    /// By the name of a port: empty where it has none.
    listening: BTreeMap<String, Vec<SocketAddr>>,
}

impl Endpoints {
    pub(super) fn of(&self, service: &str) -> u32 {
        self.0.get(service).map_or(0, |ready| u32::try_from(ready.pods.len()).unwrap_or(u32::MAX))
    }

    /// Where the pods of a Service listen, where its own address does not lead to all of them.
    pub(super) fn listening(&self, service: &str, object: &Value) -> Listening {
        let by_pods = object.get("spec").is_some_and(leads_by_pods);
        let Some(ready) = self.0.get(service).filter(|_| by_pods) else { return Listening::new() };
        let place = |port: &Value| {
            let number = u16::try_from(port["port"].as_u64()?).ok()?;
            Some((number, ready.listening.get(text(port, "/name").unwrap_or_default())?.clone()))
        };
        items(object, "/spec/ports").iter().filter_map(place).collect()
    }
}

/// The ready endpoints of the Service, its canary and its previous Service, in one request.
pub(super) async fn ready_endpoints(cluster: &Cluster, namespace: &str, service: &str) -> Result<Endpoints, Error> {
    let names = [Carrier::Workload, Carrier::Canary, Carrier::Previous].map(|carrier| service_of(service, carrier));
    let slices = cluster.list(&ENDPOINT_SLICE, namespace, &format!("{SERVICE_NAME} in ({})", names.join(","))).await?;
    Ok(count(&slices))
}

/// A pod that stands in two slices, such as one a family, counts once.
fn count(slices: &[Value]) -> Endpoints {
    let mut all: BTreeMap<String, Ready> = BTreeMap::new();
    for slice in slices {
        let Some(service) = strings(slice, "/metadata/labels").remove(SERVICE_NAME) else { continue };
        let ready = all.entry(service).or_default();
        for endpoint in items(slice, "/endpoints") {
            // Not said means ready, as the API defines it.
            if !endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true) {
                continue;
            }
            // Further addresses of one are for nobody to use, as the API says.
            let address = text(endpoint, "/addresses/0");
            ready.pods.extend(text(endpoint, "/targetRef/uid").or(address).map(str::to_owned));
            let Some(ip) = address.and_then(|ip| ip.parse::<IpAddr>().ok()) else { continue };
            for port in items(slice, "/ports") {
                let Some(number) = port["port"].as_u64().and_then(|port| u16::try_from(port).ok()) else { continue };
                let name = text(port, "/name").unwrap_or_default().to_owned();
                ready.listening.entry(name).or_default().push(SocketAddr::new(ip, number));
            }
        }
    }
    Endpoints(all)
}

pub(super) fn seen(object: Value, name: &str, endpoints: &Endpoints) -> ServiceSeen {
    ServiceSeen {
        selector: strings(&object, "/spec/selector"),
        ready_endpoints: endpoints.of(name),
        listening: endpoints.listening(name, &object),
        object,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
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
    #[rstest]
    #[case::headless("None", &[(80, "10.0.0.1:8080"), (9000, "10.0.0.1:9000")])]
    #[case::with_an_address_of_its_own("10.96.0.7", &[])]
    fn where_the_pods_of_a_service_without_an_address_listen(#[case] ip: &str, #[case] wanted: &[(u16, &str)]) {
        let slices = [
            json!({"metadata": {"labels": {SERVICE_NAME: "web"}}, "addressType": "IPv4",
                "ports": [{"name": "http", "port": 8080}, {"name": "admin", "port": 9000}],
                "endpoints": [{"addresses": ["10.0.0.1", "10.0.0.9"]}, {"addresses": ["10.0.0.2"], "conditions": {"ready": false}}]}),
            json!({"metadata": {"labels": {SERVICE_NAME: "web"}}, "addressType": "FQDN", "ports": [{"name": "http", "port": 80}],
                "endpoints": [{"addresses": ["metadata.internal"]}]}),
        ];
        let service = json!({"spec": {"clusterIP": ip, "ports": [
            {"name": "http", "port": 80}, {"name": "admin", "port": 9000}, {"name": "none", "port": 7000}]}});
        let wanted: Listening = wanted.iter().map(|(port, at)| (*port, vec![at.parse().unwrap()])).collect();
        assert_eq!(count(&slices).listening("web", &service), wanted);
    }
}
