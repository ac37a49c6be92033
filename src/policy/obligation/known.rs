//! What a status remembers of the obligations, and how much of it is shown.

use super::demand::Demand;
use crate::api::RiskBudgetStatus;
use crate::api::obligation::{FurtherObligation, ObligationStatus};

/// How many are shown in full: the most overdue, those due next, those met last.
pub const SHOWN_MAX: usize = 48;
/// How many more are remembered, so that each change of one is told once. Of what is beyond even these no event tells; they
/// are counted, and their deadlines are kept.
pub const FURTHER_MAX: usize = 256;

/// All that a status remembers, in its order; those that are not shown in full have no words.
pub fn known(status: &RiskBudgetStatus) -> Vec<ObligationStatus> {
    status.obligations.iter().cloned().chain(status.further_obligations.iter().filter_map(in_full)).collect()
}

/// None where nothing can be called so.
fn in_full(one: &FurtherObligation) -> Option<ObligationStatus> {
    let demand = Demand::of_obligation(&one.name)?;
    Some(ObligationStatus {
        name: one.name.clone(),
        kind: demand.kind().to_owned(),
        state: one.state,
        about: String::new(),
        owed_by: demand.owed_by.to_vec(),
        source: demand.source.to_owned(),
        since: one.since,
        due: one.due,
        met: one.met.clone(),
        problem: String::new(),
        record: one.record.clone(),
    })
}

/// Those that are remembered, of all that there are.
pub fn remembered(all: &[ObligationStatus]) -> &[ObligationStatus] {
    &all[..all.len().min(SHOWN_MAX + FURTHER_MAX)]
}

/// As a status remembers them: those that are shown, and the others.
pub fn shown(all: &[ObligationStatus]) -> (Vec<ObligationStatus>, Vec<FurtherObligation>) {
    let (shown, rest) = all.split_at(all.len().min(SHOWN_MAX));
    let further = rest.iter().take(FURTHER_MAX).map(|one| FurtherObligation {
        name: one.name.clone(),
        state: one.state,
        since: one.since,
        due: one.due,
        met: one.met.clone(),
        record: one.record.clone(),
    });
    (shown.to_vec(), further.collect())
}
