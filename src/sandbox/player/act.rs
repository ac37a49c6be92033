//! What people and tools do in the cluster, each through the API server as a user's call.

use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::past;
use crate::api::names::RETRY;
use crate::api::{Change, Span};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, GATED_RELEASE, RISK_BUDGET, STATEFUL_SET};
use crate::policy::Role;
use crate::sandbox::api::{Answer, Call};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::schedule::PrometheusFault;
use crate::sandbox::simulate::world::Shared;
use crate::sandbox::story::{Action, Direction, Story};
use crate::sandbox::user::User;

/// Those who act, and what Git has.
pub(super) struct Acts<'s> {
    story: &'s Story,
    shared: Arc<Shared>,
    /// The Deployment as it was applied, the newest last; never empty.
    deployed: Vec<Value>,
    /// Percent of the error budget that the past leaves.
    left: f64,
    /// Versions that were made at the keyboard.
    made: u32,
}

impl<'s> Acts<'s> {
    /// Before anybody acted.
    pub(super) fn new(story: &'s Story, shared: Arc<Shared>) -> Self {
        let deployed = vec![story.objects.deployment.clone()];
        Self { story, shared, deployed, left: story.error_budget, made: 0 }
    }

    /// Percent of the error budget that the past leaves.
    pub(super) const fn left(&self) -> f64 {
        self.left
    }

    /// The number of the next version that is made at the keyboard, from 1.
    pub(super) const fn next_number(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    /// Whether a freeze is declared.
    pub(super) fn frozen(&self) -> bool {
        let object = &self.story.objects.risk_budget;
        self.shared.with(|world| {
            let budget = world.cluster.api.get(&RISK_BUDGET, namespace(object), name(object));
            budget.and_then(|budget| budget.pointer("/spec/freeze")).is_some_and(|freeze| !freeze.is_null())
        })
    }

    /// Whether Prometheus does not answer.
    pub(super) fn prometheus_down(&self) -> bool {
        self.shared.prometheus_fault().is_some()
    }

    /// What a person does who lets the held workload go.
    pub(super) fn lets_go(&self) -> &'static str {
        match *workload(&self.story.objects.deployment) == STATEFUL_SET {
            true => "sets the partition to 0",
            false => "runs kubectl rollout resume",
        }
    }

    /// The Deployment's replicas now, and as they were in the beginning.
    pub(super) fn replicas(&self) -> (u64, u64) {
        let of = |object: &Value| object.pointer("/spec/replicas").and_then(Value::as_u64);
        let object = &self.story.objects.deployment;
        let now = self.shared.with(|world| {
            world.cluster.api.get(workload(object), namespace(object), name(object)).and_then(of).unwrap_or(1)
        });
        (now, of(object).unwrap_or(now))
    }

    /// Applies the Deployment with an image and a change, as Git has it then.
    pub(super) fn deploy(
        &mut self,
        by: &User,
        image: &str,
        change: &Change,
        break_glass: Option<&str>,
    ) -> Result<(), String> {
        let next = self.story.objects.deployment(image, change, break_glass);
        self.deployed.push(next.clone());
        apply(&self.shared, by, &next)
    }

