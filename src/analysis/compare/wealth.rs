//! The bet: how rich one would be by now who had put 1 on "the new version is worse", or on "it is not".
//!
//! In one interval the new version answered `nc` requests, `ec` of them bad, and stable `ns` and `es`. The doubt is
//! `p_new ≤ factor · p_stable + slack`. Against it stand the ratios `m` of `RATIOS`: with `r = factor · m`,
//!
//! ```text
//! g = (factor·nc + ns) / (r·nc + ns)      a = m·g
//! ln L = (ec·ln a + es·ln g - slack·nc·(a - 1)) / phi
//! ```
//!
//! `E[L] ≤ 1` under the doubt, for errors that come by themselves (Poisson or Bernoulli), for any `p_stable`, moving as it
//! likes, and any traffic, so that weights may change. `phi ≥ 1` is how much stable's own counts scatter. With `m < 1` every
//! inequality turns round: then the doubt is `p_new ≥ factor · p_stable + slack`. Where stable has no traffic and its
//! former rate `p` stands for it, `ln L = (ec·ln m - (factor·p + slack)·nc·(m - 1)) / phi`, the limit of endless `ns`.
//!
//! The wealth is a mixture over the ratios and over the moments at which it may have begun. Of the stake of 1, `1 - LATER` is bet within
//! the plan, from the start and evenly over it, as the reference bets it; `LATER` is set aside for all that comes after, because a hold
//! may outlast any plan: `LATER·H / (i·(i + 1))` in interval `i ≥ H`, which after `n` leaves `LATER·H / n` and never ends. All of it
//! together is a stake of 1, so that the chance of winning by luck is what it was, however long a release takes.
//!
//! In one interval what the reference bets grows at most by the root of what decides, so that one interval alone never does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline::Overdispersion;
use super::interval::{Base, Interval};
use super::nats::{Nats, ln_add};
use super::setup::{FACTOR, Horizon};

/// How many ratios a bet is spread over.
pub(in crate::analysis) const RATIO_COUNT: usize = 7;

/// By which factors the new version may be worse, or, the other way round, better than what is doubted.
pub(in crate::analysis) const RATIOS: [f64; RATIO_COUNT] = [1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0];

/// The share of the stake that is set aside for what begins after the plan.
///
/// It is paid for within the plan, where one must become 111 times as rich instead of 100 times, a twentieth of a nat for each of the two
/// intervals that it takes at best. For it a version that turns bad when the plan is over `n` times must say `1.5 + 2·ln n` nats more than
/// one that does so within the plan: an interval or two of one that fails every twentieth request.
pub(in crate::analysis) const LATER: f64 = 0.1;

/// What one interval can say at most, in nats: what a float can hold. The cap on growth is far below.
const SAYS_MAX: f64 = 600.0;

/// A bet that is going on: the logarithms of what its parts are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wealth {
    /// What a stake of 1 that is not bet yet is worth: 1 until growth was capped.
    spare: Nats,
    /// What was bet on each ratio.
    parts: [Nats; RATIOS.len()],
}

impl Default for Wealth {
    fn default() -> Self {
        Self { spare: Nats::ZERO, parts: [Nats::LEAST; RATIOS.len()] }
    }
}

/// Which bet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis) enum Bet {
    /// That the new version is worse.
    Worse,
    /// That it is not.
    NotWorse,
}

impl Bet {
    /// The share of the stake that is bet on "from the start"; the rest is spread over later beginnings.
    ///
    /// A version may turn bad late, when a cache is full or the clock strikes; a good one is good from the start but for the
    /// errors of its first minute.
    const fn at_start(self) -> f64 {
        match self {
            Self::Worse => 0.5,
            Self::NotWorse => 0.9,
        }
    }

    const fn ratio(self, m: f64) -> f64 {
        match self {
            Self::Worse => m,
            Self::NotWorse => 1.0 / m,
        }
    }

    /// The share of the stake that is bet in the interval number `index`, from 0.
    pub(super) fn begins_at(self, index: u32, horizon: Horizon) -> f64 {
        let (at, planned) = (f64::from(index), f64::from(horizon.get()));
        if index >= horizon.get() {
            return LATER * planned / at / (at + 1.0);
        }
        let first = if index == 0 { self.at_start() } else { 0.0 };
        (1.0 - LATER) * (first + (1.0 - self.at_start()) / planned)
    }

    /// The share of the stake that is for the plan and not bet yet after `counted` intervals.
    pub(super) fn not_begun(self, counted: u32, horizon: Horizon) -> f64 {
        if counted == 0 {
            return 1.0 - LATER;
        }
        let left = horizon.get().saturating_sub(counted);
        (1.0 - LATER) * (1.0 - self.at_start()) * f64::from(left) / f64::from(horizon.get())
    }
}

/// The share of the stake that is for what comes after the plan and not bet yet after `counted` intervals.
pub(super) fn set_aside(counted: u32, horizon: Horizon) -> f64 {
    LATER * f64::from(horizon.get()) / f64::from(counted.max(horizon.get()))
}

/// How a bet is played.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis) struct Game {
    pub(in crate::analysis) bet: Bet,
    /// What is allowed on top of `FACTOR` times stable's rate, as a ratio.
    pub(in crate::analysis) slack: f64,
    pub(in crate::analysis) phi: Overdispersion,
    pub(in crate::analysis) horizon: Horizon,
    /// How often it may be won by luck, above 0 and below 1.
    pub(in crate::analysis) chance: f64,
}

