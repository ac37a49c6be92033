//! The invariants of a world, looked at after every change of any object: one file an idea.
//!
//! A checker sees what an observer outside would see: objects before and after, who wrote, and what was true at that
//! moment. It never asks Tidegate's code what should be; [`release::lint`](crate::release::lint) does that from inside.

mod around;
mod asked;
mod believed;
mod blamed;
mod bypass;
mod charged;
mod compared;
mod config;
mod copies;
mod count;
mod disruption;
mod end;
mod exposed;
mod fallback;
mod follow;
mod foreign;
mod held;
mod jobs;
mod ledger;
mod listed;
mod loosened;
mod lost;
mod network;
mod owed;
mod owned;
mod record;
mod refused;
mod restarted;
mod route;
mod rule;
mod second;
mod several;
mod shown;
mod spent;
mod terms;
mod twin;
mod view;
mod warm;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use end::{Left, left_over};
pub use lost::LostSet;
pub use route::{CANARY, PREVIOUS};
pub use rule::Rule;

use crate::api::{Span, Time};
use crate::cluster::Kind;
use crate::sandbox::objects::Objects;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// When.
    pub at: Time,
    /// What was seen.
    pub says: String,
}

/// One change of one object.
pub struct Seen<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The object before; none where it was made.
    pub before: Option<&'a Value>,
    /// The object after; none where it is gone.
    pub after: Option<&'a Value>,
    /// The process of Tidegate that wrote it, where it was one.
    pub process: Option<usize>,
    /// Everything else, after the change.
    pub objects: &'a dyn Objects,
    /// The moment.
    pub now: Time,
}

/// What the checkers know of the world besides its objects.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// Since when Prometheus has told nothing but the truth.
    pub honest_since: Option<Time>,
    /// By process: whether the last answer about users was the truth.
    pub last_answer_true: BTreeMap<usize, bool>,
    /// Since when nothing has been failing at all.
    pub calm_since: Option<Time>,
    /// From when until when a circuit breaker is open.
    pub open: Option<(Time, Time)>,
    /// The ReplicaSet that a hand scaled up last, and when.
    pub by_hand: Option<(String, Time)>,
    /// Who may let a held template run, where that takes the verb `bypass`; none where every person may.
    pub bypass: Option<Vec<String>>,
    /// Stable's ReplicaSet, which a hand deleted while the workload was held.
    pub lost: Option<LostSet>,
    /// When somebody last restarted pods one after another.
    pub restarts: Option<Time>,
    /// How many requests of Tidegate's own got to somebody and were not answered as they should, in the stage that is going on.
    pub answered_wrongly: usize,
}

/// All checkers of one world, and what they remember.
#[derive(Debug, Default)]
pub struct Checkers {
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// What is true at the moment.
    pub circumstances: Circumstances,
    /// Who made the change that is looked at.
    pub writer: String,
    /// When endpoints of a Service were last ready.
    ready_at: BTreeMap<String, Time>,
    /// The pod templates that users gave, by image, as the API server keeps them.
    templates: BTreeMap<String, Value>,
    /// Images that the workload had, and until when.
    replaced: BTreeMap<String, Time>,
    /// The one ReplicaSet that was active when the workload was paused, and since when another is.
    held: Option<workload::HeldSet>,
    /// The process that has the Lease.
    leader: Option<usize>,
    /// Since when an abort has been going on.
    abort: Option<Time>,
    /// Since when the canary has been smaller than its share asks for.
    small_since: Option<Time>,
    /// The numbers that the ledger gave out, by record.
    charges: ledger::Charges,
    /// Records whose version was given users.
    met: BTreeSet<String>,
    /// What the routes said, and until when.
    effective: several::Effective,
    /// Edits of the ConfigMap, and what became of them.
    edits: config::Edits,
    /// Since when a release has waited for refused pods, or for a second ReplicaSet, without saying so.
    refused_since: Option<Time>,
    beside_since: Option<Time>,
    /// Since when ReplicaSets of two programs have wanted pods.
    two_since: Option<Time>,
    /// What a window had when each record was let in.
    granted: spent::Granted,
    /// Whether the RiskBudget was deleted, and its numbers with it.
    forgotten: bool,
    /// What was said about loosening the RiskBudget.
    heard: loosened::Heard,
    /// The statuses that the error budget had.
    levels: asked::Levels,
    /// What people and pipelines attested.
    said: Vec<shown::Said>,
    /// The Jobs that tried versions.
    jobs: jobs::Jobs,
    /// Since when a lost stable has gone unsaid.
    unsaid_since: Option<Time>,
    /// Since when a PodDisruptionBudget of Tidegate's has not said what it should.
    astray_since: Option<Time>,
    /// The image of a previous version that somebody deleted, and when.
    taken: Option<(String, Time)>,
    /// Since when a copy of the workload's Service has not had its ports.
    ports_since: Option<Time>,
    /// What `fallbackPercent` asks for, since when, and what it asked for before.
    fallback: fallback::Asked,
    /// How many pods Tidegate wanted the previous version to have.
    warm: warm::Wanted,
    /// Since when more pods run a new version than may.
    over: exposed::Over,
    /// What stands around the workload that preflight refuses.
    standing: refused::Standing,
    /// How attempts ended.
    ended: Vec<believed::Ended>,
}

