//! How fast the error budget goes: burn rates over two windows each.
//!
//! The documents ask for the present burn rate (`001_…`, budget reports) and leave the figures open; these are the usual ones
//! of alerts on objectives (14.4, 6, 3 and 1 times what spends the budget exactly in its window): the long window tells that
//! it matters, the short one that it still goes on.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::change::words;
use crate::api::units::UnitError;
use crate::api::{Percent, Span};

use super::SliCount;

words! {
    /// How grave a burn is. Ordered from least to most.
    BurnLevel, "how grave a burn is: Ticket or Page" {
        /// Somebody looks at it in working hours. It holds no release.
        Ticket,
        /// Somebody is called now. While a release has users no weight rises, and the version comes back where it is its doing.
        Page,
    }
}

impl BurnLevel {
    /// What it does: `opens a ticket`.
    pub const fn means(self) -> &'static str {
        match self {
            Self::Ticket => "opens a ticket",
            Self::Page => "calls somebody",
        }
    }
}

/// A long and a short window, and the burn rate above which both together mean something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// How many times faster than its window the budget goes.
    pub factor: f64,
    /// Tells that it matters.
    pub long: Span,
    /// Tells that it goes on.
    pub short: Span,
    /// How grave it is.
    pub level: BurnLevel,
}

/// Every pair, the gravest first.
pub const PAIRS: [Pair; 4] = [
    Pair { factor: 14.4, long: Span::hours(1), short: Span::minutes(5), level: BurnLevel::Page },
    Pair { factor: 6.0, long: Span::hours(6), short: Span::minutes(30), level: BurnLevel::Page },
    Pair { factor: 3.0, long: Span::days(1), short: Span::hours(2), level: BurnLevel::Ticket },
    Pair { factor: 1.0, long: Span::days(3), short: Span::hours(6), level: BurnLevel::Ticket },
];

/// A burn that goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burn {
    /// The windows and the rate that they allow.
    pub pair: Pair,
    /// The rate in the long window.
    pub rate: f64,
}

impl fmt::Display for Pair {
    /// `burns more than 14.4 times too fast over 1h and still over 5m, which calls somebody`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { factor, long, short, level } = *self;
        write!(f, "burns more than {factor} times too fast over {long} and still over {short}, which {}", level.means())
    }
}

/// What is known of one level of burns.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace<B = Burn> {
    /// Nothing burns at it; nobody set an objective, or nobody asked anything of the service.
    Calm,
    /// The gravest burn at it.
    Burns(B),
    /// It cannot be told, and why. Neither a burn nor the end of one.
    NotKnown(String),
}

impl<B> Pace<B> {
    /// What burns, where it is known to.
    pub const fn burning(&self) -> Option<&B> {
        match self {
            Self::Burns(burn) => Some(burn),
            Self::Calm | Self::NotKnown(_) => None,
        }
    }
}

/// What is known of every level.
#[derive(Debug, Clone, PartialEq)]
pub struct Paces<B = Burn> {
    /// What calls somebody.
    pub page: Pace<B>,
    /// What opens a ticket.
    pub ticket: Pace<B>,
}

impl<B> Paces<B> {
    /// Nothing burns, and that is known.
    pub const CALM: Self = Self { page: Pace::Calm, ticket: Pace::Calm };

    /// The gravest burn that is known.
    pub fn gravest(&self) -> Option<&B> {
        self.page.burning().or(self.ticket.burning())
    }
}

/// How fast a budget goes in a window, in times of what spends it exactly in its own; from 0. Or why that is not known.
pub type Rate = Result<f64, String>;

/// How many times faster than in its window the budget of `objective` goes, by the events of a shorter one. 0 where there were no
/// events, or the objective leaves no budget that could go.
pub fn rate(objective: Percent, count: SliCount) -> Rate {
    let budget = 1.0 - objective.ratio();
    let known = count.bad.is_finite() && count.total.is_finite() && count.bad >= 0.0 && count.total >= 0.0;
    if !known {
        return Err(format!("{} bad of {} events cannot be", count.bad, count.total));
    }
    let some = count.total > 0.0 && budget > 0.0;
    Ok(if some { (count.bad / count.total).min(1.0) / budget } else { 0.0 })
}