impl Game {
    /// What an interval says for a ratio, in nats.
    pub(super) fn says(&self, interval: &Interval, m: f64) -> f64 {
        ln_likelihood_ratio(interval, self.slack, self.bet.ratio(m)) / self.phi.get()
    }

    /// The wealth at which the bet is won, in nats: the inverse of the chance that it is won by luck.
    pub(super) fn decided(&self) -> f64 {
        -self.chance.ln()
    }

    /// Whether the bet is won where it is worth so much, in nats.
    ///
    /// But for a millionth: two intervals of full growth are exactly enough, and must not fall short by how they were rounded.
    pub(in crate::analysis) fn is_won(&self, nats: f64) -> bool {
        nats >= self.decided() - 1e-6
    }

    /// How far a stake for the plan must grow to win the bet by itself, in nats: `1 / alpha` of the reference.
    fn way(&self) -> f64 {
        self.decided() - (1.0 - LATER).ln()
    }

    /// The growth that one interval may bring, in nats: half of the way.
    pub(super) fn growth_max(&self) -> f64 {
        self.way() / 2.0
    }

    /// The most that the bet may be worth, in nats: a long good past must not outweigh a present that is not.
    fn ceiling(&self) -> f64 {
        match self.bet {
            Bet::Worse => f64::INFINITY,
            Bet::NotWorse => 2.0 * self.decided(),
        }
    }
}

/// `ln L` of the module's head, before it is divided by `phi`. 0 where either version is without traffic.
fn ln_likelihood_ratio(interval: &Interval, slack: f64, m: f64) -> f64 {
    let (nc, ec) = (interval.candidate.requests(), interval.candidate.bad());
    if nc <= 0.0 {
        return 0.0;
    }
    match interval.base {
        Base::Measured(base) => ln_ratio([(nc, ec), (base.requests(), base.bad())], (FACTOR, slack), m),
        Base::Frozen(rate) => ec * m.ln() - (FACTOR * rate.ratio() + slack) * nc * (m - 1.0),
    }
}

/// `ln L` of requests and events of the new version and of stable, doubting `p_new ≤ factor · p_stable + slack` (`m > 1`) or the
/// other way round; 0 where either version is without traffic and slack is none.
pub(in crate::analysis) fn ln_ratio([(nc, ec), (ns, es)]: [(f64, f64); 2], (factor, slack): (f64, f64), m: f64) -> f64 {
    if nc <= 0.0 {
        return 0.0;
    }
    // By ln_1p, because with little traffic on the new version g is next to 1.
    let ln_g = -(factor * (m - 1.0) * nc / (factor * nc + ns)).ln_1p();
    let ln_a = m.ln() + ln_g;
    ec * ln_a + es * ln_g - slack * nc * ln_a.exp_m1()
}

impl Wealth {
    /// The logarithm of the wealth after `counted` intervals.
    pub(in crate::analysis) fn ln(&self, game: &Game, counted: u32) -> f64 {
        ln_add(self.ln_planned(game, counted), set_aside(counted, game.horizon).ln())
    }

    /// The same without what is set aside for later than the plan: within it, `1 - LATER` times what the reference has.
    pub(super) fn ln_planned(&self, game: &Game, counted: u32) -> f64 {
        ln_sum(self.spare.get() + game.bet.not_begun(counted, game.horizon).ln(), self.parts.map(Nats::get))
    }

    /// What was bet on each ratio is worth, in nats; what would be bet in the next interval is in it.
    pub(super) fn parts(&self, game: &Game, counted: u32) -> [f64; RATIOS.len()] {
        // What is set aside loses nothing where growth was capped: one interval that says too much makes nobody blind to what comes later.
        let worth = if counted < game.horizon.get() { self.spare.get() } else { 0.0 };
        let new = worth + (game.bet.begins_at(counted, game.horizon) / RATIOS.len() as f64).ln();
        self.parts.map(|part| ln_add(part.get(), new))
    }

    /// The wealth after one more interval, the one after `counted` others.
    pub(super) fn after(&self, game: &Game, counted: u32, interval: &Interval) -> Self {
        self.after_saying(game, counted, RATIOS.map(|m| game.says(interval, m)))
    }

    /// The wealth after an interval that says so much for each ratio, in nats.
    pub(in crate::analysis) fn after_saying(&self, game: &Game, counted: u32, says: [f64; RATIO_COUNT]) -> Self {
        let mut parts = self.parts(game, counted);
        for (part, said) in parts.iter_mut().zip(says) {
            *part += said.min(SAYS_MAX);
        }
        let too_much = match counted < game.horizon.get() {
            true => {
                let most = (self.ln_planned(game, counted) + game.growth_max()).min(game.ceiling());
                ln_sum(self.spare.get() + game.bet.not_begun(counted + 1, game.horizon).ln(), parts) - most
            }
            false => {
                // It has become little, and what is bet anew must not be measured by that alone.
                let most = (self.ln(game, counted) + game.growth_max()).min(game.ceiling());
                let aside = set_aside(counted + 1, game.horizon);
                ln_sum(f64::NEG_INFINITY, parts) - (most + (-aside * (-most).exp()).ln_1p())
            }
        };
        let too_much = too_much.max(0.0);
        Self { spare: Nats::new(self.spare.get() - too_much), parts: parts.map(|part| Nats::new(part - too_much)) }
    }
}

fn ln_sum(first: f64, others: [f64; RATIOS.len()]) -> f64 {
    others.into_iter().fold(first, ln_add)
}
