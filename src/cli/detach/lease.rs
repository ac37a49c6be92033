//! Who leads, as the Lease shows it to somebody who looks once.

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};

use crate::cli::controller::LEASE;
use crate::cli::{Failure, why};

/// How far clocks may be apart before a Lease that ran out is taken for one that is kept. Only a first guess rests on it:
/// the Lease itself is taken by who watched it for its whole duration.
const SKEW_SECONDS: i64 = 5;

/// Who would write.
pub(super) enum Leads {
    /// A controller, by its name in the Lease.
    Controller(String),
    /// Nobody; the namespace of the Lease, where there is one or may be one.
    Nobody(Option<String>),
}

/// Looks at the Lease in its namespace, or wherever it is.
pub(super) async fn who_leads(client: &Client, namespace: Option<&str>, offline: bool) -> Result<Leads, Failure> {
    let found = match namespace {
        Some(namespace) => Api::<Lease>::namespaced(client.clone(), namespace).get_opt(LEASE).await.map(Vec::from_iter),
        None => {
            let params = ListParams::default().fields(&format!("metadata.name={LEASE}"));
            Api::<Lease>::all(client.clone()).list(&params).await.map(|all| all.items)
        }
    };
    let found = found.map_err(|error| {
        format!("the controller's Lease {LEASE}: {}. Name its namespace: --controller-namespace NAMESPACE", why(&error))
    })?;
    match (found.as_slice(), namespace) {
        ([lease], _) => match (holder(lease, jiff::Timestamp::now()), offline) {
            (Some(holder), true) => Err(format!(
                "--offline: controller {holder} leads, and two would write. Leave the flag out, or stop it first: kubectl scale deployment -n {} tidegate --replicas 0",
                lease.namespace().unwrap_or_default()
            )),
            (Some(holder), false) => Ok(Leads::Controller(holder)),
            (None, _) => Ok(Leads::Nobody(lease.namespace())),
        },
        ([], Some(namespace)) => Ok(Leads::Nobody(Some(namespace.to_owned()))),
        // Whether a controller runs that asks no Lease, only the user knows.
        ([], None) if offline => Ok(Leads::Nobody(None)),
        ([], None) => Err(format!(
            "there is no Lease {LEASE} in this cluster, so no controller can be asked. If none runs, not even one without leader election: run the command again with --offline"
        )),
        ([..], _) => {
            let places: Vec<_> = found.iter().filter_map(ResourceExt::namespace).collect();
            Err(format!(
                "Leases named {LEASE} are in several namespaces ({}): say which is the controller's: --controller-namespace NAMESPACE",
                places.join(", ")
            ))
        }
    }
}

/// Who holds the Lease at that moment, as far as its own times tell.
fn holder(lease: &Lease, now: jiff::Timestamp) -> Option<String> {
    let spec = lease.spec.as_ref()?;
    let holder = spec.holder_identity.clone().filter(|holder| !holder.is_empty())?;
    let renewed = spec.renew_time.as_ref()?.0.as_second();
    let good_for = i64::from(spec.lease_duration_seconds.unwrap_or(15)) + SKEW_SECONDS;
    (now.as_second() <= renewed + good_for).then_some(holder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::kept("tidegate-1", 10, Some("tidegate-1"))]
    #[case::ran_out("tidegate-1", 60, None)]
    #[case::given_back("", 1, None)]
    fn a_lease_is_held_while_it_is_renewed(#[case] name: &str, #[case] age: i64, #[case] wanted: Option<&str>) {
        let now: jiff::Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let renewed = jiff::Timestamp::from_second(now.as_second() - age).unwrap();
        let lease = json!({"metadata": {"name": "tidegate"}, "spec": {
            "holderIdentity": name, "leaseDurationSeconds": 15, "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()}});
        assert_eq!(holder(&serde_json::from_value(lease).unwrap(), now).as_deref(), wanted);
    }
}
