//! Waiting for somebody or something, on record, with an end.

use super::super::patience::{completes, says_nothing};
use super::super::promote::OVERTAKEN;
use super::super::roll_back;
use super::super::step::{Say, Step};
use super::super::stranded::{self, NOBODY_ANSWERS, NOBODY_HOME};
use super::Active;
use crate::api::gated_release::HoldStatus;
use crate::api::release_record::{Outcome, Phase, Promotion, ReleaseRecordStatus, Trigger};
use crate::api::{Span, Time};
use crate::release::split::Carrier;
use crate::release::wording;

/// The hold of a release whose router does not follow.
pub(super) const ROUTE_NOT_EFFECTIVE: &str = "RouteNotEffective";

/// The hold of a release that should go back and has nobody to go back to.
pub(in crate::release) const NO_WAY_BACK: &str = "NoWayBack";

/// Holds of a version that should go back and cannot, or that gives its users to somebody else: it gets ready for nothing, and
/// nothing of it is kept up.
const LEAVES: [&str; 4] = [NO_WAY_BACK, NOBODY_ANSWERS, NOBODY_HOME, OVERTAKEN];

/// The hold of a release whose former template is back in the workload and does not get ready.
pub(in crate::release) const REVERT_NOT_READY: &str = "RevertNotReady";

