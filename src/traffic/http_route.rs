//! HTTPRoute: the backendRef to `<service>` becomes `<service>` and its canary for the time of a release.
//!
//! Only rules that point to the Service are touched, and of these only the backendRefs of the Service, its canary and its
//! previous version. A rule that has other backends as well keeps their share: the Service's own weight is divided.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::release_record::RollbackLog;
use crate::release::Split;
use crate::release::snapshot::{RouteProblem, RouteState, service_of};
use crate::release::split::{CARRIERS, Carrier};
use marks::Marks;
use note::Note;

mod marks;
mod note;
mod owned;

pub use owned::{disown, owned};

/// What the route says.
///
/// Before a release a rule that cannot be divided is refused. Its owner may write one in the middle of a release as well: the
/// route must be steered all the same, so that rule gets what comes next to its share, or none where the Service has no
/// weight in it, and is told of.
pub fn observe(route: &Value, service: &str) -> Result<RouteState, RouteProblem> {
    let families: Vec<_> = families(route, service).collect();
    let divided = families.iter().any(|(_, family)| !family.alone());
    let marks = Marks::read(route);
    // A route may lead to several Services: the mark of another's release is no affair of this one's.
    let marked = marks.name(service);
    let released = marked || divided;
    let (mut rules, mut coarse, mut odd) = (Vec::new(), BTreeMap::new(), None);
    for (index, family) in &families {
        match family.check(*index, service) {
            Err(why) if !released => return Err(RouteProblem::Unsplittable(why)),
            Err(why) => drop(odd.get_or_insert(why)),
            Ok(()) => {}
        }
        if family.stands_aside() {
            continue;
        }
        if !family.whole().is_multiple_of(100) {
            coarse.insert(rules.len(), family.whole());
        }
        rules.push(family.split());
    }
    if families.is_empty() {
        return Err(RouteProblem::NoBackend { marked: marked.then(|| resource_version(route)) });
    }
    Ok(RouteState {
        resource_version: resource_version(route),
        rules,
        coarse,
        odd,
        marked,
        effective: effective(route),
        withdrawn: marks.withdrawn(service),
    })
}

/// The JSON patch that gives the route this split.
///
/// It carries the resourceVersion, so that the API server refuses it where the route has changed meanwhile. Rules and marks of
/// other Services stay as they are.
pub fn write(route: &Value, service: &str, split: Split, withdrawn: Option<&(String, RollbackLog)>) -> Value {
    let mut marks = Marks::read(route);
    let before = Note::of(route, marks.before(service));
    let mut after = before.anew();
    let home = split == Split::HOME;
    let mut ops = vec![replace("/metadata/resourceVersion", route["metadata"]["resourceVersion"].clone())];
    for (index, family) in families(route, service) {
        let Some(model) = family.model(service).filter(|_| !family.stands_aside()) else { continue };
        let own = family.own_weight(&before, index);
        after.keep(index, own);
        let shares = split.shares(family.whole());
        let wanted = CARRIERS.into_iter().filter_map(|carrier| match home || family.whole() == 0 {
            true => (carrier == Carrier::Workload).then(|| with_weight(&model, service, own)),
            false => {
                split.of(carrier)?;
                Some(with_weight(&model, &service_of(service, carrier), Some(shares[carrier as usize])))
            }
        });
        let refs = family.replaced(wanted.collect());
        if refs.as_array().is_none_or(|refs| refs != family.refs) {
            ops.push(replace(&format!("/spec/rules/{index}/backendRefs"), refs));
        }
    }
    if home {
        marks.forget(service);
    } else {
        marks.keep(service, after.weights(), withdrawn);
    }
    marks.retain(|other| families(route, other).any(|(_, family)| !family.alone()));
    ops.extend(marks.patch(route));
    Value::Array(ops)
}

/// The rules that point to the Service, or to what stands beside it, by their place in the route.
fn families<'a>(route: &'a Value, service: &'a str) -> impl Iterator<Item = (usize, Family<'a>)> {
    let all = rules_of(route).iter().enumerate().map(move |(index, rule)| (index, Family::of(rule, route, service)));
    all.filter(|(_, family)| !family.is_empty())
}

