//! A cluster as a value: the API server, its controllers, its users and their figures.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::api::ApiServer;
use super::controllers::{Behaviour, Controllers, End, Pods};
use super::metrics::Tsdb;
use super::objects::Objects;
use super::present::Presenter;
use super::schema::Schemas;
use super::traffic::{Flow, Rate, Tally, Traffic, Version};
use super::user::User;
use crate::admission::{Override, Policies};
use crate::api::{Span, Time, custom_resource_definitions};
use crate::cluster::Kind;
use crate::cluster::kind::{HTTP_ROUTE, POD, SERVICE};

/// How often users' requests are simulated; they are scraped as often.
const TICK: Span = Span::seconds(1);
/// How long a router takes to take up a change.
const ROUTER: Span = Span::from_millis(150);
/// How long a pod that flaps is ready, and then not.
const FLAPS: (Span, Span) = (Span::seconds(2), Span::seconds(1));
/// How many nodes pods are spread over, where one may be gone.
pub const NODES: u32 = 3;
/// How much of the requested CPU pods use, in percent, until somebody says otherwise.
const CPU: f64 = 60.0;
/// What the shares of a rule's backends sum to: a multiple of 100, so that weights in percent stay what they are.
const RULE: u64 = 10_000;
/// How long samples are kept.
const RETENTION: Span = Span::minutes(30);
const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces");
const CRD: Kind = Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");

/// The definitions of Tidegate's kinds, made once for all worlds.
static DEFINITIONS: LazyLock<Result<Vec<Value>, String>> = LazyLock::new(|| {
    let all = custom_resource_definitions().into_iter().map(serde_json::to_value).collect::<Result<_, _>>();
    all.map_err(|why| format!("a definition of our own: {why}"))
});

/// How a version of a program behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// To its users.
    pub users: Version,
    /// To its users once it has run for a while: how long, and what then.
    pub later: Option<(Span, Version)>,
    /// How many complaints come in a second where it has all the traffic.
    pub complaints: f64,
    /// Its pods.
    pub pods: Behaviour,
    /// To a Job that tries it: how that ends.
    pub tried: End,
}

/// Which program an image holds.
pub type Programs = Arc<dyn Fn(&str) -> Program + Send + Sync>;

/// A cluster in which nothing happens by itself but what [`SimulatedCluster::step`] does.
pub struct SimulatedCluster {
    /// The objects.
    pub api: ApiServer,
    controllers: Controllers,
    traffic: Traffic,
    tsdb: Tsdb,
    nature: Nature,
    /// What the router routes by: the rules of each route when it last took them up.
    routed: BTreeMap<(String, String), Vec<(String, u64)>>,
    /// Services that users call themselves, by namespace, instead of through a route.
    direct: Vec<(String, String)>,
    /// When each image's pods were first ready.
    since: BTreeMap<String, Time>,
    /// What the series of [`SimulatedCluster::set_slo`] say.
    slo: Option<(String, f64, f64)>,
    /// Until when something is critical, where anything ever was.
    critical: Option<Time>,
    /// Complaints so far, by namespace.
    complaints: BTreeMap<String, f64>,
    /// Whether pods, load or routers are to be looked at anew.
    changed_mind: bool,
    stepped: u64,
    due: Option<Time>,
    tick: Option<Time>,
}

/// What pods and routers are like at the moment.
struct Nature {
    programs: Programs,
    flaps_until: Option<Time>,
    /// Which of the nodes is gone, and until when.
    lost: Option<(u32, Time)>,
    lags: Option<(Time, Span)>,
    /// Until when, and how many of all requests, 0 to 1, come from callers who use the Service past its route.
    aside: Option<(Time, f64)>,
    cpu: f64,
    now: Time,
}

impl Pods for Nature {
    fn behaviour(&self, _: &str, template: &Value) -> Behaviour {
        let pods = (self.programs)(image(template)).pods;
        if self.lost.is_some_and(|(lost, _)| lost == node_of(template)) {
            return Behaviour { ready: false, ..pods };
        }
        let flapping = self.flaps_until.is_some_and(|until| self.now.0 < until.0);
        Behaviour { flaps: pods.flaps.or(flapping.then_some(FLAPS)), ..pods }
    }

    fn cpu(&self, _: &str, _: &str) -> Option<f64> {
        Some(self.cpu)
    }

