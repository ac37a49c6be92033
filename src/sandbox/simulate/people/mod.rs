//! What people and their tools do in a simulated world, as calls to the API server.

mod calls;
mod git;
mod routes;
mod words;

use serde_json::{Value, json};

pub(super) use calls::{ATTESTATIONS, DEPLOYMENTS, RELEASES, ROUTES, apply, call, delete, merge};
pub use git::{Git, RETRIES, budget, release, rolling, service};
pub(super) use words::SPEAKERS;

use super::check::{NAME, NAMESPACE, TWIN};
use super::owners::Owned;
use super::routes::docs;
use super::schedule::{Act, Quality, Workload};
use super::stewards::Stewards;
use super::trials;
use crate::api::names::DETACH;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::user::User;
use calls::{AUTOSCALERS, STATEFUL_SETS};
use git::{PASSES, autoscaler};

/// The people and tools of a world.
#[derive(Debug, Clone)]
pub struct People {
    /// What Git says.
    pub git: Git,
    /// What is released.
    pub workload: Workload,
    /// The risk points of the budget, where what is asked for is enforced.
    pub points: Option<u32>,
    /// Whether several routes, rules and parents lead to the workload.
    pub several: bool,
    /// Whether those who own the routes apply them without force, as Helm 4 does.
    pub careful: bool,
    /// Whether the pods read a ConfigMap.
    pub surrounded: bool,
    /// Whether a Job tries each stage.
    pub tried: bool,
    /// Those who look after the budget, where a second release spends it too.
    pub stewards: Option<Stewards>,
    /// What Git has besides, where those who own the workload see to it.
    pub owned: Owned,
    person: User,
    flux: User,
    admin: User,
    retries: u32,
    touches: u32,
    said: u32,
}

impl Default for People {
    fn default() -> Self {
        Self {
            git: Git::default(),
            workload: Workload::Routed,
            points: None,
            several: false,
            careful: false,
            surrounded: false,
            tried: false,
            stewards: None,
            owned: Owned::default(),
            person: User::person("alice"),
            flux: User::service_account("flux-system", "kustomize-controller"),
            admin: User::person("admin"),
            retries: 0,
            touches: 0,
            said: 0,
        }
    }
}

/// Whether the GatedRelease is there, is to stay, and has its workload under the gate.
fn has_the_workload(api: &ApiServer) -> bool {
    api.get(&crate::cluster::kind::GATED_RELEASE, NAMESPACE, NAME).is_some_and(|release| {
        let has = |place: &str| release.pointer(place).is_some();
        let left = release.pointer("/metadata/annotations").is_some_and(|all| all.get(DETACH).is_some());
        has("/metadata/finalizers/0") && !has("/metadata/deletionTimestamp") && !left
    })
}

