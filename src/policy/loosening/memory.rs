//! What is in force is remembered in the status of the RiskBudget, so that a new spec can be held against it.

use super::{Merged, merge};
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Time};

/// The longest spec that is remembered, in bytes: a tenth of what an object may weigh, and far more than people write.
const BYTES_MAX: usize = 262_144;

/// A spec as canonical JSON (RFC 8785). The error says that it is too long.
pub fn remember(spec: &RiskBudgetSpec) -> Result<String, String> {
    let text = serde_json_canonicalizer::to_string(spec).map_err(|why| format!("spec: cannot be written: {why}"))?;
    match text.len() <= BYTES_MAX {
        true => Ok(text),
        false => Err(format!(
            "spec: {} bytes are too long to be remembered, and what is not remembered could be loosened unseen: at most {BYTES_MAX}. Shorten queries and lists of users; name groups instead",
            text.len()
        )),
    }
}

/// The spec that was in force when the status was written; none where none was remembered yet, such as of a new RiskBudget.
/// The error says what to do.
fn recall(status: &RiskBudgetStatus) -> Result<Option<RiskBudgetSpec>, String> {
    let Some(memory) = &status.in_force else { return Ok(None) };
    serde_json::from_str(&memory.spec).map(Some).map_err(|why| {
        format!(
            "status.inForce.spec: what was in force cannot be read: {why}. Was an older version of Tidegate installed? To take the present spec as it is, whom admission.recordWriters of the chart names types: kubectl patch riskbudget NAME --subresource=status --type=json -p '[{{\"op\":\"remove\",\"path\":\"/status/inForce\"}}]'"
        )
    })
}

/// What of `wanted` is in force while nobody agrees to more; all of it where nothing was remembered.
pub fn in_force(wanted: &RiskBudgetSpec, status: &RiskBudgetStatus, now: Time) -> Result<Merged, String> {
    Ok(match recall(status)? {
        Some(former) => merge(&former, wanted, now),
        None => Merged { spec: wanted.clone(), loosened: Vec::new() },
    })
}
