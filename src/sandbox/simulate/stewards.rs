//! What is done about a RiskBudget that two releases spend, as calls to the API server: by the second service's Git, by those
//! who answer for the budget, and by a pipeline that charges it.

use serde_json::{Value, json};

use super::check::{NAME, NAMESPACE, SECOND};
use super::people::{ATTESTATIONS, DEPLOYMENTS, RELEASES, ROUTES, SPEAKERS, apply, call, delete, service};
use super::routes::routes;
use super::schedule::{Deed, Quality, Voice};
use crate::cluster::kind::{RELEASE_RECORD, RISK_BUDGET};
use crate::policy::obligation::Demand;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::user::User;

const RECORDS: &str = "/apis/tidegate.io/v1alpha1/namespaces/shop/releaserecords";
const BUDGETS: &str = "/apis/tidegate.io/v1alpha1/namespaces/shop/riskbudgets";
/// The roles whose approvals a loosening takes.
const BOTH: [&str; 2] = ["product-manager", "development-manager"];
/// How long a release waits in these worlds: so long that others end meanwhile, or the window turns.
pub(super) const PATIENCE: &str = "3m";

/// Those who look after a shared budget, and what they have written.
#[derive(Debug, Clone)]
pub struct Stewards {
    points: u32,
    tenths: u32,
    image: String,
    number: u32,
    change: &'static str,
    said: u32,
    /// Whether the first service's route leads to the second too, and there is no other.
    joined: bool,
}

impl Stewards {
    /// Of a budget with so many points.
    pub fn new(points: u32, joined: bool) -> Self {
        let image = format!("{SECOND}:1-{}", Quality::Good.as_str());
        Self { points, tenths: 990, image, number: 1, change: "Feature", said: 0, joined }
    }

    /// The RiskBudget: points hold, and what a change must show is only told.
    fn budget(&self) -> Value {
        let mut budget = super::people::budget(None);
        budget["spec"]["riskPoints"] = json!(self.points);
        budget["spec"]["slos"][0]["objective"] = json!(f64::from(self.tenths) / 10.0);
        budget
    }

    /// Puts the second service there, and the budget; `first` are Deployment and GatedRelease of the first.
    pub(super) fn install(&self, api: &mut ApiServer, by: &User, first: [&Value; 2]) -> Vec<u16> {
        let [deployment, release] = first;
        let mut release = second(release);
        release["spec"]["riskBudgetRef"]["name"] = json!(NAME);
        if self.joined {
            release["spec"]["traffic"]["httpRoutes"] = json!([{"name": NAME}]);
        }
        let mut codes = vec![
            apply(api, by, BUDGETS, &self.budget()),
            apply(api, by, "/api/v1/namespaces/shop/services", &second(&service())),
            apply(api, by, DEPLOYMENTS, &self.deployment(deployment)),
            apply(api, by, RELEASES, &release),
        ];
        let own = if self.joined { Vec::new() } else { routes(0, 0, false, false) };
        codes.extend(own.iter().map(|route| apply(api, by, ROUTES, &second(route))));
        codes
    }

    /// The rules of the first service's route that lead to the second: one, where they are behind one route.
    pub(super) fn rules(&self) -> Vec<Value> {
        let rule = json!({
            "matches": [{"path": {"type": "PathPrefix", "value": "/second"}}],
            "backendRefs": [{"name": SECOND, "port": 80}],
        });
        self.joined.then_some(rule).into_iter().collect()
    }

    fn deployment(&self, first: &Value) -> Value {
        let mut object = second(first);
        object["spec"]["replicas"] = json!(2);
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(self.image);
        object["metadata"]["annotations"] =
            json!({"tidegate.io/change": format!("git:5{:06x}", self.number), "tidegate.io/change-type": self.change});
        object
    }