/// How old a look may be when its plan is carried out.
const FRESH: Span = Span::seconds(5);

/// The objects of the world under test.
pub const NAMESPACE: &str = "shop";
/// The workload, its Service, route, budget and GatedRelease.
pub const NAME: &str = "web";
/// A second route to the workload, in worlds that have several.
pub const SECOND_ROUTE: &str = "web-inside";
/// The second service, of worlds in which two spend one budget; named as all of its objects are.
pub const SECOND: &str = "api";
/// A second GatedRelease that names the first workload.
pub const TWIN: &str = "web-too";
/// Both workloads.
const WORKLOADS: [&str; 2] = [NAME, SECOND];

impl Checkers {
    /// Looks at one change.
    pub fn see(&mut self, seen: &Seen<'_>) {
        self.remember(seen);
        if let Some(process) = seen.process {
            foreign::check(self, seen, process);
        }
        if seen.kind.plural == "namespaces" {
            around::namespace(self, seen);
        }
        if seen.namespace != NAMESPACE {
            return;
        }
        twin::check(self, seen);
        match (seen.kind.plural, seen.name) {
            ("httproutes", NAME | SECOND_ROUTE) => {
                several::remember(self, seen);
                route::check(self, seen);
                several::alike(self, seen);
                second::route(self, seen);
                second::neighbours(self, seen);
            }
            ("releaserecords", _) => {
                record::check(self, seen);
                compared::check(self, seen);
                ledger::record(self, seen);
                shown::check(self, seen);
                asked::check(self, seen);
                believed::check(self, seen);
                jobs::record(self, seen);
                blamed::check(self, seen);
                charged::check(self, seen);
                lost::record(self, seen);
                restarted::record(self, seen);
                // The second service has no ConfigMap, and its route and pods are looked at on their own.
                if seen.after.is_none_or(|record| text(record, "/spec/release") != Some(SECOND)) {
                    config::record(self, seen);
                    around::adopted(self, seen);
                    refused::record(self, seen);
                    several::counts(self, seen);
                }
            }
            ("jobs", _) => jobs::check(self, seen),
            ("configmaps", _) => config::edited(self, seen),
            ("gatedreleases", _) => {
                if seen.name == NAME {
                    config::noted(self, seen);
                    fallback::edited(self, seen);
                    listed::check(self, seen);
                }
                view::check(self, seen);
            }
            ("riskbudgets", NAME) => {
                ledger::budget(self, seen);
                spent::check(self, seen);
                loosened::check(self, seen);
                owed::check(self, seen);
                asked::remember(self, seen);
            }
            ("attestations", _) => {
                shown::remember(self, seen);
                loosened::remember(self, seen);
            }
            ("httproutes", SECOND) => second::route(self, seen),
            ("deployments" | "replicasets", _) => {
                workload::check(self, seen);
                count::check(self, seen);
                if seen.kind.plural == "deployments" {
                    held::check(self, seen);
                    bypass::check(self, seen);
                    lost::deployment(self, seen);
                    copies::deployment(self, seen);
                    fallback::resumed(self, seen);
                    warm::deployment(self, seen);
                }
            }
            ("statefulsets" | "pods", _) => {
                jobs::pod(self, seen);
                count::check(self, seen);
                if seen.kind.plural == "statefulsets" {
                    held::check(self, seen);
                }
            }
            _ => {}
        }
        route::abort(self, seen);
        follow::check(self, seen);
        owned::check(self, seen);
        around::told(self, seen);
        lost::told(self, seen);
        disruption::check(self, seen);
        copies::check(self, seen);
        warm::check(self, seen);
        exposed::check(self, seen);
        refused::check(self, seen);
    }

    /// Notes what does not hold; the same thing only once.
    pub fn violated(&mut self, rule: Rule, at: Time, says: String) {
        if !self.violations.iter().any(|known| known.rule == rule) {
            self.violations.push(Violation { rule, at, says });
        }
    }

