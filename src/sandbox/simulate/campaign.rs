//! Many worlds, on all cores.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::check::Rule;
use super::coverage::Coverage;
use super::run::{Options, Report, run};

/// What many worlds gave.
#[derive(Debug, Default)]
pub struct Summary {
    /// Worlds that were run.
    pub worlds: u64,
    /// Attempts at a revision that ended in them.
    pub attempts: u64,
    /// Their own time, in seconds.
    pub virtual_seconds: u64,
    /// What Tidegate wrote in them.
    pub writes: u64,
    /// What was reached.
    pub coverage: Coverage,
    /// Seeds that broke a rule, the first few of each.
    pub broken: BTreeMap<Rule, Vec<(u64, String)>>,
    /// How many worlds broke any.
    pub failed: u64,
    /// Worlds that could not be run, with the reason.
    pub errors: Vec<(u64, String)>,
    /// How long all of it took.
    pub took: Duration,
}

/// How many seeds are kept of each rule.
const KEPT: usize = 5;

impl Summary {
    fn add(&mut self, report: Report) {
        self.worlds += 1;
        self.attempts += report.attempts;
        self.virtual_seconds += report.lasted.as_millis() / 1000;
        self.writes += report.writes;
        self.coverage.add(&report.coverage);
        self.failed += u64::from(!report.violations.is_empty());
        for violation in report.violations {
            let seeds = self.broken.entry(violation.rule).or_default();
            if seeds.len() < KEPT {
                seeds.push((report.seed, violation.says));
            }
        }
    }
}

/// How many worlds are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So many.
    Worlds(u64),
    /// As long as there is time.
    Time(Duration),
}

/// Runs the worlds of the seeds from `first` on `jobs` threads; `tell` hears of each that is over, and says whether to go on.
pub fn run_many(
    first: u64,
    until: Until,
    jobs: usize,
    options: &Options,
    tell: &(dyn Fn(&Summary) -> bool + Sync),
) -> Summary {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let summary = Mutex::new(Summary::default());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            // After the last seed comes the first.
            let seed = first.wrapping_add(number);
            let over = match until {
                Until::Worlds(count) => number >= count,
                Until::Time(time) => began.elapsed() >= time,
            };
            if over {
                return;
            }
            let report = run(seed, options);
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            match report {
                Ok(report) => summary.add(report),
                Err(why) => {
                    summary.errors.push((seed, why));
                    // What cannot be run once cannot be run a thousand times.
                    stop.store(summary.errors.len() >= KEPT, Ordering::Relaxed);
                }
            }
            summary.took = began.elapsed();
            if !tell(&summary) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(work);
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.took = began.elapsed();
    summary
}
