//! What a comparison comes to: Pass, Fail, or Not yet with its reason.

use std::fmt;

use crate::api::Time;
use crate::api::release_record::Trigger;

/// What an observation comes to.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Verdict {
    /// Every limit was looked at and kept; the figures, in at most 256 characters.
    Pass(String),
    /// A limit is exceeded: the change comes back.
    Fail(Breach),
    /// It cannot be told: the weight stays.
    NotYet(NotYet),
}

/// A limit of the rollback contract that is exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which limit.
    pub trigger: Trigger,
    /// What was seen, with its unit.
    pub value: String,
    /// The limit, with its unit.
    pub threshold: String,
    /// Both, with the figures of the other version.
    pub sentence: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Why it cannot be told yet. In the order in which one reason hides the next.
#[derive(Debug, Clone, PartialEq)]
pub enum NotYet {
    /// A limit is exceeded, and not yet so often in a row as the contract asks for. The figures, in words.
    Breached {
        /// What was seen and what is allowed.
        figures: String,
        /// How often in a row up to now.
        count: u32,
        /// How often brings the change back, `spec.rollback.consecutive`.
        of: u32,
    },
    /// The metrics source does not answer. Why, in words.
    Unreachable(String),
    /// The answer cannot be the figure. What, in words.
    Invalid(String),
    /// The answer covers a part only. What is missing, in words.
    Partial(String),
    /// There are no samples. Of what, in words.
    NoData(String),
    /// The new version has answered too few requests to judge it.
    TooLittle {
        /// Requests that it answered in the window.
        have: f64,
        /// Requests that it must have answered, `spec.analysis.minRequests`.
        need: u32,
    },
    /// The router divides the requests otherwise than the route says. The figures, in words.
    OtherShare(String),
    /// A limit is touched, but noise would explain it.
    Undecided {
        /// The figures, in words.
        figures: String,
        /// What it takes to tell, to go after the figures (see [`super::needed`]); empty where somebody else tells that.
        needed: String,
    },
    /// The figures are good; the stage's bake time is not over. Never given by [`super::judge`], which has no clock.
    Baking {
        /// When it is over.
        until: Time,
    },
}

impl NotYet {
    /// One word for programs, which does not change with the figures.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Breached { .. } => "LimitBreached",
            Self::Unreachable(_) => "MetricsUnreachable",
            Self::Invalid(_) => "InvalidEvidence",
            Self::Partial(_) => "PartialEvidence",
            Self::NoData(_) => "NoEvidence",
            Self::TooLittle { .. } => "TooLittleTraffic",
            Self::OtherShare(_) => "OtherShare",
            Self::Undecided { .. } => "Undecided",
            Self::Baking { .. } => "Baking",
        }
    }

    /// How much one reason hides another: the smaller is told.
    const fn rank(&self) -> u8 {
        match self {
            Self::Breached { .. } => 0,
            Self::Unreachable(_) => 1,
            Self::Invalid(_) => 2,
            Self::Partial(_) => 3,
            Self::NoData(_) => 4,
            Self::TooLittle { .. } => 5,
            Self::OtherShare(_) => 6,
            Self::Undecided { .. } => 7,
            Self::Baking { .. } => 8,
        }
    }
}

impl fmt::Display for NotYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Breached { figures, count, of } => {
                write!(f, "{figures}: breached {count} of {of} checks in a row that bring it back")
            }
            Self::Unreachable(why) => write!(f, "the metrics source does not answer: {why}"),
            Self::Invalid(what) => write!(f, "the metrics cannot be right: {what}"),
            Self::Partial(what) => write!(f, "the metrics are incomplete: {what}"),
            Self::NoData(what) => write!(f, "no samples: {what}"),
            Self::TooLittle { have, need } => write!(
                f,
                "too little traffic to judge: {} of the {need} requests needed",
                super::figures::count(have.floor())
            ),
            Self::OtherShare(figures) | Self::Undecided { figures, .. } => f.write_str(figures),
            Self::Baking { until } => write!(f, "good so far; the stage lasts until {}", until.clock()),
        }
    }
}

/// One verdict from several: the first Fail; else the reason that hides the others; else the figures of every Pass.
pub(super) fn all_of(verdicts: Vec<Verdict>) -> Verdict {
    let mut passed: Vec<String> = Vec::new();
    let mut waiting: Option<NotYet> = None;
    for verdict in verdicts {
        match verdict {
            Verdict::Fail(breach) => return Verdict::Fail(breach),
            Verdict::NotYet(new) if waiting.as_ref().is_some_and(|old| old.rank() <= new.rank()) => {}
            Verdict::NotYet(new) => waiting = Some(new),
            Verdict::Pass(figures) if figures.is_empty() => {}
            Verdict::Pass(figures) => passed.push(figures),
        }
    }
    match waiting {
        Some(waiting) => Verdict::NotYet(waiting),
        None => Verdict::Pass(passed.join("; ")),
    }
}
