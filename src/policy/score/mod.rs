//! The release risk score (`000_…` §5.3): RRS = base + diff risk + operational context − mitigations, at least 1 RP.
//!
//! Each part has its file; [`Score`] is their sum with every term's place in the document and evidence.

mod context;
mod mitigation;
pub mod signals;
mod sum;

pub use context::{
    Context, ERROR_BUDGET_LOW_BELOW, IN_INCIDENT, INCIDENT_LOOK_BACK, Incident, OnCallLoad, SIGNAL_FRESH, Seen, Signal,
};
pub use mitigation::{Declined, MITIGATION_FRESH, Mitigation, Verified};
pub use sum::{Score, ScoreFacts, Term, TermKind};
