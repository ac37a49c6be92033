//! Which checks over HTTP are due, and whom they ask: Services that lead to pods, at the addresses that were observed.

use core::net::{IpAddr, SocketAddr};

use serde_json::Value;

use super::end_of_bake;
use crate::analysis::synthetic::Finding;
use crate::api::release_record::ReleaseRecordStatus;
use crate::api::synthetic::{Asks, HttpCheck, SyntheticCheck};
use crate::api::{Span, Time};
use crate::release::snapshot::{Listening, Snapshot};
use crate::release::split::Carrier;

/// A synthetic check over HTTP that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The check's name.
    pub name: String,
    /// What it asks, and what is right.
    pub http: HttpCheck,
    /// How long it may take.
    pub within: Span,
    /// The new version's Service.
    pub asked: Place,
    /// Stable's, asked the same where nothing comes back from the new version's; None where none of its pods is ready.
    pub control: Option<Place>,
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The Service's name.
    pub service: String,
    /// Its port.
    pub port: u16,
    /// Where it leads, as the API server said when the Service was found to lead to pods: no name is looked up later that could
    /// mean something else by then. Empty where nothing is known.
    pub sockets: Vec<SocketAddr>,
}

/// How one try of a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The check's name.
    pub name: String,
    /// When.
    pub at: Time,
    /// What it found out.
    pub found: Finding,
}

/// The checks that have not passed in the stage that is going on.
pub(in crate::release) fn pending<'a>(seen: &'a Snapshot, status: &ReleaseRecordStatus) -> Vec<&'a SyntheticCheck> {
    let passed = |check: &SyntheticCheck| status.checks.iter().any(|tried| tried.name == check.name && tried.passed);
    seen.release.spec.analysis.checks.iter().filter(|check| !passed(check)).collect()
}

/// Whether a Service leads to the pods that its selector selects, and nowhere else that its name could mean.
pub fn leads_to_pods(service: &Value) -> bool {
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    let external = service.pointer("/spec/type").and_then(Value::as_str) == Some("ExternalName");
    selector.is_some_and(|selector| !selector.is_empty()) && !external
}

/// Whether Tidegate may send requests of its own to the Service of a version: it leads to pods, so that nobody who may change a
/// Service sends the controller elsewhere.
pub(in crate::release) fn may_ask(seen: &Snapshot, carrier: Carrier) -> bool {
    match carrier {
        Carrier::Workload => seen.service.as_ref().is_some_and(|service| leads_to_pods(&service.object)),
        // A Service of Tidegate's that does not is made anew before it counts as there.
        Carrier::Canary | Carrier::Previous => seen.side(carrier).is_some_and(|side| side.endpoints.is_some()),
    }
}

/// Whether a pod of a version is ready behind its Service. One without any refuses each connection, and that is nobody's
/// answer; what it means that none is ready is not for checks to say.
fn somebody_answers(seen: &Snapshot, carrier: Carrier) -> bool {
    let ready = match carrier {
        Carrier::Workload => seen.service.as_ref().map(|service| service.ready_endpoints),
        Carrier::Canary | Carrier::Previous => seen.side(carrier).and_then(|side| side.endpoints),
    };
    ready.is_some_and(|ready| ready > 0)
}

/// So many pods are tried for a connection, where a Service's own address does not lead to all of them.
const PODS_MAX: usize = 4;

/// A port of the Service of a version; None where it may not be asked, or nobody would answer.
fn place(seen: &Snapshot, carrier: Carrier, port: u16) -> Option<Place> {
    (may_ask(seen, carrier) && somebody_answers(seen, carrier)).then_some(())?;
    let (spec, listening) = match carrier {
        Carrier::Workload => {
            let service = seen.service.as_ref()?;
            (service.object.get("spec")?, &service.listening)
        }
        Carrier::Canary | Carrier::Previous => {
            let side = seen.side(carrier)?;
            (side.service.as_ref()?, &side.listening)
        }
    };
    Some(Place { service: seen.service_of(carrier), port, sockets: sockets(spec, listening, port) })
}

