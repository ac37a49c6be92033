//! What one phase answers: actions, what the record says then, what to tell, when to look again.

use super::active::Active;
use crate::api::Span;
use crate::api::gated_release::{HandedOver, RiskView};
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::policy::Role;
use crate::release::action::Action;
use crate::release::assess::{Assessed, view};
use crate::release::problem::Problem;

/// How soon something is looked at again that no watch tells of, such as a Service's endpoints.
pub(super) const LOOK_AGAIN: Span = Span::seconds(1);

/// What is going on, for the status.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::release) enum Say {
    /// The gate is not in force.
    Problems(Vec<Problem>),
    /// The gate is in force and nothing is being released.
    InForce,
    /// The gate is in force; the workload is not in a state to release from, and why.
    Unsettled(&'static str, String),
    /// The GatedRelease is detached, and the workload has left the gate.
    Detached,
    /// The last attempt was closed and its template still stands in the workload.
    Closed,
    /// A release makes its way: reason and sentence.
    Going(&'static str, String),
    /// The release is held as its record says.
    Held,
}

/// The answer of one phase.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::release) struct Step {
    pub(in crate::release) actions: Vec<Action>,
    /// A record that is opened by this step.
    pub(in crate::release) opened: Option<(String, ReleaseRecordSpec)>,
    /// Where the record stands after this step; `None` where it stays as it is.
    pub(in crate::release) record: Option<ReleaseRecordStatus>,
    pub(in crate::release) say: Say,
    pub(in crate::release) wake: Option<Span>,
    /// What is at stake with the attempt, where the step rests on it: it is shown as it was judged.
    pub(in crate::release) risk: Option<Box<RiskView>>,
    /// The roles in which it waits for somebody to agree.
    pub(in crate::release) asks: Vec<Role>,
    /// What ran when the workload was handed over, where it is to be noted.
    pub(in crate::release) handed: Option<HandedOver>,
}

impl Step {
    pub(super) fn says(say: Say) -> Self {
        Self {
            actions: Vec::new(),
            opened: None,
            record: None,
            say,
            wake: None,
            risk: None,
            asks: Vec::new(),
            handed: None,
        }
    }

    pub(super) fn going(reason: &'static str, sentence: String) -> Self {
        Self::says(Say::Going(reason, sentence))
    }

    /// Says in which roles it waits for somebody to agree.
    pub(super) fn asking(mut self, roles: &[Role]) -> Self {
        self.asks.extend_from_slice(roles);
        self
    }

    pub(super) fn then(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    pub(super) fn all(mut self, actions: impl IntoIterator<Item = Action>) -> Self {
        self.actions.extend(actions);
        self
    }

    pub(super) fn wake(mut self, span: Span) -> Self {
        self.wake = Some(self.wake.map_or(span, |wake| wake.min(span)));
        self
    }

    pub(super) fn update(mut self, active: &Active<'_>, status: ReleaseRecordStatus) -> Self {
        self.record = Some(status.clone());
        self.then(Action::UpdateRecord {
            name: active.record.name.clone(),
            resource_version: active.record.resource_version.clone(),
            status: Box::new(status),
        })
    }

    /// Notes what ran when the workload was handed over.
    pub(super) fn noting(mut self, handed: HandedOver) -> Self {
        self.handed = Some(handed);
        self
    }

    /// Shows what is at stake as this step judged it.
    pub(super) fn showing(mut self, active: &Active<'_>, assessed: &Assessed<'_>) -> Self {
        let stands = self.record.as_ref().unwrap_or(&active.status);
        self.risk = Some(Box::new(view(assessed, stands.assessment.as_ref())));
        self
    }

    /// A step that is not a hold ends the hold that its record still tells of.
    pub(super) fn clearing_hold(self, active: &Active<'_>) -> Self {
        if self.record.is_some() || self.say == Say::Held || active.status.hold.is_none() {
            return self;
        }
        let next = active.next();
        self.update(active, next)
    }
}
