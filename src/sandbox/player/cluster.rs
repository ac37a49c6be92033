//! From a scenario to its cluster: objects, versions, users and their past.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::act::{apply, name, namespace};
use super::keyboard::Sort;
use crate::api::{Percent, Span, Time};
use crate::cluster::kind::LEASE;
use crate::sandbox::cluster::{Program, SimulatedCluster};
use crate::sandbox::config::config;
use crate::sandbox::controllers::{Behaviour, End};
use crate::sandbox::metrics::{History, bad_ratio};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::process::Place;
use crate::sandbox::simulate::run::turn;
use crate::sandbox::simulate::world::Shared;
use crate::sandbox::story::{Story, Version};
use crate::sandbox::time::VirtualClock;
use crate::sandbox::traffic::{self, Latency, Rate};
use crate::sandbox::user::User;

/// The past was faster than any objective of a latency asks, so that the availability decides what is left of the budget.
const PAST: Latency = Latency::LogNormal { median: 0.05, p95: 0.1 };

/// A world with everything in it that the scenario begins with; nobody works in it yet.
pub(super) fn world(story: &Story, seed: u64, began: Time) -> Result<Arc<Shared>, String> {
    let shared = Shared::new(cluster(story, seed, began)?, VirtualClock::new(began, seed), false);
    past(&shared, story, story.error_budget);
    if story.objects.by_count() {
        let service = &story.objects.service;
        shared.with(|world| world.cluster.call_directly(namespace(service), name(service)));
    }
    let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
    // Tidegate ran here before and gave its Lease back: who begins does not wait for one to run out.
    let lease = json!({"metadata": {"name": "tidegate", "namespace": "tidegate"}, "spec": {"leaseDurationSeconds": 5}});
    shared.with(|world| world.cluster.api.create(&admin, &LEASE, lease)).map_err(|refusal| refusal.to_string())?;
    for object in story.objects.all() {
        apply(&shared, &admin, object)?;
    }
    Ok(shared)
}

/// The cluster and Tidegate begin to work. Neither ends by itself.
pub(super) fn work(shared: &Arc<Shared>, seed: u64) -> Result<JoinSet<()>, String> {
    let mut tasks = JoinSet::new();
    tasks.spawn(turn(shared.clone()));
    let place = Place::new(0, shared, seed);
    tasks.spawn(place.work(shared.clone(), Arc::new(config(Span::seconds(10))?), seed));
    Ok(tasks)
}

/// The scenario's cluster, with its versions and users, and nothing in it yet.
fn cluster(story: &Story, seed: u64, now: Time) -> Result<SimulatedCluster, String> {
    let users = story.traffic;
    let rate = Rate {
        per_second: users.requests,
        daily: if users.daily { 0.4 } else { 0.0 },
        peak_hour: 14.0,
        noise: users.noise,
    };
    let versions: Vec<Version> = story.versions.values().cloned().collect();
    let programs = move |image: &str| {
        let version = versions.iter().find(|version| version.image == image).cloned();
        program(&version.or_else(|| Sort::of_image(image)).unwrap_or_else(|| Version::good(image)))
    };
    SimulatedCluster::new(seed, now, rate, Arc::new(programs))
}

fn program(version: &Version) -> Program {
    let good = Version::good(&version.image);
    let users = |version: &Version| {
        let p95 = version.latency.as_secs_f64();
        traffic::Version {
            errors: version.errors.ratio(),
            latency: Latency::LogNormal { median: p95 * 0.4, p95 },
            ..traffic::Version::good()
        }
    };
    let later = (version.after > Span::ZERO).then(|| (version.after, users(version)));
    let now = if later.is_some() { users(&good) } else { users(version) };
    let tried = if now.errors < 0.5 { End::Completes } else { End::Fails("HTTP 500".to_owned()) };
    Program { users: now, later, complaints: 0.0, pods: pods(version), tried }
}

fn pods(version: &Version) -> Behaviour {
    let crash_after = version.crashes.then_some(Span::seconds(10));
    Behaviour { ready: version.ready, crash_after, ..Behaviour::healthy(Span::seconds(4)) }
}

/// Gives the service a past of thirty days that leaves so much of its error budget.
pub(super) fn past(shared: &Shared, story: &Story, left: f64) {
    let objective = story.objects.risk_budget.pointer("/spec/slos/0/objective").and_then(Value::as_f64).unwrap_or(99.9);
    let objective = Percent::new(objective).unwrap_or(Percent::HUNDRED);
    let (service, namespace) = (name(&story.objects.service).to_owned(), namespace(&story.objects.service).to_owned());
    let until = shared.now();
    shared.with(|world| {
        world.cluster.metrics().seed_history(&History {
            namespace: &namespace,
            service: &service,
            until,
            window: Span::days(30),
            rate: story.traffic.requests,
            bad: bad_ratio(objective, left),
            durations: PAST.shares(),
        });
    });
}