/// Whether the address of a Service leads nowhere, or not to all of its pods: one that is headless has none, and one whose
/// `internalTrafficPolicy` is Local leads to pods of the caller's own node, of which the new version may have none there.
pub fn leads_by_pods(spec: &Value) -> bool {
    let says = |field: &str, value: &str| spec.get(field).and_then(Value::as_str) == Some(value);
    says("clusterIP", "None") || says("internalTrafficPolicy", "Local")
}

/// Where a port of a Service leads: to the Service's own addresses, or to its pods.
fn sockets(spec: &Value, listening: &Listening, port: u16) -> Vec<SocketAddr> {
    if leads_by_pods(spec) {
        return listening.get(&port).into_iter().flatten().copied().take(PODS_MAX).collect();
    }
    let all = spec.get("clusterIPs").and_then(Value::as_array).map(Vec::as_slice);
    let one = || spec.get("clusterIP").map(std::slice::from_ref);
    let own = all.or_else(one).unwrap_or_default().iter().filter_map(Value::as_str);
    own.filter_map(|ip| Some(SocketAddr::new(ip.parse::<IpAddr>().ok()?, port))).collect()
}

/// The checks over HTTP to try now: when the bake time of a stage is over, those that have not passed in it, one try an interval.
pub fn due(seen: &Snapshot, now: Time) -> Vec<Due> {
    let due = || {
        let record = seen.record.as_ref()?;
        let status = record.status.as_ref().filter(|status| status.outcome.is_none())?;
        (now >= end_of_bake(status)?).then_some(())?;
        let ports = ports(seen);
        let interval = seen.release.spec.analysis.interval;
        let rests = |check: &SyntheticCheck| {
            status.checks.iter().any(|tried| tried.name == check.name && now < tried.at.plus(interval))
        };
        let asks = pending(seen, status).into_iter().filter(|check| !rests(check));
        Some(
            asks.filter_map(|check| {
                let Asks::Http(http) = check.asks() else { return None };
                let port = http.port.or_else(|| ports.first().copied())?;
                let (name, within) = (check.name.clone(), check.within());
                let asked = place(seen, record.candidate(), port)?;
                Some(Due { name, http: http.clone(), within, asked, control: place(seen, record.base(), port) })
            })
            .collect(),
        )
    };
    due().unwrap_or_default()
}

/// The ports of the Service, which its copy for the new version has too.
pub(in crate::release) fn ports(seen: &Snapshot) -> Vec<u16> {
    let service = seen.service.as_ref().and_then(|service| service.object.pointer("/spec/ports")?.as_array());
    let port = |port: &Value| u16::try_from(port.get("port")?.as_u64()?).ok();
    service.into_iter().flatten().filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::both_families(json!({"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7", "fd00::7"]}), &["10.96.0.7:80", "[fd00::7]:80"])]
    #[case::before_there_were_two(json!({"clusterIP": "10.96.0.7"}), &["10.96.0.7:80"])]
    #[case::headless(json!({"clusterIP": "None", "clusterIPs": ["None"]}), &["10.0.0.1:8080"])]
    #[case::of_the_node_alone(json!({"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "internalTrafficPolicy": "Local"}), &["10.0.0.1:8080"])]
    #[case::without_an_address_yet(json!({}), &[])]
    #[case::another_name(json!({"type": "ExternalName", "externalName": "metadata.internal"}), &[])]
    fn a_service_is_asked_at_its_own_addresses_or_at_its_pods(#[case] spec: Value, #[case] wanted: &[&str]) {
        let pods = Listening::from([(80, vec!["10.0.0.1:8080".parse().unwrap()]), (81, Vec::new())]);
        let wanted: Vec<SocketAddr> = wanted.iter().map(|socket| socket.parse().unwrap()).collect();
        assert_eq!(sockets(&spec, &pods, 80), wanted);
    }
}
