//! What keeps a release from starting or going on: each found by name, with value and remedy.

mod taken;

use super::ask;
use super::check_job::trouble;
use super::objects::relabel;
use super::plan::served_by_previous;
use super::snapshot::{BudgetSeen, KindSeen, MetricsSeen, RouteProblem, Snapshot};
use super::split::Carrier;
use super::twins;
use crate::api::gated_release::Traffic;
use crate::api::release_record::Arm;
use crate::api::synthetic::{Asks, SyntheticCheck};

/// Something that must be mended before a release can start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// One word for programs.
    pub reason: &'static str,
    /// Field, value and remedy.
    pub message: String,
    /// Whether traffic cannot be steered while it lasts; otherwise it only keeps a release from starting.
    pub steering: bool,
}

impl Problem {
    fn start(reason: &'static str, message: String) -> Self {
        Self { reason, message, steering: false }
    }

    fn steering(reason: &'static str, message: String) -> Self {
        Self { reason, message, steering: true }
    }

    pub(super) fn service_missing(seen: &Snapshot) -> Self {
        let (namespace, service) = (&seen.release.namespace, &seen.release.spec.traffic.service);
        let which = if seen.by_count() { "stands before the workload's pods" } else { "the HTTPRoute points to" };
        Self::steering(
            "ServiceMissing",
            format!(
                "spec.traffic.service: there is no Service {service:?} in namespace {namespace}. Create it, or name the Service that {which}."
            ),
        )
    }

    pub(super) fn name_taken(object: &str, carrier: Carrier) -> Self {
        Self::start(
            "NameTaken",
            format!(
                "{object} exists and was not made by Tidegate for this release; the {carrier} needs that name. Delete or rename it."
            ),
        )
    }

    pub(super) fn no_canary_label(seen: &Snapshot, wanted: Option<&str>) -> Self {
        let spec = &seen.release.spec;
        let (service, workload) = (&spec.traffic.service, &spec.workload_ref.name);
        let message = match wanted {
            Some(key) => format!(
                "spec.traffic.canaryLabel: label {key:?} does not stand with one value in the selectors of both Service {service} and Deployment {workload}. Name a label that does, or leave the field out."
            ),
            None => format!(
                "Service {service} and Deployment {workload} have no label in common in their selectors by which a canary could be told apart. Add one of app.kubernetes.io/instance, app.kubernetes.io/component, app.kubernetes.io/name, app or k8s-app to both, or name another in spec.traffic.canaryLabel."
            ),
        };
        Self::start("NoCanaryLabel", message)
    }

    pub(super) fn label_too_long(seen: &Snapshot, key: &str, value: &str) -> Self {
        let workload = &seen.release.spec.workload_ref.name;
        Self::start(
            "LabelTooLong",
            format!(
                "the canary of Deployment {workload} would carry label {key}={value}, which is longer than 63 characters. Shorten the value, or name another label in spec.traffic.canaryLabel."
            ),
        )
    }
}

/// One rule: looks at what was seen and adds what it finds.
type Rule = fn(&Snapshot, &mut Vec<Problem>);

const RULES: &[Rule] = &[
    workload,
    stateful,
    service,
    routes,
    former,
    label,
    foreign,
    budget,
    metrics,
    checks,
    check_jobs,
    stages,
    change,
    surroundings,
];

/// Everything that is wrong, the most basic first; none stops at the first. Where another release has what this one names,
/// that alone: the rest is the other's to mend.
pub fn problems(seen: &Snapshot) -> Vec<Problem> {
    if let Some(taken) = twins::taken(seen) {
        return vec![Problem::taken(seen, taken)];
    }
    let mut found = Vec::new();
    for rule in RULES {
        rule(seen, &mut found);
    }
    found
}

