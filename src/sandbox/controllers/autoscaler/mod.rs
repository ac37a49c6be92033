//! HorizontalPodAutoscalers of Deployments and StatefulSets by CPU utilisation. Other targets and metrics are refused in the status.
//!
//! [`size`] computes. Here is who is asked, what is remembered, and what is written.

mod size;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::size::{Fleet, Rules};
use super::HPA;
use super::look::{at, integer, is_active, is_ready, items, labels, matches, name, namespace, number, stamp, text};
use super::write::{Context, Place, place, put, tried};
use crate::api::{Span, Time};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, POD, STATEFUL_SET};

/// How often an autoscaler looks.
const PERIOD: Span = Span::seconds(15);

/// What autoscalers remember.
#[derive(Debug, Default)]
pub(super) struct Autoscalers(BTreeMap<Place, Memory>);

#[derive(Debug, Default)]
struct Memory {
    due: Option<Time>,
    /// What was wished for lately.
    wishes: Vec<(Time, i64)>,
    ups: Vec<(Time, i64)>,
    downs: Vec<(Time, i64)>,
}

/// What came of one look.
struct Look {
    current: i64,
    /// How many replicas there are to be.
    desired: i64,
    utilisation: Option<f64>,
    able: (&'static str, &'static str, String),
    active: Option<(&'static str, &'static str, String)>,
    limited: Option<(&'static str, &'static str, &'static str)>,
}

impl Autoscalers {
    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Option<Time> {
        let there: Vec<Place> = cx.objects.list(&HPA, "").into_iter().map(place).collect();
        self.0.retain(|place, _| there.contains(place));
        for place in there {
            let memory = self.0.entry(place.clone()).or_default();
            if memory.due.is_none_or(|due| due <= cx.now) {
                memory.due = Some(cx.now.plus(PERIOD));
                act(cx, &place, memory);
            }
        }
        self.0.values().filter_map(|memory| memory.due).min()
    }
}

fn act(cx: &mut Context<'_>, place: &Place, memory: &mut Memory) {
    let Some(autoscaler) = cx.objects.get(&HPA, &place.0, &place.1).cloned() else { return };
    let target = text(&autoscaler, &["spec", "scaleTargetRef", "name"]).to_owned();
    let kind = scaled(&autoscaler);
    let look = look(cx, &autoscaler, &target, memory);
    let by = &cx.users.autoscaler;
    let scales = look.desired != look.current;
    if let Some(kind) = kind.filter(|_| scales) {
        let written = cx.edit(by, kind, &place.0, &target, |workload| {
            put(workload, &["spec", "replicas"], look.desired.into());
        });
        if written.is_ok() {
            let by = look.desired - look.current;
            let events = if by > 0 { &mut memory.ups } else { &mut memory.downs };
            events.push((cx.now, by.abs()));
        }
        tried(written);
    }
    let pods = kind.and_then(|kind| cx.objects.get(kind, &place.0, &target));
    let pods = pods.map_or(0, |it| number(it, &["status", "replicas"]));
    let status = status(&autoscaler, &look, pods, scales, cx.now);
    tried(cx.set_status(by, &HPA, &place.0, &place.1, status));
}

/// The kind of what it scales; none where that is unknown here.
fn scaled(autoscaler: &Value) -> Option<&'static Kind> {
    let kind = text(autoscaler, &["spec", "scaleTargetRef", "kind"]);
    [&DEPLOYMENT, &STATEFUL_SET].into_iter().find(|known| known.kind == kind)
}

