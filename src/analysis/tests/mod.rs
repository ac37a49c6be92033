//! Tables for each limit, and what must hold for every observation.

mod binomial;
mod business;
mod chance;
mod compliance;
mod course;
mod limits;
mod promises;
mod streak;

use super::compare::Overdispersion;
use super::*;
use crate::api::gated_release::RollbackContract;
use crate::api::watched::Streak;
use crate::api::{Percent, Span};

/// 1 % errors, 2 times latency at p95, 3 complaints where asked.
fn contract() -> RollbackContract {
    RollbackContract {
        error_rate_percent: Percent::whole(1),
        latency_factor: Some(2.0),
        latency_added: None,
        latency_quantile: Percent::whole(95),
        complaints: None,
        complaints_query: None,
        business: None,
        consecutive: 1,
        dry_run: Vec::new(),
        time_budget: Span::minutes(5),
    }
}

fn arm(requests: f64, errors: f64, latency: f64) -> ArmSample {
    ArmSample {
        requests: Evidence::Value(requests),
        errors: Evidence::Value(errors),
        latency: Evidence::Value(latency),
    }
}

/// No series at all.
fn silent() -> ArmSample {
    let none = || Evidence::NoData("no series".to_owned());
    ArmSample { requests: none(), errors: none(), latency: none() }
}

/// Both versions well: 2,000 requests each, p95 200 ms.
fn good() -> Observation {
    Observation {
        candidate: arm(2_000.0, 2.0, 0.2),
        base: arm(2_000.0, 2.0, 0.2),
        latency_at_least: None,
        base_at_most: None,
        complaints: None,
        business: None,
        window: Span::minutes(2),
    }
}

fn verdict_under(contract: &RollbackContract, baseline: Option<f64>, seen: &Observation) -> Verdict {
    judge(limits_of(contract, baseline, &[]), seen)
}

fn limits_of<'a>(contract: &'a RollbackContract, baseline: Option<f64>, streaks: &'a [Streak]) -> Limits<'a> {
    let in_a_row = contract.consecutive;
    let scatter = Overdispersion::NONE;
    Limits {
        contract,
        min_requests: 50,
        last_seen: baseline.map(|seconds| LastSeen { seconds, at_most: Some(seconds) }),
        scatter,
        looked: Looked::FIRST,
        course: None,
        share: None,
        business: None,
        in_a_row,
        streaks,
    }
}

fn verdict(seen: &Observation) -> Verdict {
    verdict_under(&contract(), None, seen)
}

/// `Pass`, the trigger of a breach, or the reason of a hold.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass(_) => "Pass",
        Verdict::Fail(breach) => breach.trigger.as_str(),
        Verdict::NotYet(why) => why.reason(),
    }
}