fn workload(seen: &Snapshot, found: &mut Vec<Problem>) {
    let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
    let kind = seen.kind();
    let Some(workload) = &seen.workload else {
        found.push(Problem::start(
            "WorkloadMissing",
            format!("spec.workloadRef.name: there is no {kind} {name:?} in namespace {namespace}. Create it; or create the GatedRelease anew with the right name."),
        ));
        return;
    };
    if !workload.gated {
        let means = match served_by_previous(seen) {
            true => format!(
                "so its changes are not held. Users meet none of them: its last release came back, and they are answered by the previous version (Service {}). What the {kind} runs is judged from there when the label is back",
                seen.service_of(Carrier::Previous)
            ),
            false => {
                "so its changes are not held: what ships is recorded as Bypassed and charged as an exception".to_owned()
            }
        };
        found.push(Problem::start(
            "NotGated",
            format!("{kind} {namespace}/{name} does not carry the label tidegate.io/gated, {means}. Add it: kubectl label {} {name} -n {namespace} tidegate.io/gated=true", kind.resource()),
        ));
    }
    if workload.strategy == "Recreate" {
        found.push(Problem::start(
            "RecreateStrategy",
            format!("Deployment {namespace}/{name} has strategy Recreate: two versions of it must not run at the same time, and a canary is just that. Set spec.strategy.type to RollingUpdate where they may, or take the label tidegate.io/gated off."),
        ));
    }
}

fn stateful(seen: &Snapshot, found: &mut Vec<Problem>) {
    let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
    let Some(workload) = seen.workload.as_ref().filter(|workload| workload.kind != KindSeen::Deployment) else {
        return;
    };
    if workload.strategy == "OnDelete" {
        found.push(Problem::start(
            "OnDelete",
            format!("StatefulSet {namespace}/{name} has updateStrategy OnDelete, with which a pod gets the template whenever somebody deletes it, held or not. Set spec.updateStrategy.type to RollingUpdate."),
        ));
    }
    if workload.replicas == 1 {
        found.push(Problem::start(
            "SinglePod",
            format!("StatefulSet {namespace}/{name} has 1 replica: a new version would get all users at once, and nothing would be left to come back to. Set spec.replicas to 2 at least, or take the label tidegate.io/gated off."),
        ));
    }
}

fn service(seen: &Snapshot, found: &mut Vec<Problem>) {
    let Some(service) = &seen.service else {
        found.push(Problem::service_missing(seen));
        return;
    };
    let (name, kind) = (&seen.release.spec.traffic.service, seen.kind());
    let workload_name = &seen.release.spec.workload_ref.name;
    if service.selector.is_empty() {
        found.push(Problem::start(
            "ServiceWithoutSelector",
            format!("spec.traffic.service: Service {name} has no selector, so its traffic cannot be tied to {kind} {workload_name}. Give it one."),
        ));
        return;
    }
    if service.object.pointer("/spec/type").and_then(|kind| kind.as_str()) == Some("ExternalName") {
        found.push(Problem::start(
            "ServiceExternalName",
            format!("spec.traffic.service: Service {name} is of type ExternalName: its traffic leaves for another name, whatever its selector says. Make it type ClusterIP, or name the Service of {kind} {workload_name}."),
        ));
        return;
    }
    let Some(workload) = &seen.workload else { return };
    let labels = workload.template.pointer("/metadata/labels");
    let missed = service.selector.iter().find(|(key, value)| {
        labels.and_then(|labels| labels.get(key.as_str())).and_then(|v| v.as_str()) != Some(value.as_str())
    });
    if let Some((key, value)) = missed {
        found.push(Problem::start(
            "ServiceSelectsOthers",
            format!("spec.traffic.service: Service {name} selects {key}={value}, which the pods of {kind} {workload_name} do not carry. Name the Service of this workload."),
        ));
    }
}

