//! What Git says: the workload, its GatedRelease, its budget, as a tool applies them.

use serde_json::{Value, json};

use super::People;
use crate::sandbox::simulate::check::{NAME, NAMESPACE, SECOND_ROUTE, TWIN};
use crate::sandbox::simulate::schedule::Workload;
use crate::sandbox::simulate::stewards::PATIENCE;
use crate::sandbox::simulate::trials;

/// What Git says, and who reads it.
#[derive(Debug, Clone)]
pub struct Git {
    pub(super) image: String,
    pub(super) change: &'static str,
    pub(super) number: u32,
    pub(super) glass: Option<u32>,
    pub(super) replicas: u32,
    pub(super) restarts: u32,
    pub(super) edits: u32,
    /// How often the owner of the routes edited the list of their rules.
    pub(super) turns: u32,
    /// Whether the routes lead to somebody else for a while.
    pub(super) away: bool,
    pub(super) queue: bool,
    pub(super) lean: bool,
    /// What happens with versions that are compared and cannot be told apart; none where they are not compared.
    pub(super) compared: Option<&'static str>,
    pub(super) sustained: bool,
    pub(super) checked: bool,
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

impl Git {
    /// Whether the routes lead to somebody else for a while.
    pub const fn is_away(&self) -> bool {
        self.away
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
        analysis["comparison"] = json!({"interval": "4s"});
        analysis["undecidedFor"] = json!(patience);
        analysis["whenUndecided"] = json!(undecided);
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
pub(super) const PASSES: &str = "PassOnLimits";

/// How pods of the Deployment take each other's place.
pub fn rolling() -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
}

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
pub(super) fn autoscaler(kind: &str, most: u32) -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": NAME},
            "minReplicas": 2, "maxReplicas": most,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 20}},
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60},
            }}],
        },
    })
}

impl People {
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
        self.owned.spread(git.number, &mut template);
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
                "strategy": rolling(),
                "template": template,
            },
        });
        self.owned.roll(&mut object);
        if self.workload == Workload::Stateful {
            object["kind"] = json!(self.kind());
            object["spec"]["serviceName"] = json!(NAME);
            object["spec"].as_object_mut().map(|spec| spec.remove("strategy"));
        }
        object
    }

    /// The GatedRelease as Git has it, for the kind of workload that this world releases.
    pub(in crate::sandbox::simulate) fn release(&self) -> Value {
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
        self.owned.contract(&mut release);
        if self.stewards.is_some() {
            release["spec"]["strategy"]["holdFor"] = json!(PATIENCE);
        }
        if self.workload != Workload::Routed {
            release["spec"]["traffic"] = json!({"service": NAME});
            release["spec"]["analysis"]["metrics"] = json!("http-server-pods");
            release["spec"]["workloadRef"]["kind"] = json!(self.kind());
        }
        release
    }

    /// The same under another name.
    pub(super) fn copy(&self) -> Value {
        let mut copy = self.release();
        copy["metadata"]["name"] = json!(TWIN);
        copy
    }
}
