//! What a cluster's own controllers do, over [`Objects`]: Deployments, ReplicaSets, StatefulSets and their pods, EndpointSlices,
//! HTTPRoute conditions, autoscalers, disruption budgets, Jobs of one pod, quotas of pods, garbage collection, the end of namespaces.
//!
//! Here belongs what a real cluster does by itself with these kinds, its traps included: the Deployment controller follows
//! Kubernetes 1.36 step by step. What must never enter: anything about Tidegate's own kinds, a clock, and a friendlier
//! behaviour than the real one has. How pods behave is the world's to say, through [`Pods`].
//!
//! Each controller looks when something of its kinds has changed or its time has come, so a quiet cluster costs one look
//! at the versions of its objects.

mod autoscaler;
mod deployment;
mod disruption;
mod endpoints;
mod garbage;
mod job;
mod keda;
mod look;
mod marks;
mod namespace;
mod pod;
mod quota;
mod replica_set;
mod route;
mod stateful_set;
mod template;
mod world;
mod write;

pub use job::ENDS;
pub use pod::FINALIZER;
pub use route::CONTROLLER_NAME;
pub use world::{Behaviour, End, Pods, Timing};

use self::marks::{Marks, Task};
use self::write::{Context, Users};
use super::api::RESOURCE_QUOTA;
use super::objects::Objects;
use crate::api::{Span, Time};
use crate::cluster::Kind;
use crate::cluster::kind::{
    CONTROLLER_REVISION, DEPLOYMENT, ENDPOINT_SLICE, HTTP_ROUTE, JOB, PDB, POD, REPLICA_SET, SCALED_OBJECT, SERVICE,
    STATEFUL_SET,
};

const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces");
const HPA: Kind = Kind::new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");

/// How often in a row the controllers may answer each other before a step ends unsettled.
const ROUNDS: usize = 100;

/// The controllers of a cluster, with the state that is not in objects: when pods started, what a router has yet to take
/// up, what an autoscaler recommended lately.
#[derive(Debug)]
pub struct Controllers {
    /// How long the cluster takes for things. May be changed at any time; call [`Controllers::step`] after it.
    pub timing: Timing,
    users: Users,
    rng: fastrand::Rng,
    marks: Marks,
    tasks: Tasks,
    deployments: deployment::Deployments,
    kubelet: pod::Kubelet,
    endpoints: endpoints::Endpoints,
    routes: route::Routes,
    autoscalers: autoscaler::Autoscalers,
    garbage: garbage::Garbage,
    namespaces: namespace::Namespaces,
}

/// When each controller has to look again.
#[derive(Debug, Default)]
struct Tasks {
    namespace: Task,
    garbage: Task,
    deployment: Task,
    replica_set: Task,
    stateful_set: Task,
    kubelet: Task,
    endpoints: Task,
    route: Task,
    autoscaler: Task,
    disruption: Task,
    quota: Task,
    keda: Task,
    job: Task,
}

impl Controllers {
    /// Controllers that have seen nothing yet. The seed decides the names of pods and when they flap.
    pub fn new(seed: u64) -> Self {
        Self {
            timing: Timing::default(),
            users: Users::default(),
            rng: fastrand::Rng::with_seed(seed),
            marks: Marks::default(),
            tasks: Tasks::default(),
            deployments: deployment::Deployments::default(),
            kubelet: pod::Kubelet::default(),
            endpoints: endpoints::Endpoints::default(),
            routes: route::Routes::default(),
            autoscalers: autoscaler::Autoscalers::default(),
            garbage: garbage::Garbage::default(),
            namespaces: namespace::Namespaces::default(),
        }
    }

    /// The world has changed its mind about pods, load or timing: the next step asks it anew.
    pub fn wake(&mut self, now: Time) {
        self.tasks.kubelet.wake(now);
        self.tasks.route.wake_if_waiting(now);
        self.tasks.endpoints.wake_if_waiting(now);
    }

    /// Does all that is due; returns when there is something to do next at the latest. Whatever changes an object makes
    /// another step due at once, and so does [`Controllers::wake`].
    pub fn step(&mut self, objects: &mut dyn Objects, world: &dyn Pods, now: Time) -> Option<Time> {
        for _ in 0..ROUNDS {
            self.marks.look(&*objects);
            if !self.round(objects, world, now) {
                return self.tasks.next();
            }
        }
        tracing::debug!(%now, "the simulated controllers do not settle");
        Some(now.plus(Span::from_millis(1)))
    }

    /// Namespaces that are being deleted and hold nothing any more. Whoever owns the API server takes `kubernetes` out of
    /// their `spec.finalizers` by an update of `…/finalize`, which [`Objects`] does not have.
    pub fn emptied_namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.emptied()
    }

    /// Lets everybody look who has something to look at; whether anybody had.
    fn round(&mut self, objects: &mut dyn Objects, world: &dyn Pods, now: Time) -> bool {
        let cx = &mut Context { objects, world, now, timing: self.timing, users: &self.users, rng: &mut self.rng };
        let (marks, tasks) = (&self.marks, &mut self.tasks);
        let kubelet = &mut self.kubelet;
        let mut busy = false;
        busy |= tasks.namespace.run(marks, garbage::KINDS, now, || self.namespaces.run(cx));
        busy |= tasks.garbage.run(marks, garbage::KINDS, now, || self.garbage.run(cx, marks));
        busy |= tasks.deployment.run(marks, &[DEPLOYMENT, REPLICA_SET, POD], now, || self.deployments.run(cx));
        busy |= tasks.replica_set.run(marks, &[REPLICA_SET, POD], now, || replica_set::run(cx, kubelet));
        let stateful = &[STATEFUL_SET, CONTROLLER_REVISION, POD];
        busy |= tasks.stateful_set.run(marks, stateful, now, || stateful_set::run(cx));
        busy |= tasks.kubelet.run(marks, &[POD], now, || kubelet.run(cx));
        busy |= tasks.endpoints.run(marks, &[SERVICE, POD, ENDPOINT_SLICE], now, || self.endpoints.run(cx));
        busy |= tasks.route.run(marks, &[HTTP_ROUTE, SERVICE], now, || self.routes.run(cx));
        busy |= tasks.job.run(marks, &[JOB, POD], now, || job::run(cx));
        busy |= tasks.keda.run(marks, &[SCALED_OBJECT, HPA], now, || keda::run(cx));
        busy |= tasks.autoscaler.run(marks, &[HPA], now, || self.autoscalers.run(cx));
        busy |= tasks.quota.run(marks, &[RESOURCE_QUOTA, POD], now, || quota::run(cx));
        busy |= tasks.disruption.run(marks, &[PDB, POD, REPLICA_SET, DEPLOYMENT], now, || disruption::run(cx));
        busy
    }
}

impl Tasks {
    fn next(&self) -> Option<Time> {
        let Self {
            namespace,
            garbage,
            deployment,
            replica_set,
            stateful_set,
            kubelet,
            endpoints,
            route,
            autoscaler,
            disruption,
            quota,
            keda,
            job,
        } = self;
        [
            namespace,
            garbage,
            deployment,
            replica_set,
            stateful_set,
            kubelet,
            endpoints,
            route,
            autoscaler,
            disruption,
            quota,
            keda,
            job,
        ]
        .into_iter()
        .filter_map(Task::due)
        .min()
    }
}

#[cfg(test)]
mod tests;
