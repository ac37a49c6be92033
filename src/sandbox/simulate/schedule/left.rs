//! Leaving while no controller runs, drawn from dice of its own: at any moment of a release; in half of these worlds the workload is
//! back under the gate later.

use super::{Act, Item, Mix, seconds};
use crate::api::Span;

/// What happens in the world of a seed.
pub(super) fn of_seed(seed: u64, mix: Mix) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x1ef7);
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    let (at, away) = (seconds(&mut dice, 5, within), seconds(&mut dice, 20, 120));
    let mut items = vec![Item { at, act: Act::LeaveAlone(away) }];
    if dice.bool() {
        let later = at.as_millis() + away.as_millis() + seconds(&mut dice, 5, 30).as_millis();
        items.push(Item { at: Span::from_millis(later), act: Act::Attach });
    }
    items
}