fn look(cx: &Context<'_>, autoscaler: &Value, target: &str, memory: &mut Memory) -> Look {
    let idle = |current: i64, able: (&'static str, &'static str, String)| Look {
        current,
        desired: current,
        utilisation: None,
        able,
        active: None,
        limited: None,
    };
    let kind = text(autoscaler, &["spec", "scaleTargetRef", "kind"]);
    let found = scaled(autoscaler).and_then(|kind| cx.objects.get(kind, namespace(autoscaler), target));
    let Some(workload) = found else {
        let why = format!("the HPA controller was unable to get the target's current scale: {kind} {target} not found");
        return idle(0, ("False", "FailedGetScale", why));
    };
    let ready =
        || ("True", "SucceededGetScale", "the HPA controller was able to get the target's current scale".to_owned());
    let current = integer(workload, &["spec", "replicas"]).unwrap_or(1);
    let least = integer(autoscaler, &["spec", "minReplicas"]).unwrap_or(1);
    let most = number(autoscaler, &["spec", "maxReplicas"]);
    if current == 0 && least != 0 {
        let why = "scaling is disabled since the replica count of the target is zero".to_owned();
        return Look { active: Some(("False", "ScalingDisabled", why)), ..idle(0, ready()) };
    }
    if current > most || current < least {
        let desired = current.clamp(least.min(most), most);
        return Look { desired, ..idle(current, ready()) };
    }
    let (wish, utilisation) = match wish(cx, autoscaler, workload, current) {
        Ok(wish) => wish,
        Err((reason, why)) => return Look { active: Some(("False", reason, why)), ..idle(current, ready()) },
    };
    let (up, down) = (Rules::of(autoscaler, true), Rules::of(autoscaler, false));
    memory.forget(&up, &down, cx.now);
    if memory.wishes.is_empty() {
        memory.wishes.push((cx.now, current));
    }
    let stable = size::stabilised(current, wish, &memory.wishes, up.window, down.window, cx.now);
    memory.wishes.push((cx.now, wish));
    let able = if stable > wish {
        let why = "recent recommendations were higher than current one, applying the highest recent recommendation";
        ("True", "ScaleDownStabilized", why.to_owned())
    } else {
        ("True", "ReadyForNewScale", "recommended size matches current size".to_owned())
    };
    let reach = if stable > current {
        up.limit(current, &memory.ups, true, cx.now).min(most)
    } else {
        down.limit(current, &memory.downs, false, cx.now).max(least)
    };
    let desired = if stable > current { stable.min(reach) } else { stable.max(reach) };
    let limited = match (stable > desired, stable < desired) {
        (true, _) if desired == most => {
            ("True", "TooManyReplicas", "the desired replica count is more than the maximum")
        }
        (true, _) => {
            ("True", "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
        }
        (_, true) if desired == least => {
            ("True", "TooFewReplicas", "the desired replica count is less than the minimum")
        }
        (_, true) => {
            ("True", "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
        }
        (false, false) => ("False", "DesiredWithinRange", "the desired count is within the acceptable range"),
    };
    let active = "the HPA was able to successfully calculate a replica count from cpu resource utilization".to_owned();
    Look {
        current,
        desired,
        utilisation: Some(utilisation),
        able,
        active: Some(("True", "ValidMetricFound", active)),
        limited: Some(limited),
    }
}

impl Memory {
    fn forget(&mut self, up: &Rules, down: &Rules, now: Time) {
        let window = up.window.max(down.window);
        self.wishes.retain(|(at, _)| at.plus(window) > now);
        self.ups.retain(|(at, _)| at.plus(up.longest()) > now);
        self.downs.retain(|(at, _)| at.plus(down.longest()) > now);
    }
}

/// How many replicas the metric asks for, and the utilisation; or why that cannot be told.
fn wish(
    cx: &Context<'_>,
    autoscaler: &Value,
    workload: &Value,
    current: i64,
) -> Result<(i64, f64), (&'static str, String)> {
    let metrics = items(autoscaler, &["spec", "metrics"]);
    let target = match metrics {
        // Without any, the default.
        [] => 80,
        [one] if text(one, &["type"]) == "Resource" && text(one, &["resource", "name"]) == "cpu" => {
            integer(one, &["resource", "target", "averageUtilization"]).unwrap_or(0)
        }
        [..] => 0,
    };
    if target <= 0 {
        let why = "the sandbox knows one metric only: Resource cpu with averageUtilization".to_owned();
        return Err(("InvalidMetricSourceType", why));
    }
    let home = namespace(workload);
    let utilisation = cx.world.cpu(home, name(workload));
    let (mut ready, mut unready) = (0, 0);
    // All pods that the selector means, whoever owns them: as the real one does.
    for pod in cx.objects.list(&POD, home) {
        if is_active(pod) && matches(at(workload, &["spec", "selector"]), labels(pod)) {
            *(if is_ready(pod) { &mut ready } else { &mut unready }) += 1;
        }
    }
    match utilisation.filter(|it| it.is_finite() && *it >= 0.0) {
        Some(utilisation) if ready > 0 => {
            let ratio = utilisation / target as f64;
            Ok((size::by_metric(Fleet { current, ready, unready }, ratio), utilisation))
        }
        Some(_) | None => {
            let why =
                "the HPA was unable to compute the replica count: failed to get cpu utilization: no metrics returned";
            Err(("FailedGetResourceMetric", why.to_owned()))
        }
    }
}

fn status(autoscaler: &Value, look: &Look, pods: i64, scaled: bool, now: Time) -> Value {
    let condition = |kind: &str, (status, reason, message): (&str, &str, &str)| {
        let known = items(autoscaler, &["status", "conditions"]);
        let same = known.iter().find(|it| text(it, &["type"]) == kind && text(it, &["status"]) == status);
        let since = same.map_or_else(|| stamp(now), |same| text(same, &["lastTransitionTime"]).to_owned());
        json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
    };
    let (status, reason, message) = &look.able;
    let moved = format!("the HPA controller was able to update the target scale to {}", look.desired);
    let mut conditions = vec![if scaled {
        condition("AbleToScale", ("True", "SucceededRescale", &moved))
    } else {
        condition("AbleToScale", (status, reason, message))
    }];
    if let Some((status, reason, message)) = &look.active {
        conditions.push(condition("ScalingActive", (status, reason, message)));
    }
    conditions.extend(look.limited.map(|limited| condition("ScalingLimited", limited)));
    let mut out = json!({
        "observedGeneration": number(autoscaler, &["metadata", "generation"]),
        "currentReplicas": pods, "desiredReplicas": look.desired, "conditions": conditions,
    });
    if let Some(utilisation) = look.utilisation {
        let current = json!({"averageUtilization": utilisation.round() as i64});
        put(
            &mut out,
            &["currentMetrics"],
            json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}]),
        );
    }
    let last = at(autoscaler, &["status", "lastScaleTime"]).cloned();
    if let Some(last) = if scaled { Some(stamp(now).into()) } else { last } {
        put(&mut out, &["lastScaleTime"], last);
    }
    out
}
