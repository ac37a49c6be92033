//! `tidegate status`: a short timeline for people.

use kube::Api;

use super::{Failure, client, say};
use crate::api::condition::Truth;
use crate::api::obligation::{ObligationState, ObligationStatus};
use crate::api::release_record::ChargeRecord;
use crate::api::{GatedRelease, ReleaseRecord, RiskBudget, Time};
use crate::policy::message::owed_line;
use crate::policy::obligation::known;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The GatedRelease.
    name: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
}

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let release = Api::<GatedRelease>::namespaced(client.clone(), &namespace).get(&args.name).await;
    let release = release.map_err(|error| format!("GatedRelease {namespace}/{}: {error}", args.name))?;
    let record = match release.status.as_ref().and_then(|status| status.record.as_ref()) {
        Some(name) => Api::<ReleaseRecord>::namespaced(client.clone(), &namespace)
            .get_opt(name)
            .await
            .map_err(|error| format!("ReleaseRecord {namespace}/{name}: {error}"))?,
        None => None,
    };
    // Whoever may not read the budget sees the rest.
    let budget = &release.spec.risk_budget_ref.name;
    let found = Api::<RiskBudget>::namespaced(client, &namespace).get_opt(budget).await.ok().flatten();
    let obligations = found.and_then(|found| found.status).as_ref().map(known).unwrap_or_default();
    say(&page(&namespace, &args.name, &release, record.as_ref()))?;
    say(&owed(&format!("{budget} -n {namespace}"), &obligations))
}

/// What people owe: each that is overdue, and how many are not; nothing where nothing is owed.
fn owed(place: &str, all: &[ObligationStatus]) -> String {
    let of = |state: ObligationState| all.iter().filter(move |one| one.state == state);
    let mut out: String = of(ObligationState::Overdue).map(|one| format!("overdue: {}\n", owed_line(one))).collect();
    let due = of(ObligationState::Due).count();
    if due > 0 || !out.is_empty() {
        out.push_str(&format!("{due} owed in time; all of it: tidegate obligations {place}\n"));
    }
    out
}

fn page(namespace: &str, name: &str, release: &GatedRelease, record: Option<&ReleaseRecord>) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let Some(status) = &release.status else {
        line(format!("{namespace}/{name}: not looked at yet. Does the controller run?"));
        return out;
    };
    let phase = status.phase.map_or("-", crate::api::release_record::Phase::as_str);
    let stage = status.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
    let weight = status.weight.map(|weight| format!(", {weight} of the traffic")).unwrap_or_default();
    let budget = status.budget.map(|budget| format!(", error budget {budget}")).unwrap_or_default();
    line(format!("{namespace}/{name}: {phase}{stage}{weight}{budget}"));
    line(format!("  {}", status.message));
    for condition in status.conditions.iter().filter(|c| {
        matches!(
            (c.kind.as_str(), c.status),
            ("Ready", Truth::False) | ("Stalled", Truth::True) | ("BudgetBurning", Truth::True | Truth::Unknown)
        )
    }) {
        line(format!("  {} {}: {}", condition.kind, condition.reason, condition.message));
    }
    let Some(record) = record else { return out };
    line(format!(
        "{}: {} (revision {})",
        record.metadata.name.clone().unwrap_or_default(),
        record.spec.change,
        record.spec.revision
    ));
    let Some(status) = &record.status else { return out };
    for (at, what) in timeline(status) {
        line(format!("  {:<20} {what}", at.clock()));
    }
    out
}

fn timeline(status: &crate::api::ReleaseRecordStatus) -> Vec<(Time, String)> {
    let mut events = Vec::new();
    for stage in &status.stages {
        let weight = stage.spec.weight;
        events.extend(stage.started_at.map(|at| (at, format!("{weight} effective, watched for {}", stage.spec.bake))));
        events.extend(stage.passed_at.map(|at| (at, format!("{weight} passed: {}", stage.verdict))));
    }
    events.extend(status.charge.as_ref().map(|charge| (charge.at, charged(charge))));
    if let Some(promotion) = &status.promotion {
        events.extend(
            promotion.resumed_at.map(|at| (at, "promotion began: the workload takes the template over".to_owned())),
        );
        events.extend(promotion.half_at.map(|at| (at, "half of the traffic back on the workload".to_owned())));
        events.extend(promotion.passed_at.map(|at| (at, "all of the traffic back on the workload".to_owned())));
    }
    if let Some(log) = &status.rollback {
        events.push((
            log.at,
            format!("rollback from {}: {} {}, limit {}", log.from_weight, log.trigger, log.value, log.threshold),
        ));
        events.extend(log.home_at.map(|at| (at, format!("traffic home on {}", log.traffic_to))));
    }
    if let Some(hold) = &status.hold {
        events.push((hold.since, format!("held: {}, until {}", hold.reason, hold.deadline.clock())));
    }
    events.extend(
        status.outcome.zip(status.ended_at).map(|(outcome, at)| (at, format!("{outcome}: {}", status.summary))),
    );
    events.sort_by_key(|(at, _)| *at);
    events
}

