//! ResourceQuotas: whether the worst moment of a release fits.

use serde::Serialize;

use super::facts::{Facts, Way, text};
use super::surroundings::Surroundings;
use super::{Finding, Reason, Severity};
use crate::release::capacity::quota::{Demand, Made};
use crate::release::capacity::{Peak, Row};
use crate::release::clones::clone;
use crate::release::clones::is_made;
use crate::release::snapshot::Snapshot;
use crate::release::split::Carrier;

/// What a release needs at its worst moment, and what each quota leaves for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capacity {
    /// Pods.
    pub peak: Peak,
    /// Every resource that a quota counts and a release touches.
    pub quotas: Vec<Row>,
    /// What a quota counts and the template does not say, as quota and resource.
    #[serde(skip)]
    pub unsaid: Vec<(String, String)>,
}

/// The worst moment of a release of what stands in the workload; none without a workload.
pub fn capacity(seen: &Snapshot, around: &Surroundings) -> Option<Capacity> {
    Facts::of(seen, around).map(|facts| of(&facts))
}

fn of(facts: &Facts<'_>) -> Capacity {
    let strategy = &facts.seen.release.spec.strategy;
    let workload = facts.workload;
    let (replicas, rolls) = (workload.replicas, workload.spec.get("strategy"));
    let (peak, made) = match facts.way {
        Way::Routes => (
            Peak::of(replicas, strategy.capacity, strategy.fallback_percent, rolls),
            Made::Sides { policies: cloned(facts), autoscaler: !facts.seen.autoscalers.is_empty() },
        ),
        Way::Beside => (Peak::by_count(replicas, rolls), Made::Canary),
        Way::Within => (Peak::within(replicas), Made::Nothing),
    };
    let pods = |carrier: Carrier| {
        let side = facts.seen.side(carrier).and_then(|side| side.deployment.as_ref());
        side.map_or(0, |deployment| deployment.replicas)
    };
    let there = (pods(Carrier::Canary), pods(Carrier::Previous));
    let demand = Demand::of(peak, facts.old, &workload.template, there, made);
    let (mut quotas, mut unsaid) = (Vec::new(), Vec::new());
    for quota in &facts.around.quotas {
        let (rows, missing) = demand.rows(quota);
        quotas.extend(rows);
        unsaid.extend(missing.into_iter().map(|resource| (text(quota, "/metadata/name").to_owned(), resource)));
    }
    Capacity { peak, quotas, unsaid }
}

fn cloned(facts: &Facts<'_>) -> u32 {
    if !facts.seen.release.spec.traffic.clone_network_policies {
        return 0;
    }
    let policies = facts.around.network_policies.iter().filter(|policy| !is_made(policy));
    let copies = policies.flat_map(|policy| {
        facts
            .copies
            .iter()
            .filter(move |copy| clone(facts.seen, policy, copy.carrier, &copy.relabel, &copy.plain).is_some())
    });
    u32::try_from(copies.count()).unwrap_or(u32::MAX)
}

/// The release would stop half-way, with pods that the API server refuses.
pub(super) fn too_small(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.is_under_way() {
        return;
    }
    let Capacity { peak, quotas, unsaid } = of(facts);
    let remedy = match facts.way {
        Way::Routes => {
            "Raise the quota, set spec.strategy.capacity to Lean, lower spec.strategy.fallbackPercent, or give the Deployment a smaller maxSurge"
        }
        Way::Beside => "Raise the quota, or give the Deployment a smaller maxSurge or fewer replicas",
        Way::Within => "Raise the quota, or let the template's containers ask for less",
    };
    for row in quotas.iter().filter(|row| row.left() < Default::default()) {
        let of = |quantity: crate::release::capacity::Quantity| quantity.of(&row.resource);
        let message = format!(
            "{}: a release needs {} more at its worst moment, {} of {} are free ({} pods: {}). {remedy}.",
            row.resource,
            of(row.needed),
            of((row.hard - row.used).max(Default::default())),
            of(row.hard),
            peak.pods(),
            peak.parts()
        );
        let object = format!("ResourceQuota {}/{}", facts.namespace(), row.quota);
        found.push(Finding { reason: Reason::QuotaTooSmall.as_str(), severity: Severity::Refuse, object, message });
    }
    for (quota, resource) in unsaid {
        let message = format!(
            "It counts {resource}, which not every container of the template says, so that the defaults of a LimitRange decide: whether a release fits is not computed. State it in the containers' resources."
        );
        let object = format!("ResourceQuota {}/{quota}", facts.namespace());
        found.push(Finding { reason: Reason::QuotaNotComputed.as_str(), severity: Severity::Warn, object, message });
    }
}