    fn remember(&mut self, seen: &Seen<'_>) {
        match seen.kind.plural {
            "endpointslices" => {
                let label = "/metadata/labels/kubernetes.io~1service-name";
                let service = [seen.after, seen.before].into_iter().flatten().find_map(|slice| text(slice, label));
                // Ready until now, whatever it is from now on.
                if let Some(service) = service
                    && [seen.before, seen.after].into_iter().flatten().any(|slice| ready(slice) > 0)
                {
                    self.ready_at.insert(service.to_owned(), seen.now);
                }
            }
            "deployments" | "statefulsets" if WORKLOADS.contains(&seen.name) => {
                if let Some(template) = seen.after.and_then(|after| after.pointer("/spec/template")) {
                    self.templates.insert(image(template).to_owned(), template.clone());
                }
                if let Some(template) = seen.before.and_then(|before| before.pointer("/spec/template")) {
                    self.replaced.insert(image(template).to_owned(), seen.now);
                }
            }
            "leases" => {
                let holder = seen.after.and_then(|lease| text(lease, "/spec/holderIdentity")).unwrap_or_default();
                self.leader = holder.strip_prefix("tidegate-").and_then(|rest| rest.split('_').next()?.parse().ok());
            }
            _ => {}
        }
    }

    /// Whether endpoints of the Service are ready.
    fn ready_now(&self, seen: &Seen<'_>, service: &str) -> bool {
        let slices = seen.objects.list(&crate::cluster::kind::ENDPOINT_SLICE, NAMESPACE);
        let label = "/metadata/labels/kubernetes.io~1service-name";
        slices.iter().any(|slice| text(slice, label) == Some(service) && ready(slice) > 0)
    }

    /// Whether endpoints of the Service are ready, or were a moment ago.
    fn lately_ready(&self, seen: &Seen<'_>, service: &str) -> bool {
        self.ready_now(seen, service) || self.ready_at.get(service).is_some_and(|at| seen.now.since(*at) <= FRESH)
    }
}

/// Whether a GatedRelease was deleted, or detached, so that its release ends.
fn leaves(release: &Value) -> bool {
    text(release, "/metadata/deletionTimestamp").is_some() || detached(release)
}

/// Whether it carries the annotation by which Tidegate leaves its workload.
fn detached(release: &Value) -> bool {
    text(release, "/metadata/annotations/tidegate.io~1detach").is_some()
}

/// The routes that are there, but for the second service's.
fn routes(objects: &dyn Objects) -> Vec<&Value> {
    let mut all = objects.list(&crate::cluster::kind::HTTP_ROUTE, NAMESPACE);
    all.retain(|route| text(route, "/metadata/name") != Some(SECOND));
    all
}

/// The name of the GatedRelease that has the first workload: the copy's, once the first has let go and the copy has taken it.
fn holder(objects: &dyn Objects) -> &'static str {
    let release = |name| objects.get(&crate::cluster::kind::GATED_RELEASE, NAMESPACE, name);
    let has = |name| release(name).is_some_and(|it| !items(it, "/metadata/finalizers").is_empty());
    if has(TWIN) && !has(NAME) { TWIN } else { NAME }
}

/// The GatedRelease that has the first workload, or would.
fn release(objects: &dyn Objects) -> Option<&Value> {
    objects.get(&crate::cluster::kind::GATED_RELEASE, NAMESPACE, holder(objects))
}

/// Whether a release by routes goes on of a workload that is under the gate, and does not come back.
fn goes_on(objects: &dyn Objects) -> bool {
    let Some(release) = release(objects).filter(|release| !leaves(release)) else { return false };
    let Some(workload) = objects.get(&crate::cluster::kind::DEPLOYMENT, NAMESPACE, NAME) else { return false };
    let Some(record) = newest_record(objects) else { return false };
    let open = |place: &str| record.pointer(place).is_none_or(Value::is_null);
    let gated = workload.pointer("/metadata/labels/tidegate.io~1gated").is_some();
    gated
        && !items(release, "/spec/traffic/httpRoutes").is_empty()
        && open("/status/outcome")
        && open("/status/rollback")
}

/// The newest record of the release.
fn newest_record(objects: &dyn Objects) -> Option<&Value> {
    newest_of(objects, holder(objects))
}

/// The newest record of a release.
fn newest_of<'a>(objects: &'a dyn Objects, release: &str) -> Option<&'a Value> {
    let all = objects.list(&crate::cluster::kind::RELEASE_RECORD, NAMESPACE);
    let ours = all.into_iter().filter(|record| text(record, "/spec/release") == Some(release));
    ours.max_by_key(|record| record.pointer("/spec/attempt").and_then(Value::as_u64))
}

fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place)?.as_str()
}

fn number(value: &Value, place: &str) -> u64 {
    value.pointer(place).and_then(Value::as_u64).unwrap_or(0)
}

fn items<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn time(value: &Value, place: &str) -> Option<Time> {
    Some(Time(text(value, place)?.parse().ok()?))
}

/// The image of the first container of a pod template.
fn image(template: &Value) -> &str {
    text(template, "/spec/containers/0/image").unwrap_or_default()
}

/// Endpoints of a slice that are ready.
fn ready(slice: &Value) -> usize {
    items(slice, "/endpoints")
        .iter()
        .filter(|endpoint| endpoint.pointer("/conditions/ready") == Some(&true.into()))
        .count()
}

#[cfg(test)]
mod tests;
