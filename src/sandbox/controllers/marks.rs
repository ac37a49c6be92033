//! What has changed since somebody looked last: per kind, how many objects there are and the newest version among them.
//!
//! Every write raises the version and every removal lowers the count, so equal marks mean that nothing happened.

use std::collections::BTreeMap;

use super::garbage::KINDS;
use super::look::version;
use crate::api::{Span, Time};
use crate::cluster::Kind;
use crate::sandbox::objects::Objects;

/// The state of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) count: usize,
    pub(super) newest: u64,
}

/// The state of all kinds.
#[derive(Debug, Default)]
pub(super) struct Marks(BTreeMap<&'static str, Mark>);

impl Marks {
    pub(super) fn look(&mut self, objects: &dyn Objects) {
        for kind in KINDS {
            let all = objects.list(kind, "");
            let newest = all.iter().map(|object| version(object)).max().unwrap_or(0);
            self.0.insert(kind.plural, Mark { count: all.len(), newest });
        }
    }

    pub(super) fn of(&self, kind: &Kind) -> Mark {
        self.0.get(kind.plural).copied().unwrap_or_default()
    }
}

/// A controller's place in the round.
#[derive(Debug, Default)]
pub(super) struct Task {
    seen: Vec<Mark>,
    due: Option<Time>,
}

impl Task {
    /// Runs if one of the kinds has changed since the last run began, or its time has come.
    pub(super) fn run(&mut self, marks: &Marks, kinds: &[Kind], now: Time, run: impl FnOnce() -> Option<Time>) -> bool {
        let same =
            self.seen.len() == kinds.len() && kinds.iter().zip(&self.seen).all(|(kind, seen)| marks.of(kind) == *seen);
        if same && self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.seen.clear();
        self.seen.extend(kinds.iter().map(|kind| marks.of(kind)));
        // Nobody is due at once again: what a controller waits for takes time.
        self.due = run().map(|due| due.max(now.plus(Span::from_millis(1))));
        true
    }

    pub(super) fn wake(&mut self, now: Time) {
        self.due = Some(now);
    }

    /// Looks again if it waits for anything: how long that takes may have changed.
    pub(super) fn wake_if_waiting(&mut self, now: Time) {
        self.due = self.due.map(|_| now);
    }

    pub(super) const fn due(&self) -> Option<Time> {
        self.due
    }
}
