//! The five gate levels, and the map from risk points (`000_…` §6.2, §6.3).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::change::words;
use crate::api::units::UnitError;
use crate::policy::points::RiskPoints;

words! {
    /// How much must be shown before a change ships (`000_…` §6.2). Ordered from lightest to strictest.
    Gate, "a gate: G0, G1, G2, G3 or G4" {
        /// No risk, administrative.
        G0,
        /// Low risk.
        G1,
        /// Moderate risk.
        G2,
        /// High risk.
        G3,
        /// Very high risk, safety-critical, or constrained by the budget.
        G4,
    }
}

impl Gate {
    /// One level stricter; G4 stays.
    pub const fn stricter(self) -> Self {
        match self {
            Self::G0 => Self::G1,
            Self::G1 => Self::G2,
            Self::G2 => Self::G3,
            Self::G3 | Self::G4 => Self::G4,
        }
    }

    /// One level lighter; G0 stays.
    pub const fn lighter(self) -> Self {
        match self {
            Self::G0 | Self::G1 => Self::G0,
            Self::G2 => Self::G1,
            Self::G3 => Self::G2,
            Self::G4 => Self::G3,
        }
    }

    /// What the document calls it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::G0 => "no risk",
            Self::G1 => "low risk",
            Self::G2 => "moderate risk",
            Self::G3 => "high risk",
            Self::G4 => "very high risk",
        }
    }
}

/// The gate that risk points stand for (`000_…` §6.3): 1–5 G1, 6–12 G2, 13–20 G3, 21 and more G4. The map has no G0.
pub const fn gate_of(points: RiskPoints) -> Gate {
    match points.get() {
        0..=5 => Gate::G1,
        6..=12 => Gate::G2,
        13..=20 => Gate::G3,
        21.. => Gate::G4,
    }
}
