//! The comparison: agreed vectors, what it promises for all traces, and what people read.

mod bake;
mod baseline;
mod later;
mod promises;
mod together;
mod vectors;
mod words;

use crate::analysis::compare::*;
use crate::analysis::{Evidence, NotYet};
use crate::api::{Percent, Span, Time};

/// The end of the interval number `index`, from 0; one a minute.
fn end(index: usize) -> Time {
    Time("2027-03-01T10:00:00Z".parse().unwrap()).plus(Span::minutes(index as u64 + 1))
}

fn counts((requests, bad): (f64, f64)) -> Counts {
    Counts::new(requests, bad).unwrap()
}

/// A minute in which the new version and stable answered so many requests, so many of them bad.
fn minute(index: usize, candidate: (f64, f64), base: (f64, f64)) -> Interval {
    Interval {
        end: end(index),
        length: Span::minutes(1),
        candidate: counts(candidate),
        base: Base::Measured(counts(base)),
    }
}

/// 99.5 % promised, 1 % allowed, an hour planned, errors that come by themselves.
fn setup() -> Setup {
    let planned = Setup::new(None, Percent::new(99.5).unwrap(), Percent::whole(1), Span::hours(1), Span::minutes(1));
    Setup { overdispersion: Overdispersion::NONE, ..planned }
}

fn tally_of(setup: &Setup, intervals: impl IntoIterator<Item = Interval>) -> Tally {
    let mut tally = Tally::default();
    for interval in intervals {
        let _ = tally.count(setup, &interval);
    }
    tally
}

fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Worse(_) => "Worse",
        Finding::NotWorse(_) => "NotWorse",
        Finding::NotYet(_) => "NotYet",
    }
}
