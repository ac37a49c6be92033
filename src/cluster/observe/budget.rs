//! The error budget and the risk budget, as the RiskBudget's status has them.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::api::condition::Truth;
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Span, Time};
use crate::cluster::kind::RISK_BUDGET;
use crate::cluster::{Cluster, Error};
use crate::policy::Tier;
use crate::policy::loosening;
use crate::policy::restricted::{self, Restriction};
use crate::policy::score::signals::{incidents_of, on_call_of};
use crate::release::snapshot::{BudgetSeen, Objectives, RiskSeen, SignalsSeen};

use super::text;

/// How long the last figures stand in while they cannot be measured anew.
const STALE_AFTER: Span = Span::minutes(10);

/// Knows which budgets this process has measured, or tried to.
pub trait Measured: Send + Sync {
    /// Whether the budget was measured, or tried to be, in this generation since the process began.
    fn since_start(&self, namespace: &str, name: &str, generation: i64) -> bool;
}

/// A RiskBudget as it stands now.
pub async fn read(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    measured: &dyn Measured,
) -> Result<(BudgetSeen, Option<RiskSeen>), Error> {
    let Some(object) = cluster.get(&RISK_BUDGET, namespace, name).await? else {
        return Ok((BudgetSeen::Missing, None));
    };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let fresh = measured.since_start(namespace, name, generation);
    Ok(of_object(name, object, fresh, cluster.now()))
}

/// What a RiskBudget says at `now`; `fresh` tells whether somebody who looks after it has measured it in this generation.
pub fn of_object(name: &str, mut object: Value, fresh: bool, now: Time) -> (BudgetSeen, Option<RiskSeen>) {
    let resource_version = text(&object, "/metadata/resourceVersion").unwrap_or_default().to_owned();
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let status: RiskBudgetStatus = match serde_json::from_value::<Option<_>>(object["status"].take()) {
        Ok(status) => status.unwrap_or_default(),
        Err(why) => {
            let why = format!("the status of RiskBudget {name} cannot be read: {why}");
            return (BudgetSeen::Unmeasured(why), None);
        }
    };
    let spec: Result<RiskBudgetSpec, _> = serde_json::from_value(object["spec"].take());
    // What would allow more and was not approved is not in force, also before the controller has said so.
    let spec = spec.map_err(|why| why.to_string()).and_then(|spec| loosening::in_force(&spec, &status, now));
    let spec = match spec {
        Ok(merged) => merged.spec,
        Err(why) => return (BudgetSeen::Unmeasured(format!("RiskBudget {name}: {why}")), None),
    };
    let restricted = match restricted::understand(&spec, |zone| TimeZone::get(zone).ok()) {
        Ok(restricted) => restricted,
        Err(why) => return (BudgetSeen::Unmeasured(format!("RiskBudget {name}: {why}")), None),
    };
    let seen = judge(name, &status, generation, fresh, now);
    let risk = risk(spec, restricted, resource_version, status, (generation, now));
    (seen, risk)
}

/// What the RiskBudget demands, and what is left of its points in a window that has not turned since they were counted.
fn risk(
    spec: RiskBudgetSpec,
    restricted: Vec<Restriction>,
    resource_version: String,
    status: RiskBudgetStatus,
    (generation, now): (i64, Time),
) -> Option<RiskSeen> {
    // One that turned by another process's clock has turned, whatever the time is here.
    let counted = status.risk.filter(|risk| now < risk.until && status.observed_generation == generation);
    Some(RiskSeen {
        resource_version,
        tier: Tier::new(spec.tier).ok()?,
        requirements: spec.requirements,
        roles: spec.roles,
        restricted,
        budget: counted,
        ledger: status.ledger,
        signals: SignalsSeen {
            incidents: incidents_of(status.signals.as_ref(), now),
            on_call: on_call_of(status.signals.as_ref(), now),
        },
        objectives: Objectives { source: spec.metrics, slos: spec.slos },
    })
}

fn judge(name: &str, status: &RiskBudgetStatus, generation: i64, fresh: bool, now: Time) -> BudgetSeen {
    let ready = status.conditions.iter().find(|condition| condition.kind == "Ready");
    let why = |fallback: &str| {
        let said = ready.filter(|ready| ready.status != Truth::True).map(|ready| ready.message.as_str());
        BudgetSeen::Unmeasured(format!("RiskBudget {name}: {}", said.unwrap_or(fallback)))
    };
    let Some(budget) = &status.error_budget else { return why("it has not been measured yet") };
    if status.observed_generation != generation {
        return why("it was changed and has not been measured since");
    }
    if !fresh {
        return BudgetSeen::Unmeasured(format!("RiskBudget {name}: it has not been measured since Tidegate started"));
    }
    let measured =
        ready.is_some_and(|ready| ready.status == Truth::True || now.since(ready.last_transition_time) < STALE_AFTER);
    if !measured {
        return why("it has not been measured for more than 10 minutes");
    }
    BudgetSeen::Measured {
        status: budget.status,
        remaining_percent: budget.remaining_percent,
        decided_by: budget.decided_by.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::risk_budget::ErrorBudget;
    use crate::api::{BudgetStatus, Condition};
    use rstest::rstest;

    fn at(minute: i64) -> Time {
        Time(jiff::Timestamp::from_second(minute * 60).unwrap())
    }

    #[rstest]
    #[case::measured(true, Truth::True, 0, 1, true, None)]
    #[case::failing_for_a_short_time(true, Truth::False, 55, 1, true, None)]
    #[case::failing_for_long(true, Truth::False, 50, 1, true, Some("Prometheus is down"))]
    #[case::never(false, Truth::False, 59, 1, true, Some("Prometheus is down"))]
    #[case::edited(true, Truth::True, 0, 2, true, Some("was changed"))]
    #[case::from_before_the_start(true, Truth::True, 0, 1, false, Some("since Tidegate started"))]
    fn a_budget_counts_while_its_figures_are_fresh(
        #[case] known: bool,
        #[case] ready: Truth,
        #[case] since: i64,
        #[case] generation: i64,
        #[case] fresh: bool,
        #[case] unmeasured: Option<&str>,
    ) {
        let error_budget = known.then(|| ErrorBudget {
            status: BudgetStatus::Healthy,
            remaining_percent: 72.0,
            decided_by: "availability".into(),
            coverage_percent: 100.0,
            slos: vec![],
        });
        let condition = Condition {
            kind: "Ready".into(),
            status: ready,
            reason: "R".into(),
            message: "Prometheus is down".into(),
            last_transition_time: at(since),
            observed_generation: 1,
        };
        let status = RiskBudgetStatus {
            observed_generation: 1,
            error_budget,
            conditions: vec![condition],
            ..RiskBudgetStatus::default()
        };
        match (judge("web", &status, generation, fresh, at(60)), unmeasured) {
            (BudgetSeen::Measured { .. }, None) => {}
            (BudgetSeen::Unmeasured(why), Some(says)) => assert!(why.contains(says), "{why}"),
            (other, _) => panic!("{other:?}"),
        }
    }
}
