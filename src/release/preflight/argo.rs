//! Argo CD's waves and hooks: what it does before and after a workload that it finds Suspended while it is held.

use serde_json::Value;

use super::facts::{Facts, Way, text};
use super::{Finding, Reason, Severity};
use crate::api::gated_release::WorkloadKind;
use crate::release::labels::{Labels, labels};
use crate::release::snapshot::Snapshot;
use crate::release::tracking::{TRACKING, is_by_argo};

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const HOOK: &str = "argocd.argoproj.io/hook";
/// Argo CD runs a chart's hooks as its own.
const HELM_HOOK: &str = "helm.sh/hook";

/// How many objects that come later are named.
const NAMED: usize = 3;
/// What nobody lists, and may come later all the same.
const NOT_LISTED: &str = "CronJobs, Secrets and the kinds of other programs";

/// Whether a sync would wait for this workload while it is held: Argo CD applies it, and a held one is Suspended to it.
pub fn is_waited_for(seen: &Snapshot, workload: &Value) -> bool {
    seen.kind() == WorkloadKind::Deployment && is_by_argo(workload)
}

/// Hooks are deleted and created anew.
pub(super) fn hook(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if let Some(hook) = labels(&facts.around.workload, "/metadata/annotations").get(HOOK) {
        let message = format!(
            "It is an Argo CD hook ({hook}): hooks are deleted and created anew, and what is created is not held. Make it an ordinary resource."
        );
        found.push(facts.of_workload(Reason::ArgoHook, Severity::Warn, message));
    }
}

/// Before a later wave, or a PostSync hook, Argo CD waits until all that it applied is healthy: for ever where a Deployment is held.
/// What is applied last is not waited for. A held StatefulSet is healthy to it.
pub(super) fn later(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mut coming = coming(facts);
    let more = coming.len().saturating_sub(NAMED);
    coming.truncate(NAMED);
    if coming.is_empty() {
        return;
    }
    let wave = wave_of(&labels(&facts.around.workload, "/metadata/annotations"));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "Argo CD applies it in sync wave {wave}, and after it {}{more}. A held Deployment shows as Suspended, and a sync waits for it before it goes on to what comes later; no other sync begins meanwhile, so that not even a revert is applied. Let nothing come after it ({NOT_LISTED} were not looked at), or let Argo CD take a held Deployment for healthy: docs/gitops.md.",
        coming.join(", ")
    );
    found.push(facts.of_workload(Reason::ArgoSyncWave, Severity::Warn, message));
}

/// Where a wave is given and nothing later was seen: it is the last one as far as anybody looked, and no further.
pub(super) fn not_seen(facts: &Facts<'_>) -> Option<String> {
    let own = labels(&facts.around.workload, "/metadata/annotations");
    let blind = facts.way != Way::Within && !own.contains_key(HOOK) && own.contains_key(WAVE);
    (blind && coming(facts).is_empty()).then(|| {
        format!(
            "Nothing was seen that Argo CD applies after sync wave {}, in which the workload is; {NOT_LISTED} were not looked at",
            wave_of(&own)
        )
    })
}

/// What comes after the workload in a sync, each with its wave, by name.
fn coming(facts: &Facts<'_>) -> Vec<String> {
    let own = labels(&facts.around.workload, "/metadata/annotations");
    if facts.way == Way::Within || own.contains_key(HOOK) {
        return Vec::new();
    }
    let wave = wave_of(&own);
    let coming = objects(facts).filter_map(|object| {
        let notes = labels(object, "/metadata/annotations");
        let when = comes_later(&own, wave, &notes)?;
        Some(format!("{} ({when})", facts.object(text(object, "/kind"), object)))
    });
    let mut coming: Vec<_> = coming.collect();
    coming.sort();
    coming
}

/// Everything of the namespace that is looked at and that Argo CD may have applied.
fn objects<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a Value> {
    let around = facts.around;
    let all = [
        &around.jobs,
        &around.applied,
        &around.services,
        &around.network_policies,
        &around.budgets,
        &around.autoscalers,
        &around.quotas,
        &around.routes,
        &around.service_monitors,
        &around.pod_monitors,
        &around.authorizations,
        &around.destinations,
        &around.attached,
    ];
    all.into_iter().flatten()
}

