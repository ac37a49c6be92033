//! What keeps a version from getting more users, or from losing its way back, whatever is due: asked before each such write.

use super::active::Active;
use super::circuit;
use super::patience::hold;
use super::step::Step;
use super::verify::verdict_now;
use crate::analysis::{NotYet, Verdict};

/// A hold in place of the next step forward: an open circuit breaker, or a limit that is breached and not yet for so many checks
/// in a row as bring the version back.
pub(super) fn before_more(active: &Active<'_>) -> Option<Step> {
    circuit::hold(active).or_else(|| match verdict_now(active)? {
        Verdict::NotYet(breached @ NotYet::Breached { .. }) => hold(active, &breached),
        Verdict::NotYet(_) | Verdict::Pass(_) | Verdict::Fail(_) => None,
    })
}
