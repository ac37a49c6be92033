//! What Argo CD applies after a Deployment that it finds Suspended.

use super::*;

#[test]
fn what_argo_cd_applies_after_a_held_deployment_is_named() {
    let (seen, mut around) = shop();
    hook_after_the_sync(&mut around);
    for wave in 1..5 {
        let notes = json!({"argocd.argoproj.io/sync-wave": wave.to_string()});
        around.budgets.push(
            json!({"kind": "PodDisruptionBudget", "metadata": {"name": format!("b{wave}"), "annotations": notes}}),
        );
    }
    let found = preflight(&seen, &around).findings;
    assert_eq!(found.iter().map(|one| one.reason).collect::<Vec<_>>(), ["ArgoSyncWave"]);
    let wanted = "in sync wave 0, and after it Job shop/smoke (PostSync hook), PodDisruptionBudget shop/b1 (wave 1), PodDisruptionBudget shop/b2 (wave 2) and 2 more.";
    assert!(found[0].message.contains(wanted), "{}", found[0].message);
}

/// An object of which the metadata is known, in a wave.
fn in_wave(kind: &str, name: &str, wave: &str) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave}}})
}

#[rstest]
#[case::a_frontend("Deployment")]
#[case::a_database("StatefulSet")]
#[case::configuration("ConfigMap")]
#[case::its_own_gate("GatedRelease")]
#[case::its_budget("RiskBudget")]
fn whatever_is_in_a_later_wave_is_waited_for(#[case] kind: &str) {
    let (seen, mut around) = shop();
    around.workload = in_wave("Deployment", "checkout", "1");
    around.applied = vec![in_wave("Deployment", "checkout", "1"), in_wave(kind, "other", "1")];
    let told = preflight(&seen, &around);
    assert_eq!(told.findings, [], "of the same wave");
    let wanted = "Nothing was seen that Argo CD applies after sync wave 1, in which the workload is; CronJobs, Secrets and the kinds of other programs were not looked at";
    assert_eq!(told.unseen, [wanted]);
    around.applied.push(in_wave(kind, "later", "2"));
    let told = preflight(&seen, &around);
    assert_eq!(told.findings.iter().map(|one| one.reason).collect::<Vec<_>>(), ["ArgoSyncWave"]);
    let message = &told.findings[0].message;
    let wanted = format!("in sync wave 1, and after it {kind} shop/later (wave 2).");
    assert!(message.contains(&wanted) && message.contains("CronJobs"), "{message}");
    assert_eq!(told.unseen, Vec::<String>::new());
}

#[rstest]
#[case::by_annotation(json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/checkout"}}), true)]
#[case::in_a_wave(json!({"annotations": {"argocd.argoproj.io/sync-wave": "1"}}), true)]
#[case::by_label(json!({"labels": {"app.kubernetes.io/instance": "shop"}, "managedFields": [{"manager": "argocd-controller"}]}), true)]
#[case::by_flux(json!({"managedFields": [{"manager": "kustomize-controller"}]}), false)]
#[case::by_hand(json!({}), false)]
fn a_sync_waits_for_what_argo_cd_applies(#[case] metadata: Value, #[case] wanted: bool) {
    let workload = json!({"metadata": metadata});
    assert_eq!(is_waited_for(&shop().0, &workload), wanted);
    assert!(!is_waited_for(&World::by_count("StatefulSet").seen, &workload), "a held StatefulSet is healthy");
}
