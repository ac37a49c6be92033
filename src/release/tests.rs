//! The stories of a release, told by the small world: what is written, in which order, and what is said.

use proptest::prelude::*;
use rstest::rstest;

mod after_release;
mod asked;
mod burning;
mod business;
mod by_hand;
mod carried;
mod check_job;
mod circuit;
mod compared;
mod compliance;
mod count;
mod course;
mod dying;
mod each_stage;
mod excepted;
mod explained;
mod follow;
mod forbidden;
mod handed_over;
mod hands;
mod heard;
mod held_routes;
mod in_a_row;
mod last_half;
mod last_moments;
mod leaving;
mod lost;
mod one_role;
mod other_budget;
mod own;
mod owned_rules;
mod patience;
mod policy;
mod previous_gone;
mod rejected;
mod returns;
mod route_anew;
mod same_image;
mod scaled_copy;
mod share;
mod slow;
mod stranded;
mod synthetic;
mod taken_away;
mod twins;
mod unlabelled;
mod unmet;
mod unpaid;
mod user;
mod verified;
mod watched;
mod way_back;
mod worsened;

use super::split::{Carrier, Split};
use super::world::{Behaviour, GOOD, World};
use crate::api::condition::Truth;
use crate::api::release_record::{Outcome, Phase, Trigger};
use crate::api::{BudgetStatus, ChangeType, Span, Weight};
use crate::release::snapshot::{BudgetSeen, RouteProblem};

const BAD: Behaviour = Behaviour { errors: 0.2, ..GOOD };
const SLOW: Behaviour = Behaviour { latency: 0.3, ..GOOD };
const NEVER_READY: Behaviour = Behaviour { ready: false, ..GOOD };
const CRASHING: Behaviour = Behaviour { crashes: true, ..GOOD };

/// The workload runs a good new version, which is being verified; the previous one is warm.
fn in_verification() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world
}

/// A good new version has a quarter of the traffic.
fn at_a_quarter() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world
}

/// A version that got bad in its verification: the previous one serves.
fn came_back_late() -> World {
    let mut world = in_verification();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    world
}

/// One look after the other, and a second whenever there is nothing to write; so many looks at most.
fn step_until(world: &mut World, most: usize, what: impl Fn(&World) -> bool) {
    for _ in 0..most {
        if what(world) {
            return;
        }
        if world.look(None).actions.is_empty() {
            world.run(1);
        }
        world.settle();
    }
    panic!("never; {}", world.trace.join("\n"));
}

fn condition(world: &World, kind: &str) -> (Truth, String) {
    let all = &world.seen.release.status.conditions;
    let found = all.iter().find(|condition| condition.kind == kind).unwrap();
    (found.status, found.reason.clone())
}
