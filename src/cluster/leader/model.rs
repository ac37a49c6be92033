//! Every course that a small world of processes and one Lease can take, up to the bounds of its [`Bounds`], with the real
//! rules inside: [`step`], [`seen_since`] and [`Deadline`].
//!
//! Time is counted in ticks; a process's clock advances by its own speed with each, and a process does its next move at
//! any time or never, so pauses of any length are in. All moments are kept relative to the process's present one and
//! versions by rank, so the states are finite without a horizon. What the world leaves out: a clock that goes back
//! (tokio's is monotonic), and an API server whose reads are not its latest (reads without a version are).

mod checks;
mod normal;
mod world;

use stateright::{Model, Property};

use super::{Deadline, Timing};
use world::{Action, World};

/// How large the world is, and what may happen in it.
#[derive(Debug, Clone)]
struct Bounds {
    /// How far each process's clock goes in a tick, in the unit of `timing`; as many as there are processes.
    speeds: Vec<u64>,
    /// The spans of leadership, a unit a second.
    timing: Timing,
    /// Writes that may be under way at once.
    flights: usize,
    /// Whether the answer to a read may take its time.
    slow_reads: bool,
    /// Whether somebody may delete the Lease.
    deletes: bool,
    /// Whether a created Lease is led by at once: the rule that Tidegate does *not* have, to show what it would do.
    rash: bool,
}

impl Model for Bounds {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.actions(self, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(self, action);
        next.normalize(self);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one writes at most", |_, world: &World| world.writers() <= 1),
            Property::always("nobody begins while another is waited for", |model: &Self, world: &World| {
                !model.even() || !world.overlap()
            }),
            Property::always("whoever is left leads in the end", |model: &Self, world: &World| {
                world.survivor_leads(model)
            }),
            Property::sometimes("somebody leads", |_, world: &World| world.writers() == 1),
            Property::sometimes("a dead process's Lease is taken", |_, world: &World| world.took_from_the_dead()),
        ]
    }
}

impl Bounds {
    /// Whether all clocks run at one speed. Only then does the end of a write that is waited for bound another's beginning.
    fn even(&self) -> bool {
        self.speeds.windows(2).all(|pair| pair.first() == pair.last())
    }
}
