//! What is done about a RiskBudget that two releases spend: by those who answer for it, by a pipeline that charges it, and
//! by a second service.

use std::fmt;

use super::{Quality, Voice};
use crate::api::Span;

/// One deed.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Somebody deploys a version of the second service that was never there before.
    DeploySecond {
        /// Its number, which makes its image unique.
        number: u32,
        /// How it behaves.
        quality: Quality,
        /// `tidegate.io/change-type`.
        change: &'static str,
    },
    /// Git goes back to the second service's first version.
    RevertSecond,
    /// A pipeline says what it changes that is no workload's, as `tidegate charge` does, or takes that back.
    Charge {
        /// By which the change is known: the same one may be charged again and again.
        number: u32,
        /// What it touches.
        category: &'static str,
        /// Its type.
        change: &'static str,
        /// Whether it is taken back.
        back: bool,
    },
    /// The RiskBudget gets so many points a window.
    Points(u32),
    /// The objective of its error budget, in tenths of a percent.
    Objective(u32),
    /// A person speaks about what the RiskBudget would loosen at the moment, as `tidegate approve --budget` does.
    Agree {
        /// Which person.
        who: usize,
        /// As product manager (0) or as development manager (1).
        role: usize,
        /// What they say.
        voice: Voice,
    },
    /// Somebody attests that the obligation is met that is due first, as `tidegate meet` does.
    Meet {
        /// Which person; a pipeline where there is none, which may not.
        who: Option<usize>,
        /// Whether they name another obligation of the same type, which does not exist.
        astray: bool,
    },
    /// An administrator deletes the newest record of what pipelines had charged.
    Purge,
    /// A process dies as soon as it has given a charge its number, before the record has it; another begins after the pause.
    DieCharging {
        /// Which of the two.
        process: usize,
        /// How long the place stays empty.
        pause: Span,
    },
}

impl Deed {
    /// How long it makes things fail; none where people or their tools do it.
    pub const fn fault(&self) -> Option<Span> {
        match self {
            Self::DieCharging { pause, .. } => Some(*pause),
            Self::DeploySecond { .. }
            | Self::RevertSecond
            | Self::Charge { .. }
            | Self::Points(_)
            | Self::Objective(_)
            | Self::Agree { .. }
            | Self::Meet { .. }
            | Self::Purge => None,
        }
    }

    /// One word, for coverage.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::DeploySecond { .. } => "deploy-second",
            Self::RevertSecond => "revert-second",
            Self::Charge { back: false, .. } => "charge",
            Self::Charge { back: true, .. } => "withdraw-charge",
            Self::Points(_) => "points",
            Self::Objective(_) => "objective",
            Self::Agree { voice, .. } => match voice {
                Voice::Approve => "approve-loosening",
                Voice::Reject => "reject-loosening",
                Voice::Withdraw => "withdraw-loosening",
            },
            Self::Meet { who: None, .. } => "meet-by-machine",
            Self::Meet { astray: true, .. } => "meet-astray",
            Self::Meet { .. } => "meet",
            Self::Purge => "purge",
            Self::DieCharging { .. } => "die-charging",
        }
    }

    /// Every word that there is.
    pub const WORDS: [&'static str; 14] = [
        "deploy-second",
        "revert-second",
        "charge",
        "withdraw-charge",
        "points",
        "objective",
        "approve-loosening",
        "reject-loosening",
        "withdraw-loosening",
        "meet",
        "meet-by-machine",
        "meet-astray",
        "purge",
        "die-charging",
    ];
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeploySecond { number, quality, change } => {
                write!(f, "{} {number}, {}, as {change}", self.word(), quality.as_str())
            }
            Self::Charge { number, category, change, .. } => {
                write!(f, "{} {number}: {category} as {change}", self.word())
            }
            Self::Points(points) => write!(f, "the budget gets {points} points"),
            Self::Objective(tenths) => write!(f, "the objective becomes {}.{} %", tenths / 10, tenths % 10),
            Self::Agree { who, role, .. } => write!(f, "{} by person {who} in role {role}", self.word()),
            Self::Meet { who: Some(who), .. } => write!(f, "{} by person {who}", self.word()),
            Self::DieCharging { process, pause } => {
                write!(f, "process {process} dies once it has given a number, and is away for {pause}")
            }
            Self::RevertSecond | Self::Purge | Self::Meet { who: None, .. } => f.write_str(self.word()),
        }
    }
}