/// What goes on at a level, by the rate of each window; None where a window has no figures by its nature, which burns nothing.
///
/// One window of a pair that keeps its rate is enough to know that the pair is calm, whatever the other one says.
pub fn pace<'a>(level: BurnLevel, rate_of: impl Fn(Span) -> Option<&'a Rate>) -> Pace {
    let of = |pair: Pair| {
        let (Some(long), Some(short)) = (rate_of(pair.long), rate_of(pair.short)) else { return Pace::Calm };
        let keeps = |rate: &Rate| matches!(rate, Ok(rate) if *rate <= pair.factor);
        if keeps(long) || keeps(short) {
            return Pace::Calm;
        }
        match (long, short) {
            (Err(why), _) | (Ok(_), Err(why)) => Pace::NotKnown(why.clone()),
            (Ok(long), Ok(_)) => Pace::Burns(Burn { pair, rate: *long }),
        }
    };
    let all = PAIRS.into_iter().filter(|pair| pair.level == level).map(of);
    all.fold(Pace::Calm, |found, next| match (found, next) {
        // The gravest comes first.
        (Pace::Burns(burn), _) | (Pace::Calm | Pace::NotKnown(_), Pace::Burns(burn)) => Pace::Burns(burn),
        (Pace::NotKnown(why), Pace::Calm | Pace::NotKnown(_)) | (Pace::Calm, Pace::NotKnown(why)) => {
            Pace::NotKnown(why)
        }
        (Pace::Calm, Pace::Calm) => Pace::Calm,
    })
}

/// The same at every level.
pub fn paces<'a>(rate_of: impl Fn(Span) -> Option<&'a Rate>) -> Paces {
    Paces { page: pace(BurnLevel::Page, &rate_of), ticket: pace(BurnLevel::Ticket, &rate_of) }
}

/// The rate at which a budget goes now, and a longer look back that tells how far to believe that it goes on so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Present {
    /// In times of what spends the budget exactly in its window; from 0.
    pub rate: f64,
    /// Over so long.
    pub over: Span,
    /// The rate over a longer window, and that window; none where it is not known.
    pub longer: Option<(f64, Span)>,
    /// The window of the objective.
    pub window: Span,
}

/// Where nothing burns, the present is so long.
pub const CALM_OVER: Span = Span::hours(6);

/// Which longer window the rate of a window is compared with: one in which a burn that began within the shorter one shows as another rate,
/// by more than four times. None is the objective's own.
pub fn longer_than(over: Span) -> Option<Span> {
    let all = [(Span::hours(1), Span::hours(6)), (Span::hours(6), Span::days(3))];
    all.into_iter().find(|(shorter, _)| over <= *shorter).map(|(_, longer)| longer)
}

/// The present rate: over the long window of the gravest burn, else over six hours (`001_…`, "at current rate", which leaves the window
/// open). `whole` is the rate over all of the objective's `window`. None where it is not known.
pub fn present<'a>(rate_of: impl Fn(Span) -> Option<&'a Rate>, whole: f64, window: Span) -> Option<Present> {
    let over = paces(&rate_of).gravest().map_or(CALM_OVER, |burn| burn.pair.long);
    let of = |window: Span| rate_of(window).and_then(|rate| rate.as_ref().ok()).copied();
    let longer = match longer_than(over) {
        Some(longer) => of(longer).map(|rate| (rate, longer)),
        None => Some((whole, window)),
    };
    // Over more than its window a rate says nothing of what is left in it.
    (over <= window).then_some(())?;
    Some(Present { rate: of(over)?, over, longer: longer.filter(|(_, longer)| *longer > over), window })
}

impl fmt::Display for Burn {
    /// `burns 20.5 times too fast over 1h and still over 5m (14.4 calls somebody)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pair { factor, long, short, level } = self.pair;
        let rate = (self.rate * 10.0).round() / 10.0;
        write!(f, "burns {rate} times too fast over {long} and still over {short} ({factor} {})", level.means())
    }
}
