//! `tidegate restart`: the pods of the workload, then those of canary and previous version, are evicted one after another.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::api::{Span, Time};
use crate::cluster::kind::POD;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::call;
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

/// How long one pod may take to go and to be replaced.
const PATIENCE: Span = Span::seconds(60);

/// Pods of one group, which stand in for each other.
#[derive(Debug, Clone)]
struct Group {
    /// The value of their label.
    app: String,
    pods: VecDeque<String>,
    /// How many of them were ready.
    ready: usize,
}

/// What is left to do.
#[derive(Debug, Clone, Default)]
pub struct Restart {
    groups: VecDeque<Group>,
    /// When the present pod is given up.
    until: Option<Time>,
}

/// Begins with the pods that are there now. A group of one ready pod is left as it is: nobody would serve meanwhile.
pub(super) fn begin(world: &mut World) {
    let api = &world.cluster.api;
    let groups = [NAME.to_owned(), format!("{NAME}-canary"), format!("{NAME}-previous")].map(|app| {
        let pods = of(api, &app).into_iter().map(|(name, _)| name).collect();
        Group { ready: ready(api, &app), app, pods }
    });
    world.restart = Restart { groups: groups.into_iter().filter(|group| group.ready > 1).collect(), until: None };
}

/// The pods with a label that are not on their way out, and whether each is ready.
fn of(api: &ApiServer, app: &str) -> Vec<(String, bool)> {
    let pods = api.list(&POD, NAMESPACE).into_iter();
    pods.filter(|pod| pod.pointer("/metadata/labels/app").is_some_and(|is| is == app))
        .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none())
        .map(|pod| {
            let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
            let is_ready = conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
            (pod["metadata"]["name"].as_str().unwrap_or_default().to_owned(), is_ready)
        })
        .collect()
}

fn ready(api: &ApiServer, app: &str) -> usize {
    of(api, app).into_iter().filter(|(_, ready)| *ready).count()
}

/// Goes on, at a moment: what takes too long ends it, as the command does.
pub fn step(world: &mut World, now: Time) {
    let World { restart, cluster, checkers, .. } = world;
    let Some(group) = restart.groups.front_mut() else { return };
    checkers.circumstances.restarts = Some(now);
    let until = *restart.until.get_or_insert(now.plus(PATIENCE));
    if now >= until {
        *restart = Restart::default();
        return;
    }
    let there = of(&cluster.api, &group.app);
    let Some(pod) = group.pods.front() else {
        restart.groups.pop_front();
        return;
    };
    if there.iter().any(|(name, _)| name == pod) {
        evict(&mut cluster.api, pod);
    } else if there.iter().filter(|(_, ready)| *ready).count() >= group.ready {
        group.pods.pop_front();
        restart.until = None;
    }
}

/// Asks for the eviction of a pod; a PodDisruptionBudget may refuse it for now.
fn evict(api: &mut ApiServer, pod: &str) {
    let eviction =
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}});
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction");
    call(api, &User::person("alice"), http::Method::POST, path, "", "application/json", &eviction);
}
