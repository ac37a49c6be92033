//! The unit of risk (`000_…` §5.2: "Use Risk Points (RP)").

use std::fmt;

/// Whole risk points, from 0. A budget holds them, a change costs at least 1 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RiskPoints(u32);

impl RiskPoints {
    /// None.
    pub const ZERO: Self = Self(0);
    /// The least that a change costs (`000_…` §5.3, "Minimum RRS floor: never below 1 RP").
    pub const LEAST: Self = Self(1);

    /// So many points.
    pub const fn new(points: u32) -> Self {
        Self(points)
    }

    /// The number of points.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Both together; saturates.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This many percent of the points, rounded up to a whole point; saturates. For what is charged: a fraction of a
    /// point is a point.
    pub const fn percent_up(self, percent: u32) -> Self {
        Self::narrow((self.0 as u64 * percent as u64).div_ceil(100))
    }

    /// This many percent of the points, rounded down to a whole point; saturates. For what is given: a fraction of a
    /// point is none.
    pub const fn percent_down(self, percent: u32) -> Self {
        Self::narrow(self.0 as u64 * percent as u64 / 100)
    }

    const fn narrow(points: u64) -> Self {
        Self(if points > u32::MAX as u64 { u32::MAX } else { points as u32 })
    }
}

impl fmt::Display for RiskPoints {
    /// `14 RP`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} RP", self.0)
    }
}
