//! Loosening a RiskBudget takes both roles: the product manager answers for risk appetite, the development manager for
//! enforcement, and gate profiles are changed by both (`000_…` §4, PM responsibilities, Shared responsibilities).
//!
//! Here belongs, field by field, what allows more than what is in force, and who has agreed to it. What must never enter:
//! reading or writing a RiskBudget. Until a loosening is approved the former value of just that field holds; everything
//! else of the new spec, tightening above all, takes effect at once.

mod calendar;
mod decide;
mod fields;
mod memory;
mod objectives;
mod roles;
mod settle;
mod waivers;

use std::fmt;

use crate::api::{RiskBudgetSpec, Time};

pub use decide::{BOTH as AGREE_TO_MORE, DECLARES_FREEZE, Decision, decide, revision};
pub use memory::{in_force, remember};
pub use settle::{About, Settled, settle};

/// A field that would allow more than what is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loosened {
    /// The field, such as `spec.slos[availability].objective`.
    pub field: String,
    /// What is in force, in words.
    pub from: String,
    /// What is asked for, in words.
    pub to: String,
    /// Whether SRE, who declares a freeze, may agree to it alone (`001_…`, Roles and Responsibilities, SRE Team).
    pub is_freeze: bool,
}

impl Loosened {
    fn new(field: impl Into<String>, from: impl fmt::Display, to: impl fmt::Display) -> Self {
        Self { field: field.into(), from: from.to_string(), to: to.to_string(), is_freeze: false }
    }
}

impl fmt::Display for Loosened {
    /// `spec.tier: 3 → 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.field, self.from, self.to)
    }
}

/// A new spec, with the former value of every field that would allow more.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// What is in force while nobody agrees.
    pub spec: RiskBudgetSpec,
    /// What it does not take over from the new spec.
    pub loosened: Vec<Loosened>,
}

/// What is in force of `wanted` while nobody has agreed to allow more than `former`.
///
/// Merging again with what came out changes nothing, where nothing is loosened it is `wanted`, and it never allows more than
/// `former`. What lies in the past at `now` (a freeze, a restricted window, a waiver) is worth nothing on either side.
pub fn merge(former: &RiskBudgetSpec, wanted: &RiskBudgetSpec, now: Time) -> Merged {
    // Taken apart without `..`: a new field of the kind does not compile until it is decided here what loosens it.
    let RiskBudgetSpec {
        tier,
        slos,
        metrics,
        signals,
        window,
        risk_points,
        roles,
        restricted_windows,
        requirements,
        reward,
        obligations,
        freeze,
    } = wanted;
    let mut held = Vec::new();
    let tier = fields::tier(former.tier, *tier, &mut held);
    let window = fields::window(&former.window, window, &mut held);
    let restricted_windows =
        calendar::restricted(&former.restricted_windows, restricted_windows, &window.time_zone, now, &mut held);
    let spec = RiskBudgetSpec {
        tier,
        slos: objectives::merge(&former.slos, slos, &mut held),
        metrics: fields::metrics(&former.metrics, metrics, &mut held),
        signals: fields::signals(former.signals.as_deref(), signals.as_deref(), &mut held),
        window,
        risk_points: fields::risk_points((former.tier, former.risk_points), (tier, *risk_points), &mut held),
        roles: roles::merge(&former.roles, roles, &mut held),
        restricted_windows,
        requirements: waivers::merge((former.tier, &former.requirements), (tier, requirements), now, &mut held),
        obligations: waivers::obligations(&former.obligations, obligations, now, &mut held),
        reward: fields::reward(former.reward.as_ref(), reward.as_ref(), &mut held),
        freeze: calendar::freeze(former.freeze.as_ref(), freeze.as_ref(), now, &mut held),
    };
    Merged { spec, loosened: held }
}

#[cfg(test)]
mod tests;
