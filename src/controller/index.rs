//! Which GatedReleases are concerned when another object changes.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Mutex;

use kube::ResourceExt;
use kube::core::DynamicObject;
use serde_json::Value;

use super::lock;
use super::queue::Lane;

/// What a GatedRelease refers to, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    workload: String,
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
pub(super) struct Index(Mutex<BTreeMap<(String, String), Entry>>);

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
        let entry = Entry {
            workload: text("/spec/workloadRef/name"),
            budget: text("/spec/riskBudgetRef/name"),
            routes: names.collect(),
            config: config.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
            mark: BuildHasherDefault::<DefaultHasher>::default().hash_one(worth),
            going: !idle,
        };
        let key = (release.namespace().unwrap_or_default(), release.name_any());
        let before = lock(&self.0).insert(key, entry.clone());
        before.is_none_or(|before| before.mark != entry.mark)
    }

    /// How urgent a look at a GatedRelease is.
    pub(super) fn lane(&self, namespace: &str, name: &str) -> Lane {
        let all = lock(&self.0);
        match all.get(&(namespace.to_owned(), name.to_owned())) {
            Some(entry) if entry.going => Lane::Urgent,
            Some(_) | None => Lane::Calm,
        }
    }

    /// Forgets a GatedRelease.
    pub(super) fn remove(&self, namespace: &str, name: &str) {
        lock(&self.0).remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Forgets all that are not in `there`; says which.
    pub(super) fn keep(&self, there: &BTreeSet<(String, String)>) -> Vec<(String, String)> {
        let mut all = lock(&self.0);
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
        lock(&self.0).keys().cloned().collect()
    }

    fn which(&self, namespace: &str, is: impl Fn(&Entry) -> bool) -> Vec<String> {
        let all = lock(&self.0);
        all.iter()
            .filter(|((place, _), entry)| place == namespace && is(entry))
            .map(|((_, name), _)| name.clone())
            .collect()
    }
}