impl Active<'_> {
    /// Whether it is held because it should go back, or because somebody else takes its users over.
    pub(in crate::release::plan) fn leaves(&self) -> bool {
        self.status.hold.as_ref().is_some_and(|hold| LEAVES.contains(&hold.reason.as_str()))
    }

    /// Waits for somebody or something, for so long at most.
    pub(in crate::release::plan) fn hold(&self, reason: &str, message: String, patience: Span) -> Step {
        self.held(reason, message, patience, false)
    }

    /// The same, telling what is missing now: for messages without figures that move by themselves, which would be written
    /// at every look.
    pub(in crate::release::plan) fn hold_for(&self, reason: &str, message: String, patience: Span) -> Step {
        self.held(reason, message, patience, true)
    }

    /// The same for a message with figures that move by themselves: it stays as long as it tells of the same causes, each word for
    /// word, and is written anew where one of them is another.
    pub(in crate::release::plan) fn hold_while(
        &self,
        reason: &str,
        causes: &[&str],
        message: String,
        patience: Span,
    ) -> Step {
        let stands = self.status.hold.as_ref().filter(|hold| hold.reason == reason);
        let tells = stands.is_some_and(|hold| causes.iter().all(|cause| hold.message.contains(cause)));
        self.held(reason, message, patience, !tells)
    }

    /// When a hold ends that is written now, if it begins now: one that stands keeps its deadline, whatever it waits for by now.
    pub(in crate::release::plan) fn hold_ends(&self, patience: Span) -> Time {
        let stands = self.status.hold.as_ref();
        let stands = stands.filter(|hold| hold.reason != NOBODY_ANSWERS && !self.is_of_papers(hold));
        stands.map_or(self.now.plus(patience), |hold| hold.deadline)
    }

    fn held(&self, reason: &str, message: String, patience: Span, anew: bool) -> Step {
        let message = wording::at_most(1_000, &message);
        let hold = match &self.status.hold {
            Some(hold) if hold.reason == reason && !anew => hold.clone(),
            // What it waits for besides changes nothing while a release that should go back cannot.
            Some(hold) if hold.reason == NO_WAY_BACK && self.cannot_go_back() => hold.clone(),
            // Another reason does not begin the patience anew: a hold ends. The moment for which a missed probe is waited for is
            // no patience with anything else.
            Some(hold) if hold.reason != NOBODY_ANSWERS && !self.is_of_papers(hold) => {
                HoldStatus { reason: reason.to_owned(), message, ..hold.clone() }
            }
            Some(_) | None => {
                HoldStatus { reason: reason.to_owned(), message, since: self.now, deadline: self.now.plus(patience) }
            }
        };
        if self.now >= hold.deadline {
            return self.expire(&hold);
        }
        let rest = hold.deadline.since(self.now);
        let step = Step::says(Say::Held).wake(rest);
        if self.status.hold.as_ref() == Some(&hold) {
            return step;
        }
        step.update(self, ReleaseRecordStatus { hold: Some(hold), ..self.status.clone() })
    }

    /// Waits as [`Active::hold`] does, with a deadline of its own whatever was waited for before; when it is over, what `over`
    /// says happens, and nothing else.
    pub(in crate::release::plan) fn hold_until(
        &self,
        reason: &str,
        message: &str,
        patience: Span,
        over: impl FnOnce(&HoldStatus) -> Step,
    ) -> Step {
        let stands = self.status.hold.as_ref().filter(|hold| hold.reason == reason);
        match stands {
            Some(hold) if self.now >= hold.deadline => over(hold),
            Some(hold) => Step::says(Say::Held).wake(hold.deadline.since(self.now)),
            None => {
                let message = wording::at_most(1_000, message);
                let (since, deadline) = (self.now, self.now.plus(patience));
                let hold = HoldStatus { reason: reason.to_owned(), message, since, deadline };
                let next = ReleaseRecordStatus { hold: Some(hold), ..self.status.clone() };
                Step::says(Say::Held).update(self, next).wake(patience)
            }
        }
    }

    /// Whether nobody who could take the traffic over is ready.
    fn cannot_go_back(&self) -> bool {
        let stranded = !self.seen.by_count() && !self.workload_is_new() && stranded::strands_users(self);
        self.lacks_way_back() || stranded
    }

    /// Whether the workload runs the new version and nobody is ready who could take the traffic over.
    pub(in crate::release::plan) fn lacks_way_back(&self) -> bool {
        !self.seen.by_count() && self.workload_is_new() && self.ready(Carrier::Previous, 1).is_err()
    }

    /// Whether a verified version waits for what it is complete without in the end: the end of that hold is no way back, so that
    /// it lends its patience to no other.
    fn is_of_papers(&self, hold: &HoldStatus) -> bool {
        self.status.phase == Phase::Verify && completes(&hold.reason)
    }

    /// Waits in the verification for what a version is complete without in the end. All such waits together have one deadline, on
    /// record with the first of them; none where that is over. What is waited for besides neither shortens nor prolongs it.
    pub(in crate::release::plan) fn hold_to_complete(&self, reason: &str, message: &str) -> Option<Step> {
        let promotion = self.status.promotion.clone().unwrap_or_default();
        let verified = self.status.phase_since.plus(self.status.verify).max(self.now);
        let deadline = promotion.complete_by.unwrap_or(verified.plus(self.seen.release.spec.strategy.hold_for));
        if self.now >= deadline {
            return None;
        }
        let stands = self.status.hold.as_ref().filter(|hold| self.is_of_papers(hold));
        let since = stands.map_or(self.now, |hold| hold.since);
        let hold = HoldStatus { reason: reason.to_owned(), message: wording::at_most(1_000, message), since, deadline };
        let step = Step::says(Say::Held).wake(deadline.since(self.now));
        if self.status.hold.as_ref() == Some(&hold) {
            return Some(step);
        }
        let promotion = Some(Promotion { complete_by: Some(deadline), ..promotion });
        Some(step.update(self, ReleaseRecordStatus { hold: Some(hold), promotion, ..self.status.clone() }))
    }

    fn expire(&self, hold: &HoldStatus) -> Step {
        let is_verdict = !says_nothing(&hold.reason);
        let policy = if is_verdict { "" } else { ", which is no verdict on the version" };
        let waited = format!("held {} since {}{policy}", hold.reason, hold.since.clock());
        if self.status.phase == Phase::Plan {
            return self.seal(
                Outcome::Expired,
                format!("Closed unreleased: {waited}, until its deadline {}.", hold.deadline.clock()),
            );
        }
        let trigger =
            if hold.reason == ROUTE_NOT_EFFECTIVE { Trigger::RouteNotEffective } else { Trigger::HoldExpired };
        roll_back::begin(self, trigger, waited, format!("deadline {}", hold.deadline.clock()))
    }
}
