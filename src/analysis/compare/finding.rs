//! What a comparison comes to, in words and figures.

use std::fmt;

use super::setup::{FACTOR, Setup};
use super::tally::{Sums, Tally};
use super::wealth::Bet;
use crate::analysis::figures::{count, percent, time};
use crate::analysis::verdict::{Breach, NotYet, Verdict};
use crate::api::release_record::Trigger;
use crate::api::{Percent, Span, Time};

/// What makes a request a bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It failed.
    Errors,
    /// It took longer than this.
    Slower(Span),
}

impl Signal {
    /// What a change that is worse in it comes back for.
    const fn trigger(self) -> Trigger {
        match self {
            Self::Errors => Trigger::ErrorRate,
            Self::Slower(_) => Trigger::Latency,
        }
    }
}

impl fmt::Display for Signal {
    /// `failed`, `took more than 300 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors => f.write_str("failed"),
            Self::Slower(threshold) => write!(f, "took more than {}", time(threshold.as_secs_f64())),
        }
    }
}

/// What a comparison comes to.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Finding {
    /// The new version is worse. Stays, however the comparison would go on.
    Worse(Figures),
    /// More than the tolerance is ruled out. It is counted on, and may still turn out worse.
    NotWorse(Figures),
    /// It cannot be told yet. [`super::bake_time`] says for how long.
    NotYet(Figures),
}

/// The figures that a finding rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// What was counted.
    pub signal: Signal,
    /// The counts of both versions.
    pub sums: Sums,
    /// Since when they are counted; None where it is since the new version got traffic.
    pub since: Option<Time>,
    /// What stands for stable where it had no traffic.
    pub base_rate: Option<Percent>,
    /// The share of bad requests that would be too much, 0 to 1: `FACTOR` times stable's and the tolerance.
    pub too_much: f64,
    /// As rare as once in so many it would be to see this by chance. From 1 up; below 100, and for worse below 100 times the
    /// number of signals, nothing is decided.
    pub once_in: f64,
}

impl Tally {
    /// What was found up to now.
    pub fn finding(&self, setup: &Setup, signal: &Signal) -> Finding {
        if self.is_worse(setup) {
            return Finding::Worse(self.figures(setup, *signal, Bet::Worse));
        }
        let figures = self.figures(setup, *signal, Bet::NotWorse);
        if self.is_not_worse(setup) { Finding::NotWorse(figures) } else { Finding::NotYet(figures) }
    }

    fn figures(&self, setup: &Setup, signal: Signal, bet: Bet) -> Figures {
        let (sums, since) = match bet {
            Bet::Worse => (self.recent, self.since),
            Bet::NotWorse => (self.all, None),
        };
        let base_rate = rate(sums.base_bad, sums.base_requests).or(setup.base_rate.map(Percent::ratio)).unwrap_or(0.0);
        Figures {
            signal,
            sums,
            since,
            base_rate: setup.base_rate,
            too_much: (FACTOR * base_rate + setup.tolerance.ratio()).min(1.0),
            once_in: self.ln_wealth(setup, bet).exp().clamp(1.0, 1e9),
        }
    }
}

fn rate(bad: f64, requests: f64) -> Option<f64> {
    (requests > 0.0).then(|| bad / requests)
}

impl Figures {
    /// The new version's share of bad requests, 0 to 1; 0 without traffic.
    fn candidate_rate(&self) -> f64 {
        rate(self.sums.bad, self.sums.requests).unwrap_or(0.0)
    }

    /// `stable 0.1 % of 22,000`, `stable up to 0.4 % in a usual hour of the day before`, `stable without traffic`.
    fn base(&self) -> String {
        match (rate(self.sums.base_bad, self.sums.base_requests), self.base_rate) {
            (Some(rate), _) => format!("stable {} of {}", percent(rate), count(self.sums.base_requests)),
            (None, Some(rate)) => {
                format!("stable up to {} in a usual hour of the day before", percent(rate.ratio()))
            }
            (None, None) => "stable without traffic".to_owned(),
        }
    }

    /// `3 % of 1,200 requests failed`.
    fn candidate(&self) -> String {
        format!("{} of {} requests {}", percent(self.candidate_rate()), count(self.sums.requests), self.signal)
    }

    /// Both versions, and since when.
    fn compared(&self) -> String {
        let since = self.since.map_or_else(String::new, |since| format!(" since {}", since.clock()));
        format!("{}{since}, {}", self.candidate(), self.base())
    }

    /// What is said where stable is bad as well: by itself it would look like the new version's doing.
    fn alike(&self) -> &'static str {
        match rate(self.sums.base_bad, self.sums.base_requests) {
            Some(base) if base >= ALIKE_FROM && self.candidate_rate() <= self.too_much => {
                "; both do alike, which is not the new version's doing"
            }
            Some(_) | None => "",
        }
    }
}

/// From this share of bad requests on it is said that stable has them as well: the first limit of the documents (`002_…`).
const ALIKE_FROM: f64 = 0.01;

/// `640`: to two digits, never more than it is but for a millionth.
fn odds(once_in: f64) -> String {
    let once_in = once_in * (1.0 + 1e-6);
    let unit = 10_f64.powf((once_in.log10().floor() - 1.0).max(0.0));
    count((once_in / unit).floor() * unit)
}

impl Finding {
    /// The figures of any finding.
    pub const fn figures(&self) -> &Figures {
        match self {
            Self::Worse(figures) | Self::NotWorse(figures) | Self::NotYet(figures) => figures,
        }
    }

    /// As one of the verdicts of an observation: worse fails, not worse passes.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Worse(figures) => Verdict::Fail(Breach {
                trigger: figures.signal.trigger(),
                value: figures.candidate(),
                threshold: format!("as good as {}", figures.base()),
                sentence: self.to_string(),
            }),
            Self::NotWorse(_) => Verdict::Pass(self.to_string()),
            Self::NotYet(_) => Verdict::NotYet(NotYet::Undecided { figures: self.to_string(), needed: String::new() }),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.figures();
        match self {
            Self::Worse(_) => {
                write!(f, "{}: as unlikely as 1 in {} if both were alike", figures.compared(), odds(figures.once_in))
            }
            Self::NotWorse(_) => write!(
                f,
                "{}: not worse (at {} this would be as unlikely as 1 in {}){}",
                figures.compared(),
                percent(figures.too_much),
                odds(figures.once_in),
                figures.alike()
            ),
            Self::NotYet(_) => {
                write!(f, "{}: too little to tell both apart{}", figures.compared(), figures.alike())
            }
        }
    }
}
