//! How critical a service is, and what follows from that alone (`000_…` §5.1, §5.2, §5.3 base).

use std::fmt;

use crate::api::risk_budget::ExplainedBy;
use crate::api::units::UnitError;

use super::gate::{Gate, gate_of};
use super::points::RiskPoints;

/// The criticality of a service (`000_…` §5.1). Ordered from least to most critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Internal only: no external customers, low business impact.
    T0,
    /// Customer-facing, not critical: degradation is tolerated.
    T1,
    /// Customer-facing and critical: core workflows.
    T2,
    /// Safety, money or data: payments, auth, permissions, PII, regulated workflows.
    T3,
}

impl Tier {
    /// Every tier, from least to most critical.
    pub const ALL: &'static [Self] = &[Self::T0, Self::T1, Self::T2, Self::T3];

    /// The tier of a number from 0 to 3, as `spec.tier` of a RiskBudget has it; refused above.
    pub fn new(number: u8) -> Result<Self, UnitError> {
        let wanted =
            "a tier: 0 (internal), 1 (customer-facing), 2 (customer-facing and critical) or 3 (safety, money, data)";
        Self::ALL
            .iter()
            .copied()
            .find(|tier| tier.number() == number)
            .ok_or_else(|| UnitError { value: number.to_string(), wanted })
    }

    /// Its number, 0 to 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::T0 => 0,
            Self::T1 => 1,
            Self::T2 => 2,
            Self::T3 => 3,
        }
    }

    /// Whose word says what is in a new image, where the RiskBudget does not choose: of what handles safety, money or data not the word
    /// of whoever changes it.
    pub const fn explained_by(self) -> ExplainedBy {
        match self {
            Self::T0 | Self::T1 | Self::T2 => ExplainedBy::Annotation,
            Self::T3 => ExplainedBy::Attestation,
        }
    }

    /// What every change of such a service costs at least before mitigations (`000_…` §5.3, Base).
    pub const fn base(self) -> RiskPoints {
        RiskPoints::new(match self {
            Self::T0 => 1,
            Self::T1 => 3,
            Self::T2 => 6,
            Self::T3 => 10,
        })
    }

    /// The recommended budget of a month (`000_…` §5.2). A sprint has the same figure unless the budget says its own.
    pub const fn allocation(self) -> RiskPoints {
        RiskPoints::new(match self {
            Self::T0 => 300,
            Self::T1 => 200,
            Self::T2 => 120,
            Self::T3 => 80,
        })
    }

    /// The gate that no change of such a service goes below. `000_…` §5.1 says that the tier drives minimum gates and
    /// gives no figure: the gate of the base alone, so that mitigations never argue the criticality away.
    pub const fn minimum_gate(self) -> Gate {
        gate_of(self.base())
    }
}

impl fmt::Display for Tier {
    /// `Tier 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tier {}", self.number())
    }
}