/// In which wave or hook Argo CD applies an object after the workload; none where it does not.
fn comes_later(own: &Labels, wave: i64, notes: &Labels) -> Option<String> {
    let application = |notes: &Labels| notes.get(TRACKING)?.split(':').next().map(str::to_owned);
    let (ours, theirs) = (application(own), application(notes));
    if ours.is_some() && theirs.is_some() && ours != theirs {
        return None;
    }
    let by_helm = notes.get(HELM_HOOK).filter(|_| ours.is_some());
    let later = wave_of(notes) > wave;
    let Some(hook) = notes.get(HOOK).or(by_helm) else {
        let applied = notes.contains_key(WAVE) || theirs.is_some() && ours == theirs;
        return (applied && later).then(|| format!("wave {}", wave_of(notes)));
    };
    // A sync that waits has not failed: what runs at SyncFail does not come.
    let mut phases = hook.split(',').map(str::trim);
    if phases.clone().any(|phase| matches!(phase, "PostSync" | "post-install" | "post-upgrade")) {
        return Some("PostSync hook".to_owned());
    }
    (later && phases.any(|phase| phase == "Sync")).then(|| format!("Sync hook, wave {}", wave_of(notes)))
}

/// The wave of an object; 0 where it says none, or nothing that can be read.
fn wave_of(notes: &Labels) -> i64 {
    notes.get(WAVE).and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn notes(all: &[(&str, &str)]) -> Labels {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    const OURS: (&str, &str) = (TRACKING, "shop:apps/Deployment:shop/checkout");
    const ALSO_OURS: (&str, &str) = (TRACKING, "shop:batch/Job:shop/smoke");
    const OTHERS: (&str, &str) = (TRACKING, "cart:batch/Job:shop/smoke");

    #[rstest]
    #[case::later(&[], &[(WAVE, "1")], Some("wave 1"))]
    #[case::later_than_a_wave(&[(WAVE, "2")], &[(WAVE, "3")], Some("wave 3"))]
    #[case::the_same_wave(&[(WAVE, "2")], &[(WAVE, "2")], None)]
    #[case::the_last_wave(&[(WAVE, "2")], &[(WAVE, "1")], None)]
    #[case::before(&[], &[(WAVE, "-1")], None)]
    #[case::perhaps_in_the_default_wave(&[(WAVE, "-1")], &[], None)]
    #[case::in_the_default_wave(&[OURS, (WAVE, "-1")], &[ALSO_OURS], Some("wave 0"))]
    #[case::said_to_be_in_the_default_wave(&[(WAVE, "-1")], &[(WAVE, "0")], Some("wave 0"))]
    #[case::no_number(&[], &[(WAVE, "last")], None)]
    #[case::post_sync(&[(WAVE, "9")], &[(HOOK, "PostSync")], Some("PostSync hook"))]
    #[case::one_of_two(&[], &[(HOOK, "PreSync, PostSync")], Some("PostSync hook"))]
    #[case::pre_sync(&[], &[(HOOK, "PreSync"), (WAVE, "5")], None)]
    #[case::a_failed_sync(&[], &[(HOOK, "SyncFail")], None)]
    #[case::a_hook_in_a_later_wave(&[], &[(HOOK, "Sync"), (WAVE, "1")], Some("Sync hook, wave 1"))]
    #[case::a_hook_beside_it(&[], &[(HOOK, "Sync")], None)]
    #[case::of_another_application(&[OURS], &[OTHERS, (HOOK, "PostSync")], None)]
    #[case::of_the_same_application(&[OURS], &[ALSO_OURS, (HOOK, "PostSync")], Some("PostSync hook"))]
    #[case::of_a_chart(&[OURS], &[(HELM_HOOK, "post-install,post-upgrade")], Some("PostSync hook"))]
    #[case::of_a_chart_that_helm_installs(&[], &[(HELM_HOOK, "post-upgrade")], None)]
    fn what_argo_cd_applies_after_a_workload(
        #[case] own: &[(&str, &str)],
        #[case] other: &[(&str, &str)],
        #[case] wanted: Option<&str>,
    ) {
        let own = notes(own);
        assert_eq!(comes_later(&own, wave_of(&own), &notes(other)).as_deref(), wanted);
    }
}
