//! Which GatedReleases are concerned when another object changes.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::ResourceExt;
use kube::core::DynamicObject;
use serde_json::Value;

use super::lock;
use super::queue::Lane;

/// What a GatedRelease refers to, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    workload: String,
    kind: String,
    /// The Service whose traffic it divides by routes.
    service: Option<String>,
    budget: String,
    routes: Vec<String>,
    /// The ConfigMaps that its workload's template reads, as its status says.
    config: Vec<String>,
    /// What of it a new look is worth.
    mark: u64,
    /// Whether a release goes on, as its status says.
    going: bool,
}

/// References by namespace and name. Only says whom to look at; nothing is decided from it.
#[derive(Debug, Default)]
pub(super) struct Index {
    all: Mutex<BTreeMap<(String, String), Entry>>,
    /// Whether the watch has told all that there is, once.
    whole: AtomicBool,
}

impl Index {
    /// Notes a GatedRelease; says whether it changed otherwise than by our own status.
    pub(super) fn put(&self, release: &DynamicObject) -> bool {
        let text = |place: &str| release.data.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let routes = release.data.pointer("/spec/traffic/httpRoutes").and_then(Value::as_array);
        let names = routes.into_iter().flatten().filter_map(|route| route["name"].as_str().map(str::to_owned));
        let config = release.data.pointer("/status/workload/config").and_then(Value::as_object);
        let meta = &release.metadata;
        let worth =
            (&meta.uid, meta.generation, &meta.annotations, &meta.finalizers, meta.deletion_timestamp.is_some());
        let idle = matches!(text("/status/phase").as_str(), "" | "Idle" | "Plan" | "Complete");
        let routes: Vec<_> = names.collect();
        let entry = Entry {
            workload: text("/spec/workloadRef/name"),
            // The API server writes the default.
            kind: text("/spec/workloadRef/kind"),
            service: Some(text("/spec/traffic/service")).filter(|_| !routes.is_empty()),
            budget: text("/spec/riskBudgetRef/name"),
            routes,
            config: config.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
            mark: BuildHasherDefault::<DefaultHasher>::default().hash_one(worth),
            going: !idle,
        };
        let key = (release.namespace().unwrap_or_default(), release.name_any());
        let before = lock(&self.all).insert(key, entry.clone());
        before.is_none_or(|before| before.mark != entry.mark)
    }

    /// How urgent a look at a GatedRelease is.
    pub(super) fn lane(&self, namespace: &str, name: &str) -> Lane {
        let all = lock(&self.all);
        match all.get(&(namespace.to_owned(), name.to_owned())) {
            Some(entry) if entry.going => Lane::Urgent,
            Some(_) | None => Lane::Calm,
        }
    }

    /// The other GatedReleases that name the same workload, or divide the traffic of the same Service; none where that is not
    /// known, because not all there are have been noted yet.
    pub(super) fn rivals(&self, namespace: &str, name: &str) -> Option<Vec<String>> {
        let known = self.whole.load(Ordering::Acquire);
        let own = lock(&self.all).get(&(namespace.to_owned(), name.to_owned())).cloned().filter(|_| known)?;
        let shares = |other: &Entry| {
            (&other.workload, &other.kind) == (&own.workload, &own.kind)
                || own.service.is_some() && other.service == own.service
        };
        let mut names = self.which(namespace, shares);
        names.retain(|other| other != name);
        Some(names)
    }

    /// Forgets a GatedRelease.
    pub(super) fn remove(&self, namespace: &str, name: &str) {
        lock(&self.all).remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Forgets all that are not in `there`; says which.
    pub(super) fn keep(&self, there: &BTreeSet<(String, String)>) -> Vec<(String, String)> {
        self.whole.store(true, Ordering::Release);
        let mut all = lock(&self.all);
        let gone: Vec<_> = all.keys().filter(|key| !there.contains(*key)).cloned().collect();
        for key in &gone {
            all.remove(key);
        }
        gone
    }

    /// The GatedReleases of a workload.
    pub(super) fn of_workload(&self, namespace: &str, name: &str) -> Vec<String> {
        self.which(namespace, |entry| entry.workload == name)
    }

    /// The GatedReleases of a route.
    pub(super) fn of_route(&self, namespace: &str, name: &str) -> Vec<String> {
        self.which(namespace, |entry| entry.routes.iter().any(|route| route == name))
    }

    /// The GatedReleases whose workload reads a ConfigMap.
    pub(super) fn of_config(&self, namespace: &str, name: &str) -> Vec<String> {
        self.which(namespace, |entry| entry.config.iter().any(|config| config == name))
    }

    /// The GatedReleases of a budget.
    pub(super) fn of_budget(&self, namespace: &str, name: &str) -> Vec<String> {
        self.which(namespace, |entry| entry.budget == name)
    }

    /// Every GatedRelease, by namespace and name.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        lock(&self.all).keys().cloned().collect()
    }

    fn which(&self, namespace: &str, is: impl Fn(&Entry) -> bool) -> Vec<String> {
        let all = lock(&self.all);
        all.iter()
            .filter(|((place, _), entry)| place == namespace && is(entry))
            .map(|((_, name), _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(index: &Index, name: &str, spec: Value) {
        let object = json!({"apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease", "metadata": {"name": name, "namespace": "shop"}, "spec": spec});
        index.put(&serde_json::from_value(object).unwrap());
    }

    #[test]
    fn who_names_the_same_workload_or_service_is_known_once_all_are() {
        let index = Index::default();
        let routed = |workload: &str, service: &str| {
            let traffic = json!({"service": service, "httpRoutes": [{"name": "web"}]});
            json!({"workloadRef": {"kind": "Deployment", "name": workload}, "traffic": traffic})
        };
        put(&index, "web", routed("web", "web"));
        put(&index, "same-workload", routed("web", "other"));
        put(&index, "same-service", routed("api", "web"));
        let set = json!({"workloadRef": {"kind": "StatefulSet", "name": "web"}, "traffic": {"service": "web"}});
        put(&index, "another-kind", set);
        assert_eq!(index.rivals("shop", "web"), None);
        let key = |name: &str| ("shop".to_owned(), name.to_owned());
        let there = ["web", "same-workload", "same-service", "another-kind"].map(key);
        assert!(index.keep(&there.into()).is_empty());
        assert_eq!(index.rivals("shop", "web"), Some(vec!["same-service".to_owned(), "same-workload".to_owned()]));
        assert_eq!(index.rivals("shop", "another-kind"), Some(Vec::new()));
        assert_eq!((index.rivals("shop", "unknown"), index.rivals("pay", "web")), (None, None));
        index.remove("shop", "same-service");
        assert_eq!(index.rivals("shop", "web"), Some(vec!["same-workload".to_owned()]));
    }
}