fn routes(seen: &Snapshot, found: &mut Vec<Problem>) {
    let (namespace, service) = (&seen.release.namespace, &seen.release.spec.traffic.service);
    // Of a route that cannot be steered the person on call asks first whether anything is lost.
    let kept = match served_by_previous(seen) {
        true => format!(
            " The previous version stays, and users go to it (Service {}) as soon as the route can be divided again.",
            seen.service_of(Carrier::Previous)
        ),
        false => String::new(),
    };
    for (index, route) in seen.routes.iter().enumerate() {
        let field = format!("spec.traffic.httpRoutes[{index}].name");
        let name = &route.name;
        match &route.state {
            Ok(state) => found.extend(state.odd.as_ref().map(|why| Problem::steering(
                "RouteNotSplittable",
                format!("{field}: HTTPRoute {name}: {why} No stage begins meanwhile; the way back is open."),
            ))),
            Err(RouteProblem::Missing) => found.push(Problem::steering(
                "RouteMissing",
                format!("{field}: there is no HTTPRoute {name:?} in namespace {namespace}. Create it; or create the GatedRelease anew with the right name.{kept}"),
            )),
            Err(RouteProblem::NoBackend { .. }) => found.push(Problem::steering(
                "RouteWithoutService",
                format!("{field}: no rule of HTTPRoute {name} points to Service {service}. Correct the route, or remove it from the list.{kept}"),
            )),
            Err(RouteProblem::Unsplittable(why)) => {
                found.push(Problem::steering("RouteNotSplittable", format!("{field}: HTTPRoute {name}: {why}{kept}")));
            }
        }
    }
}

/// The routes were taken out of the spec while the former version still served through them.
fn former(seen: &Snapshot, found: &mut Vec<Problem>) {
    let stands = seen.previous.as_ref().is_some_and(|side| side.deployment.is_some() && side.foreign.is_none());
    if seen.by_count() && stands {
        let (namespace, name) = (&seen.release.namespace, seen.service_of(Carrier::Previous));
        found.push(Problem::start(
            "PreviousServes",
            format!("spec.traffic.httpRoutes: the former version of a release by routes still stands as {name}, and a route may send users to it. Name the routes again until a release has brought them home, or, where no route names Service {name}, delete its Deployment in namespace {namespace}."),
        ));
    }
}

fn label(seen: &Snapshot, found: &mut Vec<Problem>) {
    // Where exposure is by count, the canary keeps all labels and gets one more.
    if let (Some(workload), Some(_), false) = (&seen.workload, &seen.service, seen.by_count()) {
        // The longer suffix decides whether the value fits.
        if let Err(problem) = relabel(seen, workload, Carrier::Previous) {
            found.push(problem);
        }
    }
}

fn foreign(seen: &Snapshot, found: &mut Vec<Problem>) {
    for side in [&seen.canary, &seen.previous].into_iter().flatten() {
        if let Some(object) = &side.foreign {
            found.push(Problem::name_taken(object, side.carrier));
        }
    }
}

fn budget(seen: &Snapshot, found: &mut Vec<Problem>) {
    if seen.budget == BudgetSeen::Missing {
        let (namespace, name) = (&seen.release.namespace, &seen.release.spec.risk_budget_ref.name);
        found.push(Problem::start(
            "RiskBudgetMissing",
            format!("spec.riskBudgetRef.name: there is no RiskBudget {name:?} in namespace {namespace}. Create it; or create the GatedRelease anew with the right name."),
        ));
    }
}

fn checks(seen: &Snapshot, found: &mut Vec<Problem>) {
    let Traffic { service, .. } = &seen.release.spec.traffic;
    let checks = &seen.release.spec.analysis.checks;
    let ports = ask::ports(seen);
    let port = |check: &SyntheticCheck| match check.asks() {
        Asks::Http(http) => http.port.filter(|port| !ports.contains(port)),
        Asks::Job(_) => None,
    };
    let unknown = checks.iter().find_map(|check| Some((check, port(check)?)));
    if let (Some(_), Some((check, port))) = (&seen.service, unknown) {
        let has = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        found.push(Problem::start(
            "CheckPortUnknown",
            format!("spec.analysis.checks: check {:?} asks port {port}, and Service {service} has {has}. Name one of these, or leave the port out for the first.", check.name),
        ));
    }
}

fn check_jobs(seen: &Snapshot, found: &mut Vec<Problem>) {
    for check in &seen.release.spec.analysis.checks {
        if let Asks::Job(job) = check.asks()
            && let Some((reason, message)) = trouble(seen, check, job)
        {
            found.push(Problem::start(reason, format!("spec.analysis.checks: {message}")));
        }
    }
}

