//! How a budget is adjusted by what its windows showed (`000_…` §5.6 earned capacity, §7 repeated exceptions, §8
//! tightening). Every adjustment carries its evidence.

use std::collections::BTreeSet;
use std::fmt;

use crate::api::Span;
use crate::api::risk_budget::Tightening;
use crate::api::units::UnitError;

use super::category::Category;
use super::points::RiskPoints;
use super::tier::Tier;

/// Fewer releases than this show nothing about a window. The documents want "metrics, not opinions" and give no figure.
pub const RELEASES_MIN: u32 = 5;
/// "materially" worse over two windows, in percent of what it was. The documents give no figure.
pub const MATERIAL_PERCENT: u64 = 20;
/// By how many percent a budget is tightened. The documents give no figure: as much as can be earned at most.
pub const TIGHTENED_PERCENT: u32 = 20;
/// From so many exceptions in this window and the one before they are "repeated".
pub const EXCEPTIONS_REPEATED: u32 = 2;

/// What one window of a service showed (`000_…` §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowFigures {
    /// Releases that ended in it.
    pub releases: u32,
    /// Those among them that failed: came back, or led to an incident. At most `releases`.
    pub failed: u32,
    /// Mean time to recovery of the failures; zero where nothing failed.
    pub mttr: Span,
}

impl WindowFigures {
    fn shows_something(&self) -> bool {
        self.releases >= RELEASES_MIN
    }

    /// Whether the change failure rate is lower than another's: compared as fractions, without rounding.
    fn fails_less_than(&self, other: &Self) -> bool {
        u64::from(self.failed) * u64::from(other.releases) < u64::from(other.failed) * u64::from(self.releases)
    }

    /// Better in both figures; where nothing failed in either window there is nothing better.
    fn improves_on(&self, before: &Self) -> bool {
        let flawless = self.failed == 0 && before.failed == 0;
        flawless || (self.fails_less_than(before) && self.mttr < before.mttr)
    }

    fn worse_than(&self, before: &Self) -> bool {
        before.fails_less_than(self) || self.mttr > before.mttr
    }
}

impl fmt::Display for WindowFigures {
    /// `3 of 20 releases failed, MTTR 12m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} releases failed, MTTR {}", self.failed, self.releases, self.mttr)
    }
}

/// The three last closed windows: how two windows changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// The window that the other two are measured against.
    pub base: WindowFigures,
    /// The one after it.
    pub middle: WindowFigures,
    /// The last that closed.
    pub last: WindowFigures,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; then {}; then {}", self.base, self.middle, self.last)
    }
}

impl History {
    /// Whether change failure rate and MTTR improved in two consecutive windows (§5.6).
    pub fn earned(&self) -> bool {
        let shown = [self.base, self.middle, self.last].iter().all(WindowFigures::shows_something);
        shown && self.middle.improves_on(&self.base) && self.last.improves_on(&self.middle)
    }

    /// Whether change failure rate or MTTR worsened materially over two windows (§8): at least [`MATERIAL_PERCENT`]
    /// worse than two windows ago, and not on the mend in the last. One failed release shows no rate.
    pub fn worsened(&self) -> bool {
        let (last, base) = (&self.last, &self.base);
        let grown = 100 + MATERIAL_PERCENT;
        let rate = last.failed >= 2
            && 100 * u64::from(last.failed) * u64::from(base.releases)
                >= grown * u64::from(base.failed) * u64::from(last.releases)
            && base.fails_less_than(last)
            && !last.fails_less_than(&self.middle);
        // Where nothing failed there was nothing to recover from: no time to compare with.
        let mttr = base.failed > 0
            && last.mttr > base.mttr
            && last.mttr.as_millis().saturating_mul(100) >= grown.saturating_mul(base.mttr.as_millis())
            && last.mttr >= self.middle.mttr;
        rate || mttr
    }

    /// Whether stability returned (§8): the last window is in neither figure worse than the one before. A window in which no
    /// release ended shows nothing, and is nothing to compare with: after such ones alone nothing may have failed.
    pub fn stable_again(&self) -> bool {
        let before = [&self.middle, &self.base].into_iter().find(|window| window.releases > 0);
        let no_worse = before.map_or(self.last.failed == 0, |before| !self.last.worse_than(before));
        self.last.releases > 0 && no_worse
    }
}

/// How much more a budget may earn: 10 to 20 percent (`000_…` §5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EarnedPercent(u32);

impl EarnedPercent {
    /// The least of the document's range; given where nobody chose.
    pub const LEAST: Self = Self(10);

