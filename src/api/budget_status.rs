//! The four levels of the error budget (`001_…`, error budget thresholds).

use super::change::words;
use super::units::UnitError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

words! {
    /// How much error budget is left, in the words of the policy. Ordered from best to worst.
    BudgetStatus, "a budget status: Healthy, Warning, Critical or Emergency" {
        /// Above 50 %: normal operations.
        Healthy,
        /// 30 to 50 %: elevated caution.
        Warning,
        /// 10 to 30 %: partial freeze.
        Critical,
        /// Below 10 %: full freeze.
        Emergency,
    }
}
