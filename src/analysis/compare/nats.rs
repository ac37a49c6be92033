//! Logarithms that are the same before and after they were written down.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The natural logarithm of a wealth, in billionths: 4605170186 is ln 100. Range ±1,000,000 nats.
///
/// A whole number, so that a controller that restarts goes on with exactly what the one before had; the rounding of
/// each interval moves a wealth by less than one part in a billion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, JsonSchema, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub struct Nats(i64);

impl Nats {
    const PER_NAT: f64 = 1e9;
    const MAX: i64 = 1_000_000_000_000_000;
    /// The logarithm of 1, a stake that nothing happened to yet; the default.
    pub const ZERO: Self = Self(0);
    /// The logarithm of as good as nothing.
    pub const LEAST: Self = Self(-Self::MAX);

    /// Rounded to a billionth and kept in range.
    pub fn new(nats: f64) -> Self {
        // Saturating on purpose; the logarithm of zero is the least there is.
        Self::from((nats * Self::PER_NAT).round() as i64)
    }

    /// As a plain number of nats.
    pub fn get(self) -> f64 {
        self.0 as f64 / Self::PER_NAT
    }
}

impl From<i64> for Nats {
    fn from(billionths: i64) -> Self {
        Self(billionths.clamp(-Self::MAX, Self::MAX))
    }
}

impl From<Nats> for i64 {
    fn from(nats: Nats) -> Self {
        nats.0
    }
}

/// `ln(e^a + e^b)` without leaving the logarithms.
pub(super) fn ln_add(a: f64, b: f64) -> f64 {
    let (more, less) = if a >= b { (a, b) } else { (b, a) };
    if more == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}
