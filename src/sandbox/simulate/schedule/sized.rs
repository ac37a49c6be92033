//! What becomes of a workload's size while it is released: an autoscaler has it, its pods get more or less to do, and people scale
//! it by hand.

use super::{Act, Item, Mix, count, seconds};
use crate::api::Span;

/// What happens in the world of a seed whose first version is deployed at that moment.
pub(super) fn of_seed(seed: u64, mix: Mix, first: Span) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x512e);
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    let mut all = Vec::new();
    if dice.u32(0..4) > 0 {
        // Mostly it is there before anything is released, and stays.
        let early = Span::from_millis(first.as_millis() / 2);
        let at = if dice.u32(0..3) > 0 { early } else { seconds(&mut dice, 3, within) };
        all.push(Item { at, act: Act::Autoscale(dice.u32(3..=8)) });
        if dice.u32(0..3) == 0 {
            let gone = Span::from_millis(at.as_millis() + seconds(&mut dice, 5, within).as_millis());
            all.push(Item { at: gone, act: Act::NoAutoscaler });
        }
    }
    for _ in 0..=count(&mut dice, mix.sized) {
        // What has a meaning while something is released comes soon.
        let at = seconds(&mut dice, 3, within.min(90));
        let act = match dice.u32(0..8) {
            0..3 => Act::Load(dice.u32(10..=40)),
            3..5 => Act::Load(dice.u32(40..=180)),
            5..7 => Act::ScaleByHand(dice.u32(1..=8)),
            _ => Act::Scale(dice.u32(1..=5)),
        };
        all.push(Item { at, act });
    }
    all
}
