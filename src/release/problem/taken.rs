//! Another GatedRelease has what this one names.

use super::Problem;
use crate::release::snapshot::Snapshot;
use crate::release::twins::{Common, Taken};

impl Problem {
    /// The reason of a release whose workload another one has.
    pub const WORKLOAD_TAKEN: &str = "WorkloadTaken";
    /// The reason of a release whose Service another one divides the traffic of.
    pub const SERVICE_TAKEN: &str = "ServiceTaken";

    /// What another release has, as `Deployment checkout`.
    pub(in crate::release) fn common(seen: &Snapshot, what: Common) -> String {
        match what {
            Common::Workload => format!("{} {}", seen.kind(), seen.release.spec.workload_ref.name),
            Common::Service => format!("Service {}", seen.release.spec.traffic.service),
        }
    }

    pub(in crate::release) fn taken(seen: &Snapshot, taken: Taken<'_>) -> Self {
        let (namespace, name) = (&seen.release.namespace, &seen.release.name);
        let (other, has) = (&taken.by.name, Self::common(seen, taken.what));
        let (reason, field, elsewhere) = match taken.what {
            Common::Workload => (Self::WORKLOAD_TAKEN, "spec.workloadRef", "workload"),
            Common::Service => (Self::SERVICE_TAKEN, "spec.traffic.service", "Service"),
        };
        let since = taken.by.created.map(|at| format!(", created {}", at.clock())).unwrap_or_default();
        Self::steering(
            reason,
            format!(
                "{field}: GatedRelease {other}{since}, has {has}, and only one can have it: this one records nothing and writes nothing to it. Delete this one (kubectl delete gatedrelease {name} -n {namespace}), or create it anew for another {elsewhere}. It takes over when {other} is deleted or detached (kubectl tidegate detach {other} -n {namespace} --keep-label).",
            ),
        )
    }
}