impl People {
    /// Where the workload's kind lives.
    const fn workloads(&self) -> &'static str {
        match self.workload {
            Workload::Routed | Workload::ByCount => DEPLOYMENTS,
            Workload::Stateful => STATEFUL_SETS,
        }
    }

    /// The workload's kind.
    const fn kind(&self) -> &'static str {
        match self.workload {
            Workload::Routed | Workload::ByCount => "Deployment",
            Workload::Stateful => "StatefulSet",
        }
    }

    /// What lets a held workload go.
    fn let_go(&self, paused: Value) -> Value {
        match self.workload {
            Workload::Routed | Workload::ByCount => json!({"spec": {"paused": paused}}),
            Workload::Stateful => json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}),
        }
    }

    /// Puts everything there that Git has.
    pub fn install(&mut self, api: &mut ApiServer) -> Vec<u16> {
        let (flux, person) = (self.flux.clone(), self.person.clone());
        let mut codes = vec![apply(api, &flux, "/api/v1/namespaces/shop/services", &service())];
        if self.workload == Workload::Routed {
            if self.several {
                codes.push(apply(api, &flux, "/api/v1/namespaces/shop/services", &docs()));
            }
            codes.push(self.apply_routes(api));
        }
        if self.tried {
            codes.push(trials::install(api));
        }
        codes.extend([
            apply(api, &flux, self.workloads(), &self.deployment()),
            apply(api, &person, "/apis/tidegate.io/v1alpha1/namespaces/shop/riskbudgets", &budget(self.points)),
            apply(api, &flux, RELEASES, &self.release()),
        ]);
        if let Some(stewards) = &self.stewards {
            codes.extend(stewards.install(api, &flux, [&self.deployment(), &self.release()]));
        }
        codes
    }

    /// Does one thing; says the HTTP status that came of it. Faults are not theirs.
    pub fn act(&mut self, api: &mut ApiServer, act: &Act) -> Option<u16> {
        let (person, flux, admin) = (self.person.clone(), self.flux.clone(), self.admin.clone());
        let workload = format!("{}/{NAME}", self.workloads());
        let routed = self.workload == Workload::Routed;
        let (ours, twin) = (format!("{RELEASES}/{NAME}"), format!("{RELEASES}/{TWIN}"));
        Some(match act {
            Act::Deploy { number, quality, change, glass } => {
                self.git.image = format!("shop:{number}-{}", quality.as_str());
                (self.git.number, self.git.change) = (*number, change);
                // Half of them forget to delete the line that let an earlier version through.
                let forgotten = self.git.glass.filter(|_| number % 2 == 0);
                self.git.glass = glass.then_some(*number).or(forgotten);
                apply(api, &flux, self.workloads(), &self.deployment())
            }
            Act::Revert => {
                self.git.image = format!("shop:1-{}", Quality::Good.as_str());
                (self.git.number, self.git.change, self.git.glass) = (1, "Rollback", None);
                apply(api, &flux, self.workloads(), &self.deployment())
            }
            Act::Scale(replicas) => {
                self.git.replicas = *replicas;
                apply(api, &flux, self.workloads(), &self.deployment())
            }
            Act::ScaleByHand(replicas) => merge(api, &person, &workload, &json!({"spec": {"replicas": replicas}})),
            Act::Autoscale(most) => apply(api, &flux, AUTOSCALERS, &autoscaler(self.kind(), *most)),
            Act::NoAutoscaler => delete(api, &flux, &format!("{AUTOSCALERS}/{NAME}")),
            Act::Resume => merge(api, &person, &workload, &self.let_go(Value::Null)),
            Act::Unpause => merge(api, &flux, &workload, &self.let_go(json!(false))),
            Act::Restart => {
                self.git.restarts += 1;
                apply(api, &flux, self.workloads(), &self.deployment())
            }
            Act::RemoveLabel => {
                merge(api, &person, &workload, &json!({"metadata": {"labels": {"tidegate.io/gated": null}}}))
            }
            Act::AddLabel => {
                merge(api, &person, &workload, &json!({"metadata": {"labels": {"tidegate.io/gated": ""}}}))
            }
            // The copy goes with it: worlds of their own look at who takes over.
            Act::DeleteRelease => {
                delete(api, &person, &twin);
                delete(api, &person, &ours)
            }
            Act::CreateTwin if has_the_workload(api) => apply(api, &flux, RELEASES, &self.copy()),
            Act::CreateTwin => return None,
            Act::DeleteTwin => delete(api, &person, &twin),
            Act::DeleteFirst => delete(api, &person, &ours),
            Act::Detach => {
                delete(api, &person, &twin);
                merge(api, &person, &ours, &json!({"metadata": {"annotations": {DETACH: "left"}}}))
            }
            Act::Attach => merge(api, &person, &ours, &json!({"metadata": {"annotations": {DETACH: null}}})),
            Act::CreateRelease => apply(api, &flux, RELEASES, &self.release()),
            // Neither has a meaning without a route, and the API server refuses the strategy.
            Act::ReapplyRoute
            | Act::RecreateRoute
            | Act::MoveRouteAway
            | Act::MoveRouteBack
            | Act::EditRoute
            | Act::EditRules
            | Act::Strategy { .. }
                if !routed =>
            {
                return None;
            }
            Act::ReapplyRoute => self.apply_routes(api),
            Act::RecreateRoute => {
                for route in self.routes() {
                    let name = route["metadata"]["name"].as_str().unwrap_or_default();
                    delete(api, &person, &format!("{ROUTES}/{name}"));
                }
                self.apply_routes(api)
            }
            Act::MoveRouteAway => {
                apply(api, &flux, "/api/v1/namespaces/shop/services", &docs());
                self.git.away = true;
                self.apply_routes(api)
            }
            Act::MoveRouteBack => {
                self.git.away = false;
                self.apply_routes(api)
            }
            Act::EditRoute => {
                self.git.edits += 1;
                self.apply_routes(api)
            }
            Act::EditRules => {
                self.git.turns += 1;
                self.apply_routes(api)
            }
            Act::EditRelease => {
                self.git.edits += 1;
                apply(api, &flux, RELEASES, &self.release())
            }
            Act::Strategy { queue, lean } => {
                (self.git.queue, self.git.lean) = (*queue, *lean);
                apply(api, &flux, RELEASES, &self.release())
            }
            Act::Judged { compared, passes, sustained } => {
                let undecided = if *passes { PASSES } else { "RollBack" };
                (self.git.compared, self.git.sustained) = (compared.then_some(undecided), *sustained);
                apply(api, &flux, RELEASES, &self.release())
            }
            Act::Checked => {
                self.git.checked = true;
                apply(api, &flux, RELEASES, &self.release())
            }
            Act::Retry => {
                self.retries += 1;
                let token = format!("again-{}", self.retries);
                merge(api, &person, &ours, &json!({"metadata": {"annotations": {"tidegate.io/retry": token}}}))
            }
            Act::Recreate => {
                delete(api, &person, &workload);
                apply(api, &flux, self.workloads(), &self.deployment())
            }
            Act::DeleteCanary => delete(api, &admin, &format!("{DEPLOYMENTS}/{NAME}-canary")),
            Act::Malformed => {
                let broken =
                    json!({"metadata": {"name": "broken", "namespace": NAMESPACE}, "spec": {"workloadRef": 7}});
                match api.put_raw(&crate::cluster::kind::GATED_RELEASE, broken) {
                    Ok(_) => 200,
                    Err(refusal) => refusal.code,
                }
            }
            Act::Show { but, people, author } => self.show(api, *but, *people, *author),
            Act::Speak { who, role, voice } => self.speak(api, (*who, *role), *voice),
            Act::Deed(deed) => {
                let first = Self { git: Git::default(), ..self.clone() }.deployment();
                return self.stewards.as_mut()?.act(api, &first, deed);
            }
            Act::Budget(_)
            | Act::Load(_)
            | Act::Lossy { .. }
            | Act::Conflicts { .. }
            | Act::LeaveAlone(_)
            | Act::Crash { .. }
            | Act::Partition { .. }
            | Act::DropWatches
            | Act::Compact
            | Act::Prometheus { .. }
            | Act::Flap(_)
            | Act::NodeGone { .. }
            | Act::RouterLag(_)
            | Act::RouterStuck(_)
            | Act::NotSent(_)
            | Act::Aside(_)
            | Act::Breaker(_)
            | Act::Around(_)
            | Act::Owner(_)
            | Act::Trial(_) => return None,
        })
    }

    /// Somebody writes an annotation to the object of this path.
    pub fn touch(&mut self, api: &mut ApiServer, path: &str) {
        let object = path.strip_suffix("/status").unwrap_or(path);
        if object.contains("/leases") || object.contains("/events") {
            return;
        }
        self.touches += 1;
        let patch = json!({"metadata": {"annotations": {"example.com/touched": self.touches.to_string()}}});
        merge(api, &self.flux.clone(), object, &patch);
    }
}
