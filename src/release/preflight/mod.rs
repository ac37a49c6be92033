//! What lies around a workload and would break a release, or miss its canary: found by name, before anything starts.
//!
//! One function a rule, one file a group, one visible list. A rule looks at what selectors select, not at names alone, and
//! says by the way a new version gets its users (`facts::Way`) whether it has a meaning where no route divides the traffic. Here
//! belongs what can be told from objects; what must never enter: a request, or a rule about whether the *change* may ship.

mod argo;
mod attached;
pub mod elsewhere;
mod facts;
mod mesh;
mod metrics;
mod network;
mod peers;
mod placement;
mod quota;
mod reason;
mod services;
mod surroundings;
mod volumes;
mod workload;

use serde::Serialize;

use super::snapshot::Snapshot;
use facts::Facts;

pub use argo::is_waited_for;
pub use quota::{Capacity, capacity};
pub use reason::Reason;
pub use surroundings::{Surroundings, Unseen};
pub use workload::hold_owners;

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Severity {
    /// It would break the release: nothing starts until it is mended.
    Refuse,
    /// Somebody should know; releases go on.
    Warn,
}

/// One thing in the way of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// One word for programs: a [`Reason`], for each of which docs/preflight.md has a section, or that of a problem which
    /// `tidegate preflight` tells of beside them.
    pub reason: &'static str,
    /// What it does.
    pub severity: Severity,
    /// The object, such as `NetworkPolicy shop/allow-gateway`.
    pub object: String,
    /// What is wrong, why it matters, and the remedy.
    pub message: String,
}

/// What one look at the surroundings found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Preflight {
    /// What is in the way; what is refused first.
    pub findings: Vec<Finding>,
    /// What could not be looked at, each in a sentence. Kinds that the cluster does not have are not among them.
    pub unseen: Vec<String>,
}

impl Preflight {
    /// The findings that keep a release from starting.
    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Refuse)
    }
}

/// One rule: looks at what was seen and adds what it finds.
type Rule = fn(&Facts<'_>, &mut Vec<Finding>);

const RULES: &[Rule] = &[
    workload::settled,
    workload::history,
    workload::partition_by_others,
    workload::paused_by_others,
    workload::partition_in_manifest,
    workload::glass_stands,
    argo::hook,
    argo::later,
    workload::autoscalers,
    network::policies,
    peers::here,
    peers::elsewhere,
    network::authorization,
    mesh::strict,
    services::others,
    services::exposed,
    services::ungoverned,
    services::backend_filters,
    services::disruption,
    attached::policies,
    attached::destinations,
    metrics::service_monitors,
    metrics::pod_monitors,
    volumes::claims,
    volumes::host_paths,
    placement::ports,
    placement::affinity,
    placement::field_refs,
    quota::too_small,
];

/// Everything that is found; no rule stops at the first.
pub fn preflight(seen: &Snapshot, around: &Surroundings) -> Preflight {
    let mut findings = Vec::new();
    let unseen = around.unseen.iter().chain(&around.elsewhere.unseen).filter(|unseen| unseen.exists);
    let mut unseen: Vec<_> = unseen.map(ToString::to_string).collect();
    if let Some(facts) = Facts::of(seen, around) {
        for rule in RULES {
            rule(&facts, &mut findings);
        }
        unseen.extend(argo::not_seen(&facts));
    }
    findings.sort_by_key(|finding| finding.severity);
    Preflight { findings, unseen }
}

#[cfg(test)]
mod tests;
