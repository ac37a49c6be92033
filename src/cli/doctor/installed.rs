//! Kubernetes, kinds, policies, controller, configuration.

use serde_json::Value;

use super::{Level, Line, line, unseen};
use crate::api::{Time, custom_resource_definitions};
use crate::cluster::doctor::{Installation, Looked};
use crate::prometheus::Config;

/// MutatingAdmissionPolicy is there from this minor version of Kubernetes 1 on.
const MINOR_MIN: u32 = 36;
/// Endings of the policies that the chart always installs.
const HOLDS: [(&str, &str); 2] = [("-hold", "Deployments"), ("-hold-stateful", "StatefulSets")];
const OTHERS: [(&str, &str); 8] = [
    ("-stamps", "whoever creates a workload, or writes its status, says in any name who changed it"),
    ("-weights", "a re-apply from Git may change the weights of a release"),
    ("-records", "anybody with the rights may write ReleaseRecords"),
    (
        "-copies",
        "whoever may edit Deployments changes what a canary or previous version runs, and that passes for what was judged",
    ),
    ("-budgets-kept", "whoever may delete and create a RiskBudget loosens it without the approvals of both roles"),
    ("-attestations", "anybody who may create attestations approves in any name and role, machines too"),
    ("-attestations-kept", "anybody with the rights deletes what others rejected"),
    (
        "-authors",
        "attestations need spec.author, spec.groups and the label tidegate.io/release written by whoever makes them",
    ),
];
/// Where the webhook runs, these are no policies of the API server.
const BY_WEBHOOK: [&str; 3] = ["-stamps", "-weights", "-authors"];

pub(super) fn judge(seen: &Installation, now: Time) -> Vec<Line> {
    let mut lines = vec![kubernetes(seen), kinds(seen)];
    lines.extend(policies(seen));
    lines.extend(controller(seen, now));
    lines.push(sources(seen));
    lines
}

fn text<'v>(object: &'v Value, place: &str) -> &'v str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn kubernetes(seen: &Installation) -> Line {
    let Some(version) = seen.version.all().first() else {
        return line(Level::Skip, "Kubernetes", "the API server tells no version");
    };
    let digits: String = text(version, "/minor").chars().take_while(char::is_ascii_digit).collect();
    let minor: u32 = digits.parse().unwrap_or(0);
    let name = text(version, "/gitVersion");
    match (seen.policies == Looked::NotServed, minor >= MINOR_MIN) {
        (false, true) => {
            line(Level::Ok, "Kubernetes", format!("{name}, changes are held by a MutatingAdmissionPolicy"))
        }
        (false, false) => line(
            Level::Warn,
            "Kubernetes",
            format!(
                "{name} is older than 1.{MINOR_MIN}, with which Tidegate is tested; it serves MutatingAdmissionPolicy all the same"
            ),
        ),
        (true, _) => line(
            Level::Fail,
            "Kubernetes",
            format!(
                "{name} does not serve admissionregistration.k8s.io/v1 MutatingAdmissionPolicy, by which changes are held. Upgrade to 1.{MINOR_MIN} or later"
            ),
        ),
    }
}

fn kinds(seen: &Installation) -> Line {
    const WHAT: &str = "Kinds";
    if let Some(line) = unseen(WHAT, &seen.definitions) {
        return line;
    }
    let apply = "Apply them: tidegate crds | kubectl apply --server-side --force-conflicts -f -";
    let (mut missing, mut other) = (Vec::new(), Vec::new());
    for crd in custom_resource_definitions() {
        let name = crd.metadata.name.clone().unwrap_or_default();
        let Ok(wanted) = serde_json::to_value(&crd) else { continue };
        match seen.definitions.all().iter().find(|known| text(known, "/metadata/name") == name) {
            None => missing.push(name),
            Some(known) if is_part(&wanted["spec"]["versions"], &known["spec"]["versions"]) => {}
            Some(_) => other.push(name),
        }
    }
    match (missing.as_slice(), other.as_slice()) {
        ([], []) => line(Level::Ok, WHAT, format!("all four are as version {} has them", env!("CARGO_PKG_VERSION"))),
        ([], other) => {
            line(Level::Warn, WHAT, format!("{} are of another version than this command. {apply}", other.join(", ")))
        }
        (missing, _) => line(Level::Fail, WHAT, format!("{} are not installed. {apply}", missing.join(", "))),
    }
}

/// Whether everything that we say stands in what the API server has; it may say more.
fn is_part(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Null, _) => true,
        (Value::Object(ours), Value::Object(theirs)) => ours
            .iter()
            .all(|(key, value)| value.is_null() || theirs.get(key).is_some_and(|theirs| is_part(value, theirs))),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_part(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (ours, theirs) => ours == theirs,
    }
}