/// The backendRefs of one rule that belong to the Service.
struct Family<'a> {
    refs: &'a [Value],
    /// Where each carrier stands; several places for one are a mistake of the user's.
    places: [Vec<usize>; 3],
    /// Backends that are not ours.
    foreign: bool,
}

impl<'a> Family<'a> {
    fn of(rule: &'a Value, route: &Value, service: &str) -> Self {
        let namespace = text(route, "/metadata/namespace");
        let refs = rule.get("backendRefs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut places = [Vec::new(), Vec::new(), Vec::new()];
        let mut foreign = false;
        for (at, backend) in refs.iter().enumerate() {
            let is_service = text(backend, "/kind").is_none_or(|kind| kind == "Service")
                && text(backend, "/group").is_none_or(str::is_empty)
                && (text(backend, "/namespace").is_none() || text(backend, "/namespace") == namespace);
            let name = text(backend, "/name").filter(|_| is_service);
            match CARRIERS.into_iter().find(|carrier| name == Some(service_of(service, *carrier).as_str())) {
                Some(carrier) => places[carrier as usize].push(at),
                None => foreign = true,
            }
        }
        Self { refs, places, foreign }
    }

    fn is_empty(&self) -> bool {
        self.places.iter().all(Vec::is_empty)
    }

    /// What the rule gives a carrier; of one that it names twice, both.
    fn weight(&self, carrier: Carrier) -> Option<u32> {
        let places = &self.places[carrier as usize];
        let given = places.iter().map(|at| weight_of(&self.refs[*at]).unwrap_or(1));
        (!places.is_empty()).then(|| given.fold(0, u32::saturating_add))
    }

    fn sum(&self) -> u32 {
        CARRIERS.into_iter().filter_map(|carrier| self.weight(carrier)).sum()
    }

    fn alone(&self) -> bool {
        self.places[1].is_empty() && self.places[2].is_empty()
    }

    /// The owner gives the Service nothing here: there is nothing to divide, and nobody is to be sent to any version.
    fn stands_aside(&self) -> bool {
        self.alone() && self.sum() == 0
    }

    /// How many parts are divided: beside other backends as many as the owner gives the Service, however they are divided now.
    fn whole(&self) -> u32 {
        if self.foreign { self.sum() } else { 100 }
    }

    /// Whether the rule can carry a release.
    fn check(&self, index: usize, service: &str) -> Result<(), String> {
        if self.places.iter().any(|places| places.len() > 1) {
            return Err(format!(
                "spec.rules[{index}].backendRefs names Service {service} more than once. Keep one of them."
            ));
        }
        let weight = self.sum();
        if weight == 0 && (self.alone() || self.foreign) {
            return Err(format!(
                "spec.rules[{index}].backendRefs gives Service {service} weight 0, so it has no traffic to divide. Give it a weight."
            ));
        }
        if !self.whole().is_multiple_of(100) {
            let with = if self.alone() { "" } else { ", with its other versions," };
            return Err(format!(
                "spec.rules[{index}].backendRefs gives Service {service}{with} weight {weight} beside other backends, which cannot be divided into hundredths. Multiply all weights of the rule by 100."
            ));
        }
        Ok(())
    }

    fn split(&self) -> Option<Split> {
        if self.places.iter().any(|places| places.len() > 1) {
            return None;
        }
        if self.alone() {
            return Some(Split::HOME);
        }
        let split = Split::of_shares(CARRIERS.map(|carrier| self.weight(carrier)))?;
        let shares = split.shares(self.whole());
        let said = CARRIERS.into_iter().all(|carrier| self.weight(carrier).unwrap_or(0) == shares[carrier as usize]);
        said.then_some(split)
    }

    /// The weight that its owner gave the Service; none where it had none. Where it stands alone, or beside backends of
    /// others, the rule itself says so; else it is what was noted when the rule was divided first. A Service that is named
    /// twice is written once, with the share of both.
    fn own_weight(&self, noted: &Note, index: usize) -> Option<u32> {
        match self.places[0].as_slice() {
            [at] if self.alone() => weight_of(&self.refs[*at]),
            _ if self.foreign => Some(self.sum()),
            [at, ..] if self.alone() => weight_of(&self.refs[*at]),
            _ => noted.weight(index),
        }
    }

    /// The backendRef that the others are copied from.
    fn model(&self, service: &str) -> Option<Value> {
        let at = *self.places.iter().find_map(|places| places.first())?;
        let mut model = self.refs[at].clone();
        model["name"] = json!(service);
        Some(model)
    }

    /// The list of backendRefs with ours in place of what stood there; the others keep their order.
    fn replaced(&self, ours: Vec<Value>) -> Value {
        let is_ours = |at: &usize| self.places.iter().any(|places| places.contains(at));
        let first = (0..self.refs.len()).find(is_ours).unwrap_or(0);
        let mut ours = Some(ours);
        let mut list = Vec::new();
        for (at, backend) in self.refs.iter().enumerate() {
            if at == first {
                list.extend(ours.take().unwrap_or_default());
            }
            if !is_ours(&at) {
                list.push(backend.clone());
            }
        }
        Value::Array(list)
    }
}

fn with_weight(model: &Value, name: &str, weight: Option<u32>) -> Value {
    let mut backend = model.clone();
    backend["name"] = json!(name);
    match (weight, backend.as_object_mut()) {
        (Some(weight), _) => backend["weight"] = json!(weight),
        (None, Some(map)) => {
            map.remove("weight");
        }
        (None, None) => {}
    }
    backend
}

/// Whether every parent has accepted the present generation with all references resolved.
fn effective(route: &Value) -> Result<(), String> {
    let generation = route.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let namespace = text(route, "/metadata/namespace").unwrap_or_default();
    let parents = list(route, "/spec/parentRefs");
    if parents.is_empty() {
        return Err("it has no parentRefs, so no gateway carries it".to_owned());
    }
    let statuses = list(route, "/status/parents");
    for parent in parents {
        let id = parent_id(parent, namespace);
        let mut said = statuses
            .iter()
            .filter(|status| parent_id(&status["parentRef"], namespace) == id)
            .map(|status| taken(status, generation));
        let first = said.next().unwrap_or_else(|| Err("no gateway controller has answered yet".to_owned()));
        if let Err(why) = said.fold(first, |best, next| best.or(next)) {
            return Err(format!("parent {} {}: {why}", id.1, id.3));
        }
    }
    Ok(())
}

type ParentId<'a> = (&'a str, &'a str, &'a str, &'a str, Option<&'a str>, Option<i64>);

