//! The world of one seed: objects, controllers, users and their figures, behind one lock, with every change looked at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::around::Surroundings;
use super::check::{Checkers, NAME, NAMESPACE, Seen};
use super::coverage::Coverage;
use super::owners::Restart;
use super::people::People;
use super::schedule::PrometheusFault;
use super::trials::Trials;
use crate::analysis::synthetic::{Came, Lost, Reply};
use crate::api::{Span, Time};
use crate::cluster::Clock;
use crate::sandbox::api::{Answer, Call, Change, Polled, Watch};
use crate::sandbox::cluster::SimulatedCluster;
use crate::sandbox::present::Door;
use crate::sandbox::time::VirtualClock;

/// What one lock guards.
pub struct World {
    /// The cluster and its users.
    pub cluster: SimulatedCluster,
    /// Those who change things.
    pub people: People,
    /// What happens around the workload.
    pub surroundings: Surroundings,
    /// What happens to the Jobs that try new versions.
    pub trials: Trials,
    /// What goes on of a `tidegate restart`.
    pub restart: Restart,
    /// Those who look.
    pub checkers: Checkers,
    /// What was seen of all that there is.
    pub coverage: Coverage,
    /// What happened, a line each; empty unless asked for.
    pub trace: Vec<String>,
    /// Writes of Tidegate, without leases.
    pub writes: u64,
    traced: bool,
    looked: u64,
    prometheus: Option<(PrometheusFault, Time)>,
    nothing_sent: Option<Time>,
}

/// The world as all tasks share it.
pub struct Shared {
    world: Mutex<World>,
    clock: VirtualClock,
    changed: watch::Sender<u64>,
    dropped: watch::Sender<u64>,
}

impl Shared {
    /// A world that begins now.
    pub fn new(cluster: SimulatedCluster, clock: VirtualClock, traced: bool) -> Arc<Self> {
        let world = World {
            cluster,
            people: People::default(),
            surroundings: Surroundings::default(),
            trials: Trials::default(),
            restart: Restart::default(),
            checkers: Checkers::default(),
            coverage: Coverage::default(),
            trace: Vec::new(),
            writes: 0,
            traced,
            looked: 0,
            prometheus: None,
            nothing_sent: None,
        };
        Arc::new(Self { world: Mutex::new(world), clock, changed: watch::channel(0).0, dropped: watch::channel(0).0 })
    }

    /// The clock that is right.
    pub const fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// The time that it shows.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Does something in the world; every change is looked at before anybody else sees the world again.
    pub fn with<T>(&self, what: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        let now = self.now();
        world.cluster.api.set_now(now);
        let answer = what(&mut world);
        let before = world.looked;
        world.look(now);
        let version = world.looked;
        drop(world);
        if version != before {
            self.changed.send_replace(version);
        }
        answer
    }

    /// A call to the API server.
    pub fn call(&self, call: &Call) -> Answer {
        self.with(|world| world.cluster.api.call(call))
    }

    /// What a watch has to say.
    pub fn poll(&self, watch: &mut Watch) -> Polled {
        self.lock().cluster.api.poll_watch(watch)
    }

    /// The newest version, as it changes.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Changes when all watches end.
    pub fn dropped(&self) -> watch::Receiver<u64> {
        self.dropped.subscribe()
    }

    /// All watches end; with `forget` what they would go on from is forgotten.
    pub fn drop_watches(&self, forget: bool) {
        self.with(|world| {
            if forget {
                // Something happens that a new watch cannot learn of any more.
                let World { people, cluster, .. } = world;
                for plural in ["deployments", "replicasets"] {
                    people.touch(&mut cluster.api, &format!("/apis/apps/v1/namespaces/{NAMESPACE}/{plural}/{NAME}"));
                }
                let version = cluster.api.version();
                cluster.api.compact(version);
            }
        });
        self.dropped.send_modify(|count| *count += 1);
    }

    /// Somebody writes to the object of a path.
    pub fn touch(&self, path: &str) {
        self.with(|world| {
            let World { people, cluster, .. } = world;
            people.touch(&mut cluster.api, path);
        });
    }

    /// A line for the trace.
    pub fn note(&self, what: &str) {
        let now = self.now();
        self.lock().note(now, what);
    }

    /// An answer of the small Prometheus: the HTTP status and the body.
    pub fn query(&self, query: &str, at: Time) -> (u16, Vec<u8>) {
        self.lock().cluster.query(query, at)
    }

