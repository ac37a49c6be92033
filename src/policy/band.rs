//! How much of the risk budget is left, and what may ship with that (`000_…` §5.4, §6.3, §7).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::ChangeType;
use crate::api::change::words;
use crate::api::units::UnitError;

use super::freeze::Clause;
use super::gate::Gate;
use super::points::RiskPoints;

words! {
    /// How much risk budget is left (`000_…` §5.4). Ordered from best to worst.
    Band, "a band: Green, Yellow, Red or Exhausted" {
        /// 60 % and more.
        Green,
        /// 30 to below 60 %.
        Yellow,
        /// Below 30 %.
        Red,
        /// Nothing, or less.
        Exhausted,
    }
}

/// From this many percent left the band is Green (`000_…` §5.4).
pub const GREEN_FROM: i64 = 60;
/// From this many percent left the band is at least Yellow (`000_…` §5.4).
pub const YELLOW_FROM: i64 = 30;
/// What an exception is charged, in percent of its score (`000_…` §7, "+50% of the change's RRS").
pub const EXCEPTION_PERCENT: u32 = 150;

/// What is left of a budget in risk points; below 0 when it is overspent.
pub fn left(allocated: RiskPoints, consumed: RiskPoints) -> i64 {
    i64::from(allocated.get()) - i64::from(consumed.get())
}

/// The band of what is left. Exact: 59.9 % is Yellow, 29.9 % Red, whatever is shown. Nothing allocated is Exhausted.
pub fn band(left: i64, allocated: RiskPoints) -> Band {
    // Points have 32 bits: a hundredfold fits into 64, and what saturates is far beyond every limit.
    let (share, whole) = (left.saturating_mul(100), i64::from(allocated.get()));
    if left <= 0 || whole == 0 {
        Band::Exhausted
    } else if share >= GREEN_FROM * whole {
        Band::Green
    } else if share >= YELLOW_FROM * whole {
        Band::Yellow
    } else {
        Band::Red
    }
}

/// What a release costs: its score, half as much again for an exception, rounded up (`000_…` §7).
pub fn charge(score: RiskPoints, exception: bool) -> RiskPoints {
    if exception { score.percent_up(EXCEPTION_PERCENT) } else { score }
}

/// What the bands ask of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandFacts {
    /// Its type.
    pub kind: ChangeType,
    /// The floor of its categories: how risky the diff is, wherever it ships.
    pub diff: Gate,
    /// Whether it ships as an exception that was approved (`000_…` §7).
    pub exception: bool,
}

impl BandFacts {
    fn is_high_risk(&self) -> bool {
        self.diff >= Gate::G3
    }

    fn is_low_risk(&self) -> bool {
        self.diff <= Gate::G1
    }

    /// "reliability/security work"; what mends an incident is reliability work.
    fn is_reliability_or_security_work(&self) -> bool {
        matches!(self.kind, ChangeType::Reliability | ChangeType::IncidentFix | ChangeType::SecurityFix)
    }

    fn is_incident_or_security_fix(&self) -> bool {
        matches!(self.kind, ChangeType::IncidentFix | ChangeType::SecurityFix)
    }
}

const THRESHOLDS: &str = "000 §5.4, Control thresholds";

const HIGH_RISK: Clause = Clause { says: "block high-risk categories unless exception", source: "000 §6.3, Red" };
const RED: Clause = Clause { says: "allow only low-risk changes or reliability/security work", source: THRESHOLDS };
const EXHAUSTED: Clause =
    Clause { says: "releases restricted to incident fixes, security fixes, and rollback-only", source: THRESHOLDS };

/// A rule that blocks, and a line that would let the change pass; the stricter holds and both are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandBlock {
    /// The rule that blocks.
    pub by: Clause,
    /// The line that would let it pass.
    pub despite: Option<Clause>,
}

/// Why a change may not ship in a band; empty where it may. A rollback always may, an approved exception too.
///
/// Exhausted lies below 30 % as well: what Red forbids it forbids.
pub fn blocks(band: Band, facts: &BandFacts) -> Vec<BandBlock> {
    if facts.exception || facts.kind == ChangeType::Rollback || band < Band::Red {
        return Vec::new();
    }
    let work = facts.is_reliability_or_security_work();
    let mut all = Vec::new();
    if facts.is_high_risk() {
        let despite = match band {
            Band::Exhausted if facts.is_incident_or_security_fix() => Some(EXHAUSTED),
            Band::Green | Band::Yellow | Band::Red | Band::Exhausted => work.then_some(RED),
        };
        all.push(BandBlock { by: HIGH_RISK, despite });
    }
    if !facts.is_low_risk() && !work {
        all.push(BandBlock { by: RED, despite: None });
    }
    if band == Band::Exhausted && !facts.is_incident_or_security_fix() {
        let despite = (facts.is_low_risk() || work).then_some(RED);
        all.push(BandBlock { by: EXHAUSTED, despite });
    }
    all
}

/// What may ship in a band, in words for messages.
pub const fn allowed_now(band: Band) -> &'static str {
    match band {
        Band::Green => "every change",
        Band::Yellow => "every change; from G2 by one gate more",
        Band::Red => {
            "Rollback; low-risk diffs; Reliability, IncidentFix and SecurityFix without a high-risk category; exceptions; from G1 by one gate more"
        }
        Band::Exhausted => {
            "Rollback; IncidentFix and SecurityFix without a high-risk category, with explicit sign-off; exceptions; by one gate more"
        }
    }
}
