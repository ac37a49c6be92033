//! The rules of leadership that count time: pure, on whatever monotonic clock the caller has.

use std::ops::Add;
use std::time::Duration;

use super::Timing;

/// Until when this process may write, on its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Deadline<T> {
    /// No write begins at or after this.
    pub(super) begin: T,
    /// No write is waited for after this.
    pub(super) end: T,
}

impl<T: Copy + Ord + Add<Duration, Output = T>> Deadline<T> {
    /// What a renewal grants that succeeded. It counts from when it was *sent*: another process counts from when it saw
    /// it, which is later.
    pub(super) fn renewed(sent: T, timing: Timing) -> Self {
        Self { begin: sent + timing.renew_deadline, end: sent + timing.lease }
    }

    /// What is left to a process that saw another hold the Lease: nothing.
    pub(super) const fn over(now: T) -> Self {
        Self { begin: now, end: now }
    }

    /// Whether a write may begin.
    pub(super) fn may_begin(&self, now: T) -> bool {
        now < self.begin
    }
}

/// Since when the Lease has been seen in its present form: what was remembered where it has not changed, else now.
pub(super) fn seen_since<V: PartialEq, T: Copy>(remembered: Option<(V, T)>, stands: Option<V>, now: T) -> T {
    match (remembered, stands) {
        (Some((before, since)), Some(stands)) if before == stands => since,
        _ => now,
    }
}
