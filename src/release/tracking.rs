//! Labels and annotations by which another tool takes an object for its own: a copy that carried them would be pruned, or count as
//! a difference from Git.

use serde_json::Value;

use super::labels::{Labels, labels};

/// What charts call an installation, and what Argo CD tracks by where it tracks by label.
const INSTANCE: &str = "app.kubernetes.io/instance";
/// What Argo CD tracks by where it tracks by annotation: application, kind, namespace and name of the object.
pub(super) const TRACKING: &str = "argocd.argoproj.io/tracking-id";
const HELM: &str = "meta.helm.sh/release-name";

/// Groups of keys of which each is a tool's.
const TOOLS: [&str; 12] = [
    "argocd.argoproj.io",
    "meta.helm.sh",
    "helm.sh",
    "tidegate.io",
    "deployment.kubernetes.io",
    // These prune by label.
    "kapp.k14s.io",
    "applyset.kubernetes.io",
    "addonmanager.kubernetes.io",
    "config.k8s.io",
    "kluctl.io",
    "fluxcd.io",
    "kubectl.kubernetes.io",
];

/// Whether a label or annotation is one by which a GitOps tool, Helm or kubectl may take an object for its own.
pub(super) fn belongs_to_tools(key: &str) -> bool {
    let group = group(key);
    // Rancher's and Fleet's.
    let of_rancher = group == "cattle.io" || group.ends_with(".cattle.io");
    TOOLS.contains(&group)
        || of_rancher
        || group.ends_with(".fluxcd.io")
        || group.ends_with(".kubectl.kubernetes.io")
        || key == "app.kubernetes.io/managed-by"
        || key == INSTANCE
}

fn group(key: &str) -> &str {
    key.split_once('/').map_or("", |(group, _)| group)
}

/// Labels of the user's Service that its copies keep, so that what scrapes it scrapes them: not those by which a tool would take
/// the copies for its own.
///
/// Only Services are selected by their own labels, as by a `ServiceMonitor`; what else is copied never keeps the instance.
pub(super) fn service_labels(service: &Value) -> Labels {
    let instance = names_no_owner(service);
    let kept = |key: &str| !belongs_to_tools(key) && !asks_for_the_outside(key) || instance && key == INSTANCE;
    labels(service, "/metadata/labels").into_iter().filter(|(key, _)| kept(key)).collect()
}

/// Whether no tool takes an object for its own because of the label `app.kubernetes.io/instance` alone.
///
/// Argo CD sets the label where it tracks by label, to the application's name, and prunes what carries it. Where it tracks by
/// annotation, or by both, the label means nothing to it, and the annotation names the one object that it stands on. Helm and
/// Flux know what is theirs from a list of their own; but what they leave on an object stays there when Argo CD takes it over.
fn names_no_owner(object: &Value) -> bool {
    let notes = labels(object, "/metadata/annotations");
    if let Some(id) = notes.get(TRACKING) {
        return is_of(id, object);
    }
    let own = labels(object, "/metadata/labels");
    let by_others = notes.contains_key(HELM) || own.keys().any(|key| group(key).ends_with(".fluxcd.io"));
    by_others && !is_by_argo(object)
}

/// Whether an object shows that Argo CD applies it, or did: by what it is marked with, or by who wrote its fields.
pub(super) fn is_by_argo(object: &Value) -> bool {
    let marks = ["/metadata/annotations", "/metadata/labels"].map(|place| labels(object, place));
    let managers = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let mut managers = managers.filter_map(|entry| entry.get("manager")?.as_str());
    marks.iter().flat_map(Labels::keys).any(|key| group(key) == "argocd.argoproj.io")
        || managers.any(|name| name.starts_with("argocd"))
}

/// Whether a tracking id names this very Service, as `shop:/Service:shop/checkout` does: a copied one says nothing.
fn is_of(id: &str, object: &Value) -> bool {
    let text = |place: &str| object.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let named = format!(":/Service:{}/{}", text("/metadata/namespace"), text("/metadata/name"));
    id.strip_suffix(&named).is_some_and(|application| !application.is_empty())
}

