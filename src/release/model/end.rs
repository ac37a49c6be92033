//! That a release ends: from every state, when all is well from now on, the world comes to rest, and rests as it should.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::Release;
use super::act::Action;
use super::state::State;
use crate::release::split::{Carrier, Split};
use crate::release::template;

impl State {
    /// Goes on from here with everything in order until nothing changes any more, or a course is met that is known to end.
    pub(super) fn ends(&self, model: &Release) -> bool {
        if self.broken.is_some() {
            return true;
        }
        let mut known = model.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.calmed();
        let mut course = BTreeSet::new();
        while !known.contains(&state.key()) {
            let next = state.calm_step();
            if next.key() == state.key() {
                if !state.rests_well() {
                    println!("comes to rest in {state:?}");
                    return false;
                }
                course.insert(state.key());
                break;
            }
            if next.broken.is_some() {
                // The model meets that course too, and tells of it.
                return true;
            }
            if !course.insert(state.key()) {
                println!("goes round in circles over {state:?}");
                return false;
            }
            state = next;
        }
        known.append(&mut course);
        true
    }

    /// The controller looks as long as there is something to write; then time passes.
    fn calm_step(&self) -> Self {
        let looked = self.after(Action::Look);
        if self.plan().actions.is_empty() { looked.after(Action::Tick) } else { looked }
    }

    /// Whether nothing is left to do that should have been done.
    fn rests_well(&self) -> bool {
        let seen = &self.world.seen;
        let split = self.world.split();
        // Whoever applies the route is not refused.
        if seen.routes.iter().any(|route| route.owned.is_some()) {
            return false;
        }
        if seen.release.deleting {
            return !seen.release.finalizer && split.of(Carrier::Canary).is_none();
        }
        let Some(workload) = &seen.workload else { return false };
        let Some(record) = &seen.record else { return false };
        let sealed = record.status.as_ref().is_some_and(|status| status.outcome.is_some());
        let home = split == Split::HOME && seen.canary.is_none() && seen.previous.is_none();
        let fallen_back = split.weight(Carrier::Previous) == crate::api::Weight::FULL && seen.canary.is_none();
        // Nobody judges what waits in a workload that is not under the gate.
        if !workload.gated {
            return sealed && (home || fallen_back);
        }
        // Somebody interrupted a roll that nobody judged: the status says that a person must finish it.
        if self.bypassed && self.plan().status.message.starts_with("NotSettled") {
            return sealed && split == Split::HOME;
        }
        // A template that waits must be the one that was tried: no other is left lying.
        let tried = !workload.paused || template::revision(&workload.template) == record.spec.revision;
        sealed && (home || fallen_back) && tried
    }
}
