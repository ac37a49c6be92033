//! What those who own the workload of a simulated world do to what is theirs besides its program.
//!
//! [`begin`] says what a world has from its beginning, [`happen`] does one thing. One file a thing. What must never enter: what is
//! around the workload and is others', which is [`super::around`]'s.

mod copies;
mod disruption;
mod on_delete;
mod recreate;
mod restart;
mod spread;
mod stable;
mod traffic;

use std::sync::Arc;

use serde_json::{Value, json};

pub use restart::{Restart, step};

use super::people::{RELEASES, apply};
use super::schedule::{Owner, Workload, enforced};
use super::world::World;
use crate::admission::{Override, Policies};
use crate::sandbox::user::User;

/// What Git has of the workload besides what every world has.
#[derive(Debug, Clone, Default)]
pub struct Owned {
    /// `strategy.fallbackPercent`, where it is said.
    fallback: Option<u32>,
    /// Whether the label that tells the canary is named.
    label: bool,
    /// Whether a second route leads to the workload, and is named.
    second: bool,
    /// Whether pods are kept apart and spread, by terms that differ from version to version.
    terms: bool,
    /// Whether a change of the Deployment takes all of its pods away first.
    recreates: bool,
}

impl Owned {
    /// Puts into the Deployment what happens with its pods when it changes.
    pub fn roll(&self, deployment: &mut Value) {
        if self.recreates {
            deployment["spec"]["strategy"] = json!({"type": "Recreate"});
        }
    }

    /// Says in the GatedRelease what Git says of it.
    pub fn contract(&self, release: &mut Value) {
        if let Some(percent) = self.fallback {
            release["spec"]["strategy"]["fallbackPercent"] = json!(percent);
        }
        traffic::name(release, self.label, self.second);
    }

    /// Puts into the template of a version by which terms its pods are kept apart.
    pub fn spread(&self, number: u32, template: &mut Value) {
        if self.terms {
            spread::put(number, template);
        }
    }

    /// The second route, where there is one.
    pub fn route(&self, away: bool) -> Option<Value> {
        self.second.then(|| traffic::route(away))
    }
}

/// GitOps, which holds the verb `bypass` where that is asked for: break-glass comes in its commits.
fn flux() -> User {
    User::service_account("flux-system", "kustomize-controller")
}

/// What a world has from its beginning; errors are those of the shipped policies.
pub fn begin(world: &mut World, seed: u64) -> Result<(), String> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x0b16);
    let fallback = [None, Some(34), Some(50), Some(100)][dice.usize(..4)];
    world.people.owned = Owned { fallback, terms: dice.bool(), ..Owned::default() };
    if enforced(seed) {
        let holders = [flux().name, "admin".to_owned()];
        let api = &mut world.cluster.api;
        holders.iter().for_each(|holder| api.grant(holder, "bypass", "tidegate.io", "gatedreleases"));
        api.set_admission(Arc::new(Policies::shipped(Override::Enforce)?));
        world.checkers.circumstances.bypass = Some(holders.into());
    }
    Ok(())
}

/// Does one thing; the HTTP status that came of it, none where there is nothing that it could be done to.
pub fn happen(world: &mut World, act: Owner) -> Option<u16> {
    // Without a route there is none to be named, nor a label by which one tells.
    let of_routes = matches!(act, Owner::NameRoute | Owner::GiveUpRoute | Owner::NameLabel(_));
    if of_routes && world.people.workload != Workload::Routed {
        return None;
    }
    match act {
        Owner::DeleteStable => stable::delete(world),
        Owner::NameRoute => traffic::more(world),
        Owner::GiveUpRoute => traffic::less(world),
        Owner::NameLabel(named) => traffic::label(world, named),
        Owner::Fallback(percent) => {
            world.people.owned.fallback = Some(percent);
            Some(contract(world))
        }
        Owner::Disruption(Some(limit)) => Some(disruption::set(&mut world.cluster.api, &flux(), limit)),
        Owner::Disruption(None) => disruption::lift(&mut world.cluster.api, &flux()),
        Owner::EditCopy => copies::edit(&mut world.cluster.api),
        Owner::DeletePrevious => copies::delete_previous(&mut world.cluster.api),
        Owner::Ports(more) => Some(copies::ports(&mut world.cluster.api, &flux(), more)),
        Owner::Recreates(all) => recreate::say(world, all),
        Owner::OnDelete(is) => on_delete::say(world, is),
        Owner::Restart => {
            restart::begin(world);
            None
        }
    }
}

/// Applies the GatedRelease as Git has it.
fn contract(world: &mut World) -> u16 {
    let release = world.people.release();
    apply(&mut world.cluster.api, &flux(), RELEASES, &release)
}

/// Nobody does anything any more.
pub fn mend(world: &mut World) {
    world.restart = Restart::default();
}
