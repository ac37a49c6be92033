//! What is checked of a world, and the worlds that are checked.

use std::time::Duration;

use rstest::rstest;
use stateright::{Checker, HasDiscoveries, Model};

use super::super::Timing;
use super::Bounds;
use super::world::{Action, Holder, NOW, World};

impl World {
    /// How many processes may begin a write.
    pub(super) fn writers(&self) -> usize {
        self.processes.iter().filter(|process| process.may_begin()).count()
    }

    /// Whether a process may begin a write while another may still wait for one of its own.
    pub(super) fn overlap(&self) -> bool {
        let waits = |process: &super::world::Process| process.deadline.is_some_and(|deadline| NOW < deadline.end);
        self.writers() == 1 && self.processes.iter().filter(|process| waits(process)).count() > 1
    }

    /// Whether a Lease that a dead process left has just been taken.
    pub(super) const fn took_from_the_dead(&self) -> bool {
        self.inherited
    }

    /// Whether any one process leads before long when all others are gone and the network is well.
    pub(super) fn survivor_leads(&self, bounds: &Bounds) -> bool {
        (0..self.processes.len()).all(|survivor| self.clone().leads_alone(bounds, survivor))
    }

    fn leads_alone(mut self, bounds: &Bounds, survivor: usize) -> bool {
        for index in 0..self.processes.len() {
            if index != survivor {
                self.act(bounds, Action::Crash(index));
            }
        }
        self.act(bounds, Action::GiveUp(survivor));
        self.flights.clear();
        // A Lease that is created runs out once and is taken. A process that led when it vanished begins anew before that.
        let ticks = bounds.timing.lease.as_secs().div_ceil(bounds.speeds[survivor]) + 4;
        for _ in 0..ticks {
            self.act(bounds, Action::Read(survivor));
            self.act(bounds, Action::Hear(survivor));
            if !self.flights.is_empty() {
                self.act(bounds, Action::Land(0));
            }
            self.act(bounds, Action::Answer(survivor));
            let leads = self.lease.is_some_and(|lease| lease.holder == Holder::Process(survivor));
            if leads && self.processes[survivor].may_begin() {
                return true;
            }
            self.act(bounds, Action::Tick);
        }
        false
    }
}

fn bounds(speeds: &[u64], lease: u64, renew_deadline: u64) -> Bounds {
    let (lease, renew_deadline) = (Duration::from_secs(lease), Duration::from_secs(renew_deadline));
    let timing = Timing { lease, renew_deadline, retry: Duration::from_secs(1) };
    Bounds { speeds: speeds.to_vec(), timing, flights: 2, slow_reads: true, deletes: true, rash: false }
}

fn check(bounds: Bounds) -> impl Checker<Bounds> {
    let began = std::time::Instant::now();
    let checker = bounds.checker().threads(1).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!("{} states, {} steps deep, {:?}", checker.unique_state_count(), checker.max_depth(), began.elapsed());
    checker
}

#[rstest]
#[case::two_even_clocks(bounds(&[1, 1], 3, 2))]
#[case::two_clocks_a_quarter_apart(Bounds { flights: 1, ..bounds(&[4, 5], 15, 10) })]
#[case::three_even_clocks(Bounds { flights: 1, slow_reads: false, deletes: false, ..bounds(&[1, 1, 1], 2, 1) })]
fn at_most_one_process_writes_and_one_leads_in_the_end(#[case] bounds: Bounds) {
    check(bounds).assert_properties();
}

#[rstest]
#[case::two_clocks_a_quarter_apart(bounds(&[4, 5], 15, 10))]
#[case::two_clocks_as_far_apart_as_may_be(bounds(&[2, 3], 15, 10))]
#[case::three_even_clocks(Bounds { flights: 1, slow_reads: false, ..bounds(&[1, 1, 1], 2, 1) })]
#[ignore = "millions of states: a minute; cargo test --lib leader::model -- --ignored"]
fn at_most_one_process_writes_in_larger_worlds_too(#[case] bounds: Bounds) {
    check(bounds).assert_properties();
}

/// That the model would notice: clocks further apart than the spans allow for.
#[test]
fn clocks_that_differ_by_more_than_the_spans_do_let_two_write() {
    let bounds = Bounds { flights: 1, slow_reads: false, ..bounds(&[2, 4], 15, 10) };
    check(bounds).assert_any_discovery("one writes at most");
}

/// That the model would notice: without the wait after a creation, a deleted Lease makes two writers.
#[test]
fn leading_by_a_lease_as_soon_as_it_is_created_lets_two_write() {
    let rash = |deletes| Bounds { rash: true, slow_reads: false, deletes, ..bounds(&[1, 1], 3, 2) };
    let path = check(rash(true)).assert_any_discovery("one writes at most");
    assert!(path.into_actions().contains(&Action::Delete), "without a deletion it is safe");
    check(rash(false)).assert_properties();
}
