//! Samples in time, and the part of them that a range sees.

use std::borrow::Cow;

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The value.
    pub value: f64,
}

/// The value that marks the end of a series: a NaN that no calculation makes.
const STALE: u64 = 0x7ff0_0000_0000_0002;

impl Point {
    /// The mark that the series ended.
    pub(super) const fn stale(at: i64) -> Self {
        Self { at, value: f64::from_bits(STALE) }
    }

    /// Whether the series ended here.
    pub(super) const fn is_stale(&self) -> bool {
        self.value.to_bits() == STALE
    }
}

/// A past of equal samples in equal steps, which costs nothing however long it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// The first sample, in milliseconds since 1970.
    pub from: i64,
    /// Milliseconds from one sample to the next, above 0.
    pub step: i64,
    /// How many samples.
    pub count: i64,
    /// What each of them says.
    pub value: f64,
}

impl Run {
    /// The time of the last sample.
    pub(super) fn last(&self) -> i64 {
        self.from.saturating_add(self.step.saturating_mul(self.count - 1))
    }

    /// The part after `start` and not after `end`.
    pub(super) fn clipped(&self, start: i64, end: i64) -> Option<Self> {
        // How many samples are at or before a time.
        let until = |time: i64| match time < self.from {
            true => 0,
            false => (time.saturating_sub(self.from) / self.step + 1).min(self.count),
        };
        let (skipped, seen) = (until(start), until(end));
        (seen > skipped).then(|| Self { from: self.from + skipped * self.step, count: seen - skipped, ..*self })
    }

    fn points(self) -> impl Iterator<Item = Point> {
        (0..self.count).map(move |n| Point { at: self.from + n * self.step, value: self.value })
    }
}

/// What a range selects of one series: never empty, in the order of time, without stale marks.
#[derive(Debug, Clone)]
pub(super) struct Points<'a> {
    run: Option<Run>,
    points: Cow<'a, [Point]>,
}

impl<'a> Points<'a> {
    /// What is there; nothing where there is nothing.
    pub(super) fn new(run: Option<Run>, points: Cow<'a, [Point]>) -> Option<Self> {
        (run.is_some() || !points.is_empty()).then_some(Self { run, points })
    }

    pub(super) fn count(&self) -> f64 {
        self.run.map_or(0, |run| run.count) as f64 + self.points.len() as f64
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Point> {
        self.run.into_iter().flat_map(Run::points).chain(self.points.iter().copied())
    }

    /// All values, of the equal ones just one and how many they are.
    pub(super) fn weighted(&self) -> impl Iterator<Item = (f64, f64)> {
        let run = self.run.map(|run| (run.value, run.count as f64));
        run.into_iter().chain(self.points.iter().map(|point| (point.value, 1.0)))
    }

    pub(super) fn first(&self) -> Option<Point> {
        self.iter().next()
    }

    /// The last two, the later one first.
    pub(super) fn last_two(&self) -> (Option<Point>, Option<Point>) {
        let of_run = |back: i64| {
            let run = self.run.filter(|run| run.count > back)?;
            Some(Point { at: run.last() - back * run.step, value: run.value })
        };
        let mut back = self.points.iter().rev().copied();
        match (back.next(), back.next()) {
            (Some(last), Some(before)) => (Some(last), Some(before)),
            (Some(last), None) => (Some(last), of_run(0)),
            (None, _) => (of_run(0), of_run(1)),
        }
    }
}