/// `charged 9 RP (number 4): 41 RP were left before, 32 are with it`.
fn charged(charge: &ChargeRecord) -> String {
    let ChargeRecord { sequence, points, exception, remaining, remaining_after, at: _ } = charge;
    let exception = if *exception { ", as an exception" } else { "" };
    let left = match (remaining, remaining_after) {
        (Some(before), Some(after)) => format!(": {before} RP were left before, {after} with it"),
        (Some(_) | None, Some(_) | None) => String::new(),
    };
    format!("charged {points} RP (number {sequence}{exception}){left}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_overdue_is_named_and_the_rest_counted() {
        let one = |name: &str, state: &str| {
            json!({"name": name, "type": "post-mortem", "state": state, "about": "git:1 came back", "owedBy": ["service-owner"],
                "source": "003, Module 6; 002, Rollback log", "since": "2026-01-01T10:00:00Z", "due": "2026-01-09T00:00:00Z"})
        };
        let all = json!([one("a", "Overdue"), one("b", "Due"), one("c", "Met")]);
        let all: Vec<ObligationStatus> = serde_json::from_value(all).unwrap();
        insta::assert_snapshot!(owed("web -n shop", &all), @r#"
        overdue: a by 9 Jan 00:00:00 UTC, owed by service-owner ("Conduct blameless post-mortems for rollbacks", 003, Module 6; 002, Rollback log): git:1 came back
        1 owed in time; all of it: tidegate obligations web -n shop
        "#);
        assert_eq!(owed("web -n shop", &all[2..]), "");
    }

    #[test]
    fn the_page_tells_what_happened_in_order() {
        let release: GatedRelease = serde_json::from_value(json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease", "metadata": {"name": "web"},
            "spec": {"workloadRef": {"name": "web"}, "riskBudgetRef": {"name": "web"},
                "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]}, "rollback": {"errorRatePercent": 1, "latencyFactor": 2}},
            "status": {"phase": "Rollback", "message": "git:1 rolled back.", "budget": "Healthy", "record": "web-0002"},
        }))
        .unwrap();
        let record: ReleaseRecord = serde_json::from_value(json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "ReleaseRecord", "metadata": {"name": "web-0002"},
            "spec": {"release": "web", "attempt": 2, "workloadUid": "u", "revision": "abc", "change": {"reference": "git:1", "type": "Feature"}, "riskBudget": "web"},
            "status": {"phase": "Rollback", "phaseSince": "2026-01-01T10:06:00Z",
                "charge": {"sequence": 4, "points": 9, "at": "2026-01-01T09:59:59Z", "remaining": 41, "remainingAfter": 32},
                "stages": [{"weight": 5, "bake": "15m", "startedAt": "2026-01-01T10:00:00Z"}],
                "rollback": {"trigger": "ErrorRate", "value": "20 %", "threshold": "1 %", "at": "2026-01-01T10:05:00Z", "phase": "Release",
                    "fromWeight": 5, "trafficTo": "web", "homeAt": "2026-01-01T10:05:02Z"},
                "outcome": "RolledBack", "endedAt": "2026-01-01T10:06:00Z", "summary": "git:1 rolled back."},
        }))
        .unwrap();
        insta::assert_snapshot!(page("shop", "web", &release, Some(&record)), @r"
        shop/web: Rollback, error budget Healthy
          git:1 rolled back.
        web-0002: Feature git:1 (revision abc)
          1 Jan 09:59:59 UTC   charged 9 RP (number 4): 41 RP were left before, 32 with it
          1 Jan 10:00:00 UTC   5 % effective, watched for 15m
          1 Jan 10:05:00 UTC   rollback from 5 %: ErrorRate 20 %, limit 1 %
          1 Jan 10:05:02 UTC   traffic home on web
          1 Jan 10:06:00 UTC   RolledBack: git:1 rolled back.
        ");
    }
}