    /// A request of Tidegate's to a Service, past every route.
    pub fn request(&self, namespace: &str, service: &str) -> Reply {
        let now = self.now();
        let mut world = self.lock();
        if world.nothing_sent.is_some_and(|until| now.0 < until.0) {
            return Err(Lost { came: Came::Unheard, why: "no connection".to_owned() });
        }
        let reply = world.cluster.request(namespace, service);
        if !reply.as_ref().is_ok_and(|(status, _)| *status == 200) {
            world.checkers.circumstances.answered_wrongly += 1;
        }
        reply.map_err(|why| Lost { came: Came::Unheard, why })
    }

    /// What Tidegate asks of Services gets to nobody for a while.
    pub fn send_nothing_for(&self, span: Span) {
        let until = self.now().plus(span);
        self.lock().nothing_sent = Some(until);
    }

    /// How Prometheus lies at the moment.
    pub fn prometheus_fault(&self) -> Option<PrometheusFault> {
        let now = self.now();
        self.lock().prometheus.filter(|(_, until)| now.0 < until.0).map(|(fault, _)| fault)
    }

    /// Prometheus lies for a while, or tells the truth again.
    pub fn set_prometheus(&self, fault: Option<PrometheusFault>, span: Span) {
        let now = self.now();
        let mut world = self.lock();
        world.prometheus = fault.map(|fault| (fault, now.plus(span)));
        // Figures of a window reach back: only some time after the lie is all that is asked for true again.
        let honest = now.plus(span).plus(Span::seconds(60));
        world.checkers.circumstances.honest_since = Some(if fault.is_some() { honest } else { now });
    }

    /// A process heard the truth, or not, about users.
    pub fn answered(&self, process: usize, truth: bool) {
        self.lock().checkers.circumstances.last_answer_true.insert(process, truth);
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door for Shared {
    fn call(&self, call: &Call) -> Answer {
        Self::call(self, call)
    }

    fn poll(&self, watch: &mut Watch) -> Polled {
        Self::poll(self, watch)
    }

    fn changed(&self) -> watch::Receiver<u64> {
        Self::changed(self)
    }
}

impl World {
    fn note(&mut self, now: Time, what: &str) {
        if self.traced {
            self.trace.push(format!("{} {what}", now.0.strftime("%H:%M:%S%.3f")));
        }
    }

    /// Shows the checkers what has changed since they looked last.
    fn look(&mut self, now: Time) {
        let after = self.looked;
        self.looked = self.cluster.api.version();
        if self.looked == after {
            return;
        }
        let changes: Vec<Change> = self.cluster.api.changes(after).cloned().collect();
        for change in &changes {
            let process = process(change);
            if process.is_some() && change.kind.plural != "leases" {
                self.writes += 1;
            }
            self.coverage.see(change);
            if self.traced && change.kind.plural != "leases" {
                let line = line(change, process);
                self.note(now, &line);
            }
            self.checkers.writer.clone_from(&change.by.name);
            self.checkers.see(&Seen {
                kind: &change.kind,
                namespace: &change.namespace,
                name: &change.name,
                before: change.before.as_deref(),
                after: change.after.as_deref(),
                process,
                objects: &self.cluster.api,
                now,
            });
        }
    }
}

fn process(change: &Change) -> Option<usize> {
    change.by.groups.iter().find_map(|group| group.strip_prefix("process:")?.parse().ok())
}

/// One change in one line.
fn line(change: &Change, process: Option<usize>) -> String {
    let who = process.map_or_else(|| change.by.name.clone(), |process| format!("tidegate-{process}"));
    let short = |value: &Value| {
        let mut text = value.to_string();
        if text.len() > 400 {
            let end = (0..=400).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        text
    };
    let what = match (&change.before, &change.after) {
        (Some(before), Some(after)) => crate::cluster::status::difference(&plain(before), &plain(after))
            .map_or_else(|| "only metadata".to_owned(), |patch| short(&patch)),
        (None, Some(after)) => match after.get("note").and_then(Value::as_str) {
            Some(note) => format!("{}: {note}", after["reason"].as_str().unwrap_or_default()),
            None => short(after.get("spec").unwrap_or(&Value::Null)),
        },
        (_, None) => String::new(),
    };
    format!("{who} {:?} {} {} {what}", change.verb, change.kind.kind, change.name)
}

/// Without what changes at every write.
fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        ["resourceVersion", "generation", "managedFields"].iter().for_each(|key| drop(meta.remove(*key)));
    }
    object
}