    /// A figure from 10 to 20.
    pub fn new(percent: u32) -> Result<Self, UnitError> {
        let wanted = "what a budget may earn: 10 to 20 percent";
        if (10..=20).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(UnitError { value: percent.to_string(), wanted })
        }
    }

    /// The number of percent, 10 to 20.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What product and development manager chose that the service earns: the one or the other (`000_…` §5.6, "or").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reward {
    /// A larger budget.
    Budget(EarnedPercent),
    /// One gate level less for changes of these categories alone.
    Relaxation(BTreeSet<Category>),
}

/// How the present window is adjusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adjustment {
    /// Earned, with the evidence.
    pub earned: Option<(Reward, String)>,
    /// The budget is smaller and the mapping stricter, with the evidence (§8).
    pub worse: Option<String>,
    /// The mapping is stricter because of repeated exceptions, with the evidence (§7).
    pub exceptions: Option<String>,
}

impl Adjustment {
    /// Why the gate mapping is one level stricter; empty where it is not.
    pub fn tightened_by(&self) -> Vec<Tightening> {
        let causes = [
            self.exceptions.as_ref().map(|_| Tightening::RepeatedExceptions),
            self.worse.as_ref().map(|_| Tightening::WorseFigures),
        ];
        causes.into_iter().flatten().collect()
    }

    const fn tightens_gates(&self) -> bool {
        self.worse.is_some() || self.exceptions.is_some()
    }

    /// Categories that go by one level less; empty where the mapping is tightened.
    pub fn relaxed(&self) -> BTreeSet<Category> {
        match &self.earned {
            Some((Reward::Relaxation(categories), _)) if !self.tightens_gates() => categories.clone(),
            Some(_) | None => BTreeSet::new(),
        }
    }

    /// The points of the window: the tier's figure, or the budget's own, adjusted. Rounded down.
    pub fn allocation(&self, tier: Tier, own: Option<RiskPoints>) -> RiskPoints {
        let points = own.unwrap_or_else(|| tier.allocation());
        match &self.earned {
            _ if self.worse.is_some() => points.percent_down(100 - TIGHTENED_PERCENT),
            Some((Reward::Budget(percent), _)) => points.percent_down(100 + percent.get()),
            Some((Reward::Relaxation(_), _)) | None => points,
        }
    }

    /// What holds, one sentence each; empty where nothing is adjusted.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some((reward, evidence)) = &self.earned {
            let what = match reward {
                Reward::Budget(percent) => format!("+{} % risk points", percent.get()),
                Reward::Relaxation(categories) => {
                    let words: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
                    format!("one gate level less for {}", words.join(", "))
                }
            };
            lines.push(format!("Earned {what} (000 §5.6): {evidence}."));
        }
        if let Some(evidence) = &self.worse {
            lines.push(format!(
                "Tightened: -{TIGHTENED_PERCENT} % risk points, one gate level more, until stability returns (000 §8): {evidence}."
            ));
        }
        if let Some(evidence) = &self.exceptions {
            lines.push(format!(
                "Tightened: one gate level more, as long as exceptions are repeated (000 §7): {evidence}."
            ));
        }
        lines
    }
}

/// What the present window is adjusted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentFacts {
    /// The three last closed windows; None while there are fewer, then nothing is earned and nothing tightened.
    pub history: Option<History>,
    /// Whether the window before was tightened by its figures (§8). What repeated exceptions tightened (§7) is not carried on:
    /// they are counted anew in each window.
    pub was_worse: bool,
    /// Exceptions in this window and the one before.
    pub exceptions: u32,
    /// What the service earns if it does; None where nobody chose: the least of the range.
    pub reward: Option<Reward>,
}

/// The adjustment of the present window. Tightening outweighs earning: both never hold together.
pub fn adjust(facts: &AdjustmentFacts) -> Adjustment {
    let history = facts.history.as_ref();
    let stays = facts.was_worse && !history.is_some_and(History::stable_again);
    let worse = match history {
        Some(history) if history.worsened() => Some(history.to_string()),
        Some(history) => stays.then(|| format!("stability has not returned: {history}")),
        None => stays.then(|| "stability has not been shown yet".to_owned()),
    };
    let exceptions = (facts.exceptions >= EXCEPTIONS_REPEATED)
        .then(|| format!("{} exceptions in this window and the one before", facts.exceptions));
    let tightened = worse.is_some() || exceptions.is_some();
    let earned = history.filter(|history| !tightened && history.earned()).map(|history| {
        let reward = facts.reward.clone().unwrap_or(Reward::Budget(EarnedPercent::LEAST));
        (reward, history.to_string())
    });
    Adjustment { earned, worse, exceptions }
}
