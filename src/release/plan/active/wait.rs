//! Waiting for pods and for the router, within the contract's time for readiness.

use super::super::roll_back;
use super::super::step::{LOOK_AGAIN, Step};
use super::Active;
use super::hold::ROUTE_NOT_EFFECTIVE;
use crate::api::release_record::{Readiness, ReleaseRecordStatus, Trigger};
use crate::api::{Span, Time};
use crate::release::action::Action;
use crate::release::split::Carrier;

impl<'a> Active<'a> {
    /// A step that waits for the router, and is held where that takes longer than the contract's time for readiness.
    pub(in crate::release::plan) fn wait_for_router(&self, since: Time, reason: &'static str, what: &str) -> Step {
        let within = self.seen.release.spec.strategy.ready_within;
        let until = since.plus(within);
        if self.now >= until {
            // The moment that is counted from may be long ago, where nobody looked meanwhile: the router gets its time anew.
            let name = self.name();
            return self.hold(
                ROUTE_NOT_EFFECTIVE,
                format!("{name}: the router has not taken the weights over: {what}."),
                within,
            );
        }
        self.waits(until, reason, what)
    }

    /// A step that waits for pods within the contract's time for readiness, and goes back where that is over; `due` is the moment
    /// since when they are needed, which tells this step from any other.
    pub(in crate::release::plan) fn wait(&self, due: Time, reason: &'static str, what: &str) -> Step {
        self.wait_for(Vec::new(), due, reason, what)
    }

    /// The same, with the writes that bring about what is waited for; none any more where the time is over.
    pub(in crate::release::plan) fn wait_for(
        &self,
        writes: Vec<Action>,
        due: Time,
        reason: &'static str,
        what: &str,
    ) -> Step {
        let readiness = self.readiness(due);
        if self.now >= readiness.by {
            return self.not_ready(what);
        }
        let step = self.waits(readiness.by, reason, what);
        if self.status.readiness == Some(readiness) {
            return step.all(writes);
        }
        // On record before the writes: one that is refused at every look would keep it from ever standing there.
        step.update(self, ReleaseRecordStatus { readiness: Some(readiness), ..self.next() }).all(writes)
    }

    /// Its own time to be ready: begun when it first waits, and prolonged by what it is held for in between, whatever that is.
    fn readiness(&self, step: Time) -> Readiness {
        let within = self.seen.release.spec.strategy.ready_within;
        let Some(stands) = self.status.readiness.filter(|stands| stands.step == step) else {
            return Readiness { step, by: self.now.plus(within) };
        };
        let hold = self.status.hold.as_ref().filter(|_| !self.leaves());
        let held = hold.map_or(Span::ZERO, |hold| self.now.since(hold.since));
        Readiness { by: stands.by.plus(held), ..stands }
    }

    fn waits(&self, until: Time, reason: &'static str, what: &str) -> Step {
        let rest = until.since(self.now);
        let (name, until) = (self.name(), until.clock());
        let sentence = match self.refused() {
            Some(why) => {
                format!("{name}: no pods are made: {why} ({what}); rolled back if it is not ready by {until}.")
            }
            None => format!(
                "{name}: waiting until it is ready to take traffic ({what}); rolled back if it is not by {until}."
            ),
        };
        Step::going(reason, sentence).wake(LOOK_AGAIN.min(rest))
    }

    fn not_ready(&self, what: &str) -> Step {
        let within = self.seen.release.spec.strategy.ready_within;
        let why = self.refused().map(|why| format!("no pods are made: {why}"));
        let why = why.or_else(|| self.crashes().map(str::to_owned));
        let value = why.map_or_else(|| what.to_owned(), |why| format!("{what}; {why}"));
        roll_back::begin(self, Trigger::NotReady, value, format!("ready within {within}"))
    }

    /// Why pods that the release needs cannot be made.
    fn refused(&self) -> Option<&'a str> {
        let sides = [Carrier::Canary, Carrier::Previous].into_iter().filter_map(|carrier| self.deployment(carrier));
        let of_sides = sides.filter_map(|deployment| deployment.refused.as_deref());
        of_sides.chain(self.workload().and_then(|workload| workload.refused.as_deref())).next()
    }
}
