//! What people and their tools do in a simulated world, as calls to the API server.

use serde_json::{Value, json};

use super::check::{NAME, NAMESPACE, SECOND_ROUTE, TWIN};
use super::routes::{docs, routes};
use super::schedule::{Act, Quality, SHOWN, SPEAKING, SPOKEN, Voice, Workload};
use super::stewards::{PATIENCE, Stewards};
use super::trials;
use crate::api::names::DETACH;
use crate::sandbox::api::{Answer, ApiServer, Call};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::user::User;

/// What Git says, and who reads it.
#[derive(Debug, Clone)]
pub struct Git {
    image: String,
    change: &'static str,
    number: u32,
    glass: Option<u32>,
    replicas: u32,
    restarts: u32,
    edits: u32,
    /// How often the owner of the routes edited the list of their rules.
    turns: u32,
    /// Whether the routes lead to somebody else for a while.
    away: bool,
    queue: bool,
    lean: bool,
    /// What happens with versions that are compared and cannot be told apart; none where they are not compared.
    compared: Option<&'static str>,
    sustained: bool,
    checked: bool,
}

impl Default for Git {
    fn default() -> Self {
        Self {
            image: "shop:1-good".to_owned(),
            change: "Feature",
            number: 1,
            glass: None,
            replicas: 3,
            restarts: 0,
            edits: 0,
            turns: 0,
            away: false,
            queue: false,
            lean: false,
            compared: None,
            sustained: false,
            checked: false,
        }
    }
}

/// Contract and stages of a world, short enough for minutes of virtual time.
pub fn release(git: &Git) -> Value {
    let edits = git.edits;
    let newer = if git.queue { "Queue" } else { "Supersede" };
    let capacity = if git.lean { "Lean" } else { "Full" };
    let mut release = json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "workloadRef": {"kind": "Deployment", "name": NAME},
            "riskBudgetRef": {"name": NAME},
            "traffic": {"service": NAME, "httpRoutes": [{"name": NAME}]},
            "strategy": {
                "stages": [{"weight": 10, "bake": format!("{}s", 6 + edits)}, {"weight": 50, "bake": "6s"}, {"weight": 100, "bake": "6s"}],
                "verify": "20s", "readyWithin": "40s", "handBack": "4s", "drain": "2s", "holdFor": "1m",
                "newerTemplate": newer, "capacity": capacity,
            },
            "analysis": {"metrics": "http-server", "interval": "2s", "window": "6s", "minRequests": 100, "evidenceWithin": "40s", "shareTolerancePercent": 50},
            "rollback": {
                "errorRatePercent": 1, "latencyFactor": 2, "latencyAdded": "500ms", "timeBudget": "30s", "complaints": 3,
                "complaintsQuery": "sum(increase(complaints_total{namespace=\"$namespace\"}[$window]))",
            },
        },
    });
    let analysis = &mut release["spec"]["analysis"];
    if let Some(undecided) = git.compared {
        let patience = if undecided == PASSES { "20s" } else { "3m" };
        analysis["comparison"] = json!({"interval": "4s", "undecidedFor": patience, "whenUndecided": undecided});
    }
    if git.sustained {
        analysis["sloCompliance"] = json!({"window": "30s", "within": "90s"});
    }
    if git.checked {
        analysis["checks"] = json!([{"name": "cart", "http": {"path": "/cart"}, "retries": RETRIES}]);
    }
    release
}

/// How many tries of a check may fail in a stage.
pub const RETRIES: usize = 1;

/// What cannot be told apart passes.
const PASSES: &str = "PassOnLimits";

/// The Service.
pub fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {"app": NAME}},
        "spec": {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    })
}

/// The budget: its figures are read from two series that the world sets. With few points what is asked for is enforced.
pub fn budget(points: Option<u32>) -> Value {
    let mode = if points.is_some() { "Enforce" } else { "Audit" };
    json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "RiskBudget",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"tier": 2, "riskPoints": points.unwrap_or(100_000), "requirements": {"mode": mode}, "slos": [{
            "name": "availability", "objective": 99, "window": "30d",
            "promql": {"total": "sum(slo_total{namespace=\"$namespace\"})", "bad": "sum(slo_bad{namespace=\"$namespace\"})"},
        }]},
    })
}

/// An autoscaler of the workload that looks at its CPU.
fn autoscaler(most: u32) -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
            "minReplicas": 2, "maxReplicas": most,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 20}},
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60},
            }}],
        },
    })
}

/// Somebody who speaks to the API server.
pub(super) fn call(
    api: &mut ApiServer,
    user: &User,
    method: http::Method,
    path: String,
    query: &str,
    kind: &str,
    body: &Value,
) -> u16 {
    match api.call(&Call::kubectl(user, method, path, query, kind, body)) {
        Answer::Done { code, .. } => code,
        Answer::Watch(_) => 200,
    }
}

pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/shop/statefulsets";
const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
pub(super) const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes";
pub(super) const ATTESTATIONS: &str = "/apis/tidegate.io/v1alpha1/namespaces/shop/attestations";
pub(super) const RELEASES: &str = "/apis/tidegate.io/v1alpha1/namespaces/shop/gatedreleases";

pub(super) fn apply(api: &mut ApiServer, user: &User, plural: &str, object: &Value) -> u16 {
    apply_with(api, user, plural, object, "&force=true")
}

/// Applies with these options of a query; without `force` for whoever asks not to take over what is another's.
fn apply_with(api: &mut ApiServer, user: &User, plural: &str, object: &Value, options: &str) -> u16 {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let (path, query) = (format!("{plural}/{name}"), format!("fieldManager=git{options}"));
    call(api, user, http::Method::PATCH, path, &query, "application/apply-patch+yaml", object)
}

pub(super) fn merge(api: &mut ApiServer, user: &User, path: &str, patch: &Value) -> u16 {
    call(api, user, http::Method::PATCH, path.to_owned(), "fieldManager=kubectl", "application/merge-patch+json", patch)
}

pub(super) fn delete(api: &mut ApiServer, user: &User, path: &str) -> u16 {
    call(api, user, http::Method::DELETE, path.to_owned(), "", "", &Value::Null)
}

/// The HTTP status of a conflict.
const REFUSED: u16 = 409;

/// People who speak about changes; the first makes them. The last four agree to a worse budget, each in one role.
pub(super) const SPEAKERS: [&str; SPEAKING] = ["alice", "bob", "carl", "dana", "sara", "seth", "sam", "sue"];
/// The roles that they speak in.
const SPOKEN_AS: [&str; SPOKEN] = ["code-owner", "senior-engineer", "release-captain", "sre"];
/// What a pipeline attests.
const ATTESTED: [&str; SHOWN] = [
    "lint",
    "build",
    "unit-tests",
    "static-analysis",
    "sast",
    "sca",
    "staging-deploy",
    "smoke-tests",
    "peer-review",
    "integration-tests",
    "e2e-tests",
    "code-owner-review",
    "release-plan",
    "observability",
    "manual-qa",
    "on-call-presence",
];

