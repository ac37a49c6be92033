//! One form for all worlds that cannot be told apart, so that there are few.

use std::cmp::Reverse;
use std::time::Duration;

use super::world::{Holder, NOW, Process, Turn, World};
use super::{Bounds, Deadline};

impl World {
    /// Brings the world to that form.
    pub(super) fn normalize(&mut self, bounds: &Bounds) {
        let stands = self.lease.map(|lease| lease.version);
        // A write whose fence is gone changes nothing any more; a creation may still.
        self.flights.retain(|flight| flight.awaited_by.is_some() || flight.fence.is_none() || flight.fence == stands);
        for process in &mut self.processes {
            settle(process, bounds);
        }
        self.rank_versions();
        if bounds.even() {
            self.order_processes();
        }
        self.flights.sort_unstable();
    }

    /// Only which versions are equal and which one is the newest counts.
    fn rank_versions(&mut self) {
        let mut all: Vec<u8> = self.versions().map(|version| *version).collect();
        all.sort_unstable();
        all.dedup();
        let rank = |version: u8| all.iter().position(|known| *known == version).map_or(0, |rank| rank as u8 + 1);
        self.versions().for_each(|version| *version = rank(*version));
        self.newest = all.len() as u8;
    }

    fn versions(&mut self) -> impl Iterator<Item = &mut u8> {
        let of_processes = self.processes.iter_mut().flat_map(|process| {
            let turn = match &mut process.turn {
                Turn::Rest | Turn::Reading(None) | Turn::Writing { .. } => None,
                Turn::Reading(Some(lease)) => Some(&mut lease.version),
                Turn::Written { version, .. } => version.as_mut(),
            };
            process.seen.as_mut().map(|(version, _)| version).into_iter().chain(turn)
        });
        let fences = self.flights.iter_mut().filter_map(|flight| flight.fence.as_mut());
        self.lease.as_mut().map(|lease| &mut lease.version).into_iter().chain(fences).chain(of_processes)
    }

    /// Where all clocks run at one speed the processes' numbers mean nothing.
    fn order_processes(&mut self) {
        let mut order: Vec<usize> = (0..self.processes.len()).collect();
        order.sort_by_key(|index| self.key(*index));
        if order.is_sorted() {
            return;
        }
        let place = |old: usize| order.iter().position(|index| *index == old).unwrap_or(old);
        let holder = |holder: &mut Holder| {
            if let Holder::Process(index) = holder {
                *index = place(*index);
            }
        };
        if let Some(lease) = &mut self.lease {
            holder(&mut lease.holder);
        }
        for flight in &mut self.flights {
            holder(&mut flight.holder);
            flight.awaited_by = flight.awaited_by.map(place);
        }
        self.processes = order.iter().map(|index| self.processes[*index]).collect();
        for process in &mut self.processes {
            if let Turn::Reading(Some(lease)) = &mut process.turn {
                holder(&mut lease.holder);
            }
        }
    }

    /// What can be told of a process without its number.
    fn key(&self, index: usize) -> impl Ord {
        let process = &self.processes[index];
        let me = Holder::Process(index);
        let turn = match process.turn {
            Turn::Reading(Some(mut lease)) => {
                let mine = lease.holder == me;
                if matches!(lease.holder, Holder::Process(_)) {
                    lease.holder = Holder::Process(usize::from(mine));
                }
                Turn::Reading(Some(lease))
            }
            other @ (Turn::Rest | Turn::Reading(None) | Turn::Writing { .. } | Turn::Written { .. }) => other,
        };
        let holds = self.lease.is_some_and(|lease| lease.holder == me);
        let mut flights: Vec<_> = self
            .flights
            .iter()
            .filter(|flight| flight.holder == me || flight.awaited_by == Some(index))
            .map(|flight| (flight.fence, flight.holder == me, flight.awaited_by == Some(index)))
            .collect();
        flights.sort_unstable();
        let deadline = process.deadline.map(|deadline| (deadline.begin, deadline.end));
        (Reverse(holds), deadline, process.seen, turn, flights)
    }
}

/// Moments that are long past are past all the same.
fn settle(process: &mut Process, bounds: &Bounds) {
    let oldest = NOW - bounds.timing.lease;
    if let Some((_, since)) = &mut process.seen {
        *since = (*since).max(oldest);
    }
    if let Some(deadline) = &mut process.deadline {
        *deadline = Deadline { begin: deadline.begin.max(NOW), end: deadline.end.max(NOW) };
    }
    if let Turn::Writing { sent, .. } | Turn::Written { sent, .. } = &mut process.turn {
        *sent = (*sent).max(oldest - Duration::from_secs(1));
    }
}
