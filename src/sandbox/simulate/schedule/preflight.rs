//! What stands around a workload before its first release, so that preflight refuses the release or only warns of it; whoever is
//! responsible mends what is refused while the release waits.

use super::{Act, Around, Item, seconds};
use crate::api::Span;

/// What happens in the world of a seed whose first version is deployed at that moment.
pub(super) fn of_seed(seed: u64, first: Span) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x94ef);
    let before = Span::from_millis(first.as_millis() / 2);
    let mut all = Vec::new();
    let mut put = |here: Around, until: Span, after: Around| {
        let until = Span::from_millis(first.as_millis() + until.as_millis());
        all.extend([(before, here), (until, after)].map(|(at, around)| Item { at, act: Act::Around(around) }));
    };
    let mut refused = [
        (Around::NoHistory, Around::History),
        (Around::Quota(Some(dice.u32(0..=3))), Around::Quota(None)),
        (Around::NetworkPolicy, Around::NoNetworkPolicy),
        (Around::DatabasePolicy(true), Around::DatabasePolicy(false)),
    ];
    dice.shuffle(&mut refused);
    // Mended while there is time: a release waits for a minute in these worlds.
    for (here, after) in refused.into_iter().take([0, 1, 1, 2][dice.usize(..4)]) {
        put(here, seconds(&mut dice, 10, 40), after);
    }
    if dice.u32(0..3) == 0 {
        put(Around::OtherService(true), seconds(&mut dice, 5, 120), Around::OtherService(false));
    }
    all
}