    /// A Job that is told of a Service tries what answers there.
    fn ends(&self, objects: &dyn Objects, job: &Value) -> End {
        let env = job.pointer("/spec/template/spec/containers/0/env").and_then(Value::as_array);
        let told = env.and_then(|env| env.iter().find(|one| one["name"] == "TIDEGATE_SERVICE")?.get("value")?.as_str());
        let namespace = job.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
        let Some(service) = told else { return End::Completes };
        match pods_behind(objects, namespace, service).last() {
            Some((_, image)) => (self.programs)(image).tried,
            None => End::Fails("no answer: connection refused".to_owned()),
        }
    }
}

/// The node that a pod is made for, by its name: a pod of a StatefulSet always comes back to the same one, as one with a
/// volume does.
fn node_of(pod: &Value) -> u32 {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let ordinal = name.rsplit('-').next().and_then(|last| last.parse::<u32>().ok());
    let sum = || name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    ordinal.unwrap_or_else(sum) % NODES
}

impl SimulatedCluster {
    /// A cluster with Tidegate's kinds and policies installed, as the chart does, and the namespaces `tidegate` and `shop`.
    pub fn new(seed: u64, now: Time, rate: Rate, programs: Programs) -> Result<Self, String> {
        let mut api = ApiServer::starting(seed, now);
        api.set_present(Arc::new(Presenter));
        api.set_schemas(Box::new(Schemas::default()))?;
        api.set_admission(Arc::new(Policies::shipped(Override::Audit)?));
        let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
        for crd in DEFINITIONS.as_ref().map_err(Clone::clone)? {
            api.create(&admin, &CRD, crd.clone()).map_err(|refusal| refusal.to_string())?;
        }
        for name in ["tidegate", "shop"] {
            let namespace = json!({"metadata": {"name": name}});
            api.create(&admin, &NAMESPACE, namespace).map_err(|refusal| refusal.to_string())?;
        }
        Ok(Self {
            api,
            controllers: Controllers::new(seed),
            traffic: Traffic::new(rate, TICK, seed),
            tsdb: Tsdb::new(RETENTION),
            nature: Nature { programs, flaps_until: None, lost: None, lags: None, aside: None, cpu: CPU, now },
            routed: BTreeMap::new(),
            direct: Vec::new(),
            since: BTreeMap::new(),
            slo: None,
            critical: None,
            complaints: BTreeMap::new(),
            changed_mind: false,
            stepped: 0,
            due: None,
            tick: None,
        })
    }

    /// From now on users call this Service itself, which spreads their requests over its ready pods, and no route.
    pub fn call_directly(&mut self, namespace: &str, service: &str) {
        self.direct.push((namespace.to_owned(), service.to_owned()));
    }

    /// Pods lose and regain readiness until then.
    pub fn flap_until(&mut self, until: Time) {
        self.nature.flaps_until = Some(until);
        self.changed_mind = true;
    }

    /// One of [`NODES`] nodes is gone until then: pods on it are not ready, and those that are made for it do not get ready.
    pub fn lose_node_until(&mut self, node: u32, until: Time) {
        self.nature.lost = Some((node % NODES, until));
        self.changed_mind = true;
    }

    /// So many of all requests, 0 to 1, go past the route until then.
    pub fn call_aside_until(&mut self, until: Time, share: f64) {
        self.nature.aside = Some((until, share));
    }

    /// The router takes so long to take changes up until then.
    pub fn lag_until(&mut self, until: Time, lag: Span) {
        self.nature.lags = Some((until, lag));
        self.changed_mind = true;
    }

    /// How much of the requested CPU pods use from now on, in percent; autoscalers go by it.
    pub fn set_cpu(&mut self, percent: f64) {
        self.nature.cpu = percent;
        self.changed_mind = true;
    }

    /// Sets what two series say from now on that a RiskBudget may read: all events, and the bad ones of them.
    pub fn set_slo(&mut self, namespace: &str, total: f64, bad: f64) {
        self.slo = Some((namespace.to_owned(), total, bad));
        self.say_slo(self.nature.now);
    }

    /// A series says until then that something is critical, and from then on that nothing is.
    pub fn go_critical_until(&mut self, until: Time) {
        self.critical = Some(until);
        self.say_critical(self.nature.now);
    }

    fn say_critical(&mut self, now: Time) {
        let Some(until) = self.critical else { return };
        self.tsdb.append("critical_errors", &[], now, if now < until { 7.0 } else { 0.0 });
    }

