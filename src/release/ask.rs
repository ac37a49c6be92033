//! Which question a release has for Prometheus, and what came back.

use super::snapshot::Snapshot;
use super::split::Carrier;
use crate::analysis::Observation;
use crate::api::release_record::{Arm, Phase};
use crate::api::{Span, Time};

/// What to ask: how two versions did, looking back over a short and perhaps a long window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The version that is judged.
    pub candidate: Carrier,
    /// The version that it is compared with; may have no traffic.
    pub base: Carrier,
    /// The short window, for quick detection.
    pub recent: Span,
    /// The window since judging began, asked when the bake time is over.
    pub whole: Option<Span>,
    /// The window for complaints, since traffic first went to the version; `None` where the contract does not count them.
    pub complaints: Option<Span>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// What was asked.
    pub question: Question,
    /// The short window.
    pub recent: Observation,
    /// The long window, where it was asked for.
    pub whole: Option<Observation>,
}
