//! What the world says of pods, and how long the cluster takes for things.

use serde_json::Value;

use crate::api::Span;
use crate::sandbox::objects::Objects;

/// How the pods of a template behave. It may change while they run, see `Controllers::wake`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// From the start of a container until it is ready.
    pub ready_after: Span,
    /// Whether it becomes ready at all.
    pub ready: bool,
    /// How long a container runs before it exits with an error. It is started again after 10 s, 20 s, 40 s and so on up to
    /// 5 min, in which the pod shows `CrashLoopBackOff`.
    pub crash_after: Option<Span>,
    /// A pod that is up is ready for so long and then not ready for so long, again and again; each pod at its own times.
    pub flaps: Option<(Span, Span)>,
}

impl Behaviour {
    /// Ready after that long, and well ever after.
    pub const fn healthy(ready_after: Span) -> Self {
        Self { ready_after, ready: true, crash_after: None, flaps: None }
    }
}

/// How the program of a Job ends, two seconds after it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Well.
    Completes,
    /// With exit code 1 and these last words.
    Fails(String),
    /// Not at all.
    Never,
}

/// How the pods of a template behave; decided by the world.
pub trait Pods {
    /// How a pod behaves. `template` is the pod itself, which has the `metadata` and `spec` of its template.
    fn behaviour(&self, namespace: &str, template: &Value) -> Behaviour;

    /// How much of the requested CPU the ready pods of a Deployment use on average, in percent; none where no metrics are.
    fn cpu(&self, namespace: &str, deployment: &str) -> Option<f64>;

    /// How the program of a Job ends that carries no annotation which says it.
    fn ends(&self, _objects: &dyn Objects, _job: &Value) -> End {
        End::Completes
    }
}

/// How long the cluster takes for things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From the binding of a pod until its containers run; at most the behaviour's `ready_after`.
    pub start: Span,
    /// From the deletion of a pod until it is gone.
    pub termination: Span,
    /// Until an EndpointSlice follows a change of pods or Services.
    pub endpoints: Span,
    /// Until a router has taken up a change of a route and says so in its status.
    pub router: Span,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            start: Span::from_millis(100),
            termination: Span::seconds(1),
            endpoints: Span::from_millis(100),
            router: Span::from_millis(150),
        }
    }
}