    /// Does what a scenario or a key asks for. An error says why it was refused.
    pub(super) fn act(&mut self, by: &User, action: &Action) -> Result<(), String> {
        let (story, shared) = (self.story, &self.shared);
        let merge = |kind: &Kind, object: &Value, patch: Value| {
            let path = format!("{}/{}", kind.path(namespace(object)), name(object));
            request(shared, by, path, "fieldManager=kubectl", "application/merge-patch+json", &patch)
        };
        let version = |name: &str| {
            let image = story.versions.get(name).map(|version| version.image.clone());
            image.ok_or_else(|| format!("there is no version {name}"))
        };
        match action {
            Action::Deploy { version: wanted, .. } => {
                let change = action.change().unwrap_or_default();
                self.deploy(by, &version(wanted)?, &change, None)
            }
            Action::BreakGlass { reason, version: wanted } => {
                let next = match (wanted, action.change()) {
                    (Some(wanted), Some(change)) => story.objects.deployment(&version(wanted)?, &change, Some(reason)),
                    (_, _) => {
                        let mut same = self.deployed.last().cloned().unwrap_or_default();
                        same["metadata"]["annotations"]["tidegate.io/break-glass"] = json!(reason);
                        same
                    }
                };
                if wanted.is_none() {
                    // The same version, so that a revert goes back to the one before it.
                    self.deployed.pop();
                }
                self.deployed.push(next.clone());
                apply(shared, by, &next)?;
                // Who breaks the glass over what is held already lets it run as well.
                if wanted.is_none() {
                    return merge(workload(&next), &next, let_go(&next));
                }
                Ok(())
            }
            Action::Revert => {
                self.deployed.truncate(self.deployed.len().saturating_sub(1).max(1));
                match self.deployed.last() {
                    Some(before) => apply(shared, by, before),
                    None => Ok(()),
                }
            }
            Action::Scale(replicas) => {
                let object = &story.objects.deployment;
                merge(workload(object), object, json!({"spec": {"replicas": replicas}}))
            }
            Action::Resume => {
                let object = &story.objects.deployment;
                merge(workload(object), object, let_go(object))
            }
            Action::ErrorBudget(left) => {
                past(shared, story, *left);
                self.left = *left;
                Ok(())
            }
            Action::Freeze { status, reason } => {
                let freeze = json!({"status": status, "reason": reason});
                merge(&RISK_BUDGET, &story.objects.risk_budget, json!({"spec": {"freeze": freeze}}))
            }
            Action::Unfreeze => {
                let budget = &story.objects.risk_budget;
                merge(&RISK_BUDGET, budget, json!({"spec": {"freeze": null}}))?;
                // Who declares a freeze lifts it; whoever edits the RiskBudget.
                super::agree::approve(shared, budget, &User::person("sre"), Role::Sre)
            }
            Action::Prometheus(direction) => {
                let fault = (*direction == Direction::Down).then_some(PrometheusFault::Down);
                shared.set_prometheus(fault, Span::days(1));
                Ok(())
            }
            Action::Retry => {
                let token = shared.now().0.to_string();
                let patch = json!({"metadata": {"annotations": {RETRY: token}}});
                merge(&GATED_RELEASE, &story.objects.gated_release, patch)
            }
            Action::DeleteGatedRelease => {
                let object = &story.objects.gated_release;
                let path = format!("{}/{}", GATED_RELEASE.path(namespace(object)), name(object));
                request(shared, by, path, "", "", &Value::Null)
            }
            Action::ReapplyRoute => apply(shared, by, &story.objects.route),
            Action::EditConfig { gated_release, risk_budget } => {
                if !gated_release.is_null() {
                    merge(&GATED_RELEASE, &story.objects.gated_release, json!({"spec": gated_release}))?;
                }
                if !risk_budget.is_null() {
                    merge(&RISK_BUDGET, &story.objects.risk_budget, json!({"spec": risk_budget}))?;
                }
                Ok(())
            }
            Action::Wait(_) => Ok(()),
        }
    }
}

/// The kind of the scenario's workload.
pub(super) fn workload(object: &Value) -> &'static Kind {
    if object["kind"] == STATEFUL_SET.kind { &STATEFUL_SET } else { &DEPLOYMENT }
}

/// What a person writes who lets a held workload go.
fn let_go(object: &Value) -> Value {
    match *workload(object) == STATEFUL_SET {
        true => json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}),
        false => json!({"spec": {"paused": null}}),
    }
}

pub(super) fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn namespace(object: &Value) -> &str {
    object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default()
}

fn request(shared: &Shared, by: &User, path: String, query: &str, kind: &str, body: &Value) -> Result<(), String> {
    let method = if kind.is_empty() { http::Method::DELETE } else { http::Method::PATCH };
    done(shared, &Call::kubectl(by, method, path, query, kind, body))
}

/// Creates an object of the kind at a path.
pub(super) fn create(shared: &Shared, by: &User, path: String, object: &Value) -> Result<(), String> {
    done(shared, &Call::kubectl(by, http::Method::POST, path, "fieldManager=kubectl", "application/json", object))
}

fn done(shared: &Shared, call: &Call) -> Result<(), String> {
    match shared.call(call) {
        Answer::Done { code, body, .. } if code >= 300 => {
            let status: Value = serde_json::from_slice(&body).unwrap_or_default();
            Err(status["message"].as_str().unwrap_or("refused").to_owned())
        }
        Answer::Done { .. } | Answer::Watch(_) => Ok(()),
    }
}

/// Server-side apply, as `by` would run `kubectl apply --server-side`.
pub(super) fn apply(shared: &Shared, by: &User, object: &Value) -> Result<(), String> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let resource = shared.with(|world| {
        world.cluster.api.resources().iter().find(|resource| resource.kind.kind == kind).map(|found| found.kind)
    });
    let resource = resource.ok_or_else(|| format!("the sandbox knows no kind {kind}"))?;
    let place = if resource.plural == "namespaces" { "" } else { namespace(object) };
    let path = format!("{}/{}", resource.path(place), name(object));
    request(shared, by, path, "fieldManager=git&force=true", "application/apply-patch+yaml", object)
        .map_err(|why| format!("{kind} {}: {why}", name(object)))
}