/// What somebody says.
struct Word<'a> {
    kind: &'a str,
    role: Option<&'a str>,
    outcome: &'a str,
    facts: Value,
}

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

    /// What lets a held workload go.
    fn let_go(&self, paused: Value) -> Value {
        match self.workload {
            Workload::Routed | Workload::ByCount => json!({"spec": {"paused": paused}}),
            Workload::Stateful => json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}),
        }
    }

    /// The Deployment or StatefulSet as Git has it.
    pub fn deployment(&self) -> Value {
        let git = &self.git;
        let mut annotations = json!({
            "tidegate.io/change": format!("git:{:07x}", git.number),
            "tidegate.io/change-type": git.change,
        });
        if let Some(number) = git.glass {
            annotations["tidegate.io/break-glass"] = json!(format!("incident {number}"));
        }
        let mut template = json!({
            "metadata": {"labels": {"app": NAME}},
            "spec": {"containers": [{"name": "app", "image": git.image, "ports": [{"containerPort": 8080}]}]},
        });
        if self.surrounded {
            template["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": NAME}}]);
        }
        if git.restarts > 0 {
            template["metadata"]["annotations"] =
                json!({"kubectl.kubernetes.io/restartedAt": git.restarts.to_string()});
        }
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": NAME, "namespace": NAMESPACE, "annotations": annotations,
                "labels": {"app": NAME, "tidegate.io/gated": ""},
            },
            "spec": {
                "replicas": git.replicas,
                "selector": {"matchLabels": {"app": NAME}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": template,
            },
        });
        if self.workload == Workload::Stateful {
            object["kind"] = json!("StatefulSet");
            object["spec"]["serviceName"] = json!(NAME);
            object["spec"].as_object_mut().map(|spec| spec.remove("strategy"));
        }
        object
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

    /// The routes as Git has them.
    fn routes(&self) -> Vec<Value> {
        let mut all = routes(self.git.edits, self.git.turns, self.several, self.git.away);
        let rules = self.stewards.iter().flat_map(Stewards::rules);
        if let Some(first) = all.first_mut().and_then(|route| route["spec"]["rules"].as_array_mut()) {
            first.extend(rules);
        }
        all
    }

    /// The routes lead to the workload again, where they did not.
    pub fn bring_back(&mut self, api: &mut ApiServer) {
        if std::mem::take(&mut self.git.away) {
            self.apply_routes(api);
        }
    }

    /// Applies all routes as Git has them; the worst HTTP status that came of it.
    fn apply_routes(&self, api: &mut ApiServer) -> u16 {
        let all = self.routes();
        all.iter().map(|route| self.apply_route(api, route)).max().unwrap_or(0)
    }

    /// Who applies without force and is refused, because Tidegate has just written, insists.
    fn apply_route(&self, api: &mut ApiServer, route: &Value) -> u16 {
        match self.careful.then(|| apply_with(api, &self.flux, ROUTES, route, "")) {
            None | Some(REFUSED) => apply(api, &self.flux, ROUTES, route),
            Some(code) => code,
        }
    }

    /// Whether an edit of the routes without force would be refused for a conflict. Nothing is written.
    pub fn refused(&self, api: &mut ApiServer) -> bool {
        let edited = routes(self.git.edits + 1, self.git.turns, self.several, self.git.away);
        let refused = |route: &Value| apply_with(api, &self.flux, ROUTES, route, "&dryRun=All") == REFUSED;
        self.workload == Workload::Routed && edited.iter().any(refused)
    }

    /// The GatedRelease as Git has it, for the kind of workload that this world releases.
    fn release(&self) -> Value {
        let mut release = release(&self.git);
        if self.surrounded && self.workload == Workload::Routed {
            release["spec"]["traffic"]["cloneNetworkPolicies"] = json!(true);
        }
        if self.tried {
            release["spec"]["analysis"]["checks"] = trials::checks();
        }
        if self.several {
            release["spec"]["traffic"]["httpRoutes"] = json!([{"name": NAME}, {"name": SECOND_ROUTE}]);
        }
        if self.stewards.is_some() {
            release["spec"]["strategy"]["holdFor"] = json!(PATIENCE);
        }
        if self.workload != Workload::Routed {
            release["spec"]["traffic"] = json!({"service": NAME});
            release["spec"]["analysis"]["metrics"] = json!("http-server-pods");
            release["spec"]["workloadRef"]["kind"] =
                json!(if self.workload == Workload::Stateful { "StatefulSet" } else { "Deployment" });
        }
        release
    }

    /// The same under another name.
    fn copy(&self) -> Value {
        let mut copy = self.release();
        copy["metadata"]["name"] = json!(TWIN);
        copy
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
            Act::Autoscale(most) => apply(api, &flux, AUTOSCALERS, &autoscaler(*most)),
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
            Act::Speak { who, role, voice } => {
                let outcome = match voice {
                    Voice::Approve => "Passed",
                    Voice::Reject => "Failed",
                    Voice::Withdraw => "Withdrawn",
                };
                let user = User::person(SPEAKERS[*who % SPEAKING]);
                let word = Word { kind: "approval", role: Some(SPOKEN_AS[*role % SPOKEN]), outcome, facts: json!({}) };
                self.say(api, &user, &word)
            }
            Act::Deed(deed) => {
                let first = Self { git: Git::default(), ..self.clone() }.deployment();
                return self.stewards.as_mut()?.act(api, &first, deed);
            }
            Act::Budget(_)
            | Act::Load(_)
            | Act::Lossy { .. }
            | Act::Conflicts { .. }
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
            | Act::Trial(_) => return None,
        })
    }

    /// A pipeline attests all that it can but for one thing; the worst HTTP status that came of it.
    fn show(&mut self, api: &mut ApiServer, but: usize, people: bool, author: bool) -> u16 {
        let pipeline = User::service_account("ci", "ci");
        let reviewed = |kind: &str| people && kind == "peer-review";
        let all = ATTESTED.iter().enumerate().filter(|(place, kind)| *place != but && !reviewed(kind));
        let mut worst = 0;
        for (_, kind) in all {
            let mut facts = match *kind {
                "release-plan" => json!({
                    "change": "prices in euro", "customer-impact": "none", "categories": "code", "rollout": "canary",
                    "abort-criteria": "error rate above 1 %", "rollback-steps": "revert in Git", "owners": "ann",
                    "communication": "support, before the start",
                }),
                _ => json!({}),
            };
            if author {
                facts["change-author"] = json!(SPEAKERS[0]);
            }
            worst = worst.max(self.say(api, &pipeline, &Word { kind, role: None, outcome: "Passed", facts }));
        }
        worst
    }

    /// Somebody says something about the revision of the moment.
    fn say(&mut self, api: &mut ApiServer, user: &User, word: &Word<'_>) -> u16 {
        let release = api.get(&crate::cluster::kind::GATED_RELEASE, NAMESPACE, NAME);
        let Some(revision) = release.and_then(|release| release.pointer("/status/revision")).cloned() else {
            return 404;
        };
        self.said += 1;
        let mut spec = json!({
            "releaseRef": {"name": NAME}, "revision": revision, "type": word.kind, "outcome": word.outcome,
            "facts": word.facts,
        });
        if let Some(role) = word.role {
            spec["role"] = json!(role);
        }
        // Author, groups and label are admission's to fill in.
        let attestation = json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation",
            "metadata": {"name": format!("said-{}", self.said), "namespace": NAMESPACE}, "spec": spec,
        });
        let (post, json) = (http::Method::POST, "application/json");
        call(api, user, post, ATTESTATIONS.to_owned(), "fieldManager=kubectl", json, &attestation)
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