/// What tells parents apart, with the defaults of the Gateway API.
fn parent_id<'a>(parent: &'a Value, namespace: &'a str) -> ParentId<'a> {
    (
        text(parent, "/group").unwrap_or("gateway.networking.k8s.io"),
        text(parent, "/kind").unwrap_or("Gateway"),
        text(parent, "/namespace").unwrap_or(namespace),
        text(parent, "/name").unwrap_or_default(),
        text(parent, "/sectionName"),
        parent.get("port").and_then(Value::as_i64),
    )
}

fn taken(status: &Value, generation: i64) -> Result<(), String> {
    let conditions = list(status, "/conditions");
    for kind in ["Accepted", "ResolvedRefs"] {
        let Some(condition) = conditions.iter().find(|condition| condition["type"] == kind) else {
            return Err(format!("it says nothing about {kind} yet"));
        };
        let (truth, reason) =
            (text(condition, "/status").unwrap_or("Unknown"), text(condition, "/reason").unwrap_or_default());
        let seen = condition.get("observedGeneration").and_then(Value::as_i64).unwrap_or(0);
        if seen != generation {
            return Err(format!("{kind} speaks of generation {seen}, not yet of {generation}"));
        }
        if truth != "True" {
            return Err(format!("{kind} is {truth} ({reason}): {}", text(condition, "/message").unwrap_or_default()));
        }
    }
    Ok(())
}

fn resource_version(route: &Value) -> String {
    text(route, "/metadata/resourceVersion").unwrap_or_default().to_owned()
}

fn rules_of(route: &Value) -> &[Value] {
    list(route, "/spec/rules")
}

fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place)?.as_str()
}

fn annotation<'a>(route: &'a Value, key: &str) -> Option<&'a str> {
    route.pointer("/metadata/annotations")?.get(key)?.as_str()
}

fn weight_of(backend: &Value) -> Option<u32> {
    backend.get("weight")?.as_u64().and_then(|weight| u32::try_from(weight).ok())
}

fn replace(path: &str, value: Value) -> Value {
    json!({"op": "replace", "path": path, "value": value})
}

#[cfg(test)]
mod tests;