fn metrics(seen: &Snapshot, found: &mut Vec<Problem>) {
    let spec = &seen.release.spec;
    let name = &spec.analysis.metrics;
    match seen.metrics {
        MetricsSeen::Missing => found.push(match blind(name) {
            Some(why) => Problem::start(
                "MetricsNotApart",
                format!("spec.analysis.metrics: no query templates {name:?}: {why}. Name templates over what tells the versions apart: the application's own figures (http-server), or a mesh's (istio, linkerd)."),
            ),
            None => Problem::start(
                "MetricsUnknown",
                format!("spec.analysis.metrics: the controller's configuration has no query templates {name:?}. Use one of its names, or ask the cluster's administrator to add it to queryTemplates."),
            ),
        }),
        MetricsSeen::Found { pods: false, .. } if seen.by_count() => found.push(Problem::start(
            "MetricsByService",
            format!("spec.analysis.metrics: the query templates {name:?} tell versions apart by their Service, and without spec.traffic.httpRoutes both versions are behind one. Name templates that use $pods, such as http-server-pods."),
        )),
        MetricsSeen::Found { pods: true, .. } if !seen.by_count() => found.push(Problem::start(
            "MetricsByPod",
            format!("spec.analysis.metrics: the query templates {name:?} tell versions apart by their pods ($pods), and with spec.traffic.httpRoutes each version has a Service of its own. Name templates that use $services, such as http-server."),
        )),
        MetricsSeen::Found { complaints: false, .. } if spec.rollback.complaints.is_some() => found.push(Problem::start(
            "ComplaintsNotMeasured",
            format!("spec.rollback.complaints: neither spec.rollback.complaintsQuery nor the query templates {name:?} say how complaints are counted. Add a complaintsQuery, or remove complaints."),
        )),
        MetricsSeen::Found { .. } => {}
    }
}

/// Why figures that many would reach for cannot tell the versions apart (docs/metrics-sources.md); none for other names.
fn blind(name: &str) -> Option<&'static str> {
    match name {
        "envoy" | "envoy-gateway" => Some(
            "Envoy Gateway counts all backends of a route's rule as one cluster (httproute/<namespace>/<route>/rule/<number>), so the new version's failures could not be told from stable's",
        ),
        "nginx" | "nginx-ingress" | "ingress-nginx" => Some(
            "ingress-nginx and NGINX Ingress Controller serve Ingresses and count by them, and users are divided by HTTPRoutes, of which they have no figures",
        ),
        "nginx-gateway-fabric" => Some(
            "NGINX Gateway Fabric counts requests by no backend, and with NGINX Plus without the times that a quantile is made of, so the new version could not be told from stable",
        ),
        _ => None,
    }
}

fn stages(seen: &Snapshot, found: &mut Vec<Problem>) {
    // Admission refuses these already; an object from before the rule existed must not slip through.
    let Some(stages) = &seen.release.spec.strategy.stages else { return };
    let weights: Vec<_> = stages.iter().map(|stage| stage.weight.get()).collect();
    if weights.is_empty() || weights.windows(2).any(|pair| pair[0] >= pair[1]) || weights.last() != Some(&100) {
        found.push(Problem::start(
            "StagesInvalid",
            format!("spec.strategy.stages: weights must rise and end at 100 (read: {weights:?})."),
        ));
    }
}

fn change(seen: &Snapshot, found: &mut Vec<Problem>) {
    let Some(workload) = &seen.workload else { return };
    for problem in &workload.change_problems {
        found.push(Problem::start("ChangeUnreadable", problem.clone()));
    }
}

/// What preflight refuses. An attempt that runs in the workload itself, after a late rollback, needs no canary beside it:
/// nothing of this may keep a fix from going forward.
fn surroundings(seen: &Snapshot, found: &mut Vec<Problem>) {
    let forward = seen.record.as_ref().is_some_and(|record| {
        record.spec.arm == Arm::Workload && record.status.as_ref().is_none_or(|status| status.outcome.is_none())
    });
    let Some(preflight) = seen.preflight.as_ref().filter(|_| !forward) else { return };
    for refused in preflight.refused() {
        found.push(Problem::start(refused.reason, format!("{}: {}", refused.object, refused.message)));
    }
}
