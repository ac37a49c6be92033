//! What happens to the Jobs that try a new version: to the CronJob that they are made from, to themselves, to their pods.

use std::fmt;

use super::{Act, Item, Mix, Quality, count, seconds};
use crate::api::Span;

/// What the program of a Job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It tries the new version, and ends as that lets it.
    Version,
    /// It fails whatever it tries.
    Fails,
    /// It never ends.
    Hangs,
    /// No node takes its pod.
    NoNode,
}

/// One thing that happens to the Jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// Somebody deletes the CronJob.
    Remove,
    /// It is made anew.
    Anew,
    /// Its owner takes the label away that allows its use.
    Disallow,
    /// He puts it back.
    Allow,
    /// Its template changes.
    Program(Tried),
    /// For so long somebody deletes each Job that runs.
    DeleteJobs(Span),
    /// For so long each pod of a Job is taken away, whether it began or not.
    Drain(Span),
    /// A quota leaves room for so many Jobs more than there are; none takes it away.
    Quota(Option<u32>),
}

impl Trial {
    /// One word, for coverage.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Remove => "remove-cron-job",
            Self::Anew => "cron-job-anew",
            Self::Disallow => "disallow-cron-job",
            Self::Allow => "allow-cron-job",
            Self::Program(Tried::Version) => "job-tries",
            Self::Program(Tried::Fails) => "job-fails",
            Self::Program(Tried::Hangs) => "job-hangs",
            Self::Program(Tried::NoNode) => "job-without-node",
            Self::DeleteJobs(_) => "delete-jobs",
            Self::Drain(_) => "drain-jobs",
            Self::Quota(Some(_)) => "quota-of-jobs",
            Self::Quota(None) => "no-quota-of-jobs",
        }
    }

    /// Every word that there is.
    pub const WORDS: [&'static str; 12] = [
        "remove-cron-job",
        "cron-job-anew",
        "disallow-cron-job",
        "allow-cron-job",
        "job-tries",
        "job-fails",
        "job-hangs",
        "job-without-node",
        "delete-jobs",
        "drain-jobs",
        "quota-of-jobs",
        "no-quota-of-jobs",
    ];
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeleteJobs(span) => write!(f, "somebody deletes each Job for {span}"),
            Self::Drain(span) => write!(f, "each pod of a Job is taken away for {span}"),
            Self::Quota(Some(more)) => write!(f, "a quota leaves room for {more} Jobs more"),
            Self::Remove | Self::Anew | Self::Disallow | Self::Allow | Self::Program(_) | Self::Quota(None) => {
                f.write_str(self.word())
            }
        }
    }
}

/// What happens in the world of a seed; some versions become such that only a Job tells them from good ones.
pub(super) fn of_seed(seed: u64, mix: Mix, items: &mut [Item]) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x10b5);
    for item in items.iter_mut() {
        if let Act::Deploy { quality: quality @ (Quality::Good | Quality::Late), .. } = &mut item.act {
            *quality = [*quality, *quality, Quality::Broken, Quality::Stuck][dice.usize(..4)];
        }
    }
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    let mut trials = Vec::new();
    // Where people do nothing, nothing happens to the Jobs either.
    for _ in 0..count(&mut dice, mix.people) {
        let (at, span) = (seconds(&mut dice, 5, within), seconds(&mut dice, 5, 40));
        let (here, after) = match dice.u32(0..12) {
            0 | 1 => (Trial::Remove, Some(Trial::Anew)),
            2 => (Trial::Disallow, Some(Trial::Allow)),
            3 => (Trial::Program(Tried::Fails), Some(Trial::Program(Tried::Version))),
            4 => (Trial::Program(Tried::Hangs), Some(Trial::Program(Tried::Version))),
            5 | 6 => (Trial::Program(Tried::NoNode), Some(Trial::Program(Tried::Version))),
            7 | 8 => (Trial::DeleteJobs(span), None),
            9 => (Trial::Drain(span), None),
            _ => (Trial::Quota(Some(dice.u32(0..=1))), Some(Trial::Quota(None))),
        };
        let mut push = |at: Span, trial: Trial| trials.push(Item { at, act: Act::Trial(trial) });
        push(at, here);
        if let Some(after) = after {
            push(Span::from_millis(at.as_millis() + span.as_millis()), after);
        }
    }
    trials
}
