//! Is the new version worse than what served before? A comparison that may be looked at at any time.
//!
//! Here belongs the statistics of two versions beside each other: counts of one interval after the other in, *worse*,
//! *not worse* or *not yet* out, with the figures in words; how noisy stable is by itself ([`Baseline`]); and how long it
//! takes to tell ([`bake_time`]). What must never enter: how the counts were measured, which limit the contract names
//! (`limits`), and what is done about a finding (`release`).
//!
//! Both questions are asked by betting (`wealth.rs`): a stake of 1 is put on "the new version is worse", interval by
//! interval, at odds that are fair or unfavourable as long as it is not. To become 100 times as rich is then a matter
//! of luck at most once in 100 releases, however often one looks (Ville's inequality). Where a release is compared in several
//! signals, failed requests and slow ones by each bound, the chance is divided evenly among them (Bonferroni), so that the once in
//! 100 holds for all of them together however they hang together. "Not worse" is the same bet the other way round; all of them must
//! win it, so that its chance is not divided. The bet is on the *ratio* of both versions within an interval: what happens to both, such as an
//! incident of a dependency or the rush at noon, moves nothing.
//!
//! ```
//! use tidegate::analysis::compare::{Base, Counted, Counts, Finding, Interval, Setup, Signal, Tally};
//! use tidegate::api::{Percent, Span, Time};
//!
//! let setup = Setup::new(None, Percent::new(99.5)?, Percent::whole(1), Span::minutes(60), Span::minutes(1));
//! let mut tally = Tally::default();
//! let start = Time("2027-03-01T10:00:00Z".parse()?);
//! for minute in 1..=2 {
//!     let (canary, stable) = (Counts::new(300.0, 30.0)?, Counts::new(5_700.0, 6.0)?);
//!     let end = start.plus(Span::minutes(minute));
//!     let base = Base::Measured(stable);
//!     let counted = tally.count(&setup, &Interval { end, length: Span::minutes(1), candidate: canary, base });
//!     assert_eq!(counted, Counted::New);
//! }
//! assert!(matches!(tally.finding(&setup, &Signal::Errors), Finding::Worse(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bake;
mod baseline;
mod finding;
mod interval;
mod nats;
mod setup;
mod tally;
#[cfg(test)]
mod tests;
mod wealth;

pub use bake::{BakeTime, Flow, bake_time, minutes, per_second};
pub use baseline::{Baseline, Hours, Overdispersion};
pub use finding::{Figures, Finding, Signal};
pub use interval::{Base, Counts, CountsError, Interval};
pub use nats::Nats;
pub use setup::{CHANCE_MAX, FACTOR, Horizon, Setup, Signals};
pub use tally::{Counted, Sums, Tally};
pub use wealth::Wealth;
pub(in crate::analysis) use wealth::{Bet, Game, RATIO_COUNT, RATIOS, ln_ratio};