/// Labels and annotations that would ask for a load balancer or a DNS name.
pub(super) fn asks_for_the_outside(key: &str) -> bool {
    let group = group(key);
    group.contains("external-dns")
        || group.contains("load-balancer")
        || group.starts_with("service.beta")
        || group == "cloud.google.com"
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("argocd.argoproj.io/instance", true)]
    #[case("kustomize.toolkit.fluxcd.io/name", true)]
    #[case("helm.toolkit.fluxcd.io/name", true)]
    #[case("helm.sh/chart", true)]
    #[case("app.kubernetes.io/managed-by", true)]
    #[case("app.kubernetes.io/instance", true)]
    #[case("kapp.k14s.io/app", true)]
    #[case("kapp.k14s.io/association", true)]
    #[case("objectset.rio.cattle.io/hash", true)]
    #[case("fleet.cattle.io/bundle-id", true)]
    #[case("applyset.kubernetes.io/part-of", true)]
    #[case("addonmanager.kubernetes.io/mode", true)]
    #[case("config.k8s.io/owning-inventory", true)]
    #[case("kubectl.kubernetes.io/last-applied-configuration", true)]
    #[case("app.kubernetes.io/name", false)]
    #[case("app", false)]
    #[case("notcattle.io/x", false)]
    fn what_belongs_to_tools(#[case] key: &str, #[case] wanted: bool) {
        assert_eq!(belongs_to_tools(key), wanted);
    }

    const ID: &str = "shop:/Service:shop/checkout";

    #[rstest]
    #[case::argo_by_annotation(json!({TRACKING: ID}), json!({}), "argocd-controller", true)]
    #[case::argo_by_annotation_of_helms(json!({TRACKING: ID, HELM: "checkout"}), json!({}), "argocd-controller", true)]
    #[case::an_id_of_another_object(json!({TRACKING: "shop:/Service:shop/cart"}), json!({}), "kubectl", false)]
    #[case::an_id_of_another_kind(json!({TRACKING: "shop:apps/Deployment:shop/checkout"}), json!({}), "kubectl", false)]
    #[case::argo_by_label(json!({}), json!({}), "argocd-controller", false)]
    #[case::argo_by_label_with_its_own_waves(json!({HELM: "checkout", "argocd.argoproj.io/sync-wave": "1"}), json!({}), "helm", false)]
    #[case::argo_took_it_over_from_helm(json!({HELM: "checkout"}), json!({}), "argocd-controller", false)]
    #[case::argo_took_it_over_from_flux(json!({}), json!({"kustomize.toolkit.fluxcd.io/name": "shop"}), "argocd-application-controller", false)]
    #[case::helm(json!({HELM: "checkout"}), json!({}), "helm", true)]
    #[case::flux(json!({}), json!({"kustomize.toolkit.fluxcd.io/name": "shop"}), "kustomize-controller", true)]
    #[case::flux_of_a_chart(json!({}), json!({"helm.toolkit.fluxcd.io/name": "shop"}), "helm-controller", true)]
    #[case::nobody_knows(json!({}), json!({}), "kubectl-client-side-apply", false)]
    fn the_instance_stays_where_no_tool_tracks_by_it(
        #[case] annotations: Value,
        #[case] more: Value,
        #[case] manager: &str,
        #[case] wanted: bool,
    ) {
        let mut own = json!({"app": "checkout", INSTANCE: "checkout", "kapp.k14s.io/app": "17"});
        json_patch::merge(&mut own, &more);
        let service = json!({"metadata": {
            "name": "checkout", "namespace": "shop", "labels": own, "annotations": annotations,
            "managedFields": [{"manager": manager}],
        }});
        let kept: Vec<_> = service_labels(&service).into_keys().collect();
        let expected: &[&str] = if wanted { &["app", INSTANCE] } else { &["app"] };
        assert_eq!(kept, expected);
    }
}