fn policies(seen: &Installation) -> Vec<Line> {
    const WHAT: &str = "Policies";
    if let Some(line) = unseen(WHAT, &seen.policies).or_else(|| unseen(WHAT, &seen.checks)) {
        return vec![line];
    }
    let all: Vec<_> = seen.policies.all().iter().chain(seen.checks.all()).map(|p| text(p, "/metadata/name")).collect();
    let bindings = seen.bindings.all().iter().chain(seen.check_bindings.all());
    let bound: Vec<_> = bindings.map(|binding| text(binding, "/spec/policyName")).collect();
    let upgrade = "Install the chart anew: helm upgrade tidegate charts/tidegate";
    let is_there =
        |ending: &str| all.iter().find(|name| name.ends_with(ending)).map(|name| (*name, bound.contains(name)));
    let mut lines = Vec::new();
    for (hold, whose) in HOLDS {
        match is_there(hold) {
            Some((_, true)) => {}
            Some((name, false)) => {
                let says = format!("{name} has no binding, so {whose} are not held. {upgrade}");
                lines.push(line(Level::Fail, WHAT, says));
            }
            None if !seen.webhooks.all().is_empty() => {}
            None => lines.push(line(
                Level::Fail,
                WHAT,
                format!("there is neither the policy *{hold} nor a webhook of Tidegate: changed templates of {whose} run ungated. {upgrade} with admission.enabled=true"),
            )),
        }
    }
    for (ending, without) in OTHERS {
        match is_there(ending) {
            Some((_, true)) => {}
            Some((name, false)) => {
                let says = format!("{name} has no binding, so it has no effect: {without}. {upgrade}");
                lines.push(line(Level::Warn, WHAT, says));
            }
            None if BY_WEBHOOK.contains(&ending) && !seen.webhooks.all().is_empty() => {}
            None => {
                lines.push(line(Level::Warn, WHAT, format!("the policy *{ending} is missing: {without}. {upgrade}")))
            }
        }
    }
    if lines.is_empty() {
        lines.push(line(Level::Ok, WHAT, format!("{} are bound", all.join(", "))));
    }
    lines
}

fn controller(seen: &Installation, now: Time) -> Vec<Line> {
    const WHAT: &str = "Controller";
    if let Some(line) = unseen(WHAT, &seen.controllers) {
        return vec![line];
    }
    let controllers = seen.controllers.all();
    if controllers.is_empty() {
        return vec![line(
            Level::Fail,
            WHAT,
            "no Deployment carries the label app.kubernetes.io/name=tidegate: changes are held and nobody ships them. helm install tidegate charts/tidegate -n tidegate-system --create-namespace",
        )];
    }
    let mut lines = Vec::new();
    if controllers.len() > 1 {
        let names: Vec<_> = controllers
            .iter()
            .map(|one| format!("{}/{}", text(one, "/metadata/namespace"), text(one, "/metadata/name")))
            .collect();
        lines.push(line(
            Level::Fail,
            WHAT,
            format!(
                "{} are all installed: only one installation may work in a cluster. Uninstall the others",
                names.join(", ")
            ),
        ));
    }
    if let Some(line) = unseen("Lease", &seen.leases) {
        lines.push(line);
        return lines;
    }
    let Some(lease) = seen.leases.all().first() else {
        lines.push(line(
            Level::Fail,
            "Lease",
            "no Lease tidegate stands beside the controller: none ever led. Look: kubectl logs -l app.kubernetes.io/name=tidegate -A",
        ));
        return lines;
    };
    lines.push(leads(lease, now));
    lines
}

fn leads(lease: &Value, now: Time) -> Line {
    const WHAT: &str = "Lease";
    let holder = text(lease, "/spec/holderIdentity");
    let seconds = lease.pointer("/spec/leaseDurationSeconds").and_then(Value::as_i64).unwrap_or(15);
    let renewed: Option<jiff::Timestamp> = text(lease, "/spec/renewTime").parse().ok();
    let look = "Look: kubectl get pods -l app.kubernetes.io/name=tidegate -A";
    match renewed {
        _ if holder.is_empty() => line(Level::Fail, WHAT, format!("nobody leads. {look}")),
        Some(renewed) if now.0.as_second() - renewed.as_second() <= 2 * seconds => {
            line(Level::Ok, WHAT, format!("{holder} leads"))
        }
        Some(renewed) => line(
            Level::Fail,
            WHAT,
            format!("{holder} has not renewed it since {}: no controller works. {look}", Time(renewed).clock()),
        ),
        None => line(Level::Fail, WHAT, format!("{holder} holds it and never renewed it. {look}")),
    }
}

/// The controller's configuration; none where nobody has seen one.
pub(super) fn configuration(seen: &Installation) -> Option<Result<Config, String>> {
    let text = seen.configs.all().iter().find_map(|map| map.pointer("/data/config.yaml")?.as_str())?;
    Some(Config::parse(text))
}

fn sources(seen: &Installation) -> Line {
    const WHAT: &str = "Metrics";
    if let Some(line) = unseen(WHAT, &seen.configs) {
        return line;
    }
    let Some(config) = configuration(seen) else {
        return line(Level::Skip, WHAT, "no ConfigMap of the chart holds a config.yaml");
    };
    match config {
        Err(why) => line(Level::Fail, WHAT, format!("the controller's configuration cannot be read: {why}")),
        Ok(config) if config.metrics_sources.is_empty() => line(
            Level::Fail,
            WHAT,
            "no Prometheus is configured: nothing can be judged. Set metricsSources in the chart's values",
        ),
        Ok(config) => {
            let names: Vec<_> =
                config.metrics_sources.iter().map(|(name, source)| format!("{name} ({})", source.url)).collect();
            let templates: Vec<_> = config.query_templates.keys().map(String::as_str).collect();
            line(Level::Ok, WHAT, format!("sources {}; query templates {}", names.join(", "), templates.join(", ")))
        }
    }
}