    fn say_slo(&mut self, now: Time) {
        let Some((namespace, total, bad)) = &self.slo else { return };
        for (metric, value) in [("slo_total", *total), ("slo_bad", *bad)] {
            self.tsdb.append(metric, &[("namespace", namespace)], now, value);
        }
    }

    /// What the client that counts got so far.
    pub fn tally(&self) -> &Tally {
        self.traffic.tally()
    }

    /// The series.
    pub fn metrics(&mut self) -> &mut Tsdb {
        &mut self.tsdb
    }

    /// An answer of the small Prometheus: the HTTP status and the body.
    pub fn query(&self, query: &str, at: Time) -> (u16, Vec<u8>) {
        let reply = self.tsdb.query(query, at);
        (reply.code, reply.body)
    }

    /// What one request to a Service comes to. It fares as most do: a version that fails half of its users fails this one.
    pub fn request(&self, namespace: &str, service: &str) -> Result<(u16, Vec<u8>), String> {
        let pods = pods_behind(&self.api, namespace, service);
        let Some((_, image)) = pods.last() else { return Err("no answer: connection refused".to_owned()) };
        let program = (self.nature.programs)(image);
        let since = self.since.get(image).copied().unwrap_or(self.nature.now);
        let users = match &program.later {
            Some((after, worse)) if self.nature.now.since(since) >= *after => worse,
            Some(_) | None => &program.users,
        };
        Ok((if users.errors < 0.5 { 200 } else { 500 }, image.as_bytes().to_vec()))
    }

    /// Does what is due; answers when something is due next. Whatever changes an object makes something due at once.
    pub fn step(&mut self, now: Time) -> Time {
        self.nature.now = now;
        if self.nature.lost.is_some_and(|(_, until)| until.0 <= now.0) {
            self.nature.lost = None;
            self.changed_mind = true;
        }
        let lags = self.nature.lags.filter(|(until, _)| now < *until);
        let router = lags.map_or(ROUTER, |(_, lag)| lag);
        if self.changed_mind || router != self.controllers.timing.router {
            self.changed_mind = false;
            self.controllers.timing.router = router;
            self.controllers.wake(now);
            self.due = Some(now);
        }
        if self.api.version() != self.stepped || self.due.is_some_and(|due| due.0 <= now.0) {
            self.due = self.controllers.step(&mut self.api, &self.nature, now);
            self.stepped = self.api.version();
            self.finalize();
        }
        let tick = *self.tick.get_or_insert(now);
        if tick.0 <= now.0 {
            self.serve(now);
            self.tick = Some(tick.plus(TICK));
        }
        let next = self.tick.unwrap_or(now);
        self.due.filter(|due| due.0 < next.0).unwrap_or(next)
    }

    /// Lets namespaces go that hold nothing any more, as the namespace controller does.
    fn finalize(&mut self) {
        let emptied: Vec<String> = self.controllers.emptied_namespaces().map(str::to_owned).collect();
        for name in emptied {
            if let Err(refusal) = self.api.finalize_namespace(&name) {
                tracing::debug!(%name, %refusal, "an empty namespace stays");
            }
        }
    }