    /// Does one deed; says the HTTP status that came of it. `first` is the Deployment of the first service as Git had it at
    /// the beginning.
    pub(super) fn act(&mut self, api: &mut ApiServer, first: &Value, deed: &Deed) -> Option<u16> {
        let flux = User::service_account("flux-system", "kustomize-controller");
        Some(match deed {
            Deed::DeploySecond { number, quality, change } => {
                self.image = format!("{SECOND}:{number}-{}", quality.as_str());
                (self.number, self.change) = (*number, change);
                apply(api, &flux, DEPLOYMENTS, &self.deployment(first))
            }
            Deed::RevertSecond => {
                self.image = format!("{SECOND}:1-{}", Quality::Good.as_str());
                (self.number, self.change) = (1, "Rollback");
                apply(api, &flux, DEPLOYMENTS, &self.deployment(first))
            }
            Deed::Charge { number, category, change, back } => {
                let pipeline = User::service_account("ci", "ci");
                let facts = json!({"categories": category, "change-type": change});
                let outcome = if *back { "Withdrawn" } else { "Passed" };
                let spec = json!({"revision": format!("iac:{number}"), "type": "charge", "facts": facts});
                self.say(api, &pipeline, outcome, spec)
            }
            Deed::Points(points) => {
                self.points = *points;
                apply(api, &User::person("alice"), BUDGETS, &self.budget())
            }
            Deed::Objective(tenths) => {
                self.tenths = *tenths;
                apply(api, &User::person("alice"), BUDGETS, &self.budget())
            }
            Deed::Agree { who, role, voice } => {
                let waits = api.get(&RISK_BUDGET, NAMESPACE, NAME)?.pointer("/status/loosening/revision").cloned();
                // Where nothing waits there is nothing to agree to.
                let revision = waits?;
                let outcome = match voice {
                    Voice::Approve => "Passed",
                    Voice::Reject => "Failed",
                    Voice::Withdraw => "Withdrawn",
                };
                let user = User::person(SPEAKERS[*who % SPEAKERS.len()]);
                let role = BOTH[*role % BOTH.len()];
                self.say(api, &user, outcome, json!({"revision": revision, "type": "approval", "role": role}))
            }
            Deed::Meet { who, astray } => {
                let owed = api.get(&RISK_BUDGET, NAMESPACE, NAME)?.pointer("/status/obligations")?.as_array()?.clone();
                let first = owed.iter().find(|one| one["state"] != "Met")?;
                let (name, kind) = (first["name"].as_str()?, first["type"].as_str()?);
                let demand = Demand::named(kind)?;
                let word = |words: Option<&'static [&'static str]>| {
                    words.and_then(<[_]>::first).copied().unwrap_or("see the minutes of 2 April")
                };
                let facts: serde_json::Map<String, Value> = demand
                    .form
                    .fields
                    .iter()
                    .map(|field| (field.key.to_owned(), json!(word(field.check.words()))))
                    .collect();
                let user = match who {
                    Some(who) => User::person(SPEAKERS[*who % SPEAKERS.len()]),
                    None => User::service_account("ci", "ci"),
                };
                let kind = if demand.is_approval() { "approval" } else { kind };
                let names = if *astray { format!("{kind}-of-nothing") } else { name.to_owned() };
                let mut spec = json!({"revision": names, "type": kind, "facts": facts});
                if demand.is_approval() {
                    spec["role"] = json!(demand.owed_by.first().map(|role| role.as_str()));
                }
                self.say(api, &user, "Passed", spec)
            }
            Deed::Purge => {
                let pending = api.get(&RISK_BUDGET, NAMESPACE, NAME)?.pointer("/status/ledger/pending").cloned();
                // One whose charge was not counted yet is made again under its own number.
                let counted = |record: &&Value| {
                    let pending = pending.as_ref().and_then(Value::as_array).into_iter().flatten();
                    pending.clone().all(|one| one["record"] != record["metadata"]["name"])
                };
                let all = api.list(&RELEASE_RECORD, NAMESPACE).into_iter();
                let charged = all.filter(|record| record["status"]["outcome"] == "Charged").filter(counted);
                let newest = charged.max_by_key(|record| record["spec"]["attempt"].as_u64())?;
                let name = newest["metadata"]["name"].as_str()?.to_owned();
                let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
                delete(api, &admin, &format!("{RECORDS}/{name}"))
            }
            // A fault, which nobody does.
            Deed::DieCharging { .. } => return None,
        })
    }

    /// Somebody says something about the RiskBudget.
    fn say(&mut self, api: &mut ApiServer, user: &User, outcome: &str, mut spec: Value) -> u16 {
        self.said += 1;
        spec["releaseRef"] = json!({"kind": "RiskBudget", "name": NAME});
        spec["outcome"] = json!(outcome);
        let attestation = json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation",
            "metadata": {"name": format!("told-{}", self.said), "namespace": NAMESPACE}, "spec": spec,
        });
        let (post, json) = (http::Method::POST, "application/json");
        call(api, user, post, ATTESTATIONS.to_owned(), "fieldManager=kubectl", json, &attestation)
    }
}

/// An object of the first service as one of the second: another name wherever the first's stands.
fn second(object: &Value) -> Value {
    match object {
        Value::String(text) if text == NAME => json!(SECOND),
        Value::Array(all) => all.iter().map(second).collect(),
        Value::Object(all) => all.iter().map(|(key, value)| (key.clone(), second(value))).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => object.clone(),
    }
}
