//! Every course that a release can take in the small world, up to so many disturbances: the controller looks, or dies after
//! any of its writes; time passes; and at any moment something goes wrong or somebody does something. The real
//! [`plan`](super::plan()) and [`lint`](super::lint()) decide in every state.
//!
//! [`state`] says which worlds are told apart, [`act`] what may happen, [`watch`] what must never be seen, [`end`] that a
//! release ends. What is not here: other releases that spend the same risk points, autoscalers and changes of size (the
//! sandbox has worlds for them); two looks that overlap (the Lease and the fences see to that); and a cluster's own mistakes
//! (the sandbox has them).

mod act;
mod end;
mod state;
mod tests;
mod watch;

use std::collections::BTreeSet;
use std::sync::Mutex;

use stateright::{Model, Property};

use act::Action;
use state::State;
use watch::Broken;

/// The model, with how much may go wrong in one course.
struct Release {
    disturbances: u8,
    /// Whether the controller writes at once what it has to write, unless it is away for long.
    prompt: bool,
    /// Worlds that are known to end well when nothing more goes wrong, by their keys.
    ends: Mutex<BTreeSet<u64>>,
}

impl Model for Release {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self.disturbances)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        state.actions(self.prompt, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(state.after(action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn never(name: &'static str, broken: fn(&Release, &State) -> bool) -> Property<Release> {
            Property::always(name, broken)
        }
        vec![
            never("the linter refuses no plan", |_, state| !state.broke(Broken::Linter)),
            never("a weight rises on recorded passes alone", |_, state| !state.broke(Broken::Raised)),
            never("after a rollback began nothing rises", |_, state| !state.broke(Broken::RaisedAfterRollback)),
            never("a sealed record stays as it is", |_, state| !state.broke(Broken::Sealed)),
            never("what serves has its capacity", |_, state| !state.broke(Broken::Capacity)),
            never("users meet judged versions alone", |_, state| !state.broke(Broken::Unjudged)),
            never("a hold ends at its deadline", |_, state| !state.broke(Broken::Hold)),
            never("who is answered is not sent to nobody", |_, state| !state.broke(Broken::Nobody)),
            never("when all is well the release ends", |model, state| state.ends(model)),
            Property::sometimes("a release succeeds", |_, state: &State| state.outcome_is("Succeeded")),
            Property::sometimes("a release goes back", |_, state: &State| state.outcome_is("RolledBack")),
        ]
    }
}
