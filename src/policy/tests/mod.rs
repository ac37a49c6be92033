//! Tables from the documents, and what must hold for every change, schedule and status.

mod adjustment;
mod band;
mod budget;
mod burn;
mod category;
mod claim;
mod course;
mod evidence;
mod exception;
mod freeze;
mod gate;
mod image;
mod message;
mod obligation;
mod one_role;
mod requirement;
mod restricted;
mod schedule;
mod score;
mod sign_off;
mod signals;
mod standing;
mod worsened;

use crate::api::{BudgetStatus, ChangeType, RiskClass, Severity};
use crate::policy::category::{Finding, Origin};
use crate::policy::{Category, ChangeFacts, Classification};
use proptest::prelude::*;

fn status() -> impl Strategy<Value = BudgetStatus> {
    proptest::sample::select(BudgetStatus::ALL)
}

/// A status, and one that is at least as bad.
fn ordered_statuses() -> impl Strategy<Value = (BudgetStatus, BudgetStatus)> {
    (status(), status()).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

fn facts() -> impl Strategy<Value = ChangeFacts> {
    (
        proptest::sample::select(ChangeType::ALL),
        proptest::option::of(proptest::sample::select(Severity::ALL)),
        proptest::option::of(proptest::sample::select(RiskClass::ALL)),
    )
        .prop_map(|(kind, severity, risk)| ChangeFacts { kind, severity, risk })
}

/// What a change that claims these is taken for.
fn classification(claimed: &[Category]) -> Classification {
    let finding = |category: &Category| Finding {
        category: *category,
        origin: Origin::Claimed,
        evidence: format!("the change says {category}"),
    };
    Classification::new(claimed.iter().map(finding))
}
