//! What a route remembers while it is divided, each of it by Service: a route may lead to several, each with its own release.
//!
//! - [`WEIGHTS`]: whose weights are kept, `cart,checkout`. The admission policy reads it.
//! - [`WEIGHTS_BEFORE`]: the weights to put back, `{"cart":{"matches:…:1":3}}`.
//! - [`WITHDRAWN`]: why a version was brought back, `{"cart":{"record":"cart-0002","log":{…}}}`.
//!
//! An earlier Tidegate kept one Service's weights and one reason, by no name. They are read as that Service's, and named at
//! the next write.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::annotation;
use super::note::Weights;
use crate::api::names::{WEIGHTS, WEIGHTS_BEFORE, WITHDRAWN};
use crate::api::release_record::RollbackLog;
use crate::release::snapshot::service_of;
use crate::release::split::Carrier;

/// The marks of all Services on one route.
#[derive(Debug)]
pub(super) struct Marks {
    /// Whose weights are kept.
    services: BTreeSet<String>,
    before: BTreeMap<String, Weights>,
    withdrawn: BTreeMap<String, Withdrawn>,
}

/// Why a version was brought back.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Withdrawn {
    /// The attempt; the GatedRelease where no attempt is open.
    record: String,
    log: RollbackLog,
}

impl Marks {
    /// What stands on the route. What cannot be read says nothing.
    pub(super) fn read(route: &Value) -> Self {
        let services: BTreeSet<String> = annotation(route, WEIGHTS).map(names).into_iter().flatten().collect();
        let mut only = services.iter();
        // Who wrote what has no name.
        let writer = only.next().filter(|_| only.next().is_none()).cloned();
        Self { before: before(route, writer.as_deref()), withdrawn: withdrawn(route, writer.as_deref()), services }
    }

    /// Whether the Service's weights are kept.
    pub(super) fn name(&self, service: &str) -> bool {
        self.services.contains(service)
    }

    /// The weights that the owner gave the Service before its rules were divided.
    pub(super) fn before(&self, service: &str) -> Weights {
        self.before.get(service).cloned().unwrap_or_default()
    }

    /// Why the Service's new version was brought back: the attempt, and its log.
    pub(super) fn withdrawn(&self, service: &str) -> Option<(String, RollbackLog)> {
        self.withdrawn.get(service).map(|mark| (mark.record.clone(), mark.log.clone()))
    }

    /// Keeps the Service's weights from now on. A reason that stands stays where none is given.
    pub(super) fn keep(&mut self, service: &str, before: Weights, withdrawn: Option<&(String, RollbackLog)>) {
        self.services.insert(service.to_owned());
        self.before.insert(service.to_owned(), before);
        if let Some((record, log)) = withdrawn {
            self.withdrawn.insert(service.to_owned(), Withdrawn { record: record.clone(), log: log.clone() });
        }
    }

    /// The Service is at home: nothing of it is remembered, and all of the others.
    pub(super) fn forget(&mut self, service: &str) {
        self.services.remove(service);
        self.before.remove(service);
        self.withdrawn.remove(service);
    }

    /// Forgets what belongs to Services that are neither marked nor divided any more, so that a route gathers nothing.
    pub(super) fn retain(&mut self, divided: impl Fn(&str) -> bool) {
        let stands = |service: &String| self.services.contains(service) || divided(service);
        self.before.retain(|service, _| stands(service));
        self.withdrawn.retain(|service, _| stands(service));
    }

    /// The operations after which the route says just this.
    pub(super) fn patch(&self, route: &Value) -> Vec<Value> {
        let services = self.services.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let marks = [
            (WEIGHTS, Some(services).filter(|text| !text.is_empty())),
            (WEIGHTS_BEFORE, as_text(&self.before)),
            (WITHDRAWN, as_text(&self.withdrawn)),
        ];
        let mut ops = Vec::new();
        if route.pointer("/metadata/annotations").is_none() && marks.iter().any(|(_, value)| value.is_some()) {
            ops.push(add("/metadata/annotations", json!({})));
        }
        for (key, value) in marks {
            let path = format!("/metadata/annotations/{}", key.replace('~', "~0").replace('/', "~1"));
            let stands = route.pointer("/metadata/annotations").and_then(|all| all.get(key));
            match value {
                Some(value) if stands != Some(&json!(value)) => ops.push(add(&path, json!(value))),
                None if stands.is_some() => ops.push(json!({"op": "remove", "path": path})),
                Some(_) | None => {}
            }
        }
        ops
    }
}

fn names(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The notes by Service. Weights that stand by no Service's name are the `writer`'s.
fn before(route: &Value, writer: Option<&str>) -> BTreeMap<String, Weights> {
    let mut notes = BTreeMap::<String, Weights>::new();
    for (key, value) in entries(route, WEIGHTS_BEFORE) {
        let (service, weights) = match (value, writer) {
            (Value::Object(of), _) => (key, of.into_iter().collect::<BTreeMap<_, _>>()),
            (weight, Some(writer)) => (writer.to_owned(), BTreeMap::from([(key, weight)])),
            (_, None) => continue,
        };
        let read = weights.into_iter().map(|(key, weight)| Ok((key, serde_json::from_value(weight)?)));
        // A note of which a part cannot be read is none.
        let Ok(read) = read.collect::<Result<Weights, serde_json::Error>>() else { continue };
        notes.entry(service).or_default().extend(read);
    }
    notes
}

/// The reasons by Service. One that stands by no Service's name says itself where it led the traffic.
fn withdrawn(route: &Value, writer: Option<&str>) -> BTreeMap<String, Withdrawn> {
    let all = entries(route, WITHDRAWN);
    if let Ok(only) = serde_json::from_value::<Withdrawn>(Value::Object(all.clone())) {
        let led = |service: &str| {
            [Carrier::Workload, Carrier::Previous].map(|to| service_of(service, to)).contains(&only.log.traffic_to)
        };
        let to = only.log.traffic_to.as_str();
        let previous = to.strip_suffix(crate::api::names::PREVIOUS_SUFFIX);
        let service = writer.filter(|writer| led(writer)).or(previous).unwrap_or(to).to_owned();
        return BTreeMap::from([(service, only)]);
    }
    all.into_iter().filter_map(|(service, mark)| Some((service, serde_json::from_value(mark).ok()?))).collect()
}

fn entries(route: &Value, key: &str) -> serde_json::Map<String, Value> {
    annotation(route, key).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// None where there is nothing to say.
fn as_text<T: Serialize>(by_service: &BTreeMap<String, T>) -> Option<String> {
    serde_json::to_string(by_service).ok().filter(|_| !by_service.is_empty())
}

fn add(path: &str, value: Value) -> Value {
    json!({"op": "add", "path": path, "value": value})
}