    /// Users' requests go where the router sends them.
    fn serve(&mut self, now: Time) {
        self.take_up();
        let mut served: Vec<Served> = Vec::new();
        for (namespace, service) in self.direct.clone() {
            let pods = pods_behind(&self.api, &namespace, &service);
            let share = 1.0 / pods.len().max(1) as f64 / self.direct.len() as f64;
            for (pod, image) in pods {
                let (version, complaints) = self.program_now(&image, now);
                *self.complaints.entry(namespace.clone()).or_default() += complaints * share * TICK.as_secs_f64();
                let of = (namespace.clone(), service.clone(), Some(pod));
                served.push(Served { of, share, ready: 1, version });
            }
        }
        let aside = self.nature.aside.filter(|(until, _)| now < *until).map_or(0.0, |(_, share)| share);
        let routed: Vec<_> = match self.direct.is_empty() {
            true => self.routed.iter().map(|((namespace, _), refs)| (namespace.clone(), refs.clone())).collect(),
            false => Vec::new(),
        };
        // Users come through all routes alike.
        let routes = routed.len().max(1) as f64;
        for (namespace, refs) in routed {
            let all: u64 = refs.iter().map(|(_, weight)| weight).sum();
            for (place, (service, weight)) in refs.iter().enumerate() {
                let routed = if all == 0 { 0.0 } else { *weight as f64 / all as f64 };
                // The route names the Service itself first.
                let share = (routed * (1.0 - aside) + if place == 0 { aside } else { 0.0 }) / routes;
                let of = (namespace.clone(), service.clone(), None);
                let pods = pods_behind(&self.api, &namespace, service);
                let ready = u32::try_from(pods.len()).unwrap_or(u32::MAX);
                let version = match pods.last() {
                    Some((_, image)) => {
                        let (version, complaints) = self.program_now(image, now);
                        *self.complaints.entry(namespace.clone()).or_default() +=
                            complaints * share * TICK.as_secs_f64();
                        version
                    }
                    None => (self.nature.programs)("").users,
                };
                match served.iter_mut().find(|one| one.of == of) {
                    Some(one) => one.share += share,
                    None => served.push(Served { of, share, ready, version }),
                }
            }
        }
        let flows: Vec<_> = served
            .iter()
            .map(|Served { of: (namespace, service, pod), share, ready, version }| Flow {
                namespace,
                service,
                pod: pod.as_deref(),
                version,
                share: *share,
                ready_pods: *ready,
            })
            .collect();
        self.traffic.step(now, &flows, &mut self.tsdb);
        for (namespace, complaints) in &self.complaints {
            self.tsdb.append("complaints_total", &[("namespace", namespace)], now, *complaints);
        }
        self.say_slo(now);
        self.say_critical(now);
    }

    /// How a program treats its users by now, and how many complaints come in a second where it has all of them.
    fn program_now(&mut self, image: &str, now: Time) -> (Version, f64) {
        let program = (self.nature.programs)(image);
        let since = *self.since.entry(image.to_owned()).or_insert(now);
        let version = match program.later {
            Some((after, worse)) if now.since(since) >= after => worse,
            Some(_) | None => program.users,
        };
        (version, program.complaints)
    }

    /// The router goes by what it has reported in the route's status.
    fn take_up(&mut self) {
        let text =
            |value: &Value, place: &str| value.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let routes = self.api.list(&HTTP_ROUTE, "");
        let mut there = Vec::with_capacity(routes.len());
        for route in routes {
            let key = (text(route, "/metadata/namespace"), text(route, "/metadata/name"));
            there.push(key.clone());
            let seen = route.pointer("/status/parents/0/conditions/0/observedGeneration");
            if seen.is_some() && seen != route.pointer("/metadata/generation") {
                continue;
            }
            let rules = route.pointer("/spec/rules").and_then(Value::as_array);
            let rules = rules.into_iter().flatten().filter_map(|rule| rule.get("backendRefs")?.as_array());
            self.routed.insert(key, rules.flat_map(|refs| shares(refs)).collect());
        }
        self.routed.retain(|key, _| there.contains(key));
    }
}

fn image(template: &Value) -> &str {
    template.pointer("/spec/containers/0/image").and_then(Value::as_str).unwrap_or_default()
}

/// What each backend of a rule gets, of as much for every rule.
fn shares(refs: &[Value]) -> Vec<(String, u64)> {
    let weight = |one: &Value| one.get("weight").and_then(Value::as_u64).unwrap_or(1);
    let all: u64 = refs.iter().map(weight).sum();
    let name = |one: &Value| one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    refs.iter().map(|one| (name(one), (weight(one) * RULE).checked_div(all).unwrap_or(0))).collect()
}

/// What goes to a Service, or to one of its pods.
struct Served {
    of: (String, String, Option<String>),
    share: f64,
    ready: u32,
    version: Version,
}

/// The ready pods of a Service, and the image that each runs.
fn pods_behind(api: &dyn Objects, namespace: &str, service: &str) -> Vec<(String, String)> {
    let selector =
        api.get(&SERVICE, namespace, service).and_then(|service| service.pointer("/spec/selector")?.as_object());
    let Some(selector) = selector else { return Vec::new() };
    let mut found = Vec::new();
    for pod in api.list(&POD, namespace) {
        let labels = pod.pointer("/metadata/labels");
        let ours = selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value));
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        let up = conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"));
        if ours && up {
            let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            found.push((name.to_owned(), image(pod).to_owned()));
        }
    }
    found
}
